//! The two clocks: a wall clock to compare tokens with, and a monotonic clock for durations.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock, in seconds since the epoch.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The wall clock, as std's type.
#[must_use]
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// The end of an attempt that starts now and may last `timeout`.
#[must_use]
pub fn deadline(timeout: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + timeout
}

/// The monotonic clock, which a test can pause and advance.
#[must_use]
pub fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Measures one stage.
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Milliseconds since the start, rounded to a microsecond.
    #[must_use]
    pub fn elapsed_ms(&self) -> f64 {
        round(self.0.elapsed().as_secs_f64() * 1_000.0)
    }
}

/// Rounds to three decimal places, because finer differences are noise in a report.
#[must_use]
pub fn round(milliseconds: f64) -> f64 {
    (milliseconds * 1_000.0).round() / 1_000.0
}

/// A random number in `[0, 1)`. It comes from the kernel, so a static binary gets it without `/dev`.
#[must_use]
pub fn random() -> f64 {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 4];
    // Without randomness all pods wait equally long. That is bad, but no reason to fail.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / 4_294_967_296.0
}
