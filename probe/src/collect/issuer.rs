//! Fetches the issuer's discovery document and keys, without the token: from the public URL, then from the API server.
//! Runs only after a refusal that needs it, because EKS throttles these endpoints and pods start together.

use super::signature::verify;
use crate::collect::subject::Subject;
use crate::process::clock;
use crate::transport::secret::Secret;
use crate::transport::{AddressPolicy, Config, Wire};
use bytes::Bytes;
use credprobe_judge::evidence::{Document, Issuer, KeySource, Network, Origin, Process, Signature};
use credprobe_judge::settings::partition::host_of;
use http::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;
use std::time::Duration;

/// The time limit for all documents of one origin.
const TIME_LIMIT: Duration = Duration::from_secs(3);
/// The longest document that is read, in bytes. A key has about one kilobyte.
const DOCUMENT_LIMIT: usize = 256 * 1024;
/// The fields that STS requires in a discovery document (IAM user guide, OIDC provider prerequisites).
const NEEDED: &[&str] = &[
    "issuer",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];

/// Asks both origins until one has keys. `config` is that of the exchange. An issuer on this host is asked only if STS was on this
/// host too (`asked_on_loopback`): a token must not direct a request to a port of the pod.
pub async fn issuer(
    subject: &Subject,
    process: &Process,
    config: &Config,
    issuer: &str,
    kid: Option<&str>,
    token: &Secret,
    asked_on_loopback: bool,
) -> Issuer {
    let mut sources = Vec::new();
    let peers = if asked_on_loopback { AddressPolicy::DenyMetadata } else { AddressPolicy::DenyLocal };
    let public = Config { peers, allow_http: false, ..limited(config) };
    let asked = IssuerQuery { base: issuer, kid, token, authorization: None };
    sources.push(asked.source(Origin::Public, &Wire::new(public)).await);
    if sources.iter().all(|source| source.kids.is_empty())
        && let Ok(api_server) = super::api_server(subject, process)
    {
        let deadline = config.deadline.min(clock::deadline(TIME_LIMIT));
        let wire = api_server.wire(config.resolver.clone(), deadline, DOCUMENT_LIMIT);
        let authorization = Some(api_server.authorization);
        let asked = IssuerQuery { base: &api_server.base, kid, token, authorization };
        let source = asked.source(Origin::ApiServer, &wire).await;
        // Redact the pod's API server token, which only this observer has read.
        sources.extend(source.redacted(&api_server.redactor));
    }
    Issuer { sources }
}

fn limited(config: &Config) -> Config {
    let deadline = config.deadline.min(clock::deadline(TIME_LIMIT));
    Config { deadline, body_limit: DOCUMENT_LIMIT, ..config.clone() }
}

struct IssuerQuery<'a> {
    base: &'a str,
    kid: Option<&'a str>,
    token: &'a Secret,
    authorization: Option<HeaderValue>,
}

impl IssuerQuery<'_> {
    async fn source(&self, origin: Origin, wire: &Wire) -> KeySource {
        let url = format!("{}/.well-known/openid-configuration", self.base.trim_end_matches('/'));
        let (discovery, content) = self.fetch(wire, &url).await;
        let mut source = KeySource {
            origin,
            discovery,
            issuer: None,
            jwks_uri: None,
            missing: Vec::new(),
            keys: None,
            kids: Vec::new(),
            signature: Signature::Unchecked,
        };
        let Some(content) = content else { return source };
        let member = |name: &str| content.get(name).and_then(Value::as_str).map(str::to_owned);
        source.issuer = member("issuer");
        source.jwks_uri = member("jwks_uri");
        let missing = NEEDED.iter().filter(|name| content.get(**name).is_none());
        source.missing = missing.map(|name| (*name).to_owned()).collect();
        let keys_url = match origin {
            // A request may go only to a host that the subject named.
            Origin::Public => source
                .jwks_uri
                .clone()
                .filter(|uri| uri.starts_with("https://") && host_of(uri) == host_of(self.base)),
            // The document names the API server's public address, which the pod may not reach.
            Origin::ApiServer => Some(format!("{}/openid/v1/jwks", self.base)),
        };
        let Some(keys_url) = keys_url else { return source };
        let (mut keys, content) = self.fetch(wire, &keys_url).await;
        if let Some(content) = content {
            match content.get("keys").and_then(Value::as_array) {
                Some(published) => {
                    // Members that do not follow RFC 7517 are skipped; the others stay usable.
                    let kids = published.iter().filter_map(|key| key.get("kid")?.as_str());
                    source.kids = kids.map(str::to_owned).collect();
                    source.signature = verify(self.token.expose(), self.kid, published);
                }
                None => keys.problem = Some("it is not a JSON Web Key Set".to_owned()),
            }
        }
        source.keys = Some(keys);
        source
    }

    async fn fetch(&self, wire: &Wire, url: &str) -> (Document, Option<Value>) {
        let mut document = Document { url: url.to_owned(), ..Document::default() };
        let mut request = http::Request::get(url);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let Ok(request) = request.body(Bytes::new()) else {
            document.problem = Some("its URL cannot be used".to_owned());
            return (document, None);
        };
        let (network, response) = wire.send(request).await;
        document.last_certificate = last_certificate(&network);
        let response = match response {
            Ok(response) => response,
            Err(failure) => {
                document.failure = Some(failure);
                return (document, None);
            }
        };
        document.status = Some(response.status().as_u16());
        if !response.status().is_success() {
            return (document, None);
        }
        match serde_json::from_slice::<Value>(response.body()) {
            Ok(content) if content.is_object() => (document, Some(content)),
            _ => {
                document.problem = Some("it is not a JSON object".to_owned());
                (document, None)
            }
        }
    }
}

fn last_certificate(network: &Network) -> Option<(String, i64)> {
    let last = network.tls.as_ref()?.chain.last()?;
    Some((last.sha1.clone(), last.not_after))
}
