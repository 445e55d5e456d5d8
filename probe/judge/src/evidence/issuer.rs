//! What the issuer publishes and what STS says in its region: asked only after a refusal that needs it.
//! The issuer being out of reach from the pod is no failure of anything: STS fetches the keys itself.

use super::network::Failure;
use serde::{Deserialize, Serialize};

/// Discovery document and keys, as far as they could be had: the public ones, then the API server's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Issuer {
    /// Where keys were looked for.
    pub sources: Vec<KeySource>,
}

/// One place where the keys were looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeySource {
    /// Where the document was asked for.
    pub origin: Origin,
    /// `…/.well-known/openid-configuration`.
    pub discovery: Document,
    /// `issuer` of the discovery document.
    pub issuer: Option<String>,
    /// `jwks_uri` of the discovery document.
    pub jwks_uri: Option<String>,
    /// Fields of the discovery document that STS needs and that are not there.
    pub missing: Vec<String>,
    /// `None`: the discovery document names none that may be fetched.
    pub keys: Option<Document>,
    /// `kid` of each RSA key.
    pub kids: Vec<String>,
    /// Whether one of its keys signed the token.
    pub signature: Signature,
}

/// Who published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The issuer's own URL, as STS fetches it.
    Public,
    /// The cluster's API server, with the cluster's CA.
    ApiServer,
}

/// One document fetched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// What was asked for.
    pub url: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
    /// What is wrong with the content.
    pub problem: Option<String>,
    /// SHA-1 of the last certificate that the server presented, 40 hex digits, and its end, seconds since the epoch.
    pub last_certificate: Option<(String, i64)>,
}

/// Whether the token's RS256 signature verifies with these keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// A key of this source signed the token.
    Verified,
    /// The key of the token's `kid` is there and the signature does not verify with it.
    Refused,
    /// No key has the token's `kid`.
    KeyMissing,
    /// There were no keys to check it with.
    #[default]
    Unchecked,
}

/// The same exchange in the issuer's region: its answer is dropped unread, all but the status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherRegion {
    /// The region of the issuer.
    pub region: String,
    /// Whom the probe asked there.
    pub endpoint: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
}
