//! The report for people: the verdict in one line, who acts, both sides, the fix to paste, the stages.
//! Everything from outside is escaped for a terminal here.

use super::{Report, ReportedFinding, Scope, Stage, Status, docs_page, lines};
use crate::catalog::{Attribute, Class};
use crate::evidence::StageName;
use crate::judge::finding::Severity;
use crate::judge::step::Heading;
use crate::text::shown::escaped;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

/// Renders the report; `colour` only where a terminal reads it.
#[must_use]
pub fn render(report: &Report, colour: bool) -> String {
    let paint = Paint { colour };
    let mut out = String::new();
    headline(&mut out, report, paint);
    for finding in report.findings.iter().take_while(|_| report.verdict.class != Class::Ready).take(1) {
        details(&mut out, finding, paint);
    }
    let has_fix = lines(&report.verdict.steps, Heading::Fix).next().is_some();
    if has_fix && report.verdict.recreate_pod {
        line(&mut out, "note", "restarting the container heals nothing: the pod must be made anew");
    }
    if report.verdict.class != Class::Ready {
        line(&mut out, "docs", &docs_page(report.verdict.class));
    }
    let others = report.findings.iter().skip(usize::from(report.verdict.class != Class::Ready));
    for finding in others {
        other(&mut out, finding, paint);
    }
    out.push('\n');
    for stage in &report.stages {
        row(&mut out, stage, report, paint);
    }
    out
}

/// eks-pod-identity-agent, `--max-credential-retention-before-renewal`; it keeps successes only.
const CACHED: &str = "may have answered from its cache: what was changed of association or role in the last 3 hours may not show yet";

#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, colour: AnsiColor, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = Style::new().bold().fg_color(Some(colour.into()));
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}

fn headline(out: &mut String, report: &Report, paint: Paint) {
    let verdict = &report.verdict;
    let class = format!("{} ({})", verdict.class.id(), verdict.code);
    let colour = if verdict.class == Class::Ready { AnsiColor::Green } else { AnsiColor::Red };
    let _ = writeln!(out, "{}: {}", paint.with(colour, &class), escaped(&verdict.summary));
    if let Some(owner) = report.owner_in_words() {
        line(out, "owner", &owner);
    }
    if let Some(subject) = subject(report) {
        line(out, "subject", &subject);
    }
    if verdict.flapped {
        line(out, "flapped", &format!("{} attempts came out differently; this is the last", report.attempts));
    }
    if verdict.tolerated {
        line(out, "exit", "0, for this class is tolerated (--tolerate)");
    } else if report.report_only && verdict.code != 0 {
        line(out, "exit", "0, for this run only reports (--report-only)");
    }
    if verdict.class == Class::Ready && verdict.scope == Scope::Exchange {
        let expiry = report.evidence.exchange.as_ref().and_then(|exchange| exchange.expiration);
        let token = report.evidence.token.as_ref().and_then(|token| token.exp);
        if let Some(token) = token {
            let kept = |finding: &ReportedFinding| finding.class.has(Attribute::NotRotated);
            let rotated = !report.findings.iter().any(kept);
            let rotation = if rotated { "; kubelet rotates it before" } else { ", and nobody rotates it" };
            line(out, "token", &format!("expires {}{rotation}", crate::text::rfc3339(token)));
        }
        if let Some(agent) = &report.evidence.agent {
            line(out, "agent", CACHED);
            if let Some(expiry) = agent.answer.as_ref().and_then(|answer| answer.expiration) {
                let expiry = crate::text::rfc3339(expiry);
                line(out, "session", &format!("the agent's, good until {expiry}; forgotten with this run"));
            }
        }
        if let Some(expiry) = expiry {
            line(
                out,
                "session",
                &format!("ended with this run; asked for until {}", crate::text::rfc3339(expiry)),
            );
        }
    }
}

/// Who was judged, where it was not the probe's own process.
fn subject(report: &Report) -> Option<String> {
    let process = &report.evidence.process;
    let who = match process.source.as_str() {
        "target-pid" => {
            let comm = report.evidence.target.as_ref().map_or("", |target| target.comm.as_str());
            format!("process {} ({comm}), ", process.pid)
        }
        "as-uid" => String::new(),
        _ => return None,
    };
    let groups: Vec<String> = process.groups.iter().map(u32::to_string).collect();
    Some(format!("{who}uid {}, gid {}, groups [{}]", process.uid, process.gid, groups.join(" ")))
}

fn line(out: &mut String, label: &str, text: &str) {
    let _ = writeln!(out, "  {label:<10} {}", escaped(text));
}

fn details(out: &mut String, finding: &ReportedFinding, paint: Paint) {
    line(out, "presented", &finding.presented);
    line(out, "required", &finding.required);
    for text in &finding.ruled_out {
        line(out, "ruled out", text);
    }
    for text in finding.lines(Heading::Confirm) {
        line(out, "confirm:", &text);
    }
    for text in finding.lines(Heading::Fix) {
        let _ = writeln!(
            out,
            "  {} {}",
            paint.with(AnsiColor::Yellow, &format!("{:<10}", "fix:")),
            escaped(&text)
        );
    }
}

/// A finding that does not decide.
fn other(out: &mut String, finding: &ReportedFinding, paint: Paint) {
    let (label, colour) = match (finding.explained_by, finding.severity) {
        (Some(_), _) => ("also seen", AnsiColor::BrightBlack),
        (None, Severity::Error) => ("also wrong", AnsiColor::Red),
        (None, Severity::Warning) => ("warning", AnsiColor::Yellow),
        (None, Severity::Info) => ("info", AnsiColor::BrightBlack),
    };
    let class = format!("{} ({})", finding.class.id(), finding.code);
    let explained =
        finding.explained_by.map(|class| format!(", explained by {}", class.id())).unwrap_or_default();
    let _ = writeln!(out, "{} {class}{explained}: {}", paint.with(colour, label), escaped(&finding.summary));
    if finding.explained_by.is_none() {
        line(out, "presented", &finding.presented);
        line(out, "required", &finding.required);
        for text in finding.lines(Heading::Fix) {
            line(out, "fix:", &text);
        }
    }
}

fn row(out: &mut String, stage: &Stage, report: &Report, paint: Paint) {
    let name = stage.stage.words();
    let (status, colour) = match stage.status {
        Status::Passed => ("passed", AnsiColor::Green),
        Status::Failed => ("failed", AnsiColor::Red),
        Status::Warned => ("warned", AnsiColor::Yellow),
        Status::Skipped => ("skipped", AnsiColor::BrightBlack),
    };
    let status = paint.with(colour, &format!("{status:<8}"));
    let rest = match (&stage.skipped_because, stage.took_ms) {
        (Some(because), _) => because.clone(),
        (None, Some(took)) => {
            let endpoint = report.evidence.network.as_ref().filter(|_| stage.stage == StageName::Network);
            let endpoint = endpoint.map(|network| format!("  {}", network.endpoint)).unwrap_or_default();
            format!("{took:>9.3} ms{endpoint}")
        }
        (None, None) => String::new(),
    };
    let _ = writeln!(out, "  {name:<11} {status} {}", escaped(&rest));
}
