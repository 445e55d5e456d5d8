//! Calls AssumeRoleWithWebIdentity at STS through the AWS SDK over our own wire, and reads the response from its raw bytes.
//! An SDK error is never formatted: its text can contain the token, its `Debug` the credentials.

use crate::collect::answer::{self, Answer};
use crate::process::clock;
use crate::transport::Wire;
use crate::transport::secret::Secret;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityOutput;
use aws_sdk_sts::operation::assume_role_with_web_identity::builders::AssumeRoleWithWebIdentityFluentBuilder;
use credprobe_judge::access_calls::session_policy;
use credprobe_judge::evidence::{Exchange, Network, StsError};
use credprobe_judge::settings::Endpoint;
use credprobe_judge::text::redactor::Redactor;

/// The requested session duration, in seconds. It is the shortest that STS allows, so `MaxSessionDuration` never refuses it.
const SESSION_SECONDS: i32 = 900;

/// Issued credentials on their way to the signed calls. No `Debug`.
#[derive(Clone)]
pub struct Credentials(pub(super) aws_credential_types::Credentials);

impl Credentials {
    /// A copy, for the checks that follow GetCallerIdentity.
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(fuzzing)]
impl Credentials {
    /// Whether the credentials contain `marker`. For the fuzzer.
    pub(crate) fn hold(&self, marker: &str) -> bool {
        [self.0.secret_access_key(), self.0.session_token().unwrap_or_default()]
            .iter()
            .any(|part| part.contains(marker))
    }
}

/// What the exchange presents, besides the token.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub endpoint: &'a Endpoint,
    pub role_arn: &'a str,
    pub session_name: &'a str,
}

/// One AssumeRoleWithWebIdentity. Returns the record, STS's answer, and the credentials if it issued some.
/// The token is sent exactly as it is in the file, because no SDK trims it.
pub async fn exchange(
    wire: &Wire,
    request: &Request<'_>,
    token: &Secret,
    redactor: &mut Redactor,
) -> (Option<Network>, Option<Exchange>, Option<Credentials>) {
    redactor.add(token.expose());
    let result = call(wire, request, token).send().await;
    let network = wire.records().pop();
    let Some(head) = wire.last_response_head() else {
        return (network, None, None);
    };
    let mut exchange = Exchange {
        status: head.status,
        request_id: answer::header(&head.headers, "x-amzn-requestid"),
        date: answer::http_date(&head.headers),
        received_at: clock::now(),
        retry_after: answer::header(&head.headers, "retry-after").and_then(|text| text.parse().ok()),
        content_type: answer::header(&head.headers, "content-type"),
        role_arn: request.role_arn.to_owned(),
        session_name: request.session_name.to_owned(),
        ..Exchange::default()
    };
    match result {
        Ok(output) => {
            let credentials = credentials(&output, redactor);
            exchange.issued = credentials.is_some();
            exchange.from_sts |= exchange.issued;
            describe(&mut exchange, &output, redactor);
            (network, Some(exchange), credentials)
        }
        Err(error) => {
            let body = error.raw_response().and_then(|raw| raw.body().bytes());
            // A truncated or endless body is a network failure: there is no whole response to judge.
            let Some(body) = body else { return (network, None, None) };
            match answer::header(&head.headers, "content-encoding") {
                None => refuse(&mut exchange, body, redactor),
                // The request asked for no encoding, and STS sends none. The content may be credentials that were never parsed.
                Some(coding) => {
                    exchange.from_sts = false;
                    exchange.excerpt = Some(format!(
                        "an answer in the content encoding {}, which was not asked for: something between pod and STS has changed it",
                        redactor.redact_and_truncate(coding.as_bytes())
                    ));
                }
            }
            (network, Some(exchange), None)
        }
    }
}

/// The request of the exchange, which every observer makes in the same way.
pub(super) fn call(
    wire: &Wire,
    request: &Request<'_>,
    token: &Secret,
) -> AssumeRoleWithWebIdentityFluentBuilder {
    narrowed(wire, request, token, session_policy::DENY_ALL)
}

/// The same request with a session policy: the credentials may do only what `policy` allows.
pub(super) fn narrowed(
    wire: &Wire,
    request: &Request<'_>,
    token: &Secret,
    policy: &str,
) -> AssumeRoleWithWebIdentityFluentBuilder {
    let client = aws_sdk_sts::Client::from_conf(config(wire, request.endpoint).build());
    client
        .assume_role_with_web_identity()
        .role_arn(request.role_arn)
        .role_session_name(request.session_name)
        .web_identity_token(String::from_utf8_lossy(token.expose()))
        .duration_seconds(SESSION_SECONDS)
        .policy(policy)
}

/// The common configuration. Nothing is ambient: region, endpoint and HTTP are ours, and the SDK retries, times and corrects nothing.
pub(super) fn config(wire: &Wire, endpoint: &Endpoint) -> aws_sdk_sts::config::Builder {
    aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(endpoint.signing_region.clone()))
        .endpoint_url(&endpoint.url)
        .http_client(wire.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // The correction would sign with the clock of STS, and so hide a clock skew that affects every other client in the pod.
        .disable_clock_skew_correction(true)
}

/// `None`: the document has no credentials, or some of their parts are missing.
pub(super) fn credentials(
    output: &AssumeRoleWithWebIdentityOutput,
    redactor: &mut Redactor,
) -> Option<Credentials> {
    let issued = output.credentials()?;
    let parts = [issued.access_key_id(), issued.secret_access_key(), issued.session_token()];
    for part in parts {
        redactor.add(part.as_bytes());
    }
    parts.iter().all(|part| !part.is_empty()).then(|| {
        Credentials(aws_credential_types::Credentials::new(
            issued.access_key_id(),
            issued.secret_access_key(),
            Some(issued.session_token().to_owned()),
            None,
            "credprobe",
        ))
    })
}

fn describe(exchange: &mut Exchange, output: &AssumeRoleWithWebIdentityOutput, redactor: &Redactor) {
    let quote = |text: Option<&str>| text.map(|text| redactor.redact_and_truncate(text.as_bytes()));
    exchange.expiration = output.credentials().map(|issued| issued.expiration().secs());
    exchange.assumed_role_arn = quote(output.assumed_role_user().map(|user| user.arn()));
    exchange.subject = quote(output.subject_from_web_identity_token());
    exchange.audience = quote(output.audience());
    exchange.provider = quote(output.provider());
}

fn refuse(exchange: &mut Exchange, body: &[u8], redactor: &Redactor) {
    let Answer { from_sts, code, message, request_id } = answer::error(body);
    exchange.from_sts |= from_sts;
    if exchange.request_id.is_none() {
        exchange.request_id = request_id;
    }
    match code {
        Some(code) => {
            exchange.error = Some(StsError {
                code: redactor.redact_and_truncate(code.as_bytes()),
                message: redactor.redact_and_truncate(message.unwrap_or_default().as_bytes()),
            });
        }
        None if (200..300).contains(&exchange.status) => {
            // It may contain credentials that were never parsed, so the redactor does not know them.
            exchange.excerpt = Some("an answer that is no STS document".to_owned());
        }
        None => exchange.excerpt = Some(redactor.redact_and_truncate(body)),
    }
}
