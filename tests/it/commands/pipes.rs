//! If the reader of the report goes away, the exit code is still the verdict's.
//! A closed pipe is not reported. A full disk is reported, and is an error if the lost output was the answer.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{
    binary,
    run::{Ran, run},
};
use std::{
    fs::File,
    io,
    process::{Command, Stdio},
};

const NOT_INJECTED: i32 = 10;

fn into(stdout: impl Into<Stdio>, words: &[&str]) -> Ran {
    run(Command::new(binary::probe()).env_clear().args(words), stdout).unwrap()
}

const REPORTS: [&[&str]; 2] = [&["--no-network"], &["--no-network", "--output=json"]];

#[test]
fn a_reader_that_went_away_changes_nothing() {
    for words in REPORTS {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let ran = into(writer, words);
        assert_eq!((ran.code, ran.stderr.as_str()), (NOT_INJECTED, ""), "{ran}");
    }
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let ran = into(writer, &["explain"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
}

#[test]
fn a_full_disk_changes_nothing_about_the_verdict() {
    for words in REPORTS {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = into(full, words);
        assert_eq!((ran.code, ran.stderr.as_str()), (NOT_INJECTED, LOST), "{ran}");
    }
}

const LOST: &str = "stdout could not be written: No space left on device\n";

#[test]
fn an_answer_that_a_full_disk_lost_is_an_error() {
    for words in [&["explain"][..], &["chain"], &["help"], &["completion", "bash"], &["explain", "-ojson"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = into(full, words);
        assert_eq!((ran.code, ran.stderr), (3, format!("inconclusive (3): {LOST}")), "{words:?}");
    }
}

#[test]
fn without_any_open_descriptor_the_code_is_still_the_verdicts() {
    let script = "exec \"$0\" --no-network <&- >&- 2>&-";
    let ran =
        run(Command::new("/bin/sh").env_clear().args(["-c", script]).arg(binary::probe()), Stdio::piped())
            .unwrap();
    assert_eq!(ran.code, NOT_INJECTED, "{ran}");
}

#[test]
fn a_usage_error_that_nobody_reads_is_still_code_2() {
    let script = "exec \"$0\" --nonsense 2>/dev/full";
    let ran =
        run(Command::new("/bin/sh").env_clear().args(["-c", script]).arg(binary::probe()), Stdio::piped())
            .unwrap();
    assert_eq!(ran.code, 2, "{ran}");
}
