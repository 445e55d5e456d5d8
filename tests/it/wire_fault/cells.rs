//! The cells of the matrix: a peer, a misdeed, and the class that must result.

use super::{gate, limits::Measured, matrix, pod::Pods};
use crate::support::{binary, ci::in_ci};
use libtest_mimic::{Completion, Failed};
use serde_json::{Value, json};
use std::time::Duration;

/// Long enough for two requests on a busy machine, short enough for hundreds of runs.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// How often to run if one run is late. A busy machine may excuse one late run, but not two.
const RUNS: u32 = 3;

pub(crate) struct Cell {
    /// `peer::fault`.
    pub(crate) name: String,
    pub(crate) scenario: Value,
    pub(crate) expected: Expected,
}

pub(crate) enum Expected {
    /// The class of the verdict.
    Class(&'static str),
    /// The verdict is ready, with this warning.
    Warned(&'static str),
    /// Any class, but with an error or a warning, and without repeating anything secret that was sent.
    NoSecret,
    /// `serve` continues; `told` says whether it reports the problem.
    Unmoved { told: bool },
}

pub(crate) fn all() -> Vec<Cell> {
    matrix::cells()
}

impl Cell {
    pub(crate) fn check(&self, pods: &Pods, note: &mut dyn FnMut(Measured)) -> Result<Completion, Failed> {
        let (class, warning) = match self.expected {
            Expected::Class(class) => (Some(class), None),
            Expected::Warned(warning) => (Some("ready"), Some(warning)),
            Expected::NoSecret => (None, None),
            Expected::Unmoved { told } => return gate::check(self, told, pods, note),
        };
        let (mut runs, mut late) = (0, 0);
        loop {
            let (ran, measured, secrets) = match pods.check(&self.name, &self.scenario, TIMEOUT)? {
                Ok(ran) => ran,
                Err(why) => return nowhere(&why),
            };
            runs += 1;
            late += u32::from(measured.is_late());
            if late == 1 && runs < RUNS {
                continue;
            }
            note(measured.clone());
            let report: Value = serde_json::from_str(&ran.stdout)
                .map_err(|error| format!("no report, {error}: {measured}\n{ran}"))?;
            pods.judge(&ran, &secrets)?;
            let verdict = &report["verdict"];
            if std::env::var_os("CREDPROBE_SHOW_MATRIX").is_some() {
                show(&self.name, &report, &measured);
            }
            let warned = |warning: &str| {
                let findings = report["findings"].as_array().into_iter().flatten();
                findings.into_iter().any(|it| it["class"] == warning && it["severity"] == "warning")
            };
            let is_told = report["findings"].as_array().is_some_and(|findings| !findings.is_empty());
            let fits = class.map_or(is_told, |class| verdict["class"] == class)
                && verdict["code"] == ran.code
                && warning.is_none_or(warned);
            if !fits || late > 1 || measured.is_too_large(binary::shipped().is_some()) {
                let summary =
                    json!([verdict["class"], verdict["summary"], report["evidence"]["network"]["failure"]]);
                return Err(
                    format!("expected {class:?} {warning:?}, got {summary}; {measured}\n{ran}").into()
                );
            }
            return Ok(Completion::Completed);
        }
    }
}

/// The outcome where no pod can be built.
pub(crate) fn nowhere(why: &str) -> Result<Completion, Failed> {
    if in_ci() {
        return Err(format!("CI must build the pod, and could not: {why}").into());
    }
    Ok(Completion::ignored_with(format!("NOT TESTED HERE: {why}")))
}

fn show(name: &str, report: &Value, measured: &Measured) {
    use std::io::Write as _;
    let evidence = &report["evidence"];
    let failure = &evidence["network"]["failure"]["kind"];
    let class = &report["verdict"]["class"];
    let summary = &report["verdict"]["summary"];
    let _ = writeln!(std::io::stderr(), "matrix: {name} {class} {failure} {measured} {summary}");
}
