//! The `kubectl debug` command whose container may read the process. Pure.
//! Image and container name are taken from the debug container that is running: from inside a pod neither can be known.

use super::refusal::{all_are, dumpable};
use crate::evidence::{Process, Target};
use crate::finding::Finding;
use crate::judge::case::Account;
use crate::judge::shell;

/// What a container needs to read the target.
struct Profile {
    name: &'static str,
    /// The partial container of `--custom`.
    custom: String,
    note: &'static str,
}

/// Adds the command, and the one that shows its outcome; where the pod's name is unknown, what to write by hand.
pub(super) fn advise(finding: Finding, target: &Target, process: &Process) -> Finding {
    match profile(target) {
        Some(profile) => with(finding, &profile, target, process),
        None => finding,
    }
}

/// The same as root, where nothing is known of the target.
pub(super) fn as_root(finding: Finding, target: &Target, process: &Process) -> Finding {
    with(finding, &root(), target, process)
}

fn with(finding: Finding, profile: &Profile, target: &Target, process: &Process) -> Finding {
    let Profile { name, custom, note } = profile;
    match command(target, process, profile) {
        Some(command) => {
            let finding = finding.fix(format!("{command}  # {note}"));
            let outcome = pod_command(process, "{.status.ephemeralContainerStatuses[*].state.terminated}");
            finding.confirm_note(outcome, "the exit code: kubectl debug itself returns 0 whatever it is")
        }
        None => finding
            .fix(format!("# kubectl debug with --profile={name} and --custom=FILE, where FILE holds {custom}; {note}"))
            .confirm("# kubectl debug returns 0 whatever the probe's exit code: read .status.ephemeralContainerStatuses[*].state.terminated of the pod"),
    }
}

/// The target's own ids where that is enough; else root with `CAP_SYS_PTRACE`, which `general` adds.
fn profile(target: &Target) -> Option<Profile> {
    let status = target.status.as_ref()?;
    let (uid, gid) = (status.uid.effective, status.gid.effective);
    let plain = all_are(status.uid, uid) && all_are(status.gid, gid) && status.permitted.is_empty();
    if !plain || dumpable(target) == Some(false) || super::is_unexplained(target) {
        return Some(root());
    }
    // The profile states runAsNonRoot; and without runAsGroup the gid is the image's or 0.
    let root = if uid == 0 { r#","runAsNonRoot":false"# } else { "" };
    Some(Profile {
        name: "restricted",
        custom: format!(r#"{{"securityContext":{{"runAsUser":{uid},"runAsGroup":{gid}{root}}}}}"#),
        note: "--custom needs kubectl 1.31",
    })
}

fn root() -> Profile {
    Profile {
        name: "general",
        custom: r#"{"securityContext":{"runAsUser":0,"runAsNonRoot":false}}"#.to_owned(),
        note: "root with SYS_PTRACE: the namespace's Pod Security level must be privileged; --custom needs kubectl 1.31",
    }
}

fn command(target: &Target, process: &Process, profile: &Profile) -> Option<String> {
    let image = pod_command(process, "{.spec.ephemeralContainers[-1:].image}")?;
    let container = pod_command(process, "{.spec.ephemeralContainers[-1:].targetContainerName}")?;
    let (custom, name) = (shell::quote(&profile.custom)?, profile.name);
    let pid = target.pid.map_or_else(|| "auto".to_owned(), |pid| pid.to_string());
    let debug = shell::command(&[&["kubectl", "debug"], pod(process)?.as_slice()].concat())?;
    Some(format!(
        r#"echo {custom} | {debug} --image="$({image})" --target="$({container})" --profile={name} --custom=/dev/stdin --arguments-only --attach -- check --target-pid={pid}"#
    ))
}

fn pod_command(process: &Process, jsonpath: &str) -> Option<String> {
    let output = format!("jsonpath={jsonpath}");
    shell::command(&[&["kubectl", "get", "pod"], pod(process)?.as_slice(), &["-o", &output]].concat())
}

/// `-n NAMESPACE POD`; without a known namespace kubectl's current one is meant.
fn pod(process: &Process) -> Option<Vec<&str>> {
    let pod = process.pod().filter(|name| !name.starts_with('-'))?;
    let account = process.api_server_subject.as_deref().and_then(Account::of_subject);
    let namespace = account.map(|account| account.namespace).or_else(|| process.namespace());
    Some(namespace.map_or_else(|| vec![pod], |namespace| vec!["-n", namespace, pod]))
}
