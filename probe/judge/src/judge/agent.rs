//! Judges the Pod Identity agent: who listens at its address, and what comes back for the token. Pure.
//! What the environment has of it is in `injection`, EKS Auth's refusals in `refusal`, whose credentials in `identity`.

mod answer;
mod commands;
mod identity;
mod injection;
mod reach;
mod refusal;
#[cfg(test)]
mod tests;

use super::facts::Facts;
use crate::catalog::texts::agent as texts;
use crate::evidence::{Account, Evidence, Liveness};
use crate::judge::finding::Finding;

pub(super) use injection::{injection, leftover_pod_identity};

/// What the network showed, of Pod Identity's chain.
pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = reach::judge(facts);
    findings.extend(answer::judge(facts));
    findings.extend(identity::judge(facts));
    findings
}

/// Shows the association of the pod's service account, and how to find its cluster.
pub(super) fn see_association(facts: &Facts<'_>, finding: Finding) -> Finding {
    finding.cluster_steps(facts, &commands::values(facts), &[&texts::SEE_ASSOCIATION])
}

/// Whether `GET /` was answered as the agent does: its own readiness probe asks the same and wants a 404
/// (`pkg/handlers/probe_handler.go`). Other servers have been seen on the port, with pages.
#[must_use]
pub fn is_agent(liveness: &Liveness) -> bool {
    liveness.status == 404 && !is_page(liveness.content_type.as_deref(), &liveness.excerpt)
}

fn is_page(content_type: Option<&str>, text: &str) -> bool {
    let html = content_type.is_some_and(|it| it.to_ascii_lowercase().contains("html"));
    html || text.starts_with('<')
}

/// The verdict of a pod whose credentials came: role, cluster and who has the association.
#[must_use]
pub fn ready(evidence: &Evidence) -> String {
    let subject = evidence.token.as_ref().and_then(|token| token.sub.as_deref()).unwrap_or("this pod");
    let subject = Account::of_subject(subject)
        .map_or_else(|| subject.to_owned(), |account| format!("{}/{}", account.namespace, account.name));
    let identity = evidence.identity.as_ref();
    let Some(arn) = identity.and_then(|identity| identity.arn.as_deref()) else {
        let answer = evidence.agent.as_ref().and_then(|agent| agent.answer.as_ref());
        let account = answer.and_then(|answer| answer.account.as_deref());
        let of = account.map(|account| format!(" of account {account}")).unwrap_or_default();
        let why = if identity.is_some() { "did not say which" } else { "was not asked which" };
        return format!("the agent gave {subject} credentials{of}, GetCallerIdentity {why}");
    };
    let pod = evidence.token.as_ref().and_then(|token| token.pod_name.as_deref()).unwrap_or_default();
    let cluster = match cluster_of_session(arn, pod) {
        Some(SessionCluster { name, whole: true }) => format!(" in cluster {name}"),
        Some(SessionCluster { name, whole: false }) => format!(" in a cluster whose name begins with {name}"),
        None => String::new(),
    };
    let role = arn.split_once(":assumed-role/").and_then(|(_, rest)| Some(rest.split_once('/')?.0));
    let role = role.map_or_else(|| "the associated role".to_owned(), |role| format!("role {role}"));
    format!("{role} answers to {subject}{cluster}")
}

/// The cluster in `eks-CLUSTER-POD-UUID`, the session's name; EKS cuts both names to ten characters, so that a cluster of
/// ten may have a longer name (sources.md, “The request to the agent”).
pub(super) fn cluster_of_session<'a>(arn: &'a str, pod: &str) -> Option<SessionCluster<'a>> {
    let session = arn.rsplit_once('/')?.1.strip_prefix("eks-")?;
    let names = session.get(..session.len().checked_sub(UUID_LENGTH + 1)?)?;
    let pod: String = pod.chars().take(CUT).collect();
    let name = names.strip_suffix(&pod)?.strip_suffix('-')?;
    let whole = name.chars().count() < CUT;
    (!name.is_empty()).then_some(SessionCluster { name, whole })
}

/// A cluster's name as far as a session's name has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SessionCluster<'a> {
    pub(super) name: &'a str,
    pub(super) whole: bool,
}

const UUID_LENGTH: usize = 36;
const CUT: usize = 10;
