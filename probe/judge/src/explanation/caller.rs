//! Identifies the caller by its ARN. The session name of a role shows where the credentials came from.
//! `i-…` is a session of an instance profile, `eks-CLUSTER-POD-UUID` one of EKS Pod Identity.

use super::{Caller, CallerKind};
use crate::denial::secrets;
use crate::settings::arn::RoleArn;

/// The parts of a caller's ARN. The session's name is missing only in shortened logs.
pub(super) struct Parts<'a> {
    pub partition: &'a str,
    pub account: Option<&'a str>,
    /// The role's name without its path, which ARNs of sessions do not contain.
    pub role: Option<&'a str>,
    pub session: &'a str,
    /// Without its path.
    pub user: Option<&'a str>,
    /// The name of a session of `sts:GetFederationToken`.
    pub federated: Option<&'a str>,
}

pub(super) fn parts(arn: &str) -> Option<Parts<'_>> {
    let mut head = arn.split(':');
    if head.next() != Some("arn") {
        return None;
    }
    let partition = head.next()?;
    let (before, resource) = arn.rsplit_once(':')?;
    let account = before.rsplit_once(':').map(|(_, account)| account).filter(|id| is_account(id));
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let (role, session) = match kind {
        "assumed-role" => name.split_once('/').unwrap_or((name, "")),
        "role" => (name.rsplit('/').next().unwrap_or(name), ""),
        _ => ("", ""),
    };
    let user =
        (kind == "user").then(|| name.rsplit('/').next().unwrap_or(name)).filter(|name| !name.is_empty());
    let federated = (kind == "federated-user").then_some(name).filter(|name| !name.is_empty());
    Some(Parts {
        partition,
        account,
        role: Some(role).filter(|role| !role.is_empty()),
        session,
        user,
        federated,
    })
}

pub(super) fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// `expected`: the role of the pod in which credprobe runs, or the stated one.
pub(super) fn caller(arn: Option<&str>, expected: Option<&RoleArn>) -> Caller {
    let Some(arn) = arn else { return Caller { arn: None, kind: CallerKind::Unknown } };
    let kind = match parts(arn) {
        None => CallerKind::Other,
        Some(parts) => kind(&parts, expected),
    };
    Caller { arn: arn.starts_with("arn:").then(|| secrets::without_secrets(arn)), kind }
}

fn kind(parts: &Parts<'_>, expected: Option<&RoleArn>) -> CallerKind {
    if parts.user.is_some() {
        return CallerKind::User;
    }
    let Some(role) = parts.role else { return CallerKind::Other };
    if is_instance(parts.session) {
        return CallerKind::NodeRole;
    }
    let is_expected = |expected: &RoleArn| {
        expected.name == role
            && expected.partition == parts.partition
            && parts.account == Some(expected.account.as_str())
    };
    if expected.is_some_and(is_expected) {
        return CallerKind::PodRole;
    }
    if is_pod_identity(parts.session) { CallerKind::PodIdentity } else { CallerKind::Other }
}

/// People shorten and mask the ids in what they publish.
fn is_instance(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|id| !id.is_empty() && !id.contains(['-', '@']))
}

/// `eks-CLUSTER-POD-UUID`. EKS cuts the two names and keeps the UUID; logs may cut that.
pub(super) fn is_pod_identity(session: &str) -> bool {
    let is_uuid = |text: &str| {
        // Less than that may be a date.
        (10..=36).contains(&text.len())
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    let names = session.strip_prefix("eks-").unwrap_or_default();
    names.match_indices('-').skip(1).any(|(at, _)| is_uuid(&names[at + 1..]))
}
