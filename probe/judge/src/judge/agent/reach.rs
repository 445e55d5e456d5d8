//! Judges whether the agent answers at all, and whether it is the agent who does. Pure.

use super::commands::{Cluster, on_node, restart_agent, show_agent};
use super::is_agent;
use crate::catalog::Class;
use crate::evidence::{Agent, Failure, FailureKind, Liveness, Network, Phase};
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::judge::repair::networkpolicies;
use crate::judge::unseen;
use crate::settings::command::{Tool, Word, words};

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(agent) = &facts.evidence.agent else { return Vec::new() };
    let network = facts.evidence.network.as_ref();
    if let Some(liveness) = agent.liveness.as_ref().filter(|liveness| !is_agent(liveness)) {
        return vec![another_answers(facts, agent, liveness)];
    }
    let Some((network, failure)) = network.and_then(|network| Some((network, network.failure.as_ref()?)))
    else {
        return Vec::new();
    };
    if let Some(unseen) = unseen::on_the_way(facts, network, failure) {
        return vec![unseen];
    }
    if matches!(failure.kind, FailureKind::NotHttp | FailureKind::TooLong) {
        return vec![not_agent(facts, agent, &failure.detail)];
    }
    let unsupported = unsupported(facts);
    let unreachable = unreachable(facts, agent, network, failure);
    unsupported.into_iter().chain([unreachable]).collect()
}

fn unreachable(facts: &Facts<'_>, agent: &Agent, network: &Network, failure: &Failure) -> Finding {
    let address = &network.endpoint;
    // Its own addresses are first asked without path and token.
    let asked = match &facts.agent {
        Some(Ok(endpoint)) if endpoint.at_agents_address => format!("{address}/"),
        _ => agent.uri.clone(),
    };
    let (what, dropped) = match (failure.kind, failure.phase) {
        (FailureKind::Refused, _) => ("no agent listens on this pod's node", false),
        (FailureKind::Unreachable, _) => {
            ("this pod's node has no address for the agent, or a rule rejects it", false)
        }
        (FailureKind::TimedOut, Phase::Connect) => {
            ("packets to the agent are dropped on this pod's node", true)
        }
        (FailureKind::TimedOut, _) => ("who listens there accepts the connection and says nothing", false),
        (FailureKind::Broken, _) => ("the connection to the agent broke", false),
        _ => ("the agent's URI leads nowhere", false),
    };
    let finding = Finding::new(Class::AgentUnreachable, format!("nobody answers at {address}: {what}"))
        .presented(format!("GET {asked}: {}", failure.detail))
        .required("the EKS Pod Identity agent, which listens on every node that has the add-on eks-pod-identity-agent")
        .ruled_out("a proxy: the probe asks the agent directly, whatever HTTP_PROXY says");
    let mut finding = show_agent(facts, finding);
    if dropped {
        finding = match facts.namespace() {
            Some(namespace) => finding
                .confirm_command(networkpolicies(namespace))
                .fix_note(
                    Tool::Kubectl.run(words!["edit", "networkpolicy", "-n", Word::label(namespace)]),
                    "where one limits egress: allow TCP port 80 to 169.254.170.23/32 and fd00:ec2::23/128; with Cilium, to the entity host",
                ),
            None => finding.fix("# where a NetworkPolicy limits egress: allow TCP port 80 to 169.254.170.23/32 and fd00:ec2::23/128"),
        };
        return finding.fix_note(
            Some("iptables-save | grep 169.254.170.23"),
            "on the node: has a hardening script a rule against it?",
        );
    }
    finding = finding
        .fix_note(Some("credprobe check --wait=2m"), "on a new node the agent may only be starting")
        .fix_note(restart_agent(facts), "where it runs and does not listen: restarts it; its log says why");
    match Cluster::of(facts) {
        Some(cluster) => finding
            .fix_note(
                cluster.command("create-addon", words!["--addon-name", "eks-pod-identity-agent"]),
                "where the cluster has no such daemonset: installs the add-on on all its nodes",
            )
            .find_cluster(&cluster),
        None => finding,
    }
}

