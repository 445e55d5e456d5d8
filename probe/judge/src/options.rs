//! What the person who runs the probe asked for: flags and their environment twins, as they stand in the report.
//! Plain data; the program parses them.

use serde::{Deserialize, Serialize};

/// What was stated by flag or by `CREDPROBE_*`; `None` or `false`: nothing was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// `auto`, `irsa`, `pod-identity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<String>,
    /// `--role-arn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// `--token-file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// `--expect-role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_role: Option<String>,
    /// `--expect-issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_issuer: Option<String>,
    /// `--expect-audience`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_audience: Option<String>,
    /// As given: `NS/SA` or the whole `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_subject: Option<String>,
    /// `--region`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// An id of `credprobe chain`, or `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// `--session-name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// `--ca-bundle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// The endpoint in the probe's own environment, where another process is judged: its token may go there too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The same of the Pod Identity agent's URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_uri: Option<String>,
    /// `--no-network`.
    #[serde(skip_serializing_if = "is_false")]
    pub no_network: bool,
    /// `--no-identity`.
    #[serde(skip_serializing_if = "is_false")]
    pub no_identity: bool,
    /// `--allow-http`.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_http: bool,
    /// `--sts-compatible`.
    #[serde(skip_serializing_if = "is_false")]
    pub sts_compatible: bool,
    /// `--tolerate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerate: Option<String>,
    /// `--deny-warnings`.
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
    /// The token goes to STS.
    Irsa,
    /// The token goes to the Pod Identity agent.
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
    /// For people.
    Text,
    /// For programs.
    Json,
}
