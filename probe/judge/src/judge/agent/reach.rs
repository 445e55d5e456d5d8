//! Judges whether the agent answers at all, and whether it is the agent who does. Pure.

use super::commands::{Cluster, NodeKind, node_kind, on_node, restart_agent, show_agent};
use super::is_agent;
use crate::catalog::{Class, Owner};
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
    if let Some(Ok(endpoint)) = &facts.agent
        && !endpoint.is_agents()
    {
        // The pod spec chose this address, and no agent of EKS listens there; on loopback something may be starting.
        return facts.let_webhook_inject(finding.owner(Owner::Pod));
    }
    if failure.kind == FailureKind::Unreachable && address.contains('[') {
        return no_ipv6(facts, finding);
    }
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
        finding = finding.fix_note(
            Some("iptables-save | grep 169.254.170.23"),
            "on the node: has a hardening script a rule against it?",
        );
        return match node_kind(facts) {
            NodeKind::Hybrid => hybrid(facts, finding),
            NodeKind::AutoMode | NodeKind::Other => finding,
        };
    }
    finding =
        finding.fix_note(Some("credprobe check --wait=2m"), "on a new node the agent may only be starting");
    match node_kind(facts) {
        NodeKind::AutoMode => finding.fix("# a node of EKS Auto Mode has the agent built in: there is no add-on to install and no pod to restart; where waiting does not help, let Auto Mode replace the node, and name it to AWS Support"),
        NodeKind::Hybrid => hybrid(facts, finding),
        NodeKind::Other => {
            finding = finding
                .fix_note(restart_agent(facts), "where it runs and does not listen: restarts it; its log says why");
            if let Some(cluster) = Cluster::of(facts) {
                finding = finding
                    .fix_note(
                        cluster.command("create-addon", words!["--addon-name", "eks-pod-identity-agent"]),
                        "where the cluster has no such daemonset, and this node is none of EKS Auto Mode: installs the add-on on its EC2 nodes",
                    )
                    .find_cluster(&cluster);
            }
            finding.fix(format!("# where this is a hybrid node, which its name does not say: the add-on leaves such nodes out unless its configuration has {HYBRID}"))
        }
    }
}

/// What the add-on needs to put its agent on hybrid nodes (its chart's `values.yaml`, from v1.3.3-eksbuild.1).
const HYBRID: &str = r#"{"daemonsets":{"hybrid":{"create":true}}}"#;

fn hybrid(facts: &Facts<'_>, finding: Finding) -> Finding {
    let finding = match Cluster::of(facts) {
        Some(cluster) => {
            let show = words![
                "--addon-name",
                "eks-pod-identity-agent",
                "--query",
                "addon.[addonVersion,configurationValues]"
            ];
            let update = words!["--addon-name", "eks-pod-identity-agent", "--configuration-values", HYBRID];
            finding
                .confirm_command(cluster.command("describe-addon", show))
                .fix_note(
                    cluster.command("update-addon", update),
                    "a hybrid node: the add-on from v1.3.3-eksbuild.1 has a DaemonSet of its own for it, daemonset/eks-pod-identity-agent-hybrid; this replaces the add-on's configuration, so add what the first command shows",
                )
                .find_cluster(&cluster)
        }
        None => finding.fix(format!("# a hybrid node: give the add-on the configuration {HYBRID}")),
    };
    finding.fix("# and in the node's NodeConfig spec.hybrid.enableCredentialsFile: true, followed by nodeadm init; Bottlerocket has daemonsets.hybrid-bottlerocket from v1.3.7-eksbuild.2; the node's role needs eks-auth:AssumeRoleForPodIdentity")
}

/// The webhook injects the cluster's address family, and some images and nodes have IPv6 switched off.
fn no_ipv6(facts: &Facts<'_>, mut finding: Finding) -> Finding {
    finding.summary =
        format!("{}; the URI is an IPv6 address, and this pod has no IPv6 route", finding.summary);
    facts.recreate(finding.transient(false).fix("# the agent's URI in this pod is its IPv6 address: in an IPv4 cluster remove it from where it was written; in an IPv6 cluster let this pod and its node have IPv6 (net.ipv6.conf.all.disable_ipv6). Where the webhook itself injects it on a node without IPv6, name the node to AWS Support"))
}

/// Only after nobody has answered: the name alone is a guess.
fn unsupported(facts: &Facts<'_>) -> Option<Finding> {
    let node = facts.node()?;
    if !node.starts_with("fargate-") {
        return None;
    }
    let finding = Finding::new(
        Class::AgentUnsupported,
        format!("this pod runs on Fargate ({node}), where the EKS Pod Identity agent does not run"),
    )
    .presented(format!("node {node}"))
    .required("a Linux EC2 node with the agent, or IRSA, which works on every node");
    let labels = words!["get", "node", Word::dns(node), "--show-labels"];
    let finding = finding.confirm_command(Tool::Kubectl.run(labels));
    let finding = finding.fix("# either: keep the pod from the Fargate profile's selector (namespace and labels), so that it gets an EC2 node");
    Some(back_to_irsa(
        facts,
        finding.fix(
            "# or: IRSA for this service account; while it has an association, new pods get Pod Identity:",
        ),
    ))
}

fn back_to_irsa(facts: &Facts<'_>, finding: Finding) -> Finding {
    if facts.account().is_none() {
        return finding;
    }
    let Some(cluster) = Cluster::of(facts) else { return facts.recreate(finding) };
    let role = Word::output_of(cluster.final_role_arn(facts)).after("eks.amazonaws.com/role-arn=");
    let finding = finding.confirm_command(cluster.show_association(facts));
    let finding = facts
        .annotate(finding, role, "the role that the association ends in, whose trust policy must then know the OIDC provider; overwrites the annotation")
        .fix("# credprobe prints no command that removes the association, for other pods of this service account may need it: give this workload a service account of its own, without an association")
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
    if matches!(&facts.agent, Some(Ok(endpoint)) if !endpoint.is_agents()) {
        return facts.let_webhook_inject(finding.owner(Owner::Pod));
    }
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
