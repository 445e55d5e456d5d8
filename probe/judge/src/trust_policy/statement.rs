//! The statement of a trust policy that admits one identity, and the commands that add it. Pure.
//! No command replaces a policy blindly: the present one is saved first, then the statement is added to it.

use crate::settings::arn::RoleArn;
use crate::settings::command::{Aws, Tool, Word, words};
use serde_json::{Value, json};

/// The statement for one provider, audience and subject. `issuer` is without `https://`.
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

/// Saves the trust policy, adds `statement` to the copy, and puts the copy in force.
pub(crate) fn add_statement(aws: Option<Aws>, role: &RoleArn, statement: Word) -> Vec<String> {
    let name = Word::role_name(&role.name);
    let file = |ending: &'static str| name.clone().before(ending);
    let (before, after) = (file("-trust-before.json"), file("-trust.json"));
    aws.and_then(|aws| save_add_put(aws, name.clone(), before, after, statement)).unwrap_or_default()
}

/// All commands or none: the last one without the first would replace a policy that nobody has read.
fn save_add_put(aws: Aws, role: Word, before: Word, after: Word, statement: Word) -> Option<Vec<String>> {
    let filter = statement.after(".Statement = ([.Statement] | flatten) + [").before("]");
    let document = ["--output", "json", "--query", "Role.AssumeRolePolicyDocument"].map(Word::from);
    let save = aws.run(&[words!["iam", "get-role", "--role-name", &role], &document].concat())?;
    let edit = Tool::Jq.run(words![filter, &before])?;
    let file = after.clone().after("file://");
    let put =
        aws.run(words!["iam", "update-assume-role-policy", "--role-name", role, "--policy-document", file])?;
    Some(vec![
        format!("{save} > {}", before.quoted()?),
        format!("{edit} > {}", after.quoted()?),
        "# overwrites the trust policy with the saved one plus this statement".to_owned(),
        put,
    ])
}
