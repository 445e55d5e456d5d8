//! The cluster's issuer: its keys, the two documents that it publishes, and the tokens that the API server signs. The documents
//! are EKS's unless a scenario changes them; the claims are those of Kubernetes 1.32 and later.

use std::net::Ipv4Addr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    error::Result,
    external_key::ExternalKey,
    jwt,
    key::Key,
    scenario::{self, KeySet, NAMESPACE, POD, POD_UID, SERVICE_ACCOUNT, SignWith, Token},
};

#[derive(Debug)]
pub(crate) struct Issuer {
    key: Key,
    /// Signs in the issuer's name but is not published; made only if a scenario needs it.
    other: Option<Key>,
    /// The keys of a cluster that signs its own tokens. The issuer's own key is then not used.
    foreign_keys: Option<Value>,
    /// Signs instead of `key`. `key` is then not published and can sign as a stranger.
    external: Option<ExternalKey>,
    /// A certificate of `key`, if the key set publishes the key in no other form.
    certificate: Option<String>,
    site: scenario::Issuer,
}

/// A signed token and the time at which the kubelet would have written it.
#[derive(Debug)]
pub(crate) struct Minted {
    pub(crate) jwt: String,
    pub(crate) issued_at: OffsetDateTime,
}

/// The answer for a path of the issuer's host.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

/// S3's answer for a bucket in another region than the endpoint's.
const MOVED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>PermanentRedirect</Code><Message>The bucket you \
                     are attempting to access must be addressed using the specified endpoint. Please send all future \
                     requests to this endpoint.</Message></Error>";

/// STS does not accept a discovery document that lacks one of these (IAM user guide, OIDC provider prerequisites).
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
        Self { status, content_type: "application/json", location: None, body: value.to_string() }
    }

    fn xml(status: u16, body: &str) -> Self {
        Self { status, content_type: "application/xml", location: None, body: body.into() }
    }
}

impl Issuer {
    pub(crate) fn new(key: Key, other: Option<Key>, site: scenario::Issuer) -> Self {
        Self { key, other, foreign_keys: None, external: None, certificate: None, site }
    }

    /// Adds the key that the scenario wants to sign with, and the certificate that its key set needs.
    pub(crate) fn prepared(mut self) -> Result<Self> {
        self.external = ExternalKey::of(self.site.key)?;
        if self.site.key_set == KeySet::X5cOnly {
            self.certificate = Some(self.key.certificate()?);
        }
        Ok(self)
    }

    /// Publishes these keys instead of its own.
    pub(crate) fn with_keys(self, keys: Value) -> Self {
        Self { foreign_keys: Some(keys), ..self }
    }

    pub(crate) fn host(&self) -> &str {
        self.site.host()
    }

    pub(crate) fn url(&self) -> &str {
        &self.site.url
    }

