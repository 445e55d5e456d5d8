//! EKS's authenticator and RBAC in front of the API server: it really verifies presigned tokens, and answers reviews.
//! Written from aws-iam-authenticator's `pkg/token/token.go`; `sts` verifies the signatures.

pub(crate) mod access;

use std::sync::atomic::{AtomicU32, Ordering};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{HeaderMap, header, header::HeaderValue};
use serde_json::{Value, json};

use crate::{
    clock,
    scenario::eks::{Eks, Mode, User},
    session::Session,
    sts,
    world::World,
};

/// How EKS tokens begin.
pub(crate) const PREFIX: &str = "k8s-aws-v1.";
const LONGEST: usize = 4_096;
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
const ALLOWED: &[&str] = &[
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];
const LIFE_SECONDS: i64 = 15 * 60;

static REFUSED: AtomicU32 = AtomicU32::new(0);

/// Status and body of the answer to a request with the token of an IAM identity.
pub(crate) fn answer(world: &World, eks: &Eks, token: &str, request: &sts::Request<'_>) -> (u16, Value) {
    world.record.secret(token);
    if let Some(status) = eks.status {
        return (
            status,
            json!({"kind": "Status", "status": "Failure", "message": echo(token), "code": status}),
        );
    }
    let throttled = eks.throttled_times > REFUSED.load(Ordering::Relaxed);
    if throttled {
        REFUSED.fetch_add(1, Ordering::Relaxed);
    }
    // The API server does not tell a caller why it refuses.
    let Some((user, session)) = (if throttled { None } else { authenticated(world, eks, token) }) else {
        return (
            401,
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}),
        );
    };
    let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
    match (request.method, request.path) {
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews")
            if !eks.before_1_28 && body["kind"] == "SelfSubjectReview" =>
        {
            (
                201,
                json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "status": {"userInfo": info(&user, &session)}}),
            )
        }
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
            if body["kind"] == "SelfSubjectAccessReview" =>
        {
            let allowed = eks.allows.contains(&asked(&body["spec"]["resourceAttributes"]));
            (
                201,
                json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": body["spec"], "status": {"allowed": allowed}}),
            )
        }
        _ => (
            404,
            json!({"kind": "Status", "status": "Failure", "message": "the server could not find the requested resource", "reason": "NotFound", "code": 404}),
        ),
    }
}

/// The answer to the TokenReview of a real API server that asks this authenticator.
pub(crate) fn review(world: &World, eks: &Eks, asked: &Value) -> Value {
    let token = asked["spec"]["token"].as_str().unwrap_or_default();
    world.record.secret(token);
    let status = match authenticated(world, eks, token) {
        Some((user, session)) => json!({"authenticated": true, "user": info(&user, &session)}),
        None => json!({"authenticated": false}),
    };
    json!({"apiVersion": asked["apiVersion"], "kind": "TokenReview", "status": status})
}

fn authenticated(world: &World, eks: &Eks, token: &str) -> Option<(User, Session)> {
    let session = verify(world, eks, token).ok()?;
    Some((mapped(eks, &session)?, session))
}

/// A proxy in front of the API server may repeat each request.
fn echo(token: &str) -> String {
    let tail = token.get(token.len().saturating_sub(200)..).unwrap_or_default();
    format!("no backend for the bearer …{tail}")
}

fn info(user: &User, session: &Session) -> Value {
    let mut groups = user.groups.clone();
    groups.push("system:authenticated".into());
    let key_id = session.key_id.as_str();
    json!({
        "username": user.username,
        "uid": format!("aws-iam-authenticator:{}:{}", session.account, session.user_id),
        "groups": groups,
        "extra": {
            "accessKeyId": [key_id],
            "arn": [session.arn],
            "canonicalArn": [canonical(session)],
            "principalId": [session.user_id],
            "sessionName": [session.arn.rsplit('/').next()],
        },
    })
}

