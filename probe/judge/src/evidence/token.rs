//! What the token says of itself: shape, header and claims. Its signature is not kept.

use serde::{Deserialize, Serialize};

/// A projected service account token, decoded, not verified (claims: kubernetes `pkg/serviceaccount/claims.go`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What the bytes are.
    pub shape: TokenShape,
    /// Bytes of the file.
    pub length: usize,
    /// Bytes of white space after the last segment: SDKs send them.
    pub trailing_whitespace: usize,
    /// Header `alg`.
    pub alg: Option<String>,
    /// Header `kid`.
    pub kid: Option<String>,
    /// Who made the token.
    pub iss: Option<String>,
    /// Whose token it is.
    pub sub: Option<String>,
    /// One entry where the claim is a string.
    pub aud: Vec<String>,
    /// The authorized party, which STS compares where it is there.
    pub azp: Option<String>,
    /// Seconds since the epoch.
    pub exp: Option<i64>,
    /// Seconds since the epoch.
    pub iat: Option<i64>,
    /// Seconds since the epoch.
    pub nbf: Option<i64>,
    /// The id of the token.
    pub jti: Option<String>,
    /// `kubernetes.io` claim, or the flat claims of a legacy Secret token.
    pub namespace: Option<String>,
    /// The name of the service account, from the claim `kubernetes.io`.
    pub service_account: Option<String>,
    /// The pod that the token is bound to.
    pub pod_name: Option<String>,
    /// The uid of that pod.
    pub pod_uid: Option<String>,
    /// The node of that pod.
    pub node_name: Option<String>,
    /// Name of the Secret that a legacy token came from.
    pub secret_name: Option<String>,
    /// Seconds since the epoch; only tokens for the API server have it.
    pub warnafter: Option<i64>,
}

/// Whether the bytes are a JWT, and if not, where they stop being one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum TokenShape {
    /// Not a byte.
    #[default]
    Empty,
    /// Three base64url segments, header and claims are JSON objects.
    Jwt,
    /// A byte that no JWT has.
    ForeignByte {
        /// Counted from 0.
        offset: usize,
        /// What stands there, in words; never a part of the token.
        found: String,
    },
    /// Not three segments.
    Segments {
        /// How many there are.
        count: usize,
    },
    /// A segment that does not decode; counted from 1.
    Segment {
        /// Which one, counted from 1.
        number: u8,
        /// What is wrong with it.
        problem: String,
    },
}
