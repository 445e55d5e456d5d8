//! Judges what came back for the token: by the form of the text first, by its status second. Pure.
//! A 403 of the agent itself and one of EKS Auth have nothing in common; old agents make a 500 of everything.

use super::commands::{AGENT_LOGS, Cluster, on_node, show_agent};
use super::{is_page, reach, refusal};
use crate::catalog::{Class, Owner};
use crate::evidence::{Agent, AgentAnswer, ErrorSource};
use crate::judge::facts::{Facts, span, time};
use crate::judge::finding::{Finding, Severity};
use crate::judge::{repair, token};
use crate::settings::command::{Tool, Word, words};

/// What an answer without credentials is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Token {
        about_time: bool,
    },
    AssociationMissing,
    RoleTrust,
    NodeRole,
    Throttled,
    /// The agent did not get an answer of EKS Auth.
    EksAuthUnreached,
    WrongPath,
    /// The `Host` header was not the agent's.
    WrongHost,
    NotAgent,
    Failed,
}

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(agent) = &facts.evidence.agent else { return Vec::new() };
    let Some(answer) = &agent.answer else { return Vec::new() };
    if answer.issued {
        return expired(facts, answer).into_iter().collect();
    }
    let refusal = refusal_of(answer, at_agents_address(facts));
    let mut findings = Vec::new();
    if let Refusal::Token { .. } = refusal {
        findings.extend(token::usual_audience(facts));
    }
    findings.push(finding(facts, agent, answer, refusal));
    findings
}

fn at_agents_address(facts: &Facts<'_>) -> bool {
    matches!(&facts.agent, Some(Ok(endpoint)) if endpoint.at_agents_address)
}

/// By form, then by status (sources.md, “The agent's answers”).
pub(super) fn refusal_of(answer: &AgentAnswer, at_agents_address: bool) -> Refusal {
    let text = answer.message.as_str();
    match (answer.said_by, answer.code.as_deref()) {
        (ErrorSource::EksAuth, Some(code)) => match code {
            "ResourceNotFoundException" => Refusal::AssociationMissing,
            // EKS Auth speaks of its own permission where the node's role lacks it.
            "AccessDeniedException" | "AccessDenied" if text.contains("eks-auth:") => Refusal::NodeRole,
            "AccessDeniedException" | "AccessDenied" => Refusal::RoleTrust,
            "ExpiredTokenException" => Refusal::Token { about_time: true },
            "InvalidTokenException" => Refusal::Token { about_time: false },
            "ThrottlingException" => Refusal::Throttled,
            _ => Refusal::Failed,
        },
        (ErrorSource::Agent, _) => of_the_agent(answer, text),
        // A wrapped sentence without a status, a text of a newer agent: plain text all the same.
        _ if answer.upstream_status == Some(0) => Refusal::EksAuthUnreached,
        _ if is_page(answer.content_type.as_deref(), text) || (300..400).contains(&answer.status) => {
            Refusal::NotAgent
        }
        _ if at_agents_address && !is_plain(answer) => Refusal::NotAgent,
        _ if answer.status == 429 => Refusal::Throttled,
        _ => Refusal::Failed,
    }
}

fn of_the_agent(answer: &AgentAnswer, text: &str) -> Refusal {
    const TOKEN: &[&str] = &[
        "Service account token ",
        "JWT signature validation failed",
        "failed to get pod uid from service account token",
    ];
    const UNREACHED: &[&str] =
        &["deadline exceeded", "dial tcp", "no such host", "i/o timeout", "connection refused"];
    if TOKEN.iter().any(|begin| text.starts_with(begin)) {
        let about_time = text.contains("token is expired") || text.contains("token is not valid yet");
        return Refusal::Token { about_time };
    }
    if text.starts_with("Access Denied. Called agent") {
        return Refusal::WrongHost;
    }
    if text.starts_with("Too Many Requests") {
        return Refusal::Throttled;
    }
    if text.starts_with("404 page not found") {
        return Refusal::WrongPath;
    }
    let unreached =
        answer.upstream_status == Some(0) || text == "[]" || UNREACHED.iter().any(|part| text.contains(part));
    if unreached { Refusal::EksAuthUnreached } else { Refusal::Failed }
}

