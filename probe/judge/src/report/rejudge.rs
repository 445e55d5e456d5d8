//! A saved report judged again: its evidence, its clock, its flags, today's rules. No pod, no network.

use crate::evidence::{Collected, Timing};
use crate::report::{Report, ReportOptions, SCHEMA};
use crate::text::{self, shown};
use crate::verdict::Tolerate;

/// Judges the evidence of a JSON report.
///
/// # Errors
/// Not a report of this schema; says what is missing.
pub fn rejudge(document: &[u8]) -> Result<Report, String> {
    // Whoever wrote it, it may hold what a run would not have kept.
    let document = String::from_utf8_lossy(document);
    let document = shown::document(&document);
    let saved: Report =
        serde_json::from_slice(document.as_bytes()).map_err(|error| format!("this is no report: {error}"))?;
    if saved.schema != SCHEMA {
        return Err(format!("its schema is `{}`; this version reads {SCHEMA}", saved.schema));
    }
    let observed_at = text::parse_rfc3339(&saved.observed_at)
        .ok_or_else(|| format!("observed_at is `{}`, not RFC 3339", saved.observed_at))?;
    let timings: Vec<Timing> = saved
        .stages
        .iter()
        .map(|stage| Timing {
            stage: stage.stage,
            took_ms: stage.took_ms,
            skipped_because: stage.skipped_because.clone(),
        })
        .collect();
    let stated = &saved.evidence.environment.options;
    let tolerate = Tolerate::parse(stated.tolerate.as_deref().unwrap_or_default())?;
    let options = ReportOptions {
        tolerate: &tolerate,
        report_only: saved.report_only,
        attempts: saved.attempts,
        flapped: saved.verdict.flapped,
    };
    Ok(crate::assess(Collected { evidence: saved.evidence, seen: true, observed_at, timings }, &options))
}
