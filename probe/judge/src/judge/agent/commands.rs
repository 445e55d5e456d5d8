//! The cluster, the association and the agent in steps, with this pod's real names. Pure.
//! The pod does not know its cluster's name: where nothing has said it, the first step finds the cluster by its issuer.

use super::cluster_of_session;
use crate::catalog::texts::{agent as texts, common};
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::settings::command::Word;
use crate::settings::partition;
use crate::steps::slot;
use crate::steps::template::{Part, Template, parts};
use crate::steps::values::Values;

/// The values of this run with the cluster's region, its name, and EKS Auth's host.
pub(super) fn values(facts: &Facts<'_>) -> Values {
    let values = facts.values();
    let region = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    let Some(region) = region else { return values };
    let host = format!("eks-auth.{region}.api.aws");
    let values =
        values.with(slot::REGION, region, Word::region(region)).with(slot::HOST, &host, Word::host(&host));
    match named(facts).map(|name| (name, Word::cluster(name))).filter(|(_, word)| *word != Word::NONE) {
        Some((name, word)) => values.with(slot::CLUSTER, format!("cluster {name}"), word),
        None => values.with(slot::CLUSTER, "the cluster", Word::variable("cluster")),
    }
}

impl Finding {
    /// More steps; before the first that names the cluster stands the one that finds it, where nothing has said its name.
    pub(super) fn cluster_steps(
        self,
        facts: &Facts<'_>,
        values: &Values,
        steps: &[&'static Template],
    ) -> Self {
        let names = |template: &&&'static Template| parts(template.run).contains(&Part::Slot(slot::CLUSTER));
        let unknown = named(facts).is_none_or(|name| Word::cluster(name) == Word::NONE);
        let mut steps = steps.to_vec();
        if let Some(at) = steps.iter().position(|template| names(&template)).filter(|_| unknown) {
            steps.insert(at, &common::FIND_CLUSTER);
        }
        self.steps(values, &steps)
    }
}

/// By the session's name or by EKS Auth's own words.
fn named<'c>(facts: &'c Facts<'_>) -> Option<&'c str> {
    let by_session = || {
        let arn = facts.evidence.identity.as_ref()?.arn.as_deref()?;
        let pod = facts.token()?.pod_name.as_deref()?;
        cluster_of_session(arn, pod).filter(|cluster| cluster.whole).map(|cluster| cluster.name)
    };
    let by_words = || {
        let answer = facts.evidence.agent.as_ref()?.answer.as_ref()?;
        let name = answer.message.split_once(":cluster/")?.1.split([' ', ',', '\'', '"']).next()?;
        Some(name).filter(|name| !name.is_empty())
    };
    by_session().or_else(by_words)
}

/// Whose agent a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// Its agent is part of the node: there are no pods of it, and no add-on.
    AutoMode,
    /// Its agent is a DaemonSet of its own in the add-on, which is off by default.
    Hybrid,
    Other,
}

/// By the node's name. Auto Mode names nodes by the bare instance id, Systems Manager hybrid nodes `mi-…`; hybrid nodes of
/// IAM Roles Anywhere have names of their own.
pub(super) fn node_kind(facts: &Facts<'_>) -> NodeKind {
    let is_id = |id: &str| (8..=17).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match facts.node() {
        Some(node) if node.strip_prefix("i-").is_some_and(is_id) => NodeKind::AutoMode,
        Some(node) if node.starts_with("mi-") => NodeKind::Hybrid,
        _ => NodeKind::Other,
    }
}

/// What shows the agent on this pod's node. On EKS Auto Mode it is no pod, and has no log there.
pub(super) fn see_agent(facts: &Facts<'_>) -> Vec<&'static Template> {
    match (facts.node(), node_kind(facts)) {
        (_, NodeKind::AutoMode) => Vec::new(),
        (Some(_), _) => vec![&texts::SEE_AGENT, &texts::SEE_LOG_OF_NODE],
        (None, _) => vec![&texts::SEE_DAEMON_SET, &texts::SEE_LOG],
    }
}

/// Its log alone.
pub(super) fn see_log(facts: &Facts<'_>) -> Vec<&'static Template> {
    see_agent(facts).into_iter().skip(1).collect()
}

/// How EC2 knows a node: by its name there, of EKS Auto Mode by its id. `None`: it is none of EC2's.
pub(super) fn instance(node: &str) -> Option<(Word, Word)> {
    match node.contains('.') {
        true => Some(("--filters".into(), Word::dns(node).after("Name=private-dns-name,Values="))),
        false => node.starts_with("i-").then(|| ("--instance-ids".into(), Word::dns(node))),
    }
}

/// The role that the association should have: the stated one, else what is left of IRSA.
pub(super) fn role_arn<'c>(facts: &'c Facts<'_>) -> Option<&'c str> {
    let stated = facts.evidence.environment.options.expect_role.as_deref();
    stated.or_else(|| facts.evidence.environment.get("AWS_ROLE_ARN"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Mechanism;

    #[test]
    fn the_expected_role_is_the_stated_one_or_irsas() {
        let mut evidence = crate::evidence::Evidence::default();
        evidence.environment.options.mechanism = Some(Mechanism::PodIdentity);
        assert_eq!(
            role_arn(&Facts::new(&evidence, &crate::sdks::EffectiveSettings::from_evidence(&evidence), 0)),
            None
        );
        evidence
            .environment
            .variables
            .insert("AWS_ROLE_ARN".to_owned(), "arn:aws:iam::1:role/left".to_owned());
        assert_eq!(
            role_arn(&Facts::new(&evidence, &crate::sdks::EffectiveSettings::from_evidence(&evidence), 0)),
            Some("arn:aws:iam::1:role/left")
        );
        evidence.environment.options.expect_role = Some("arn:aws:iam::1:role/stated".to_owned());
        assert_eq!(
            role_arn(&Facts::new(&evidence, &crate::sdks::EffectiveSettings::from_evidence(&evidence), 0)),
            Some("arn:aws:iam::1:role/stated")
        );
    }
}
