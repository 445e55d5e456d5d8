//! The report for people: a shell script whose prose is comments, which can be read, copied line by line, and pasted.
//! Decides nothing. Everything from outside is escaped here for terminal and shell.

mod sections;
#[cfg(test)]
mod tests;

use super::{Report, ReportedFinding, Scope, Stage, Status};
use crate::catalog::{Attribute, Class};
use crate::judge::finding::Severity;
use crate::steps::script::{Mark, Script, fitted};
use crate::steps::{Step, StepKind};
use crate::text::{plain, rfc3339};

pub use crate::steps::script::Look;
pub(super) use sections::{both_sides, first_line, restart_in_short, restart_words, sentences};

/// Renders the report. Use `colour` only if a terminal shows it.
#[must_use]
pub fn render(report: &Report, colour: bool) -> String {
    render_for(report, Look { colour, ..Look::default() })
}

/// Renders the report in the given look, for example as wide as a terminal.
#[must_use]
pub fn render_for(report: &Report, look: Look) -> String {
    let mut out = Script::new(look);
    let verdict = &report.verdict;
    out.first(mark(report), &first_line(report));
    let ready = verdict.class == Class::Ready;
    let deciding = report.told();
    subject(&mut out, report);
    if let Some(finding) = deciding {
        who_restart_why(&mut out, report, finding, &finding.steps, 0);
    }
    exit(&mut out, report);
    if ready && deciding.is_none() && verdict.scope == Scope::Exchange {
        credentials(&mut out, report);
    }
    let mut number = 0;
    let mut looked: Vec<Option<String>> =
        deciding.iter().flat_map(|finding| &finding.steps).map(|step| step.run.clone()).collect();
    if let Some(finding) = deciding {
        out.steps(&finding.steps, &mut number);
    }
    let is_told = |it: &&ReportedFinding| deciding.is_some_and(|deciding| std::ptr::eq(deciding, *it));
    for finding in report.findings.iter().filter(|it| !is_told(it) && is_news(it)) {
        out.blank();
        let mark = if finding.severity == Severity::Error { Mark::Bad } else { Mark::But };
        let label = format!("{} {}:", finding.class.id(), finding.code);
        out.first(mark, &fitted(&label, &finding.summary));
        // What was looked at once need not be looked at again.
        let fresh: Vec<Step> = finding
            .steps
            .iter()
            .filter(|step| step.kind == StepKind::Change || step.run.is_none() || !looked.contains(&step.run))
            .cloned()
            .collect();
        looked.extend(fresh.iter().map(|step| step.run.clone()));
        who_restart_why(&mut out, report, finding, &fresh, number);
        out.steps(&fresh, &mut number);
    }
    out.blank();
    footer(&mut out, report, deciding);
    out.text()
}

/// The mark at the beginning of the first line.
pub(super) fn mark(report: &Report) -> Mark {
    match (report.verdict.class, report.verdict.but) {
        (Class::Ready, None) => Mark::Good,
        (Class::Ready, Some(_)) => Mark::But,
        _ => Mark::Bad,
    }
}

/// Whether the finding is an error or a warning that no other finding explains.
pub(super) fn is_news(finding: &ReportedFinding) -> bool {
    finding.explained_by.is_none() && finding.severity != Severity::Info
}

fn who_restart_why(
    out: &mut Script,
    report: &Report,
    finding: &ReportedFinding,
    steps: &[Step],
    number: usize,
) {
    if !finding.who.is_empty() {
        out.row("who", &finding.who);
    }
    out.row("restart", &restart_words(report, finding, steps, number));
    out.row("why", &sentences(finding));
    for (side, value) in both_sides(finding) {
        out.row(side, value);
    }
}

/// Who was judged, if it was not the probe's own process.
fn subject(out: &mut Script, report: &Report) {
    let process = &report.evidence.process;
    let who = match process.source.as_str() {
        "target-pid" => {
            let comm = report.evidence.target.as_ref().map_or("", |target| target.comm.as_str());
            format!("process {} {comm}, ", process.pid)
        }
        "as-uid" => String::new(),
        _ => return,
    };
    let groups: Vec<String> = process.groups.iter().map(u32::to_string).collect();
    let groups =
        if groups.is_empty() { "no other group".to_owned() } else { format!("groups {}", groups.join(" ")) };
    out.row("subject", &format!("{who}uid {}, gid {}, {groups}", process.uid, process.gid));
}

/// Why the exit code differs from the class's code, and whether attempts differed.
fn exit(out: &mut Script, report: &Report) {
    if report.verdict.flapped {
        out.row("flapped", &format!("{} attempts came out differently, this is the last", report.attempts));
    }
    if report.verdict.tolerated {
        out.row("exit", "0: this class is tolerated by --tolerate");
    } else if report.report_only && report.verdict.code != 0 {
        out.row("exit", "0: this run only reports");
    }
}

/// eks-pod-identity-agent, `--max-credential-retention-before-renewal`. The agent caches only successes.
const CACHED: &str =
    "may have answered from its cache: a change of association or role in the last 3 hours may not show yet";

/// How long the token and the session last.
fn credentials(out: &mut Script, report: &Report) {
    let evidence = &report.evidence;
    if let Some(token) = evidence.token.as_ref().and_then(|token| token.exp) {
        let rotated = !report.findings.iter().any(|finding| finding.class.has(Attribute::NotRotated));
        let rotation = if rotated { ", the kubelet renews it before" } else { ", and nothing renews it" };
        out.row("token", &format!("expires {}{rotation}", rfc3339(token)));
    }
    if let Some(agent) = &evidence.agent {
        out.row("agent", CACHED);
        if let Some(expiry) = agent.answer.as_ref().and_then(|answer| answer.expiration) {
            out.row(
                "session",
                &format!("the agent’s, valid until {}, not kept by credprobe", rfc3339(expiry)),
            );
        }
    }
    if let Some(known) = crate::judge::known_to_cluster(evidence) {
        out.row("cluster", &known);
    }
    let mechanism = crate::settings::requested(&evidence.environment).mechanism;
    if let Some(since) = crate::sdks::since(&evidence.environment, mechanism) {
        out.row("sdk", &plain(&since));
    }
    if let Some(expiry) = evidence.exchange.as_ref().and_then(|exchange| exchange.expiration) {
        out.row("session", &format!("ended with this run, asked for until {}", rfc3339(expiry)));
    }
}

/// What else is worth knowing of a success, the chain in one row, and where more is said.
fn footer(out: &mut Script, report: &Report, deciding: Option<&ReportedFinding>) {
    let is_info = |it: &&ReportedFinding| it.explained_by.is_none() && it.severity == Severity::Info;
    // A failure comes first; what follows from it stands in the JSON report.
    if report.verdict.class == Class::Ready {
        for finding in report.findings.iter().filter(is_info) {
            out.row("info", &plain(&finding.summary));
        }
    }
    out.chain(report.stages.iter().map(link));
    if let Some(finding) = deciding {
        out.row("explain", &format!("credprobe explain {}", finding.class.id()));
    }
}

fn link(stage: &Stage) -> String {
    let mark = match stage.status {
        Status::Passed => "✓",
        Status::Failed => "✗",
        Status::Warned => "!",
        Status::Skipped => "–",
    };
    format!("{mark} {}", stage.stage.words())
}
