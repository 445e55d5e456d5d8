//! Judges the files besides the token that settings or the C library name, and that the subject may not read. Pure.
//! They count for nothing, as for the app: what they hold was not looked at.

use crate::catalog::{Class, Topic};
use crate::evidence::{Phase, UnreadableFile};
use crate::judge::facts::Facts;
use crate::judge::finding::{Finding, Severity};
use crate::judge::token_file::{ids, who, with_those_ids};
use crate::options::Mechanism;
use crate::settings::command::{Tool, Word, words};

/// One finding for each.
pub(in crate::judge) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    facts.evidence.environment.unreadable.iter().map(|file| finding(facts, file)).collect()
}

/// Whether the probe could not look where the mechanism may be named, and nothing else names one.
pub(in crate::judge) fn hides_mechanism(facts: &Facts<'_>) -> bool {
    let mut unreadable = facts.evidence.environment.unreadable.iter();
    unreadable.any(|file| file.by_probe && PROFILES.contains(&&*file.source))
}

/// Whether it is told here why the bundle of this source cannot be used.
pub(super) fn covers(facts: &Facts<'_>, source: &str) -> bool {
    let bundle = source.split_once('=').map(|(variable, _)| variable);
    facts.evidence.environment.unreadable.iter().any(|file| bundle == Some(&file.source))
}

fn finding(facts: &Facts<'_>, file: &UnreadableFile) -> Finding {
    if file.by_probe { not_seen(facts, file) } else { refused(facts, file) }
}

fn refused(facts: &Facts<'_>, file: &UnreadableFile) -> Finding {
    let UnreadableFile { source, path, error, .. } = file;
    let outcome = match source.as_str() {
        source if PROFILES.contains(&source) => "SDKs pass by it, and what it sets does not count",
        BUNDLE => "SDKs that trust what it names trust nobody",
        RESOLV_CONF => "the C library asks 127.0.0.1 instead of the cluster's DNS",
        HOSTS => "the names in it count for nothing",
        _ => "it adds no certificate",
    };
    let severity = match source.as_str() {
        BUNDLE if facts.evidence.environment.options.ca_bundle.is_none() => Severity::Error,
        RESOLV_CONF | HOSTS if nothing_resolved(facts) => Severity::Error,
        _ => Severity::Warning,
    };
    let named = if source == path { path.clone() } else { format!("{path}, which {source} names") };
    let finding = Finding::new(
        Class::SettingsInvalid,
        format!("{} may not read {named} ({error}): {outcome}", who(facts)),
    )
    .severity(severity)
    .presented(ids(facts))
    .required(format!("ids that may read {path}"))
    .ruled_out("a missing file: it is there, or a directory on the way to it is closed");
    let finding = match source.as_str() {
        source if PROFILES.contains(&source) => finding,
        RESOLV_CONF | HOSTS => finding.about(Topic::Host),
        _ => finding.about(Topic::CaBundle),
    };
    let finding =
        finding.confirm_note(Tool::Ls.run(words!["-ldL", Word::path(path)]), "in the app's container");
    let finding = finding.fix(format!(
        "# in the pod spec: let uid {} read it (the volume's defaultMode, or securityContext.fsGroup)",
        facts.evidence.process.uid
    ));
    if source != path {
        return super::remove(facts, finding, source);
    }
    let pod = facts.pod_name().zip(facts.namespace());
    let mounts = pod.and_then(|(pod, namespace)| {
        let output = "jsonpath={.spec.containers[*].volumeMounts}";
        Tool::Kubectl.run(words!["get", "pod", "-n", Word::label(namespace), Word::dns(pod), "-o", output])
    });
    finding.fix_note(mounts, "shows what is mounted over kubelet's own file, which everybody may read")
}

fn not_seen(facts: &Facts<'_>, file: &UnreadableFile) -> Finding {
    let UnreadableFile { source, path, error, .. } = file;
    let decides = match source.as_str() {
        BUNDLE => facts.evidence.environment.options.ca_bundle.is_none(),
        source => PROFILES.contains(&source) && facts.requested.mechanism == Mechanism::None,
    };
    let why = match error.as_str() {
        IN_PROC => "it lies in /proc, which shows each process itself",
        _ => "credprobe may not look at it, and cannot become that user",
    };
    let finding = Finding::new(
        Class::Inconclusive,
        format!("what {path} holds for {} is not known: {why}", who(facts)),
    )
    .severity(if decides { Severity::Error } else { Severity::Warning })
    .presented(format!("{source}: {error}"));
    if error == IN_PROC {
        let finding = finding.transient(false).required("a file outside of /proc");
        return super::remove(facts, finding, source);
    }
    with_those_ids(facts, finding)
}

fn nothing_resolved(facts: &Facts<'_>) -> bool {
    let failure = facts.evidence.network.as_ref().and_then(|network| network.failure.as_ref());
    failure.is_some_and(|failure| failure.phase == Phase::Resolve)
}

const PROFILES: &[&str] = &["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
const BUNDLE: &str = "AWS_CA_BUNDLE";
const HOSTS: &str = "/etc/hosts";
const RESOLV_CONF: &str = "/etc/resolv.conf";
const IN_PROC: &str = "EXDEV";
