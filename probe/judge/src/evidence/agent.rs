//! What the Pod Identity agent answered, and EKS Auth through it. Texts are redacted; credentials are not kept.
//! `network` has the way there, and `identity` the caller's identity.

use serde::{Deserialize, Serialize};

/// Two requests: one without a token, which any server answers, and the one for credentials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The URI, without user info, query and fragment.
    pub uri: String,
    /// The answer to `GET /`. `None`: no answer arrived, or the URI is not one of the agent's own addresses, so it would mean nothing.
    pub liveness: Option<Liveness>,
    /// The token's bytes are not allowed in an HTTP header, so it was not sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsendable: bool,
    /// The answer to the token. `None`: it was not sent, or no answer arrived.
    pub answer: Option<AgentAnswer>,
}

/// What an answer to `GET /` shows about the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Liveness {
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The first bytes of the body.
    pub excerpt: String,
}

/// The answer to the token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgentAnswer {
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// Who wrote the text in the body.
    pub said_by: ErrorSource,
    /// The exception that EKS Auth named.
    pub code: Option<String>,
    /// The text, white space collapsed, redacted, at most 512 bytes. Empty: the body has credentials, or may have some.
    pub message: String,
    /// The status of EKS Auth in the text of an old agent. 0: EKS Auth was not reached.
    pub upstream_status: Option<u16>,
    /// The request id of EKS Auth.
    pub request_id: Option<String>,
    /// Our clock when the answer had arrived, in seconds since the epoch.
    pub received_at: i64,
    /// Whether credentials came back.
    pub issued: bool,
    /// `AccountId`.
    pub account: Option<String>,
    /// `Expiration`, in seconds since the epoch.
    pub expiration: Option<i64>,
}

/// Who wrote the text of an answer, judged by its form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ErrorSource {
    /// The agent itself.
    Agent,
    /// EKS Auth; the agent passed the text on.
    EksAuth,
    /// The form is not known.
    #[default]
    Unknown,
}
