//! When the probe itself breaks: one line that says where to report it, exit code 1, and nothing of what it held.
//! First the guard on its own, by a program that breaks on purpose; then the artifact, starved of stack and memory.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files; in a test, unwrap is the report"
)]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use support::{
    binary,
    run::{Ran, run},
    token, tool,
};

const FAULTS: [&str; 10] = [
    "panic",
    "panic-in-thread",
    "panic-in-drop",
    "panic-while-panicking",
    "result",
    "arithmetic",
    "overflow",
    "overflow-in-thread",
    "allocation",
    "abort",
];

fn fault(arguments: &[&str]) -> Ran {
    let program = tool::find("faults", "CREDPROBE_FAULTS_BIN").unwrap();
    run(Command::new(program).env_clear().args(arguments), Stdio::piped()).unwrap()
}

/// Written by Rust's runtime before it aborts, out of the probe's reach; it quotes nothing.
fn is_the_runtimes(line: &str) -> bool {
    line.is_empty()
        || line == "fatal runtime error: stack overflow, aborting"
        || line.starts_with("thread '") && line.ends_with(") has overflowed its stack")
        || line.starts_with("note: run with `RUST_BACKTRACE=1`")
        || line.starts_with("memory allocation of ") && line.ends_with(" bytes failed")
}

fn is_one_bug_report(ran: &Ran) -> bool {
    let own: Vec<&str> = ran.stderr.lines().filter(|line| !is_the_runtimes(line)).collect();
    let [line] = own.as_slice() else { return false };
    ran.stdout.is_empty()
        && ran.stderr.ends_with(&format!("{line}\n"))
        && line.starts_with("internal-error (1): ")
        && line.contains("; please report it at https://")
}

#[test]
fn every_fault_ends_with_one_line_and_code_1() {
    for name in FAULTS {
        let ran = fault(&[name]);
        assert_eq!(ran.code, 1, "{ran}");
        assert!(is_one_bug_report(&ran), "{ran}");
    }
}

#[test]
fn under_report_only_every_fault_exits_0_and_says_the_same() {
    for name in FAULTS {
        let ran = fault(&[name, "--report-only"]);
        assert_eq!(ran.code, 0, "{ran}");
        assert!(is_one_bug_report(&ran), "{ran}");
    }
}

#[test]
fn no_fault_tells_its_payload() {
    for name in FAULTS {
        let ran = fault(&[name]);
        assert!(!ran.to_string().replacen(name, "", 1).contains("payload"), "{ran}");
    }
}

/// The artifact under a shell's limit, as far as it gets: trust store, TLS, and a port where nobody listens.
fn starved(limit: &str, words: &[&str]) -> Ran {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("AWS_ENDPOINT_URL_STS", "https://127.0.0.1:1");
    run(command.arg("-c").arg(script).arg(binary::probe()).args(words), Stdio::piped()).unwrap()
}

const CONNECT_REFUSED: i32 = 41;
/// The address space is laid out at random: one success may be luck.
const TRIES: usize = 3;

/// From the smallest limit under which the program starts, `count` steps on, and to one that does not matter.
fn starve(option: &str, limits: impl Iterator<Item = usize>, step: usize, count: usize) {
    let token = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("starved{option}"));
    fs::write(&token, token::TOKEN.as_str()).unwrap();
    let token = format!("--token-file={}", token.display());
    let role = format!("--role-arn={}", token::ROLE);
    let starts =
        |limit: &usize| (0..TRIES).all(|_| starved(&format!("{option} {limit}"), &["--version"]).code == 0);
    let first = limits.into_iter().find(starts).unwrap();
    let (mut bitten, mut sound) = (0, 0);
    for limit in (first..).step_by(step).take(count).chain([1_000_000]) {
        let limit = format!("{option} {limit}");
        let ran = starved(&limit, &["--region=eu-west-1", &token, &role]);
        assert!(![101, 134, 137, 139].contains(&ran.code), "{limit}: {ran}");
        if ran.code == 1 {
            assert!(is_one_bug_report(&ran), "{limit}: {ran}");
            bitten += 1;
        }
        sound += usize::from(ran.code == CONNECT_REFUSED);
    }
    assert!(bitten > 0, "nothing from {first} on bit: this shows nothing");
    assert!(sound > 0, "everything from {first} on bit: this shows nothing");
}

#[test]
fn starved_of_stack_it_says_so_and_exits_1() {
    starve("-s", (8..8_192).step_by(4), 4, 60);
}

#[test]
fn starved_of_memory_it_says_so_and_exits_1() {
    // A debug build needs ten times as much: it is large, and loads a C library.
    starve("-v", (3_000..100_000).step_by(50), 20, 150);
}
