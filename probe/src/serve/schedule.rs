//! Decides when the next exchange is due: after the interval with some jitter, or after a back-off with full jitter. Pure.
//! `cycle` exchanges a rotated token at once.

use std::time::Duration;

/// How often `serve` judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The pause between two local judgements.
    pub interval: Duration,
    /// The pause after an exchange that succeeded, give or take a tenth.
    pub exchange_interval: Duration,
}

/// Each interval varies by this fraction in both directions, so that pods which started together drift apart.
const JITTER: f64 = 0.1;
/// The ceiling of the pause after the first failure. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Caps the ceiling, so that a repaired role is noticed within minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The cap before the first success: a pod that has never been ready serves nobody, and may block a rollout.
const LONGEST_BEFORE_FIRST: Duration = Duration::from_secs(60);
/// Full jitter can draw a value near zero, which would be no pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

impl Schedule {
    /// The pause before the next exchange, after `failures` failures in a row; 0 means that the last one succeeded.
    ///
    /// `first`: no exchange has succeeded yet. `wished`: the `Retry-After` of STS, in seconds. `random` is in `[0, 1]`.
    #[must_use]
    pub fn pause(&self, failures: u32, first: bool, wished: Option<u64>, random: f64) -> Duration {
        let random = random.clamp(0.0, 1.0);
        if failures == 0 {
            return self.exchange_interval.mul_f64(1.0 - JITTER + 2.0 * JITTER * random);
        }
        let longest = if first { LONGEST_BEFORE_FIRST } else { LONGEST_PAUSE };
        let ceiling = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(10)).min(longest);
        let pause = ceiling.mul_f64(random).max(SHORTEST_PAUSE);
        wished.map_or(pause, |seconds| pause.max(Duration::from_secs(seconds).min(LONGEST_PAUSE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOURLY: Schedule =
        Schedule { interval: Duration::from_secs(15), exchange_interval: Duration::from_secs(3600) };

    #[test]
    fn an_hour_is_an_hour_give_or_take_six_minutes() {
        assert_eq!(HOURLY.pause(0, false, None, 0.0), Duration::from_secs(3240));
        assert_eq!(HOURLY.pause(0, false, None, 0.5), Duration::from_secs(3600));
        assert_eq!(HOURLY.pause(0, false, None, 1.0), Duration::from_secs(3960));
    }

    #[test]
    fn the_ceiling_doubles_from_five_seconds_to_five_minutes() {
        let ceilings = (1..=9).map(|failures| HOURLY.pause(failures, false, None, 1.0).as_secs());
        assert_eq!(ceilings.collect::<Vec<_>>(), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn before_the_first_success_the_ceiling_is_a_minute() {
        let ceilings = (1..=7).map(|failures| HOURLY.pause(failures, true, None, 1.0).as_secs());
        assert_eq!(ceilings.collect::<Vec<_>>(), [5, 10, 20, 40, 60, 60, 60]);
        // A `Retry-After` also counts before the first success, up to the longest pause.
        assert_eq!(HOURLY.pause(9, true, Some(86_400), 1.0), LONGEST_PAUSE);
    }

    #[test]
    fn the_wish_of_sts_is_honoured_up_to_five_minutes() {
        assert_eq!(HOURLY.pause(1, false, Some(60), 0.5), Duration::from_secs(60));
        assert_eq!(HOURLY.pause(1, false, Some(86_400), 0.5), LONGEST_PAUSE);
        assert_eq!(HOURLY.pause(9, false, Some(1), 1.0), LONGEST_PAUSE);
    }

    proptest! {
        #[test]
        fn no_pause_leaves_its_bounds(failures in 0_u32.., first in proptest::bool::ANY, wished in proptest::option::of(0_u64..), random in 0.0..1.0) {
            let pause = HOURLY.pause(failures, first, wished, random);
            if failures == 0 {
                prop_assert!(pause >= Duration::from_secs(3240) && pause <= Duration::from_secs(3960));
            } else {
                prop_assert!(pause >= SHORTEST_PAUSE && pause <= LONGEST_PAUSE);
            }
        }
    }
}
