//! One test for each scenario of `tests/scenarios`: the probe in the sandbox, its report, its exit code, and no secret
//! anywhere. Names and filters work as in cargo test: `cargo test --test scenarios -- token`.
#![expect(clippy::disallowed_methods, reason = "a test reads files and environment")]

mod scenario;
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use scenario::{Case, Machine, coverage};
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let conclusion = match trials(arguments.list) {
        Ok(trials) => libtest_mimic::run(&arguments, trials),
        Err(error) => {
            let trial = Trial::test("the_scenarios_can_be_run", move || Err(error));
            libtest_mimic::run(&Arguments::default(), vec![trial])
        }
    };
    conclusion.exit_code()
}

/// With `list` no pod is tried, because nobody wants to wait for it.
fn trials(list: bool) -> Result<Vec<Trial>, Failed> {
    let machine = Arc::new(if list { Machine::default() } else { Machine::look()? });
    let mut trials = coverage::trials();
    for case in Case::all()? {
        let machine = Arc::clone(&machine);
        trials.push(Trial::ignorable_test(case.name.clone(), move || one(&case, &machine)));
    }
    Ok(trials)
}

fn one(case: &Case, machine: &Machine) -> Result<Completion, Failed> {
    if let Some(why) = &case.expect.pending {
        return Ok(Completion::ignored_with(format!("pending: {why}")));
    }
    match case.verify(machine)? {
        None => Ok(Completion::Completed),
        Some(why) if support::ci::in_ci() => {
            Err(format!("CI must build the pod, and could not: {why}").into())
        }
        Some(why) => Ok(Completion::ignored_with(format!("NOT TESTED HERE: {why}"))),
    }
}
