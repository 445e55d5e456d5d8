//! The verifier against AWS's published example and against the SDK's signer.
//! Each refusal changes one detail of a request that passes.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use hyper::{HeaderMap, header::HeaderName};

use super::*;

const BODY: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";
const KEY_ID: &str = "ASIAEXAMPLEEXAMPLE12";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "sts.eu-west-1.amazonaws.com";

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_306_265).unwrap()
}

fn session() -> Session {
    Session {
        key_id: KEY_ID.into(),
        secret: SECRET.into(),
        token: "token".into(),
        arn: String::new(),
        user_id: String::new(),
        account: String::new(),
        partition: String::new(),
        role_arn: String::new(),
        policy: None,
        transitive_tags: false,
        expiration: now(),
    }
}

fn signed_for(region: &str, service: &str) -> HeaderMap {
    let identity = Credentials::new(KEY_ID, SECRET, Some("token".into()), None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::from(now()))
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", HOST.parse().unwrap());
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let uri = format!("https://{HOST}/");
    let request = SignableRequest::new("POST", &uri, pairs, SignableBody::Bytes(BODY)).unwrap();
    let (instructions, _) = sign(request, &parameters.into()).unwrap().into_parts();
    for (name, value) in instructions.headers() {
        headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    headers
}

fn judged(
    headers: &HeaderMap,
    body: &[u8],
    now: OffsetDateTime,
    known: bool,
) -> Result<(), (String, String)> {
    let request = Request { method: "POST", path: "/", query: "", headers, body };
    verify(&request, "sts", Some("eu-west-1"), now, |_| known.then(session))
        .map(|_| ())
        .map_err(|refusal| (refusal.code, refusal.message))
}

#[test]
fn what_the_sdk_signs_is_accepted() {
    assert_eq!(judged(&signed_for("eu-west-1", "sts"), BODY, now(), true), Ok(()));
}

/// The string to sign and the key of AWS's documentation: `iam`, `ListUsers`, 20150830.
#[test]
fn awss_published_example_has_the_published_signature() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "iam.amazonaws.com".parse().unwrap());
    headers.insert("content-type", "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap());
    headers.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
    let query = "Version=2010-05-08&Action=ListUsers";
    let request = Request { method: "GET", path: "/", query, headers: &headers, body: b"" };
    let authorization = Authorization::parse(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    )
    .unwrap();
    let signature =
        authorization.sign(&request, "20150830T123600Z", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    assert_eq!(signature, authorization.signature);
}

#[test]
fn a_changed_body_or_header_does_not_match() {
    let headers = signed_for("eu-west-1", "sts");
    assert_eq!(
        judged(&headers, b"Action=GetSessionToken", now(), true).unwrap_err().0,
        "SignatureDoesNotMatch"
    );
    let mut headers = headers;
    headers.insert("x-amz-security-token", "another".parse().unwrap());
    assert_eq!(judged(&headers, BODY, now(), true).unwrap_err().0, "SignatureDoesNotMatch");
}

#[test]
fn an_unknown_key_is_no_client() {
    assert_eq!(
        judged(&signed_for("eu-west-1", "sts"), BODY, now(), false).unwrap_err().0,
        "InvalidClientTokenId"
    );
}

#[test]
fn five_minutes_either_way_pass_and_a_second_more_does_not() {
    let headers = signed_for("eu-west-1", "sts");
    for offset in [WINDOW, -WINDOW] {
        assert_eq!(judged(&headers, BODY, now() + offset, true), Ok(()));
    }
    let second = Duration::seconds(1);
    assert_eq!(
        judged(&headers, BODY, now() + WINDOW + second, true).unwrap_err().1,
        "Signature expired: 20261122T001105Z is now earlier than 20261122T001106Z (20261122T001606Z - 5 min.)"
    );
    assert_eq!(
        judged(&headers, BODY, now() - WINDOW - second, true).unwrap_err().1,
        "Signature not yet current: 20261122T001105Z is still later than 20261122T001104Z (20261122T000604Z + 5 min.)"
    );
}

#[test]
fn another_scope_is_refused_by_name() {
    let text = |region, service| judged(&signed_for(region, service), BODY, now(), true).unwrap_err().1;
    assert_eq!(text("eu-west-2", "sts"), "Credential should be scoped to a valid region");
    assert_eq!(text("eu-west-1", "iam"), "Credential should be scoped to correct service: 'sts'.");
}

#[test]
fn what_must_be_signed_is_signed() {
    let mut headers = signed_for("eu-west-1", "sts");
    let value = headers["authorization"].to_str().unwrap().replace(";host;", ";");
    headers.insert("authorization", value.parse().unwrap());
    assert!(judged(&headers, BODY, now(), true).unwrap_err().1.contains("must be 'SignedHeader's"));
    headers.remove("authorization");
    assert_eq!(judged(&headers, BODY, now(), true).unwrap_err().0, "MissingAuthenticationToken");
    headers.insert("authorization", "Bearer x".parse().unwrap());
    assert_eq!(judged(&headers, BODY, now(), true).unwrap_err().0, "IncompleteSignature");
}
