//! For the fuzzer only: a connection that returns given responses, whatever the request is.
//! HTTP and the SDK above it are the code that ships.

use super::exchange::Connection;
use super::fault::Fault;
use super::lock;
use super::record::Record;
use credprobe_judge::evidence::Phase;
use std::{
    collections::VecDeque,
    io::{self, Cursor},
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Separates the responses of two connections.
const BETWEEN: &[u8] = b"\n---\n";

static ANSWERS: Mutex<Option<VecDeque<Vec<u8>>>> = Mutex::new(None);

/// Gives each new connection the next of these responses. The connection then ends, so that no input waits for a deadline.
pub(crate) fn answer_with(mut bytes: &[u8]) {
    let mut answers = VecDeque::new();
    while let Some(at) = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        answers.push_back(bytes[..at].to_vec());
        bytes = &bytes[at + BETWEEN.len()..];
    }
    answers.push_back(bytes.to_vec());
    *lock(&ANSWERS) = Some(answers);
}

/// A stream that is silent until it receives a request: unexpected bytes would end an HTTP connection.
struct Canned {
    answer: Cursor<Vec<u8>>,
    is_asked: bool,
    reader: Option<Waker>,
}

impl AsyncRead for Canned {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_asked {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.answer).poll_read(context, into)
    }
}

impl AsyncWrite for Canned {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.is_asked = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub(super) async fn connection(record: &Record) -> Option<Result<Connection, Fault>> {
    let answer = lock(&ANSWERS).as_mut()?.pop_front().unwrap_or_default();
    record.enter(Phase::Processing);
    let stream = Canned { answer: Cursor::new(answer), is_asked: false, reader: None };
    Some(Connection::over(Box::new(stream), SocketAddr::from((Ipv4Addr::LOCALHOST, 443))).await)
}
