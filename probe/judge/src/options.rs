//! What the person who runs the probe asked for: flags and their environment twins, as they stand in the report.
//! Plain data; the program parses them.

use serde::{Deserialize, Serialize};

/// What was stated by flag or by `CREDPROBE_*`; `None` or `false`: nothing was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Settings {
    /// `auto`, `irsa`, `pod-identity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_audience: Option<String>,
    /// As given: `NS/SA` or the whole `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// An id of `credprobe chain`, or `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// The endpoint in the probe's own environment, where another process is judged: its token may go there too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The same of the Pod Identity agent's URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_uri: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub no_network: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub no_identity: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub allow_http: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub sts_compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerate: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub deny_warnings: bool,
    /// Milliseconds for one attempt.
    pub timeout_ms: u64,
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

/// How the pod is meant to get its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Irsa,
    PodIdentity,
    /// Nothing points to either.
    None,
}

impl Mechanism {
    /// As the flag and the report spell it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Irsa => "irsa",
            Self::PodIdentity => "pod-identity",
            Self::None => "none",
        }
    }
}

/// The form of the report on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Text,
    Json,
}
