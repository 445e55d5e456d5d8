//! The page of `serve`: the verdict, who acts, the chain of stages, the steps, times until expiry, the last verdicts.
//! The sentences are those of the text report. Everything from outside is escaped here.

use super::text::{both_sides, first_line, is_news, restart_words, sentences};
use super::{Report, ReportedFinding, Scope, Stage, Status, Told};
use crate::catalog::{Class, Owner};
use crate::judge::finding::Severity;
use crate::steps::Step;
use crate::steps::script::numbered;
use crate::text::rfc3339;
use crate::text::shown::escaped;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

/// The page's one style sheet.
pub const STYLE: &str = include_str!("page.css");
/// The page's one script. It copies commands and reloads the page.
pub const SCRIPT: &str = include_str!("page.js");
/// Seconds between two reloads if no script runs. The script has the same interval.
const REFRESH: u32 = 15;

/// What the page shows.
pub struct Content<'a> {
    /// The verdict in force; `None`: there is none yet.
    pub report: Option<&'a Report>,
    /// The newest judgement, for the times of the token.
    pub newest: Option<&'a Report>,
    /// The last judgement that includes an exchange, for the time of the session.
    pub exchanged: Option<&'a Report>,
    /// Whether `/readyz` says that the pod is ready.
    pub ready: bool,
    /// The text of `/readyz`.
    pub because: &'a str,
    /// Oldest first.
    pub history: &'a VecDeque<PastVerdict>,
    /// Since when the verdict has not changed, in seconds since the epoch.
    pub since: Option<i64>,
    /// When the next exchange is due, in seconds since the epoch.
    pub next_exchange: Option<i64>,
    /// The current time, in seconds since the epoch.
    pub now: i64,
}

/// A past verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastVerdict {
    /// When it was made, in seconds since the epoch.
    pub at: i64,
    /// The verdict in ids.
    pub told: Told,
    /// Whether it is ready, or tolerated.
    pub passes: bool,
}

/// The whole page.
#[must_use]
pub fn render(content: &Content<'_>) -> String {
    // Before the first verdict, or if the probe is switched off, there is only a reason.
    let (title, heading) = content.report.map_or_else(
        || (html(content.because), html(content.because)),
        |report| (html(&title(report)), html(&first_line(report))),
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - credprobe</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <noscript><meta http-equiv=\"refresh\" content=\"{REFRESH}\"></noscript>\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\n<body>\n"
    );
    header(&mut out, content, &heading);
    if let Some(report) = content.report {
        chain(&mut out, report);
        let told = report.told();
        let mut number = 0;
        if let Some(finding) = told {
            out.push_str("<h2>Why, and what to do</h2>\n");
            // The header already says who acts.
            rows(&mut out, report, finding, "", &finding.steps, number);
            steps(&mut out, finding, &mut number);
        }
        let others = report.findings.iter().filter(|it| !told.is_some_and(|told| std::ptr::eq(told, *it)));
        others_seen(&mut out, report, others, &mut number);
    }
    times(&mut out, content);
    history(&mut out, content);
    footer(&mut out, content);
    let _ = writeln!(out, "<script>{SCRIPT}</script></body></html>");
    out
}

