//! Judges endlessly: locally at every interval, with an exchange when one is due or the token has rotated.
//! `schedule` says when an exchange is due; `state` says what verdicts mean. The judge is a parameter, so tests can simulate time.

use super::Shared;
use super::schedule::Schedule;
use crate::process::clock;
use credprobe_judge::report::Report;
use tokio::time::{sleep, sleep_until};

/// What the cycle needs of the probe.
pub trait Judge {
    /// Judges without sending anything.
    fn locally(&self) -> impl Future<Output = Report>;
    /// Judges like one attempt of `check`, with the exchange.
    fn with_exchange(&self) -> impl Future<Output = Report>;
    /// A random number in `[0, 1)`.
    fn random(&self) -> f64;
}

/// Runs until it is dropped. Calls `say` with each verdict that differs from the previous one in class, warning or owner.
pub async fn run(
    judge: &impl Judge,
    schedule: Schedule,
    no_network: bool,
    shared: &Shared,
    say: &impl Fn(&Report),
) {
    let locally = async {
        loop {
            let report = judge.locally().await;
            take(shared, say, |state| state.judged_locally(report, clock::instant()));
            if !no_network && shared.state().wants_exchange(clock::instant()) {
                shared.exchange_wanted.notify_one();
            }
            // Sleep after the work rather than on a fixed beat, so that a suspended node does not have to catch up.
            sleep(schedule.interval).await;
        }
    };
    if no_network {
        return locally.await;
    }
    let exchanging = async {
        loop {
            let began = clock::instant();
            let report = judge.with_exchange().await;
            take(shared, say, |state| state.judged(report, began, clock::instant()));
            let pause = {
                let mut state = shared.state();
                let (failures, wished) = state.failures();
                let pause = if state.is_unasked() {
                    schedule.interval
                } else {
                    schedule.pause(failures, state.last_success.is_none(), wished, judge.random())
                };
                state.next_exchange = Some(clock::now().saturating_add(pause.as_secs().cast_signed()));
                pause
            };
            until_due_or_wanted(shared, pause).await;
        }
    };
    // The first judgement includes the first exchange, so the local ones begin one interval later.
    let locally = async {
        sleep(schedule.interval).await;
        locally.await;
    };
    tokio::join!(exchanging, locally);
}

async fn until_due_or_wanted(shared: &Shared, pause: std::time::Duration) {
    let due = clock::instant() + pause;
    loop {
        tokio::select! {
            () = sleep_until(due) => return,
            // The notification may concern a token that has been exchanged meanwhile.
            () = shared.exchange_wanted.notified() => if shared.state().wants_exchange(clock::instant()) { return },
        }
    }
}

fn take(shared: &Shared, say: &impl Fn(&Report), change: impl FnOnce(&mut super::state::State)) {
    {
        let mut state = shared.state();
        let before = state.told();
        change(&mut state);
        if let Some(report) = state.shown().filter(|report| before != Some(report.in_ids())) {
            say(report);
        }
    }
    shared.changed.notify_one();
}
