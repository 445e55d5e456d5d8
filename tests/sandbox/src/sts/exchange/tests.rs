//! STS's order: each request fails two checks, and the earlier one answers.
//! Also the texts, which clients match by substring.

use std::sync::LazyLock;

use serde_json::json;
use time::OffsetDateTime;

use super::*;
use crate::{
    issuer::Issuer,
    key::Key,
    registry::Registry,
    scenario::{ISSUER, Scenario},
};

const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";

/// Made once, because making a key takes longer than all of these tests.
static KEYS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [(); 2].map(|()| Key::make().unwrap()));

fn world(scenario: &str) -> World {
    let scenario = Scenario::parse("test", scenario).unwrap();
    let registry = Registry::of(&scenario).unwrap();
    let [key, other] = KEYS.each_ref().map(|pkcs8| Key::from_pkcs8(pkcs8).unwrap());
    let issuer = Issuer::new(key, Some(other), scenario.issuer.clone());
    World::new(scenario, registry, issuer)
}

fn token(world: &World) -> String {
    world.issuer.mint(&world.scenario.token, OffsetDateTime::now_utc()).unwrap().jwt
}

fn ask(world: &World, role: &str, token: &str, more: &[(&str, &str)]) -> Result<String, Refusal> {
    let mut parameters: Parameters =
        [("RoleArn", role), ("RoleSessionName", "test"), ("WebIdentityToken", token)]
            .into_iter()
            .chain(more.iter().copied())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    parameters.insert("Action".into(), "AssumeRoleWithWebIdentity".into());
    assume(world, Endpoint::of("sts.eu-west-1.amazonaws.com").as_ref(), &parameters)
}

/// The answer to the healthy request in this scenario.
fn text(scenario: &str) -> String {
    let world = world(scenario);
    match ask(&world, ROLE, &token(&world), &[]) {
        Ok(_) => "issued".into(),
        Err(refusal) => format!("{} {} {}", refusal.status, refusal.code, refusal.message),
    }
}

#[test]
fn a_healthy_request_is_answered_with_credentials_that_are_remembered() {
    let world = world("{}");
    let result = ask(&world, ROLE, &token(&world), &[]).unwrap();
    assert!(
        result.contains("<Arn>arn:aws:sts::814203749616:assumed-role/checkout-reader/test</Arn>"),
        "{result}"
    );
    assert!(result.contains("<Audience>sts.amazonaws.com</Audience>"));
    let sessions = world.sessions();
    let (key_id, session) = sessions.iter().next().unwrap();
    assert_eq!((key_id.len(), session.secret.len()), (20, 40));
    assert!(session.token.len() > 600);
    assert_eq!(world.record.edit().secrets.len(), 3);
}

