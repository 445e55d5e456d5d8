//! Judges what came back for the token: by the form of the text first, by its status second. Pure.
//! A 403 of the agent itself and one of EKS Auth have nothing in common; old agents make a 500 of everything.

use super::commands::{Cluster, NodeKind, node_kind, on_node, show_agent, show_logs};
use super::{is_page, reach, refusal};
use crate::catalog::{Class, Owner};
use crate::evidence::{Agent, AgentAnswer, ErrorSource};
use crate::judge::denying_policy::DenyingPolicy;
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
        .required(required);
    let finding = show_logs(facts, finding);
    let pods = facts.node().and_then(|_| {
        Tool::Kubectl.run(&[words!["get", "pods", "-A", "-o", "wide"], &on_node(facts)].concat())
    });
    finding.confirm_command(pods).fix_note(
        Some("credprobe check --wait=2m --start-jitter=10s"),
        "retries with growing pauses; pods that start together should not ask together",
    )
}

/// The region of the cluster, and EKS Auth's host there.
fn eks_auth<'c>(facts: &'c Facts<'_>) -> (Option<&'c str>, String) {
    let region =
        facts.token().and_then(|token| crate::settings::partition::region_of_issuer(token.iss.as_deref()?));
    (region, region.map_or_else(|| "eks-auth".to_owned(), |region| format!("eks-auth.{region}.api.aws")))
}

fn eks_auth_intercepted(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let (_, host) = eks_auth(facts);
    let finding = Finding::new(
        Class::AgentFailed,
        format!("the agent does not trust who answers as {host}: {}", quoted(answer)),
    )
    .owner(Owner::Network)
    .presented(presented(answer))
    .required(format!("{host} with AWS's own certificate, as this pod's node sees it"))
    .ruled_out("the way from this pod to the agent, and a closed way to EKS Auth: somebody answers there");
    let finding = show_logs(facts, finding);
    let certificate = Word::host(&host).after("https://").before("/");
    finding
        .confirm_note(
            Tool::Curl.run(words!["-svo", "/dev/null", certificate]),
            "on the node: the issuer of the certificate names the firewall or proxy that inspects TLS",
        )
        .fix(format!("# exempt {host}, port 443, from TLS inspection; the agent takes AWS's certificates alone"))
        .fix("# where the text says that a certificate has expired or is not yet valid: the node's clock may be wrong")
}

fn no_node_credentials(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let finding = Finding::new(
        Class::AgentFailed,
        format!("the agent has no AWS credentials of its node to ask EKS Auth with: {}", quoted(answer)),
    )
    .owner(Owner::Cluster)
    .presented(presented(answer))
    .required("credentials of the node's role, which the agent signs its call to EKS Auth with")
    .ruled_out("the pod, its token, its association and its role: EKS Auth was not asked");
    let finding = show_agent(facts, show_logs(facts, finding));
    match node_kind(facts) {
        NodeKind::AutoMode => finding.fix(
            "# a node of EKS Auto Mode has agent and role built in: let Auto Mode replace the node, and name it to AWS Support",
        ),
        NodeKind::Hybrid => finding.fix("# a hybrid node: its NodeConfig needs spec.hybrid.enableCredentialsFile: true, followed by nodeadm init, so that the agent finds the node's credentials in a file"),
        NodeKind::Other => {
            let (region, _) = eks_auth(facts);
            let instance = region.zip(facts.node()).zip(facts.aws()).and_then(|((region, node), aws)| {
                let query = "Reservations[].Instances[].[InstanceId,IamInstanceProfile.Arn,MetadataOptions]";
                let (option, node) = repair::instance(node)?;
                let show = words!["ec2", "describe-instances", "--region", Word::region(region), option, node];
                aws.run(&[show, &["--query", query, "--output", "json"].map(Word::from)].concat())
            });
            finding
                .confirm_note(instance, "the node's instance: its profile, and whether its metadata service is on")
                .fix("# give the instance its node role's profile back, and let it reach its metadata service, 169.254.169.254: HttpEndpoint enabled, and no firewall rule on the node against it")
                .fix("# a hybrid node, which its name does not say: spec.hybrid.enableCredentialsFile: true in its NodeConfig, followed by nodeadm init")
        }
    }
}

fn eks_auth_unreached(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let (region, host) = eks_auth(facts);
    let finding = Finding::new(
        Class::AgentFailed,
        format!("the agent answers, but got none of EKS Auth itself: {}", quoted(answer)),
    )
    .owner(Owner::Network)
    .presented(presented(answer))
    .required(format!("a way from this pod's node to {host}, port 443 (api.aws, not amazonaws.com)"))
    .ruled_out("the way from this pod to the agent");
    let finding = show_logs(facts, finding);
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
        .required("credentials, or a refusal that says its cause");
    let finding = show_agent(facts, show_logs(facts, finding)).fix_note(
        Some("credprobe check --wait=5m"),
        "retries; if it lasts, see health.aws.amazon.com and name the request to AWS support",
    );
    // Old agents are the ones that wrap.
    let has_add_on = node_kind(facts) != NodeKind::AutoMode;
    match Cluster::of(facts).filter(|_| has_add_on && answer.upstream_status.is_some()) {
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
