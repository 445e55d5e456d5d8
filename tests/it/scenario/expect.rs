//! The `expect` of a scenario: the verdict, and what else this case is about.
//! Everything that is left out has the class table's default, so that a case states only what is special about it.

use super::{
    Machine,
    record::Record,
    report::{Report, Step},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Debug};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) class: String,
    pub(crate) exit_code: i32,
    /// The findings besides the deciding one, in the report's order; by default none.
    #[serde(default)]
    also: Vec<String>,
    /// Which finding explains which: `{"token-expired": "clock-skew"}`; all others are unexplained.
    #[serde(default)]
    explained_by: BTreeMap<String, String>,
    /// Severities to check: `{"region-missing": "warning"}`. The severity of the deciding finding is `error`.
    #[serde(default)]
    severity: BTreeMap<String, String>,
    owner: Option<String>,
    transient: Option<bool>,
    /// What must be restarted: `none`, `container` or `pod`; by default the pod if the class says so.
    restart: Option<String>,
    /// Only those that matter here: `{"identity": "skipped"}`.
    #[serde(default)]
    stages: BTreeMap<String, String>,
    /// Texts that the steps of the verdict must contain.
    #[serde(default)]
    fix: Vec<String>,
    /// The actions that STS sees, in order.
    sts_requests: Option<Vec<String>>,
    /// What each line on stderr contains. By default a run prints nothing there.
    #[serde(default)]
    stderr: Vec<String>,
    /// Why this case does not run yet.
    pub(crate) pending: Option<String>,
}

impl Expect {
    /// The findings besides the deciding one.
    pub(crate) fn also(&self) -> &[String] {
        &self.also
    }

    pub(super) fn check(&self, report: &Report, exit_code: i32, machine: &Machine) -> Result<(), String> {
        let verdict = &report.verdict;
        let class = machine.class(&self.class)?;
        equal("the class", &self.class, &verdict.class)?;
        equal("the verdict's code", &class.code, &verdict.code)?;
        equal("the exit code", &self.exit_code, &exit_code)?;
        equal("exit_code of the report", &exit_code, &report.exit_code)?;
        equal("the owner", &self.owner.as_ref().or(class.owner.as_ref()), &verdict.owner.as_ref())?;
        equal("transient", &self.transient.unwrap_or(class.transient), &verdict.transient)?;
        let restart = self.restart.as_deref().unwrap_or(if class.recreate_pod { "pod" } else { "none" });
        equal("restart", restart, verdict.restart.as_str())?;
        self.findings(report)?;
        for (stage, status) in &self.stages {
            let actual = report.stages.iter().find(|actual| actual.stage == *stage);
            equal(&format!("stage {stage}"), &Some(status), &actual.map(|actual| &actual.status))?;
        }
        for part in &self.fix {
            let mut texts = verdict.steps.iter().flat_map(Step::texts);
            if !texts.any(|text| text.contains(part)) {
                let texts: Vec<_> = verdict.steps.iter().flat_map(Step::texts).collect();
                return Err(format!("no step has `{part}`: {texts:#?}\n"));
            }
        }
        Ok(())
    }

    pub(super) fn check_requests(&self, record: &Record) -> Result<(), String> {
        let actual: Vec<&str> = record.sts_requests.iter().filter_map(|it| it.action.as_deref()).collect();
        let expected = self.sts_requests.as_ref();
        expected.map_or(Ok(()), |expected| {
            equal("the requests to STS", &expected.iter().map(String::as_str).collect(), &actual)
        })
    }

    pub(super) fn check_stderr(&self, stderr: &str) -> Result<(), String> {
        let lines: Vec<&str> = stderr.lines().collect();
        let as_expected = lines.len() == self.stderr.len()
            && lines.iter().zip(&self.stderr).all(|(line, part)| line.contains(part));
        if as_expected {
            Ok(())
        } else {
            Err(format!("on stderr {:?} is expected, not {lines:?}", self.stderr))
        }
    }

    fn findings(&self, report: &Report) -> Result<(), String> {
        let deciding = (self.class != "ready").then_some(&self.class);
        let expected: Vec<&String> = deciding.into_iter().chain(&self.also).collect();
        let actual: Vec<&String> = report.findings.iter().map(|finding| &finding.class).collect();
        equal("the findings", &expected, &actual)?;
        for (at, finding) in report.findings.iter().enumerate() {
            let name = format!("what explains {}", finding.class);
            equal(&name, &self.explained_by.get(&finding.class), &finding.explained_by.as_ref())?;
            let severity = self.severity.get(&finding.class).map(String::as_str);
            let severity = severity.or((at == 0 && deciding.is_some()).then_some("error"));
            if let Some(severity) = severity {
                equal(&format!("the severity of {}", finding.class), severity, finding.severity.as_str())?;
            }
        }
        Ok(())
    }
}

fn equal<T: Debug + PartialEq + ?Sized>(what: &str, expected: &T, actual: &T) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    Err(format!("{what}: {expected:?} is expected, it is {actual:?}\n"))
}