/// The tab title, which distinguishes tabs: pod, verdict, role.
fn title(report: &Report) -> String {
    let parts = [
        place(report),
        Some(report.in_ids().to_string()),
        role(report).map(|it| format!("role {}", name(it))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `namespace/pod`, as far as it is known.
fn place(report: &Report) -> Option<String> {
    let process = &report.evidence.process;
    match (process.namespace(), process.pod()) {
        (Some(namespace), Some(pod)) => Some(format!("{namespace}/{pod}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// The requested role, else the role that answered, else the expected role.
fn role(report: &Report) -> Option<&str> {
    let environment = &report.evidence.environment;
    let profile = || environment.profile.as_ref()?.settings.get("role_arn").map(String::as_str);
    let answered = || report.evidence.identity.as_ref()?.arn.as_deref();
    let stated = environment.options.role_arn.as_deref().or_else(|| environment.get("AWS_ROLE_ARN"));
    stated.or_else(profile).or_else(answered).or(environment.options.expect_role.as_deref())
}

/// The name in `arn:aws:iam::1:role/path/name` and `arn:aws:sts::1:assumed-role/name/session`.
fn name(arn: &str) -> &str {
    let session = arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    session.or_else(|| arn.rsplit('/').next()).unwrap_or(arn)
}

fn header(out: &mut String, content: &Content<'_>, heading: &str) {
    let told = content.report.map(Report::in_ids);
    let tone = match (told, content.ready) {
        (Some(told), true) => tone(told, true),
        (None, true) => "warn",
        (_, false) => "bad",
    };
    let _ = writeln!(out, "<header class=\"{tone}\">");
    if let Some(report) = content.report {
        let role_of = |arn: &str| format!("role <b title=\"{}\">{}</b>", html(arn), html(name(arn)));
        let place = place(report).map(|it| format!("pod <b>{}</b>", html(&it)));
        let node = report.evidence.process.node_name.as_ref().map(|it| format!("node {}", html(it)));
        let account = report.evidence.token.as_ref().and_then(|it| it.service_account.as_ref());
        let account = account.map(|it| format!("service account {}", html(it)));
        let parts: Vec<_> = [place, role(report).map(role_of), account, node].into_iter().flatten().collect();
        let _ = writeln!(out, "<p class=\"soft\">{}</p>", parts.join(" \u{b7} "));
    }
    let _ = writeln!(out, "<h1>{heading}</h1>");
    if let Some((report, owner)) = content.report.and_then(|it| Some((it, it.in_ids().owner?))) {
        let who = report.told().map_or(report.verdict.who.as_str(), |it| it.who.as_str());
        let _ = writeln!(out, "<p>{} {}</p>", badge(owner), html(who));
    }
    let _ = writeln!(out, "<p class=\"soft\">{}</p></header>", html(&standing(content)));
}

/// Green only if nothing will go wrong.
fn tone(told: Told, passes: bool) -> &'static str {
    match (told.class, told.but, passes) {
        (Class::Ready, None, _) => "good",
        (_, _, true) => "warn",
        (_, _, false) => "bad",
    }
}

fn badge(owner: Owner) -> String {
    format!("<span class=\"badge\">{}</span>", owner.id())
}

/// Says whether the pod is ready, since when the verdict has not changed, and when it may change.
fn standing(content: &Content<'_>) -> String {
    let ready = if content.ready { "ready" } else { "not ready" };
    let mut said = format!("The pod is {ready}");
    // What goes beyond the verdict itself: held, tolerated, too old.
    let ids = content.report.map(|report| report.in_ids().to_string()).unwrap_or_default();
    let more = content.because.strip_prefix(&ids).unwrap_or(content.because);
    let more = more.trim_start_matches([',', ':', ' ']);
    if !more.is_empty() {
        let _ = write!(said, ": {more}");
    }
    said.push('.');
    if let Some(since) = content.since {
        let _ =
            write!(said, " This verdict since {}{}.", moment(since, content.now), ago(content.now - since));
    }
    if let Some(due) = content.next_exchange {
        let left = due.saturating_sub(content.now);
        if left > 0 {
            let _ = write!(said, " Next exchange at {}, in {}.", moment(due, content.now), duration(left));
        } else {
            said.push_str(" The next exchange is under way.");
        }
    }
    said
}

fn ago(seconds: i64) -> String {
    if seconds > 0 { format!(", for {}", duration(seconds)) } else { String::new() }
}

/// `22:31:05Z`, with the date if it is not today.
fn moment(at: i64, now: i64) -> String {
    let (at, now) = (rfc3339(at), rfc3339(now));
    match (at.split_once('T'), now.split_once('T')) {
        (Some((day, time)), Some((today, _))) if day == today => time.to_owned(),
        (Some((day, time)), _) => format!("{day} {time}"),
        (None, _) => at,
    }
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

/// The class in the style sheet, a mark for readers who cannot see colours, and the words.
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

fn rows(
    out: &mut String,
    report: &Report,
    finding: &ReportedFinding,
    who: &str,
    shown: &[Step],
    number: usize,
) {
    let (restart, why) = (restart_words(report, finding, shown, number), sentences(finding));
    let rows = [("who", who), ("restart", &restart), ("why", &why)];
    out.push_str("<dl>");
    for (term, text) in rows.into_iter().chain(both_sides(finding)).filter(|(_, text)| !text.is_empty()) {
        let class = if matches!(term, "has" | "needs") { " class=\"side\"" } else { "" };
        let _ = write!(out, "<dt>{term}</dt><dd{class}>{}</dd>", html(text));
    }
    out.push_str("</dl>\n");
}

fn steps(out: &mut String, finding: &ReportedFinding, number: &mut usize) {
    for step in numbered(&finding.steps, number) {
        let class = if step.begins { "step" } else { "step or" };
        let _ = write!(out, "<div class=\"{class}\"><b>{}.</b><div><p>{}</p>", step.label, html(&step.said));
        if let Some(run) = step.run {
            let _ = write!(
                out,
                "<div class=\"run\"><pre>{}</pre><button type=\"button\" hidden>Copy</button></div>",
                html(run)
            );
        }
        out.push_str("</div></div>\n");
    }
}

/// Shows further independent findings in full, and explained ones in one line each.
fn others_seen<'r>(
    out: &mut String,
    report: &Report,
    findings: impl Iterator<Item = &'r ReportedFinding>,
    number: &mut usize,
) {
    let mut findings = findings.peekable();
    if findings.peek().is_some() {
        let _ = writeln!(out, "<h2>Also seen</h2>");
    }
    for other in findings {
        let severity = match (other.explained_by, other.severity) {
            (Some(by), _) => format!("follows from {}", by.id()),
            (None, Severity::Error) => "error".to_owned(),
            (None, Severity::Warning) => "warning".to_owned(),
            (None, Severity::Info) => "note".to_owned(),
        };
        let (id, code, summary) = (other.class.id(), other.code, html(&other.summary));
        let badge = other.owner.filter(|_| is_news(other)).map(badge).unwrap_or_default();
        let _ = writeln!(out, "<details><summary>{badge} {id} {code}, {severity}: {summary}</summary>");
        let shown = if is_news(other) { other.steps.as_slice() } else { &[] };
        rows(out, report, other, &other.who, shown, *number);
        if is_news(other) {
            steps(out, other, number);
        }
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

/// A duration, in minutes if seconds do not matter.
fn duration(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let shown = if seconds < 600 { seconds } else { seconds - seconds % 60 };
    humantime::format_duration(Duration::from_secs(shown)).to_string()
}

fn history(out: &mut String, content: &Content<'_>) {
    let past: Vec<&PastVerdict> = content.history.iter().rev().collect();
    if past.is_empty() {
        return;
    }
    out.push_str("<h2>Last verdicts, newest first</h2>\n<ol class=\"history\">\n");
    for same in past.chunk_by(|one, next| (one.told, one.passes) == (next.told, next.passes)) {
        let (Some(newest), Some(oldest)) = (same.first(), same.last()) else { continue };
        let when = |at: i64| format!("<time datetime=\"{}\">{}</time>", rfc3339(at), moment(at, content.now));
        let (times, until) = match same.len() {
            1 => (String::new(), String::new()),
            count => (format!(", {count} times"), format!(" to {}", when(newest.at))),
        };
        let owner = newest.told.owner.map(badge).unwrap_or_default();
        let tone = tone(newest.told, newest.passes);
        let _ = writeln!(
            out,
            "<li class=\"{tone}\">{}{until} <b>{}</b>{times} {owner}</li>",
            when(oldest.at),
            newest.told
        );
    }
    out.push_str("</ol>\n");
}

fn footer(out: &mut String, content: &Content<'_>) {
    out.push_str(
        "<footer><p id=\"paused\" hidden>The page waits while text is selected or a detail is open.</p>",
    );
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

/// Escapes markup, and makes control and bidirectional characters visible.
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
