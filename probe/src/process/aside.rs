//! Runs work that can hang in the kernel on a separate thread, so that a stuck file system does not block the rest.
//! A question is given up at its deadline. The next one waits until the thread is back, so at most one thread hangs.

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How long an attempt may still take after its deadline to put its report together.
pub const GRACE: Duration = Duration::from_millis(250);

/// A thread that answers questions one after the other.
pub struct Aside<Q, A> {
    questions: mpsc::Sender<Q>,
    desk: Arc<Desk<A>>,
    /// True while a question was given up and its answer is still to come.
    owed: AtomicBool,
}

/// There was no answer in time. Holds the path that the thread looked at last, if it was looking at one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck(pub Option<String>);

struct Desk<A> {
    answer: Mutex<Option<A>>,
    there: Notify,
    path: Path,
}

type Path = Arc<Mutex<Option<String>>>;

thread_local! {
    static LOOKING: RefCell<Path> = RefCell::default();
}

/// Records which path this thread is about to look at.
pub fn looking_at(path: &str) {
    LOOKING.with_borrow(|looking| *locked(looking) = Some(path.to_owned()));
}

/// Records that this thread no longer waits for a file: from here on only the network can be slow, and it has a deadline.
pub fn looked() {
    LOOKING.with_borrow(|looking| *locked(looking) = None);
}

/// Ignores poisoning: the guarded values are consistent after every statement.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<Q: Send + 'static, A: Send + 'static> Aside<Q, A> {
    /// Starts the thread. `make` runs on it and returns the function that answers.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn new<W: FnMut(Q) -> A>(make: impl FnOnce() -> W + Send + 'static) -> io::Result<Self> {
        let (questions, asked) = mpsc::channel();
        let desk = Arc::new(Desk { answer: Mutex::new(None), there: Notify::new(), path: Path::default() });
        let own = Arc::clone(&desk);
        std::thread::Builder::new().spawn(move || {
            LOOKING.set(Arc::clone(&own.path));
            let mut work = make();
            for question in asked {
                let answer = work(question);
                looked();
                *locked(&own.answer) = Some(answer);
                own.there.notify_one();
            }
        })?;
        Ok(Self { questions, desk, owed: AtomicBool::new(false) })
    }

    /// Returns the answer to `question` if it arrives before `until`.
    ///
    /// # Errors
    /// The thread hangs on this question or still on an earlier one.
    pub async fn ask(&self, question: Q, until: Instant) -> Result<A, Stuck> {
        let answered = async {
            if self.owed.load(Ordering::Relaxed) {
                // This answer is discarded: it describes an earlier moment.
                self.answer().await;
            }
            self.owed.store(true, Ordering::Relaxed);
            // If the thread has panicked, the process has ended already.
            let _ = self.questions.send(question);
            self.answer().await
        };
        tokio::select! {
            biased;
            answer = answered => Ok(answer),
            () = sleep_until(until) => Err(Stuck(locked(&self.desk.path).clone())),
        }
    }

    async fn answer(&self) -> A {
        loop {
            if let Some(answer) = locked(&self.desk.answer).take() {
                self.owed.store(false, Ordering::Relaxed);
                return answer;
            }
            self.desk.there.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::clock;

    #[tokio::test]
    async fn a_thread_that_hangs_is_given_up_and_asked_again_when_it_is_back() {
        let (release, held) = mpsc::channel::<()>();
        let aside = Aside::new(move || {
            move |question: u32| {
                if question == 1 {
                    looking_at("/mnt/efs/token");
                    let _ = held.recv();
                }
                question * 10
            }
        })
        .unwrap();
        let soon = || clock::deadline(Duration::from_millis(50));
        assert_eq!(aside.ask(0, soon()).await, Ok(0));
        let stuck = Err(Stuck(Some("/mnt/efs/token".to_owned())));
        assert_eq!(aside.ask(1, soon()).await, stuck);
        // The hanging thread is not replaced by a second one.
        assert_eq!(aside.ask(2, soon()).await, stuck);
        drop(release);
        assert_eq!(
            aside.ask(3, clock::deadline(Duration::from_secs(5))).await,
            Ok(30),
            "not the answer to 1"
        );
    }
}
