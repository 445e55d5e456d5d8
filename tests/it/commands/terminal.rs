//! Colour is for people: on a terminal, unless they said `NO_COLOR`.
//! The terminal is a pseudo-terminal of the kernel's.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::binary;
use nix::pty::openpty;
use std::{
    fs::File,
    io::Read as _,
    process::{Command, Stdio},
};

const ESCAPE: char = '\u{1b}';

/// What the probe writes when its stdout is a terminal.
fn on_terminal(words: &[&str], variables: &[(&str, &str)]) -> String {
    let pty = openpty(None, None).unwrap();
    let mut command = Command::new(binary::probe());
    command.env_clear().envs(variables.iter().copied()).args(words);
    let mut child = command.stdin(Stdio::null()).stdout(pty.slave).stderr(Stdio::null()).spawn().unwrap();
    // Its copy of the terminal's end would keep the terminal open.
    drop(command);
    let mut text = Vec::new();
    // The end of a pseudo-terminal is an error (EIO), after everything was read.
    let _ = File::from(pty.master).read_to_end(&mut text);
    child.wait().unwrap();
    String::from_utf8(text).unwrap()
}

fn on_pipe(words: &[&str]) -> String {
    let output = Command::new(binary::probe()).env_clear().args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_terminal_gets_colour() {
    let text = on_terminal(&["--no-network"], &[("TERM", "xterm")]);
    assert!(text.contains(ESCAPE) && text.contains("not-injected (10)"), "{text:?}");
    assert!(on_terminal(&["--no-network"], &[("NO_COLOR", "")]).contains(ESCAPE), "empty counts as unset");
}

#[test]
fn a_terminal_gets_no_colour_with_no_color() {
    let text = on_terminal(&["--no-network"], &[("NO_COLOR", "1"), ("TERM", "xterm")]);
    assert!(!text.contains(ESCAPE) && text.contains("not-injected (10)"), "{text:?}");
}

#[test]
fn json_and_pipes_get_no_colour() {
    assert!(!on_terminal(&["--no-network", "--output=json"], &[]).contains(ESCAPE));
    assert!(!on_pipe(&["--no-network"]).contains(ESCAPE));
}
