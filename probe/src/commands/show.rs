//! Prints an answer to stdout: a report, or the output of another command.
#![expect(clippy::disallowed_methods, reason = "NO_COLOR is for whoever prints")]

use super::Failure;
use crate::process::output::{self, print};
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence::Collected;
use credprobe_judge::options::Output;
use credprobe_judge::report::{Report, text};
use credprobe_judge::text::indented;
use std::io::{self, IsTerminal as _};

/// Prints the report. Returns the verdict's exit code, which holds whether or not somebody reads the report.
pub(super) fn show(report: &Report, output: Output) -> Result<u8, Failure> {
    match output {
        Output::Text => {
            let colour = io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            print(text::render(report, colour).trim_end());
        }
        Output::Json => print(&for_reader(report.json_line().map_err(Failure::bug)?)),
    }
    Ok(report.exit_code)
}

/// Prints a JSON document: indented on a terminal, else in one line.
pub(super) fn json(line: String) -> Result<u8, Failure> {
    data(&for_reader(line))
}

fn for_reader(line: String) -> String {
    if io::stdout().is_terminal() { indented(&line) } else { line }
}

/// Prints output that the user asked for. If it cannot be written, that is a failure.
pub(super) fn data(text: &str) -> Result<u8, Failure> {
    print(text);
    output::finish();
    match output::lost() {
        None => Ok(0),
        Some(line) => Err(Failure::new(Class::Inconclusive, &line)),
    }
}

/// Prints the local report, which says why nothing was seen and what would change that.
pub(super) fn unseen(run: Collected, output: Output) -> Result<u8, Failure> {
    show(&credprobe_judge::assess_without_options(run), output)
}
