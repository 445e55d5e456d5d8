//! Makes attempts on a separate thread, which also opens the files of the process that the flags name: any of them may hang.
//! If one hangs, the attempt ends at its deadline with what is known: which path did not answer.

use crate::collect::steps::{self, Collector};
use crate::collect::subject::{Subject, SubjectSelector};
use crate::process::aside::{Aside, GRACE, Stuck};
use crate::process::clock;
use credprobe_judge::evidence::Collected;
use credprobe_judge::options::Options;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The kinds of attempt.
pub enum Attempt {
    /// Everything that the settings allow, within this time.
    Whole(Duration),
    /// Without sending anything.
    Local,
}

/// Makes the attempts.
pub struct Observer {
    whose: SubjectSelector,
    settings: Options,
    thread: Aside<Attempt, Result<Collected, String>>,
}

impl Observer {
    /// # Errors
    /// The thread cannot be started. The error is one line.
    pub fn new(whose: SubjectSelector, settings: Options) -> Result<Self, String> {
        let (its, stated) = (whose.clone(), settings.clone());
        let thread = Aside::new(move || {
            let mut place = None;
            move |attempt| {
                let (runtime, subject) = match &mut place {
                    Some(place) => place,
                    None => place.insert(begin(its.clone())?),
                };
                Ok(match attempt {
                    Attempt::Whole(timeout) => {
                        runtime.block_on(steps::collect_evidence(subject, stated.clone(), timeout))
                    }
                    Attempt::Local => runtime.block_on(steps::collect_locally(subject, stated.clone())),
                })
            }
        });
        let thread = thread.map_err(|error| format!("no thread can be started ({error})"))?;
        Ok(Self { whose, settings, thread })
    }

    /// Makes one attempt with everything that the settings allow, in `timeout` and a short grace period.
    ///
    /// # Errors
    /// The attempt could not begin. The error is one line.
    pub async fn attempt(&self, timeout: Duration) -> Result<Collected, String> {
        let until = clock::deadline(timeout + GRACE);
        let answer = self.thread.ask(Attempt::Whole(timeout), until).await;
        answer.unwrap_or_else(|stuck| Ok(self.stuck(stuck)))
    }

    /// Makes one attempt without the network.
    ///
    /// # Errors
    /// As [`Observer::attempt`].
    pub async fn locally(&self, timeout: Duration) -> Result<Collected, String> {
        let answer = self.thread.ask(Attempt::Local, clock::deadline(timeout)).await;
        answer.unwrap_or_else(|stuck| Ok(self.stuck(stuck)))
    }

    /// The evidence of an attempt that did not return in time.
    pub fn stuck(&self, stuck: Stuck) -> Collected {
        Collector::stuck(&self.whose, self.settings.clone(), stuck)
    }
}

/// # Errors
/// As [`Observer::attempt`].
pub(crate) fn begin(whose: SubjectSelector) -> Result<(Runtime, Subject), String> {
    let runtime = runtime()?;
    let subject = Subject::new(whose);
    Ok((runtime, subject.map_err(|error| format!("the root directory cannot be opened ({error})"))?))
}

/// How many pairs of descriptors the first event loop opens: for polling, waking and signals.
const NEEDED_PAIRS: usize = 4;

/// How many events one poll returns. This takes a page of memory instead of a dozen kilobytes, which would be wiped at the end.
const EVENTS: usize = 64;

/// An event loop for one thread.
///
/// # Errors
/// The kernel gives no descriptors for it. The error is one line.
pub fn runtime() -> Result<Runtime, String> {
    // tokio panics if it gets no descriptor for its signals.
    let spare: io::Result<Vec<_>> = (0..NEEDED_PAIRS).map(|_| UnixStream::pair()).collect();
    let runtime = spare
        .map(drop)
        .and_then(|()| Builder::new_current_thread().enable_all().max_io_events_per_tick(EVENTS).build());
    runtime.map_err(|error| format!("the event loop does not start ({error})"))
}
