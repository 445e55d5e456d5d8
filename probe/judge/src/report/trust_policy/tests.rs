//! What all tests of `trust` need: one pod's evidence, and policies as JSON.

mod answer;
mod common_mistakes;
mod documents;
mod fix;
mod operators;
mod pod_identity;
mod properties;

use super::*;
use crate::evidence::{Evidence, Token};
use serde_json::json;

pub(super) const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/5F8C2A91D3E74B06A1B2C3D4E5F60718";
pub(super) const OTHER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/00000000000000000000000000000000";
pub(super) const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";
pub(super) const SUBJECT: &str = "system:serviceaccount:shop:checkout";
pub(super) const NOW: i64 = 1_764_000_000;

pub(super) fn token() -> Token {
    Token {
        shape: TokenShape::Jwt,
        length: 900,
        alg: Some("RS256".to_owned()),
        iss: Some(format!("https://{ISSUER}")),
        sub: Some(SUBJECT.to_owned()),
        aud: vec!["sts.amazonaws.com".to_owned()],
        exp: Some(NOW + 80_000),
        iat: Some(NOW - 400),
        namespace: Some("shop".to_owned()),
        service_account: Some("checkout".to_owned()),
        ..Token::default()
    }
}

pub(super) fn evidence(token: Token) -> Evidence {
    let mut evidence = Evidence { token: Some(token), ..Evidence::default() };
    for (name, value) in [
        ("AWS_ROLE_ARN", ROLE),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ROLE_SESSION_NAME", "checkout-7d9c"),
    ] {
        evidence.environment.variables.insert(name.to_owned(), value.to_owned());
    }
    evidence.environment.options.no_network = true;
    evidence
}

pub(super) fn context() -> Context {
    context_of(token())
}

pub(super) fn context_of(token: Token) -> Context {
    Context::of(&evidence(token), RoleArn::parse(ROLE).ok(), NOW).unwrap()
}

pub(super) fn provider() -> String {
    format!("arn:aws:iam::814203749616:oidc-provider/{ISSUER}")
}

/// The statement that matches, for tests to modify.
pub(super) fn good() -> serde_json::Value {
    json!({
        "Effect": "Allow",
        "Principal": {"Federated": provider()},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{ISSUER}:sub"): SUBJECT, format!("{ISSUER}:aud"): "sts.amazonaws.com"}},
    })
}

pub(super) fn good_with(element: &str, value: serde_json::Value) -> serde_json::Value {
    let mut statement = good();
    statement[element] = value;
    statement
}

pub(super) fn document(statements: &[serde_json::Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

pub(super) fn policy(statements: &[serde_json::Value]) -> Policy {
    Policy::parse(document(statements).as_bytes()).unwrap()
}
