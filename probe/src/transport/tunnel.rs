//! Opens a tunnel through a proxy over an open connection: CONNECT and its answer (RFC 9110 §9.3.6).
//! `proxy` decides whether a proxy is used.

use super::endpoint::Endpoint;
use super::fault::Fault;
use super::proxy::Proxy;
use super::record::Record;
use credprobe_judge::evidence::FailureKind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks `proxy` for a tunnel to `endpoint`. Afterwards the stream leads to the endpoint.
///
/// # Errors
/// `ProxyRefused` for any status but 2xx; `Broken` and `NotHttp`, which the caller attributes to the proxy.
pub(super) async fn open(
    stream: &mut TcpStream,
    endpoint: &Endpoint,
    proxy: &Proxy,
    record: &Record,
) -> Result<(), Fault> {
    stream
        .write_all(&request(endpoint, proxy))
        .await
        .map_err(|error| Fault::broken(&error, "before CONNECT"))?;
    let mut answer = Vec::new();
    loop {
        // It does no harm to read beyond the header: the endpoint sends nothing before our ClientHello, so further bytes are a
        // fault anyway.
        let read = stream
            .read_buf(&mut answer)
            .await
            .map_err(|error| Fault::broken(&error, "instead of a tunnel"))?;
        if read == 0 {
            return Err(Fault::new(
                FailureKind::Broken,
                "closed the connection instead of answering CONNECT",
            ));
        }
        match status(&answer)? {
            Some((status, length)) => {
                record.proxy_status(status);
                return judge(status, length == answer.len());
            }
            None if answer.len() > MAX_HEADER => {
                return Err(Fault::new(FailureKind::NotHttp, "the answer to CONNECT has an endless header"));
            }
            None => {}
        }
    }
}

fn request(endpoint: &Endpoint, proxy: &Proxy) -> Vec<u8> {
    let target = format!("{}:{}", endpoint.host, endpoint.port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The status and the length of the header; `None`: the header is not complete yet.
fn status(answer: &[u8]) -> Result<Option<(u16, usize)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Complete(length)) => Ok(response.code.map(|code| (code, length))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(Fault::new(
            FailureKind::NotHttp,
            format!("what it answered to CONNECT is not HTTP/1.1 ({error})"),
        )),
    }
}

fn judge(status: u16, header_only: bool) -> Result<(), Fault> {
    let refused = |why: String| Err(Fault::new(FailureKind::ProxyRefused, why));
    match status {
        200..300 if header_only => Ok(()),
        200..300 => refused("sent something of its own into the tunnel".to_owned()),
        403 => refused("answered CONNECT with 403: it does not let this pod go there".to_owned()),
        407 => refused(
            "answered CONNECT with 407: it wants credentials, or others than those in its URL".to_owned(),
        ),
        _ => refused(format!("answered CONNECT with {status}")),
    }
}

/// The same limit, in bytes, as for other responses. No real proxy sends more.
const MAX_HEADER: usize = 16 * 1024;

/// The same limit as for other responses.
const MAX_HEADERS: usize = 64;
