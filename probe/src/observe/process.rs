//! The subject's ids, and what the downward API told the probe of its pod.

use crate::evidence::Process;
use crate::subject::Subject;

/// This process's ids; the pod's names from the probe's own environment.
#[must_use]
pub fn process(subject: &Subject) -> Process {
    let text = |name: &str| subject.text(name).map(str::to_owned);
    let groups = nix::unistd::getgroups().unwrap_or_default();
    Process {
        source: "self".to_owned(),
        pid: std::process::id(),
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
        pod_name: text("POD_NAME"),
        pod_namespace: text("POD_NAMESPACE"),
        pod_uid: text("POD_UID"),
        node_name: text("NODE_NAME"),
        api_server_subject: None,
    }
}
