//! What servers and the way to them can do wrong, at every peer and in every phase: the right class, in time, in bounded
//! memory. Each cell of the matrix is a separate test, with the binary that ships, in the sandbox's pod.
#![expect(clippy::disallowed_methods, reason = "a test reads files and environment")]

mod support;
mod wire_fault;

use libtest_mimic::{Arguments, Trial};
use std::{
    io::Write as _,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};
use support::binary;
use wire_fault::{cells, gate, limits::Worst, pod::Pods};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(gate::IN_POD) {
        return gate::drive(&words.next().unwrap_or_default());
    }
    let mut arguments = Arguments::from_args();
    // Most of them wait for a timeout, so more can run than there are cores.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(2 * cores);
    let pods = match Pods::prepare() {
        Ok(pods) => Arc::new(pods),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            return ExitCode::FAILURE;
        }
    };
    let worst = Arc::new(Mutex::new(Worst::default()));
    let trials = cells::all().into_iter().map(|cell| {
        let (pods, worst) = (Arc::clone(&pods), Arc::clone(&worst));
        Trial::ignorable_test(cell.name.clone(), move || {
            cell.check(&pods, &mut |measured| {
                worst.lock().unwrap_or_else(PoisonError::into_inner).add(measured);
            })
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    let worst = worst.lock().unwrap_or_else(PoisonError::into_inner);
    let which = if binary::shipped().is_some() { "the binary that ships" } else { "a build for tests" };
    let _ = writeln!(std::io::stderr(), "measured: {worst}; {which}");
    conclusion.exit_code()
}
