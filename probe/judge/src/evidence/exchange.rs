//! What STS answered to the two calls; credentials are not kept, texts are scrubbed before they get here.

use super::network::Failure;
use serde::{Deserialize, Serialize};

/// The answer to AssumeRoleWithWebIdentity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// HTTP status.
    pub status: u16,
    /// `null`: credentials were issued, or the answer is not an STS error.
    pub error: Option<StsError>,
    /// `x-amzn-RequestId`, else the body's.
    pub request_id: Option<String>,
    /// STS's clock: its `Date` header, seconds since the epoch.
    pub date: Option<i64>,
    /// Our clock when the answer's header was there, seconds since the epoch.
    pub received_at: i64,
    /// Seconds, from `Retry-After`.
    pub retry_after: Option<u64>,
    /// The document has STS's form: its XML namespace, or the root of its errors. A request id has every service of AWS.
    pub from_sts: bool,
    /// `Content-Type`, and the first bytes of a body that is not STS's.
    pub content_type: Option<String>,
    /// The beginning of an answer that is not STS's, redacted.
    pub excerpt: Option<String>,
    /// Whether credentials came back.
    pub issued: bool,
    /// End of the session, seconds since the epoch.
    pub expiration: Option<i64>,
    /// `AssumedRoleUser/Arn`.
    pub assumed_role_arn: Option<String>,
    /// `SubjectFromWebIdentityToken`.
    pub subject: Option<String>,
    /// The audience that STS took.
    pub audience: Option<String>,
    /// The OIDC provider that STS took.
    pub provider: Option<String>,
    /// What the request held besides the token.
    pub role_arn: String,
    /// The name under which the session was asked for.
    pub session_name: String,
}

/// Code and message of an error document, white space collapsed, scrubbed, 512 bytes at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StsError {
    /// As STS spells it.
    pub code: String,
    /// As STS wrote it, redacted.
    pub message: String,
}

/// The answer to GetCallerIdentity with the credentials issued.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// Why the credentials were refused.
    pub error: Option<StsError>,
    /// For a case with AWS Support.
    pub request_id: Option<String>,
    /// STS's clock, seconds since the epoch.
    pub date: Option<i64>,
    /// Our clock when the answer arrived, seconds since the epoch.
    pub received_at: i64,
    /// Whose credentials they are.
    pub arn: Option<String>,
    /// The account of the session.
    pub account: Option<String>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
}
