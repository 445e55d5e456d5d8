//! When the probe itself breaks: one line that says where to report it, exit code 1, and nothing of the data that it held.
//! Tested with a program that breaks on purpose under the probe's guard; `artifact` starves the shipped file itself.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files; in a test, unwrap is the report"
)]

mod support;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use support::{
    bug_report,
    run::{Ran, run},
    tool,
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

#[test]
fn every_fault_ends_with_one_line_and_code_1() {
    for name in FAULTS {
        let ran = fault(&[name]);
        assert_eq!(ran.code, 1, "{ran}");
        assert!(bug_report::is_one(&ran), "{ran}");
    }
}

#[test]
fn under_report_only_every_fault_exits_0_and_says_the_same() {
    for name in FAULTS {
        let ran = fault(&[name, "--report-only"]);
        assert_eq!(ran.code, 0, "{ran}");
        assert!(bug_report::is_one(&ran), "{ran}");
    }
}

/// The reader of stderr may have stopped reading.
#[test]
fn no_fault_waits_for_a_pipe_that_nobody_reads() {
    for name in FAULTS {
        let (_reader, mut writer) = std::io::pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        for piece in [&[0; 4096][..], &[0]] {
            while writer.write(piece).is_ok() {}
        }
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        let program = tool::find("faults", "CREDPROBE_FAULTS_BIN").unwrap();
        let mut child = Command::new(program).env_clear().arg(name).stderr(writer).spawn().unwrap();
        let since = Instant::now();
        while child.try_wait().unwrap().is_none() && since.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(5));
        }
        let ended = child.try_wait().unwrap();
        let _ = child.kill();
        // Rust's runtime writes a line of its own before it aborts.
        if !["overflow", "overflow-in-thread", "allocation", "panic-while-panicking"].contains(&name) {
            assert_eq!(ended.and_then(|status| status.code()), Some(1), "{name}: {:?}", since.elapsed());
        }
        child.wait().unwrap();
    }
}

#[test]
fn no_fault_tells_its_payload() {
    for name in FAULTS {
        let ran = fault(&[name]);
        assert!(!ran.to_string().replacen(name, "", 1).contains("payload"), "{ran}");
    }
}
