//! Sends one request over an open connection and reads its response, with HTTP/1.1 by hyper. Everything is bounded.
//! A redirect is a response like any other. `transport` connects, keeps connections and repeats requests.

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

/// A connection for requests one after the other. It ends when it is dropped.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    sender: http1::SendRequest<Full<Bytes>>,
    received: Received,
    driver: JoinHandle<()>,
}

/// An exchange that did not complete.
pub(super) struct Stopped {
    pub(super) fault: Fault,
    /// No byte of a response arrived. A kept connection that the server had closed meanwhile looks like this.
    pub(super) unanswered: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The task would go on waiting for the peer, and nobody needs the result.
        self.driver.abort();
    }
}

impl Connection {
    /// # Errors
    /// None in practice, because nothing is sent or read yet.
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
            // The sender returns this error for the request in progress.
            let _ = connection.await;
        });
        Ok(Self { peer, sender, received, driver })
    }

    /// Whether the server has not closed the connection, as far as hyper knows.
    pub(super) async fn is_alive(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends `request` and reads the whole response, its body up to `body_limit` bytes.
    ///
    /// # Errors
    /// `Broken`, `NotHttp`, `TooLong`, or a TLS kind if the peer sends its alert only now.
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

/// Prepares the request for the connection: its target is only path and query, `Host` comes from the URL, and secret headers
/// are marked, so that no `Debug` prints them.
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
    // Refuse an announced length before the body arrives.
    let announced = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if let Some(announced) = announced.filter(|length| *length > limit) {
        return Err(too_long(format!(
            "the answer announces a body of {announced} bytes; at most {limit} are read"
        )));
    }
    // Reserve at once: a growing buffer is copied, and then old and new use memory together. Unwritten pages use none.
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(limit));
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| fault(&error, &format!("after {} bytes of the answer's body", bytes.len())))?;
        // No expected response has trailers.
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

/// hyper keeps the cause as a source. Its own texts quote nothing that was sent or received.
fn fault(error: &hyper::Error, when: &str) -> Fault {
    if error.is_parse() {
        // Includes exceeded limits; hyper's text names them.
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
    // An alert can come after the handshake: TLS 1.3 refuses a missing client certificate that way.
    if let Some(error) = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_fault::of(error, "", &[]);
    }
    match cause.kind() {
        // From hyper's decoder of chunks.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Fault::new(FailureKind::NotHttp, format!("the answer's body is not HTTP/1.1 ({cause}) {when}"))
        }
        _ => Fault::broken(cause, when),
    }
}

/// In bytes. Headers of AWS's responses have less than 1 KiB, and proxies and gateways add some. Servers accept 16 KiB.
const MAX_HEADER: usize = 16 * 1024;

/// In bytes: the header, the part of the body that hyper reads ahead (two buffers), and the interim responses (1xx) before both.
/// hyper accepts any number of interim responses, and a flood of them keeps it so busy that the deadline fires late.
const MAX_BEFORE_BODY: usize = 256 * 1024;

/// A chunk with one byte of data takes six bytes.
const FRAMED_BYTE: usize = 6;

/// Four times the number that AWS sends.
const MAX_HEADERS: usize = 64;

/// The limit of hyper's read buffer, in bytes. Its default would let a response grow it to 400 KiB.
const MAX_BUFFER: usize = 64 * 1024;

/// Headers whose values are credentials.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "x-amz-security-token", "cookie"];