fn is_plain(answer: &AgentAnswer) -> bool {
    answer.content_type.as_deref().is_some_and(|it| it.to_ascii_lowercase().starts_with("text/plain"))
}

/// What was said, for a summary.
pub(super) fn quoted(answer: &AgentAnswer) -> String {
    match &answer.code {
        Some(code) => format!("`{code}: {}`", answer.message),
        None if answer.message.is_empty() => format!("HTTP {} without a text", answer.status),
        None => format!("`{}`", answer.message),
    }
}

/// `HTTP 400, request ID of EKS Auth`
pub(super) fn presented(answer: &AgentAnswer) -> String {
    let upstream = match answer.upstream_status {
        Some(status) if status != 0 => format!(", EKS Auth's HTTP {status} in it (an old agent)"),
        _ => String::new(),
    };
    let request =
        answer.request_id.as_ref().map(|id| format!(", EKS Auth's request {id}")).unwrap_or_default();
    format!("HTTP {}{upstream}{request}", answer.status)
}

/// One refusal, one finding.
fn finding(facts: &Facts<'_>, agent: &Agent, answer: &AgentAnswer, refusal: Refusal) -> Finding {
    match refusal {
        Refusal::Token { about_time } => refusal::token(facts, answer, about_time),
        Refusal::AssociationMissing => refusal::association_missing(facts, answer),
        Refusal::RoleTrust => refusal::role_trust(facts, answer),
        Refusal::NodeRole => refusal::node_role(facts, answer),
        Refusal::Throttled => throttled(facts, answer),
        Refusal::EksAuthUnreached => eks_auth_unreached(facts, answer),
        Refusal::WrongPath => wrong_path(facts, agent, answer),
        Refusal::WrongHost => wrong_host(facts, agent, answer),
        Refusal::NotAgent => {
            let kind = answer.content_type.as_deref().unwrap_or("no content type");
            reach::not_agent(
                facts,
                agent,
                &format!("the token is answered with HTTP {}, {kind}", answer.status),
            )
        }
        Refusal::Failed => failed(facts, answer),
    }
}

fn throttled(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let (who, required) = match answer.said_by {
        ErrorSource::EksAuth => (
            "EKS Auth throttles this account's requests",
            "fewer requests a second of the account's nodes in this region",
        ),
        ErrorSource::Agent | ErrorSource::Unknown => (
            "the agent's own limit is reached",
            "fewer requests a second of all pods of this node: the agent takes 1,000",
        ),
    };
    let finding = Finding::new(Class::AgentThrottled, format!("{who}: {}", quoted(answer)))
        .presented(presented(answer))
        .required(required)
        .confirm(AGENT_LOGS);
    let pods = facts.node().and_then(|_| {
        Tool::Kubectl.run(&[words!["get", "pods", "-A", "-o", "wide"], &on_node(facts)].concat())
    });
    finding.confirm_command(pods).fix_note(
        Some("credprobe check --wait=2m --start-jitter=10s"),
        "retries with growing pauses; pods that start together should not ask together",
    )
}

fn eks_auth_unreached(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let region =
        facts.token().and_then(|token| crate::settings::partition::region_of_issuer(token.iss.as_deref()?));
    let host = region.map_or_else(|| "eks-auth".to_owned(), |region| format!("eks-auth.{region}.api.aws"));
    let finding = Finding::new(
        Class::AgentFailed,
        format!("the agent answers, but got none of EKS Auth itself: {}", quoted(answer)),
    )
    .owner(Owner::Network)
    .presented(presented(answer))
    .required(format!("a way from this pod's node to {host}, port 443 (api.aws, not amazonaws.com)"))
    .ruled_out("the way from this pod to the agent")
    .confirm(AGENT_LOGS);
    let finding = match region {
        Some(region) => interface_endpoint(facts, finding, region),
        None => finding,
    };
    finding.fix_note(Some("credprobe check --wait=5m"), "retries, where it was a moment's failure")
}

