//! Refusals that the role's side makes: the role and its trust policy. What denies above them, `denying_policy` says. Pure.

use super::quoted;
use crate::catalog::Class;
use crate::catalog::texts::{common, exchange};
use crate::evidence::StsError;
use crate::judge::denying_policy::DenyingPolicy;
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;

pub(super) fn access_denied(facts: &Facts<'_>, error: &StsError) -> Finding {
    if let Some(policy) = DenyingPolicy::named(&error.message) {
        let finding = policy.finding(facts, Class::AccessDenied, &error.message, &facts.role_text());
        return finding.presented(facts.identity_text()).ruled_out(format!(
            "the role's trust policy: STS names the {}: {}",
            policy.name,
            quoted(error)
        ));
    }
    let values = facts.values();
    let mut steps = vec![&common::SEE_ROLE, &exchange::OTHER_ARN, &exchange::STATEMENT_WITH_A_MISTAKE];
    // The service account `default` is every pod's that names none: no statement admits it.
    if facts.account().is_some_and(|account| account.name != "default") {
        steps.push(&exchange::ADD_STATEMENT);
    }
    let why = format!(
        "STS says {} after it has checked the token. So no role has exactly this ARN, or its trust policy does not admit subject {}.",
        error.code,
        facts.subject_text()
    );
    Finding::new(Class::AccessDenied, values.say("{role} does not accept {sa}"))
        .presented(facts.identity_text())
        .required(format!(
            "that {} exists with exactly this ARN, and its trust policy allows this provider, subject and audience",
            facts.role_text()
        ))
        .ruled_out(format!(
            "the token: STS checks signature, expiry, IAM OIDC provider and audience first, and says {} only after them",
            quoted(error)
        ))
        .why(std::iter::once(why).chain(hints(facts)).collect::<Vec<_>>().join(" "))
        .steps(&values, &steps)
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
