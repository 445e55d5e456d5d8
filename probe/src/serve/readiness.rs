//! Decides from the verdicts so far whether the pod is ready (rules-of-the-verdict.md, “`serve`”). Pure: times are parameters.
//! `state` knows whether a verdict is still fresh.

use credprobe_judge::catalog::{Class, Readiness as Effect};
use std::time::Duration;
use tokio::time::Instant;

/// The value of `--readiness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Once ready, the pod becomes unready only by what is certain to break the application, or by what lasts.
    Hold,
    /// The pod follows the verdict at once.
    Strict,
    /// Once ready, the pod stays ready.
    Startup,
}

/// The number of refusals in a row that, with the hold, make a pod unready. A bad trust policy must not take every replica out
/// of service at once.
const REFUSALS: u32 = 3;

/// What is remembered of the verdicts.
#[derive(Debug)]
pub struct Readiness {
    mode: Mode,
    hold: Duration,
    was_ready: bool,
    /// How many exchanges in a row were refused, and the times of the first and the last refusal.
    refused: Option<(u32, Instant, Instant)>,
}

impl Readiness {
    #[must_use]
    pub fn new(mode: Mode, hold: Duration) -> Self {
        Self { mode, hold, was_ready: false, refused: None }
    }

    /// Records an exchange that ended with `class`. `passes`: the verdict is ready, or tolerated.
    pub fn exchanged(&mut self, class: Class, passes: bool, now: Instant) {
        if passes {
            self.refused = None;
        } else if is_refusal(class) {
            let (count, first, _) = self.refused.unwrap_or((0, now, now));
            self.refused = Some((count + 1, first, now));
        }
        // Network trouble is not a refusal and does not end a row of refusals: STS was not asked.
    }

    /// Records whether the shown verdict passes.
    pub fn shown(&mut self, passes: bool) {
        self.was_ready |= passes;
    }

    /// Whether the pod is ready. `passes`: the shown verdict is ready, or tolerated. `breaks`: it is one of those that
    /// break the application as soon as it renews its credentials ([`breaks_at_once`]).
    #[must_use]
    pub fn is_ready(&self, passes: bool, breaks: bool) -> bool {
        match self.mode {
            Mode::Strict => passes,
            Mode::Startup => self.was_ready,
            Mode::Hold => self.was_ready && (passes || !breaks && !self.lasts()),
        }
    }

    fn lasts(&self) -> bool {
        self.refused.is_some_and(|(count, first, last)| count >= REFUSALS && last - first >= self.hold)
    }
}

/// Whether the next renewal of the credentials fails whatever STS says.
#[must_use]
pub fn breaks_at_once(class: Class) -> bool {
    class.info().readiness == Effect::AtOnce
}

/// Whether STS, IAM or the agent refused.
fn is_refusal(class: Class) -> bool {
    class.info().readiness == Effect::IfItLasts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOLD: Duration = Duration::from_secs(900);

    /// Whether the pod is ready after exchanges with these classes at these minutes.
    fn after(mode: Mode, verdicts: &[(u32, Class)]) -> bool {
        let start = now();
        let mut readiness = Readiness::new(mode, HOLD);
        let mut last = Class::Inconclusive;
        for (minute, class) in verdicts {
            let passes = *class == Class::Ready;
            readiness.exchanged(*class, passes, start + *minute * MINUTE);
            readiness.shown(passes);
            last = *class;
        }
        readiness.is_ready(last == Class::Ready, breaks_at_once(last))
    }

    #[expect(clippy::disallowed_methods, reason = "a test's zero")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn nothing_is_ready_before_the_first_success() {
        for mode in [Mode::Hold, Mode::Strict, Mode::Startup] {
            assert!(!after(mode, &[]));
            assert!(!after(mode, &[(0, Class::AccessDenied)]));
            assert!(!after(mode, &[(0, Class::ConnectTimeout)]));
            assert!(after(mode, &[(0, Class::AccessDenied), (1, Class::Ready)]));
        }
    }

    #[test]
    fn a_refusal_must_be_three_and_last_for_the_hold() {
        use Class::{AccessDenied as Denied, ConnectTimeout as Timeout, Ready, Throttled};
        assert!(after(Mode::Hold, &[(0, Ready), (1, Denied), (2, Denied), (3, Denied)]));
        assert!(after(Mode::Hold, &[(0, Ready), (1, Denied), (16, Denied)]));
        assert!(!after(Mode::Hold, &[(0, Ready), (1, Denied), (2, Denied), (16, Denied)]));
        assert!(!after(Mode::Hold, &[(0, Ready), (1, Denied), (9, Throttled), (16, Denied)]));
        // A success in between restarts the count. Network trouble neither restarts it nor counts.
        assert!(after(Mode::Hold, &[(0, Ready), (1, Denied), (9, Ready), (10, Denied), (16, Denied)]));
        assert!(after(Mode::Hold, &[(0, Ready), (1, Denied), (9, Timeout), (16, Denied)]));
        assert!(!after(Mode::Hold, &[(0, Ready), (1, Denied), (9, Timeout), (16, Denied), (17, Denied)]));
        assert!(!after(Mode::Hold, &[(0, Ready), (1, Denied), (2, Denied), (16, Denied), (17, Timeout)]));
        assert!(after(Mode::Hold, &[(0, Ready), (1, Denied), (2, Denied), (16, Denied), (17, Ready)]));
    }

    #[test]
    fn network_trouble_never_makes_a_held_pod_unready() {
        let mut verdicts = vec![(0, Class::Ready)];
        verdicts.extend((1..1_000).map(|minute| (minute, Class::ConnectRefused)));
        assert!(after(Mode::Hold, &verdicts));
        assert!(!after(Mode::Strict, &verdicts));
        assert!(after(Mode::Startup, &verdicts));
    }

    /// The column of the class table decides, for future classes too.
    #[test]
    fn a_class_does_what_its_column_says() {
        for class in Class::all().iter().filter(|class| **class != Class::Ready) {
            let lasting: Vec<_> = (1..40).map(|minute| (minute, *class)).collect();
            let lasting = [&[(0, Class::Ready)], lasting.as_slice()].concat();
            let ready = (after(Mode::Hold, &lasting[..2]), after(Mode::Hold, &lasting));
            let expected = match class.info().readiness {
                Effect::Keeps => (true, true),
                Effect::AtOnce => (false, false),
                Effect::IfItLasts => (true, false),
            };
            assert_eq!(ready, expected, "{class}");
        }
    }

    proptest! {
        /// Startup is at least as lenient as hold, and hold at least as lenient as strict.
        #[test]
        fn the_modes_are_ordered(codes in proptest::collection::vec(0..Class::all().len(), 1..40)) {
            let verdicts: Vec<_> =
                codes.iter().zip(0..).map(|(index, minute)| (minute, Class::all()[*index])).collect();
            let [strict, hold, startup] = [Mode::Strict, Mode::Hold, Mode::Startup].map(|mode| after(mode, &verdicts));
            prop_assert!(!strict || hold);
            prop_assert!(!hold || startup);
            prop_assert_eq!(strict, verdicts.last().is_some_and(|(_, class)| *class == Class::Ready));
        }
    }
}
