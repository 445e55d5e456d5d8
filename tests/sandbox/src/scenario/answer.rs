//! What the STS of a scenario answers: its wording, the faults of STS or of the way to it, and canned answers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Which of STS's two generations of texts is used. Since mid-2026 one text covers nearly every refused token.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wording {
    Old,
    #[default]
    Generic,
}

/// The fault of STS or of the way to it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    #[default]
    None,
    /// Nobody listens.
    Refuse,
    /// Connections are never answered: no SYN-ACK.
    Drop,
    /// The address has no route.
    NoRoute,
    /// Connections are accepted, then there is silence.
    BlackHole,
    ResetInHandshake,
    ExpiredCertificate,
    /// From an authority that no client here trusts.
    ForeignCertificate,
    WrongNameCertificate,
    /// TLS and the request succeed, then there is silence.
    NoAnswer,
    Throttled,
    InternalFailure,
    ServiceUnavailable,
    #[serde(rename = "html-403")]
    Html403,
    TruncatedBody,
    SlowDrip,
    HugeBody,
}

/// An answer that a verifying STS has no reason to give: STS's error document with this code and message, or `body` and
/// `headers` as they are, where another server answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Option<String>,
}

impl Answer {
    pub(super) fn check(&self) -> Result<()> {
        let speaks = !self.code.is_empty() || !self.message.is_empty();
        match (speaks, &self.body) {
            (true, Some(_)) => Err(Error::new("an answer has a code and a message, or a body")),
            (false, None) => Err(Error::new("an answer says something")),
            (true, None) if !self.headers.is_empty() => {
                Err(Error::new("STS's own answer has its own headers"))
            }
            _ if !(200..600).contains(&self.status) => {
                Err(Error::new(format!("no server answers with status {}", self.status)))
            }
            _ => Ok(()),
        }
    }
}
