//! Refusals that the role's side makes: role, trust policy, and what denies above them. Pure.

use super::{get_role, quoted};
use crate::catalog::Class;
use crate::evidence::StsError;
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::judge::statement;

pub(super) fn access_denied(facts: &Facts<'_>, error: &StsError) -> Finding {
    let mut finding = Finding::new(
        Class::AccessDenied,
        format!("STS does not let {} assume {}", facts.subject_text(), facts.role_text()),
    )
    .presented(facts.identity_text())
    .required(format!(
        "that {} exists with exactly this ARN, and its trust policy allows this provider, subject and audience",
        facts.role_text()
    ))
    .ruled_out(format!(
        "the token: STS checks signature, expiry, IAM OIDC provider and audience first, and says {} only after them",
        quoted(error)
    ));
    for hint in hints(facts) {
        finding = finding.confirm(format!("# {hint}"));
    }
    let Some(role) = &facts.role else { return finding };
    if role.path == "/" {
        finding = finding.confirm_note(
            get_role(facts, role, "Role.Arn", "text"),
            &format!(
                "in account {}: must print {}; a role with a path needs it in the ARN",
                role.account,
                facts.role_text()
            ),
        );
    } else {
        finding = finding.confirm_command(get_role(facts, role, "Role.Arn", "text"));
    }
    finding = finding.confirm_command(get_role(facts, role, "Role.AssumeRolePolicyDocument", "json"));
    finding = finding.confirm("# saved as trust.json: credprobe trust --policy=trust.json, run in this pod, names the element that refuses");
    match statement::statement(facts) {
        Some(statement) => {
            finding.fix_commands(crate::trust_policy::statement::add_statement(facts.aws(), role, statement))
        }
        None => finding,
    }
}

/// Accounts of AWS's documentation: nobody's role is there.
const DOCUMENTATION_ACCOUNTS: &[&str] = &["111122223333", "123456789012", "444455556666"];

/// What a reader of this refusal should look at first.
fn hints(facts: &Facts<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(account) = facts.account() {
        if account.name == "default" {
            hints.push(format!(
                "the pod runs as service account {}/default: is spec.serviceAccountName missing?",
                account.namespace
            ));
        }
        let suffix = account.name.rsplit_once('-').map_or("", |(_, suffix)| suffix);
        if suffix.len() >= 8 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            hints.push(format!(
                "the name {} looks generated: a policy with a wildcard for it needs StringLike, StringEquals compares the asterisk itself",
                account.name
            ));
        }
    }
    if let Some(role) =
        facts.role.as_ref().filter(|role| DOCUMENTATION_ACCOUNTS.contains(&role.account.as_str()))
    {
        hints.push(format!(
            "account {} is one of AWS's documentation, in which no role of yours is",
            role.account
        ));
    }
    hints
}
