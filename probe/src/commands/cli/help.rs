//! `help`, `--help` and `--version`. No line is longer than 80 columns. `explain` prints the table of codes.
//! Made from the table of flags; parses nothing.

use super::flags::{COMMANDS, Command};
use credprobe_judge::catalog::explain::wrap;
use std::fmt::Write as _;

const WIDTH: usize = 80;
/// The column where the text of a row begins.
const COLUMN: usize = 28;

const ABOUT: &str = "Will the AWS SDK in this container get the credentials that it is meant to get? If not: which link is broken, who owns it, and what repairs it.";

const TWINS: &str = "Each flag has an environment twin: --expect-role is CREDPROBE_EXPECT_ROLE. The flag wins; empty counts as unset.";

/// `credprobe help`.
pub(super) fn overview() -> String {
    let mut out = String::new();
    paragraph(&mut out, ABOUT);
    out.push_str("\nUsage: credprobe [COMMAND] [FLAGS]\n\nExamples:\n");
    for (example, say) in [
        ("credprobe", "in the pod, its init container or its debug container"),
        ("credprobe --wait=30s -o json", "for a script"),
        ("credprobe explain 53", "what an exit code means"),
    ] {
        row(&mut out, example, say, 32);
    }
    out.push_str("\nCommands:\n");
    for command in COMMANDS {
        row(&mut out, command.name, command.about, 14);
    }
    out.push('\n');
    paragraph(
        &mut out,
        "`credprobe help COMMAND` shows a command's flags, `credprobe explain` the classes and exit codes.",
    );
    out
}

/// `credprobe COMMAND --help`.
pub(super) fn of(command: &Command) -> String {
    let mut out = String::new();
    paragraph(&mut out, &format!("{}.", command.about));
    let flags = if command.flags().next().is_some() { " [FLAGS]" } else { "" };
    let argument = if command.argument.is_empty() { String::new() } else { format!(" {}", command.argument) };
    let _ = write!(out, "\nUsage: credprobe {}{flags}{argument}\n\nExample:\n", command.name);
    example(&mut out, command.example);
    let mut group = "";
    for flag in command.flags() {
        if flag.group != group {
            group = flag.group;
            let _ = write!(out, "\n{group}:\n");
        }
        let short = flag.short().map(|short| format!("-{short}, ")).unwrap_or_default();
        let value = flag.value.map(|value| format!("={value}")).unwrap_or_default();
        row(&mut out, &format!("{short}--{}{value}", flag.name), &flag.help(), COLUMN);
    }
    if !flags.is_empty() {
        out.push('\n');
        paragraph(&mut out, TWINS);
    }
    if !command.notes.is_empty() {
        paragraph(&mut out, command.notes);
    }
    out
}

fn paragraph(out: &mut String, text: &str) {
    for line in wrap(text, WIDTH) {
        let _ = writeln!(out, "{line}");
    }
}

/// Wraps a command as a shell accepts it; each part of a pipeline starts a line.
fn example(out: &mut String, command: &str) {
    let mut parts = command.split(" | ").peekable();
    let mut indent = "  ";
    while let Some(part) = parts.next() {
        let lines = wrap(part, WIDTH - 6);
        for (index, line) in lines.iter().enumerate() {
            let more = match (index + 1 < lines.len(), parts.peek()) {
                (true, _) => " \\",
                (false, Some(_)) => " |",
                (false, None) => "",
            };
            let _ = writeln!(out, "{indent}{line}{more}");
            indent = "    ";
        }
    }
}

/// Prints `name` and from `column` on its meaning, which starts on the next line if the name is too long.
fn row(out: &mut String, name: &str, text: &str, column: usize) {
    let mut head = format!("  {name}");
    if head.len() + 2 > column {
        let _ = writeln!(out, "{head}");
        head.clear();
    }
    for line in wrap(text, WIDTH - column) {
        let _ = writeln!(out, "{head:<column$}{line}");
        head.clear();
    }
}
