//! The API server, as far as a pod needs it to verify a token: the issuer's documents for whoever shows a token of the cluster.
//! What is mounted to speak to it is `launch`'s.

use hyper::header;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    error::Result,
    issuer::{Issuer, Minted},
    jwt::{Jwt, Signature},
    scenario::Token,
    sts,
    world::World,
};

/// Upstream's; the issuer's URL would do on EKS as well.
const AUDIENCE: &str = "https://kubernetes.default.svc";
/// Asked for by kubelet; old clients that never read the file again are given a year, and a warning after this.
const WARN_AFTER_SECONDS: i64 = 3607;
const YEAR_SECONDS: i64 = 31_536_000;

/// The token at `/var/run/secrets/kubernetes.io/serviceaccount`, for the account that the pod's other token is for.
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

/// Status and body.
pub(crate) fn answer(world: &World, request: &sts::Request<'_>) -> (u16, Value) {
    let Some(api_server) = &world.scenario.api_server else {
        return refusal(404, "NotFound");
    };
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
        _ => refusal(404, "NotFound"),
    }
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

    #[test]
    fn without_the_role_binding_it_answers_403() {
        let world = world(r#"{"api_server": {"forbidden": true}}"#);
        let minted = mint_token(&world.issuer, &Token::default(), OffsetDateTime::now_utc()).unwrap();
        assert_eq!(ask(&world, "/.well-known/openid-configuration", Some(&minted.jwt)).0, 403);
    }
}
