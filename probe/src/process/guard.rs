//! What holds for the whole process: no core dump, no reader of its memory, and one way out when the probe itself breaks.
//! A panic, a stack overflow and a failed allocation all end as `internal-error`, without their payload: it may hold a secret.

#[cfg(all(panic = "abort", target_feature = "crt-static"))]
mod no_backtrace;

use credprobe_judge::text::internal_error_line;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// The exit code of a bug: 1, or 0 under `--report-only`, whose promise holds for bugs too.
static CODE: AtomicU8 = AtomicU8::new(1);

/// From now on a bug exits 0.
pub fn exit_zero_on_panic() {
    CODE.store(0, Ordering::Relaxed);
}

/// Switches everything on.
pub fn install() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = nix::sys::prctl::set_dumpable(false);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        let _ =
            writeln!(std::io::stderr(), "{}", internal_error_line(&format!("credprobe broke at {place}")));
        exit();
    }));
    let handler = SigHandler::Handler(on_abort);
    let action = SigAction::new(handler, SaFlags::SA_ONSTACK, SigSet::empty());
    #[expect(unsafe_code, reason = "nix has no safe sigaction")]
    // SAFETY: the handler only writes and exits, both async-signal-safe (signal-safety(7)).
    let _ = unsafe { sigaction(Signal::SIGABRT, &action) };
}

fn exit() -> ! {
    #[expect(clippy::exit, reason = "a panic may leave main no way to return")]
    std::process::exit(i32::from(CODE.load(Ordering::Relaxed)))
}

/// std ends with SIGABRT after a stack overflow and a failed allocation.
extern "C" fn on_abort(_: i32) {
    const LINE: &str = concat!(
        "internal-error (1): credprobe ran out of stack or memory; please report it at ",
        env!("CARGO_PKG_HOMEPAGE"),
        "/bugs\n"
    );
    let _ = nix::unistd::write(std::io::stderr(), LINE.as_bytes());
    #[expect(unsafe_code, reason = "exit runs destructors, which may need the broken heap or stack")]
    // SAFETY: _exit is async-signal-safe and does not return.
    unsafe {
        nix::libc::_exit(i32::from(CODE.load(Ordering::Relaxed)))
    }
}
