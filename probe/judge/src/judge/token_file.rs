//! Judges the token file as the kernel showed it: there, a regular file of a token's size, rotated. Pure.
//! Who may read it, `unreadable` says.

mod groups;
mod unreadable;

pub(super) use unreadable::{ids, who, with_those_ids};

use super::facts::Facts;
use super::unseen;
use crate::catalog::Class;
use crate::evidence::{FileKind, TOKEN_LIMIT, TokenFile, TokenShape};
use crate::judge::finding::Finding;
use crate::settings::command::{Tool, Word, words};

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(file) = &facts.evidence.token_file else { return Vec::new() };
    let mut findings = content_and_access(facts, file);
    findings.extend(frozen(facts, file));
    findings
}

/// A subPath or a copy: kubelet rotates the volume, and this file stays (kubernetes docs, projected volumes).
fn frozen(facts: &Facts<'_>, file: &TokenFile) -> Option<Finding> {
    file.open_error.is_none().then_some(())?;
    let what = match &file.file_mount {
        Some(mount) if file.links == Some(0) || mount.root.ends_with("//deleted") => {
            format!("it is a subPath mount of {}, which kubelet has replaced since", mount.root)
        }
        Some(mount) => format!("it is a subPath mount of {}", mount.root),
        // Kubelet made this token for a pod, and it does not lie where kubelet projects.
        None if file.data_link.is_none()
            && file.data_link_error.is_none()
            && facts.token()?.pod_uid.is_some() =>
        {
            "it is a copy outside of kubelet's volume".to_owned()
        }
        None => return None,
    };
    let finding = Finding::new(Class::TokenFileFrozen, format!("{} will never be rotated: {what}", file.path))
        .presented(match facts.token().and_then(|token| token.exp) {
            Some(expiry) => format!("{what}; its token expires {}", super::facts::time(expiry)),
            None => what,
        })
        .required("the projected volume itself, mounted as a directory without subPath")
        .fix("# in the pod spec: mount the volume's directory (no subPath), and let the app read the file there each time");
    let finding = if has_expired(facts) { finding } else { finding.explains_nothing() };
    Some(facts.recreate(finding))
}

/// By this clock or by that of STS: before that, no copy is the reason for a refusal.
fn has_expired(facts: &Facts<'_>) -> bool {
    let of_sts = facts.evidence.exchange.as_ref().and_then(|exchange| exchange.date);
    let latest = of_sts.map_or(facts.now, |date| date.max(facts.now));
    facts.token().and_then(|token| token.exp).is_none_or(|expiry| expiry <= latest)
}

fn content_and_access(facts: &Facts<'_>, file: &TokenFile) -> Vec<Finding> {
    let one = |finding: Option<Finding>| finding.into_iter().collect();
    let mut errors = file.open_error.iter().chain(&file.read_error);
    if let Some(errno) = errors.find(|errno| unseen::is_fault(errno)) {
        return vec![unseen::finding(&file.path, errno)];
    }
    match (file.open_error.as_deref(), file.kind) {
        (Some("ENOENT" | "ENOTDIR"), _) => one(Some(missing(facts, file))),
        (Some("EACCES" | "EPERM"), _) => unreadable::judge(facts, file),
        (Some("EXDEV"), _) => one(Some(in_proc(facts, file))),
        (Some(errno), _) => one(Some(invalid(facts, file, format!("it cannot be opened ({errno})")))),
        (None, Some(FileKind::Directory)) => one(Some(invalid(facts, file, "it is a directory".to_owned()))),
        (None, Some(FileKind::Regular)) => {
            let mut findings = unreadable::judge(facts, file);
            if findings.is_empty() {
                findings.extend(groups::opened_by_lent(facts, file));
                findings.extend(content(facts, file));
            }
            findings
        }
        (None, _) => one(Some(invalid(facts, file, "it is a FIFO, a socket or a device".to_owned()))),
    }
}

fn content(facts: &Facts<'_>, file: &TokenFile) -> Option<Finding> {
    if let Some(errno) = &file.read_error {
        return Some(invalid(facts, file, format!("it cannot be read ({errno})")));
    }
    let size = file.size.unwrap_or_default();
    if size > TOKEN_LIMIT {
        return Some(invalid(
            facts,
            file,
            format!("it has {size} bytes; {} takes {TOKEN_LIMIT}", facts.defaults().recipient),
        ));
    }
    let empty = matches!(facts.evidence.token.as_ref().map(|token| &token.shape), Some(TokenShape::Empty));
    empty.then(|| {
        let finding =
            Finding::new(Class::TokenFileEmpty, format!("{} is there and holds no token", file.path))
                .presented(format!("{} bytes", size))
                .required("a token, which kubelet writes before the container starts");
        facts.recreate(facts.events(finding))
    })
}

fn source<'c>(facts: &'c Facts<'_>) -> &'c str {
    facts.requested.token_file.as_ref().map_or(facts.defaults().variable, |file| &file.source)
}

/// `/proc/self` and the like: the path means another file to each process.
fn in_proc(facts: &Facts<'_>, file: &TokenFile) -> Finding {
    let finding = Finding::new(
        Class::Inconclusive,
        format!(
            "what {} of {} holds is not known: it leads into /proc, which shows each process itself",
            source(facts),
            who(facts)
        ),
    )
    .transient(false)
    .presented(format!("{}={}", source(facts), file.path))
    .required(format!(
        "a file outside of /proc, such as {}/{}",
        facts.defaults().mount,
        facts.defaults().file
    ))
    .confirm("# ls -l on the path in the app's container shows where it leads");
    facts.let_webhook_inject(finding)
}

fn missing(facts: &Facts<'_>, file: &TokenFile) -> Finding {
    let (mount, name) = (facts.defaults().mount, facts.defaults().file);
    let last = file.components.last().filter(|component| component.error.is_some());
    let at = last.map_or(file.path.as_str(), |component| component.path.as_str());
    let finding = Finding::new(
        Class::TokenFileMissing,
        format!("{} points to a file that is not there", source(facts)),
    )
    .presented(format!("{}={}; missing from {at} on", source(facts), file.path))
    .required(format!("the token that kubelet projects, at {mount}/{name} when the webhook mounts it"));
    let environment = &facts.evidence.environment;
    let mounted = if facts.by_agent() { environment.pod_identity_mount } else { environment.irsa_mount };
    let finding = if mounted && !file.path.starts_with(mount) {
        finding.fix(format!("# the webhook's mount is there: set {} to {mount}/{name}, or:", source(facts)))
    } else {
        finding
    };
    let finding = match facts.pod_name().zip(facts.account()) {
        Some((pod, account)) => finding.confirm_command(Tool::Kubectl.run(words![
            "get",
            "pod",
            "-n",
            Word::label(account.namespace),
            Word::dns(pod),
            "-o",
            "jsonpath={.spec.volumes[*].projected.sources[*].serviceAccountToken}",
        ])),
        None => finding,
    };
    facts.let_webhook_inject(finding)
}

fn invalid(facts: &Facts<'_>, file: &TokenFile, problem: String) -> Finding {
    let finding = Finding::new(Class::TokenFileInvalid, format!("{} is no token file: {problem}", file.path))
        .presented(format!("{}={}", source(facts), file.path))
        .required(format!("a regular file of 4 to {TOKEN_LIMIT} bytes"));
    facts.let_webhook_inject(finding)
}
