//! The `kubectl debug` command whose container may read the process. Pure.
//! Image and container name are taken from the debug container that is running: from inside a pod neither can be known.

use super::refusal::{all_are, dumpable};
use crate::catalog::texts::outcome as texts;
use crate::evidence::Account;
use crate::evidence::{Process, Target};
use crate::judge::finding::Finding;
use crate::settings::command::Word;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;

/// Adds the command, and the one that shows its outcome; where the pod's name is unknown, what to do in words.
pub(super) fn advise(finding: Finding, target: &Target, process: &Process) -> Finding {
    match template(target) {
        Some(template) => with(finding, template, target, process),
        None => finding,
    }
}

/// The same as root, where nothing is known of the target.
pub(super) fn as_root(finding: Finding, target: &Target, process: &Process) -> Finding {
    with(finding, &texts::DEBUG_AS_ROOT, target, process)
}

fn with(finding: Finding, template: &Template, target: &Target, process: &Process) -> Finding {
    finding.steps(&values(target, process), &[template])
}

/// The target's own ids where that is enough; else root with `CAP_SYS_PTRACE`, which `general` adds.
fn template(target: &Target) -> Option<&'static Template> {
    let status = target.status.as_ref()?;
    let (uid, gid) = (status.uid.effective, status.gid.effective);
    let plain = all_are(status.uid, uid) && all_are(status.gid, gid) && status.permitted.is_empty();
    Some(if !plain || dumpable(target) == Some(false) || super::is_unexplained(target) {
        &texts::DEBUG_AS_ROOT
    } else if uid == 0 {
        &texts::DEBUG_AS_ROOT_TARGET
    } else {
        // Without runAsGroup the gid is the image's or 0.
        &texts::DEBUG_AS_TARGET
    })
}

/// The pod, and the process with its ids.
fn values(target: &Target, process: &Process) -> Values {
    let pid = target.pid.map_or_else(|| Word::from("auto"), Word::from);
    let mut values = Values::default().with(slot::PID, "the process", pid);
    if let Some(status) = &target.status {
        let (uid, gid) = (status.uid.effective, status.gid.effective);
        values =
            values.with(slot::USER, format!("uid {uid}"), uid).with(slot::GROUP, format!("gid {gid}"), gid);
    }
    let account = process.api_server_subject.as_deref().and_then(Account::of_subject);
    let namespace = account.map(|account| account.namespace).or_else(|| process.namespace());
    if let Some(namespace) = namespace {
        values = values.with(slot::NAMESPACE, namespace, Word::label(namespace));
    }
    if let Some(pod) = process.pod() {
        values = values.with(slot::POD, pod, Word::dns(pod));
    }
    values
}
