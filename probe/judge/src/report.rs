//! The report: one struct, rendered as text, as JSON and as a termination message.
//! Decides nothing; says what `verdict` decided.

mod build;
pub mod page;
pub mod rejudge;
pub mod termination;
pub mod text;
pub mod trust_policy;

use crate::catalog::{Class, Owner};
use crate::evidence::{Evidence, StageName};
use crate::judge::finding::{Expectation, Severity};
use serde::{Deserialize, Serialize};

pub use build::{Options, build, local};

/// The version of the JSON document: fields are added under it, never changed or removed.
pub const SCHEMA: &str = "credprobe/report/v1";

/// Everything one run has to say (contract: JSON report).
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// `credprobe/report/v1`.
    pub schema: String,
    /// What the process exits with: the class's code, or 0 where it is tolerated or only reported.
    pub exit_code: u8,
    pub report_only: bool,
    pub verdict: Verdict,
    /// The deciding one first.
    pub findings: Vec<ReportedFinding>,
    /// All six, in the order of the chain.
    pub stages: Vec<Stage>,
    pub subject: Subject,
    pub evidence: Evidence,
    /// How often the exchange was tried.
    pub attempts: u32,
    /// `irsa`, `pod-identity`, `none`.
    pub mechanism: String,
    /// RFC 3339; the clock of every judgement in here.
    pub observed_at: String,
    pub probe: Probe,
}

/// The one class that decides.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    pub class: Class,
    pub code: u8,
    /// The class in CamelCase, as a Kubernetes condition has it.
    pub reason: String,
    /// `null` for `ready`.
    pub owner: Option<Owner>,
    pub scope: Scope,
    pub transient: bool,
    /// Restarting the container heals nothing; the pod must be made anew.
    pub recreate_pod: bool,
    pub tolerated: bool,
    /// An earlier attempt of this run came out otherwise.
    pub flapped: bool,
    pub summary: String,
    pub fix: Vec<String>,
    /// The class's page.
    pub docs: String,
}

/// How far the verdict reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// STS was asked.
    Exchange,
    /// It was not.
    Local,
}

/// One finding with its place in the verdict.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReportedFinding {
    pub class: Class,
    pub code: u8,
    pub owner: Option<Owner>,
    pub severity: Severity,
    pub transient: bool,
    pub expectation: Expectation,
    /// The class that causes this one.
    pub explained_by: Option<Class>,
    pub summary: String,
    pub presented: String,
    pub required: String,
    pub ruled_out: Vec<String>,
    pub confirm: Vec<String>,
    pub fix: Vec<String>,
}

/// One row of the table of stages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stage {
    pub stage: StageName,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
}

/// How a stage came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Passed,
    Failed,
    Warned,
    Skipped,
}

/// Who was judged.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subject {
    /// `self`, `as-uid`, `target-pid`.
    pub source: String,
    pub pid: u32,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

/// Who judged.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Probe {
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make docs` writes it.
    #[test]
    fn the_json_schema_is_current() {
        let schema = schemars::schema_for!(Report);
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        crate::generated::check("report.schema.json", &schema);
    }
}
