//! The page of `serve`: the verdict, the chain of stages, both sides, the fix, times until expiry, the last verdicts.
//! One HTML text without a script; everything from outside is escaped here.

use super::{Report, ReportedFinding, Scope, Stage, Status};
use crate::catalog::Class;
use crate::judge::finding::Severity;
use crate::text::rfc3339;
use crate::text::shown::escaped;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

/// The page's one style sheet.
pub const STYLE: &str = include_str!("page.css");
/// Seconds between two loads.
const REFRESH: u32 = 15;

/// What the page shows.
pub struct Content<'a> {
    /// The verdict in force; `None`: there is none yet.
    pub report: Option<&'a Report>,
    /// The newest judgement: the token's times.
    pub newest: Option<&'a Report>,
    /// The last judgement with an exchange in it: the session's time.
    pub exchanged: Option<&'a Report>,
    /// Whether `/readyz` says so.
    pub ready: bool,
    /// What `/readyz` says.
    pub because: &'a str,
    /// Oldest first.
    pub history: &'a VecDeque<PastVerdict>,
    /// Seconds since the epoch.
    pub now: i64,
}

/// A verdict of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastVerdict {
    /// Seconds since the epoch.
    pub at: i64,
    /// What decided then.
    pub class: Class,
    /// Ready, or tolerated.
    pub passes: bool,
}

/// The whole page.
#[must_use]
pub fn render(content: &Content<'_>) -> String {
    let class = content.report.map(|report| report.verdict.class);
    // Before the first verdict, or switched off.
    let heading =
        class.map_or_else(|| html(content.because), |class| format!("{} ({})", class.id(), class.code()));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{heading} - credprobe</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"{REFRESH}\">\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\n<body>\n"
    );
    header(&mut out, content, &heading);
    if let Some(report) = content.report {
        chain(&mut out, report);
        let mut findings = report.findings.iter();
        if report.verdict.class != Class::Ready
            && let Some(deciding) = findings.next()
        {
            let _ = writeln!(out, "<h2>What is wrong</h2>");
            finding(&mut out, deciding);
        }
        others(&mut out, findings);
    }
    times(&mut out, content);
    history(&mut out, content.history);
    footer(&mut out, content);
    out.push_str("</body></html>\n");
    out
}

fn header(out: &mut String, content: &Content<'_>, heading: &str) {
    let tone = match (content.report.map(|report| report.verdict.class), content.ready) {
        (Some(Class::Ready), true) => "good",
        (_, true) => "warn",
        (_, false) => "bad",
    };
    let summary = content.report.map(|report| format!("<p>{}</p>", html(&report.verdict.summary)));
    let _ = writeln!(
        out,
        "<header class=\"{tone}\"><h1>{heading}</h1>{}<p class=\"soft\">The pod is {}: {}</p></header>",
        summary.unwrap_or_default(),
        if content.ready { "ready" } else { "not ready" },
        html(content.because)
    );
}

fn chain(out: &mut String, report: &Report) {
    let _ = writeln!(out, "<h2>The chain</h2>\n<ol class=\"chain\">");
    for stage in &report.stages {
        let (class, mark, said) = status(stage);
        let name = stage.stage.words();
        let _ = writeln!(out, "<li class=\"{class}\"><b>{mark} {name}</b><span>{}</span></li>", html(&said));
    }
    out.push_str("</ol>\n");
}

/// Its class in the style sheet, a mark for those who see no colours, and the words.
fn status(stage: &Stage) -> (&'static str, &'static str, String) {
    let (class, mark, word) = match stage.status {
        Status::Passed => ("passed", "\u{2713}", "passed"),
        Status::Warned => ("warned", "!", "passed, with a warning"),
        Status::Failed => ("failed", "\u{2717}", "failed"),
        Status::Skipped => ("skipped", "\u{2013}", "skipped"),
    };
    let said = match (&stage.skipped_because, stage.took_ms) {
        (Some(because), _) => format!("{word}: {because}"),
        (None, Some(took)) => format!("{word} in {took:.1} ms"),
        (None, None) => word.to_owned(),
    };
    (class, mark, said)
}

