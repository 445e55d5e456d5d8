//! The two clocks: the wall clock, against which tokens are held, and a monotonic one for durations.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The same for those who count otherwise.
#[must_use]
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// When an attempt that may last `timeout` from now ends.
#[must_use]
pub fn deadline(timeout: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + timeout
}

/// Of the monotonic clock, which a test can stop and wind.
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

    /// Milliseconds since the start, to a microsecond.
    #[must_use]
    pub fn elapsed_ms(&self) -> f64 {
        round(self.0.elapsed().as_secs_f64() * 1_000.0)
    }
}

/// To three places: finer is noise in a report.
#[must_use]
pub fn round(milliseconds: f64) -> f64 {
    (milliseconds * 1_000.0).round() / 1_000.0
}

/// A number from 0 up to 1, from the kernel; static binaries have it without `/dev`.
#[must_use]
pub fn random() -> f64 {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 4];
    // Without randomness all pods would wait alike, which is bad and no reason to fail.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / 4_294_967_296.0
}
