//! Which finding decides, and with which code the process ends. Pure: findings in, judgement out; no clock.
//! What is found, the judges say; how it is told, the reports say.

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
    /// The required role's credentials were issued.
    pub issued: bool,
    /// `--deny-warnings`: without an error, the first warning decides.
    pub deny_warnings: bool,
    /// `--sts-compatible`: one refusal stands for every cause.
    pub compatible: bool,
}

/// The findings, weighed against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Judgement {
    /// The class of the deciding finding, else `ready`.
    pub class: Class,
    /// Where the deciding finding stands in `findings`.
    pub deciding: Option<usize>,
    /// Errors, then warnings, then what others explain ("also seen"), then notes; each by table order,
    /// `inconclusive` after its like. So the deciding finding comes first.
    pub findings: Vec<JudgedFinding>,
}

/// A finding with its place in the whole; its severity is the final one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JudgedFinding {
    /// The finding.
    pub finding: Finding,
    /// The class that explains it: it is no news of its own, but "also seen".
    pub explained_by: Option<Class>,
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The exit code.
    pub code: u8,
    /// `--tolerate` covers the verdict; the report says so and is unchanged otherwise.
    pub tolerated: bool,
}

/// All judges once over the evidence, and what their findings come to; `observed_at` is the clock.
#[must_use]
pub fn judge_evidence(evidence: &Evidence, settings: &EffectiveSettings, observed_at: i64) -> Judgement {
    let mut findings = judge::findings(evidence, settings, observed_at);
    // What the role may do is a question only once its credentials are ready.
    if role_access::is_stated(evidence, settings) && are_ready(evidence, findings.clone()) {
        findings.extend(role_access::findings(evidence, settings, observed_at));
    }
    weigh(evidence, findings)
}

/// Whether the credentials are ready by what was seen so far, warnings aside: then what was stated of access is asked.
#[must_use]
pub fn ready_so_far(evidence: &Evidence, settings: &EffectiveSettings, observed_at: i64) -> bool {
    judge::issued(evidence) && are_ready(evidence, judge::findings(evidence, settings, observed_at))
}

fn are_ready(evidence: &Evidence, findings: Vec<Finding>) -> bool {
    let situation = Situation { deny_warnings: false, ..situation(evidence) };
    decide(findings, &situation).class == Class::Ready
}

/// The same of findings that were made already.
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

/// Weighs the findings against each other by four rules (rules-of-the-verdict.md, “Which finding decides”); their order does not matter.
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

/// The code of a judgement, given what the user lets pass.
#[must_use]
pub fn exit_code(judgement: &Judgement, tolerate: &Tolerate, report_only: bool) -> Exit {
    let tolerated = judgement.class != Class::Ready
        && tolerate.covers(judgement.class, judgement.owner(), judgement.transient());
    let code = if tolerated || report_only { 0 } else { judgement.class.code() };
    Exit { code, tolerated }
}

/// Rule (a): once the required role's credentials were issued, what was only guessed blocks nobody.
fn severity_in(situation: &Situation, finding: &Finding) -> Severity {
    // Good news is never held against a pod.
    if finding.class == Class::Ready {
        return Severity::Info;
    }
    let stands = finding.expectation == Basis::Explicit || finding.class.has(Attribute::StandsOnceIssued);
    match finding.severity {
        Severity::Error if situation.issued && !stands => Severity::Warning,
        severity => severity,
    }
}

/// Rule (b): the class that explains each finding. An explainer is at least as severe as what it explains, and so is what
/// explains the explainer; a warning promotes nothing, or rule (a) would be undone.
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
        // Each round promotes a finding, so there are no more rounds than findings.
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

/// The first class of the table that explains the finding and was seen itself.
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

/// The groups of a report, in its order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Error,
    Warning,
    AlsoSeen,
    Note,
}

impl JudgedFinding {
    /// Rules (c) and (d) as a sort key: group, `inconclusive` last, table order; what was stated before what was not;
    /// the rest makes the order total.
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
    /// The finding that decided; `None` when ready.
    #[must_use]
    pub fn deciding_finding(&self) -> Option<&Finding> {
        let judged = self.findings.get(self.deciding?)?;
        Some(&judged.finding)
    }

    /// Who repairs it; `None` when ready.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.deciding_finding()?.owner
    }

    /// Waiting may heal it.
    #[must_use]
    pub fn transient(&self) -> bool {
        self.deciding_finding().is_some_and(|finding| finding.transient)
    }

    /// Where it is `ready`: the class of the first warning that nothing explains.
    #[must_use]
    pub fn but(&self) -> Option<Class> {
        let bites =
            |it: &&JudgedFinding| it.explained_by.is_none() && it.finding.severity == Severity::Warning;
        let warning = self.findings.iter().find(bites).filter(|_| self.class == Class::Ready);
        warning.map(|it| it.finding.class)
    }
}
