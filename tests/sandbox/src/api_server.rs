//! The API server as far as a pod needs it: the issuer's documents for callers with a token of the cluster, and the patch of
//! the pod's conditions. `eks` answers for tokens of IAM identities, and `launch` mounts what a pod needs to call it.

use hyper::header;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    eks,
    error::Result,
    issuer::{Issuer, Minted},
    jwt::{Jwt, Signature},
    scenario::{ApiServer, NAMESPACE, POD, POD_UID, Token},
    sts,
    world::World,
};

/// The default of upstream Kubernetes. EKS would accept the issuer's URL as well.
const AUDIENCE: &str = "https://kubernetes.default.svc";
/// The lifetime that the kubelet asks for. The API server gives a year instead, for old clients that never read the file again,
/// and warns after this time.
const WARN_AFTER_SECONDS: i64 = 3607;
const YEAR_SECONDS: i64 = 31_536_000;

/// The token at `/var/run/secrets/kubernetes.io/serviceaccount`, for the service account of the pod's other token.
pub(crate) fn mint_token(issuer: &Issuer, other: &Token, now: OffsetDateTime) -> Result<Minted> {
    let mut token = Token { ttl_seconds: YEAR_SECONDS, ..Token::default() };
    let issued_at = now.unix_timestamp() - token.age_seconds;
    if let Some(subject) = other.claims.get("sub") {
        token.claims.insert("sub".into(), subject.clone());
    }
    token.claims.insert("aud".into(), json!([AUDIENCE]));
    token.claims.insert("kubernetes.io".into(), json!({"warnafter": issued_at + WARN_AFTER_SECONDS}));
    issuer.mint(&token, now)
}

/// Status and body of the answer.
pub(crate) fn answer(world: &World, request: &sts::Request<'_>) -> (u16, Value) {
    let Some(api_server) = world.api_server() else {
        return refusal(404, "NotFound");
    };
    let bearer = request.headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = bearer.and_then(|header| header.strip_prefix("Bearer "));
    if let (Some(eks), Some(token)) = (&api_server.eks, token.filter(|token| token.starts_with(eks::PREFIX)))
    {
        return eks::answer(world, eks, token, request);
    }
    if !is_authentic(&world.issuer, request) {
        return refusal(401, "Unauthorized");
    }
    match request.path {
        "/.well-known/openid-configuration" | "/openid/v1/jwks" if api_server.forbidden => {
            refusal(403, "Forbidden")
        }
        "/.well-known/openid-configuration" => (
            200,
            json!({
                "issuer": world.issuer.url(),
                "jwks_uri": format!("{}/keys", world.issuer.url()),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }),
        ),
        "/openid/v1/jwks" => (200, world.issuer.keys()),
        path if request.method == "PATCH" => patched(world, api_server, path, request),
        _ => refusal(404, "NotFound"),
    }
}

/// Handles a strategic merge patch of the pod's conditions: checks path, media type and uid, then records the conditions.
fn patched(world: &World, api_server: &ApiServer, path: &str, request: &sts::Request<'_>) -> (u16, Value) {
    world.record.edit().patches.push(String::from_utf8_lossy(request.body).into_owned());
    if let Some(status) = api_server.refuses_patch {
        let (code, mut said) = refusal(status, "Refused");
        // A proxy in front of the API server may repeat requests or parts of them.
        let authorization = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let tail = authorization.unwrap_or_default().chars().rev().take(200).collect::<Vec<_>>();
        said["message"] = format!("refused …{}", tail.iter().rev().collect::<String>()).into();
        return (code, said);
    }
    if path != format!("/api/v1/namespaces/{NAMESPACE}/pods/{POD}/status") {
        return refusal(404, "NotFound");
    }
    let media_type = request.headers.get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
    if media_type != Some(b"application/strategic-merge-patch+json") {
        return refusal(415, "UnsupportedMediaType");
    }
    let Ok(patch) = serde_json::from_slice::<Value>(request.body) else {
        return refusal(400, "BadRequest");
    };
    if patch["metadata"]["uid"].as_str().is_some_and(|uid| uid != POD_UID) {
        return refusal(409, "Conflict");
    }
    let Some(conditions) = patch["status"]["conditions"].as_array() else {
        return refusal(422, "Invalid");
    };
    let mut record = world.record.edit();
    record.condition = conditions.last().cloned();
    record.conditions.extend(conditions.iter().cloned());
    (200, json!({"kind": "Pod", "metadata": {"name": POD, "namespace": NAMESPACE, "uid": POD_UID}}))
}

