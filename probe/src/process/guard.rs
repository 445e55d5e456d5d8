//! Hardens the process: no core dump, no reading of its memory by others, and one exit path for bugs and for signals.
//! A panic, a stack overflow and a failed allocation end without their payload, because it may hold a secret.

#[cfg(all(panic = "abort", target_feature = "crt-static"))]
mod left_out;

use credprobe_judge::catalog::Class;
use credprobe_judge::text::{STARVED_LINE, internal_error_line};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The exit code after a bug: 1, or 0 with `--report-only`, which must hold for bugs too.
static CODE: AtomicU8 = AtomicU8::new(1);

/// True when other code waits for signals.
static AWAITED: AtomicBool = AtomicBool::new(false);

/// How long, in milliseconds, the last line waits for room in a pipe that nobody may read.
const ROOM_MS: u8 = 250;

/// Makes bugs exit 0 from now on.
pub fn exit_zero_on_panic() {
    CODE.store(0, Ordering::Relaxed);
}

/// Keeps signals from ending the process from now on, because the caller waits for them.
pub fn signals_are_awaited() {
    AWAITED.store(true, Ordering::Relaxed);
}

/// Sets the limits, the panic hook and the signal handlers.
pub fn install() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = nix::sys::prctl::set_dumpable(false);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        last_line((internal_error_line(&format!("credprobe broke at {place}")) + "\n").as_bytes());
        exit();
    }));
    handle(Signal::SIGABRT, on_abort);
    // A stack that is used up. std's own handler would look whether the address lies below the stack; see `left_out`.
    handle(Signal::SIGSEGV, on_abort);
    // The kernel ignores signals without a handler for the first process of a container (pid_namespaces(7)).
    if nix::unistd::getpid().as_raw() == 1 {
        handle(Signal::SIGTERM, on_end);
        handle(Signal::SIGINT, on_end);
    }
}

fn handle(signal: Signal, handler: extern "C" fn(i32)) {
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::SA_ONSTACK, SigSet::empty());
    #[expect(unsafe_code, reason = "nix has no safe sigaction")]
    // SAFETY: the handlers only poll, write and exit, all async-signal-safe (signal-safety(7)).
    let _ = unsafe { sigaction(signal, &action) };
}

/// Writes once, and only if there is room: a pipe that nobody reads must not keep a broken probe alive.
fn last_line(bytes: &[u8]) {
    let stderr = std::io::stderr();
    let mut room = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut room, PollTimeout::from(ROOM_MS)).is_ok_and(|ready| ready > 0) {
        let _ = nix::unistd::write(&stderr, bytes);
    }
}
fn exit() -> ! {
    #[expect(clippy::exit, reason = "a panic may leave main no way to return")]
    std::process::exit(i32::from(CODE.load(Ordering::Relaxed)))
}

/// std raises SIGABRT after a failed allocation. Both signals have std's alternate stack.
extern "C" fn on_abort(_: i32) {
    last_line(STARVED_LINE.as_bytes());
    end(CODE.load(Ordering::Relaxed));
}

extern "C" fn on_end(_: i32) {
    if !AWAITED.load(Ordering::Relaxed) {
        let only_report = CODE.load(Ordering::Relaxed) == 0;
        end(if only_report { 0 } else { Class::Inconclusive.code() });
    }
}

fn end(code: u8) -> ! {
    #[expect(unsafe_code, reason = "exit runs destructors, which may need the broken heap or stack")]
    // SAFETY: _exit is async-signal-safe and does not return.
    unsafe {
        nix::libc::_exit(i32::from(code))
    }
}
