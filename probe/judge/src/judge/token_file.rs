//! Judges the token file as the kernel showed it: there, a regular file of a token's size, rotated. Pure.
//! Who may read it, `unreadable` says.

mod groups;
mod unreadable;

pub(super) use unreadable::{ids, who, with_those_ids};

use super::facts::Facts;
use super::unseen;
use crate::catalog::Class;
use crate::catalog::texts::{common, outcome, token, token_file as texts};
use crate::evidence::{FileKind, TOKEN_LIMIT, TokenFile, TokenShape};
use crate::judge::finding::Finding;
use crate::settings::command::Word;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::text::plain;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(file) = &facts.evidence.token_file else { return Vec::new() };
    let mut findings = content_and_access(facts, file);
    findings.extend(frozen(facts, file));
    findings
}

/// A subPath or a copy: kubelet rotates the volume, and this file stays (kubernetes docs, projected volumes).
fn frozen(facts: &Facts<'_>, file: &TokenFile) -> Option<Finding> {
    file.open_error.is_none().then_some(())?;
    let is_mount = file.file_mount.is_some();
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
    let expiry = facts.token().and_then(|token| token.exp);
    let expired = has_expired(facts);
    let lasts = match expiry.map(super::facts::time) {
        Some(time) if expired => format!(" The token in it expired at {time}."),
        Some(time) => format!(" The token in it expires at {time}, and exchanges fail from then on."),
        None => String::new(),
    };
    let summary = if is_mount {
        "the token is mounted with subPath, so the kubelet never renews it"
    } else {
        "the token file is a copy, which the kubelet never renews"
    };
    let finding = Finding::new(Class::TokenFileFrozen, summary)
        .presented(match expiry {
            Some(expiry) => format!("{what}; its token expires {}", super::facts::time(expiry)),
            None => what,
        })
        .required("the projected volume itself, mounted as a directory without subPath")
        .why(if is_mount {
            format!(
                "{} is one file of the volume, mounted by itself. The kubelet renews tokens by replacing the directory, which such a mount does not follow.{lasts}",
                file.path
            )
        } else {
            format!(
                "{} does not lie in a volume of the kubelet, and its token was made for a pod. The kubelet renews the token in its own volume alone.{lasts}",
                file.path
            )
        });
    let values = values(facts, file);
    let finding = if expired {
        finding.steps(&values, &[&texts::SEE_MOUNTS, &texts::RESTART_FOR_NOW])
    } else {
        finding.explains_nothing().steps(&values, &[&texts::SEE_MOUNTS])
    };
    Some(finding.steps(&values, &[if is_mount { &texts::MOUNT_DIRECTORY } else { &texts::READ_THE_MOUNT }]))
}

/// With the file, and the variable that names it.
fn values(facts: &Facts<'_>, file: &TokenFile) -> Values {
    facts
        .values()
        .with(slot::FILE, &file.path, Word::path(&file.path))
        .with_text(slot::VARIABLE, source(facts))
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
        (Some(errno), _) => one(Some(invalid(facts, file, format!("cannot be opened: {errno}")))),
        (None, Some(FileKind::Directory)) => one(Some(invalid(facts, file, "is a directory".to_owned()))),
        (None, Some(FileKind::Regular)) => {
            let mut findings = unreadable::judge(facts, file);
            if findings.is_empty() {
                findings.extend(groups::opened_by_lent(facts, file));
                findings.extend(content(facts, file));
            }
            findings
        }
        (None, _) => one(Some(invalid(facts, file, "is a FIFO, a socket or a device".to_owned()))),
    }
}

fn content(facts: &Facts<'_>, file: &TokenFile) -> Option<Finding> {
    if let Some(errno) = &file.read_error {
        return Some(invalid(facts, file, format!("cannot be read: {errno}")));
    }
    let size = file.size.unwrap_or_default();
    if size > TOKEN_LIMIT {
        return Some(invalid(
            facts,
            file,
            format!("has {size} bytes, and {} takes at most {TOKEN_LIMIT}", facts.defaults().recipient),
        ));
    }
    let empty = matches!(facts.evidence.token.as_ref().map(|token| &token.shape), Some(TokenShape::Empty));
    empty.then(|| {
        Finding::new(Class::TokenFileEmpty, "the token file is there and holds no token")
            .presented(format!("{} bytes", size))
            .required("a token, which kubelet writes before the container starts")
            .why(format!(
                "It has {size} bytes and no token. The kubelet writes the token before the container starts. So another program writes this file, or the kubelet could not."
            ))
            .steps(
                &values(facts, file),
                &[
                    &token::SEE_TOKEN_VOLUME,
                    &common::SEE_EVENTS,
                    &texts::SEE_PRESSURE,
                    &texts::CORRECT_WRITER,
                    &texts::RESTART_IF_KUBELET,
                ],
            )
    })
}

