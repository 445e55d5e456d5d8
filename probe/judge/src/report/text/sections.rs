//! The sentences of a report that several surfaces share: the first line, restart, why.
//! How they are laid out, the text’s own file says.

use crate::catalog::{Class, Owner};
use crate::report::{Report, ReportedFinding, Restart};
use crate::steps::script::fitted;
use crate::text::plain;

/// `class code: sentence`; for a loss behind a success, what it is.
pub(in crate::report) fn first_line(report: &Report) -> String {
    let verdict = &report.verdict;
    match report.told().filter(|_| verdict.class == Class::Ready) {
        Some(finding) => fitted("ready 0, but", &finding.summary),
        None => fitted(&format!("{} {}:", verdict.class.id(), verdict.code), &verdict.summary),
    }
}

/// What must be started again before the repair is seen.
pub(in crate::report) fn restart_words(report: &Report, finding: &ReportedFinding) -> String {
    match finding.restart {
        Restart::Pod => {
            let reason = finding.class.info().restart;
            if reason.is_empty() { "new pod".to_owned() } else { format!("new pod: {reason}") }
        }
        Restart::Container => "new container".to_owned(),
        // A pod that starts again hands its token to the same stranger, and takes the traces away.
        Restart::None
            if finding.class == Class::IdentityMismatch && finding.owner == Some(Owner::Network) =>
        {
            "no, not until it is understood".to_owned()
        }
        Restart::None if tries_again(report) => {
            "not needed: the next try passes, after 5 minutes at most".to_owned()
        }
        Restart::None => "not needed: run credprobe again".to_owned(),
    }
}

/// The kubelet starts an init container or a sidecar again, with a back-off of at most 5 minutes; nobody starts a debug
/// container or a program on a laptop again.
fn tries_again(report: &Report) -> bool {
    let process = &report.evidence.process;
    process.source == "self" && process.namespace().is_some()
}

/// The same in a few words, for a line that says what comes next.
pub(in crate::report) fn restart_in_short(report: &Report, restart: Restart) -> &'static str {
    match restart {
        Restart::Pod => "a new pod is needed",
        Restart::Container => "a new container is needed",
        Restart::None if tries_again(report) => "no restart needed",
        Restart::None => "run credprobe again",
    }
}

/// Presented, required and ruled out, as the judge wrote it or woven.
pub(in crate::report) fn sentences(finding: &ReportedFinding) -> String {
    if !finding.why.is_empty() {
        return finding.why.clone();
    }
    let mut out = Vec::new();
    for (label, text) in [("Presented", &finding.presented), ("Required", &finding.required)] {
        if !text.is_empty() {
            out.push(format!("{label}: {}.", plain(text.trim_end_matches('.'))));
        }
    }
    if !finding.ruled_out.is_empty() {
        out.push(format!("Ruled out: {}.", plain(finding.ruled_out.join(", ").trim_end_matches('.'))));
    }
    out.join(" ")
}

/// Both values under each other, where they differ by a character or two and an eye would not see it.
pub(in crate::report) fn both_sides(finding: &ReportedFinding) -> Vec<(&'static str, &str)> {
    let (presented, required) = (finding.presented.as_str(), finding.required.as_str());
    let one_word = |text: &str| text.len() >= 8 && !text.contains(' ');
    let alike = one_word(presented) && one_word(required) && differ_little(presented, required);
    if alike { vec![("has", presented), ("needs", required)] } else { Vec::new() }
}

/// At most three characters between a common beginning and a common end.
fn differ_little(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let shorter = one.len().min(other.len());
    let head = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let tail =
        one.iter().rev().zip(other.iter().rev()).take(shorter - head).take_while(|(a, b)| a == b).count();
    one != other && one.len().max(other.len()) - head - tail <= 3
}
