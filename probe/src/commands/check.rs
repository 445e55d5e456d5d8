//! `credprobe check`: attempts until there is a verdict, the report, and the termination message.

use super::Failure;
use super::cli::Check;
use super::retry::check_with_retries;
use super::show::show;
use crate::collect::observer;
use crate::process::signals::Interrupt;
use crate::process::{clock, guard, log, output};
use credprobe_judge::catalog::Class;
use credprobe_judge::report::termination;
use std::io::{self, IsTerminal as _};

const NOT_A_POD: &str = "This does not look like a pod: KUBERNETES_SERVICE_HOST is not set. credprobe judges the container that it runs in; for other ways try `credprobe --help`.";

pub(super) fn run(asked: &Check, in_pod: bool) -> Result<u8, Failure> {
    log::install(asked.log_level);
    let broken = Class::InternalError;
    // `--tolerate` also covers a bug that ends the process before there is a report.
    if asked.tolerate.covers(broken, broken.info().owner, false) {
        guard::exit_zero_on_panic();
    }
    let cannot_look = |why: String| {
        let (class, failure) = (Class::Inconclusive, Failure::cannot_look(&why));
        let is_tolerated = asked.tolerate.covers(class, class.info().owner, true);
        Failure { code: if is_tolerated { 0 } else { failure.code }, ..failure }
    };
    let runtime = observer::runtime().map_err(cannot_look)?;
    let time_is_up = clock::deadline(asked.timeout);
    Ok(runtime.block_on(async {
        let mut interrupt = Interrupt::new();
        let ended = match check_with_retries(asked, &mut interrupt).await {
            Ok(Some(report)) => {
                output::terminate(asked.termination_log.clone(), termination::lines(&report));
                // Progress lines must come before the report.
                output::settle();
                let shown = show(&report, asked.output);
                if !in_pod && report.verdict.class == Class::NotInjected && io::stderr().is_terminal() {
                    output::say(NOT_A_POD);
                }
                shown
            }
            Ok(None) => Err(Failure::new(Class::Inconclusive, "a signal came before there was a verdict")),
            Err(why) => Err(cannot_look(why)),
        };
        // Print the failure here, because nothing waits for output that comes later.
        let code = ended.unwrap_or_else(Failure::say);
        let last_words = clock::deadline(output::LAST_WORDS);
        let until = if interrupt.came() { last_words } else { last_words.max(time_is_up) };
        tokio::select! {
            () = interrupt.received() => {}
            () = output::written(until) => {}
        }
        output::give_up();
        code
    }))
}