/// Only after nobody has answered: the name alone is a guess.
fn unsupported(facts: &Facts<'_>) -> Option<Finding> {
    let node = facts.node()?;
    let kind = match node {
        _ if node.starts_with("fargate-") => "Fargate",
        _ if node.starts_with("mi-") => "a hybrid node",
        _ => return None,
    };
    let finding = Finding::new(
        Class::AgentUnsupported,
        format!("this pod runs on {kind} ({node}), where the EKS Pod Identity agent does not run"),
    )
    .presented(format!("node {node}"))
    .required("a Linux EC2 node with the agent, or IRSA, which works on every node");
    let labels = words!["get", "node", Word::dns(node), "--show-labels"];
    let finding = finding.confirm_command(Tool::Kubectl.run(labels));
    let finding = match kind {
        "Fargate" => finding.fix("# either: keep the pod from the Fargate profile's selector (namespace and labels), so that it gets an EC2 node"),
        _ => facts.deployment_command(finding, words!["patch"], words!["-p", ON_EC2], "either: only nodes of EC2; restarts the deployment's pods"),
    };
    Some(back_to_irsa(
        facts,
        finding.fix(
            "# or: IRSA for this service account; while it has an association, new pods get Pod Identity:",
        ),
    ))
}

/// Labels that EKS gives to what is not an EC2 node of a node group (chart of the agent, `values.yaml`).
const ON_EC2: &str = r#"{"spec":{"template":{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"eks.amazonaws.com/compute-type","operator":"NotIn","values":["fargate","hybrid"]}]}]}}}}}}}"#;

fn back_to_irsa(facts: &Facts<'_>, finding: Finding) -> Finding {
    if facts.account().is_none() {
        return finding;
    }
    let Some(cluster) = Cluster::of(facts) else { return facts.recreate(finding) };
    let role = Word::output_of(cluster.associated_role_arn(facts)).after("eks.amazonaws.com/role-arn=");
    let id = cluster.association_id(facts);
    let delete = cluster.command("delete-pod-identity-association", words!["--association-id", id]);
    let finding = finding.confirm_command(cluster.list_associations(facts, &[]));
    let finding = facts
        .annotate(finding, role, "the associated role, whose trust policy must then know the OIDC provider; overwrites the annotation")
        .fix_note(delete, "deletes: only where no pod of this service account on another node needs it")
        .find_cluster(&cluster);
    facts.recreate(finding)
}

fn another_answers(facts: &Facts<'_>, agent: &Agent, liveness: &Liveness) -> Finding {
    let kind = liveness.content_type.as_deref().unwrap_or("no content type");
    let what = format!("GET / is answered with HTTP {}, {kind}", liveness.status);
    let finding = not_agent(facts, agent, &what);
    if liveness.excerpt.is_empty() {
        return finding;
    }
    finding.presented(format!("`{}` at {}", liveness.excerpt, agent.uri))
}

/// `what` was seen of who has the port.
pub(super) fn not_agent(facts: &Facts<'_>, agent: &Agent, what: &str) -> Finding {
    let finding = Finding::new(
        Class::AgentNotAgent,
        format!("what answers at the agent's address is not the EKS Pod Identity agent: {what}"),
    )
    .presented(format!("who answers at {}", agent.uri))
    .required("the agent, which answers GET / with 404 and the text `404 page not found`")
    .ruled_out("a proxy of the environment: the probe asks the agent directly");
    let finding = show_agent(facts, finding);
    let words = words!["get", "pods", "-A", "-o", HOST_NETWORK];
    let pods = Tool::Kubectl.run(&[words, &on_node(facts)].concat());
    let finding = finding
        .confirm_note(pods, "who shares the node's network and may have its port 80")
        .fix("# move who has port 80 of the node (an ingress controller, HAProxy) to another port or address; then:")
        .fix_note(restart_agent(facts), "restarts the agent on this node, so that it takes its port");
    facts.deployment_command(
        finding,
        words!["patch"],
        words!["-p", LEAVE_AGENT],
        "where a mesh runs instead: its proxy leaves the agent's address alone; replaces such a list that is there, restarts the deployment's pods",
    )
}

const HOST_NETWORK: &str = r#"jsonpath={range .items[?(@.spec.hostNetwork==true)]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}"#;

/// istio's `traffic.sidecar.istio.io`, linkerd's `config.linkerd.io` (`skip-subnets`); each ignores the other.
const LEAVE_AGENT: &str = r#"{"spec":{"template":{"metadata":{"annotations":{"traffic.sidecar.istio.io/excludeOutboundIPRanges":"169.254.170.23/32","config.linkerd.io/skip-subnets":"169.254.170.23/32"}}}}}"#;
