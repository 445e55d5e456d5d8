//! The subcommands, one file each: they take typed options, run, and return an exit code and text.
//! `credprobe-judge` says what a verdict means.

mod access;
mod chain;
mod check;
pub(crate) mod cli;
mod explain;
mod failure;
mod input;
mod look;
mod rejudge;
mod retry;
mod serve;
mod show;
mod status;
mod trust;

use crate::process::output::say;
use cli::{Command, Parsed};
use std::ffi::OsString;

pub use cli::{is_report_only, misspelt_twins};
pub use failure::Failure;

/// Parses the arguments without the program's name and runs the command. Returns its exit code.
///
/// # Errors
/// The command cannot be run; the failure has a line for stderr and an exit code.
pub fn run(args: &[OsString], variable: &dyn Fn(&str) -> Option<OsString>) -> Result<u8, Failure> {
    let disabled = cli::disabled(variable);
    // The kubelet would restart a sidecar that exits again and again. So `serve` keeps running and says why it is off.
    let serves = args.first().is_some_and(|command| command == "serve");
    if let Some(reason) = disabled.as_ref().filter(|_| !serves) {
        say_switched_off(reason);
        return Ok(0);
    }
    match cli::parse(args, variable) {
        Ok(Parsed::Print(text)) => show::data(text.trim_end()),
        Ok(Parsed::Run(command)) => execute(command, disabled, is_in_pod(variable)),
        Err(error) => {
            let failure = Failure::from(error);
            match (disabled, cli::parse(&["serve".into()], &|_: &str| None)) {
                // `serve` starts all the same: the bad flags may be the reason why somebody switched it off.
                (Some(reason), Ok(Parsed::Run(command))) => {
                    failure.say();
                    execute(command, Some(reason), is_in_pod(variable))
                }
                _ => Err(failure),
            }
        }
    }
}

/// The kubelet sets this variable in every container.
fn is_in_pod(variable: &dyn Fn(&str) -> Option<OsString>) -> bool {
    variable("KUBERNETES_SERVICE_HOST").is_some()
}

fn execute(command: Command, disabled: Option<String>, in_pod: bool) -> Result<u8, Failure> {
    match command {
        Command::Access(asked) => access::run(&asked),
        Command::Chain(asked) => chain::run(&asked),
        Command::Check(asked) => check::run(&asked, in_pod),
        Command::Explain(asked) => explain::run(&asked),
        Command::Judge { report, output } => rejudge::run(&report, output),
        Command::Serve(asked) => serve::run(&asked, disabled),
        Command::Status(address) => status::run(address),
        Command::Trust(asked) => trust::run(&asked),
    }
}

fn say_switched_off(reason: &str) {
    say(&format!("credprobe is switched off by CREDPROBE_DISABLED: {reason}"));
}
