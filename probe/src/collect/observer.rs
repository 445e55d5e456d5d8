//! Attempts on a thread of their own, which also looks at whom the flags name: any file of theirs may hang.
//! Where one does, the attempt ends at its deadline with what is known: which path did not answer.

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

/// One attempt.
pub enum Attempt {
    /// All that the settings allow, within this time.
    Whole(Duration),
    /// Nothing is sent.
    Local,
}

/// Who makes the attempts.
pub struct Observer {
    whose: SubjectSelector,
    settings: Options,
    thread: Aside<Attempt, Result<Collected, String>>,
}

impl Observer {
    /// # Errors
    /// There can be no further thread; a line.
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

    /// Everything that the settings allow, in at most `timeout` and a little.
    ///
    /// # Errors
    /// The attempt could not begin; a line.
    pub async fn attempt(&self, timeout: Duration) -> Result<Collected, String> {
        let until = clock::deadline(timeout + GRACE);
        let answer = self.thread.ask(Attempt::Whole(timeout), until).await;
        answer.unwrap_or_else(|stuck| Ok(self.stuck(stuck)))
    }

    /// Without the network.
    ///
    /// # Errors
    /// The same.
    pub async fn locally(&self, timeout: Duration) -> Result<Collected, String> {
        let answer = self.thread.ask(Attempt::Local, clock::deadline(timeout)).await;
        answer.unwrap_or_else(|stuck| Ok(self.stuck(stuck)))
    }

    /// Of an attempt that did not come back.
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

/// Descriptors that the first event loop opens, two by two: for polling, waking and signals.
const NEEDED_PAIRS: usize = 4;

/// What is told of at once; a page of memory instead of a dozen kilobytes, which are wiped at the end.
const EVENTS: usize = 64;

/// One thread's.
///
/// # Errors
/// The kernel gives no descriptors for it; a line.
pub fn runtime() -> Result<Runtime, String> {
    // tokio panics where there is none for its signals.
    let spare: io::Result<Vec<_>> = (0..NEEDED_PAIRS).map(|_| UnixStream::pair()).collect();
    let runtime = spare
        .map(drop)
        .and_then(|()| Builder::new_current_thread().enable_all().max_io_events_per_tick(EVENTS).build());
    runtime.map_err(|error| format!("the event loop does not start ({error})"))
}
