//! What to do about a refusal, in order: look first, then change. Nothing goes beyond what was refused.
//! Values from the text enter a command only as names of their kind.

use super::caller::{Parts, is_account};
use crate::denial::secrets;
use crate::settings::command::{Aws, Tool, Word, words};
use crate::steps::{Step, StepKind};

pub(super) fn look(say: &str, run: Option<String>) -> Step {
    step(StepKind::Look, say, run, None)
}

pub(super) fn change(say: &str, run: Option<String>, changes: &str) -> Step {
    step(StepKind::Change, say, run, Some(changes.to_owned()))
}

fn step(kind: StepKind, say: &str, run: Option<String>, changes: Option<String>) -> Step {
    Step { kind, when: None, say: say.to_owned(), run, changes }
}

/// The step under a condition. Of several alternatives one is right.
pub(super) fn when(condition: &str, step: Step) -> Step {
    Step { when: Some(condition.to_owned()), ..step }
}

pub(super) fn check() -> Step {
    look("Let credprobe say in the pod which link is broken.", Tool::Credprobe.run(words!["check"]))
}

pub(super) fn chain() -> Step {
    look("See in the pod which credentials each SDK takes.", Tool::Credprobe.run(words!["chain"]))
}

/// The encoded part is only for people with access to the account, so it is not repeated.
pub(super) fn decode() -> Step {
    let encoded = Word::open_variable("encoded");
    let run = aws().and_then(|aws| {
        aws.run(words![
            "sts",
            "decode-authorization-message",
            "--query",
            "DecodedMessage",
            "--output",
            "text",
            "--encoded-message",
            &encoded,
        ])
    });
    look(
        "See all of the reason, with a role that may call sts:DecodeAuthorizationMessage. First put what follows \
         the word message and its colon into the variable encoded.",
        run,
    )
}

/// A query about the role: attached policies, boundary or trust policy. The session's ARN does not contain the role's path.
pub(super) fn role(name: &str, account: Option<&str>, query: &'static str, say: &str) -> Step {
    let run = aws().and_then(|aws| {
        aws.run(words!["iam", "get-role", "--role-name", whole(name), "--query", query, "--output", "json"])
    });
    let account =
        account.map(|account| format!(", with credentials of account {account}")).unwrap_or_default();
    look(&format!("{say}{account}."), run)
}

/// `kind`: `role` or `user`.
pub(super) fn policies(kind: &str, name: &str) -> Step {
    let (list, of) = match kind {
        "user" => ("list-attached-user-policies", "--user-name"),
        _ => ("list-attached-role-policies", "--role-name"),
    };
    let run = aws().and_then(|aws| aws.run(words!["iam", list, of, whole(name), "--output", "text"]));
    look(&format!("See the policies of the {kind}."), run)
}

/// The access keys of a user, with their state.
pub(super) fn keys(name: &str) -> Step {
    let run = aws().and_then(|aws| {
        aws.run(words!["iam", "list-access-keys", "--user-name", whole(name), "--output", "text"])
    });
    look("See the access keys of the user.", run)
}

/// The name of a role or user, unless the text has only a piece of it.
fn whole(name: &str) -> Word {
    Word::role_name(if is_cut(name) { "" } else { name })
}

/// Whether a person or the text left out a part of the name.
pub(super) fn is_cut(name: &str) -> bool {
    name.contains("...") || name.ends_with('…')
}

/// Shows a managed policy by its ARN, for example the boundary or a policy of the organization.
pub(super) fn policy(arn: &str) -> Option<Step> {
    let is_plain =
        |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if let Some(id) = arn.rsplit_once("_control_policy/").map(|(_, id)| id).filter(|id| is_plain(id)) {
        let run = aws()?.run(words![
            "organizations",
            "describe-policy",
            "--policy-id",
            Word::role_name(id),
            "--query",
            "Policy.Content",
            "--output",
            "text",
        ])?;
        return Some(look(
            "See the policy, with credentials of the organization’s management account.",
            Some(run),
        ));
    }
    let name = arn
        .rsplit_once(":policy/")
        .map(|(_, name)| name)
        .filter(|name| !name.contains("_control_policy/"))?;
    Some(look(&format!("See the policy {name} in IAM."), None))
}

/// Whether whoever may do this can give itself or others more rights. IAM ignores the case of an action.
pub(super) fn hands_out_rights(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let (service, verb) = action.split_once(':').unwrap_or_default();
    let any = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    ["iam", "organizations", "account", "sso", "identitystore", "ram", "lakeformation"].contains(&service)
        || (!["get", "list", "describe"].iter().any(|reads| verb.starts_with(reads))
            && any(verb, &["policy", "permission", "grant", "acl", "access", "association", "attribute"])
            && !any(verb, &["retention", "scaling", "lifecycle"]))
}

/// Adds a statement that allows exactly what was refused, as an inline policy with a new name, so that it replaces nothing.
/// `None`: one of the values is not fully known, or the action itself grants rights.
pub(super) fn allow(caller: &Parts<'_>, action: &str, resource: &str) -> Option<Step> {
    let (role, account) = (caller.role?, caller.account?);
    let is_any_role = action.to_ascii_lowercase().starts_with("sts:") && resource.contains('*');
    if hands_out_rights(action)
        || is_any_role
        || [resource, role].iter().any(|name| is_cut(name) || !secrets::is_whole(name))
    {
        return None;
    }
    let own = Word::output_of(aws()?.run(words![
        "sts",
        "get-caller-identity",
        "--query",
        "Account",
        "--output",
        "text"
    ]));
    let verb = action.rsplit(':').next().unwrap_or_default();
    let name = format!("allow-{verb}-{:08x}", hash(&format!("{action} {resource}")));
    let put = aws()?.run(words![
        "iam",
        "put-role-policy",
        "--role-name",
        Word::role_name(role),
        "--policy-name",
        Word::role_name(&name),
        "--policy-document",
        Word::permission(action, resource),
    ])?;
    let run = is_account(account).then(|| Some(format!("test {} = {account} && {put}", own.quoted()?)))??;
    Some(change(
        "Allow exactly this, as an inline policy of its own, with credentials of the role’s account. Where Terraform, \
         CloudFormation or eksctl manages the role, add the statement there.",
        Some(run),
        &format!("adds the inline policy {name} to role {role}"),
    ))
}

/// FNV-1a. The same statement gets the same name.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn aws() -> Option<Aws> {
    Aws::unless(false)
}
