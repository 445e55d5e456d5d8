//! `check` as an init container of many pods: each pod is a sequence of events in one queue.
//! The probe's own `retry_policy` says when to start and whether to try again.

use super::answers::Answers;
use super::bucket::Bucket;
use super::random::Random;
use credprobe_judge::catalog::Class;
use credprobe_judge::verdict::retry_policy::{RetryPolicy, start_delay};
use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

/// Time for name, connection, TLS and the answer. The second call is one round trip on the same connection.
pub(crate) const FIRST_CALL: Duration = Duration::from_millis(60);
pub(crate) const SECOND_CALL: Duration = Duration::from_millis(20);
const SEED: u64 = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) pods: u32,
    pub(crate) wait: Duration,
    pub(crate) start_jitter: Duration,
    /// Without `--no-identity`.
    pub(crate) identity: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) setting: Setting,
    pub(crate) ready: u32,
    /// Pods that are ready although their GetCallerIdentity was refused: a warning.
    pub(crate) unconfirmed: u32,
    pub(crate) gave_up: u32,
    /// When the last pod was ready, if all were.
    pub(crate) all_ready: Option<Duration>,
    /// When half of them were ready.
    pub(crate) half_ready: Option<Duration>,
    pub(crate) end: Duration,
    pub(crate) requests: u32,
    pub(crate) refused: u32,
    pub(crate) attempts: u32,
    pub(crate) per_second: Vec<u32>,
    /// When each ready pod became ready, in order.
    pub(crate) ready_at: Vec<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    Exchange,
    Identity,
}

/// The time, the pod (the lower number comes first in a tie), what arrives at STS, and the attempt.
type Event = Reverse<(Duration, u32, Call, u32)>;

pub(crate) fn run(setting: Setting) -> Run {
    let (answers, mut random, mut sts) = (Answers::new(), Random::new(SEED), Bucket::new());
    let retry_policy = RetryPolicy { wait: setting.wait, grace: Duration::ZERO };
    let mut queue: BinaryHeap<Event> = (0..setting.pods)
        .map(|pod| Reverse((start_delay(setting.start_jitter, random.draw()), pod, Call::Exchange, 1)))
        .collect();
    let (mut ready_at, mut unconfirmed, mut gave_up, mut attempts) = (Vec::new(), 0, 0, 0);
    let mut end = Duration::ZERO;
    while let Some(Reverse((now, pod, call, attempt))) = queue.pop() {
        let taken = sts.takes(now);
        let (report, done) = match (call, taken) {
            (Call::Exchange, true) if setting.identity => {
                queue.push(Reverse((now + FIRST_CALL, pod, Call::Identity, attempt)));
                continue;
            }
            (Call::Exchange, true) => (&answers.ready, now + FIRST_CALL),
            (Call::Exchange, false) => (&answers.throttled, now + FIRST_CALL),
            (Call::Identity, true) => (&answers.ready, now + SECOND_CALL),
            (Call::Identity, false) => (&answers.unconfirmed, now + SECOND_CALL),
        };
        attempts += 1;
        end = end.max(done);
        // Both clocks start with the process, so they include the start's delay.
        if let Some(pause) = retry_policy.pause(&report.attempt(), done, attempt, random.draw()) {
            queue.push(Reverse((done + pause, pod, Call::Exchange, attempt + 1)));
        } else if report.verdict.class == Class::Ready {
            ready_at.push(done);
            unconfirmed += u32::from(call == Call::Identity && !taken);
        } else {
            gave_up += 1;
        }
    }
    ready_at.sort_unstable();
    let half = usize::try_from(setting.pods / 2).unwrap_or_default();
    Run {
        setting,
        ready: setting.pods - gave_up,
        unconfirmed,
        gave_up,
        all_ready: ready_at.last().copied().filter(|_| gave_up == 0),
        half_ready: ready_at.get(half).copied(),
        end,
        requests: sts.requests,
        refused: sts.refused,
        attempts,
        per_second: sts.per_second,
        ready_at,
    }
}
