//! `credprobe serve`: starts the server, or says why it cannot start.

use super::{Failure, say_switched_off};
use crate::collect::observer;
use crate::process::{clock, log, output};
use crate::serve::options::Serve;
use crate::serve::{self, Refused};
use credprobe_judge::text::shown::escaped;

pub(super) fn run(asked: &Serve, disabled: Option<String>) -> Result<u8, Failure> {
    log::install(asked.log_level);
    let runtime = observer::runtime().map_err(|why| Failure::cannot_look(&why))?;
    if let Some(reason) = &disabled {
        say_switched_off(reason);
    }
    Ok(runtime.block_on(async {
        let code = match serve::serve(asked, disabled).await {
            Ok(()) => 0,
            Err(Refused { class, why }) => {
                let failure = Failure::new(class, &escaped(&why));
                output::terminate(asked.termination_log.clone(), failure.line.clone());
                failure.say()
            }
        };
        output::written(clock::deadline(output::LAST_WORDS)).await;
        output::give_up();
        code
    }))
}