fn is_authentic(issuer: &Issuer, request: &sts::Request<'_>) -> bool {
    let header = request.headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).and_then(Jwt::parse);
    token.is_some_and(|token| {
        token.verify(&issuer.keys()) == Signature::Valid
            && token.audiences() == [AUDIENCE]
            && token.number("exp").is_some_and(|exp| exp > OffsetDateTime::now_utc().unix_timestamp())
    })
}

fn refusal(code: u16, reason: &str) -> (u16, Value) {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code});
    (code, status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::Key,
        registry::Registry,
        scenario::{Scenario, SignWith},
    };
    use hyper::{HeaderMap, header::HeaderValue};

    fn world(scenario: &str) -> World {
        let scenario = Scenario::parse("test", scenario).unwrap();
        let registry = Registry::of(&scenario).unwrap();
        let other = Some(Key::generate().unwrap());
        let issuer = Issuer::new(Key::generate().unwrap(), other, scenario.issuer.clone());
        World::new(scenario, registry, issuer)
    }

    fn ask(world: &World, path: &str, token: Option<&str>) -> (u16, Value) {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            headers.insert(header::AUTHORIZATION, value);
        }
        answer(world, &sts::Request { method: "GET", path, query: "", headers: &headers, body: b"" })
    }

    #[test]
    fn the_mounted_token_gets_keys_that_the_public_lacks() {
        let world = world(r#"{"api_server": {}, "issuer": {"drop_kid": true}}"#);
        let minted = mint_token(&world.issuer, &Token::default(), OffsetDateTime::now_utc()).unwrap();
        let (status, keys) = ask(&world, "/openid/v1/jwks", Some(&minted.jwt));
        assert_eq!(status, 200);
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        assert_eq!(jwt.verify(&keys), Signature::Valid);
        let iat = jwt.number("iat").unwrap();
        assert_eq!(jwt.number("exp"), Some(iat + YEAR_SECONDS));
        assert_eq!(jwt.claims["kubernetes.io"]["warnafter"], json!(iat + WARN_AFTER_SECONDS));
        assert_eq!(ask(&world, "/api", Some(&minted.jwt)).0, 404);
    }

    #[test]
    fn without_a_token_with_the_one_for_sts_or_a_forged_one_it_answers_401() {
        let world = world(r#"{"api_server": {}}"#);
        let mint = |token: Token| world.issuer.mint(&token, OffsetDateTime::now_utc()).unwrap().jwt;
        let claims = json!({"aud": [AUDIENCE]}).as_object().unwrap().clone();
        let forged = mint(Token { claims, sign_with: SignWith::OtherKey, ..Token::default() });
        let for_sts = mint(Token::default());
        for token in [None, Some(for_sts.as_str()), Some(&forged), Some("x")] {
            assert_eq!(ask(&world, "/openid/v1/jwks", token).0, 401, "{token:?}");
        }
    }

    fn patch(world: &World, path: &str, body: &Value) -> u16 {
        let minted = mint_token(&world.issuer, &Token::default(), OffsetDateTime::now_utc()).unwrap();
        let mut headers = HeaderMap::new();
        let authorization = HeaderValue::from_str(&format!("Bearer {}", minted.jwt)).unwrap();
        headers.insert(header::AUTHORIZATION, authorization);
        let media_type = HeaderValue::from_static("application/strategic-merge-patch+json");
        headers.insert(header::CONTENT_TYPE, media_type);
        let body = body.to_string();
        let request =
            sts::Request { method: "PATCH", path, query: "", headers: &headers, body: body.as_bytes() };
        answer(world, &request).0
    }

    #[test]
    fn a_patch_needs_the_pods_name_and_uid() {
        let world = world(r#"{"api_server": {}}"#);
        let own = format!("/api/v1/namespaces/{NAMESPACE}/pods/{POD}/status");
        let body = |uid: &str| json!({"metadata": {"uid": uid}, "status": {"conditions": [{"type": "a/b"}]}});
        assert_eq!(patch(&world, &own, &body(POD_UID)), 200);
        assert_eq!(patch(&world, &own, &body("another")), 409);
        assert_eq!(patch(&world, "/api/v1/namespaces/shop/pods/other/status", &body(POD_UID)), 404);
        assert_eq!(patch(&world, &own, &json!({"spec": {}})), 422);
        assert_eq!(world.record.edit().conditions, [json!({"type": "a/b"})]);
    }

    #[test]
    fn without_the_role_binding_it_answers_403() {
        let world = world(r#"{"api_server": {"forbidden": true}}"#);
        let minted = mint_token(&world.issuer, &Token::default(), OffsetDateTime::now_utc()).unwrap();
        assert_eq!(ask(&world, "/.well-known/openid-configuration", Some(&minted.jwt)).0, 403);
    }
}