#[test]
fn each_refusal_has_its_own_text() {
    const TOKEN: &str = "400 InvalidIdentityToken";
    for (scenario, expected) in [
        ("{}", "issued".to_owned()),
        (r#"{"accounts": [{"providers": []}]}"#, format!("{TOKEN} {GENERIC}")),
        (
            r#"{"accounts": [{"providers": []}], "wording": "old"}"#,
            format!("{TOKEN} No OpenIDConnect provider found in your account for {ISSUER}"),
        ),
        (
            r#"{"token": {"claims": {"aud": ["x"]}}, "wording": "old"}"#,
            format!("{TOKEN} Incorrect token audience"),
        ),
        (r#"{"token": {"claims": {"aud": ["x"]}}}"#, format!("{TOKEN} {GENERIC}")),
        (r#"{"token": {"claims": {"aud": null}}}"#, format!("{TOKEN} Missing a required claim: aud")),
        (r#"{"token": {"claims": {"exp": null}}}"#, format!("{TOKEN} Missing a required claim: exp")),
        (r#"{"token": {"claims": {"iss": null}}}"#, format!("{TOKEN} Missing a required claim: iss")),
        (
            r#"{"token": {"claims": {"aud": ["sts.amazonaws.com", "x"]}}}"#,
            format!(
                "{TOKEN} Token audience contains more than one audience while authorized party is not present"
            ),
        ),
        (r#"{"token": {"claims": {"aud": ["x", "y"], "azp": "sts.amazonaws.com"}}}"#, "issued".into()),
        (r#"{"token": {"sign_with": "other-key"}}"#, format!("{TOKEN} {GENERIC}")),
        (r#"{"token": {"age_seconds": -400}}"#, format!("{TOKEN} Token issued in the future.")),
        (r#"{"token": {"age_seconds": -200}}"#, "issued".into()),
        (r#"{"issuer": {"status": 404}}"#, format!("{TOKEN} {NO_KEY}")),
        (r#"{"issuer": {"drop_kid": true}}"#, format!("{TOKEN} {NO_KEY}")),
        (r#"{"issuer": {"refuse": true}}"#, "issued".into()),
        (r#"{"issuer": {"url": "https://issuer.example"}}"#, "issued".into()),
        (r#"{"regions_not_enabled": ["eu-west-1"]}"#, format!("{TOKEN} {GENERIC}")),
        (
            r#"{"accounts": [{"roles": []}]}"#,
            "403 AccessDenied Not authorized to perform sts:AssumeRoleWithWebIdentity".into(),
        ),
        (
            r#"{"accounts": [{"roles": [{"path": "/team/"}]}]}"#,
            "403 AccessDenied Not authorized to perform sts:AssumeRoleWithWebIdentity".into(),
        ),
    ] {
        assert_eq!(text(scenario), expected, "{scenario}");
    }
}

#[test]
fn an_expired_token_is_told_both_times() {
    let world = world(r#"{"token": {"age_seconds": 500, "ttl_seconds": 600}, "clock_offset_seconds": 200}"#);
    let token = token(&world);
    let exp = Jwt::parse(&token).unwrap().number("exp").unwrap();
    let refusal = ask(&world, ROLE, &token, &[]).unwrap_err();
    assert_eq!(refusal.code, "ExpiredTokenException");
    let now =
        refusal.message.strip_prefix("Token expired: current date/time ").unwrap().split(' ').next().unwrap();
    assert!((99..=102).contains(&(now.parse::<i64>().unwrap() - exp)), "{}", refusal.message);
    assert!(refusal.message.ends_with(&format!("must be before the expiration date/time {exp}")));
}

#[test]
fn expiring_this_second_is_expired_and_in_one_second_is_not() {
    let claims = |exp: i64| json!({"exp": exp, "iat": 0}).as_object().unwrap().clone();
    let world = world("{}");
    let text = token(&world);
    let mut jwt = Jwt::parse(&text).unwrap();
    jwt.claims = claims(100);
    assert!(times(100, &jwt).is_err());
    assert_eq!(times(99, &jwt), Ok(()));
}

#[test]
fn the_earlier_gate_answers() {
    let world = world(r#"{"accounts": [{"providers": [], "roles": []}], "token": {"age_seconds": 90000}}"#);
    let good = token(&world);
    let code =
        |role: &str, token: &str, more: &[(&str, &str)]| ask(&world, role, token, more).unwrap_err().message;
    // The limits come before the token's shape, the shape before the ARN, the ARN before the provider.
    assert!(code("x", "y", &[]).starts_with("2 validation errors"));
    assert!(code("arn:aws:iam::1:role:checkout", "no token", &[]).contains("is not a valid JWT"));
    assert_eq!(code("arn:aws:iam::1:role:checkout", &good, &[]), "Request ARN is invalid");
    assert_eq!(code(ROLE, &good, &[]), GENERIC);
    // The provider comes before the times, the times before the role, the role before the duration.
    let world = self::world(r#"{"accounts": [{"roles": []}], "token": {"age_seconds": 90000}}"#);
    assert_eq!(ask(&world, ROLE, &token(&world), &[]).unwrap_err().code, "ExpiredTokenException");
    let world = self::world(r#"{"accounts": [{"roles": []}]}"#);
    let long = [("DurationSeconds", "7200")];
    assert_eq!(ask(&world, ROLE, &token(&world), &long).unwrap_err().code, "AccessDenied");
    let world = self::world("{}");
    let refusal = ask(&world, ROLE, &token(&world), &long).unwrap_err();
    assert!(refusal.message.contains("MaxSessionDuration"));
    let policy = [("Policy", "{")];
    assert_eq!(ask(&world, ROLE, &token(&world), &policy).unwrap_err().code, "MalformedPolicyDocument");
}

#[test]
fn white_space_behind_a_token_is_told_from_garbage() {
    let world = world("{}");
    let token = token(&world);
    let message = |append: &str| ask(&world, ROLE, &format!("{token}{append}"), &[]).unwrap_err().message;
    assert_eq!(message("\n"), "Provided Token is not a Login With Amazon token");
    assert!(message(" EOF").contains("is not a valid JWT"));
}

#[test]
fn the_accounts_partition_must_be_the_endpoints() {
    let world = world(r#"{"accounts": [{"partition": "aws-cn"}]}"#);
    let role = "arn:aws-cn:iam::814203749616:role/checkout-reader";
    assert_eq!(ask(&world, role, &token(&world), &[]).unwrap_err().message, GENERIC);
}

#[test]
fn an_issuer_of_the_cluster_alone_is_out_of_awss_reach_and_not_of_a_server_in_it() {
    let world = world(r#"{"issuer": {"url": "https://oidc.identity.svc.cluster.local"}}"#);
    let token = token(&world);
    assert_eq!(ask(&world, ROLE, &token, &[]).unwrap_err(), invalid(NO_KEY));
    let parameters = [("RoleArn", ROLE), ("RoleSessionName", "test"), ("WebIdentityToken", token.as_str())];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert!(assume(&world, None, &parameters).is_ok());
}
