//! STS's limit for an account in a region, as a token bucket: it starts with a second's worth and refills steadily.

use std::time::Duration;

/// Requests per second: AWS's quota for STS in one account and region.
pub(crate) const LIMIT: u32 = 600;

pub(crate) struct Bucket {
    held: f64,
    at: Duration,
    pub(crate) requests: u32,
    pub(crate) refused: u32,
    /// Requests that arrived in each second, including refused ones.
    pub(crate) per_second: Vec<u32>,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        Self { held: f64::from(LIMIT), at: Duration::ZERO, requests: 0, refused: 0, per_second: Vec::new() }
    }

    /// Whether a request that arrives `now` is admitted. Calls must come in the order of time.
    pub(crate) fn takes(&mut self, now: Duration) -> bool {
        let gained = (now - self.at).as_secs_f64() * f64::from(LIMIT);
        self.held = (self.held + gained).min(f64::from(LIMIT));
        self.at = now;
        let second = usize::try_from(now.as_secs()).unwrap_or(usize::MAX);
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, 0);
        }
        self.per_second[second] += 1;
        self.requests += 1;
        if self.held >= 1.0 {
            self.held -= 1.0;
            return true;
        }
        self.refused += 1;
        false
    }
}
