//! SIGTERM and SIGINT: kubelet and people end a wait or a `serve` with them.
//! What happens then is the caller's business.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whichever comes first.
pub struct Interrupt {
    signals: Vec<Signal>,
    came: bool,
}

impl Interrupt {
    /// From now on the signals no longer end the process by themselves.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> Self {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
        let signals = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
        super::guard::signals_are_awaited();
        Self { signals, came: false }
    }

    /// Until one of them comes.
    pub async fn received(&mut self) {
        std::future::poll_fn(|context| {
            let mut received = self.signals.iter_mut().map(|signal| signal.poll_recv(context));
            if received.any(|poll| poll.is_ready()) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        self.came = true;
    }

    /// Whether one has come already.
    #[must_use]
    pub fn came(&self) -> bool {
        self.came
    }
}
