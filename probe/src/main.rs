//! From the arguments to the exit code. Data goes to stdout, talk to stderr, and the verdict is the exit code.
#![expect(clippy::disallowed_methods, reason = "the program reads its own arguments and environment")]

use credprobe::commands;
use credprobe::process::{guard, output};
use std::ffi::OsString;
use std::process::ExitCode;

/// Makes it true that buffers which held a secret are wiped, those of the SDK and of hyper included.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    guard::install();
    let code = started();
    output::finish();
    // The verdict stands without its report, so that the code stays the class's.
    if let Some(line) = output::lost() {
        output::say(&line);
        output::settle();
    }
    ExitCode::from(code)
}

/// Apart from `main`, so that the guard stands before any large frame is on the stack.
#[inline(never)]
fn started() -> u8 {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let variable = |name: &str| std::env::var_os(name);
    let report_only = commands::is_report_only(&args, &variable);
    if report_only {
        guard::exit_zero_on_panic();
    }
    for warning in commands::misspelt_twins(std::env::vars_os().map(|(name, _)| name)) {
        output::say(&warning);
    }
    let code = commands::run(&args, &variable).unwrap_or_else(commands::Failure::say);
    if report_only { 0 } else { code }
}
