//! What AWS answered about the stated access. Of a body only an error's code and text are kept.

use super::{Failure, StsError};
use serde::{Deserialize, Serialize};

/// One set of credentials, and the calls that were made with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessSession {
    /// It concerns the next role of the profile's chain, and not `--expect-access`.
    pub next_hop: bool,
    /// The inline session policy. `null`: credentials of Pod Identity, which cannot be narrowed.
    pub session_policy: Option<String>,
    /// Its length in characters. STS accepts up to 2,048.
    pub session_policy_size: usize,
    /// Why STS issued no such credentials.
    pub error: Option<StsError>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
    /// Each call was made once.
    pub calls: Vec<AccessCall>,
}

/// One request and its answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessCall {
    /// The IAM action.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// The host that was asked.
    pub host: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// Code and text of the error.
    pub error: Option<StsError>,
    /// The request id, for a case with AWS Support.
    pub request_id: Option<String>,
    /// Whether the answer has a request id, which all answers of AWS have, and is not a web page.
    pub by_aws: bool,
    /// The region of the bucket, from S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_region: Option<String>,
    /// The identity of the next hop's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
}
