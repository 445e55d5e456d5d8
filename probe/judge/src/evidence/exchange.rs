//! What STS answered to the two calls. Credentials are not kept, and texts are redacted before they get here.

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
    /// `x-amzn-RequestId`, else the request id in the body.
    pub request_id: Option<String>,
    /// The clock of STS: its `Date` header, in seconds since the epoch.
    pub date: Option<i64>,
    /// Our clock when the answer's header had arrived, in seconds since the epoch.
    pub received_at: i64,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the document has STS's XML namespace, or the root of its errors. A request id proves nothing: all AWS services send one.
    pub from_sts: bool,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The beginning of an answer that is not STS's, redacted.
    pub excerpt: Option<String>,
    /// Whether credentials came back.
    pub issued: bool,
    /// The end of the session, in seconds since the epoch.
    pub expiration: Option<i64>,
    /// `AssumedRoleUser/Arn`.
    pub assumed_role_arn: Option<String>,
    /// `SubjectFromWebIdentityToken`.
    pub subject: Option<String>,
    /// The audience that STS accepted.
    pub audience: Option<String>,
    /// The OIDC provider that STS used.
    pub provider: Option<String>,
    /// The role ARN in the request.
    pub role_arn: String,
    /// The session name in the request.
    pub session_name: String,
}

/// Code and message of an error document, white space collapsed, redacted, at most 512 bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StsError {
    /// In the spelling of STS.
    pub code: String,
    /// As STS wrote it, redacted.
    pub message: String,
}

/// The answer to GetCallerIdentity with the issued credentials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// Why the credentials were refused.
    pub error: Option<StsError>,
    /// The request id, for a case with AWS Support.
    pub request_id: Option<String>,
    /// The clock of STS, in seconds since the epoch.
    pub date: Option<i64>,
    /// Our clock when the answer arrived, in seconds since the epoch.
    pub received_at: i64,
    /// The ARN of the identity.
    pub arn: Option<String>,
    /// The account of the session.
    pub account: Option<String>,
    /// Why no answer arrived.
    pub failure: Option<Failure>,
}
