//! Makes the wire the AWS SDK's HTTP client. A failure comes back as [`WireFailure`] below the SDK's error.
//! The caller reads the SDK's responses and errors.

use super::Wire;
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use credprobe_judge::evidence::{Failure, FailureKind};
use std::{error::Error, fmt};

/// Why no whole response arrived, as an error that the SDK passes on. It holds nothing of request or response.
#[derive(Debug, Clone, PartialEq)]
pub struct WireFailure {
    /// As in the [`Network`](credprobe_judge::evidence::Network) record of the exchange.
    pub failure: Failure,
}

impl WireFailure {
    /// Finds the wire's failure among the causes of an SDK error.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(failure) = error.downcast_ref() {
                return Some(failure);
            }
            cause = error.source();
        }
        None
    }
}

impl fmt::Display for WireFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.failure.detail)
    }
}

impl Error for WireFailure {}

impl From<WireFailure> for ConnectorError {
    fn from(error: WireFailure) -> Self {
        // The kind affects only the SDK's retries, which are off. It is correct anyway.
        match error.failure.kind {
            FailureKind::TimedOut => Self::timeout(error.into()),
            FailureKind::Unusable => Self::user(error.into()),
            FailureKind::Refused | FailureKind::Unreachable | FailureKind::Broken => Self::io(error.into()),
            FailureKind::NameserverFailed
            | FailureKind::NameNotFound
            | FailureKind::NameWithoutAddress
            | FailureKind::TlsUnknownIssuer
            | FailureKind::TlsWrongName
            | FailureKind::TlsExpired
            | FailureKind::TlsNotYetValid
            | FailureKind::TlsAlert
            | FailureKind::TlsNotTls
            | FailureKind::TlsOther
            | FailureKind::ProxyRefused
            | FailureKind::NotHttp
            | FailureKind::TooLong => Self::other(error.into(), None),
        }
    }
}

impl HttpClient for Wire {
    /// Ignores the time-outs of the settings: they do not know the phase, and the wire's one deadline does.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            let request =
                request.try_into_http1x().map_err(|_| unusable("the SDK's request has no valid URL"))?;
            let (parts, body) = request.into_parts();
            // The SDK calls made here have bodies in memory. A stream could not be sent a second time.
            let body = body
                .bytes()
                .map(Bytes::copy_from_slice)
                .ok_or_else(|| unusable("the SDK's request is a stream"))?;
            let (_logged, answer) = wire.send(http::Request::from_parts(parts, body)).await;
            let answer = answer.map_err(|failure| WireFailure { failure })?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|_| unusable("the answer does not fit the SDK"))
        })
    }
}

/// Unreachable in practice: the SDK's requests have valid URLs and bodies in memory, and hyper's responses fit.
fn unusable(why: &'static str) -> ConnectorError {
    ConnectorError::user(why.into())
}
