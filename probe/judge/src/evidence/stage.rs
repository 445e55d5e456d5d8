//! The links of the chain, and how long each took or why it was not reached.
//! The report says the result of each link.

use serde::{Deserialize, Serialize};

/// A link of the chain. The order is that of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StageName {
    /// Variables, flags and profile.
    Environment,
    /// The file that holds the token.
    TokenFile,
    /// The content of that file.
    Token,
    /// The way to STS, or to the Pod Identity agent.
    Network,
    /// The exchange of the token for credentials.
    Exchange,
    /// Whose credentials they are.
    Identity,
    /// What they may do. Only if it was stated.
    Access,
    /// Whether an EKS cluster accepts them. Only if it was stated.
    Cluster,
}

impl StageName {
    /// The name in JSON and reports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::TokenFile => "token-file",
            Self::Token => "token",
            Self::Network => "network",
            Self::Exchange => "exchange",
            Self::Identity => "identity",
            Self::Access => "access",
            Self::Cluster => "cluster",
        }
    }

    /// The name in reports for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TokenFile => "token file",
            other => other.id(),
        }
    }
}

/// How long a stage took, or why it was not reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Which link of the chain.
    pub stage: StageName,
    /// How long it took; `None`: it was skipped.
    pub took_ms: Option<f64>,
    /// Why it was skipped; `None`: it was not.
    pub skipped_because: Option<String>,
}

impl Timing {
    /// A stage that was reached.
    #[must_use]
    pub fn reached(stage: StageName, took_ms: f64) -> Self {
        Self { stage, took_ms: Some(took_ms), skipped_because: None }
    }

    /// A stage that was not reached.
    #[must_use]
    pub fn skipped(stage: StageName, because: &str) -> Self {
        Self { stage, took_ms: None, skipped_because: Some(because.to_owned()) }
    }
}
