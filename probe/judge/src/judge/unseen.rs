//! Judges what credprobe could not look at for reasons of its own or of the node: descriptors, memory, I/O errors. Pure.
//! Such an error says nothing about the pod, so it is never held against it.

use super::facts::Facts;
use crate::catalog::Class;
use crate::catalog::texts::outcome as texts;
use crate::evidence::{Environment, Failure, FailureKind, Network, Phase};
use crate::judge::finding::Finding;
use crate::steps::template::Template;
use crate::steps::values::Values;

/// Whether an error of `open(2)`, `read(2)` or `getdents(2)` says nothing about the file. Listed is what does say something: file
/// systems, FUSE servers among them, make up errors of their own.
pub(super) fn is_fault(errno: &str) -> bool {
    let named = errno.len() > 1
        && errno.starts_with('E')
        && errno.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    named
        && !matches!(
            errno,
            "ENOENT"
                | "ENOTDIR"
                | "EACCES"
                | "EPERM"
                | "EXDEV"
                | "ELOOP"
                | "ENAMETOOLONG"
                | "ENXIO"
                | "ENODEV"
                | "EISDIR"
                | "EINVAL"
        )
}

/// The same of a socket, where the network has errors of its own.
fn is_fault_of_socket(errno: &str) -> bool {
    matches!(
        errno,
        "EMFILE"
            | "ENFILE"
            | "ENOMEM"
            | "ENOBUFS"
            | "EIO"
            | "ESTALE"
            | "EINTR"
            | "EAGAIN"
            | "ENOSR"
            | "ENOSPC"
    )
}

/// What other files than the token file could not be looked at.
pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let mut faults = faults(&facts.evidence.environment);
    let (what, errno) = faults.next()?;
    let others = faults.count();
    let what = if others == 0 { what.to_owned() } else { format!("{what} and {others} more") };
    Some(finding(&what, errno))
}

/// Whether a variable's or profile's absence may be a fault of this kind: nobody can say then that nothing is injected.
pub(super) fn hides_settings(facts: &Facts<'_>) -> bool {
    faults(&facts.evidence.environment).next().is_some()
}

fn faults(environment: &Environment) -> impl Iterator<Item = (&str, &str)> {
    let unseen = environment.unseen.iter().filter(|unseen| is_fault(&unseen.error));
    unseen.map(|unseen| (unseen.what.as_str(), unseen.error.as_str()))
}

/// A failure on the way to a server that tells nothing about that way.
pub(super) fn on_the_way(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Option<Finding> {
    if let Some(errno) = failure.errno.as_deref().filter(|errno| is_fault_of_socket(errno)) {
        return Some(finding(&format!("a socket for {}", network.endpoint), errno));
    }
    let environment = &facts.evidence.environment;
    let hidden = |decides: fn(&str) -> bool| {
        faults(environment).find(|(what, _)| decides(what)).map(|(what, errno)| finding(what, errno))
    };
    match failure.kind {
        FailureKind::TlsUnknownIssuer => hidden(|what| what.starts_with("SSL_CERT_")),
        _ if failure.phase == Phase::Resolve => {
            let questions = network.resolution.iter().flat_map(|resolution| &resolution.questions);
            let mut outcomes = questions.map(|question| question.outcome.as_str());
            let first = outcomes.next().filter(|first| is_fault_of_socket(first));
            let asked = first.filter(|_| outcomes.all(is_fault_of_socket));
            let nobody_asked = asked.map(|errno| finding("a socket for the nameserver", errno));
            nobody_asked.or_else(|| hidden(|what| matches!(what, "/etc/hosts" | "/etc/resolv.conf")))
        }
        _ => None,
    }
}

/// `what` could not be looked at.
pub(super) fn finding(what: &str, errno: &str) -> Finding {
    let (cause, required, steps): (_, _, &[&Template]) = match errno {
        "EMFILE" => (
            "it has used up its file descriptors",
            "a free file descriptor for credprobe",
            &[&texts::RAISE_FILE_LIMIT],
        ),
        "ENFILE" => (
            "the node has used up its open files",
            "a free entry in the node's table of open files",
            &[&texts::SEE_OPEN_FILES, &texts::RAISE_NODES_FILES],
        ),
        "ENOMEM" | "ENOBUFS" | "ENOSR" | "EAGAIN" => {
            ("the kernel lacks memory for it", "memory for credprobe and the kernel", &[&texts::RAISE_MEMORY])
        }
        _ => (
            "the file system or the kernel failed",
            "a file system that answers without an error",
            &[&texts::SEE_KERNEL_LOG, &texts::REPAIR_FILE_SYSTEM],
        ),
    };
    Finding::new(Class::Inconclusive, format!("credprobe could not look at {what}: {cause}"))
        .transient(true)
        .presented(format!("{errno} at {what}"))
        .required(required)
        .ruled_out("a verdict on the pod: the error says nothing about it")
        .why(format!(
            "The kernel answered {errno} for {what}. That says nothing about the pod, so there is no verdict on it."
        ))
        .steps(&Values::default(), steps)
}