fn interface_endpoint(facts: &Facts<'_>, finding: Finding, region: &str) -> Finding {
    let Some(aws) = facts.aws() else { return finding };
    let region = Word::region(region);
    let service = region.clone().after("com.amazonaws.").before(".eks-auth");
    let filter = service.clone().after("Name=service-name,Values=");
    let show = words!["ec2", "describe-vpc-endpoints", "--region", &region, "--filters", filter];
    let create = facts.node().and_then(|node| repair::interface_endpoint(aws, node, &region, service));
    finding.confirm_command(aws.run(show)).fix_note(
        create,
        "in a cluster without a way to the internet: an EKS Auth endpoint in the node's VPC; AWS bills it by the hour. Elsewhere allow that host in firewall and proxy",
    )
}

fn wrong_path(facts: &Facts<'_>, agent: &Agent, answer: &AgentAnswer) -> Finding {
    let finding = Finding::new(Class::AgentFailed, format!("the agent has no such path: {}", quoted(answer)))
        .owner(Owner::Pod)
        .transient(false)
        .presented(agent.uri.clone())
        .required("the path /v1/credentials, as the webhook sets it")
        .ruled_out("a missing association: EKS Auth was not asked");
    facts.let_webhook_inject(finding)
}

fn wrong_host(facts: &Facts<'_>, agent: &Agent, answer: &AgentAnswer) -> Finding {
    if at_agents_address(facts) {
        // The request had the right one when it left.
        return reach::not_agent(
            facts,
            agent,
            &format!("something on the way rewrites the Host header: {}", quoted(answer)),
        );
    }
    let finding = Finding::new(
        Class::AgentUriRefused,
        format!("the agent refuses the URI's host: {}", quoted(answer)),
    )
    .presented(agent.uri.clone())
    .required(
        "http://169.254.170.23/v1/credentials, or http://[fd00:ec2::23]/v1/credentials in an IPv6 cluster",
    );
    facts.let_webhook_inject(finding)
}

fn failed(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let who = if answer.said_by == ErrorSource::EksAuth {
        "EKS Auth gives no credentials"
    } else {
        "the agent gives no credentials"
    };
    let finding = Finding::new(Class::AgentFailed, format!("{who}: {}", quoted(answer)))
        .presented(presented(answer))
        .required("credentials, or a refusal that says its cause")
        .confirm(AGENT_LOGS);
    let finding = show_agent(facts, finding).fix_note(
        Some("credprobe check --wait=5m"),
        "retries; if it lasts, see health.aws.amazon.com and name the request to AWS support",
    );
    // Old agents are the ones that wrap.
    match Cluster::of(facts).filter(|_| answer.upstream_status.is_some()) {
        Some(cluster) => finding
            .fix_note(
                cluster.command(
                    "update-addon",
                    words!["--addon-name", "eks-pod-identity-agent", "--resolve-conflicts", "PRESERVE"],
                ),
                "an old agent: to the default version; restarts it on every node",
            )
            .find_cluster(&cluster),
        None => finding,
    }
}

/// Newer agents hand out expired credentials while EKS Auth is away (static stability); STS decides.
fn expired(facts: &Facts<'_>, answer: &AgentAnswer) -> Option<Finding> {
    let expiration = answer.expiration.filter(|expiration| *expiration <= facts.now)?;
    Some(
        Finding::new(
            Class::AgentFailed,
            format!("the agent's credentials expired {} ago by this clock", span(facts.now - expiration)),
        )
        .severity(Severity::Warning)
        .presented(format!("Expiration {}", time(expiration)))
        .required(format!("one after {}", time(facts.now)))
        .fix_note(
            Some("credprobe check --wait=5m"),
            "newer agents hand out what they have while EKS Auth is away",
        ),
    )
}
