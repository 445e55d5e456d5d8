//! The links of the chain, and how long each took or why it was not reached.
//! How a link came out, the report says.

use serde::{Deserialize, Serialize};

/// A link of the chain, in the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StageName {
    Environment,
    TokenFile,
    Token,
    Network,
    Exchange,
    Identity,
}

/// How long a stage took, or why it was not reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    pub stage: StageName,
    pub took_ms: Option<f64>,
    pub skipped_because: Option<String>,
}

impl Timing {
    #[must_use]
    pub fn reached(stage: StageName, took_ms: f64) -> Self {
        Self { stage, took_ms: Some(took_ms), skipped_because: None }
    }

    #[must_use]
    pub fn skipped(stage: StageName, because: &str) -> Self {
        Self { stage, took_ms: None, skipped_because: Some(because.to_owned()) }
    }
}
