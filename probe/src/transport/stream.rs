//! The byte stream below HTTP, plain or TLS. It counts the bytes received and stops an endless response.
//! Whether the peer answered at all decides the name of a failure and whether a request may be repeated.

use std::{
    fmt, io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// TCP, or TLS over it. One type for both, so that the HTTP code above is compiled once.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Counts the bytes that are read.
pub(super) struct Counted {
    stream: Box<dyn Duplex>,
    received: Received,
}

/// How many bytes have been read so far, and how many may be.
#[derive(Clone, Default)]
pub(super) struct Received(Arc<Counts>);

struct Counts {
    bytes: AtomicUsize,
    limit: AtomicUsize,
}

impl Default for Counts {
    /// Has no limit: hyper refuses bytes that come before a request.
    fn default() -> Self {
        Self { bytes: AtomicUsize::new(0), limit: AtomicUsize::new(usize::MAX) }
    }
}

impl Received {
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Lets at most `more` further bytes arrive.
    pub(super) fn allow(&self, more: usize) {
        self.0.limit.store(self.bytes().saturating_add(more), Ordering::Relaxed);
    }
}

/// The peer sent more bytes than any response has.
#[derive(Debug)]
pub(super) struct Flooded {
    pub(super) limit: usize,
}

impl fmt::Display for Flooded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "more than {} bytes came", self.limit)
    }
}

impl std::error::Error for Flooded {}

impl Counted {
    pub(super) fn new(stream: Box<dyn Duplex>, received: Received) -> Self {
        Self { stream, received }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let counts = &self.received.0;
        let read = buffer.filled().len().saturating_sub(before);
        let all = counts.bytes.fetch_add(read, Ordering::Relaxed) + read;
        let limit = counts.limit.load(Ordering::Relaxed);
        if all > limit && read > 0 {
            return Poll::Ready(Err(io::Error::other(Flooded { limit })));
        }
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
