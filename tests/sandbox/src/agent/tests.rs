//! The agent's checks in their order, and each text verbatim, old and new.
//! `tests/agent.rs` covers how the agent behaves over a socket.

use std::sync::LazyLock;

use hyper::header::HeaderValue;

use super::*;
use crate::{
    issuer::Issuer,
    key::Key,
    registry::Registry,
    scenario::{Scenario, agent::TokenKind},
};

/// Made once, because making a key takes longer than all of these tests.
static KEYS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [(); 2].map(|()| Key::make().unwrap()));

const HOST: &str = "169.254.170.23";

/// The world of a pod with Pod Identity and these further scenario fields.
fn world(fields: &str) -> World {
    let scenario = format!(r#"{{"mechanism": "pod-identity" {fields}}}"#);
    let scenario = Scenario::parse("test", &scenario).unwrap();
    let registry = Registry::of(&scenario).unwrap();
    let [key, other] = KEYS.each_ref().map(|pkcs8| Key::from_pkcs8(pkcs8).unwrap());
    let issuer = Issuer::new(key, Some(other), scenario.issuer.clone());
    World::new(scenario, registry, issuer)
}

fn token(world: &World) -> String {
    let token = world.scenario.token.clone().meant_for(TokenKind::PodIdentity.audience());
    world.issuer.mint(&token, OffsetDateTime::now_utc()).unwrap().jwt
}

fn ask(world: &World, path: &str, host: &str, token: Option<&str>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
    if let Some(token) = token {
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(token).unwrap());
    }
    let agent = world.scenario.agent.as_ref().unwrap();
    handle(world, agent, &Request { method: "GET", path, headers: &headers })
}

/// Status and text of the answer to the healthy request in this scenario.
fn says(fields: &str) -> (u16, String) {
    let world = world(fields);
    let answer = ask(&world, PATH, HOST, Some(&token(&world)));
    (answer.status, answer.body.trim_end().to_owned())
}

const ID: &str = "c0ffee00-0000-4000-8000-000000000001";
const UNAUTHORIZED: &str =
    "Unauthorized Exception! EKS does not have permissions to assume the associated role.";

