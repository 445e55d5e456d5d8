//! Judges whose credentials the agent gave: the role of the association, against the one that is stated. Pure.
//! Without a statement every role is right: only the association knows it.

use super::commands::values;
use crate::catalog::texts::{agent as texts, network as texts_of_network};
use crate::catalog::{Class, Owner};
use crate::evidence::{FailureKind, Identity, StsError};
use crate::judge::facts::Facts;
use crate::judge::finding::{Basis, Finding};
use crate::judge::identity::{clock_skew, is_about_time, is_refusal, is_session_of};
use crate::judge::profile;
use crate::steps::slot;
use crate::text::plain;

pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let answer = facts.evidence.agent.as_ref()?.answer.as_ref().filter(|answer| answer.issued)?;
    if profile::expects_next_hop(facts) {
        // The stated role is not the association's, and `profile` says so.
        return None;
    }
    let role = facts.role.as_ref();
    let identity = facts.evidence.identity.as_ref();
    if let Some(arn) = identity.and_then(|identity| identity.arn.as_deref()) {
        return role.filter(|role| !is_session_of(arn, role)).map(|_| mismatch(facts, arn));
    }
    // The agent names the account, whoever cannot be asked.
    let foreign = role.zip(answer.account.as_deref()).filter(|(role, account)| role.account != *account);
    if let Some((_, account)) = foreign {
        return Some(mismatch(facts, &format!("a role of account {account}")));
    }
    match identity {
        Some(identity) => Some(refused(facts, identity)),
        // Whether it is the stated role had to be seen, and was not.
        None => role.map(|_| unconfirmed(facts, "GetCallerIdentity was not asked")),
    }
}

fn mismatch(facts: &Facts<'_>, answered: &str) -> Finding {
    let finding = Finding::new(
        Class::IdentityMismatch,
        "the association gives another role than the one that was stated",
    )
    .owner(Owner::Cluster)
    .expectation(Basis::Explicit)
    .presented(answered.to_owned())
    .required(format!("{} (--expect-role)", facts.role_text()))
    .why(format!(
        "{} answered, and --expect-role states {}. The agent may answer from its cache for 3 hours after a change. A new pod on another node gets the new credentials.",
        answered.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next()).map_or_else(|| answered.to_owned(), |name| format!("Role {name}")),
        facts.role_text()
    ));
    // EKS takes a role of another account as the target only, and the association's own role stays what it is.
    let update =
        if of_answering_account(facts, answered) { &texts::UPDATE_ROLE } else { &texts::UPDATE_TARGET };
    finding.cluster_steps(
        facts,
        &values(facts),
        &[&texts::SEE_ASSOCIATION, &texts::CORRECT_EXPECTED, &texts::TARGET_ANSWERS, update],
    )
}

/// Whether the stated role is of the account whose role has answered.
fn of_answering_account(facts: &Facts<'_>, answered: &str) -> bool {
    let agent = facts.evidence.agent.as_ref().and_then(|agent| agent.answer.as_ref());
    let by_agent = agent.and_then(|answer| answer.account.as_deref());
    let account = answered.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(3)).or(by_agent);
    facts.role.as_ref().zip(account).is_some_and(|(role, account)| role.account == account)
}

fn refused(facts: &Facts<'_>, identity: &Identity) -> Finding {
    if let Some(failure) = &identity.failure {
        return unconfirmed(facts, &failure.detail);
    }
    match &identity.error {
        None => unconfirmed(facts, "an answer without identity"),
        Some(error) if is_about_time(error) => clock_skew(identity, error),
        Some(error) if is_refusal(error) => rejected(facts, error),
        Some(error) => unconfirmed(facts, &format!("{}: {}", error.code, error.message)),
    }
}

fn rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let host = facts.route.endpoint.as_ref().map_or("STS", |endpoint| endpoint.host.as_str());
    Finding::new(Class::CredentialsRejected, "STS refuses the agent’s credentials")
        .presented("credentials of the agent, which may have had them for 3 hours")
        .required(format!("credentials that {host} accepts"))
        .why(format!(
            "STS says {}: {}. The agent may have had these credentials for 3 hours, and the role may have changed since.",
            error.code,
            error.message.trim_end_matches('.')
        ))
        .cluster_steps(facts, &values(facts), &[&texts::SEE_ASSOCIATION, &texts::SEE_LOG, &texts::WAIT_FOR_CACHE])
}

/// With a stated role the question stays open: the agent's answer names none.
fn unconfirmed(facts: &Facts<'_>, why: &str) -> Finding {
    let said = plain(why);
    let summary = "the agent gave credentials, and STS could not be asked whose they are";
    let failure = facts.evidence.identity.as_ref().and_then(|identity| identity.failure.as_ref());
    let values = values(facts);
    if facts.role.is_none() {
        let host = facts.route.endpoint.as_ref().map_or("STS", |endpoint| endpoint.host.as_str());
        let refused = failure.is_some_and(|failure| failure.kind == FailureKind::ProxyRefused);
        let what = if refused { "let the proxy allow" } else { "let this pod reach" };
        let values = values.with_text(slot::VALUE, what).with_text(slot::HOST, host);
        let step = if failure.is_some() { &texts::NO_IDENTITY_BY_NETWORK } else { &texts::NO_IDENTITY };
        return Finding::new(Class::IdentityUnconfirmed, summary)
            .presented("no answer to GetCallerIdentity")
            .required("an answer that names the role")
            .ruled_out("a refusal of the exchange: credentials were issued")
            .why(format!("{said}."))
            .steps(&values, &[step]);
    }
    let finding = Finding::new(Class::Inconclusive, summary)
        .expectation(Basis::Explicit)
        .transient(false)
        .presented("no answer to GetCallerIdentity")
        .required(format!("an answer that names {} (--expect-role)", facts.role_text()))
        .ruled_out("a refusal of the exchange: credentials were issued")
        .why(format!(
            "{said}. --expect-role states {}, and only GetCallerIdentity can confirm it.",
            facts.role_text()
        ));
    if facts.evidence.environment.options.no_identity {
        return finding.steps(&values, &[&texts::RUN_WITH_IDENTITY]);
    }
    finding.steps(&values, &[&texts_of_network::SEE_STS_ENDPOINTS, &texts::ALLOW_CALLER_IDENTITY])
}
