//! `serve` in many pods that start at once, for three hours: the first exchange, back-off, and the hourly ones after it.

use super::answers::Answers;
use super::bucket::Bucket;
use super::checks::{FIRST_CALL, SECOND_CALL};
use super::random::Random;
use credprobe::serve::schedule::Schedule;
use credprobe_judge::catalog::Class;
use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

const SEED: u64 = 30_000;
const HOUR: Duration = Duration::from_secs(3_600);
const END: Duration = Duration::from_secs(3 * 3_600);
/// The defaults of the flags.
const SCHEDULE: Schedule = Schedule { interval: Duration::from_secs(15), exchange_interval: HOUR };

pub(crate) struct Served {
    pub(crate) pods: u32,
    pub(crate) half_ready: Duration,
    pub(crate) all_ready: Duration,
    /// These are for the first hour, in which all pods start at once.
    pub(crate) requests: u32,
    pub(crate) refused: u32,
    pub(crate) busiest: u32,
    /// These are for the two hours after it.
    pub(crate) busiest_later: u32,
    pub(crate) refused_later: u32,
}

/// The time, the pod, whether it is the second call, how many exchanges in a row have failed.
type Event = Reverse<(Duration, u32, bool, u32)>;

pub(crate) fn run(pods: u32) -> Served {
    let (answers, mut random, mut sts) = (Answers::new(), Random::new(SEED), Bucket::new());
    let mut queue: BinaryHeap<Event> =
        (0..pods).map(|pod| Reverse((Duration::ZERO, pod, false, 0))).collect();
    let mut ready_at = Vec::new();
    let mut ready = vec![false; usize::try_from(pods).unwrap_or_default()];
    let mut first_hour = None;
    while let Some(Reverse((now, pod, second_call, failures))) = queue.pop() {
        if now >= END {
            break;
        }
        // The first hourly exchange comes after nine tenths of an hour.
        if now >= HOUR.mul_f64(0.85) && first_hour.is_none() {
            first_hour = Some((sts.requests, sts.refused));
        }
        let taken = sts.takes(now);
        if !second_call && taken {
            queue.push(Reverse((now + FIRST_CALL, pod, true, failures)));
            continue;
        }
        let report = match (second_call, taken) {
            (true, true) => &answers.ready,
            (true, false) => &answers.unconfirmed,
            (false, _) => &answers.throttled,
        };
        let passes = report.verdict.class == Class::Ready;
        let done = now + if second_call { SECOND_CALL } else { FIRST_CALL };
        let index = usize::try_from(pod).unwrap_or_default();
        if passes && !ready[index] {
            ready[index] = true;
            ready_at.push(done);
        }
        let failures = if passes { 0 } else { failures + 1 };
        let pause = SCHEDULE.pause(failures, !ready[index], None, random.draw());
        queue.push(Reverse((done + pause, pod, false, failures)));
    }
    let (requests, refused) = first_hour.unwrap_or((sts.requests, sts.refused));
    let later = usize::try_from(HOUR.mul_f64(0.85).as_secs()).unwrap_or_default().min(sts.per_second.len());
    let (first, hourly) = sts.per_second.split_at(later);
    ready_at.sort_unstable();
    Served {
        pods,
        half_ready: ready_at[ready_at.len() / 2],
        all_ready: *ready_at.last().filter(|_| ready.iter().all(|it| *it)).unwrap_or(&END),
        requests,
        refused,
        busiest: first.iter().copied().max().unwrap_or_default(),
        busiest_later: hourly.iter().copied().max().unwrap_or_default(),
        refused_later: sts.refused - refused,
    }
}