#[test]
fn what_eks_auth_says_passes_through_a_new_agent_and_is_a_500_of_an_old_one() {
    let cases = [
        (r#", "accounts": [{"roles": []}]"#, "", 400, "AccessDeniedException", UNAUTHORIZED),
        (
            "",
            r#", "associations": []"#,
            404,
            "ResourceNotFoundException",
            "The specified resource could not be found.",
        ),
        (
            r#", "token": {"sign_with": "other-key"}"#,
            "",
            400,
            "InvalidTokenException",
            "The specified Kubernetes service account token is invalid.",
        ),
    ];
    for (fields, agent, status, code, message) in cases {
        let new = says(&format!(r#"{fields}, "agent": {{"version": "new" {agent}}}"#));
        assert_eq!(new, (status, format!("[{ID}]: ({code}): {message}, fault: client")));
        let old = says(&format!(r#"{fields}, "agent": {{"version": "old" {agent}}}"#));
        let text = format!(
            "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, \
             https response error StatusCode: {status}, RequestID: {ID}, {code}: {message}"
        );
        assert_eq!(old, (500, text));
    }
}

#[test]
fn what_an_sdk_tries_again_an_old_agent_says_it_has_tried() {
    for (fault, status, code, side) in [
        ("throttled", 429, "ThrottlingException", "client"),
        ("failing", 500, "InternalServerException", "server"),
        ("unavailable", 503, "ServiceUnavailableException", "server"),
    ] {
        let (new, text) = says(&format!(r#", "agent": {{"{fault}": true}}"#));
        assert_eq!(new, status);
        assert!(text.starts_with(&format!("[{ID}]: ({code}): ")), "{text}");
        assert!(text.ends_with(&format!(", fault: {side}")), "{text}");
        let (old, text) = says(&format!(r#", "agent": {{"version": "old", "{fault}": true}}"#));
        assert_eq!(old, 500);
        let part =
            format!("exceeded maximum number of attempts, 3, https response error StatusCode: {status}, ");
        assert!(text.contains(&part), "{text}");
    }
    assert_eq!(says(r#", "agent": {"cut_off": true}"#), (500, "[]".into()));
    let (status, text) = says(r#", "agent": {"version": "old", "cut_off": true}"#);
    assert!(status == 500 && text.contains("StatusCode: 0, RequestID: , request send failed"), "{text}");
}

#[test]
fn the_nodes_role_is_named_where_it_is_refused() {
    let (status, text) = says(r#", "agent": {"node_role_denied": true}"#);
    assert_eq!(status, 400);
    assert!(text.contains("is not authorized to perform: eks-auth:AssumeRoleForPodIdentity on"), "{text}");
}

#[test]
fn faults_are_over_after_so_many_requests() {
    let world = world(r#", "agent": {"rate_limited": true, "times": 1}"#);
    let token = token(&world);
    assert_eq!(ask(&world, PATH, HOST, Some(&token)), Answer::text(429, "Too Many Requests"));
    assert_eq!(ask(&world, PATH, HOST, Some(&token)).status, 200);
}

#[test]
fn the_trust_policy_must_allow_both_actions_to_the_service() {
    let policy = |principal: &str, action: &str, condition: &str| {
        says(&format!(
            r#", "accounts": [{{"roles": [{{"trust_policy": {{"Statement": {{"Effect": "Allow",
                "Principal": {principal}, "Action": {action} {condition}}}}}}}]}}]"#
        ))
        .0
    };
    let service = r#"{"Service": "pods.eks.amazonaws.com"}"#;
    let both = r#"["sts:AssumeRole", "sts:TagSession"]"#;
    assert_eq!(policy(service, both, ""), 200);
    assert_eq!(policy(service, r#""sts:*""#, ""), 200);
    assert_eq!(policy(service, r#""sts:AssumeRole""#, ""), 400);
    assert_eq!(policy(service, r#""sts:TagSession""#, ""), 400);
    assert_eq!(policy(r#"{"Service": "ec2.amazonaws.com"}"#, both, ""), 400);
    for (condition, status) in [
        (r#"{"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}}"#, 200),
        (r#"{"StringEquals": {"aws:RequestTag/kubernetes-namespace": "payments"}}"#, 400),
        (r#"{"ArnLike": {"aws:SourceArn": "arn:aws:eks:*:814203749616:cluster/prod"}}"#, 200),
        (r#"{"ArnEquals": {"aws:SourceArn": "arn:aws:eks:eu-west-1:814203749616:cluster/dev"}}"#, 400),
    ] {
        let condition = format!(r#", "Condition": {condition}"#);
        assert_eq!(policy(service, both, &condition), status, "{condition}");
    }
}

#[test]
fn a_token_that_only_eks_auths_clock_finds_expired_is_refused_there() {
    let (status, text) = says(r#", "token": {"ttl_seconds": 3600}, "clock_offset_seconds": 7200"#);
    assert_eq!(status, 400);
    let start =
        format!("[{ID}]: (ExpiredTokenException): The token included in the request is expired: current ");
    assert!(text.starts_with(&start), "{text}");
    assert_eq!(
        says(r#", "token": {"age_seconds": 90000}"#).1,
        "Service account token failed basic claim validations: token is expired"
    );
}

#[test]
fn a_token_without_its_pod_stops_new_agents_themselves() {
    let token = r#", "token": {"claims": {"kubernetes.io": {"pod": null}}}"#;
    let text = "failed to get pod uid from service account token: token missing pod claims";
    assert_eq!(says(token), (500, text.into()));
    let (status, text) = says(&format!(r#"{token}, "agent": {{"version": "old"}}"#));
    assert!(status == 500 && text.contains("InvalidTokenException"), "{text}");
}

#[test]
fn the_host_is_looked_at_before_the_token_and_without_its_port() {
    let world = world("");
    let token = token(&world);
    for host in [HOST, "169.254.170.23:80", "[fd00:ec2::23]", "[fd00:ec2::23]:80"] {
        assert_eq!(ask(&world, PATH, host, Some(&token)).status, 200, "{host}");
    }
    for (host, name) in [("agent.local:80", "agent.local"), ("localhost", "localhost"), ("", "")] {
        let text = format!(
            "Access Denied. Called agent through invalid address, please use either [169.254.170.23 fd00:ec2::23] address not {name}"
        );
        assert_eq!(ask(&world, PATH, host, None), Answer::text(403, text));
    }
    let empty = Answer::text(400, "Service account token cannot be empty");
    assert_eq!(ask(&world, PATH, HOST, None), empty);
    assert_eq!(ask(&world, "/", HOST, None), Answer::text(404, "404 page not found"));
}

#[test]
fn the_record_tells_a_raw_token_from_a_bearer() {
    let world = world("");
    let token = token(&world);
    ask(&world, PATH, HOST, None);
    ask(&world, PATH, HOST, Some(&format!("Bearer {token}")));
    ask(&world, PATH, HOST, Some(&token));
    let record = world.record.edit();
    let seen: Vec<_> =
        record.agent_requests.iter().map(|seen| (seen.authorized, seen.raw_jwt, seen.status)).collect();
    assert_eq!(seen, [(false, false, 400), (true, false, 400), (true, true, 200)]);
}

/// The answer where the association has a target role in another account. The arguments are further fields of each part.
fn with_target(association: &str, source: &str, target: &str) -> (u16, String) {
    says(&format!(
        r#", "agent": {{"associations": [{{"target_role_arn": "arn:aws:iam::444455556666:role/automation" {association}}}]}},
            "accounts": [
                {{"roles": [{{"name": "checkout-reader" {source}}}]}},
                {{"id": "444455556666", "providers": [], "roles": [{{"name": "automation" {target}}}]}}
            ]"#
    ))
}

/// A trust policy of the target role. SOURCE as principal is the association's own role.
fn trusting(principal: &str, action: &str, condition: &str) -> String {
    format!(
        r#", "trust_policy": {{"Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": {action} {condition}}}}}"#
    )
}

const SOURCE: &str = r#"{"AWS": "arn:aws:iam::814203749616:role/checkout-reader"}"#;
const BOTH: &str = r#"["sts:AssumeRole", "sts:TagSession"]"#;

#[test]
fn the_target_trusts_the_associations_role_and_the_pod_has_the_target() {
    let (status, body) = with_target("", "", &trusting(SOURCE, BOTH, ""));
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""AccountId":"444455556666""#), "{body}");
    let refused = (400, format!("[{ID}]: (AccessDeniedException): {UNAUTHORIZED}, fault: client"));
    for target in [
        // None of these admits the association's role with its tags.
        trusting(r#"{"AWS": "arn:aws:iam::814203749616:role/other"}"#, BOTH, ""),
        trusting(r#"{"Service": "pods.eks.amazonaws.com"}"#, BOTH, ""),
        trusting(SOURCE, r#""sts:AssumeRole""#, ""),
    ] {
        assert_eq!(with_target("", "", &target), refused, "{target}");
    }
    // The association's own role trusts nobody, so the first hop already fails.
    let nobody = r#", "trust_policy": {"Statement": []}"#;
    assert_eq!(with_target("", nobody, &trusting(SOURCE, BOTH, "")), refused);
}

#[test]
fn without_tags_the_target_need_not_allow_them_and_sees_none() {
    let target = trusting(SOURCE, r#""sts:AssumeRole""#, "");
    assert_eq!(with_target(r#", "disable_session_tags": true"#, "", &target).0, 200);
    let by_tag = r#", "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}}"#;
    let target = trusting(SOURCE, BOTH, by_tag);
    assert_eq!(with_target("", "", &target).0, 200);
    assert_eq!(with_target(r#", "disable_session_tags": true"#, "", &target).0, 400);
    let transitive = trusting(
        SOURCE,
        BOTH,
        r#", "Condition": {"ForAnyValue:StringEquals": {"sts:TransitiveTagKeys": "kubernetes-namespace"}}"#,
    );
    assert_eq!(with_target("", "", &transitive).0, 200);
}

#[test]
fn the_target_may_ask_for_the_external_id() {
    let of = |id: &str| {
        trusting(SOURCE, BOTH, &format!(r#", "Condition": {{"StringEquals": {{"sts:ExternalId": "{id}"}}}}"#))
    };
    assert_eq!(with_target("", "", &of("eu-west-1/814203749616/prod/shop/checkout")).0, 200);
    assert_eq!(with_target("", "", &of("eu-west-1/814203749616/prod/shop/payment")).0, 400);
    assert_eq!(with_target(r#", "external_id": "x""#, "", &of("x")).0, 200);
}

#[test]
fn from_another_account_the_source_must_be_allowed_too() {
    let may = |action: &str, resource: &str| {
        let policy = format!(
            r#", "policy": {{"Statement": {{"Effect": "Allow", "Action": {action}, "Resource": "{resource}"}}}}"#
        );
        with_target("", &policy, &trusting(SOURCE, BOTH, "")).0
    };
    assert_eq!(may(BOTH, "arn:aws:iam::444455556666:role/automation"), 200);
    assert_eq!(may(r#""sts:AssumeRole""#, "*"), 400);
    assert_eq!(may(BOTH, "arn:aws:iam::444455556666:role/other"), 400);
}

#[test]
fn without_tags_eks_needs_one_action_and_presents_no_tag() {
    let policy = |action: &str, condition: &str| {
        let trust = trusting(r#"{"Service": "pods.eks.amazonaws.com"}"#, action, condition);
        says(&format!(
            r#", "agent": {{"associations": [{{"disable_session_tags": true, "policy": {{"Statement": []}}}}]}},
                "accounts": [{{"roles": [{{"name": "checkout-reader" {trust}}}]}}]"#
        ))
        .0
    };
    assert_eq!(policy(r#""sts:AssumeRole""#, ""), 200);
    let by_tag = r#", "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}}"#;
    assert_eq!(policy(BOTH, by_tag), 400);
}

#[test]
fn agents_from_0_2_on_look_at_audience_and_claims_themselves() {
    let says = |fields: &str| says(&format!(r#"{fields}, "agent": {{"version": "0.2"}}"#));
    assert_eq!(says("").0, 200);
    let failed = |text: &str| (400, format!("Service account token failed claim validations: {text}"));
    assert_eq!(
        says(r#", "token": {"claims": {"aud": ["sts.amazonaws.com"]}}"#),
        failed("invalid audience: expected pods.eks.amazonaws.com")
    );
    assert_eq!(
        says(r#", "token": {"claims": {"kubernetes.io": {"pod": null}}}"#),
        failed("missing claim: kubernetes.io/pod")
    );
    // The answers of EKS Auth come through as before.
    let (status, text) = says(r#", "accounts": [{"roles": []}]"#);
    assert_eq!(
        (status, text),
        (400, format!("[{ID}]: (AccessDeniedException): {UNAUTHORIZED}, fault: client"))
    );
}

#[test]
fn an_agent_without_credentials_of_its_own_says_who_failed() {
    let says = |version: &str| {
        says(&format!(r#", "agent": {{"version": "{version}", "without_node_credentials": true}}"#))
    };
    let end = "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, get identity: \
               get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: \
               GetMetadata, canceled, context deadline exceeded";
    assert_eq!(says("new"), (500, format!("error getting credentials to cache: {end}")));
    let chained = "error getting credentials to cache: chained retriever: all delegates failed: ";
    assert_eq!(says("0.2"), (500, format!("{chained}{end}")));
}
