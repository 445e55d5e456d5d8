//! Requests credentials from the Pod Identity agent: first without a token, then with it, the bare JWT as the kubelet wrote it.
//! `agent_error` parses the agent's error texts; the judge says what they mean.

use crate::collect::answer;
use crate::collect::exchange::Credentials;
use crate::process::clock;
use crate::transport::Wire;
use crate::transport::secret::Secret;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use credprobe_judge::evidence::agent_error::said;
use credprobe_judge::evidence::{AgentAnswer, Liveness, Network};
use credprobe_judge::settings::agent::AgentEndpoint;
use credprobe_judge::text::redactor::Redactor;
use http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// `GET /` without a token. Any server on the port answers it; the agent answers `404 page not found`.
pub async fn liveness(wire: &Wire, endpoint: &AgentEndpoint) -> (Network, Option<Liveness>) {
    let mut parts = endpoint.url.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    let root = Uri::from_parts(parts).unwrap_or_else(|_| endpoint.url.clone());
    let (network, answer) = wire.send(get(root, None)).await;
    let liveness = answer.ok().map(|answer| Liveness {
        status: answer.status().as_u16(),
        content_type: answer::header(answer.headers(), "content-type"),
        excerpt: Redactor::default().redact_and_truncate(answer.body()),
    });
    (network, liveness)
}

/// The value of the `Authorization` header: the token and nothing else. `None`: its bytes are not allowed in a header.
#[must_use]
pub fn authorization(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(token.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// One request for credentials. Returns the agent's answer, and the credentials if it issued some.
pub async fn agent(
    wire: &Wire,
    endpoint: &AgentEndpoint,
    authorization: HeaderValue,
    redactor: &mut Redactor,
) -> (Network, Option<AgentAnswer>, Option<Credentials>) {
    redactor.add(authorization.as_bytes());
    let (network, answer) = wire.send(get(endpoint.url.clone(), Some(authorization))).await;
    let Ok(answer) = answer else { return (network, None, None) };
    let (answer, credentials) = read(&answer, redactor);
    (network, Some(answer), credentials)
}

fn get(uri: Uri, authorization: Option<HeaderValue>) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization);
    }
    request
}

fn read(answer: &Response<Bytes>, redactor: &mut Redactor) -> (AgentAnswer, Option<Credentials>) {
    let mut read = AgentAnswer {
        status: answer.status().as_u16(),
        content_type: answer::header(answer.headers(), "content-type"),
        received_at: clock::now(),
        ..AgentAnswer::default()
    };
    if answer.status().is_success() {
        // A success that cannot be parsed may still contain credentials, so nothing of it is quoted.
        let Ok(issued) = serde_json::from_slice::<Issued>(answer.body()) else { return (read, None) };
        let parts = [&issued.access_key_id, &issued.secret_access_key, &issued.token];
        for part in parts {
            redactor.add(part.0.as_bytes());
        }
        if parts.iter().any(|part| part.0.is_empty()) {
            return (read, None);
        }
        read.issued = true;
        read.account = issued.account_id.map(|account| redactor.redact_and_truncate(account.as_bytes()));
        read.expiration =
            DateTime::from_str(&issued.expiration, Format::DateTimeWithOffset).ok().map(|date| date.secs());
        let [id, secret, token] = parts.map(|part| part.0.as_str());
        let credentials =
            aws_credential_types::Credentials::new(id, secret, Some(token.to_owned()), None, "credprobe");
        return (read, Some(Credentials(credentials)));
    }
    let body = String::from_utf8_lossy(answer.body());
    let said = said(&body);
    let quote = |text: &str| redactor.redact_and_truncate(text.as_bytes());
    read.said_by = said.by;
    read.code = said.code.map(quote);
    read.message = quote(said.message);
    read.upstream_status = said.upstream_status;
    read.request_id = said.request_id.map(quote);
    (read, None)
}

/// The fields that aws-config's container provider needs in a success (`json_credentials.rs`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    #[serde(alias = "accessKeyId")]
    access_key_id: Hidden,
    #[serde(alias = "secretAccessKey")]
    secret_access_key: Hidden,
    #[serde(alias = "token", alias = "SessionToken", alias = "sessionToken")]
    token: Hidden,
    #[serde(alias = "accountId")]
    account_id: Option<String>,
    #[serde(alias = "expiration", alias = "ExpiresAt", alias = "expiresAt")]
    expiration: String,
}

struct Hidden(Zeroizing<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> (AgentAnswer, bool) {
        let mut answer = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        *answer.status_mut() = status.try_into().unwrap();
        let (answer, credentials) = read(&answer, &mut Redactor::default());
        (answer, credentials.is_some())
    }

    const WHOLE: &str = r#"{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret-of-forty","Token":"session-token","AccountId":"814203749616","Expiration":"2026-11-22T10:00:00.5Z"}"#;

    #[test]
    fn credentials_are_read_and_not_kept_in_the_evidence() {
        let (answer, issued) = answered(200, WHOLE);
        assert!(issued && answer.issued);
        assert_eq!(
            (answer.account.as_deref(), answer.expiration),
            (Some("814203749616"), Some(1_795_341_600))
        );
        let kept = serde_json::to_string(&answer).unwrap();
        assert!(!kept.contains("ASIAEXAMPLE") && !kept.contains("secret-of-forty"), "{kept}");
    }

    #[test]
    fn a_success_without_a_part_issues_nothing_and_is_not_quoted() {
        for body in [
            WHOLE.replace("\"Token\"", "\"Tok\""),
            WHOLE.replace("secret-of-forty", ""),
            WHOLE.replace("\"Expiration\"", "\"Until\""),
            WHOLE.replace("\"ASIAEXAMPLE\"", "1"),
            "<html>".to_owned(),
            String::new(),
        ] {
            let (answer, issued) = answered(200, &body);
            assert!(!issued && !answer.issued && answer.message.is_empty(), "{body}: {answer:?}");
        }
    }

    #[test]
    fn a_token_with_a_line_break_cannot_be_sent() {
        assert!(authorization(&Secret::new(b"a.b.c".to_vec())).is_some());
        assert!(authorization(&Secret::new(b"a.b.c\n".to_vec())).is_none());
    }
}
