//! A report on stdout.
#![expect(clippy::disallowed_methods, reason = "NO_COLOR is for whoever prints")]

use super::Failure;
use crate::process::output::print;
use credprobe_judge::evidence::Collected;
use credprobe_judge::options::Output;
use credprobe_judge::report::{Report, text};
use std::io::{self, IsTerminal as _};

/// Its exit code.
pub(super) fn show(report: &Report, output: Output) -> Result<u8, Failure> {
    match output {
        Output::Text => {
            let colour = io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            print(text::render(report, colour).trim_end());
        }
        Output::Json => print(&report.json().map_err(Failure::bug)?),
    }
    Ok(report.exit_code)
}

/// Why nothing was seen, and how to let it, the local report tells.
pub(super) fn unseen(run: Collected, output: Output) -> Result<u8, Failure> {
    show(&credprobe_judge::assess_without_options(run), output)
}