    /// The answer to any client for a path of the issuer's host.
    pub(crate) fn document(&self, path: &str) -> Document {
        let content = match path.strip_prefix(self.site.path()) {
            Some("/.well-known/openid-configuration") => self.discovery(),
            Some("/keys") => self.published_keys(),
            _ => return Document::json(404, &json!({"message": "Not Found"})),
        };
        if let Some(status) = self.site.status {
            if (300..400).contains(&status) {
                return Document { location: self.site.location.clone(), ..Document::xml(status, MOVED) };
            }
            return Document::json(status, &json!({"message": "no"}));
        }
        if self.site.html {
            let body = "<!DOCTYPE html><html><body>Sign in to continue</body></html>".into();
            return Document { status: 200, content_type: "text/html", location: None, body };
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
            "id_token_signing_alg_values_supported": [self.alg()],
        });
        if let (Some(document), Some(field)) = (document.as_object_mut(), &self.site.missing_field) {
            document.remove(field);
        }
        document
    }

    fn published_keys(&self) -> Value {
        let mut document = self.keys();
        if self.site.drop_kid {
            // The signing key was rotated away: the remaining key has another id.
            document["keys"][0]["kid"] = json!(self.kid().chars().rev().collect::<String>());
        }
        if let Some(keys) = document["keys"].as_array_mut() {
            self.make_odd(keys);
        }
        if self.site.huge {
            document["padding"] = json!("x".repeat(HUGE));
        }
        document
    }

    /// Puts another key before the signing key, or changes the signing key.
    fn make_odd(&self, keys: &mut Vec<Value>) {
        let Some(own) = keys.first_mut() else { return };
        // A number of the same length whose factors nobody knows.
        let mut other = own.clone();
        other["n"] =
            json!(with_modulus(own, |n| n.iter_mut().skip(1).step_by(2).for_each(|byte| *byte ^= 2)));
        match self.site.key_set {
            KeySet::Plain => return,
            KeySet::LeadingZero => {
                own["n"] = json!(with_modulus(own, |n| n.insert(0, 0)));
                return;
            }
            KeySet::X5cOnly => {
                *own = json!({"kty": "RSA", "kid": self.kid(), "use": "sig", "x5c": [self.certificate]});
                return;
            }
            KeySet::EncryptionKeyFirst => other["use"] = json!("enc"),
            KeySet::SecondOfKid => {}
            KeySet::NumericKid => other["kid"] = json!(1),
        }
        keys.insert(0, other);
    }

    fn kid(&self) -> &str {
        self.external.as_ref().map_or(&self.key.kid, |key| &key.kid)
    }

    fn alg(&self) -> &'static str {
        self.external.as_ref().map_or("RS256", |key| key.alg)
    }

    /// Whether AWS could reach the issuer by its name.
    pub(crate) fn is_public(&self) -> bool {
        const OF_NOBODY: &[&str] = &[".svc", ".local", ".internal", ".localhost"];
        let host = self.site.host().split(':').next().unwrap_or_default();
        match host.parse::<Ipv4Addr>() {
            Ok(address) => !address.is_private() && !address.is_loopback() && !address.is_link_local(),
            Err(_) => host.contains('.') && !OF_NOBODY.iter().any(|end| host.ends_with(end)),
        }
    }

    /// The keys with which STS verifies; `None` if it cannot use what is published.
    pub(crate) fn keys_for_sts(&self) -> Option<Value> {
        let site = &self.site;
        let lacks = site.missing_field.as_deref().is_some_and(|field| NEEDED.contains(&field));
        let broken = lacks || site.wrong_issuer.is_some() || site.status.is_some() || site.html || site.huge;
        (!broken).then(|| self.published_keys())
    }

    /// The keys as the cluster itself knows them.
    pub(crate) fn keys(&self) -> Value {
        if let Some(keys) = &self.foreign_keys {
            return keys.clone();
        }
        if let Some(key) = &self.external {
            return json!({"keys": [key.jwk()]});
        }
        let (n, e) = self.key.components();
        json!({"keys": [{"kty": "RSA", "kid": self.key.kid, "use": "sig", "alg": "RS256", "n": n, "e": e}]})
    }

    fn sign(&self, input: &str) -> Result<Vec<u8>> {
        self.external.as_ref().map_or_else(|| self.key.sign(input), |key| key.sign(input))
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
        let mut header = json!({"alg": self.alg(), "kid": self.kid()});
        if let Some(header) = header.as_object_mut() {
            merge(header, &token.header);
        }
        let input = jwt::signing_input(&header, &claims);
        let signature = match token.sign_with {
            SignWith::Issuer => self.sign(&input)?,
            SignWith::OtherKey => self.other.as_ref().unwrap_or(&self.key).sign(&input)?,
            SignWith::Nobody => Vec::new(),
        };
        let issued_at = OffsetDateTime::from_unix_timestamp(iat).unwrap_or(now);
        Ok(Minted { jwt: jwt::complete(&input, &signature), issued_at })
    }
}

/// The key's modulus after `change`.
fn with_modulus(key: &Value, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut modulus = key["n"].as_str().and_then(|n| URL_SAFE_NO_PAD.decode(n).ok()).unwrap_or_default();
    change(&mut modulus);
    URL_SAFE_NO_PAD.encode(modulus)
}

