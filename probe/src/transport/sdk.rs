//! The wire as the AWS SDK's HTTP client; a failure comes back as [`WireFailure`] below the SDK's error.
//! What the SDK makes of an answer, and how its errors are read, is the caller's.

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

/// Why no whole answer arrived, as an error that the SDK hands through. It holds nothing of request or answer.
#[derive(Debug, Clone, PartialEq)]
pub struct WireFailure {
    /// As in the [`Network`](credprobe_judge::evidence::Network) record of the exchange.
    pub failure: Failure,
}

impl WireFailure {
    /// Finds the wire's failure in the causes of an SDK error.
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
        // The kind steers the SDK's retries only, which are off; it is right all the same.
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
    /// The settings' time-outs are not used: the wire's one deadline knows the phase, theirs would not.
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
            // The calls made here have bodies in memory; a stream could not be sent a second time.
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

/// Neither happens with the SDK's own requests and hyper's answers.
fn unusable(why: &'static str) -> ConnectorError {
    ConnectorError::user(why.into())
}