fn source<'c>(facts: &'c Facts<'_>) -> &'c str {
    facts.requested.token_file.as_ref().map_or(facts.defaults().variable, |file| &file.source)
}

/// `/proc/self` and the like: the path means another file to each process.
fn in_proc(facts: &Facts<'_>, file: &TokenFile) -> Finding {
    let finding = Finding::new(
        Class::Inconclusive,
        "the token’s path leads into /proc, which differs for each process",
    )
    .transient(false)
    .presented(format!("{}={}", source(facts), file.path))
    .required(format!(
        "a file outside of /proc, such as {}/{}",
        facts.defaults().mount,
        facts.defaults().file
    ))
    .why(format!(
        "{} is {}. What {} finds there credprobe cannot know. A token needs a path outside of /proc.",
        source(facts),
        file.path,
        who(facts)
    ));
    finding.webhook(facts, values(facts, file), &[&outcome::SEE_REAL_PATH])
}

fn missing(facts: &Facts<'_>, file: &TokenFile) -> Finding {
    let (mount, name) = (facts.defaults().mount, facts.defaults().file);
    let last = file.components.last().filter(|component| component.error.is_some());
    let at = last.map_or(file.path.as_str(), |component| component.path.as_str());
    let environment = &facts.evidence.environment;
    let mounted = if facts.by_agent() { environment.pod_identity_mount } else { environment.irsa_mount };
    let mounts = match mounted {
        true if !file.path.starts_with(mount) => {
            format!("The webhook’s volume is mounted, with the token at {mount}/{name}.")
        }
        true => format!("Something is mounted at {mount}, and no token is in it."),
        false if file.path.starts_with(mount) => "No volume with a token is mounted there.".to_owned(),
        false => format!("No volume with a token is mounted at {mount}."),
    };
    let finding =
        Finding::new(Class::TokenFileMissing, format!("{} names a file that does not exist", source(facts)))
            .presented(format!("{}={}; missing from {at} on", source(facts), file.path))
            .required(format!(
                "the token that kubelet projects, at {mount}/{name} when the webhook mounts it"
            ))
            .why(format!("It is {}, and {at} does not exist. {mounts}", file.path));
    let by_variable = facts.requested.token_file.as_ref().is_some_and(|it| it.source.starts_with("AWS_"));
    if !mounted && by_variable && file.path.starts_with(mount) && !facts.compatible() {
        // A container that the pod itself has started, or one of a virtual kubelet, has the variables alone
        // (actions/actions-runner-controller#246, elotl/kip#184).
        let (values, steps) = facts.webhook_steps(values(facts, file));
        let steps: Vec<Template> = steps
            .iter()
            .map(|step| {
                step.when(if step.when.is_empty() && !step.changes.is_empty() {
                    "It prints none"
                } else {
                    step.when
                })
            })
            .collect();
        let values =
            values.with_text(slot::AUDIENCE, facts.defaults().audience).with_text(slot::RESOURCE, mount);
        let looks = [&token::SEE_TOKEN_VOLUME, &texts::MOUNT_HERE];
        return finding.steps(&values, &looks).steps(&values, &steps.iter().collect::<Vec<_>>());
    }
    finding.webhook(facts, values(facts, file), &[&token::SEE_TOKEN_VOLUME])
}

/// `problem` completes "the token file …".
fn invalid(facts: &Facts<'_>, file: &TokenFile, problem: String) -> Finding {
    let finding = Finding::new(Class::TokenFileInvalid, plain(&format!("the token file {problem}")))
        .presented(format!("{}={}", source(facts), file.path))
        .required(format!("a regular file of 4 to {TOKEN_LIMIT} bytes"))
        .why(format!(
            "{} is {}, which {}. A token is a regular file of 4 to {TOKEN_LIMIT} bytes.",
            source(facts),
            file.path,
            plain(&problem)
        ));
    finding.webhook(facts, values(facts, file), &[&texts::SEE_MOUNTS])
}