/// A permission in the form that a scenario uses.
fn asked(attributes: &Value) -> String {
    let of = |name: &str| attributes[name].as_str().unwrap_or_default();
    let behind =
        |mark: &str, text: &str| if text.is_empty() { String::new() } else { format!("{mark}{text}") };
    let resource =
        format!("{}{}{}", of("resource"), behind(".", of("group")), behind("/", of("subresource")));
    format!("{}:{resource}{}", of("verb"), behind(":", of("namespace")))
}

/// `arn:aws:sts::A:assumed-role/NAME/SESSION` in the form that the authenticator compares.
fn canonical(session: &Session) -> String {
    let name = session.arn.split('/').nth(1).unwrap_or_default();
    let partition = session.arn.split(':').nth(1).unwrap_or_default();
    format!("arn:{partition}:iam::{}:role/{name}", session.account)
}

fn mapped(eks: &Eks, session: &Session) -> Option<User> {
    if !eks.aws_auth.is_empty() || !eks.access_entries.is_empty() {
        let entries = if eks.stale { &[] } else { eks.access_entries.as_slice() };
        return access::evaluate(&eks.aws_auth, entries, eks.mode, &session.arn);
    }
    let canonical = canonical(session);
    let by_entry = || eks.by_entry.get(&canonical).filter(|_| !eks.stale).cloned();
    let by_line = || eks.by_line.get(&canonical).cloned();
    let by_account = || {
        eks.accounts
            .contains(&session.account)
            .then(|| User { username: canonical.clone(), groups: Vec::new() })
    };
    let of_entries = if eks.mode == Mode::ConfigMap { None } else { by_entry() };
    of_entries.or_else(|| if eks.mode == Mode::Api { None } else { by_line().or_else(by_account) })
}

/// The URL of a token, if its host and path are those of STS. Clusters here are of partition `aws`.
fn presigned_url(text: &str) -> Result<http::Uri, String> {
    // `http::Uri` reads a missing path as `/`, and Go does not.
    let has_path = text.split('?').next().is_some_and(|before| before.matches('/').count() == 3);
    let url: http::Uri = text.parse().map_err(|_| "no URL")?;
    let host = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    if url.scheme_str() != Some("https") || url.path() != "/" || !has_path {
        return Err("unexpected scheme or path in pre-signed URL".into());
    }
    let endpoint = sts::Endpoint::of(host).filter(|_| !host.starts_with("vpce-"));
    match endpoint.map(|endpoint| endpoint.partition) {
        // GovCloud's hosts have the same suffixes.
        Some("aws" | "aws-us-gov") => Ok(url),
        Some(_) => Err(format!("partition {{aws}} does not support hostname {host}")),
        None => Err(format!("unexpected hostname {host:?} in pre-signed URL")),
    }
}

