//! The JSON report as a reader of docs/reference/json.md parses it, and what must hold for all of them.
//! Judged again, a report comes out the same.

use super::Machine;
use crate::support::{
    binary,
    run::{Ran, run},
};
use libtest_mimic::Failed;
use serde::Deserialize;
use serde_json::Value;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

#[derive(Deserialize)]
pub(super) struct Report {
    pub(super) exit_code: i32,
    pub(super) verdict: Verdict,
    pub(super) findings: Vec<Finding>,
    pub(super) stages: Vec<Stage>,
    /// All of it.
    #[serde(skip)]
    whole: Value,
}

#[derive(Deserialize)]
pub(super) struct Verdict {
    pub(super) class: String,
    pub(super) code: i32,
    pub(super) owner: Option<String>,
    pub(super) scope: String,
    pub(super) transient: bool,
    pub(super) recreate_pod: bool,
    pub(super) fix: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) class: String,
    code: i32,
    pub(super) severity: String,
    pub(super) explained_by: Option<String>,
    presented: String,
    required: String,
    fix: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) status: String,
}

const STAGES: [&str; 6] = ["environment", "token-file", "token", "network", "exchange", "identity"];

/// A report that was judged again, in both forms.
pub(super) struct Again {
    pub(super) json: Ran,
    pub(super) text: Ran,
}

pub(super) fn parse(ran: &Ran) -> Result<Report, Failed> {
    let unreadable = |error| format!("stdout is no report ({error})\n{ran}");
    let whole: Value = serde_json::from_str(&ran.stdout).map_err(unreadable)?;
    let report: Report = serde_json::from_value(whole.clone()).map_err(unreadable)?;
    Ok(Report { whole, ..report })
}

impl Report {
    pub(super) fn is_local(&self) -> bool {
        self.stages.iter().any(|stage| stage.stage == "network" && stage.status == "skipped")
    }
}

/// What holds for every report.
pub(super) fn check(report: &Report, machine: &Machine) -> Result<(), Failed> {
    machine.validate(&report.whole)?;
    let stages: Vec<&str> = report.stages.iter().map(|stage| stage.stage.as_str()).collect();
    if stages != STAGES {
        return Err(format!("all six stages in order are expected, not {stages:?}").into());
    }
    let scope = if report.is_local() { "local" } else { "exchange" };
    if report.verdict.scope != scope {
        return Err(format!("scope {scope} is expected, not {}", report.verdict.scope).into());
    }
    // Of a server that is not AWS's nobody here knows the commands.
    let is_aws = report.whole["evidence"]["environment"]["stated"]["sts_compatible"] != true;
    for finding in &report.findings {
        if machine.class(&finding.class)?.code != finding.code {
            return Err(format!("{} has another code than {}", finding.class, finding.code).into());
        }
        if let Some(problem) = unusable_fix(finding, is_aws) {
            return Err(format!("{}: {problem}", finding.class).into());
        }
        if finding.severity == "error" && (finding.presented.is_empty() || finding.required.is_empty()) {
            return Err(format!("{} does not say both sides", finding.class).into());
        }
    }
    Ok(())
}

/// Saves the report and has it judged without the pod.
pub(super) fn judged_again(report: &str) -> Result<Again, Failed> {
    let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    file.write_all(report.as_bytes())?;
    let judge = |output| {
        run(
            Command::new(binary::probe()).env_clear().arg("judge").arg(file.path()).arg(output),
            Stdio::piped(),
        )
    };
    Ok(Again { json: judge("--output=json")?, text: judge("--output=text")? })
}

/// The second judgement must not differ from the first.
pub(super) fn same(report: &Report, again: &Ran) -> Result<(), Failed> {
    let second = parse(again)?;
    if again.code != report.exit_code {
        return Err(format!("judged again it exits {}, not {}", again.code, report.exit_code).into());
    }
    for part in
        ["exit_code", "verdict", "findings", "stages", "subject", "evidence", "mechanism", "observed_at"]
    {
        let (first, second) = (&report.whole[part], &second.whole[part]);
        if first != second {
            return Err(format!("judged again, {part} differs:\n{first:#}\n{second:#}").into());
        }
    }
    Ok(())
}

/// What is left for the reader to fill in or to think of.
fn unusable_fix(finding: &Finding, has_commands: bool) -> Option<String> {
    const LEFT_OPEN: [&str; 7] = ["<", "...", "path/to", "YOUR", "EXAMPLE_", "${", "TODO"];
    if finding.fix.is_empty() {
        return Some("nothing says how to repair it".to_owned());
    }
    if has_commands && finding.severity == "error" && finding.fix.iter().all(|line| line.starts_with('#')) {
        return Some(format!("no command repairs it: {:#?}", finding.fix));
    }
    let left_open = finding.fix.iter().find(|line| LEFT_OPEN.iter().any(|mark| line.contains(mark)));
    left_open.map(|line| format!("a placeholder in the fix: {line}"))
}
