//! Commands about cluster, association and agent, with this pod's real names. Pure.
//! The pod does not know its cluster's name: where nothing has said it, the first command finds the cluster by its issuer.

use super::cluster_of_session;
use crate::finding::Finding;
use crate::judge::case::Case;
use crate::judge::shell;
use crate::partition;

/// How to name this pod's cluster in a command.
pub(super) struct Cluster<'a> {
    region: &'a str,
    /// A word of the shell.
    name: String,
    /// What sets the variable in `name`, where that is one.
    pub(super) find: Option<String>,
}

impl<'a> Cluster<'a> {
    /// `None`: its region is not known either.
    pub(super) fn of(case: &Case<'a>) -> Option<Self> {
        let issuer = case.token()?.iss.as_deref()?;
        let region = partition::region_of_issuer(issuer)?;
        if let Some(name) = named(case).and_then(shell::quote) {
            return Some(Self { region, name, find: None });
        }
        let list =
            ["aws", "eks", "list-clusters", "--region", region, "--query", "clusters[]", "--output", "text"];
        let query = "cluster.[identity.oidc.issuer,name]";
        let show = [
            "xargs",
            "-n1",
            "aws",
            "eks",
            "describe-cluster",
            "--region",
            region,
            "--query",
            query,
            "--output",
            "text",
            "--name",
        ];
        let (list, show, issuer) = (shell::command(&list)?, shell::command(&show)?, shell::quote(issuer)?);
        let find = format!("cluster=\"$({list} | {show} | grep -F {issuer} | cut -f2)\"");
        Some(Self { region, name: "\"$cluster\"".to_owned(), find: Some(find) })
    }

    /// `aws eks OPERATION --region … --cluster-name … WORDS`
    pub(super) fn command(&self, operation: &str, words: &[&str]) -> Option<String> {
        let region = shell::quote(self.region)?;
        let words = shell::command(words)?;
        Some(
            format!("aws eks {operation} --region {region} --cluster-name {} {words}", self.name)
                .trim_end()
                .to_owned(),
        )
    }

    /// Shows the associations of the pod's service account.
    pub(super) fn list_associations(&self, case: &Case<'_>, more: &[&str]) -> Option<String> {
        let account = case.account()?;
        let words = ["--namespace", account.namespace, "--service-account", account.name];
        self.command("list-pod-identity-associations", &[&words, more].concat())
    }

    /// Prints the id of the service account's association.
    pub(super) fn association_id(&self, case: &Case<'_>) -> Option<String> {
        self.list_associations(case, &["--query", "associations[0].associationId", "--output", "text"])
    }
}

/// By the session's name or by EKS Auth's own words.
fn named<'c>(case: &'c Case<'_>) -> Option<&'c str> {
    let by_session = || {
        let arn = case.evidence.identity.as_ref()?.arn.as_deref()?;
        let pod = case.token()?.pod_name.as_deref()?;
        cluster_of_session(arn, pod).filter(|cluster| cluster.whole).map(|cluster| cluster.name)
    };
    let by_words = || {
        let answer = case.evidence.agent.as_ref()?.answer.as_ref()?;
        let name = answer.message.split_once(":cluster/")?.1.split([' ', ',', '\'', '"']).next()?;
        Some(name).filter(|name| !name.is_empty())
    };
    by_session().or_else(by_words)
}

impl Finding {
    /// The command that finds the cluster, before the first of the commands that need it.
    pub(super) fn find_cluster(mut self, cluster: &Cluster<'_>) -> Self {
        let Some(find) = &cluster.find else { return self };
        for commands in [&mut self.confirm, &mut self.fix] {
            if let Some(first) = commands.iter().position(|command| command.contains(&cluster.name)) {
                commands.insert(first, format!("{find}  # finds this pod's cluster by its issuer"));
            }
        }
        self
    }
}

/// Adds what shows the agent on this pod's node.
pub(super) fn show_agent(case: &Case<'_>, finding: Finding) -> Finding {
    let finding = finding.confirm("kubectl -n kube-system get daemonset eks-pod-identity-agent");
    let words = ["kubectl", "-n", "kube-system", "get", "pods", "-o", "wide", "-l", AGENT_LABEL];
    let field = case.node().map(|node| format!("spec.nodeName={node}"));
    let on_node = field.as_ref().map(|field| ["--field-selector", field]);
    finding.confirm_command(&[&words[..], on_node.as_ref().map_or(&[], |words| &words[..])].concat())
}

/// Makes the agent on this pod's node anew.
pub(super) fn restart_agent(case: &Case<'_>) -> Option<String> {
    match case.node() {
        Some(node) => {
            let field = format!("spec.nodeName={node}");
            shell::command(&[
                "kubectl",
                "-n",
                "kube-system",
                "delete",
                "pod",
                "-l",
                AGENT_LABEL,
                "--field-selector",
                &field,
            ])
        }
        None => shell::command(&[
            "kubectl",
            "-n",
            "kube-system",
            "rollout",
            "restart",
            "daemonset/eks-pod-identity-agent",
        ]),
    }
}

pub(super) const AGENT_LABEL: &str = "app.kubernetes.io/name=eks-pod-identity-agent";

/// What the agent says of its own failures.
pub(super) const AGENT_LOGS: &str =
    "kubectl -n kube-system logs -l app.kubernetes.io/name=eks-pod-identity-agent --tail=50";

/// The role that the association should have: the stated one, else what is left of IRSA.
pub(super) fn role_arn<'c>(case: &'c Case<'_>) -> Option<&'c str> {
    let stated = case.evidence.environment.stated.expect_role.as_deref();
    stated.or_else(|| case.evidence.environment.get("AWS_ROLE_ARN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_role_is_the_stated_one_or_irsas() {
        let mut evidence = crate::evidence::Evidence::default();
        evidence.environment.stated.mechanism = Some("pod-identity".to_owned());
        assert_eq!(role_arn(&Case::new(&evidence, 0)), None);
        evidence
            .environment
            .variables
            .insert("AWS_ROLE_ARN".to_owned(), "arn:aws:iam::1:role/left".to_owned());
        assert_eq!(role_arn(&Case::new(&evidence, 0)), Some("arn:aws:iam::1:role/left"));
        evidence.environment.stated.expect_role = Some("arn:aws:iam::1:role/stated".to_owned());
        assert_eq!(role_arn(&Case::new(&evidence, 0)), Some("arn:aws:iam::1:role/stated"));
    }
}
