//! Maps the arguments to an exit code. Data goes to stdout, messages go to stderr, and the verdict is the exit code.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let variable = |name: &str| std::env::var(name).ok();
    ExitCode::from(kubectl_credprobe::run(&args, &variable))
}
