//! The cluster's issuer: its keys, the two documents it publishes, and the tokens that the API server mints.
//! The documents are what EKS publishes; the claims are those of Kubernetes 1.32 and later.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    error::Result,
    jwt,
    key::Key,
    scenario::{ISSUER, NAMESPACE, POD, SERVICE_ACCOUNT, SignWith, Token},
};

#[derive(Debug)]
pub(crate) struct Issuer {
    key: Key,
    /// Signs in the issuer's name without being published; made only where a scenario wants it.
    other: Option<Key>,
}

/// A minted token and the time that kubelet would have written it at.
#[derive(Debug)]
pub(crate) struct Minted {
    pub(crate) jwt: String,
    pub(crate) issued_at: OffsetDateTime,
}

impl Issuer {
    pub(crate) fn new(key: Key, other: Option<Key>) -> Self {
        Self { key, other }
    }

    pub(crate) fn host() -> &'static str {
        ISSUER.trim_start_matches("https://").split('/').next().unwrap_or_default()
    }

    /// The document at a path of the issuer's host.
    pub(crate) fn document(&self, path: &str) -> Option<Value> {
        let below =
            path.strip_prefix(ISSUER.trim_start_matches("https://").trim_start_matches(Self::host()))?;
        match below {
            "/.well-known/openid-configuration" => Some(json!({
                "issuer": ISSUER,
                "jwks_uri": format!("{ISSUER}/keys"),
                "authorization_endpoint": "urn:kubernetes:programmatic_authorization",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "claims_supported": ["sub", "iss"],
                "id_token_signing_alg_values_supported": ["RS256"],
            })),
            "/keys" => Some(self.keys()),
            _ => None,
        }
    }

    pub(crate) fn keys(&self) -> Value {
        let (n, e) = self.key.components();
        json!({"keys": [{"kty": "RSA", "kid": self.key.kid, "use": "sig", "alg": "RS256", "n": n, "e": e}]})
    }

    pub(crate) fn mint(&self, token: &Token, now: OffsetDateTime) -> Result<Minted> {
        let iat = now.unix_timestamp().saturating_sub(token.age_seconds);
        let mut claims = json!({
            "aud": ["sts.amazonaws.com"],
            "exp": iat.saturating_add(token.ttl_seconds),
            "iat": iat,
            "iss": ISSUER,
            "jti": "e51f1fbc-4733-4b85-a59f-ba80c0523874",
            "kubernetes.io": {
                "namespace": NAMESPACE,
                "node": {"name": "ip-10-0-3-41.eu-west-1.compute.internal", "uid": "0a9d0e5c-6a34-4a0b-9d0f-51f6a1f6e0c1"},
                "pod": {"name": POD, "uid": "5f1d3c62-8f0e-4f3c-a3f5-0f9c7c1b2d3e"},
                "serviceaccount": {"name": SERVICE_ACCOUNT, "uid": "b7a2c1d0-3e4f-4a5b-8c6d-7e8f9a0b1c2d"},
            },
            "nbf": iat,
            "sub": format!("system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"),
        });
        if let Some(claims) = claims.as_object_mut() {
            merge(claims, &token.claims);
        }
        let input = jwt::signing_input(&json!({"alg": "RS256", "kid": self.key.kid}), &claims);
        let key = match token.sign_with {
            SignWith::Issuer => &self.key,
            SignWith::OtherKey => self.other.as_ref().unwrap_or(&self.key),
        };
        let issued_at = OffsetDateTime::from_unix_timestamp(iat).unwrap_or(now);
        Ok(Minted { jwt: jwt::complete(&input, &key.sign(&input)?), issued_at })
    }
}

/// Lays `changes` over `base`, object by object; `null` takes a member away.
fn merge(base: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, change) in changes {
        match (base.get_mut(name), change) {
            (_, Value::Null) => {
                base.remove(name);
            }
            (Some(Value::Object(below)), Value::Object(change)) => merge(below, change),
            _ => {
                base.insert(name.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{Jwt, Signature};

    fn issuer() -> Issuer {
        Issuer::new(Key::generate().unwrap(), Some(Key::generate().unwrap()))
    }

    #[test]
    fn a_minted_token_verifies_over_the_published_keys() {
        let issuer = issuer();
        let now = OffsetDateTime::now_utc();
        let minted = issuer.mint(&Token::default(), now).unwrap();
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        let keys = issuer.document("/id/EXAMPLED539D4633E53DE1B71EXAMPLE/keys").unwrap();
        assert_eq!(jwt.verify(&keys), Signature::Valid);
        assert_eq!(jwt.number("iat"), Some(now.unix_timestamp() - 300));
        assert_eq!(jwt.number("exp"), Some(now.unix_timestamp() - 300 + 86_400));
        assert_eq!(jwt.text("sub"), Some("system:serviceaccount:shop:checkout"));
    }

    #[test]
    fn the_other_key_signs_under_a_published_kid() {
        let issuer = issuer();
        let token = Token { sign_with: SignWith::OtherKey, ..Token::default() };
        let minted = issuer.mint(&token, OffsetDateTime::now_utc()).unwrap();
        assert_eq!(Jwt::parse(&minted.jwt).unwrap().verify(&issuer.keys()), Signature::Invalid);
    }

    #[test]
    fn claims_are_merged_below_and_null_removes() {
        let issuer = issuer();
        let changes = json!({"exp": null, "kubernetes.io": {"pod": {"uid": "x"}}});
        let token = Token { claims: changes.as_object().unwrap().clone(), ..Token::default() };
        let minted = issuer.mint(&token, OffsetDateTime::now_utc()).unwrap();
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        assert_eq!(jwt.claims.get("exp"), None);
        assert_eq!(jwt.claims["kubernetes.io"]["pod"], json!({"name": POD, "uid": "x"}));
    }

    #[test]
    fn another_path_has_no_document() {
        assert_eq!(issuer().document("/id/OTHER/keys"), None);
        assert_eq!(Issuer::host(), "oidc.eks.eu-west-1.amazonaws.com");
    }
}
