//! Judges what came back for the token: by the form of the text first, by its status second. Pure.
//! A 403 of the agent itself and one of EKS Auth have nothing in common; old agents make a 500 of everything.

use super::commands::{NodeKind, instance, node_kind, see_log, values};
use super::{is_page, reach, refusal};
use crate::catalog::texts::{agent as texts, common};
use crate::catalog::{Class, Owner};
use crate::evidence::{Agent, AgentAnswer, ErrorSource};
use crate::judge::denying_policy::DenyingPolicy;
use crate::judge::facts::{Facts, span, time};
use crate::judge::finding::{Finding, Severity};
use crate::judge::token;
use crate::settings::partition;
use crate::steps::slot;
use crate::text::plain;

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
    /// EKS Auth names the policy that denies, above the roles.
    Policy(DenyingPolicy),
    /// The agent did not get an answer of EKS Auth.
    EksAuthUnreached,
    /// Somebody else's certificate answered the agent in EKS Auth's place.
    EksAuthIntercepted,
    /// The agent has no credentials of the node to sign with.
    NoNodeCredentials,
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
            "AccessDeniedException" | "AccessDenied" if let Some(policy) = DenyingPolicy::named(text) => {
                Refusal::Policy(policy)
            }
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
    // Before it signs, the SDK in the agent looks for the node's credentials, in a time of their own.
    const NO_CREDENTIALS: &[&str] =
        &["get identity: get credentials", "failed to refresh cached credentials"];
    if NO_CREDENTIALS.iter().any(|part| text.contains(part)) {
        return Refusal::NoNodeCredentials;
    }
    if ["x509: ", "tls: "].iter().any(|part| text.contains(part)) {
        return Refusal::EksAuthIntercepted;
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
        Refusal::Policy(policy) => refusal::denied_by(facts, answer, policy),
        Refusal::EksAuthIntercepted => eks_auth_intercepted(facts, answer),
        Refusal::NoNodeCredentials => no_node_credentials(facts, answer),
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

/// What was said, as part of a sentence.
pub(super) fn says(answer: &AgentAnswer) -> String {
    let who = if answer.said_by == ErrorSource::EksAuth { "EKS Auth says" } else { "The agent says" };
    match &answer.code {
        Some(code) => format!("{who} {code}: {}", answer.message.trim_end_matches('.')),
        None if answer.message.is_empty() => format!("The answer is HTTP {} without a text", answer.status),
        None => format!("{who}: {}", answer.message.trim_end_matches('.')),
    }
}

fn throttled(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let (who, required) = match answer.said_by {
        ErrorSource::EksAuth => (
            "EKS Auth throttles this account’s requests",
            "fewer requests a second of the account's nodes in this region",
        ),
        ErrorSource::Agent | ErrorSource::Unknown => (
            "the agent’s own limit of 1,000 requests a second is reached",
            "fewer requests a second of all pods of this node: the agent takes 1,000",
        ),
    };
    let mut steps = see_log(facts);
    steps.extend([&texts::SEE_PODS_OF_NODE, &texts::SPREAD]);
    Finding::new(Class::AgentThrottled, who)
        .presented(presented(answer))
        .required(required)
        .why(format!("{}.", says(answer)))
        .steps(&values(facts), &steps)
}

/// EKS Auth's host in the region of the cluster.
fn eks_auth(facts: &Facts<'_>) -> String {
    let region = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    region.map_or_else(|| "eks-auth".to_owned(), |region| format!("eks-auth.{region}.api.aws"))
}

fn eks_auth_intercepted(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let host = eks_auth(facts);
    Finding::new(Class::AgentFailed, format!("TLS of the agent to {host} is intercepted"))
        .owner(Owner::Network)
        .presented(presented(answer))
        .required(format!("{host} with AWS's own certificate, as this pod's node sees it"))
        .ruled_out("the way from this pod to the agent, and a closed way to EKS Auth: somebody answers there")
        .why(format!("{}. Somebody other than AWS answers the agent there.", says(answer)))
        .steps(&values(facts), &[&texts::SEE_CERTIFICATE, &texts::EXEMPT_EKS_AUTH])
}

fn no_node_credentials(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let mut values = values(facts);
    let mut steps = Vec::new();
    match node_kind(facts) {
        NodeKind::AutoMode => steps.push(&texts::REPLACE_AUTO_NODE),
        NodeKind::Hybrid => steps.push(&texts::ENABLE_CREDENTIALS_FILE),
        NodeKind::Other => {
            if let Some((option, node)) = facts.node().and_then(instance) {
                values = values.with(slot::VALUE, "the instance", option.then_word(node));
                steps.push(&texts::SEE_INSTANCE);
            }
            steps.extend([&texts::GIVE_PROFILE, &texts::ENABLE_CREDENTIALS_FILE]);
        }
    }
    Finding::new(Class::AgentFailed, "the agent has no AWS credentials of its node to ask EKS Auth with")
        .owner(Owner::Cluster)
        .presented(presented(answer))
        .required("credentials of the node's role, which the agent signs its call to EKS Auth with")
        .ruled_out("the pod, its token, its association and its role: EKS Auth was not asked")
        .why(format!("{}. The agent signs with the node’s role. It did not ask EKS Auth, so pod and association are not at fault.", says(answer)))
        .steps(&values, &steps)
}

fn eks_auth_unreached(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let host = eks_auth(facts);
    let steps = [&texts::SEE_EKS_AUTH_ENDPOINTS, &texts::OPEN_EKS_AUTH, &texts::REPAIR_EKS_AUTH_ENDPOINT];
    let node = facts.node().map(|node| format!(" on node {node}")).unwrap_or_default();
    Finding::new(Class::AgentFailed, format!("the Pod Identity agent{node} cannot reach EKS Auth"))
        .owner(Owner::Network)
        .presented(presented(answer))
        .required(format!("a way from this pod's node to {host}, port 443 (api.aws, not amazonaws.com)"))
        .ruled_out("the way from this pod to the agent")
        .why(format!(
            "The agent answers this pod and gets no answer from EKS Auth{}.",
            if answer.message.chars().any(char::is_alphanumeric) {
                format!(": {}", says(answer))
            } else {
                String::new()
            }
        ))
        .steps(&values(facts), &steps)
}

fn wrong_path(facts: &Facts<'_>, agent: &Agent, answer: &AgentAnswer) -> Finding {
    Finding::new(Class::AgentFailed, "the agent has no such path")
        .owner(Owner::Pod)
        .transient(false)
        .presented(agent.uri.clone())
        .required("the path /v1/credentials, as the webhook sets it")
        .ruled_out("a missing association: EKS Auth was not asked")
        .why(format!(
            "{}. The URI is {}, and the webhook sets the path /v1/credentials.",
            says(answer),
            agent.uri
        ))
        .webhook(facts, values(facts), &[&common::SEE_VARIABLES])
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
    Finding::new(Class::AgentUriRefused, "the agent refuses the host in its URI")
        .presented(agent.uri.clone())
        .required(
            "http://169.254.170.23/v1/credentials, or http://[fd00:ec2::23]/v1/credentials in an IPv6 cluster",
        )
        .why(format!(
            "{}. The URI is {}. The agent’s addresses are 169.254.170.23, and fd00:ec2::23 in an IPv6 cluster.",
            says(answer),
            plain(&agent.uri)
        ))
        .webhook(facts, values(facts), &[&common::SEE_VARIABLES])
}

fn failed(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let who = if answer.said_by == ErrorSource::EksAuth {
        "EKS Auth gives no credentials"
    } else {
        "the agent gives no credentials"
    };
    let mut steps = see_log(facts);
    // Old agents are the ones that wrap.
    if answer.upstream_status.is_some() && node_kind(facts) != NodeKind::AutoMode {
        steps.push(&texts::OLD_AGENT);
    }
    steps.push(&texts::LASTS);
    Finding::new(Class::AgentFailed, who)
        .presented(presented(answer))
        .required("credentials, or a refusal that says its cause")
        .why(format!("{}. {}.", says(answer), plain(&presented(answer))))
        .steps(&values(facts), &steps)
}

/// Newer agents hand out expired credentials while EKS Auth is away (static stability); STS decides.
fn expired(facts: &Facts<'_>, answer: &AgentAnswer) -> Option<Finding> {
    let expiration = answer.expiration.filter(|expiration| *expiration <= facts.now)?;
    Some(
        Finding::new(
            Class::AgentFailed,
            format!("the agent’s credentials expired {} ago", span(facts.now - expiration)),
        )
        .severity(Severity::Warning)
        .presented(format!("Expiration {}", time(expiration)))
        .required(format!("one after {}", time(facts.now)))
        .why(format!(
            "They expired at {}, by this clock. Newer agents hand out what they have while EKS Auth is away.",
            time(expiration)
        ))
        .steps(&values(facts), &[&texts::SEE_LOG, &texts::LASTS]),
    )
}
