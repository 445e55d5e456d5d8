//! Every body of the agent, as old and new agents write it, and what it is about (sources.md, “The agent's answers”).

use super::answer::{Refusal, refusal_of};
use super::{SessionCluster, cluster_of_session, is_agent};
use crate::catalog::Class;
use crate::evidence::agent_error::said;
use crate::evidence::{
    Agent, AgentAnswer, Evidence, Failure, FailureKind, Identity, Liveness, Network, Phase, Token, TokenShape,
};
use crate::judge::finding::Severity;
use crate::judge::fixtures::findings;
use crate::judge::issued;
use crate::options::Mechanism;
use crate::steps::Step;
use crate::verdict::{Situation, decide};

const TEXT: &str = "text/plain; charset=utf-8";

fn answer(status: u16, content_type: &str, body: &str) -> AgentAnswer {
    let said = said(body);
    AgentAnswer {
        status,
        content_type: Some(content_type.to_owned()),
        said_by: said.by,
        code: said.code.map(str::to_owned),
        message: said.message.to_owned(),
        upstream_status: said.upstream_status,
        ..AgentAnswer::default()
    }
}

const OLD: &str =
    "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, ";

#[test]
fn every_known_text_is_read_by_its_form() {
    let token = Refusal::Token { about_time: false };
    let times = Refusal::Token { about_time: true };
    for (status, body, refusal) in [
        (400, "Service account token cannot be empty\n", token),
        (
            400,
            "Service account token cannot be parsed: token is malformed: could not base64 decode header: illegal base64 data at input byte 6\n",
            token,
        ),
        (400, "Service account token failed basic claim validations: token is expired\n", times),
        (400, "Service account token failed basic claim validations: token is not valid yet\n", times),
        (400, "Service account token failed claim validations: missing claim: kubernetes.io/pod\n", token),
        (
            401,
            "JWT signature validation failed: cryptographic validation failed: crypto/rsa: verification error\n",
            token,
        ),
        (500, "failed to get pod uid from service account token: token missing pod claims\n", token),
        (
            403,
            "Access Denied. Called agent through invalid address, please use either [169.254.170.23 fd00:ec2::23] address not localhost\n",
            Refusal::WrongHost,
        ),
        (429, "Too Many Requests\n", Refusal::Throttled),
        (404, "404 page not found\n", Refusal::WrongPath),
        (
            400,
            "[c0ffee]: (AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role., fault: client\n",
            Refusal::RoleTrust,
        ),
        (
            400,
            "[c0ffee]: (AccessDeniedException): User: arn:aws:sts::814203749616:assumed-role/n/i-0 is not authorized to perform: eks-auth:AssumeRoleForPodIdentity on resource: x, fault: client\n",
            Refusal::NodeRole,
        ),
        // A 403 of EKS Auth is not the agent's own.
        (
            403,
            "[c0ffee]: (AccessDeniedException): Unauthorized Exception!, fault: client\n",
            Refusal::RoleTrust,
        ),
        (
            404,
            "[c0ffee]: (ResourceNotFoundException): No association, fault: client\n",
            Refusal::AssociationMissing,
        ),
        (400, "[c0ffee]: (ExpiredTokenException): expired, fault: client\n", times),
        (400, "[c0ffee]: (InvalidTokenException): invalid, fault: client\n", token),
        (400, "[c0ffee]: (InvalidParameterException): no, fault: client\n", Refusal::Failed),
        (400, "[c0ffee]: (InvalidRequestException): no, fault: client\n", Refusal::Failed),
        (429, "[c0ffee]: (ThrottlingException): slow, fault: client\n", Refusal::Throttled),
        (500, "[c0ffee]: (InternalServerException): ours, fault: server\n", Refusal::Failed),
        (503, "[c0ffee]: (ServiceUnavailableException): away, fault: server\n", Refusal::Failed),
        (500, "[]\n", Refusal::EksAuthUnreached),
        (
            500,
            &format!(
                "{OLD}https response error StatusCode: 400, RequestID: c0ffee, AccessDeniedException: Unauthorized Exception!\n"
            ),
            Refusal::RoleTrust,
        ),
        (
            500,
            &format!(
                "{OLD}https response error StatusCode: 404, RequestID: c0ffee, ResourceNotFoundException: no\n"
            ),
            Refusal::AssociationMissing,
        ),
        (
            500,
            &format!(
                "{OLD}https response error StatusCode: 400, RequestID: c0ffee, InvalidTokenException: no\n"
            ),
            token,
        ),
        (
            500,
            &format!(
                "{OLD}exceeded maximum number of attempts, 3, https response error StatusCode: 429, RequestID: c0ffee, ThrottlingException: slow\n"
            ),
            Refusal::Throttled,
        ),
        (
            500,
            &format!(
                "{OLD}exceeded maximum number of attempts, 3, https response error StatusCode: 500, RequestID: c0ffee, InternalServerException: ours\n"
            ),
            Refusal::Failed,
        ),
        (
            500,
            &format!(
                "{OLD}https response error StatusCode: 0, RequestID: , request send failed, Post \"https://eks-auth\": dial tcp 10.0.8.44:443: i/o timeout\n"
            ),
            Refusal::EksAuthUnreached,
        ),
        (
            500,
            "error getting credentials to cache: operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 400, RequestID: c0ffee, AccessDeniedException: no\n",
            Refusal::RoleTrust,
        ),
        (500, "error getting credentials to cache: context deadline exceeded\n", Refusal::EksAuthUnreached),
        (
            500,
            "fetched credentials are expired or will expire within the next 9.52 seconds\n",
            Refusal::Failed,
        ),
        (
            500,
            &format!(
                "{OLD}get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, context deadline exceeded\n"
            ),
            Refusal::NoNodeCredentials,
        ),
        (
            500,
            &format!(
                "error getting credentials to cache: chained retriever: all delegates failed: {OLD}get identity: get credentials: no valid credential sources found\n"
            ),
            Refusal::NoNodeCredentials,
        ),
        (
            500,
            "chained retriever: all delegates failed: operation error EKS Auth: AssumeRoleForPodIdentity, request send failed, dial tcp: lookup eks-auth: no such host\n",
            Refusal::EksAuthUnreached,
        ),
        (
            500,
            &format!(
                "{OLD}https response error StatusCode: 0, RequestID: , request send failed, Post \"https://eks-auth\": tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
            ),
            Refusal::EksAuthIntercepted,
        ),
        (
            500,
            &format!(
                "{OLD}https response error StatusCode: 0, RequestID: , request send failed, Post \"https://eks-auth\": net/http: TLS handshake timeout\n"
            ),
            Refusal::EksAuthUnreached,
        ),
        (500, "a sentence of an agent to come\n", Refusal::Failed),
    ] {
        assert_eq!(refusal_of(&answer(status, TEXT, body), true), refusal, "{status} {body}");
    }
}

