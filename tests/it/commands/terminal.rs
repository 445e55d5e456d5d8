//! Colour is for people: only on a terminal, and not with `NO_COLOR`.
//! The terminal is one of the kernel's pseudo-terminals.
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
    on_terminals(words, variables, false)
}

/// With `talk` the probe's stderr is the same terminal.
fn on_terminals(words: &[&str], variables: &[(&str, &str)], talk: bool) -> String {
    let pty = openpty(None, None).unwrap();
    let mut command = Command::new(binary::probe());
    command.env_clear().envs(variables.iter().copied()).args(words);
    let stderr = if talk { Stdio::from(pty.slave.try_clone().unwrap()) } else { Stdio::null() };
    let mut child = command.stdin(Stdio::null()).stdout(pty.slave).stderr(stderr).spawn().unwrap();
    // The command holds a copy of the terminal's end, which would keep the terminal open.
    drop(command);
    let mut text = Vec::new();
    // Reading past the end of a pseudo-terminal is an error (EIO); everything was read before.
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
    assert!(text.contains(ESCAPE) && text.contains("not-injected 10"), "{text:?}");
    assert!(on_terminal(&["--no-network"], &[("NO_COLOR", "")]).contains(ESCAPE), "empty counts as unset");
}

#[test]
fn a_terminal_gets_no_colour_with_no_color() {
    let text = on_terminal(&["--no-network"], &[("NO_COLOR", "1"), ("TERM", "xterm")]);
    assert!(!text.contains(ESCAPE) && text.contains("not-injected 10"), "{text:?}");
}

#[test]
fn json_and_pipes_get_no_colour() {
    assert!(!on_terminal(&["--no-network", "--output=json"], &[]).contains(ESCAPE));
    assert!(!on_pipe(&["--no-network"]).contains(ESCAPE));
}

#[test]
fn json_is_one_line_for_programs_and_indented_for_people() {
    for words in [&["--no-network", "-o", "json"][..], &["chain", "-o", "json"], &["explain", "53", "-ojson"]]
    {
        let (piped, shown) = (on_pipe(words), on_terminal(words, &[]));
        assert_eq!(piped.lines().count(), 1, "{piped}");
        assert!(shown.lines().count() > 10, "{shown}");
        let keys =
            |text: &str| serde_json::from_str::<serde_json::Value>(text).map(|value| value.to_string().len());
        assert!(keys(&piped).is_ok() && keys(&shown).is_ok(), "{shown}");
    }
}

#[test]
fn whoever_is_not_in_a_pod_is_told() {
    let hint = "This does not look like a pod";
    assert!(on_terminals(&["--no-network"], &[], true).contains(hint));
    let in_pod = [("KUBERNETES_SERVICE_HOST", "10.100.0.1")];
    assert!(!on_terminals(&["--no-network"], &in_pod, true).contains(hint));
    assert!(!on_terminals(&["chain"], &[], true).contains(hint));
}
