//! One run of `credprobe check` in the sandbox, with its record.
//! Exit code 125 is the sandbox's own: the machine could not build this pod.

use super::{Machine, record::Record};
use crate::support::{
    binary,
    run::{self, Ran},
};
use libtest_mimic::Failed;
use std::{
    fs,
    process::{Command, Stdio},
};

const SANDBOX_ERROR: i32 = 125;

pub(super) struct Sandbox<'a> {
    pub(super) machine: &'a Machine,
    pub(super) scenario: &'a str,
}

pub(super) struct Run {
    pub(super) ran: Ran,
    pub(super) record: Record,
}

impl Sandbox<'_> {
    /// The inner error says why there is no such pod here.
    pub(super) fn check(&self, args: &[String], extra: &[&str]) -> Result<Result<Run, String>, Failed> {
        if let Some(why) = &self.machine.without_pods {
            return Ok(Err(why.clone()));
        }
        let file = tempfile::Builder::new().prefix("record-").tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut command = Command::new(&self.machine.sandbox);
        command.arg(format!("--scenario={}", self.scenario)).arg("--pod=always");
        command.arg(format!("--record={}", file.path().display()));
        command.arg(format!("--keys={}", env!("CARGO_TARGET_TMPDIR"))).arg("--");
        command.arg(binary::probe()).arg("check").args(args).args(extra);
        let ran = run::run(&mut command, Stdio::piped())?;
        if ran.code == SANDBOX_ERROR {
            return Ok(Err(ran.stderr.trim().to_owned()));
        }
        let record = fs::read_to_string(file.path())?;
        let record = serde_json::from_str(&record).map_err(|error| format!("no record ({error})\n{ran}"))?;
        Ok(Ok(Run { ran, record }))
    }
}

impl Run {
    /// Searches everything that the run left for secrets.
    pub(super) fn no_secret(&self) -> Result<(), Failed> {
        for (place, text) in [
            ("stdout", &self.ran.stdout),
            ("stderr", &self.ran.stderr),
            ("the termination message", &self.record.termination_log),
        ] {
            self.record.no_secret_in(place, text)?;
        }
        Ok(())
    }
}
