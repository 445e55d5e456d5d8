//! The sentences of a report that several outputs share: the first line, restart, why.
//! `text` decides their layout.

use crate::catalog::{Class, Owner};
use crate::report::{Report, ReportedFinding, Restart};
use crate::steps::Step;
use crate::steps::script::{Numbered, fitted, numbered, sentence};
use crate::text::{differ_little, plain};

/// `class code: sentence`. If the verdict is `ready` with a warning, the warning.
pub(in crate::report) fn first_line(report: &Report) -> String {
    let verdict = &report.verdict;
    match report.told().filter(|_| verdict.class == Class::Ready) {
        Some(finding) => fitted("ready 0, but", &finding.summary),
        None => fitted(&format!("{} {}:", verdict.class.id(), verdict.code), &verdict.summary),
    }
}

/// What must be started again before the repair is seen. `steps` are those that are shown, behind `number` others.
pub(in crate::report) fn restart_words(
    report: &Report,
    finding: &ReportedFinding,
    steps: &[Step],
    mut number: usize,
) -> String {
    let makes_pods = |step: &Numbered<'_>| {
        step.said.contains("new pods")
            || step.run.is_some_and(|run| {
                ["kubectl rollout restart", "kubectl set ", "kubectl patch"]
                    .iter()
                    .any(|change| run.starts_with(change))
            })
    };
    let steps: Vec<String> = numbered(steps, &mut number)
        .iter()
        .filter(|step| makes_pods(step))
        .map(|step| step.label.clone())
        .collect();
    match finding.restart {
        // One of several repairs needs it.
        Restart::None if !steps.is_empty() => {
            let (word, verb) = if steps.len() == 1 { ("step", "needs") } else { ("steps", "need") };
            let rest =
                if tries_again(report) { "else the next try passes" } else { "else run credprobe again" };
            let is_alternative = |label: &String| label.ends_with(|last: char| last.is_ascii_lowercase());
            let named = steps.join(" and ");
            if steps.iter().all(is_alternative) {
                format!("new pod: {word} {named} {verb} it, {rest}")
            } else {
                format!("new pod: {word} {named} {verb} it")
            }
        }
        Restart::Pod => {
            let reason = finding.class.info().restart;
            if reason.is_empty() { "new pod".to_owned() } else { format!("new pod: {reason}") }
        }
        Restart::Container => "new container".to_owned(),
        // A restarted pod would give its token to the same unknown server, and would remove the traces.
        Restart::None
            if finding.class == Class::IdentityMismatch && finding.owner == Some(Owner::Network) =>
        {
            "no, not until it is understood".to_owned()
        }
        // Nobody can promise that AWS has recovered by then.
        Restart::None if finding.who == Owner::Aws.people() && tries_again(report) => {
            "not needed: credprobe tries again".to_owned()
        }
        Restart::None if tries_again(report) => {
            "not needed: the next try passes, after 5 minutes at most".to_owned()
        }
        Restart::None => "not needed: run credprobe again".to_owned(),
    }
}

/// The kubelet restarts an init container or a sidecar with a back-off of at most 5 minutes. Nothing restarts a debug container
/// or a program on a laptop.
fn tries_again(report: &Report) -> bool {
    let process = &report.evidence.process;
    process.source == "self" && process.namespace().is_some() && report.evidence.target.is_none()
}

/// The restart in a few words, for a line that says what comes next.
pub(in crate::report) fn restart_in_short(report: &Report, restart: Restart) -> &'static str {
    match restart {
        Restart::Pod => "a new pod is needed",
        Restart::Container => "a new container is needed",
        Restart::None if tries_again(report) => "no restart needed",
        Restart::None => "run credprobe again",
    }
}

/// Presented, required and ruled out: in the judge's own words, or joined to sentences.
pub(in crate::report) fn sentences(finding: &ReportedFinding) -> String {
    if !finding.why.is_empty() {
        return sentence(&finding.why);
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

/// Both values below each other, if they differ by a character or two that a reader would miss.
pub(in crate::report) fn both_sides(finding: &ReportedFinding) -> Vec<(&'static str, &str)> {
    let (presented, required) = (finding.presented.as_str(), finding.required.as_str());
    if differ_little(presented, required) {
        vec![("has", presented), ("needs", required)]
    } else {
        Vec::new()
    }
}