/// The session of the token, or why there is none. Only a log has the reason; callers do not see it.
fn verify(world: &World, eks: &Eks, token: &str) -> Result<Session, String> {
    if token.len() > LONGEST {
        return Err("token is too large".into());
    }
    let encoded = token.strip_prefix(PREFIX).ok_or("another prefix")?;
    let url = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| error.to_string())?;
    let url = presigned_url(&String::from_utf8(url).map_err(|_| "no text")?)?;
    let host = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let query = url.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut seen = Vec::new();
    for (name, _) in &pairs {
        let name = name.to_ascii_lowercase();
        if !ALLOWED.contains(&name.as_str()) {
            return Err(format!("non-whitelisted query parameter {name:?}"));
        }
        if seen.contains(&name) {
            return Err(format!("duplicate query parameter {name:?}"));
        }
        seen.push(name);
    }
    let get = |wanted: &str| {
        let pair = pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        pair.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    if get("action") != "GetCallerIdentity" {
        return Err("unexpected action parameter in pre-signed URL".into());
    }
    if !get("x-amz-signedheaders").split(';').any(|name| name.eq_ignore_ascii_case(CLUSTER_HEADER)) {
        return Err(format!("client did not sign the {CLUSTER_HEADER} header in the pre-signed URL"));
    }
    if !get("x-amz-expires").parse::<i64>().is_ok_and(|seconds| (0..=900).contains(&seconds)) {
        return Err("invalid X-Amz-Expires parameter in pre-signed URL".into());
    }
    let date = clock::parse_basic(get("x-amz-date")).ok_or("X-Amz-Date parameter must be present")?;
    if (world.clock.now() - date).whole_seconds() > LIFE_SECONDS {
        return Err("X-Amz-Date parameter is expired (15 minute expiration)".into());
    }
    world.record.secret(get("x-amz-signature"));
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    headers.insert(header::HOST, value(host)?);
    headers.insert(CLUSTER_HEADER, value(&eks.name)?);
    let request = sts::Request { method: "GET", path: "/", query, headers: &headers, body: b"" };
    sts::presigned(world, &request).map_err(|refusal| refusal.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As aws-iam-authenticator 81b1daba answers for a cluster of partition `aws`.
    #[test]
    fn a_presigned_url_is_of_an_sts_of_the_partition() {
        for host in [
            "sts.eu-west-1.amazonaws.com",
            "sts.eu-west-1.api.aws",
            "sts.amazonaws.com",
            "sts-fips.us-east-1.amazonaws.com",
            "sts.us-gov-west-1.amazonaws.com",
        ] {
            assert!(presigned_url(&format!("https://{host}/?Action=x")).is_ok(), "{host}");
        }
        for url in [
            "https://sts.eu-west-1.amazonaws.com?Action=x/y",
            "https://sts.eu-west-1.amazonaws.com//?Action=x",
            "https://sts.eu-west-1.amazonaws.com:443/?Action=x",
            "https://sts.eu-west-1.amazonaws.com./?Action=x",
            "https://STS.eu-west-1.amazonaws.com/?Action=x",
            "http://sts.eu-west-1.amazonaws.com/?Action=x",
            "https://sts.cn-north-1.amazonaws.com.cn/?Action=x",
            "https://sts.cn-north-1.api.amazonwebservices.com.cn/?Action=x",
            "https://sts.us-iso-east-1.c2s.ic.gov/?Action=x",
            "https://sts.eusc-de-east-1.amazonaws.eu/?Action=x",
            "https://vpce-0a1b2c3d-x1.sts.eu-west-1.vpce.amazonaws.com/?Action=x",
        ] {
            assert!(presigned_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn texts_are_evaluated_and_results_are_taken_as_they_are() {
        let role = "arn:aws:iam::814203749616:role/checkout-reader";
        let line = format!("- rolearn: {role}\n  username: of-text\n");
        let entry = json!({"accessEntry": {"principalArn": role, "username": "of-answer"}});
        let rows = [
            (json!({}), None),
            (json!({"by_line": {role: {"username": "line"}}}), Some("line")),
            (
                json!({"by_line": {role: {"username": "line"}}, "by_entry": {role: {"username": "entry"}}}),
                Some("entry"),
            ),
            (json!({"mode": "API", "by_line": {role: {"username": "line"}}}), None),
            (json!({"accounts": ["814203749616"]}), Some(role)),
            (json!({"aws_auth": {"mapRoles": line}}), Some("of-text")),
            (json!({"aws_auth": {"mapRoles": line}, "access_entries": [entry]}), Some("of-answer")),
            (
                json!({"aws_auth": {"mapRoles": line}, "access_entries": [entry], "stale": true}),
                Some("of-text"),
            ),
            (json!({"mode": "API", "aws_auth": {"mapRoles": line}}), None),
            (json!({"aws_auth": {"mapRoles": "- \""}}), None),
        ];
        let session = Session {
            key_id: String::new(),
            secret: String::new(),
            token: String::new(),
            arn: "arn:aws:sts::814203749616:assumed-role/checkout-reader/checkout-7d9c".into(),
            user_id: "AROAEXAMPLE:checkout-7d9c".into(),
            account: "814203749616".into(),
            partition: "aws".into(),
            role_arn: String::new(),
            policy: None,
            transitive_tags: false,
            expiration: time::OffsetDateTime::UNIX_EPOCH,
        };
        for (scenario, expected) in rows {
            let eks: Eks = serde_json::from_value(scenario.clone()).unwrap();
            let user = mapped(&eks, &session);
            assert_eq!(user.map(|user| user.username).as_deref(), expected, "{scenario}");
        }
    }
}
