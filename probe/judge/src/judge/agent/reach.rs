//! Judges whether the agent answers at all, and whether it is the agent who does. Pure.

use super::commands::{NodeKind, node_kind, see_agent, values};
use super::is_agent;
use crate::catalog::texts::{agent as texts, common};
use crate::catalog::{Class, Owner};
use crate::evidence::{Agent, Failure, FailureKind, Liveness, Network, Phase};
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::judge::unseen;
use crate::steps::template::Template;
use crate::text::plain;

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
        (FailureKind::Refused, _) => ("no Pod Identity agent listens on this pod’s node", false),
        (FailureKind::Unreachable, _) => ("this pod has no route to the Pod Identity agent", false),
        (FailureKind::TimedOut, Phase::Connect) => {
            ("packets to the Pod Identity agent are dropped on this pod’s node", true)
        }
        (FailureKind::TimedOut, _) => ("who listens at the agent’s address accepts and says nothing", false),
        (FailureKind::Broken, _) => ("the connection to the Pod Identity agent broke", false),
        _ => ("the agent’s URI leads nowhere", false),
    };
    let finding = Finding::new(Class::AgentUnreachable, what)
        .presented(format!("GET {asked}: {}", failure.detail))
        .required("the EKS Pod Identity agent, which listens on every node that has the add-on eks-pod-identity-agent")
        .ruled_out("a proxy: the probe asks the agent directly, whatever HTTP_PROXY says")
        .why(format!(
            "{}: {}. The agent listens on every node that has the add-on eks-pod-identity-agent. credprobe asked it without a proxy.",
            plain(&asked),
            plain(failure.detail.split("; the attempt's time was up").next().unwrap_or_default())
        ));
    if let Some(Ok(endpoint)) = &facts.agent
        && !endpoint.is_agents()
    {
        // The pod spec chose this address, and no agent of EKS listens there; on loopback something may be starting.
        return finding.owner(Owner::Pod).webhook(facts, values(facts), &[&common::SEE_VARIABLES]);
    }
    let mut steps = if dropped { Vec::new() } else { see_agent(facts) };
    if failure.kind == FailureKind::Unreachable && address.contains('[') {
        return no_ipv6(facts, finding, steps);
    }
    if dropped {
        steps.extend([
            &texts::SEE_NETWORK_POLICIES,
            &texts::SEE_RULES_OF_NODE,
            &texts::ALLOW_AGENT,
            &texts::REMOVE_RULE,
            &texts::LEGACY_ROUTING,
        ]);
        if node_kind(facts) == NodeKind::Hybrid {
            steps.push(&texts::ENABLE_HYBRID);
        }
        return finding.steps(&values(facts), &steps);
    }
    match node_kind(facts) {
        NodeKind::AutoMode => steps.push(&texts::REPLACE_AUTO_NODE),
        NodeKind::Hybrid => steps.extend([&texts::AGENT_FAILS, &texts::ENABLE_HYBRID]),
        NodeKind::Other => {
            steps.extend([&texts::AGENT_STARTS, &texts::AGENT_FAILS]);
            if failure.kind == FailureKind::Refused {
                steps.push(&texts::LED_ELSEWHERE);
            }
            steps.push(&texts::INSTALL_ADD_ON);
            // Nodes of EC2 have the names that its DNS gives them.
            if facts.node().is_none_or(|node| !node.contains('.')) {
                steps.push(&texts::ENABLE_HYBRID);
            }
        }
    }
    finding.steps(&values(facts), &steps)
}

/// The webhook injects the cluster's address family, and some images and nodes have IPv6 switched off.
fn no_ipv6(facts: &Facts<'_>, mut finding: Finding, mut steps: Vec<&'static Template>) -> Finding {
    finding.summary = "the agent’s URI is an IPv6 address, and this pod has no IPv6 route".to_owned();
    steps.extend([&common::SEE_VARIABLES, &texts::NO_IPV6]);
    finding.transient(false).steps(&values(facts), &steps)
}

/// Only after nobody has answered: the name alone is a guess.
fn unsupported(facts: &Facts<'_>) -> Option<Finding> {
    let node = facts.node()?;
    if !node.starts_with("fargate-") {
        return None;
    }
    Some(
        Finding::new(
            Class::AgentUnsupported,
            "this pod runs on Fargate, where the Pod Identity agent does not run",
        )
        .presented(format!("node {node}"))
        .required("a Linux EC2 node with the agent, or IRSA, which works on every node")
        .why(format!("The node is {node}. Pod Identity needs a Linux EC2 node with the agent, and IRSA works on every node. While a service account has an association, new pods get Pod Identity."))
        .steps(&values(facts), &[&common::SEE_SERVICE_ACCOUNT, &texts::LEAVE_FARGATE, &texts::USE_IRSA]),
    )
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
        "something other than the Pod Identity agent answers at its address",
    )
    .presented(format!("who answers at {}", agent.uri))
    .required("the agent, which answers GET / with 404 and the text `404 page not found`")
    .ruled_out("a proxy of the environment: the probe asks the agent directly")
    .why(format!(
        "At {}: {}. credprobe asked directly, not through a proxy.",
        plain(&agent.uri),
        plain(what)
    ));
    if matches!(&facts.agent, Some(Ok(endpoint)) if !endpoint.is_agents()) {
        return finding.owner(Owner::Pod).webhook(facts, values(facts), &[&common::SEE_VARIABLES]);
    }
    finding
        .acts(Owner::Cluster.people())
        .steps(&values(facts), &[&texts::SEE_HOST_NETWORK, &texts::MOVE_PORT, &texts::LEAVE_MESH])
}
