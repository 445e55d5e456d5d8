//! Whether and when to try again: two time limits, full jitter, and the `Retry-After` of STS. Pure.
//! The caller sleeps and makes the attempts.

use crate::catalog::{Attribute, Class};
use std::time::Duration;

/// How long to keep trying. Both limits count from the start of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The limit while the finding is transient.
    pub wait: Duration,
    /// The limit while IAM's eventual consistency may be the cause of a refusal.
    pub grace: Duration,
}

/// The result of one attempt, as far as the next one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The verdict's class.
    pub class: Class,
    /// Whether waiting may heal it.
    pub transient: bool,
    /// The `Retry-After` of STS, in seconds.
    pub retry_after: Option<u64>,
}

/// The ceiling of the first pause. It doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Caps the ceiling, so that recovery is noticed quickly.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The pause between a 401 of a cluster and the one further attempt.
const CLUSTER_PAUSE: Duration = Duration::from_secs(10);
/// A shorter pause would not give the answer time to change.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The delay before the first attempt, at most `jitter`. `random` is in `[0, 1]`.
#[must_use]
pub fn start_delay(jitter: Duration, random: f64) -> Duration {
    jitter.mul_f64(random.clamp(0.0, 1.0))
}

impl RetryPolicy {
    /// How long after the start of the run an attempt may still begin, after `last`.
    #[must_use]
    pub fn deadline(&self, last: &Attempt) -> Duration {
        let wait = if last.transient || last.class == Class::ClusterUnauthorized {
            self.wait
        } else {
            Duration::ZERO
        };
        let grace = if last.class.has(Attribute::EventuallyConsistent) { self.grace } else { Duration::ZERO };
        wait.max(grace)
    }

    /// The pause before the next attempt. `None`: there is none.
    ///
    /// `since_start`: how long the run has lasted. `attempts`: how many attempts it has made. `random` is in `[0, 1]`.
    #[must_use]
    pub fn pause(
        &self,
        last: &Attempt,
        since_start: Duration,
        attempts: u32,
        random: f64,
    ) -> Option<Duration> {
        if last.class == Class::Ready {
            return None;
        }
        // If STS throttles the cluster's authenticator, it looks the same. So try once more, but not at once.
        if last.class == Class::ClusterUnauthorized && self.wait > self.grace {
            let once = attempts == 1 && since_start + CLUSTER_PAUSE <= self.wait;
            return once.then_some(CLUSTER_PAUSE);
        }
        let left = self.deadline(last).checked_sub(since_start).filter(|left| !left.is_zero())?;
        let ceiling = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        let jittered = ceiling.mul_f64(random.clamp(0.0, 1.0)).max(SHORTEST_PAUSE);
        let pause = last.retry_after.map_or(jittered, |seconds| jittered.max(Duration::from_secs(seconds)));
        // The last attempt begins when the time is up, and not later.
        Some(pause.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Collected;
    use crate::evidence::{Evidence, Exchange, Network, StsError};
    use crate::report::ReportOptions;
    use crate::verdict::Tolerate;
    use proptest::prelude::*;

    fn refused(code: &str, retry_after: Option<u64>) -> Attempt {
        let mut evidence = Evidence::default();
        for (name, value) in [
            ("AWS_ROLE_ARN", "arn:aws:iam::814203749616:role/checkout-reader"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
            ("AWS_REGION", "eu-west-1"),
        ] {
            evidence.environment.variables.insert(name.to_owned(), value.to_owned());
        }
        evidence.network = Some(Network::default());
        evidence.exchange = Some(Exchange {
            status: 400,
            error: Some(StsError { code: code.to_owned(), message: String::new() }),
            from_sts: true,
            retry_after,
            ..Exchange::default()
        });
        let options =
            ReportOptions { tolerate: &Tolerate::default(), report_only: false, attempts: 1, flapped: false };
        crate::assess(Collected { evidence, seen: true, observed_at: 0, timings: Vec::new() }, &options)
            .attempt()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_clock_counts_for_its_own_classes() {
        let retry_policy = RetryPolicy { wait: 30 * SECOND, grace: 60 * SECOND };
        for (code, limit) in [
            ("Throttling", 30 * SECOND),
            ("AccessDenied", 60 * SECOND),
            ("InvalidIdentityToken", 60 * SECOND),
            ("RegionDisabledException", 60 * SECOND),
            ("ValidationError", Duration::ZERO),
            ("Unheard", Duration::ZERO),
        ] {
            assert_eq!(retry_policy.deadline(&refused(code, None)), limit, "{code}");
        }
    }

    #[test]
    fn no_attempt_begins_after_the_limit() {
        let retry_policy = RetryPolicy { wait: 10 * SECOND, grace: Duration::ZERO };
        let report = refused("Throttling", None);
        assert_eq!(retry_policy.pause(&report, 10 * SECOND, 3, 0.9), None);
        assert_eq!(retry_policy.pause(&report, 9 * SECOND, 9, 0.9), Some(SECOND));
    }

    #[test]
    fn the_wish_of_sts_is_honoured_within_the_limit() {
        let retry_policy = RetryPolicy { wait: 10 * SECOND, grace: Duration::ZERO };
        assert_eq!(retry_policy.pause(&refused("Throttling", Some(4)), SECOND, 1, 0.0), Some(4 * SECOND));
        assert_eq!(retry_policy.pause(&refused("Throttling", Some(400)), SECOND, 1, 0.0), Some(9 * SECOND));
    }

    proptest! {
        #[test]
        fn a_pause_is_within_its_bounds(elapsed in 0_u64..120_000, attempts in 1_u32..100, random in 0.0..1.0) {
            let retry_policy = RetryPolicy { wait: 60 * SECOND, grace: 60 * SECOND };
            let elapsed = Duration::from_millis(elapsed);
            match retry_policy.pause(&refused("Throttling", None), elapsed, attempts, random) {
                Some(pause) => prop_assert!(elapsed + pause <= 60 * SECOND && pause <= LONGEST_PAUSE),
                None => prop_assert!(elapsed >= 60 * SECOND),
            }
        }
    }
}
