//! An answer on stdout: a report, or what another command was asked for.
#![expect(clippy::disallowed_methods, reason = "NO_COLOR is for whoever prints")]

use super::Failure;
use crate::process::output::{self, print};
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence::Collected;
use credprobe_judge::options::Output;
use credprobe_judge::report::{Report, text};
use credprobe_judge::text::indented;
use std::io::{self, IsTerminal as _};

/// The verdict's exit code, which holds whether or not somebody reads the report.
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

/// A JSON document: for a person indented, for a program one line.
pub(super) fn json(line: String) -> Result<u8, Failure> {
    data(&for_reader(line))
}

fn for_reader(line: String) -> String {
    if io::stdout().is_terminal() { indented(&line) } else { line }
}

/// What somebody asked for, and misses if it does not arrive.
pub(super) fn data(text: &str) -> Result<u8, Failure> {
    print(text);
    output::finish();
    match output::lost() {
        None => Ok(0),
        Some(line) => Err(Failure::new(Class::Inconclusive, &line)),
    }
}

/// Why nothing was seen, and how to let it, the local report tells.
pub(super) fn unseen(run: Collected, output: Output) -> Result<u8, Failure> {
    show(&credprobe_judge::assess_without_options(run), output)
}
