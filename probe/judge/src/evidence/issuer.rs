//! What the issuer publishes and what STS says in its region: asked only after a refusal that needs it.
//! The issuer being out of reach from the pod is no failure of anything: STS fetches the keys itself.

use super::network::Failure;
use serde::{Deserialize, Serialize};

/// Discovery document and keys, as far as they could be had: the public ones, then the API server's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Where keys were looked for.
    pub sources: Vec<KeySource>,
}

/// One place where the keys were looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
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
    /// `kid` of each key.
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
#[serde(deny_unknown_fields)]
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

/// Whether the token's signature verifies with these keys. Of several keys with the token's `kid` the last of these counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// There were no keys to check it with.
    #[default]
    Unchecked,
    /// No key has the token's `kid`.
    KeyMissing,
    /// Keys of the token's `kid` are there, and the signature verifies with none of them.
    Refused,
    /// A key of the token's `kid` is there and cannot be used: not for signing, of another type, or without its numbers.
    KeyUnusable,
    /// The key of the token's `kid` is RSA of a size that is not checked: under 2,048 or over 8,192 bits, or a rare exponent.
    KeyNotChecked,
    /// The token's algorithm is one that is not checked, such as ES512.
    AlgorithmNotChecked,
    /// A key of this source signed the token.
    Verified,
}

/// The same exchange in the issuer's region: its answer is dropped unread, all but the status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OtherRegion {
    /// The region of the issuer.
    pub region: String,
    /// Whom the probe asked there.
    pub endpoint: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
}
