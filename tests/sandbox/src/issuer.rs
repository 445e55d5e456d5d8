//! The cluster's issuer: its keys, the two documents it publishes, and the tokens that the API server mints.
//! The documents are what EKS publishes, or what a scenario makes of them; the claims are those of Kubernetes 1.32 and later.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    error::Result,
    jwt,
    key::Key,
    scenario::{self, NAMESPACE, POD, POD_UID, SERVICE_ACCOUNT, SignWith, Token},
};

#[derive(Debug)]
pub(crate) struct Issuer {
    key: Key,
    /// Signs in the issuer's name without being published; made only where a scenario wants it.
    other: Option<Key>,
    /// Of a cluster that signs for itself; this issuer's own key then stands for nothing.
    foreign_keys: Option<Value>,
    site: scenario::Issuer,
}

/// A minted token and the time that kubelet would have written it at.
#[derive(Debug)]
pub(crate) struct Minted {
    pub(crate) jwt: String,
    pub(crate) issued_at: OffsetDateTime,
}

/// What a path of the issuer's host answers.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Without these STS takes no discovery document (IAM user guide, OIDC provider prerequisites).
const NEEDED: &[&str] = &[
    "issuer",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];
/// More than any client should read.
const HUGE: usize = 1024 * 1024;

impl Document {
    fn json(status: u16, value: &Value) -> Self {
        Self { status, content_type: "application/json", body: value.to_string() }
    }
}

impl Issuer {
    pub(crate) fn new(key: Key, other: Option<Key>, site: scenario::Issuer) -> Self {
        Self { key, other, foreign_keys: None, site }
    }

    /// Publishes these instead of its own.
    pub(crate) fn with_keys(self, keys: Value) -> Self {
        Self { foreign_keys: Some(keys), ..self }
    }

    pub(crate) fn host(&self) -> &str {
        self.site.host()
    }

    pub(crate) fn url(&self) -> &str {
        &self.site.url
    }

    /// What anyone gets at a path of the issuer's host.
    pub(crate) fn document(&self, path: &str) -> Document {
        let content = match path.strip_prefix(self.site.path()) {
            Some("/.well-known/openid-configuration") => self.discovery(),
            Some("/keys") => self.published_keys(),
            _ => return Document::json(404, &json!({"message": "Not Found"})),
        };
        if let Some(status) = self.site.status {
            return Document::json(status, &json!({"message": "no"}));
        }
        if self.site.html {
            let body = "<!DOCTYPE html><html><body>Sign in to continue</body></html>".into();
            return Document { status: 200, content_type: "text/html", body };
        }
        Document::json(200, &content)
    }

