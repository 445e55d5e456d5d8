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
    let commands = shell::quote(role).and_then(|role| save_add_put(&role, &before, &after, statement));
    commands.unwrap_or_default()
}

/// The same for a role whose name is in the shell's variable `role`.
pub(super) fn add_statement_to_variable(statement: &str) -> Vec<String> {
    save_add_put("\"$role\"", "trust-before.json", "trust.json", statement).unwrap_or_default()
}

/// All or none: the last command without the first would replace what nobody has read. `role` is a word of the shell.
fn save_add_put(role: &str, before: &str, after: &str, statement: &str) -> Option<Vec<String>> {
    let filter = format!(".Statement = ([.Statement] | flatten) + [{statement}]");
    let edit = shell::command(&["jq", &filter, before])?;
    let (file, before, after) =
        (shell::quote(&format!("file://{after}"))?, shell::quote(before)?, shell::quote(after)?);
    Some(vec![
        format!(
            "aws iam get-role --role-name {role} --output json --query Role.AssumeRolePolicyDocument > {before}"
        ),
        format!("{edit} > {after}"),
        format!(
            "aws iam update-assume-role-policy --role-name {role} --policy-document {file}  # overwrites the trust policy with the saved one plus this statement"
        ),
    ])
}
