//! Decides which finding counts and the exit code. Pure: findings in, judgement out; no clock.
//! The judges make findings; the reports word them.

#[cfg(test)]
mod combinations;
#[cfg(test)]
mod properties;
pub mod retry_policy;
mod tolerate;

use crate::catalog::{Attribute, Class, Condition, Owner, Topic};
use crate::evidence::Evidence;
use crate::judge;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::judge::role_access;
use crate::sdks::EffectiveSettings;
pub use tolerate::Tolerate;

use serde::Serialize;

/// What a verdict depends on besides the findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Situation {
    /// Credentials of the required role were issued.
    pub issued: bool,
    /// `--deny-warnings`: without an error, the first warning decides.
    pub deny_warnings: bool,
    /// `--sts-compatible`: one refusal can have any cause.
    pub compatible: bool,
}

/// The findings and how they relate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Judgement {
    /// The class of the deciding finding, else `ready`.
    pub class: Class,
    /// The position of the deciding finding in `findings`.
    pub deciding: Option<usize>,
    /// Errors, then warnings, then what others explain ("also seen"), then notes. Each group is in table order, with
    /// `inconclusive` last. So the deciding finding comes first.
    pub findings: Vec<JudgedFinding>,
}

/// A finding with its final severity and what explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JudgedFinding {
    /// The finding.
    pub finding: Finding,
    /// The class that explains it, so that it is only "also seen".
    pub explained_by: Option<Class>,
}

/// How the process exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The exit code.
    pub code: u8,
    /// `--tolerate` covers the verdict. The report says so and is otherwise unchanged.
    pub tolerated: bool,
}

/// Runs all judges once over the evidence and decides. `observed_at` is the clock, in seconds since the epoch.
#[must_use]
pub fn judge_evidence(evidence: &Evidence, settings: &EffectiveSettings, observed_at: i64) -> Judgement {
    let mut findings = judge::findings(evidence, settings, observed_at);
    // What the role may do only matters once its credentials are ready.
    if role_access::is_stated(evidence, settings) && are_ready(evidence, findings.clone()) {
        findings.extend(role_access::findings(evidence, settings, observed_at));
    }
    weigh(evidence, findings)
}

/// Whether the credentials are ready by what was seen so far, ignoring warnings. Then the stated access is checked.
#[must_use]
pub fn ready_so_far(evidence: &Evidence, settings: &EffectiveSettings, observed_at: i64) -> bool {
    judge::issued(evidence) && are_ready(evidence, judge::findings(evidence, settings, observed_at))
}

fn are_ready(evidence: &Evidence, findings: Vec<Finding>) -> bool {
    let situation = Situation { deny_warnings: false, ..situation(evidence) };
    decide(findings, &situation).class == Class::Ready
}

/// Decides with findings that were made already.
#[must_use]
pub fn weigh(evidence: &Evidence, findings: Vec<Finding>) -> Judgement {
    decide(findings, &situation(evidence))
}

fn situation(evidence: &Evidence) -> Situation {
    let options = &evidence.environment.options;
    Situation {
        issued: judge::issued(evidence),
        deny_warnings: options.deny_warnings,
        compatible: options.sts_compatible,
    }
}

/// Decides by four rules (rules-of-the-verdict.md, “Which finding decides”). The order of the findings does not matter.
#[must_use]
pub fn decide(mut findings: Vec<Finding>, situation: &Situation) -> Judgement {
    for finding in &mut findings {
        finding.severity = severity_in(situation, finding);
    }
    let explained = explain(&mut findings, situation);

    let mut findings: Vec<JudgedFinding> = findings
        .into_iter()
        .zip(explained)
        .map(|(finding, explained_by)| JudgedFinding { finding, explained_by })
        .collect();
    findings.sort_by(|one, other| one.place().cmp(&other.place()));

    let deciding = findings.iter().position(|it| match it.finding.severity {
        Severity::Error => it.explained_by.is_none(),
        Severity::Warning => it.explained_by.is_none() && situation.deny_warnings,
        Severity::Info => false,
    });
    let class = deciding.map_or(Class::Ready, |index| findings[index].finding.class);
    Judgement { class, deciding, findings }
}

/// The exit code of a judgement, with what the user tolerates.
#[must_use]
pub fn exit_code(judgement: &Judgement, tolerate: &Tolerate, report_only: bool) -> Exit {
    let tolerated = judgement.class != Class::Ready
        && tolerate.covers(judgement.class, judgement.owner(), judgement.transient());
    let code = if tolerated || report_only { 0 } else { judgement.class.code() };
    Exit { code, tolerated }
}

