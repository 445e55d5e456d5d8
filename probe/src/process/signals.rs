//! Receives SIGTERM and SIGINT, with which the kubelet and people end a wait or a `serve`.
//! The caller decides what to do then.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the first of these signals.
pub struct Interrupt {
    signals: Vec<Signal>,
    came: bool,
}

impl Interrupt {
    /// Takes the signals over: from now on they do not end the process.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> Self {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
        let signals = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
        super::guard::signals_are_awaited();
        Self { signals, came: false }
    }

    /// Waits until a signal arrives.
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

    /// Whether a signal has arrived already.
    #[must_use]
    pub fn came(&self) -> bool {
        self.came
    }
}
