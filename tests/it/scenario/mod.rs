//! A scenario as a test: runs of the probe in the sandbox, and everything that must hold for their outcome.
//! What a case expects is in `expect`, what holds for all of them in `report` and `record`.

pub(crate) mod coverage;
mod expect;
mod filter;
mod machine;
mod record;
mod report;
mod sandbox;

pub(crate) use machine::Machine;

use crate::support::snapshot;
use expect::Expect;
use libtest_mimic::Failed;
use sandbox::Sandbox;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One folder of `tests/scenarios`.
pub(crate) struct Case {
    name: String,
    folder: PathBuf,
    args: Vec<String>,
    pub(crate) expect: Expect,
}

/// What a test reads of `scenario.json`; the rest is the sandbox's.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    args: Vec<String>,
    expect: Expect,
}

impl Case {
    /// Every folder, by name.
    pub(crate) fn names() -> Result<Vec<String>, Failed> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn read(name: &str) -> Result<Self, Failed> {
        let folder = folder().join(name);
        let path = folder.join("scenario.json");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let File { args, expect } =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { name: name.to_owned(), folder, args, expect })
    }

    /// Runs and checks everything; why the machine cannot build this pod, where it cannot.
    pub(crate) fn verify(&self, machine: &Machine) -> Result<Option<String>, Failed> {
        let sandbox = Sandbox { machine, scenario: &self.name };
        let json = match sandbox.check(&self.args, &["--output=json"])? {
            Ok(run) => run,
            Err(unavailable) => return Ok(Some(unavailable)),
        };
        let text = sandbox.check(&self.args, &[])?.map_err(|why| format!("only now: {why}"))?;
        let report = report::parse(&json.ran)?;
        self.expect
            .check(&report, json.ran.code, machine)
            .map_err(|problem| problem + &text.ran.to_string())?;
        report::check(&report, machine)?;
        for run in [&json, &text] {
            self.check_run(run, &report)?;
        }
        let snapshot = self.folder.join("report.txt");
        snapshot::check(&snapshot, &filter::stable(&text.ran.stdout))?;

        let again = report::judged_again(&json.ran.stdout)?;
        report::same(&report, &again.json)?;
        for said in [&again.json.stdout, &again.json.stderr, &again.text.stdout, &again.text.stderr] {
            json.record.no_secret_in("the report judged again", said)?;
        }
        if filter::stable(&again.text.stdout) != filter::stable(&text.ran.stdout) {
            return Err(format!("judged again it reads otherwise:\n{}", again.text).into());
        }
        self.talkative(&sandbox, &text.ran.stdout)?;
        Ok(None)
    }

    /// What holds for every run.
    fn check_run(&self, run: &sandbox::Run, report: &report::Report) -> Result<(), Failed> {
        if run.ran.code != self.expect.exit_code {
            return Err(format!("exit code {} is expected\n{}", self.expect.exit_code, run.ran).into());
        }
        run.no_secret()?;
        run.record.check(report)?;
        self.expect.check_requests(&run.record)?;
        Ok(self.expect.check_stderr(&run.ran.stderr)?)
    }

    /// Says more, shows no more: `--log-level` changes neither the report nor what stays secret.
    fn talkative(&self, sandbox: &Sandbox<'_>, expected: &str) -> Result<(), Failed> {
        for extra in [&["--log-level=trace", "--output=json"][..], &["--log-level=debug"]] {
            let run = sandbox.check(&self.args, extra)?.map_err(|why| format!("only now: {why}"))?;
            run.no_secret()?;
            if run.ran.code != self.expect.exit_code {
                return Err(format!("exit code {} is expected\n{}", self.expect.exit_code, run.ran).into());
            }
            if extra.len() == 1 && filter::stable(&run.ran.stdout) != filter::stable(expected) {
                return Err(format!("--log-level changes the report\n{}", run.ran).into());
            }
        }
        Ok(())
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios")
}
