//! A scenario as a test: runs of the probe in the sandbox, and everything that must hold for their outcome.
//! `expect` has what one case expects; `report` and `record` have what holds for all of them.

pub(crate) mod coverage;
mod expect;
mod filter;
mod harm;
mod hostile;
mod keep;
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
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

/// One entry of a file in `tests/scenarios`.
pub(crate) struct Case {
    pub(crate) name: String,
    args: Vec<String>,
    pub(crate) expect: Expect,
}

/// The part of a scenario that a test reads; the sandbox reads the rest.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    args: Vec<String>,
    expect: Expect,
}

impl Case {
    /// All of them, by name. The sandbox's own tests check that no name is used twice.
    pub(crate) fn all() -> Result<Vec<Self>, Failed> {
        let mut cases = Vec::new();
        for file in fs::read_dir(folder())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let unreadable = |error: &dyn Display| format!("{}: {error}", path.display());
                let text = fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
                let named: BTreeMap<String, Entry> =
                    serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
                cases.extend(named.into_iter().map(|(name, Entry { args, expect })| Self {
                    name,
                    args,
                    expect,
                }));
            }
        }
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(cases)
    }

    /// Runs the scenario and checks everything. Returns the reason if the machine cannot build this pod.
    ///
    /// One pod is enough, because the text is rendered from its report. If a text is kept as a snapshot, it comes from a pod
    /// too, and from a probe that was asked to print everything it can on stderr.
    pub(crate) fn verify(&self, machine: &Machine) -> Result<Option<String>, Failed> {
        let sandbox = Sandbox { machine, scenario: &self.name };
        let json = match sandbox.check(&self.args, &["--output=json"])? {
            Ok(run) => run,
            Err(unavailable) => return Ok(Some(unavailable)),
        };
        let report = report::parse(&json.ran)?;
        let again = report::judged_again(&json.ran.stdout)?;
        keep::keep(&self.name, &json.ran.stdout, &again.text.stdout)?;
        self.expect
            .check(&report, json.ran.code, machine)
            .map_err(|problem| problem + &again.text.to_string())?;
        report::check(&report, machine)?;
        self.check_run(&json, &report)?;
        self.expect.check_stderr(&json.ran.stderr)?;
        report::same(&report, &again.json)?;
        for said in [&again.json.stdout, &again.json.stderr, &again.text.stdout, &again.text.stderr] {
            json.record.no_secret_in("the report judged again", said)?;
        }
        let kept = folder().join("reports").join(format!("{}.txt", self.name));
        if kept.exists() {
            let text = sandbox
                .check(&self.args, &["--log-level=trace"])?
                .map_err(|why| format!("only now: {why}"))?;
            self.check_run(&text, &report)?;
            let stable = filter::stable(&text.ran.stdout)?;
            snapshot::check(&kept, &stable)?;
            if filter::stable(&again.text.stdout)? != stable {
                return Err(format!("judged again it reads otherwise:\n{}", again.text).into());
            }
        }
        hostile::sweep(&json.ran.stdout, self.turn())?;
        Ok(None)
    }

    /// A number that few other scenarios share.
    fn turn(&self) -> usize {
        self.name.bytes().fold(0, |sum, byte| sum * 31 % 65_537 + usize::from(byte))
    }

    /// Checks what holds for every run.
    fn check_run(&self, run: &sandbox::Run, report: &report::Report) -> Result<(), Failed> {
        if run.ran.code != self.expect.exit_code {
            return Err(format!("exit code {} is expected\n{}", self.expect.exit_code, run.ran).into());
        }
        run.no_secret()?;
        run.record.check(report)?;
        Ok(self.expect.check_requests(&run.record)?)
    }
}

/// The scenarios whose text is kept.
fn kept_reports() -> Result<BTreeSet<String>, Failed> {
    let mut names = BTreeSet::new();
    for file in fs::read_dir(folder().join("reports"))? {
        names.extend(file?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    Ok(names)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios")
}
