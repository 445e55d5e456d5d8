//! Maps the arguments to an exit code. Data goes to stdout, messages go to stderr, and the verdict is the exit code.
#![expect(clippy::disallowed_methods, reason = "the program reads its own arguments and environment")]

use credprobe::commands;
use credprobe::process::{guard, output};
use std::ffi::OsString;
use std::process::ExitCode;

/// Wipes buffers that held a secret when they are freed, including those of the SDK and of hyper.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    guard::install();
    let code = started();
    output::finish();
    // The exit code must still be the verdict's, even if its report could not be written.
    if let Some(line) = output::lost() {
        output::say(&line);
        output::settle();
    }
    ExitCode::from(code)
}

/// Separate from `main`, so that the guard is installed before the stack holds any large frame.
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