/// Merges `changes` into `base`, object by object; `null` removes a member.
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

    /// An issuer with these scenario fields.
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

    /// The result of verifying a token with the published key set, and with the cluster's own.
    fn signature(site: &str) -> (Signature, Signature) {
        let issuer = with(site).prepared().unwrap();
        let minted = issuer.mint(&Token::default(), OffsetDateTime::now_utc()).unwrap();
        let jwt = Jwt::parse(&minted.jwt).unwrap();
        (jwt.verify(&content(&issuer, KEYS)), jwt.verify(&issuer.keys()))
    }

    #[test]
    fn every_key_of_an_issuer_signs_what_its_published_set_verifies() {
        for key in ["rs256", "rs256-of-1024-bits", "rs256-of-1536-bits", "es256", "es384", "es512"] {
            let site = format!(r#"{{"key": "{key}"}}"#);
            assert_eq!(signature(&site), (Signature::Valid, Signature::Valid), "{key}");
            let issuer = with(&site).prepared().unwrap();
            let alg = &content(&issuer, DISCOVERY)["id_token_signing_alg_values_supported"][0];
            assert_eq!(content(&issuer, KEYS)["keys"][0]["alg"], *alg);
            assert!(key.to_uppercase().starts_with(alg.as_str().unwrap()), "{key}: {alg}");
        }
    }

    #[test]
    fn odd_sets_have_the_signing_key_all_the_same() {
        let set = |name: &str| {
            let site = format!(r#"{{"key_set": "{name}"}}"#);
            assert_eq!(signature(&site), (Signature::Valid, Signature::Valid), "{name}");
            let keys = content(&with(&site).prepared().unwrap(), KEYS)["keys"].as_array().unwrap().clone();
            (keys[0].clone(), keys.last().unwrap().clone())
        };
        let (key, _) = set("leading-zero");
        let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
        assert_eq!((modulus.len(), modulus[0]), (257, 0));
        let (first, own) = set("encryption-key-first");
        assert_eq!((&first["use"], &first["kid"], &own["use"]), (&json!("enc"), &own["kid"], &json!("sig")));
        let (first, own) = set("second-of-kid");
        assert_eq!((&first["use"], &first["kid"]), (&own["use"], &own["kid"]));
        assert_ne!(first["n"], own["n"]);
        assert_eq!(set("numeric-kid").0["kid"], json!(1));
    }

    #[test]
    fn a_key_in_a_certificate_alone_is_no_key_for_sts() {
        let site = r#"{"key_set": "x5c-only"}"#;
        assert_eq!(signature(site), (Signature::KeyUnknown, Signature::Valid));
        let key = &content(&with(site).prepared().unwrap(), KEYS)["keys"][0];
        assert!(key.get("n").is_none() && key["x5c"][0].as_str().unwrap().starts_with("MII"), "{key}");
    }

    #[test]
    fn names_and_addresses_of_the_cluster_alone_are_not_public() {
        let is_public = |host: &str| with(&format!(r#"{{"url": "https://{host}/id/x"}}"#)).is_public();
        for host in [
            "oidc.eks.eu-west-1.amazonaws.com",
            "issuer.example",
            "api.internal.k8s.example.net",
            "203.0.113.7",
        ] {
            assert!(is_public(host), "{host}");
        }
        for host in [
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "keycloak.corp.internal",
            "localhost:8443",
            "kubernetes",
            "10.0.14.52",
            "127.0.0.1:443",
        ] {
            assert!(!is_public(host), "{host}");
        }
    }

    #[test]
    fn a_redirect_is_s3s_and_leads_where_the_scenario_says() {
        let moved = with(r#"{"status": 301, "location": "https://elsewhere.example/keys"}"#);
        let document = moved.document(KEYS);
        assert_eq!(
            (document.status, document.location.as_deref()),
            (301, Some("https://elsewhere.example/keys"))
        );
        assert!(document.body.contains("<Code>PermanentRedirect</Code>"), "{}", document.body);
        assert_eq!(moved.keys_for_sts(), None);
        assert_eq!(with(r#"{"status": 302}"#).document(DISCOVERY).location, None);
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
