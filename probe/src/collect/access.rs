//! Checks with AWS's services whether the role may do what was stated. The requests come from the table of safe calls, are signed by
//! the SDK's signer and go over our own wire. Of a response its status is kept, and an error's code and text; the rest is dropped.

use crate::collect::answer;
use crate::collect::exchange::{self, Credentials, Request};
use crate::process::clock;
use crate::transport::Wire;
use crate::transport::secret::Secret;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use credprobe_judge::access_calls::Ask;
use credprobe_judge::evidence::{AccessCall, Failure, FailureKind, Phase, StsError};
use credprobe_judge::text::redactor::Redactor;
use http::{HeaderName, HeaderValue};

/// The `User-Agent` of the calls, which CloudTrail shows too.
const USER_AGENT: &str = concat!("credprobe/", env!("CARGO_PKG_VERSION"));

/// In characters. No error code of AWS is longer.
const CODE_LIMIT: usize = 128;

/// Why there are no credentials.
#[derive(Default)]
pub(super) struct NotIssued {
    pub(super) error: Option<StsError>,
    pub(super) failure: Option<Failure>,
}

impl NotIssued {
    /// Whether the session policy was too large. Then fewer pairs in one policy may work.
    pub(super) fn is_for_size(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.code.starts_with("PackedPolicyTooLarge"))
    }
}

/// Repeats the exchange, for credentials that may only do what `policy` allows.
pub(super) async fn narrowed(
    wire: &Wire,
    request: &Request<'_>,
    token: &Secret,
    policy: &str,
    redactor: &mut Redactor,
) -> Result<Credentials, NotIssued> {
    let error = match exchange::narrowed(wire, request, token, policy).send().await {
        Ok(output) => {
            let nothing = || stated("an answer without credentials");
            return exchange::credentials(&output, redactor).ok_or_else(nothing);
        }
        Err(error) => error,
    };
    if let Some(failure) = wire.records().pop().and_then(|network| network.failure) {
        return Err(NotIssued { failure: Some(failure), ..NotIssued::default() });
    }
    let body = error.raw_response().and_then(|raw| raw.body().bytes()).unwrap_or_default();
    let answer = answer::error(body);
    let quote = |text: &str| redactor.redact_and_truncate(text.as_bytes());
    Err(match answer.code {
        Some(code) => {
            let message = quote(&answer.message.unwrap_or_default());
            NotIssued { error: Some(StsError { code: quote(&code), message }), ..NotIssued::default() }
        }
        None => stated("an answer that is not one of STS"),
    })
}

fn stated(detail: &str) -> NotIssued {
    let failure = unusable(detail);
    NotIssued { failure: Some(failure), ..NotIssued::default() }
}

fn unusable(detail: &str) -> Failure {
    let kind = FailureKind::NotHttp;
    Failure { phase: Phase::Transfer, kind, peer: None, errno: None, detail: detail.to_owned() }
}

/// Sends one request, once. If it is an AssumeRole of the table, the credentials are dropped with the body.
pub(super) async fn call(
    wire: &Wire,
    credentials: &Credentials,
    ask: &Ask,
    asked: AccessCall,
    redactor: &Redactor,
) -> AccessCall {
    send(wire, credentials, ask, asked, redactor).await.0
}

/// One AssumeRole in a chain of roles. Also returns the credentials from its response.
pub(super) async fn hop(
    wire: &Wire,
    credentials: &Credentials,
    ask: &Ask,
    asked: AccessCall,
    redactor: &mut Redactor,
) -> (AccessCall, Option<Credentials>) {
    let (call, body) = send(wire, credentials, ask, asked, redactor).await;
    let Some(body) = body else { return (call, None) };
    let mut parts = [const { String::new() }; 3];
    answer::elements(&body, |element, text| {
        let names = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
        if let Some(at) = names.iter().position(|name| *name == element) {
            parts[at] = answer::unescape(text.trim());
        }
    });
    for part in &parts {
        redactor.add(part.as_bytes());
    }
    if parts.iter().any(String::is_empty) {
        return (call, None);
    }
    let [id, secret, token] = parts;
    let issued = aws_credential_types::Credentials::new(id, secret, Some(token), None, "credprobe");
    (call, Some(Credentials(issued)))
}

