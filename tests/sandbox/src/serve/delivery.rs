//! How the bytes of an answer are sent: whole, cut, byte by byte, without end, or as another server's page.
//! `sts::answer` makes the content.

use std::{
    future, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{
    Response,
    body::{Body as HttpBody, Frame},
    header,
    http::response::Builder,
};
use tokio::sync::mpsc;

use super::{Body, finish};
use crate::sts::{Answer, Delivery};

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head>\n<body><h1>Access blocked</h1>\
                    <p>Your organization's policy does not allow this site.</p></body></html>\n";

/// The pause between two bytes. The whole answer then takes longer than any sensible timeout.
const DRIP: Duration = Duration::from_secs(1);
/// A thousand times as much as STS ever answers.
const HUGE: usize = 64 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;

pub(super) async fn deliver(answer: Answer, date: String) -> io::Result<Response<Body>> {
    let mut xml = Response::builder().status(answer.status).header(header::DATE, date);
    for (name, value) in &answer.headers {
        xml = xml.header(name, value);
    }
    let body = answer.body;
    match answer.delivery {
        Delivery::Whole => finish(xml, body),
        Delivery::Html => {
            // A proxy does not send STS's headers.
            let page = Response::builder().status(403).header(header::SERVER, "squid/6.6");
            finish(page.header(header::CONTENT_TYPE, "text/html"), PAGE)
        }
        Delivery::Truncated => {
            let xml = xml.header(header::CONTENT_LENGTH, body.len());
            let whole = Bytes::from(body);
            let half = whole.slice(..whole.len() / 2);
            piecewise(xml, |pieces| async move {
                let _ = pieces.send(Ok(half)).await;
                // Without a pause the first piece would be lost together with the connection.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = pieces.send(Err(io::ErrorKind::ConnectionAborted.into())).await;
            })
        }
        Delivery::Drip => piecewise(xml.header(header::CONTENT_LENGTH, body.len()), |pieces| async move {
            for byte in Bytes::from(body) {
                tokio::time::sleep(DRIP).await;
                if pieces.send(Ok(Bytes::copy_from_slice(&[byte]))).await.is_err() {
                    return;
                }
            }
        }),
        Delivery::Huge => piecewise(xml, |pieces| async move {
            let blanks = Bytes::from(vec![b' '; CHUNK]);
            let mut next = Bytes::from(body);
            for _ in 0..=HUGE / CHUNK {
                if pieces.send(Ok(next)).await.is_err() {
                    return;
                }
                next = blanks.clone();
            }
        }),
        Delivery::Never => future::pending().await,
    }
}

/// A body that a task sends in pieces.
fn piecewise<F, Fed>(builder: Builder, feed: F) -> io::Result<Response<Body>>
where
    F: FnOnce(mpsc::Sender<io::Result<Bytes>>) -> Fed,
    Fed: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(feed(sender));
    builder.body(Pieces { receiver }.boxed_unsync()).map_err(io::Error::other)
}

struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.receiver.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
