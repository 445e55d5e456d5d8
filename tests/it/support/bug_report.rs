//! How the probe ends when it breaks itself: one line that says where to report it.
//! It cannot influence what Rust's runtime prints before it aborts.

use super::run::Ran;

/// Rust's runtime prints this before it aborts. The probe cannot influence it, and it quotes nothing.
fn is_the_runtimes(line: &str) -> bool {
    line.is_empty()
        || line == "fatal runtime error: stack overflow, aborting"
        || line.starts_with("thread '") && line.ends_with(") has overflowed its stack")
        || line.starts_with("note: run with `RUST_BACKTRACE=1`")
        || line.starts_with("memory allocation of ") && line.ends_with(" bytes failed")
}

/// The probe noticed that one resource was used up before the rest was.
fn is_a_first_sign(line: &str) -> bool {
    line.starts_with("inconclusive (3): no thread can be started (")
}

/// Nothing on stdout; on stderr the last and only own line asks for a report.
pub(crate) fn is_one(ran: &Ran) -> bool {
    let own: Vec<&str> =
        ran.stderr.lines().filter(|line| !is_the_runtimes(line) && !is_a_first_sign(line)).collect();
    let [line] = own.as_slice() else { return false };
    ran.stdout.is_empty()
        && ran.stderr.ends_with(&format!("{line}\n"))
        && line.starts_with("internal-error (1): ")
        && line.ends_with("; please report it to whoever gave you credprobe")
        && !line.contains("://")
}