    fn discovery(&self) -> Value {
        let mut document = json!({
            "issuer": self.site.wrong_issuer.as_deref().unwrap_or(self.url()),
            "jwks_uri": format!("{}/keys", self.url().trim_end_matches('/')),
            "authorization_endpoint": "urn:kubernetes:programmatic_authorization",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "claims_supported": ["sub", "iss"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        if let (Some(document), Some(field)) = (document.as_object_mut(), &self.site.missing_field) {
            document.remove(field);
        }
        document
    }

    fn published_keys(&self) -> Value {
        let mut document = self.keys();
        if self.site.drop_kid {
            // Rotated away: what is left has another name.
            document["keys"][0]["kid"] = json!(self.key.kid.chars().rev().collect::<String>());
        }
        if self.site.huge {
            document["padding"] = json!("x".repeat(HUGE));
        }
        document
    }

    /// What STS verifies with: nothing where it can make nothing of what is published.
    pub(crate) fn keys_for_sts(&self) -> Option<Value> {
        let site = &self.site;
        let lacks = site.missing_field.as_deref().is_some_and(|field| NEEDED.contains(&field));
        let broken = lacks || site.wrong_issuer.is_some() || site.status.is_some() || site.html || site.huge;
        (!broken).then(|| self.published_keys())
    }

    /// As the cluster itself knows them.
    pub(crate) fn keys(&self) -> Value {
        if let Some(keys) = &self.foreign_keys {
            return keys.clone();
        }
        let (n, e) = self.key.components();
        json!({"keys": [{"kty": "RSA", "kid": self.key.kid, "use": "sig", "alg": "RS256", "n": n, "e": e}]})
    }

    pub(crate) fn mint(&self, token: &Token, now: OffsetDateTime) -> Result<Minted> {
        let iat = now.unix_timestamp().saturating_sub(token.age_seconds);
        let mut claims = json!({
            "aud": ["sts.amazonaws.com"],
            "exp": iat.saturating_add(token.ttl_seconds),
            "iat": iat,
            "iss": self.url(),
            "jti": "e51f1fbc-4733-4b85-a59f-ba80c0523874",
            "kubernetes.io": {
                "namespace": NAMESPACE,
                "node": {"name": "ip-10-0-3-41.eu-west-1.compute.internal", "uid": "0a9d0e5c-6a34-4a0b-9d0f-51f6a1f6e0c1"},
                "pod": {"name": POD, "uid": POD_UID},
                "serviceaccount": {"name": SERVICE_ACCOUNT, "uid": "b7a2c1d0-3e4f-4a5b-8c6d-7e8f9a0b1c2d"},
            },
            "nbf": iat,
            "sub": format!("system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"),
        });
        if let Some(claims) = claims.as_object_mut() {
            merge(claims, &token.claims);
        }
        let mut header = json!({"alg": "RS256", "kid": self.key.kid});
        if let Some(header) = header.as_object_mut() {
            merge(header, &token.header);
        }
        let input = jwt::signing_input(&header, &claims);
        let signature = match token.sign_with {
            SignWith::Issuer => self.key.sign(&input)?,
            SignWith::OtherKey => self.other.as_ref().unwrap_or(&self.key).sign(&input)?,
            SignWith::Nobody => Vec::new(),
        };
        let issued_at = OffsetDateTime::from_unix_timestamp(iat).unwrap_or(now);
        Ok(Minted { jwt: jwt::complete(&input, &signature), issued_at })
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
        with("{}")
    }

    /// An issuer of which the scenario says this.
    fn with(site: &str) -> Issuer {
        let site = serde_json::from_str(site).unwrap();
        Issuer::new(Key::generate().unwrap(), Some(Key::generate().unwrap()), site)
    }

    const DISCOVERY: &str = "/id/EXAMPLED539D4633E53DE1B71EXAMPLE/.well-known/openid-configuration";
    const KEYS: &str = "/id/EXAMPLED539D4633E53DE1B71EXAMPLE/keys";

    fn content(issuer: &Issuer, path: &str) -> Value {
        let document = issuer.document(path);
        assert_eq!((document.status, document.content_type), (200, "application/json"));
        serde_json::from_str(&document.body).unwrap()
    }

    #[test]
    fn a_minted_token_verifies_over_the_published_keys() {
        let issuer = issuer();
        let now = OffsetDateTime::now_utc();
        let minted = issuer.mint(&Token::default(), now).unwrap();
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        assert_eq!(jwt.verify(&content(&issuer, KEYS)), Signature::Valid);
        assert_eq!(issuer.keys_for_sts(), Some(content(&issuer, KEYS)));
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
        let issuer = issuer();
        assert_eq!(issuer.document("/id/OTHER/keys").status, 404);
        assert_eq!(issuer.host(), "oidc.eks.eu-west-1.amazonaws.com");
        assert_eq!(content(&issuer, DISCOVERY)["issuer"], issuer.url());
    }

    #[test]
    fn an_issuer_of_ones_own_publishes_below_its_own_url() {
        let issuer = with(r#"{"url": "https://issuer.example"}"#);
        let document = content(&issuer, "/.well-known/openid-configuration");
        assert_eq!(document["jwks_uri"], "https://issuer.example/keys");
        let minted = issuer.mint(&Token::default(), OffsetDateTime::now_utc()).unwrap();
        assert_eq!(Jwt::parse(&minted.jwt).unwrap().text("iss"), Some("https://issuer.example"));
    }

    #[test]
    fn what_is_wrong_with_the_documents_sts_sees_as_well() {
        for site in [
            r#"{"missing_field": "jwks_uri"}"#,
            r#"{"wrong_issuer": "https://other.example"}"#,
            r#"{"status": 403}"#,
            r#"{"html": true}"#,
            r#"{"huge": true}"#,
        ] {
            assert_eq!(with(site).keys_for_sts(), None, "{site}");
        }
        assert_eq!(content(&with(r#"{"missing_field": "jwks_uri"}"#), DISCOVERY).get("jwks_uri"), None);
        let other = with(r#"{"wrong_issuer": "https://other.example"}"#);
        assert_eq!(content(&other, DISCOVERY)["issuer"], "https://other.example");
        assert_eq!(with(r#"{"status": 403}"#).document(KEYS).status, 403);
        assert_eq!(with(r#"{"html": true}"#).document(KEYS).content_type, "text/html");
        assert!(with(r#"{"huge": true}"#).document(KEYS).body.len() > HUGE);
    }

    #[test]
    fn what_only_the_pod_cannot_reach_or_nobody_needs_stops_no_sts() {
        for site in
            [r#"{"refuse": true}"#, r#"{"black_hole": true}"#, r#"{"missing_field": "claims_supported"}"#]
        {
            assert!(with(site).keys_for_sts().is_some(), "{site}");
        }
    }

    #[test]
    fn a_key_that_was_dropped_is_known_to_the_cluster_alone() {
        let issuer = with(r#"{"drop_kid": true}"#);
        let minted = issuer.mint(&Token::default(), OffsetDateTime::now_utc()).unwrap();
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        assert_eq!(jwt.verify(&issuer.keys_for_sts().unwrap()), Signature::KeyUnknown);
        assert_eq!(jwt.verify(&issuer.keys()), Signature::Valid);
    }

    #[test]
    fn a_clusters_keys_take_the_place_of_its_own() {
        let (cluster, own) = (issuer(), issuer());
        let minted = cluster.mint(&Token::default(), OffsetDateTime::now_utc()).unwrap();
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        assert_eq!(jwt.verify(&own.keys_for_sts().unwrap()), Signature::KeyUnknown);
        let own = own.with_keys(cluster.keys());
        assert_eq!(jwt.verify(&own.keys_for_sts().unwrap()), Signature::Valid);
    }

    #[test]
    fn header_and_signature_can_be_those_of_an_unsigned_token() {
        let issuer = issuer();
        let header = json!({"alg": "none", "kid": null}).as_object().unwrap().clone();
        let token = Token { header, sign_with: SignWith::Nobody, ..Token::default() };
        let minted = issuer.mint(&token, OffsetDateTime::now_utc()).unwrap();
        // {"alg":"none"}
        assert!(minted.jwt.starts_with("eyJhbGciOiJub25lIn0."), "{}", minted.jwt);
        assert!(minted.jwt.ends_with('.'));
    }
}
