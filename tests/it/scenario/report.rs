//! The JSON report as a reader of docs/reference/json.md parses it, and what must hold for all reports.
//! A report that is judged again must come out the same.

use super::{Machine, harm};
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
    /// The whole report.
    #[serde(skip)]
    pub(super) whole: Value,
}

#[derive(Deserialize)]
pub(super) struct Verdict {
    pub(super) class: String,
    pub(super) code: i32,
    pub(super) owner: Option<String>,
    pub(super) scope: String,
    pub(super) transient: bool,
    pub(super) recreate_pod: bool,
    pub(super) but: Option<String>,
    who: String,
    pub(super) restart: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) class: String,
    code: i32,
    pub(super) severity: String,
    transient: bool,
    pub(super) explained_by: Option<String>,
    presented: String,
    required: String,
    owner: Option<String>,
    who: String,
    restart: String,
    steps: Vec<Step>,
}

#[derive(Deserialize, PartialEq)]
pub(super) struct Step {
    kind: String,
    when: Option<String>,
    say: String,
    run: Option<String>,
    changes: Option<String>,
}

impl Step {
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        [Some(&self.say), self.when.as_ref(), self.run.as_ref()].into_iter().flatten()
    }
}

#[derive(Deserialize)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) status: String,
}

const STAGES: [&str; 6] = ["environment", "token-file", "token", "network", "exchange", "identity"];

/// These follow the six stages, if something is stated about them.
const STATED_STAGES: [&str; 2] = ["access", "cluster"];

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
    let stated = stages.strip_prefix(&STAGES).map(|stated| stated.to_vec());
    let in_order = |stated: Vec<&str>| {
        let known: Vec<&str> = STATED_STAGES.into_iter().filter(|stage| stated.contains(stage)).collect();
        known == stated
    };
    if !stated.is_some_and(in_order) {
        return Err(format!("all six stages in order are expected, not {stages:?}").into());
    }
    let stated = &report.whole["evidence"]["environment"]["stated"];
    let is_stated = stated["expect_access"].is_array() || stated["expect_role"].is_string();
    if stages.contains(&"access") && !is_stated {
        return Err("a stage access where nothing was stated".into());
    }
    let scope = if report.is_local() { "local" } else { "exchange" };
    if report.verdict.scope != scope {
        return Err(format!("scope {scope} is expected, not {}", report.verdict.scope).into());
    }
    // The probe does not know the commands for a server that is not AWS's.
    let is_aws = report.whole["evidence"]["environment"]["stated"]["sts_compatible"] != true;
    for finding in &report.findings {
        if machine.class(&finding.class)?.code != finding.code {
            return Err(format!("{} has another code than {}", finding.class, finding.code).into());
        }
        if let Some(problem) = finding.steps.iter().find_map(malformed) {
            return Err(format!("{}: {problem}", finding.class).into());
        }
        if finding.who.is_empty() != finding.owner.is_none() {
            return Err(
                format!("{}: owner {:?}, but who {:?}", finding.class, finding.owner, finding.who).into()
            );
        }
        let commands: Vec<&str> = finding.steps.iter().filter_map(|step| step.run.as_deref()).collect();
        let harmful = harm::of(&report.whole, &commands);
        if let Some(problem) = harmful.or_else(|| unusable_steps(finding, is_aws)) {
            return Err(format!("{}: {problem}", finding.class).into());
        }
        if finding.severity == "error" && (finding.presented.is_empty() || finding.required.is_empty()) {
            return Err(format!("{} does not say both sides", finding.class).into());
        }
    }
    summed_up(report).map_or(Ok(()), |problem| Err(problem.into()))
}

/// The verdict repeats the deciding finding, and names the warning beside `ready`.
fn summed_up(report: &Report) -> Option<String> {
    let verdict = &report.verdict;
    if verdict.recreate_pod != (verdict.restart == "pod") {
        return Some(format!("recreate_pod is {}, restart {}", verdict.recreate_pod, verdict.restart));
    }
    let bites = |it: &&Finding| it.severity == "warning" && it.explained_by.is_none();
    let but = report.findings.iter().find(bites).filter(|_| verdict.class == "ready");
    if verdict.but.as_ref() != but.map(|it| &it.class) {
        return Some(format!("but is {:?}, the first warning {:?}", verdict.but, but.map(|it| &it.class)));
    }
    if verdict.class == "ready" {
        return (!verdict.steps.is_empty()).then(|| "steps beside ready".to_owned());
    }
    let deciding = report.findings.first()?;
    let repeated = deciding.who == verdict.who
        && deciding.restart == verdict.restart
        && deciding.steps == verdict.steps
        && !deciding.steps.is_empty();
    (!repeated).then(|| "the verdict's steps are not those of the finding that decides".to_owned())
}

/// A step that looks changes nothing; a step that changes says what. A command is one line without a comment.
fn malformed(step: &Step) -> Option<String> {
    let Step { kind, say, run, changes, .. } = step;
    let end = if run.is_some() { ':' } else { '.' };
    if !say.ends_with(end) {
        return Some(format!("a sentence that does not end with {end:?}: {say:?}"));
    }
    let fits = match kind.as_str() {
        "look" => changes.is_none(),
        "change" => changes.as_ref().is_some_and(|changes| !changes.is_empty()),
        _ => false,
    };
    if !fits {
        return Some(format!("{kind} with changes {changes:?}: {say}"));
    }
    let run = run.as_ref()?;
    if say.is_empty() || run.contains(" # ") || run.contains('\n') || run.starts_with('#') {
        return Some(format!("not one command with its sentence: {say:?}, {run:?}"));
    }
    None
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

/// The second verdict must not differ from the first.
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

/// Finds steps that leave something for the reader to fill in or to guess.
fn unusable_steps(finding: &Finding, has_commands: bool) -> Option<String> {
    const LEFT_OPEN: [&str; 7] = ["<", "...", "path/to", "YOUR", "EXAMPLE_", "${", "TODO"];
    // Allowed are variables that an earlier command sets, or that the reader is told to set: both stop a command without them.
    let set = |line: &str| {
        line.replace(":?is not set}", ":?}")
            .split("${")
            .map(|part| {
                part.split_once(":?}")
                    .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
                    .map_or(part, |(_, rest)| rest)
                    .to_owned()
            })
            .collect::<Vec<_>>()
            .join("")
    };
    if finding.steps.is_empty() {
        return Some("nothing says what to do".to_owned());
    }
    let commands = || finding.steps.iter().filter_map(|step| step.run.as_ref());
    // A transient error needs no command, because it passes by itself.
    if has_commands
        && finding.severity == "error"
        && !finding.transient
        && finding.class != "inconclusive"
        && finding.owner.as_deref() != Some("probe")
        && commands().next().is_none()
    {
        return Some("no step has a command".to_owned());
    }
    let changes = finding.steps.iter().filter(|step| step.kind == "change");
    let left_open =
        changes.flat_map(Step::texts).find(|line| LEFT_OPEN.iter().any(|mark| set(line).contains(mark)));
    left_open.map(|line| format!("a placeholder in a step: {line}"))
}
