//! Looks at the pod once without the network, for commands that need no verdict.

use super::Failure;
use crate::collect::observer::{self, Observer};
use crate::collect::subject::SubjectSelector;
use credprobe_judge::evidence::Collected;
use credprobe_judge::options::Options;
use std::time::Duration;

/// The same as the default for an attempt of `check`.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn look(whose: SubjectSelector, options: Options) -> Result<Collected, Failure> {
    let looked = observer::runtime().and_then(|runtime| {
        let observer = Observer::new(whose, Options { no_network: true, ..options })?;
        runtime.block_on(observer.attempt(TIMEOUT))
    });
    looked.map_err(|why| Failure::cannot_look(&why))
}
