//! Writes stdout, stderr and the termination log, each on a separate thread.
//! Nobody may be reading a pipe, and a write to a full pipe blocks forever. So callers never wait for a write.

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

/// The most messages that wait to be written. Further messages are dropped and counted.
const QUEUE: usize = 64;
/// A writer needs only small stack frames.
const STACK: usize = 128 * 1024;
/// How long pending lines may take after all other work is done. A reader that is present needs microseconds.
pub const LAST_WORDS: Duration = Duration::from_millis(250);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

static OUT: Stream = Stream::new();
static ERR: Stream = Stream::new();
static LOG: Stream = Stream::new();
/// True once the process no longer waits for its pipes.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);
/// The `errno` of a failed write to stdout; 0 if no write failed.
static LOST: AtomicI32 = AtomicI32::new(0);

type Job = Box<dyn FnOnce() + Send>;

struct Stream {
    queue: OnceLock<Option<SyncSender<Job>>>,
    dropped: AtomicUsize,
    pending: Mutex<usize>,
    written: Condvar,
}

/// Writes data to stdout, and a line break after it.
pub fn print(text: &str) {
    let line = format!("{text}\n");
    OUT.take(move || {
        if let Err(error) = write(io::stdout(), line.as_bytes()) {
            LOST.store(error as i32, Ordering::Relaxed);
        }
    });
    tell_dropped("stdout", &OUT);
}

/// Writes a message to stderr, escaped and with a line break after it.
pub fn say(line: &str) {
    talk((escaped(line) + "\n").into_bytes());
}

/// Writes to stderr without escaping, for text that is escaped already and moves the cursor.
pub fn talk(bytes: Vec<u8>) {
    tell_dropped("stderr", &ERR);
    ERR.take(move || {
        let _nobody_to_tell = write(io::stderr(), &bytes);
    });
}

/// Writes the termination message.
pub fn terminate(path: PathBuf, line: String) {
    LOG.take(move || crate::process::termination::write(&path, &line));
}

/// Reports dropped messages as soon as there is room again: an incomplete log must not look complete.
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

/// Waits until everything is written, or until that time.
pub async fn written(until: Instant) {
    while !settle() && clock::instant() < until {
        sleep_until(until.min(clock::deadline(LOOK_AGAIN))).await;
    }
}

/// Waits one short moment, which is enough for a reader that is present. Returns whether everything is written.
pub fn settle() -> bool {
    [&OUT, &ERR, &LOG].iter().all(|stream| {
        let pending = locked(&stream.pending);
        let waited = stream.written.wait_timeout_while(pending, LOOK_AGAIN, |pending| *pending > 0);
        waited.is_ok_and(|(pending, _)| *pending == 0)
    })
}

/// Stops [`finish`] from waiting for pending output.
pub fn give_up() {
    GIVEN_UP.store(true, Ordering::Relaxed);
}

/// Waits until everything is written or [`give_up`] was called. A signal still ends the process, unless other code awaits signals.
pub fn finish() {
    loop {
        if GIVEN_UP.load(Ordering::Relaxed) || settle() {
            return;
        }
    }
}

/// An error line if a write to stdout failed since the last call. A reader that closed the pipe wanted no more, so that is not one.
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
            // The writer thread could not be started, so this thread writes.
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
            // Another process that shares the descriptor made it non-blocking.
            Err(nix::errno::Errno::EAGAIN) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The sink for `tracing`, which passes each log line in one piece, with its line break.
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
