//! The statement of a trust policy that matches this token, and the commands that add it. Pure.
//! Nothing here replaces a policy unread: the present one is saved first, then the statement is added to it.

use super::case::Case;
use super::shell;
use serde_json::{Value, json};

/// The only kind of statement that can let this token in: provider, subject and audience as the token has them.
pub(super) fn statement(case: &Case<'_>) -> Option<String> {
    matching(case).map(|statement| statement.to_string())
}

/// The same with other actions than the exchange alone.
pub(super) fn statement_for(case: &Case<'_>, actions: &[&str]) -> Option<String> {
    let mut statement = matching(case)?;
    statement["Action"] = json!(actions);
    Some(statement.to_string())
}

fn matching(case: &Case<'_>) -> Option<Value> {
    let token = case.token()?;
    let issuer = case.issuer_path()?;
    let subject = token.sub.as_deref()?;
    // With several audiences STS compares `azp` (IAM user guide, OIDC condition keys).
    let audience = token.azp.as_deref().or_else(|| token.aud.first().map(String::as_str))?;
    Some(matching_statement(&case.provider_arn()?, issuer, audience, subject))
}

/// The statement for one provider, audience and subject; `issuer` without `https://`.
pub(crate) fn matching_statement(provider_arn: &str, issuer: &str, audience: &str, subject: &str) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            format!("{issuer}:aud"): audience,
            format!("{issuer}:sub"): subject,
        }},
    })
}

/// Saves the trust policy, adds `statement` to the saved copy, and puts the copy in force.
pub(crate) fn add_statement(role: &str, statement: &str) -> Vec<String> {
    let (before, after) = (format!("{role}-trust-before.json"), format!("{role}-trust.json"));
    let save = [
        "aws",
        "iam",
        "get-role",
        "--role-name",
        role,
        "--output",
        "json",
        "--query",
        "Role.AssumeRolePolicyDocument",
    ];
    let filter = format!(".Statement = ([.Statement] | flatten) + [{statement}]");
    let file = format!("file://{after}");
    let put = ["aws", "iam", "update-assume-role-policy", "--role-name", role, "--policy-document", &file];
    let quoted = |words: &[&str]| shell::command(words);
    let commands = [
        quoted(&save).zip(shell::quote(&before)).map(|(save, before)| format!("{save} > {before}")),
        quoted(&["jq", &filter, &before])
            .zip(shell::quote(&after))
            .map(|(edit, after)| format!("{edit} > {after}")),
        quoted(&put).map(|put| {
            format!("{put}  # overwrites the trust policy with the saved one plus this statement")
        }),
    ];
    // All or none: the last without the first would replace what nobody has read.
    commands.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default()
}
