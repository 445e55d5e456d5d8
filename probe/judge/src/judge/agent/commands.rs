//! Commands about cluster, association and agent, with this pod's real names. Pure.
//! The pod does not know its cluster's name: where nothing has said it, the first command finds the cluster by its issuer.

use super::cluster_of_session;
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::judge::step;
use crate::settings::command::{Aws, Tool, Word, words};
use crate::settings::partition;

/// How to name this pod's cluster in a command.
pub(super) struct Cluster {
    aws: Aws,
    region: Word,
    name: Word,
    /// What sets the variable in `name`, where that is one.
    pub(super) find: Option<String>,
}

impl Cluster {
    /// `None`: its region is not known either.
    pub(super) fn of(facts: &Facts<'_>) -> Option<Self> {
        let aws = facts.aws()?;
        let issuer = facts.token()?.iss.as_deref()?;
        let region = Word::region(partition::region_of_issuer(issuer)?);
        if let Some(name) = named(facts).map(Word::cluster).filter(|name| name.text().is_some()) {
            return Some(Self { aws, region, name, find: None });
        }
        let text = ["--output", "text"].map(Word::from);
        let list = words!["eks", "list-clusters", "--region", &region, "--query", "clusters[]"];
        let list = aws.run(&[list, &text].concat())?;
        let query = "cluster.[identity.oidc.issuer,name]";
        let show = words!["eks", "describe-cluster", "--region", &region, "--query", query];
        let show = aws.run_for_each(&[show, &text[..], words!["--name"]].concat())?;
        let issuer = Word::issuer(issuer).quoted()?;
        let find = format!("cluster=\"$({list} | {show} | grep -F {issuer} | cut -f2)\"");
        Some(Self { aws, region, name: Word::variable("cluster"), find: Some(find) })
    }

    /// `aws eks OPERATION --region … --cluster-name … WORDS`
    pub(super) fn command(&self, operation: &'static str, words: &[Word]) -> Option<String> {
        let cluster = words!["eks", operation, "--region", &self.region, "--cluster-name", &self.name];
        self.aws.run(&[cluster, words].concat())
    }

    /// Shows the associations of the pod's service account.
    pub(super) fn list_associations(&self, facts: &Facts<'_>, more: &[Word]) -> Option<String> {
        self.command("list-pod-identity-associations", &[&service_account(facts)?, more].concat())
    }

    /// Prints the id of the service account's association.
    pub(super) fn association_id(&self, facts: &Facts<'_>) -> Word {
        let id = words!["--query", "associations[0].associationId", "--output", "text"];
        Word::output_of(self.list_associations(facts, id))
    }

    /// Prints the ARN of the role that the service account's association names, which EKS assumes first.
    pub(super) fn associated_role_arn(&self, facts: &Facts<'_>) -> Option<String> {
        self.describe(facts, words!["--query", "association.roleArn", "--output", "text"])
    }

    /// Prints the ARN of the role that the pod ends in: the association's target, else its own role.
    pub(super) fn final_role_arn(&self, facts: &Facts<'_>) -> Option<String> {
        let query = "association.targetRoleArn || association.roleArn";
        self.describe(facts, words!["--query", query, "--output", "text"])
    }

    /// Shows all that decides on the role and its session: an association may name two roles.
    pub(super) fn show_association(&self, facts: &Facts<'_>) -> Option<String> {
        let query = "association.[roleArn,targetRoleArn,externalId,disableSessionTags,policy]";
        self.describe(facts, words!["--query", query, "--output", "json"])
    }

    fn describe(&self, facts: &Facts<'_>, words: &[Word]) -> Option<String> {
        let id = words!["--association-id", self.association_id(facts)];
        self.command("describe-pod-identity-association", &[words, id].concat())
    }
}

/// Options that name the pod's service account.
pub(super) fn service_account(facts: &Facts<'_>) -> Option<[Word; 4]> {
    let account = facts.account()?;
    let (namespace, name) = (Word::label(account.namespace), Word::dns(account.name));
    Some(["--namespace".into(), namespace, "--service-account".into(), name])
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

impl Finding {
    /// The command that finds the cluster, before the first of the commands that need it.
    pub(super) fn find_cluster(mut self, cluster: &Cluster) -> Self {
        let (Some(find), Some(name)) = (&cluster.find, cluster.name.quoted()) else { return self };
        step::put_before(&mut self.steps, &name, "finds this pod's cluster by its issuer", find);
        self
    }
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

/// Adds what shows the agent on this pod's node.
pub(super) fn show_agent(facts: &Facts<'_>, finding: Finding) -> Finding {
    const COMPUTE_TYPE: &str = r"jsonpath={.metadata.labels.eks\.amazonaws\.com/compute-type}";
    let node = facts.node().map(Word::dns).unwrap_or(Word::NONE);
    let finding = finding.confirm_note(
        Tool::Kubectl.run(words!["get", "node", node, "-o", COMPUTE_TYPE]),
        "auto: the node has the agent built in; hybrid: the add-on has a DaemonSet of its own for it",
    );
    if node_kind(facts) == NodeKind::AutoMode {
        return finding;
    }
    let finding = finding
        .confirm("kubectl -n kube-system get daemonset -l app.kubernetes.io/name=eks-pod-identity-agent");
    let words = words!["-n", "kube-system", "get", "pods", "-o", "wide", "-l", AGENT_LABEL];
    finding.confirm_command(Tool::Kubectl.run(&[words, &on_node(facts)].concat()))
}

/// Options that choose the pods of this pod's node, where that is known.
pub(super) fn on_node(facts: &Facts<'_>) -> Vec<Word> {
    let node = facts.node().map(|node| Word::dns(node).after("spec.nodeName="));
    node.map(|node| vec!["--field-selector".into(), node]).unwrap_or_default()
}

/// Makes the agent on this pod's node anew.
pub(super) fn restart_agent(facts: &Facts<'_>) -> Option<String> {
    match facts.node() {
        Some(_) if node_kind(facts) == NodeKind::AutoMode => None,
        Some(_) => {
            let words = words!["-n", "kube-system", "delete", "pod", "-l", AGENT_LABEL];
            Tool::Kubectl.run(&[words, &on_node(facts)].concat())
        }
        None => Tool::Kubectl.run(words![
            "-n",
            "kube-system",
            "rollout",
            "restart",
            "daemonset/eks-pod-identity-agent",
        ]),
    }
}

/// Adds what the agent says of its own failures. On EKS Auto Mode it is no pod, and has no logs there.
pub(super) fn show_logs(facts: &Facts<'_>, finding: Finding) -> Finding {
    if node_kind(facts) == NodeKind::AutoMode { finding } else { finding.confirm(AGENT_LOGS) }
}

pub(super) const AGENT_LABEL: &str = "app.kubernetes.io/name=eks-pod-identity-agent";

const AGENT_LOGS: &str =
    "kubectl -n kube-system logs -l app.kubernetes.io/name=eks-pod-identity-agent --tail=50";

/// The role that the association should have: the stated one, else what is left of IRSA.
pub(super) fn role_arn<'c>(facts: &'c Facts<'_>) -> Option<&'c str> {
    let stated = facts.evidence.environment.options.expect_role.as_deref();
    stated.or_else(|| facts.evidence.environment.get("AWS_ROLE_ARN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_role_is_the_stated_one_or_irsas() {
        let mut evidence = crate::evidence::Evidence::default();
        evidence.environment.options.mechanism = Some("pod-identity".to_owned());
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
