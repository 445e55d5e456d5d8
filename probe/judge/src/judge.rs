//! Turns evidence into findings. Pure: no clock, no file, no network. One file for each stage, each judge a plain function.
//! `verdict` says which finding decides.

pub mod access;
mod agent;
mod cluster;
mod denying_policy;
mod endpoint;
mod environment;
mod exchange;
mod facts;
pub mod finding;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod gate;
mod identity;
mod issuer;
pub mod kubelet;
mod network;
mod other_sdks;
mod profile;
pub mod role_access;
mod shadow;
mod slots;
pub mod target;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod token_file;
mod told;
mod unanswered;
mod unseen;
mod values;

use crate::catalog::texts::{common, outcome};
use crate::catalog::{Attribute, Class};
use crate::evidence::Evidence;
use crate::judge::finding::{Finding, Severity};
use crate::options::Mechanism;
use crate::sdks::EffectiveSettings;
use crate::steps::slot;
use crate::steps::values::Values;
use crate::text::plain;
use facts::Facts;

pub use agent::{is_agent, ready as ready_by_agent};
pub(crate) use cluster::known_as as known_to_cluster;

/// Runs each judge once over everything that was observed. `observed_at` is the clock, in seconds since the epoch.
#[must_use]
pub fn findings(evidence: &Evidence, settings: &EffectiveSettings, observed_at: i64) -> Vec<Finding> {
    let mut findings = of_each_judge(evidence, settings, observed_at);
    findings.extend(exchange_not_attempted(evidence, &findings));
    findings
}

fn of_each_judge(evidence: &Evidence, settings: &EffectiveSettings, observed_at: i64) -> Vec<Finding> {
    if let Some(path) = &evidence.unanswered {
        return vec![unanswered::judge(path)];
    }
    let facts = Facts::new(evidence, settings, observed_at);
    let mut findings = of_target(evidence);
    // If the process could not be observed, nothing else can be judged.
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return findings;
    }
    findings.extend(before_the_network(&facts));
    if facts.requested.mechanism == Mechanism::Irsa {
        findings.extend(network::judge(&facts));
        findings.extend(exchange::judge(&facts));
        findings.extend(issuer::judge(&facts));
        findings.extend(identity::judge(&facts));
    }
    findings.extend(cluster::judge(&facts));
    let findings = one_clock_skew(findings);
    findings.into_iter().map(|finding| in_words(&facts, finding)).collect()
}

fn of_target(evidence: &Evidence) -> Vec<Finding> {
    evidence.target.iter().flat_map(|target| target::findings(target, &evidence.process)).collect()
}

/// The judges that need no answer of STS. For the agent they use what it answered.
fn before_the_network(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = environment::judge(facts);
    findings.extend(endpoint::unreadable::judge(facts));
    findings.extend(unseen::judge(facts));
    findings.extend(shadow::judge(facts));
    if facts.requested.mechanism != Mechanism::None {
        findings.extend(profile::judge(facts));
        findings.extend(values::judge(facts));
    }
    if facts.requested.mechanism == Mechanism::Irsa {
        findings.extend(other_sdks::judge(facts));
    }
    if facts.requested.mechanism != Mechanism::None {
        findings.extend(token_file::judge(facts));
        findings.extend(token::judge(facts));
    }
    if facts.by_agent() {
        findings.extend(agent::judge(facts));
    }
    findings
}

/// Adds a step in words if a judge has none: another server than STS has its own tools.
fn in_words(facts: &Facts<'_>, mut finding: Finding) -> Finding {
    // AWS's order of checks rules causes out, but another server may check in another order.
    if facts.compatible() && finding.class.has(Attribute::OfSts) {
        finding.ruled_out.clear();
    }
    if !finding.steps.is_empty() {
        return finding;
    }
    let values = facts.values().with_text(slot::VALUE, plain(&finding.required));
    let step = if facts.compatible() { &common::AT_THE_SERVER } else { &common::BY_HAND };
    finding.steps(&values, &[step])
}

/// Nothing was in the way, but there is neither an answer nor a reason for its absence. That is never `ready`.
fn exchange_not_attempted(evidence: &Evidence, findings: &[Finding]) -> Option<Finding> {
    let agent = evidence.agent.as_ref();
    let by_agent = agent.is_some_and(|agent| agent.answer.is_some() || agent.unsendable);
    let not_agent =
        agent.and_then(|agent| agent.liveness.as_ref()).is_some_and(|liveness| !is_agent(liveness));
    let silent = evidence.exchange.is_none()
        && !by_agent
        && !not_agent
        && evidence.network.as_ref().is_none_or(|network| network.failure.is_none());
    let asked_for = !evidence.environment.options.no_network;
    let unseen =
        |finding: &Finding| finding.class == Class::Inconclusive && finding.severity == Severity::Error;
    let stopped = findings.iter().any(|finding| gate::stops_before_network(finding) || unseen(finding));
    (silent && asked_for && !stopped).then(|| {
        Finding::new(Class::Inconclusive, "STS was not asked, and nothing that was seen says why")
            .presented("no answer and no failure")
            .required("one of the two")
            .steps(&Values::default(), &[&outcome::REPORT_IT])
    })
}

/// Keeps one finding about the clock, because a skew shows in several places. A call that was refused because of it says most.
fn one_clock_skew(mut findings: Vec<Finding>) -> Vec<Finding> {
    let is_skew = |finding: &Finding| finding.class == Class::ClockSkew;
    let refused = findings.iter().any(|finding| is_skew(finding) && finding.severity == Severity::Error);
    let mut kept = false;
    findings.retain(|finding| {
        let keep = !is_skew(finding) || (!kept && (!refused || finding.severity == Severity::Error));
        kept |= keep && is_skew(finding);
        keep
    });
    findings
}

/// Whether credentials were issued for the required role (rules-of-the-verdict.md, “Which finding decides”).
#[must_use]
pub fn issued(evidence: &Evidence) -> bool {
    let answer = evidence.agent.as_ref().and_then(|agent| agent.answer.as_ref());
    evidence.exchange.as_ref().is_some_and(|exchange| exchange.issued)
        || answer.is_some_and(|answer| answer.issued)
}

/// The role whose credentials were issued, as STS names the session.
#[must_use]
pub fn answered(evidence: &Evidence) -> Option<&str> {
    let identity = evidence.identity.as_ref().and_then(|identity| identity.arn.as_deref());
    identity.or_else(|| evidence.exchange.as_ref()?.assumed_role_arn.as_deref())
}
