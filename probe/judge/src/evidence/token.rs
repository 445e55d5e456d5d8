//! What the token says: shape, header and claims. Its signature is not kept.

use serde::{Deserialize, Serialize};

/// A projected service account token, decoded but not verified (claims: kubernetes `pkg/serviceaccount/claims.go`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What the bytes are.
    pub shape: TokenShape,
    /// The length of the file, in bytes.
    pub length: usize,
    /// White space after the last segment, in bytes. SDKs send it too.
    pub trailing_whitespace: usize,
    /// Header `alg`.
    pub alg: Option<String>,
    /// Header `kid`.
    pub kid: Option<String>,
    /// The issuer of the token.
    pub iss: Option<String>,
    /// The subject of the token.
    pub sub: Option<String>,
    /// One entry if the claim is a string.
    pub aud: Vec<String>,
    /// The authorized party. STS compares it if the token has it.
    pub azp: Option<String>,
    /// In seconds since the epoch.
    pub exp: Option<i64>,
    /// In seconds since the epoch.
    pub iat: Option<i64>,
    /// In seconds since the epoch.
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
    /// The name of the Secret that a legacy token came from.
    pub secret_name: Option<String>,
    /// In seconds since the epoch. Only tokens for the API server have it.
    pub warnafter: Option<i64>,
}

/// Whether the bytes are a JWT, and if not, where they stop being one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum TokenShape {
    /// There are no bytes.
    #[default]
    Empty,
    /// Three base64url segments; header and claims are JSON objects.
    Jwt,
    /// A byte that a JWT cannot have.
    ForeignByte {
        /// Counted from 0.
        offset: usize,
        /// The byte in words, never a part of the token.
        found: String,
    },
    /// There are not three segments.
    Segments {
        /// How many there are.
        count: usize,
    },
    /// A segment that cannot be decoded.
    Segment {
        /// The segment, counted from 1.
        number: u8,
        /// What is wrong with it.
        problem: String,
    },
}
