//! What the probe says: each of stdout, stderr and termination log is written by a thread of its own.
//! Nobody may read a pipe, and a write to a full one lasts for ever: who says something never waits for that.

use crate::process::aside::locked;
use crate::process::clock;
use credprobe_judge::text::shown::escaped;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What waits to be written at most; what comes on top of it is dropped, and counted.
const QUEUE: usize = 64;
/// A writer's frames are small.
const STACK: usize = 128 * 1024;
/// How long lines may still take when everything else is done: a reader that is there takes microseconds.
pub const LAST_WORDS: Duration = Duration::from_millis(250);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

static OUT: Stream = Stream::new();
static ERR: Stream = Stream::new();
static LOG: Stream = Stream::new();
/// The pipes of this process were waited for long enough.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);
/// The error with which a write to stdout failed; 0: none did.
static LOST: AtomicI32 = AtomicI32::new(0);

type Job = Box<dyn FnOnce() + Send>;

struct Stream {
    queue: OnceLock<Option<SyncSender<Job>>>,
    dropped: AtomicUsize,
    pending: Mutex<usize>,
    written: Condvar,
}

/// Data, with a line break after it.
pub fn print(text: &str) {
    let line = format!("{text}\n");
    OUT.take(move || {
        if let Err(error) = write(io::stdout(), line.as_bytes()) {
            LOST.store(error as i32, Ordering::Relaxed);
        }
    });
    tell_dropped("stdout", &OUT);
}

/// Talk, with a line break after it.
pub fn say(line: &str) {
    talk((escaped(line) + "\n").into_bytes());
}

/// The same of what is escaped already, and moves the cursor.
pub fn talk(bytes: Vec<u8>) {
    tell_dropped("stderr", &ERR);
    ERR.take(move || {
        let _nobody_to_tell = write(io::stderr(), &bytes);
    });
}

/// The termination message, where it is wanted.
pub fn terminate(path: PathBuf, line: String) {
    LOG.take(move || crate::process::termination::write(&path, &line));
}

/// As soon as there is room again: an incomplete log must not look complete.
fn tell_dropped(name: &'static str, stream: &'static Stream) {
    let dropped = stream.dropped.load(Ordering::Relaxed);
    if dropped == 0 || !stream.has_room() {
        return;
    }
    stream.dropped.fetch_sub(dropped, Ordering::Relaxed);
    let line = format!("WARN {dropped} messages for {name} were dropped: nobody read them\n");
    ERR.take(move || {
        let _nobody_to_tell = write(io::stderr(), line.as_bytes());
    });
}

/// Until all is written, or that time has come.
pub async fn written(until: Instant) {
    while !settle() && clock::instant() < until {
        sleep_until(until.min(clock::deadline(LOOK_AGAIN))).await;
    }
}

/// Whether all is written, after the moment that this takes where somebody reads.
pub fn settle() -> bool {
    [&OUT, &ERR, &LOG].iter().all(|stream| {
        let pending = locked(&stream.pending);
        let waited = stream.written.wait_timeout_while(pending, LOOK_AGAIN, |pending| *pending > 0);
        waited.is_ok_and(|(pending, _)| *pending == 0)
    })
}

/// From now on nobody waits for what is not written yet.
pub fn give_up() {
    GIVEN_UP.store(true, Ordering::Relaxed);
}

/// Until all is written; a signal ends that, where nobody took signals over.
pub fn finish() {
    loop {
        if GIVEN_UP.load(Ordering::Relaxed) || settle() {
            return;
        }
    }
}

/// What did not get to stdout since this was last asked, as a line; a reader that went away wanted no more.
pub fn lost() -> Option<String> {
    let error = nix::errno::Errno::from_raw(LOST.swap(0, Ordering::Relaxed));
    let is_lost = !matches!(error, nix::errno::Errno::UnknownErrno | nix::errno::Errno::EPIPE);
    is_lost.then(|| format!("stdout could not be written: {}", error.desc()))
}

impl Stream {
    const fn new() -> Self {
        Self {
            queue: OnceLock::new(),
            dropped: AtomicUsize::new(0),
            pending: Mutex::new(0),
            written: Condvar::new(),
        }
    }

    fn take(&'static self, job: impl FnOnce() + Send + 'static) {
        let Some(queue) = self.queue.get_or_init(|| self.start()) else {
            // Without a second thread this one has to.
            return job();
        };
        *locked(&self.pending) += 1;
        if queue.try_send(Box::new(job)).is_err() {
            *locked(&self.pending) -= 1;
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn has_room(&self) -> bool {
        *locked(&self.pending) < QUEUE / 2
    }

    fn start(&'static self) -> Option<SyncSender<Job>> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            for job in jobs {
                job();
                *locked(&self.pending) -= 1;
                self.written.notify_all();
            }
        });
        thread.ok().map(|_| queue)
    }
}

fn write(to: impl std::os::fd::AsFd, mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(&to, bytes) {
            Ok(0) => return Err(nix::errno::Errno::EIO),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(nix::errno::Errno::EINTR) => {}
            // Whoever shares the descriptor made it non-blocking.
            Err(nix::errno::Errno::EAGAIN) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A line of the log, as `tracing` writes it: in one piece, with its line break.
pub struct Talk;

impl Write for Talk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        say(text.strip_suffix('\n').unwrap_or(&text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
