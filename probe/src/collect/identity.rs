//! Asks STS whose credentials were issued: one signed GetCallerIdentity on the open connection.
//! The call needs no permission, and a deny-all session policy does not prevent it.

use crate::collect::answer;
use crate::collect::exchange::{Credentials, config};
use crate::process::clock;
use crate::transport::Wire;
use credprobe_judge::evidence::{Identity, StsError};
use credprobe_judge::settings::Endpoint;
use credprobe_judge::text::redactor::Redactor;

/// One GetCallerIdentity with `credentials`, which are dropped afterwards.
pub async fn identity(
    wire: &Wire,
    endpoint: &Endpoint,
    credentials: Credentials,
    redactor: &Redactor,
) -> Identity {
    let config = config(wire, endpoint).credentials_provider(credentials.0).build();
    let result = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
    let failure = wire.records().pop().and_then(|network| network.failure);
    let Some(head) = wire.last_response_head().filter(|_| failure.is_none()) else {
        return Identity { failure, ..Identity::default() };
    };
    let mut identity = Identity {
        status: Some(head.status),
        request_id: answer::header(&head.headers, "x-amzn-requestid"),
        date: answer::http_date(&head.headers),
        received_at: clock::now(),
        ..Identity::default()
    };
    let quote = |text: &str| redactor.redact_and_truncate(text.as_bytes());
    match result {
        Ok(output) => {
            identity.arn = output.arn().map(quote);
            identity.account = output.account().map(quote);
        }
        Err(error) => {
            let body = error.raw_response().and_then(|raw| raw.body().bytes());
            let answer = answer::error(body.unwrap_or_default());
            identity.error = answer.code.map(|code| StsError {
                code: quote(&code),
                message: quote(&answer.message.unwrap_or_default()),
            });
        }
    }
    identity
}
