//! Repeats attempts until the verdict is final or the time is up, with pauses, a progress line for each attempt, and signals.
//! `retry_policy` says whether to try again; `collect::observer` makes one attempt.

use crate::collect::observer::Observer;
use crate::commands::cli::Check;
use crate::process::clock::{self, Stopwatch};
use crate::process::output;
use crate::process::signals::Interrupt;
use credprobe_judge::report::{Report, ReportOptions};
use credprobe_judge::text::shown::escaped;
use credprobe_judge::verdict::retry_policy::start_delay;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

/// Returns the last report; `None` if a signal came before the first one.
///
/// # Errors
/// No attempt could begin; the error is one line.
pub(crate) async fn check_with_retries(
    asked: &Check,
    interrupt: &mut Interrupt,
) -> Result<Option<Report>, String> {
    let watch = Stopwatch::start();
    let mut last = None;
    tokio::select! {
        () = interrupt.received() => {}
        ended = attempts(asked, &watch, &mut last) => ended?,
    }
    Ok(last)
}

async fn attempts(asked: &Check, watch: &Stopwatch, last: &mut Option<Report>) -> Result<(), String> {
    let observer = Observer::new(asked.whose.clone(), asked.settings.clone())?;
    let progress = Progress::new();
    if !asked.start_jitter.is_zero() && !asked.settings.no_network {
        let delay = start_delay(asked.start_jitter, clock::random());
        progress.tell(&format!("starting in {} (--start-jitter)", tenths(delay)));
        tokio::time::sleep(delay).await;
    }
    let mut flapped = false;
    for attempt in 1.. {
        let run = observer.attempt(asked.timeout).await?;
        let options = ReportOptions {
            tolerate: &asked.tolerate,
            report_only: asked.report_only,
            attempts: attempt,
            flapped,
        };
        let mut report = credprobe_judge::assess(run, &options);
        flapped |= last.as_ref().is_some_and(|last| last.verdict.class != report.verdict.class);
        report.verdict.flapped = flapped;
        let pause = asked.retry_policy.pause(&report.attempt(), watch.elapsed(), attempt, clock::random());
        let limit = asked.retry_policy.deadline(&report.attempt());
        let line = progress_line(&report, attempt, pause, limit.saturating_sub(watch.elapsed()));
        *last = Some(report);
        let Some(pause) = pause else { break };
        progress.say(&line);
        tokio::time::sleep(pause).await;
    }
    progress.end();
    Ok(())
}

fn progress_line(report: &Report, attempt: u32, pause: Option<Duration>, left: Duration) -> String {
    let verdict = &report.verdict;
    format!(
        "attempt {attempt}: {} {}: {}; next in {}, {} left",
        verdict.class.id(),
        verdict.code,
        verdict.summary,
        tenths(pause.unwrap_or_default()),
        tenths(left)
    )
}

fn tenths(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Progress: one line that is rewritten on a terminal, else log lines.
struct Progress {
    live: bool,
}

impl Progress {
    fn new() -> Self {
        Self { live: io::stderr().is_terminal() }
    }

    fn say(&self, line: &str) {
        if self.live { self.show(line) } else { tracing::warn!("{}", escaped(line)) }
    }

    /// Shows a line about normal operation.
    fn tell(&self, line: &str) {
        if self.live { self.show(line) } else { tracing::info!("{}", escaped(line)) }
    }

    fn end(&self) {
        if self.live {
            self.show("");
        }
    }

    fn show(&self, line: &str) {
        let shown: String = escaped(line).chars().take(100).collect();
        output::talk(format!("\r\u{1b}[K{shown}").into_bytes());
    }
}
