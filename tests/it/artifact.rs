//! The file that ships: static, stripped, small, able to run in an empty root, low in memory, closed to other processes.
//! This says nothing about a development build, so it runs only where `CREDPROBE_BIN` names the shipped file.
#![expect(clippy::disallowed_methods, reason = "a test reads files and environment")]

mod release_binary;
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use release_binary::{elf, empty_root, memory, process, starved};
use std::{path::Path, process::ExitCode};
use support::{binary, ci};

/// A claim about the shipped file. The inner error says why this machine cannot test it.
type Claim = fn(&Path) -> Result<Result<(), String>, Failed>;

const CLAIMS: [(&str, Claim); 14] = [
    ("it_has_no_interpreter_and_needs_no_library", elf::is_static),
    ("it_is_stripped", elf::is_stripped),
    ("it_is_a_position_independent_executable", elf::is_relocatable),
    ("it_has_at_most_4_600_000_bytes", elf::is_small),
    ("in_an_empty_root_it_says_its_version", empty_root::version),
    ("in_an_empty_root_it_judges_locally", empty_root::local),
    ("in_an_empty_root_it_says_that_no_name_resolves", empty_root::without_resolver),
    ("a_healthy_verdict_takes_at_most_6_mb_of_memory", memory::healthy),
    ("while_it_waits_no_process_may_read_it", process::is_not_dumpable),
    ("while_it_waits_it_would_dump_no_core", process::dumps_no_core),
    ("starved_of_stack_it_says_so_and_exits_1", starved::of_stack),
    ("starved_of_descriptors_it_blames_nobody", starved::of_descriptors),
    ("an_io_error_is_nobodys_in_the_pod", starved::of_a_working_disk),
    ("starved_of_memory_it_says_so_and_exits_1", starved::of_memory),
];

fn main() -> ExitCode {
    let trial = |(name, claim): (&'static str, Claim)| Trial::ignorable_test(name, move || verify(claim));
    libtest_mimic::run(&Arguments::from_args(), CLAIMS.into_iter().map(trial).collect()).exit_code()
}

fn verify(claim: Claim) -> Result<Completion, Failed> {
    let outcome = match binary::shipped() {
        Some(file) => claim(&file)?,
        None => Err("CREDPROBE_BIN does not name the shipped file: run make test".to_owned()),
    };
    match outcome {
        Ok(()) => Ok(Completion::Completed),
        Err(why) if ci::in_ci() => Err(format!("CI must test this: {why}").into()),
        Err(why) => Ok(Completion::ignored_with(format!("NOT TESTED HERE: {why}"))),
    }
}