fn finding(out: &mut String, finding: &ReportedFinding) {
    let owner = finding.owner.map(|owner| owner.id()).unwrap_or_default();
    out.push_str("<dl>");
    let texts = [
        ("owner", owner),
        ("who", finding.who.as_str()),
        ("presented", &finding.presented),
        ("required", &finding.required),
    ];
    for (term, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        let _ = write!(out, "<dt>{term}</dt><dd>{}</dd>", html(text));
    }
    for text in &finding.ruled_out {
        let _ = write!(out, "<dt>ruled out</dt><dd>{}</dd>", html(text));
    }
    out.push_str(
        "</dl>
",
    );
    for step in &finding.steps {
        let when = step.when.as_ref().map(|when| format!("{when}: ")).unwrap_or_default();
        let _ = write!(out, "<p>{}{}</p>", html(&when), html(&step.say));
        if let Some(run) = &step.run {
            let _ = write!(out, "<pre>{}</pre>", html(run));
        }
    }
}

fn others<'r>(out: &mut String, findings: impl Iterator<Item = &'r ReportedFinding>) {
    let mut findings = findings.peekable();
    if findings.peek().is_some() {
        let _ = writeln!(out, "<h2>Also seen</h2>");
    }
    for other in findings {
        let severity = match (other.explained_by, other.severity) {
            (Some(by), _) => format!("explained by {}", by.id()),
            (None, Severity::Error) => "error".to_owned(),
            (None, Severity::Warning) => "warning".to_owned(),
            (None, Severity::Info) => "note".to_owned(),
        };
        let (id, code, summary) = (other.class.id(), other.code, html(&other.summary));
        let _ = writeln!(out, "<details><summary>{id} ({code}), {severity}: {summary}</summary>");
        finding(out, other);
        out.push_str("</details>\n");
    }
}

fn times(out: &mut String, content: &Content<'_>) {
    let token = content.newest.and_then(|report| report.evidence.token.as_ref());
    let token = token.and_then(|token| Some(("token", token.iat?, token.exp?)));
    let session = content.exchanged.and_then(|report| {
        let evidence = &report.evidence;
        let by_sts = evidence.exchange.as_ref().map(|it| (it.received_at, it.expiration));
        let by_agent = || evidence.agent.as_ref()?.answer.as_ref().map(|it| (it.received_at, it.expiration));
        let (from, until) = by_sts.filter(|(_, until)| until.is_some()).or_else(by_agent)?;
        Some(("the probe's own session", from, until?))
    });
    let bars: Vec<_> = token.into_iter().chain(session).collect();
    if bars.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>Times</h2>");
    for (what, from, until) in bars {
        let left = until.saturating_sub(content.now);
        let words = if left > 0 {
            format!("expires in {}", duration(left))
        } else {
            format!("expired {} ago", duration(-left))
        };
        let (max, value) = (until.saturating_sub(from).max(1), left.max(0));
        let tone = if left > 0 { "good" } else { "bad" };
        let _ = writeln!(
            out,
            "<p>{what} {words} <span class=\"soft\">({})</span><progress class=\"{tone}\" max=\"{max}\" value=\"{value}\">{words}</progress></p>",
            rfc3339(until)
        );
    }
}

/// To minutes, where seconds say nothing.
fn duration(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let shown = if seconds < 600 { seconds } else { seconds - seconds % 60 };
    humantime::format_duration(Duration::from_secs(shown)).to_string()
}

fn history(out: &mut String, history: &VecDeque<PastVerdict>) {
    if history.is_empty() {
        return;
    }
    out.push_str("<h2>Last verdicts, newest last</h2>\n<ol class=\"strip\">\n");
    for past in history {
        let tone = if past.passes { "good" } else { "bad" };
        let text = format!("{} {} ({})", rfc3339(past.at), past.class.id(), past.class.code());
        let _ = write!(out, "<li class=\"{tone}\" title=\"{text}\"><span>{text}</span></li>");
    }
    out.push_str("</ol>\n");
}

fn footer(out: &mut String, content: &Content<'_>) {
    out.push_str("<footer>");
    if let Some(report) = content.report {
        let scope = match report.verdict.scope {
            Scope::Exchange => "with an exchange",
            Scope::Local => "locally",
        };
        let (version, mechanism) = (html(&report.probe.version), html(&report.mechanism));
        let _ = write!(
            out,
            "judged {scope} at {}, mechanism {mechanism}, credprobe {version} \u{b7} <a href=\"/report\">report as JSON</a>",
            html(&report.observed_at)
        );
    }
    out.push_str("</footer>\n");
}

/// Control and bidirectional characters are shown, and nothing is markup.
fn html(text: &str) -> String {
    let text = escaped(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