/// Also returns the body of a successful response, unread.
async fn send(
    wire: &Wire,
    credentials: &Credentials,
    ask: &Ask,
    asked: AccessCall,
    redactor: &Redactor,
) -> (AccessCall, Option<Bytes>) {
    let call = AccessCall { host: ask.host.clone(), ..asked };
    let Some(request) = signed(credentials, ask) else {
        return (AccessCall { failure: Some(unusable("the request cannot be signed")), ..call }, None);
    };
    let (_logged, answer) = wire.send(request).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => return (AccessCall { failure: Some(failure), ..call }, None),
    };
    let (head, body) = answer.into_parts();
    let header = |name: &str| answer::header(&head.headers, name);
    let request_id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
    let is_page = header("content-type").is_some_and(|it| it.starts_with("text/html"));
    let mut call = AccessCall {
        status: Some(head.status.as_u16()),
        by_aws: request_id.is_some() && !is_page,
        request_id: request_id.map(|id| redactor.redact_and_truncate(id.as_bytes())),
        bucket_region: header("x-amz-bucket-region").filter(|_| !head.status.is_success()),
        ..call
    };
    if head.status.is_success() {
        return (call, Some(body));
    }
    let (code, message) = error(&body, header("x-amzn-errortype").as_deref());
    let quote = |text: &str| redactor.redact_and_truncate(text.as_bytes());
    call.error = code.map(|code| StsError { code: quote(&code), message: quote(&message) });
    (call, None)
}

/// The code and text of an error, in any of AWS's protocols.
fn error(body: &[u8], kind: Option<&str>) -> (Option<String>, String) {
    if !body.trim_ascii_start().starts_with(b"{") && kind.is_none() {
        let answer = answer::error(body);
        return (answer.code, answer.message.unwrap_or_default());
    }
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| document.get(*name)?.as_str());
    // `com.amazon.coral.service#AccessDeniedException`, or with a URL after a colon.
    let code = kind.or_else(|| text(&["__type", "code"]));
    let code = code.map(|code| code.rsplit('#').next().unwrap_or(code));
    let code = code.map(|code| code.split(':').next().unwrap_or(code).chars().take(CODE_LIMIT).collect());
    (code, text(&["message", "Message"]).unwrap_or_default().to_owned())
}

/// `None`: the values do not fit into a request. The judge crate never makes such values.
fn signed(credentials: &Credentials, ask: &Ask) -> Option<http::Request<Bytes>> {
    let url = format!("https://{}{}", ask.host, ask.path_and_query);
    let mut builder = http::Request::builder().method(ask.call.method).uri(&url);
    for (name, value) in ask.call.headers {
        builder = builder.header(*name, *value);
    }
    let body = Bytes::from(ask.body.clone());
    let mut request = builder.body(body.clone()).ok()?;
    let mut settings = SigningSettings::default();
    if ask.call.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = credentials.0.clone().into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&ask.region)
        .name(ask.call.service)
        .time(clock::system())
        .settings(settings)
        .build()
        .ok()?
        .into();
    let headers = ask.call.headers.iter().copied();
    let signable = SignableRequest::new(ask.call.method, url, headers, SignableBody::Bytes(&body)).ok()?;
    let (headers, _) = sign(signable, &parameters).ok()?.into_parts().0.into_parts();
    for header in headers {
        let name = HeaderName::from_bytes(header.name().as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(header.value()).ok()?;
        value.set_sensitive(header.sensitive());
        request.headers_mut().insert(name, value);
    }
    // Set after signing, because a proxy may change it.
    request.headers_mut().insert(http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn errors_of_every_protocol_have_code_and_text() {
        for (body, kind, code, message) in [
            (
                r#"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"#,
                None,
                "AccessDenied",
                "Access Denied",
            ),
            (
                r#"<Response><Errors><Error><Code>DryRunOperation</Code><Message>Request would have succeeded</Message></Error></Errors></Response>"#,
                None,
                "DryRunOperation",
                "Request would have succeeded",
            ),
            (
                r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: x"}"#,
                None,
                "AccessDeniedException",
                "User: x",
            ),
            (
                r#"{"__type":"DryRunOperationException","message":"would"}"#,
                None,
                "DryRunOperationException",
                "would",
            ),
            (
                r#"{"Message":"User: x"}"#,
                Some("AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/"),
                "AccessDeniedException",
                "User: x",
            ),
        ] {
            assert_eq!(error(body.as_bytes(), kind), (Some(code.to_owned()), message.to_owned()), "{body}");
        }
        assert_eq!(error(b"<html><Code>403</Code></html>", None).0, None);
        assert_eq!(error(b"", None).0, None);
    }
}
