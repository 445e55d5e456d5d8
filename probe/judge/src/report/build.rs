//! Builds the report's struct from evidence and judgement.

use super::who::who;
use super::{Probe, Report, ReportedFinding, Restart, SCHEMA, Scope, Stage, Status, Subject, Verdict};
use crate::catalog::{Class, Owner, Topic};
use crate::evidence::{Account, Collected, Evidence, StageName, Timing};
use crate::judge;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::options::Mechanism;
use crate::sdks::EffectiveSettings;
use crate::text::rfc3339;
use crate::verdict::{self, JudgedFinding, Judgement, Tolerate};

/// The options that affect the report.
pub struct ReportOptions<'a> {
    /// `--tolerate`.
    pub tolerate: &'a Tolerate,
    /// `--report-only`.
    pub report_only: bool,
    /// How often the exchange was tried.
    pub attempts: u32,
    /// Whether an earlier attempt of this run had another result.
    pub flapped: bool,
}

/// Builds the report of a judgement.
#[must_use]
pub fn build(
    collected: Collected,
    settings: &EffectiveSettings,
    judgement: Judgement,
    options: &ReportOptions<'_>,
) -> Report {
    let Collected { evidence, seen: _, observed_at, timings } = collected;
    let exit = verdict::exit_code(&judgement, options.tolerate, options.report_only);
    let process = &evidence.process;
    Report {
        schema: SCHEMA.to_owned(),
        exit_code: exit.code,
        report_only: options.report_only,
        verdict: verdict(&judgement, &evidence, settings, exit.tolerated, options.flapped),
        stages: timings.iter().map(|timing| stage(timing, &judgement)).collect(),
        subject: Subject {
            source: process.source.clone(),
            pid: process.pid,
            uid: process.uid,
            gid: process.gid,
            groups: process.groups.clone(),
        },
        findings: judgement
            .findings
            .into_iter()
            .map(|judged| reported(judged, &evidence, settings))
            .collect(),
        attempts: options.attempts,
        mechanism: settings.requested.mechanism.id().to_owned(),
        observed_at: rfc3339(observed_at),
        probe: Probe { version: env!("CARGO_PKG_VERSION").to_owned() },
        evidence,
    }
}

/// Builds the report of a single run with nothing tolerated.
#[must_use]
pub fn build_without_options(
    collected: Collected,
    settings: &EffectiveSettings,
    judgement: Judgement,
) -> Report {
    let options =
        ReportOptions { tolerate: &Tolerate::default(), report_only: false, attempts: 1, flapped: false };
    build(collected, settings, judgement, &options)
}

fn verdict(
    judgement: &Judgement,
    evidence: &Evidence,
    settings: &EffectiveSettings,
    tolerated: bool,
    flapped: bool,
) -> Verdict {
    let deciding = judgement.deciding_finding();
    let scope = if evidence.network.is_some() { Scope::Exchange } else { Scope::Local };
    let restart = deciding.map_or(Restart::None, |finding| finding.restart);
    Verdict {
        class: judgement.class,
        code: judgement.class.code(),
        reason: judgement.class.reason().to_owned(),
        owner: judgement.owner(),
        scope,
        transient: judgement.transient(),
        recreate_pod: restart == Restart::Pod,
        tolerated,
        flapped,
        but: judgement.but(),
        summary: deciding.map_or_else(|| ready(evidence, settings, scope), |finding| finding.summary.clone()),
        who: deciding
            .and_then(|finding| finding.who.clone())
            .unwrap_or_else(|| who_acts(judgement.class, judgement.owner(), evidence, settings)),
        restart,
        steps: deciding.map(|finding| finding.steps.clone()).unwrap_or_default(),
    }
}

/// If another server answers in place of STS, security comes first.
fn who_acts(class: Class, owner: Option<Owner>, evidence: &Evidence, settings: &EffectiveSettings) -> String {
    let who = who(owner, evidence, settings);
    let stranger = class == Class::IdentityMismatch && owner == Some(Owner::Network);
    if stranger { format!("security, and {who}") } else { who }
}

fn ready(evidence: &Evidence, settings: &EffectiveSettings, scope: Scope) -> String {
    let requested = &settings.requested;
    let by_agent = requested.mechanism == Mechanism::PodIdentity;
    if scope == Scope::Local {
        let who = if by_agent { "the agent" } else { "STS" };
        return format!("local checks passed, {who} was not asked");
    }
    if by_agent {
        return judge::ready_by_agent(evidence);
    }
    let role = requested.role_arn.as_ref().map_or("", |role| role.value.as_str());
    let role = role.rsplit_once('/').map_or(role, |(_, name)| name);
    let subject = evidence.token.as_ref().and_then(|token| token.sub.as_deref()).unwrap_or("this pod");
    let subject = Account::of_subject(subject)
        .map_or_else(|| subject.to_owned(), |account| format!("{}/{}", account.namespace, account.name));
    if evidence.identity.as_ref().is_some_and(|identity| identity.arn.is_some()) {
        return format!("role {role} answers to {subject}");
    }
    let asked = evidence.identity.is_some();
    let why = if asked { "did not confirm it" } else { "was not asked" };
    format!("role {role} was issued to {subject}, GetCallerIdentity {why}")
}

fn reported(judged: JudgedFinding, evidence: &Evidence, settings: &EffectiveSettings) -> ReportedFinding {
    let JudgedFinding { finding, explained_by } = judged;
    let Finding {
        class,
        owner,
        severity,
        transient,
        restart,
        expectation,
        about: _,
        explains_nothing: _,
        summary,
        presented,
        required,
        ruled_out,
        why,
        who: people,
        steps,
    } = finding;
    ReportedFinding {
        class,
        code: class.code(),
        owner,
        severity,
        transient,
        expectation,
        explained_by,
        summary,
        presented,
        required,
        ruled_out,
        why,
        who: people.unwrap_or_else(|| who_acts(class, owner, evidence, settings)),
        restart,
        steps,
    }
}

fn stage(timing: &Timing, judgement: &Judgement) -> Stage {
    let mut worst = Status::Passed;
    for judged in &judgement.findings {
        if stage_of(&judged.finding) != Some(timing.stage) {
            continue;
        }
        match judged.finding.severity {
            Severity::Error => worst = Status::Failed,
            Severity::Warning if worst == Status::Passed => worst = Status::Warned,
            Severity::Warning | Severity::Info => {}
        }
    }
    let reached = timing.skipped_because.is_none();
    Stage {
        stage: timing.stage,
        status: if reached { worst } else { Status::Skipped },
        took_ms: timing.took_ms,
        skipped_because: timing.skipped_because.clone(),
    }
}

/// The class's own stage, except for a stated role that no answer confirmed.
fn stage_of(finding: &Finding) -> Option<StageName> {
    if finding.about == Some(Topic::Cluster) {
        return Some(StageName::Cluster);
    }
    if finding.class == Class::Inconclusive && finding.expectation == Basis::Explicit {
        let is_access = finding.about == Some(Topic::Access);
        return Some(if is_access { StageName::Access } else { StageName::Identity });
    }
    finding.class.info().stage
}