/// What the agent says on each kind of node, and the lines that are printed then.
fn printed(node: &str, body: &str) -> String {
    let mut evidence = issued_by_agent();
    evidence.token.as_mut().unwrap().node_name = Some(node.to_owned());
    evidence.agent.as_mut().unwrap().answer = Some(answer(500, TEXT, body));
    let found = findings(&evidence, NOW);
    found.iter().flat_map(|it| &it.steps).flat_map(Step::lines).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_kind_of_node_has_credentials_of_its_own_kind() {
    let body = format!(
        "{OLD}get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found\n"
    );
    for (node, part) in [
        ("ip-10-0-3-41.eu-west-1.compute.internal", "Name=private-dns-name,Values=ip-10-0-3-41"),
        ("i-0123456789abcdef0", "AWS Support"),
        ("mi-0123456789abcdef0", "enableCredentialsFile"),
        ("rack7-node02", "enableCredentialsFile"),
    ] {
        let lines = printed(node, &body);
        assert!(lines.contains(part), "{node}: {part} is missing in\n{lines}");
        assert!(
            !lines.contains("create-vpc-endpoint") && !lines.contains("create-addon"),
            "{node}:\n{lines}"
        );
        assert_eq!(lines.contains("describe-instances"), node.starts_with("ip-"), "{node}:\n{lines}");
    }
}

/// There the agent is neither an add-on nor a pod: nothing asks for either, whatever it says.
#[test]
fn on_auto_mode_no_command_is_about_the_add_on() {
    for body in [
        "Too Many Requests\n",
        "error getting credentials to cache: context deadline exceeded\n",
        "Service account token failed basic claim validations: token is malformed\n",
        "a sentence of an agent to come\n",
        &format!(
            "{OLD}https response error StatusCode: 500, RequestID: c0ffee, InternalServerException: ours\n"
        ),
        &format!("{OLD}get identity: get credentials: no EC2 IMDS role found\n"),
        &format!("{OLD}https response error StatusCode: 0, RequestID: , tls: failed to verify certificate\n"),
    ] {
        let lines = printed("i-0123456789abcdef0", body);
        let commands: Vec<&str> = lines.lines().filter(|line| !line.starts_with("# ")).collect();
        assert!(!commands.iter().any(|line| line.contains("eks-pod-identity-agent")), "{body}\n{lines}");
    }
}

/// A node of EKS Auto Mode is no name that EC2 has for an instance, and a hybrid one is no instance at all.
#[test]
fn an_instance_is_asked_for_as_ec2_knows_it() {
    let unreached = "error getting credentials to cache: context deadline exceeded\n";
    for (node, part) in [
        (
            "ip-10-0-3-41.eu-west-1.compute.internal",
            Some("--filters Name=private-dns-name,Values=ip-10-0-3-41"),
        ),
        (
            "i-0123456789abcdef0.eu-west-1.compute.internal",
            Some("--filters Name=private-dns-name,Values=i-01"),
        ),
        ("i-0123456789abcdef0", Some("--instance-ids i-0123456789abcdef0")),
        ("mi-0123456789abcdef0", None),
        ("rack7-node02", None),
    ] {
        let lines = printed(node, unreached);
        match part {
            Some(part) => {
                assert!(!lines.contains("describe-instances") || lines.contains(part), "{node}:\n{lines}")
            }
            None => assert!(!lines.contains("describe-instances"), "{node}:\n{lines}"),
        }
    }
}

#[test]
fn a_page_is_never_the_agents() {
    for status in [200, 302, 400, 403, 404, 429, 500, 503] {
        let page = answer(status, "text/html", "<html><h1>nginx</h1></html>");
        assert_eq!(refusal_of(&page, true), Refusal::NotAgent, "{status}");
        assert_eq!(refusal_of(&page, false), Refusal::NotAgent, "{status}");
    }
    let json = answer(500, "application/json", "{\"code\":\"x\"}");
    assert_eq!(refusal_of(&json, true), Refusal::NotAgent);
    assert_eq!(refusal_of(&json, false), Refusal::Failed, "somebody's own server on loopback may speak so");
}

#[test]
fn the_agent_is_known_by_its_404_alone() {
    let liveness = |status, content_type: &str, excerpt: &str| Liveness {
        status,
        content_type: Some(content_type.to_owned()),
        excerpt: excerpt.to_owned(),
    };
    assert!(is_agent(&liveness(404, TEXT, "404 page not found")));
    assert!(!is_agent(&liveness(404, "text/html", "<html>404</html>")));
    assert!(!is_agent(&liveness(200, TEXT, "ok")));
    assert!(!is_agent(&liveness(503, TEXT, "no back end")));
}

#[test]
fn the_sessions_name_tells_the_cluster_as_far_as_eks_writes_it() {
    let uuid = "16f667fa-0000-4000-8000-000000000001";
    let arn = |names: &str| format!("arn:aws:sts::814203749616:assumed-role/r/eks-{names}-{uuid}");
    let cases = [
        (arn("prod-checkout-7"), "checkout-7d9f8b6c5-x2x4q", Some(("prod", true))),
        (arn("eks-pod-id-reinf24-ek"), "reinf24-eks-pod", Some(("eks-pod-id", false))),
        (arn("prod-web"), "web", Some(("prod", true))),
        (arn("prod-web"), "other", None),
        ("arn:aws:sts::814203749616:assumed-role/r/i-0123456789abcdef0".to_owned(), "web", None),
        ("arn:aws:sts::814203749616:assumed-role/r/eks-é".to_owned(), "web", None),
    ];
    for (arn, pod, cluster) in cases {
        let expected = cluster.map(|(name, whole)| SessionCluster { name, whole });
        assert_eq!(cluster_of_session(&arn, pod), expected, "{arn}");
    }
}

const NOW: i64 = 1_795_341_600;
const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";

/// A pod whose agent gave credentials; nobody was asked whose.
fn issued_by_agent() -> Evidence {
    let mut evidence = Evidence::default();
    for (name, value) in [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"),
        ("AWS_REGION", "eu-west-1"),
    ] {
        evidence.environment.variables.insert(name.to_owned(), value.to_owned());
    }
    evidence.token = Some(Token {
        shape: TokenShape::Jwt,
        alg: Some("RS256".to_owned()),
        iss: Some("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC".to_owned()),
        sub: Some("system:serviceaccount:shop:checkout".to_owned()),
        aud: vec!["pods.eks.amazonaws.com".to_owned()],
        iat: Some(NOW - 300),
        exp: Some(NOW + 80_000),
        pod_uid: Some("uid-1".to_owned()),
        ..Token::default()
    });
    evidence.network = Some(Network::default());
    evidence.agent = Some(Agent {
        answer: Some(AgentAnswer {
            status: 200,
            issued: true,
            account: Some("814203749616".to_owned()),
            expiration: Some(NOW + 3_600),
            ..AgentAnswer::default()
        }),
        ..Agent::default()
    });
    evidence
}

fn verdict(evidence: &Evidence) -> Class {
    decide(findings(evidence, NOW), &Situation { issued: issued(evidence), ..Situation::default() }).class
}

#[test]
fn whose_the_credentials_are_matters_where_a_role_is_stated() {
    let named = |arn: &str| Identity { status: Some(200), arn: Some(arn.to_owned()), ..Identity::default() };
    let of = "arn:aws:sts::814203749616:assumed-role/checkout-reader/eks-x";
    let another = "arn:aws:sts::814203749616:assumed-role/checkout-writer/eks-x";
    for (stated, identity, class) in [
        (false, None, Class::Ready),
        (false, Some(named(another)), Class::Ready),
        (false, Some(Identity::default()), Class::Ready),
        (true, Some(named(of)), Class::Ready),
        (true, Some(named(another)), Class::IdentityMismatch),
        (true, Some(Identity::default()), Class::Inconclusive),
        (true, None, Class::Inconclusive),
    ] {
        let mut evidence = issued_by_agent();
        evidence.environment.options.expect_role = stated.then(|| ROLE.to_owned());
        evidence.identity = identity;
        assert_eq!(verdict(&evidence), class, "{stated} {:?}", evidence.identity);
    }
}

#[test]
fn the_agents_account_alone_tells_another_role() {
    let mut evidence = issued_by_agent();
    evidence.environment.options.expect_role = Some(ROLE.replace("814203749616", "999999999999"));
    assert_eq!(verdict(&evidence), Class::IdentityMismatch);
}

#[test]
fn expired_credentials_of_the_agent_are_a_warning() {
    for (expiration, warned) in [(NOW, true), (NOW + 1, false)] {
        let mut evidence = issued_by_agent();
        evidence.agent.as_mut().unwrap().answer.as_mut().unwrap().expiration = Some(expiration);
        let found = findings(&evidence, NOW);
        assert_eq!(found.iter().any(|it| it.class == Class::AgentFailed), warned, "{found:?}");
        assert_eq!(verdict(&evidence), Class::Ready);
    }
}

#[test]
fn a_proxy_explains_nothing_that_the_probe_met_without_it() {
    let severity = |evidence: &Evidence| {
        let found = findings(evidence, NOW);
        found.into_iter().find(|it| it.class == Class::ProxyCaptures).map(|it| it.severity)
    };
    let mut evidence = issued_by_agent();
    evidence.environment.variables.insert("HTTP_PROXY".to_owned(), "http://proxy:3128".to_owned());
    assert_eq!(severity(&evidence), Some(Severity::Warning));
    evidence.agent.as_mut().unwrap().answer = None;
    assert_eq!(severity(&evidence), Some(Severity::Info));
    for no_proxy in ["169.254.170.23", "10.0.0.0/8,169.254.0.0/16", "*"] {
        evidence.environment.variables.insert("NO_PROXY".to_owned(), no_proxy.to_owned());
        assert_eq!(severity(&evidence), None, "{no_proxy}");
    }
}

#[test]
fn a_token_that_no_header_holds_is_malformed() {
    let mut evidence = issued_by_agent();
    evidence.token.as_mut().unwrap().trailing_whitespace = 1;
    assert_eq!(verdict(&evidence), Class::Ready, "it was sent, and taken");
    let agent = evidence.agent.as_mut().unwrap();
    (agent.answer, agent.unsendable) = (None, true);
    assert_eq!(verdict(&evidence), Class::TokenMalformed);
}

#[test]
fn another_pods_token_is_an_error_even_where_it_is_taken() {
    let mut evidence = issued_by_agent();
    evidence.process.pod_uid = Some("uid-1".to_owned());
    assert_eq!(verdict(&evidence), Class::Ready);
    evidence.process.pod_uid = Some("uid-2".to_owned());
    assert_eq!(verdict(&evidence), Class::TokenForeign);
}

#[test]
fn what_is_left_of_irsa_warns_and_both_stated_is_an_error() {
    let with = |variables: &[&str], stated: Option<Mechanism>| {
        let mut evidence = issued_by_agent();
        for name in variables {
            evidence.environment.variables.insert((*name).to_owned(), ROLE.to_owned());
        }
        evidence.environment.options.mechanism = stated;
        evidence
    };
    let role = with(&["AWS_ROLE_ARN"], None);
    assert!(findings(&role, NOW).iter().any(|it| it.class == Class::PartlyInjected));
    assert_eq!(verdict(&role), Class::Ready);
    let both = with(&["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"], Some(Mechanism::PodIdentity));
    assert_eq!(verdict(&both), Class::Shadowed);
}

#[test]
fn a_socket_that_the_node_does_not_give_is_not_the_agents() {
    let unreachable = |errno: &str| {
        let mut evidence = issued_by_agent();
        evidence.agent = Some(Agent::default());
        evidence.network = Some(Network {
            failure: Some(Failure {
                phase: Phase::Connect,
                kind: FailureKind::Unreachable,
                peer: None,
                errno: Some(errno.to_owned()),
                detail: String::new(),
            }),
            ..Network::default()
        });
        decide(findings(&evidence, NOW), &Situation::default()).class
    };
    assert_eq!(unreachable("EMFILE"), Class::Inconclusive);
    assert_eq!(unreachable("EHOSTUNREACH"), Class::AgentUnreachable);
}