/// Rule (a): once credentials of the required role were issued, a guess blocks no pod.
fn severity_in(situation: &Situation, finding: &Finding) -> Severity {
    // Good news never counts against a pod.
    if finding.class == Class::Ready {
        return Severity::Info;
    }
    let stands = finding.expectation == Basis::Explicit || finding.class.has(Attribute::StandsOnceIssued);
    match finding.severity {
        Severity::Error if situation.issued && !stands => Severity::Warning,
        severity => severity,
    }
}

/// Rule (b): the class that explains each finding. An explainer gets at least the severity of what it explains, and so does what
/// explains the explainer. A warning promotes nothing, because that would undo rule (a).
fn explain(findings: &mut [Finding], situation: &Situation) -> Vec<Option<Class>> {
    loop {
        let explained: Vec<Option<Class>> =
            findings.iter().map(|finding| explainer(finding, findings, situation)).collect();
        let promoted: Vec<bool> = findings
            .iter()
            .map(|by| {
                let named = |(finding, class): (&Finding, &Option<Class>)| {
                    *class == Some(by.class)
                        && finding.severity == Severity::Error
                        && explains(by, finding, situation)
                };
                by.severity == Severity::Warning && findings.iter().zip(&explained).any(named)
            })
            .collect();
        // Each round promotes a finding, so there are at most as many rounds as findings.
        if !promoted.contains(&true) {
            return explained;
        }
        for (finding, promoted) in findings.iter_mut().zip(promoted) {
            if promoted {
                finding.severity = Severity::Error;
            }
        }
    }
}

/// The first class of the table that explains the finding and was itself found.
fn explainer(finding: &Finding, all: &[Finding], situation: &Situation) -> Option<Class> {
    if finding.severity == Severity::Info {
        return None;
    }
    all.iter().filter(|by| explains(by, finding, situation)).map(|by| by.class).min()
}

/// Whether the table says so, and its condition holds.
fn explains(by: &Finding, finding: &Finding, situation: &Situation) -> bool {
    let Some(row) = by.class.explains(finding.class) else { return false };
    if finding.about == Some(Topic::Cluster) || by.about == Some(Topic::Cluster) {
        return false;
    }
    let holds = match row.condition {
        Condition::Always => true,
        Condition::AboutTime => finding.about == Some(Topic::Time),
        Condition::AsError => by.severity == Severity::Error,
        Condition::By(topic) => by.about == Some(topic),
        Condition::Compatible => situation.compatible,
    };
    holds && by.severity != Severity::Info && !by.explains_nothing
}

/// The groups of a report, in order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Error,
    Warning,
    AlsoSeen,
    Note,
}

impl JudgedFinding {
    /// Rules (c) and (d) as a sort key: group, `inconclusive` last, table order, stated before guessed. The rest makes the
    /// order total.
    fn place(&self) -> (Group, bool, Class, Basis, &Finding) {
        let group = match (self.explained_by, self.finding.severity) {
            (Some(_), _) => Group::AlsoSeen,
            (None, Severity::Error) => Group::Error,
            (None, Severity::Warning) => Group::Warning,
            (None, Severity::Info) => Group::Note,
        };
        let class = self.finding.class;
        let last = class == Class::Inconclusive;
        (group, last, class, self.finding.expectation, &self.finding)
    }
}

impl Judgement {
    /// The finding that decided; `None` for `ready`.
    #[must_use]
    pub fn deciding_finding(&self) -> Option<&Finding> {
        let judged = self.findings.get(self.deciding?)?;
        Some(&judged.finding)
    }

    /// Who repairs it; `None` for `ready`.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.deciding_finding()?.owner
    }

    /// Whether waiting may heal it.
    #[must_use]
    pub fn transient(&self) -> bool {
        self.deciding_finding().is_some_and(|finding| finding.transient)
    }

    /// For `ready`: the class of the first warning that nothing explains.
    #[must_use]
    pub fn but(&self) -> Option<Class> {
        let bites =
            |it: &&JudgedFinding| it.explained_by.is_none() && it.finding.severity == Severity::Warning;
        let warning = self.findings.iter().find(bites).filter(|_| self.class == Class::Ready);
        warning.map(|it| it.finding.class)
    }
}
