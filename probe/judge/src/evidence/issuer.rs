//! What the issuer publishes, and what STS says in the issuer's region. Requested only after a refusal that needs it.
//! The pod need not reach the issuer, because STS fetches the keys itself. So an unreachable issuer is not a failure.

use super::network::Failure;
use serde::{Deserialize, Serialize};

/// Discovery document and keys, as far as they could be fetched: the public ones, then the API server's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The places where keys were looked for.
    pub sources: Vec<KeySource>,
}

/// One place where keys were looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeySource {
    /// Whose document it is.
    pub origin: Origin,
    /// `…/.well-known/openid-configuration`.
    pub discovery: Document,
    /// `issuer` of the discovery document.
    pub issuer: Option<String>,
    /// `jwks_uri` of the discovery document.
    pub jwks_uri: Option<String>,
    /// Fields that STS requires and the discovery document lacks.
    pub missing: Vec<String>,
    /// `None`: the discovery document names no URL that may be fetched.
    pub keys: Option<Document>,
    /// `kid` of each key.
    pub kids: Vec<String>,
    /// Whether one of its keys signed the token.
    pub signature: Signature,
}

/// Who published the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The issuer's own URL, as STS fetches it.
    Public,
    /// The cluster's API server, with the cluster's CA.
    ApiServer,
}

/// One fetched document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The URL that was requested.
    pub url: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
    /// What is wrong with the content.
    pub problem: Option<String>,
    /// SHA-1 of the last certificate that the server presented, 40 hex digits, and its end of validity, in seconds since the epoch.
    pub last_certificate: Option<(String, i64)>,
}

/// Whether the token's signature verifies with these keys. If several keys have the token's `kid`, the result listed last counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// There were no keys to check it with.
    #[default]
    Unchecked,
    /// No key has the token's `kid`.
    KeyMissing,
    /// Keys with the token's `kid` exist, but the signature verifies with none of them.
    Refused,
    /// A key with the token's `kid` exists but cannot be used: not for signing, of another type, or without its numbers.
    KeyUnusable,
    /// The key with the token's `kid` is an RSA key that is not checked: under 2,048 or over 8,192 bits, or with a rare exponent.
    KeyNotChecked,
    /// The token's algorithm is not checked, for example ES512.
    AlgorithmNotChecked,
    /// A key of this source signed the token.
    Verified,
}

/// The same exchange in the issuer's region. Only the status of its answer is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OtherRegion {
    /// The region of the issuer.
    pub region: String,
    /// The URL that was asked there.
    pub endpoint: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
}
