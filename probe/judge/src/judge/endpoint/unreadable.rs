//! Judges the files besides the token that settings or the C library name, and that the subject may not read. Pure.
//! They count for nothing, as for the app: what they hold was not looked at.

use crate::catalog::texts::environment as texts;
use crate::catalog::{Class, Topic};
use crate::evidence::{Phase, UnreadableFile};
use crate::judge::facts::Facts;
use crate::judge::finding::{Finding, Severity};
use crate::judge::token_file::{ids, with_those_ids};
use crate::options::Mechanism;
use crate::settings::command::Word;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::text::plain;

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
        source if PROFILES.contains(&source) => "SDKs pass it by, and what it sets does not count",
        BUNDLE => "SDKs that read this variable trust nobody",
        RESOLV_CONF => "the C library asks 127.0.0.1 in place of the cluster’s DNS",
        HOSTS => "the names in it do not count",
        _ => "it adds no certificate",
    };
    let severity = match source.as_str() {
        BUNDLE if facts.evidence.environment.options.ca_bundle.is_none() => Severity::Error,
        RESOLV_CONF | HOSTS if nothing_resolved(facts) => Severity::Error,
        _ => Severity::Warning,
    };
    let user = format!("uid {}", facts.evidence.process.uid);
    let named = if source == path { String::new() } else { format!("{source} names it. ") };
    let finding = Finding::new(Class::SettingsInvalid, format!("{user} may not read {path}"))
        .severity(severity)
        .presented(ids(facts))
        .required(format!("ids that may read {path}"))
        .ruled_out("a missing file: it is there, or a directory on the way to it is closed")
        .why(plain(&format!(
            "{named}The app runs as {user}, gid {}, and gets {error}. So {outcome}. The file is there, or a directory on the way to it is closed.",
            facts.evidence.process.gid
        )));
    let finding = match source.as_str() {
        source if PROFILES.contains(&source) => finding,
        RESOLV_CONF | HOSTS => finding.about(Topic::Host),
        _ => finding.about(Topic::CaBundle),
    };
    let values = facts.values().with(slot::FILE, path, Word::path(path)).with_text(slot::USER, user).with(
        slot::VARIABLE,
        source,
        Word::variable_name(source),
    );
    if source == path {
        return finding.steps(&values, &[&texts::SEE_FILE, &texts::SEE_MOUNTS, &texts::LET_READ]);
    }
    let is_variable = facts.evidence.environment.variables.contains_key(source.as_str());
    let steps: &[&Template] = if is_variable {
        &[&texts::SEE_FILE, &texts::LET_READ_IF, &texts::REMOVE_UNNEEDED]
    } else {
        &[&texts::SEE_FILE, &texts::LET_READ]
    };
    finding.steps(&values, steps)
}

fn not_seen(facts: &Facts<'_>, file: &UnreadableFile) -> Finding {
    let UnreadableFile { source, path, error, .. } = file;
    let decides = match source.as_str() {
        BUNDLE => facts.evidence.environment.options.ca_bundle.is_none(),
        source => PROFILES.contains(&source) && facts.requested.mechanism == Mechanism::None,
    };
    let why = match error.as_str() {
        IN_PROC => "It lies in /proc, which shows each process itself.",
        _ => "credprobe may not read it, and cannot become that user.",
    };
    let finding = Finding::new(
        Class::Inconclusive,
        format!("what {path} holds for uid {} is not known", facts.evidence.process.uid),
    )
    .why(plain(&format!("{source} names {path}. {why} The error is {error}.")))
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
