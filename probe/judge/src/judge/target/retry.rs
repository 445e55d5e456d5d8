//! The `kubectl debug` command whose container may read the process. Pure.
//! Image and container name are taken from the debug container that is running: from inside a pod neither can be known.

use super::refusal::{all_are, dumpable};
use crate::evidence::Account;
use crate::evidence::{Process, Target};
use crate::judge::finding::Finding;
use crate::settings::command::{Tool, Word, words};

/// What a container needs to read the target.
struct Profile {
    name: &'static str,
    /// The partial container of `--custom`.
    custom: Word,
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
    let shown = custom.text().unwrap_or_default();
    match command(target, process, profile) {
        Some(command) => {
            let finding = finding.fix_note(Some(command), note);
            let outcome = pod_command(process, "{.status.ephemeralContainerStatuses[*].state.terminated}");
            finding.confirm_note(outcome, "the exit code: kubectl debug itself returns 0 whatever it is")
        }
        None => finding
            .fix(format!("# kubectl debug with --profile={name} and --custom=FILE, where FILE holds {shown}; {note}"))
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
    let root = if uid == 0 { r#","runAsNonRoot":false}}"# } else { "}}" };
    let uid = Word::from(uid).after(r#"{"securityContext":{"runAsUser":"#);
    Some(Profile {
        name: "restricted",
        custom: uid.then(Word::from(gid).after(r#","runAsGroup":"#)).before(root),
        note: "--custom needs kubectl 1.31",
    })
}

fn root() -> Profile {
    Profile {
        name: "general",
        custom: r#"{"securityContext":{"runAsUser":0,"runAsNonRoot":false}}"#.into(),
        note: "root with SYS_PTRACE: the namespace's Pod Security level must be privileged; --custom needs kubectl 1.31",
    }
}

fn command(target: &Target, process: &Process, profile: &Profile) -> Option<String> {
    let own = |jsonpath| Word::output_of(pod_command(process, jsonpath));
    let pid = target.pid.map_or_else(|| Word::from("auto"), Word::from);
    let options = words![
        own("{.spec.ephemeralContainers[-1:].image}").after("--image="),
        own("{.spec.ephemeralContainers[-1:].targetContainerName}").after("--target="),
        Word::from(profile.name).after("--profile="),
        "--custom=/dev/stdin",
        "--arguments-only",
        "--attach",
        "--",
        "check",
        pid.after("--target-pid="),
    ];
    let debug = Tool::Kubectl.run(&[words!["debug"], &pod(process)?, options].concat())?;
    Some(format!("echo {} | {debug}", profile.custom.quoted()?))
}

fn pod_command(process: &Process, jsonpath: &'static str) -> Option<String> {
    let output = Word::from(jsonpath).after("jsonpath=");
    Tool::Kubectl.run(&[words!["get", "pod"], &pod(process)?[..], words!["-o", output]].concat())
}

/// `-n NAMESPACE POD`; without a known namespace kubectl's current one is meant.
fn pod(process: &Process) -> Option<Vec<Word>> {
    let pod = Word::dns(process.pod()?);
    let account = process.api_server_subject.as_deref().and_then(Account::of_subject);
    let namespace = account.map(|account| account.namespace).or_else(|| process.namespace());
    Some(match namespace {
        Some(namespace) => words!["-n", Word::label(namespace), pod].to_vec(),
        None => vec![pod],
    })
}
