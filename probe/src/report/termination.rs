//! The termination message: one line of at most 1,024 bytes, code and cause first.
//! Kubernetes cuts a message to 12,288 bytes over the pod's containers, twelve of them leave 1,024 (kubelet `status_manager.go`).
#![expect(clippy::disallowed_methods, reason = "it writes the file that kubelet made for it")]

use super::{Report, escaped};
use crate::secret::truncate;
use std::io::Write as _;
use std::path::Path;

const LIMIT: usize = 1_024;

/// `class (code): summary; fix`.
#[must_use]
pub fn line(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut line = format!("{} ({}): {}", verdict.class.id(), verdict.code, verdict.summary);
    let commands = verdict.fix.iter().map(|fix| fix.strip_prefix("# ").unwrap_or(fix));
    for fix in commands {
        line.push_str("; ");
        line.push_str(fix);
    }
    let mut line = escaped(&line);
    truncate(&mut line, LIMIT);
    line
}

/// Writes `line` where the file already exists: kubelet makes it, and outside Kubernetes there is none.
/// It is a mount point and may be written by any user; a failure changes nothing about the verdict.
pub fn write(path: &Path, line: &str) {
    let file = std::fs::File::options().write(true).truncate(true).open(path);
    if let Ok(mut file) = file {
        let _ = file.write_all(line.as_bytes());
    }
}
