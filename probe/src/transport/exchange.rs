//! One request and its answer over a connection that is there, HTTP/1.1 by hyper, everything bounded.
//! Redirects are answers like others; connecting, keeping and repeating is `transport`'s.

use super::endpoint::Endpoint;
use super::fault::Fault;
use super::record::Record;
use super::stream::{Counted, Duplex, Flooded, Received};
use super::tls_fault;
use bytes::{Bytes, BytesMut};
use credprobe_judge::evidence::{FailureKind, Phase};
use http::{HeaderValue, Uri, Version, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Body as _, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{error::Error as _, io, net::SocketAddr};
use tokio::task::JoinHandle;

/// A connection on which requests can be sent one after the other; it ends when it is dropped.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    sender: http1::SendRequest<Full<Bytes>>,
    received: Received,
    driver: JoinHandle<()>,
}

/// An exchange that did not come to its end.
pub(super) struct Stopped {
    pub(super) fault: Fault,
    /// Not a byte of an answer came: a kept connection that the server had closed meanwhile looks so.
    pub(super) unanswered: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Whatever hyper still waits for, nobody else does.
        self.driver.abort();
    }
}

impl Connection {
    /// # Errors
    /// None in practice: nothing is sent or read yet.
    pub(super) async fn over(stream: Box<dyn Duplex>, peer: SocketAddr) -> Result<Self, Fault> {
        let received = Received::default();
        let stream = TokioIo::new(Counted::new(stream, received.clone()));
        let (sender, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_header_size(MAX_HEADER)
            .max_buf_size(MAX_BUFFER)
            .handshake(stream)
            .await
            .map_err(|error| fault(&error, "before the request"))?;
        let driver = tokio::spawn(async move {
            // Its error is that of the request under way, which the sender returns.
            let _ = connection.await;
        });
        Ok(Self { peer, sender, received, driver })
    }

    /// Whether the server has not closed the connection, as far as is known.
    pub(super) async fn is_alive(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends `request` and reads the whole answer, its body up to `body_limit` bytes.
    ///
    /// # Errors
    /// `Broken`, `NotHttp`, `TooLong`, or TLS's when the peer ends that with an alert only now.
    pub(super) async fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
        body_limit: usize,
        record: &Record,
    ) -> Result<http::Response<Bytes>, Stopped> {
        let before = self.received.bytes();
        self.received.allow(MAX_BEFORE_BODY);
        let answer = self.sender.send_request(request).await;
        let (head, body) = answer
            .map_err(|error| {
                let got = self.received.bytes() - before;
                let when = if got == 0 {
                    "before it answered".to_owned()
                } else {
                    format!("after {got} bytes of an answer")
                };
                Stopped { fault: fault(&error, &when).peer(Some(self.peer)), unanswered: got == 0 }
            })?
            .into_parts();
        record.enter(Phase::Transfer);
        self.received.allow(MAX_BEFORE_BODY + FRAMED_BYTE * body_limit);
        let body = read(body, body_limit, record).await;
        let body = body.map_err(|fault| Stopped { fault: fault.peer(Some(self.peer)), unanswered: false })?;
        Ok(http::Response::from_parts(head, body))
    }
}

/// The request as it goes over the connection: only path and query as its target, `Host` from the URL, and what is
/// secret marked so that no `Debug` prints it.
pub(super) fn prepare(
    request: http::Request<Bytes>,
    endpoint: &Endpoint,
) -> Result<http::Request<Full<Bytes>>, Fault> {
    let (parts, body) = request.into_parts();
    let mut out = http::Request::new(Full::new(body));
    *out.method_mut() = parts.method;
    *out.version_mut() = Version::HTTP_11;
    let target = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *out.uri_mut() = Uri::from(target);
    *out.headers_mut() = parts.headers;
    let headers = out.headers_mut();
    let host = HeaderValue::from_str(&endpoint.authority)
        .map_err(|_| Fault::unusable("the URL's host can't stand in a header"))?;
    headers.insert(header::HOST, host);
    for (name, value) in headers.iter_mut() {
        if SECRET_HEADERS.contains(&name.as_str()) {
            value.set_sensitive(true);
        }
    }
    Ok(out)
}

async fn read(mut body: hyper::body::Incoming, limit: usize, record: &Record) -> Result<Bytes, Fault> {
    let too_long = |what: String| Fault::new(FailureKind::TooLong, what);
    // What the header announces need not be waited for.
    let announced = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if let Some(announced) = announced.filter(|length| *length > limit) {
        return Err(too_long(format!(
            "the answer announces a body of {announced} bytes; at most {limit} are read"
        )));
    }
    // At once: what grows is copied, and old and new take memory together. Pages that nothing is written to take none.
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(limit));
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| fault(&error, &format!("after {} bytes of the answer's body", bytes.len())))?;
        // Trailers are no part of any answer that is waited for.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            let read = bytes.len() + data.len();
            return Err(too_long(format!(
                "the answer's body is longer than the {limit} bytes that are read of it ({read} had come)"
            )));
        }
        bytes.extend_from_slice(&data);
        record.body_bytes(bytes.len());
    }
    Ok(bytes.freeze())
}

/// hyper keeps the cause as a source; its own texts quote nothing of what was sent or received.
fn fault(error: &hyper::Error, when: &str) -> Fault {
    if error.is_parse() {
        // Beyond the limits too, which hyper's text then says.
        return Fault::new(FailureKind::NotHttp, format!("what the peer answered is not HTTP/1.1 ({error})"));
    }
    if error.is_user() {
        return Fault::unusable(format!("the request can't be sent ({error})"));
    }
    let Some(cause) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) else {
        return Fault::new(FailureKind::Broken, format!("the peer closed the connection {when}"));
    };
    if let Some(flooded) = cause.get_ref().and_then(|inner| inner.downcast_ref::<Flooded>()) {
        return Fault::new(
            FailureKind::TooLong,
            format!("the peer sends without end: {flooded} and no answer was whole"),
        );
    }
    // An alert may come after the handshake: TLS 1.3 refuses a missing client certificate so.
    if let Some(error) = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_fault::of(error, "", &[]);
    }
    match cause.kind() {
        // hyper's decoder of chunks.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Fault::new(FailureKind::NotHttp, format!("the answer's body is not HTTP/1.1 ({cause}) {when}"))
        }
        _ => Fault::broken(cause, when),
    }
}

/// Headers of AWS's answers are under 1 KiB; proxies and gateways add some, 16 KiB is what servers accept themselves.
const MAX_HEADER: usize = 16 * 1024;

/// The header, and of the body what hyper reads ahead (two of its buffers); above all the interim answers (1xx) before both:
/// hyper takes any number of those, so busy with a flood of them that the deadline comes late.
const MAX_BEFORE_BODY: usize = 256 * 1024;

/// A chunk of one byte takes six.
const FRAMED_BYTE: usize = 6;

/// Four times what AWS sends.
const MAX_HEADERS: usize = 64;

/// hyper's read buffer: no answer may make it grow to its default of 400 KiB.
const MAX_BUFFER: usize = 64 * 1024;

/// Values of these are credentials.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "x-amz-security-token", "cookie"];
