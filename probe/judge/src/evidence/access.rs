//! What AWS answered when it was asked whether the role may do what was stated; no body is kept but an error's code and text.

use super::{Failure, StsError};
use serde::{Deserialize, Serialize};

/// One set of credentials, and what was asked with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessSession {
    /// It is about the next role of the profile's chain, not about `--expect-access`.
    pub next_hop: bool,
    /// The inline session policy; `null`: credentials of Pod Identity, which cannot be narrowed.
    pub session_policy: Option<String>,
    /// Its length in characters, of the 2,048 that STS takes.
    pub session_policy_size: usize,
    /// Why STS issued no such credentials.
    pub error: Option<StsError>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
    /// Each once.
    pub calls: Vec<AccessCall>,
}

/// One request, and its answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessCall {
    /// The IAM action.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Whom it was asked of.
    pub host: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// Code and text of the error.
    pub error: Option<StsError>,
    /// For a case with AWS Support.
    pub request_id: Option<String>,
    /// The answer has what every answer of AWS has.
    pub by_aws: bool,
    /// Where S3 says that the bucket is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_region: Option<String>,
    /// Who the credentials of the next hop belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
}
