//! Checks that the Pod Identity agent is on the pod's node. Fargate and Windows have none; Auto Mode has it built in. Pure.
//! On other nodes it is a daemonset of the add-on.

use super::{Case, Outside, words};
use crate::objects::Map;
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence::{
    Agent, AgentAnswer, ErrorSource, Evidence, Failure, FailureKind, Network, Phase,
};
use credprobe_judge::judge::finding::Finding;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    Fargate,
    Windows,
    AutoMode,
    Other,
}

pub(super) fn judge(case: &Case<'_, '_>, outside: &mut Outside) {
    outside.findings.extend(audience(case));
    let node = case.pod.node();
    let labels = node.and_then(|node| case.world.nodes.known()?.get(node));
    let kind = kind(case, labels);
    match kind {
        NodeKind::Fargate | NodeKind::Windows => {
            let (on, like) = if kind == NodeKind::Windows {
                ("a Windows node", "windows")
            } else {
                ("Fargate", "fargate")
            };
            let finding = case.will_be(Class::AgentUnsupported, |evidence| {
                evidence.process.node_name = Some("fargate-ip-10-0-0-1.internal".to_owned());
                unreached(evidence);
            });
            let finding = Finding {
                summary: format!("this pod runs on {on}, where the EKS Pod Identity agent does not run"),
                ..finding
            }
            .presented(format!("node {} ({like})", node.map_or_else(|| "not chosen yet".to_owned(), words)));
            outside.findings.push(finding);
        }
        NodeKind::AutoMode => {}
        NodeKind::Other => outside.findings.extend(no_agent(case, node)),
    }
}

/// Agent and EKS Auth accept only one audience, and the volume asks for another.
fn audience(case: &Case<'_, '_>) -> Option<Finding> {
    let token = case.seen.evidence.token.as_ref()?;
    let (wanted, other) = ("pods.eks.amazonaws.com", "sts.amazonaws.com");
    // For IRSA's audience the judges have a finding.
    if token.aud.iter().any(|audience| audience == wanted || audience == other) {
        return None;
    }
    case.may_be(Class::AudienceMismatch, |evidence| {
        evidence.agent = Some(Agent {
            answer: Some(AgentAnswer {
                status: 400,
                content_type: Some("text/plain; charset=utf-8".to_owned()),
                said_by: ErrorSource::Agent,
                message: "Service account token failed claim validations: invalid audience".to_owned(),
                ..AgentAnswer::default()
            }),
            ..Agent::default()
        });
    })
}

fn no_agent(case: &Case<'_, '_>, node: Option<&str>) -> Option<Finding> {
    let agent = case.world.agent.known()?;
    let is_there = match node {
        Some(node) => agent.nodes.contains(node),
        // The node of a future pod is not known.
        None => agent.daemonset || case.world.nodes.known().is_none_or(|all| all.values().any(is_auto)),
    };
    // Without its labels, the node may belong to Auto Mode.
    let is_known = node.is_none_or(|node| case.world.nodes.known().is_some_and(|all| all.contains_key(node)));
    if is_there || !is_known {
        return None;
    }
    let finding = case.will_be(Class::AgentUnreachable, unreached);
    let place = node.map_or_else(|| "the cluster’s nodes".to_owned(), |node| format!("node {}", words(node)));
    let what = if agent.daemonset { "no agent runs" } else { "no agent is installed, and none runs" };
    Some(
        Finding {
            summary: format!("{what} on {place}: daemonset kube-system/eks-pod-identity-agent"),
            ..finding
        }
        .presented(format!(
            "daemonset eks-pod-identity-agent {}, no running pod of it on {place}",
            if agent.daemonset { "there" } else { "missing" }
        )),
    )
}

/// What the pod will see: no process listens at the agent's address.
fn unreached(evidence: &mut Evidence) {
    let uri = evidence.environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").unwrap_or_default().to_owned();
    evidence.agent = Some(Agent { uri, ..Agent::default() });
    evidence.network = Some(Network {
        endpoint: "http://169.254.170.23".to_owned(),
        failure: Some(Failure {
            phase: Phase::Connect,
            kind: FailureKind::Refused,
            errno: Some("ECONNREFUSED".to_owned()),
            peer: None,
            detail: "nobody listens".to_owned(),
        }),
        ..Network::default()
    });
}

fn kind(case: &Case<'_, '_>, labels: Option<&Map>) -> NodeKind {
    let label = |name: &str| labels.and_then(|labels| labels.get(name)).map(String::as_str);
    let node = case.pod.node().unwrap_or_default();
    if node.starts_with("fargate-") || label("eks.amazonaws.com/compute-type") == Some("fargate") {
        return NodeKind::Fargate;
    }
    if label("kubernetes.io/os") == Some("windows") || case.pod.is_windows() {
        return NodeKind::Windows;
    }
    if labels.is_some_and(is_auto) { NodeKind::AutoMode } else { NodeKind::Other }
}

fn is_auto(labels: &Map) -> bool {
    labels.get("eks.amazonaws.com/compute-type").is_some_and(|kind| kind == "auto")
}
