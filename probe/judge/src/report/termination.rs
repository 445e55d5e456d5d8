//! The termination message: what is wrong, who acts, what comes next, in three lines of at most 400 bytes in total.
//! Kubernetes limits it to 12,288 bytes over the pod's containers (kubelet `status_manager.go`). `kubectl get` shows it.

use super::{Report, text};
use crate::catalog::Class;
use crate::text::shown::prose;
use crate::text::truncate;

const LIMIT: usize = 400;

/// Three lines, or one for a plain `ready`.
#[must_use]
pub fn lines(report: &Report) -> String {
    let first = prose(&text::first_line(report));
    let finding = report.told();
    let told = finding.map_or(report.verdict.class, |finding| finding.class);
    if told == Class::Ready {
        return cut(first, LIMIT);
    }
    let who = finding.map_or(report.verdict.who.as_str(), |finding| finding.who.as_str());
    let pod = report.evidence.process.pod_name.as_deref().unwrap_or("POD");
    let next = prose(&format!(
        "next: {}. Details: kubectl logs {} -c credprobe, credprobe explain {}",
        text::restart_in_short(report, finding.map_or(report.verdict.restart, |finding| finding.restart)),
        cut(pod.to_owned(), 63),
        told.code()
    ));
    let who = cut(format!("who: {}", prose(who)), 120);
    let room = LIMIT.saturating_sub(who.len() + next.len() + 2);
    format!("{}\n{who}\n{next}", cut(first, room))
}

fn cut(mut text: String, limit: usize) -> String {
    truncate(&mut text, limit);
    text
}
