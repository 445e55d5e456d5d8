//! What the Pod Identity agent answered, and EKS Auth through it; texts are scrubbed, credentials are not kept.
//! The way there is `network`; the caller's identity is `identity`.

use serde::{Deserialize, Serialize};

/// Two requests: one without a token, which any listener answers, and the one for credentials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// As asked, without user info, query and fragment.
    pub uri: String,
    /// The answer to `GET /`; `None`: none arrived, or the URI is not of the agent's own addresses, where it means nothing.
    pub liveness: Option<Liveness>,
    /// The token's bytes cannot stand in an HTTP header, so that it was not sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsendable: bool,
    /// The answer to the token; `None`: it was not sent, or no answer arrived.
    pub answer: Option<AgentAnswer>,
}

/// Who listens, as far as an answer to `GET /` shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Liveness {
    /// HTTP status.
    pub status: u16,
    /// As the header has it.
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
    /// As the header has it.
    pub content_type: Option<String>,
    /// Whose text the body is.
    pub said_by: ErrorSource,
    /// The exception that EKS Auth named.
    pub code: Option<String>,
    /// What it said, white space collapsed, scrubbed, 512 bytes at most; empty: credentials, or what may hold some.
    pub message: String,
    /// The status of EKS Auth inside an old agent's text; 0: it was not reached.
    pub upstream_status: Option<u16>,
    /// EKS Auth's.
    pub request_id: Option<String>,
    /// Our clock when the answer was there, seconds since the epoch.
    pub received_at: i64,
    /// Whether credentials came back.
    pub issued: bool,
    /// `AccountId`.
    pub account: Option<String>,
    /// `Expiration`, seconds since the epoch.
    pub expiration: Option<i64>,
}

/// Whose text an answer is, by its form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ErrorSource {
    /// The agent's own.
    Agent,
    /// EKS Auth's, handed through.
    EksAuth,
    /// Of no form that is known.
    #[default]
    Unknown,
}
