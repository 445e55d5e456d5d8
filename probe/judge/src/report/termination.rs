//! The termination message: one line of at most 1,024 bytes, code and cause first.
//! Kubernetes cuts a message to 12,288 bytes over the pod's containers, twelve of them leave 1,024 (kubelet `status_manager.go`).

use super::{Report, lines};
use crate::judge::step::Heading;
use crate::text::shown::escaped;
use crate::text::truncate;

const LIMIT: usize = 1_024;

/// `class (code): summary; fix`.
#[must_use]
pub fn line(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut line = format!("{} ({}): {}", verdict.class.id(), verdict.code, verdict.summary);
    for fix in lines(&verdict.steps, Heading::Fix) {
        line.push_str("; ");
        line.push_str(fix.strip_prefix("# ").unwrap_or(&fix));
    }
    let mut line = escaped(&line);
    truncate(&mut line, LIMIT);
    line
}
