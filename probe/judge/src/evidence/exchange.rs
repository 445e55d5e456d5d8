//! What STS answered to the two calls; credentials are not kept, texts are scrubbed before they get here.

use super::network::Failure;
use serde::{Deserialize, Serialize};

/// The answer to AssumeRoleWithWebIdentity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exchange {
    /// HTTP status.
    pub status: u16,
    /// `code` and `message`; absent: credentials were issued, or the answer is not an STS error.
    #[serde(flatten)]
    pub error: Option<StsError>,
    /// `x-amzn-RequestId`, else the body's.
    pub request_id: Option<String>,
    /// STS's clock: its `Date` header, seconds since the epoch.
    pub date: Option<i64>,
    /// Our clock when the answer's header was there, seconds since the epoch.
    pub received_at: i64,
    /// Seconds, from `Retry-After`.
    pub retry_after: Option<u64>,
    /// The document carries STS's XML namespace or the answer its request id header.
    pub from_sts: bool,
    /// `Content-Type`, and the first bytes of a body that is not STS's.
    pub content_type: Option<String>,
    pub excerpt: Option<String>,
    /// Whether credentials came back.
    pub issued: bool,
    /// End of the session, seconds since the epoch.
    pub expiration: Option<i64>,
    /// `AssumedRoleUser/Arn`.
    pub assumed_role_arn: Option<String>,
    /// `SubjectFromWebIdentityToken`.
    pub subject: Option<String>,
    pub audience: Option<String>,
    pub provider: Option<String>,
    /// What the request held besides the token.
    pub role_arn: String,
    pub session_name: String,
}

/// Code and message of an error document, white space collapsed, scrubbed, 512 bytes at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StsError {
    pub code: String,
    pub message: String,
}

/// The answer to GetCallerIdentity with the credentials issued.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    #[serde(flatten)]
    pub error: Option<StsError>,
    pub request_id: Option<String>,
    /// STS's clock, seconds since the epoch.
    pub date: Option<i64>,
    /// Our clock when the answer arrived, seconds since the epoch.
    pub received_at: i64,
    pub arn: Option<String>,
    pub account: Option<String>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
}
