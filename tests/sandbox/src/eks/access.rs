//! Evaluates aws-auth and access entries for the sandbox's API server: a second implementation that shares no function with the
//! probe's. Its rules: aws-iam-authenticator `pkg/mapper/configmap/configmap.go`, `pkg/server/server.go` (`doMapping`).

pub(crate) mod cases;
mod draw;
mod identity;
mod section;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::scenario::eks::{Mode, User};
use identity::Identity;
use section::{accounts, lines};

const RESERVED: [&str; 4] = ["eks:", "aws:", "amazon:", "iam:"];

/// The user to which the authenticator maps `arn`, in GetCallerIdentity's form (`arn:P:sts::A:assumed-role/ROLE/SESSION`); `None`: nobody.
///
/// `aws_auth` is the ConfigMap's data: text by key. `entries` are access entries in the form of `describe-access-entry`
/// (`principalArn`, `username`, `kubernetesGroups`). Entries come first; then roles, users and accounts of the ConfigMap. A
/// username that begins with `eks:`, `aws:`, `amazon:` or `iam:` is refused. `{{AccessKeyID}}` stays as it is. A
/// `{{EC2PrivateDNSName}}` requires an instance's id as the name of the session, and then stays as it is.
pub(crate) fn evaluate(
    aws_auth: &BTreeMap<String, String>,
    entries: &[Value],
    mode: Mode,
    arn: &str,
) -> Option<User> {
    let identity = Identity::of(arn)?;
    if mode != Mode::ConfigMap
        && let Some(user) = entries.iter().filter_map(|entry| of_entry(entry, &identity)).next_back()
    {
        return named(&user, &identity);
    }
    if mode == Mode::Api {
        return None;
    }
    // Each section is independent: an error in one does not affect the others. A role may be listed among the users, and a user
    // among the roles.
    for (section, key) in [("mapRoles", "rolearn"), ("mapUsers", "userarn")] {
        let lines = aws_auth.get(section).map(|text| lines(text, key)).unwrap_or_default();
        if let Some(line) = lines.into_iter().rfind(|line| identity.is(&line.arn)) {
            return named(&User { username: line.username, groups: line.groups }, &identity);
        }
    }
    let accounts = aws_auth.get("mapAccounts").map(|text| accounts(text)).unwrap_or_default();
    let allowed = accounts.contains(&identity.account);
    allowed.then(|| User { username: identity.canonical.clone(), groups: Vec::new() })
}

fn of_entry(entry: &Value, identity: &Identity) -> Option<User> {
    let entry = entry.get("accessEntry").unwrap_or(entry);
    let principal = entry["principalArn"].as_str()?;
    let groups = entry["kubernetesGroups"].as_array().map(Vec::as_slice).unwrap_or_default();
    identity.has_entry(principal).then(|| User {
        username: entry["username"].as_str().unwrap_or_default().into(),
        groups: groups.iter().filter_map(|group| Some(group.as_str()?.into())).collect(),
    })
}

/// The first match is final: if its template or its username fails, no other line is tried.
fn named(user: &User, identity: &Identity) -> Option<User> {
    let username = identity.rendered(&user.username)?;
    if RESERVED.iter().any(|prefix| username.starts_with(prefix)) {
        return None;
    }
    let groups = user.groups.iter().map(|group| identity.rendered(group)).collect::<Option<_>>()?;
    Some(User { username, groups })
}
