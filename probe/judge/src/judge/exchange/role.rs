//! Refusals that the role's side makes: the role and its trust policy. What denies above them, `denying_policy` says. Pure.

use super::quoted;
use crate::catalog::texts::{common, environment as texts, exchange};
use crate::catalog::{Class, Owner};
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
    if let Some(account) = facts.account().filter(|account| account.name == "default") {
        return as_default(facts, account.namespace);
    }
    let steps = [
        &common::SEE_ROLE,
        &exchange::OTHER_ARN,
        &exchange::ROLE_MISSING,
        &exchange::STATEMENT_WITH_A_MISTAKE,
        &exchange::ADD_STATEMENT,
    ];
    let why = format!(
        "STS says {} after it has checked the token. So no role has exactly this ARN, or its trust policy does not admit subject {}.",
        error.code,
        facts.subject_text()
    );
    Finding::new(Class::AccessDenied, values.say("{role} does not accept {the_sa}"))
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

/// Every pod that names no service account runs as `default`: a statement for it would admit them all.
fn as_default(facts: &Facts<'_>, namespace: &str) -> Finding {
    let values = facts.values();
    Finding::new(
        Class::AccessDenied,
        values.say(&format!("the pod runs as {namespace}/default, which {{role}} does not accept")),
    )
    .acts(Owner::Pod.people())
    .presented(facts.identity_text())
    .required("the service account that the role’s trust policy admits")
    .why("Without spec.serviceAccountName a pod runs as default. No role has exactly this ARN, or its trust policy does not admit that account.")
    .steps(&values, &[&texts::SEE_ROLES_OF_NAMESPACE, &texts::NAME_ACCOUNT])
}

/// Accounts of AWS's documentation: nobody's role is there.
const DOCUMENTATION_ACCOUNTS: &[&str] = &["111122223333", "123456789012", "444455556666"];

/// What a reader of this refusal should look at first.
fn hints(facts: &Facts<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(account) = facts.account() {
        let suffix = account.name.rsplit_once('-').map_or("", |(_, suffix)| suffix);
        if suffix.len() >= 8 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            hints.push(format!(
                "The name {} looks generated. A policy with a wildcard for it needs StringLike: StringEquals compares the asterisk itself.",
                account.name
            ));
        }
    }
    if let Some(role) =
        facts.role.as_ref().filter(|role| DOCUMENTATION_ACCOUNTS.contains(&role.account.as_str()))
    {
        hints.push(format!(
            "Account {} is one of AWS’s documentation, and has no role of yours.",
            role.account
        ));
    }
    hints
}
