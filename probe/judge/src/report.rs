//! The report: one struct, rendered as text, as JSON and as a termination message.
//! Decides nothing; `verdict` decides.

pub mod access;
mod build;
pub mod page;
pub mod rejudge;
pub mod termination;
pub mod text;
pub mod trust_policy;
mod who;

use crate::catalog::{Class, Owner};
use crate::evidence::{Evidence, StageName};
use crate::judge::finding::{Basis, Severity};
use crate::steps::Step;
use crate::text::shown;
use crate::verdict::retry_policy::Attempt;
use serde::{Deserialize, Serialize};

pub use crate::catalog::Restart;
pub use build::{ReportOptions, build, build_without_options};

/// The version of the JSON document. Within a version fields are added, but never changed or removed.
pub const SCHEMA: &str = "credprobe/report/v1";

/// Everything that one run reports.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `credprobe/report/v1`.
    pub schema: String,
    /// The exit code of the process: the class's code, or 0 if it is tolerated or only reported.
    pub exit_code: u8,
    /// `--report-only`: the process exits with 0.
    pub report_only: bool,
    /// The result.
    pub verdict: Verdict,
    /// The deciding finding comes first.
    pub findings: Vec<ReportedFinding>,
    /// The six stages in the order of the chain, then access and cluster if they were stated.
    pub stages: Vec<Stage>,
    /// Whose credentials were judged.
    pub subject: Subject,
    /// What was observed, so that it can be judged again.
    pub evidence: Evidence,
    /// How often the exchange was tried.
    pub attempts: u32,
    /// `irsa`, `pod-identity`, `none`.
    pub mechanism: String,
    /// When the run observed, in RFC 3339. All judgements in the report use this time.
    pub observed_at: String,
    /// The program that judged.
    pub probe: Probe,
}

/// The class that decides, and what follows from it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The class that decides.
    pub class: Class,
    /// The exit code of that class.
    pub code: u8,
    /// The class in CamelCase, as in a Kubernetes condition.
    pub reason: String,
    /// `null` for `ready`.
    pub owner: Option<Owner>,
    /// Whether STS was asked.
    pub scope: Scope,
    /// Waiting may heal it.
    pub transient: bool,
    /// Restarting the container does not help; the pod must be recreated. Then `restart` is `pod`.
    pub recreate_pod: bool,
    /// `--tolerate` covers it.
    pub tolerated: bool,
    /// An earlier attempt of this run had another result.
    pub flapped: bool,
    /// The verdict is `ready`, but something will fail: the class of the first warning that nothing explains.
    pub but: Option<Class>,
    /// One sentence: what is wrong.
    pub summary: String,
    /// The people who can repair it. Empty for `ready`.
    pub who: String,
    /// What must be restarted, besides what the steps restart.
    pub restart: Restart,
    /// What to do, in this order.
    pub steps: Vec<Step>,
}

/// A verdict in ids only: no account, role or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The class that decides.
    pub class: Class,
    /// For `ready`: the class that will cause a failure.
    pub but: Option<Class>,
    /// Who acts. `None` for `ready` without a warning.
    pub owner: Option<Owner>,
}

/// `ready 0, but shadowed`, `access-denied 53`.
impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.class.id(), self.class.code())?;
        self.but.map_or(Ok(()), |but| write!(f, ", but {}", but.id()))
    }
}

/// How far the run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// STS was asked.
    Exchange,
    /// STS was not asked.
    Local,
}

/// One finding and its part in the verdict.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportedFinding {
    /// The broken link, and how it is broken.
    pub class: Class,
    /// The exit code of that class.
    pub code: u8,
    /// Who can repair it.
    pub owner: Option<Owner>,
    /// The final severity.
    pub severity: Severity,
    /// Waiting may heal it.
    pub transient: bool,
    /// What the evidence was compared with.
    pub expectation: Basis,
    /// The class that causes this one.
    pub explained_by: Option<Class>,
    /// One sentence: what is wrong.
    pub summary: String,
    /// The identity or value that was presented.
    pub presented: String,
    /// The identity or value that is required.
    pub required: String,
    /// What the evidence excludes.
    pub ruled_out: Vec<String>,
    /// The same as a text for people. Empty if the judge did not write one.
    #[serde(skip)]
    pub why: String,
    /// The people who can repair it.
    pub who: String,
    /// What must be restarted, besides what the steps restart.
    pub restart: Restart,
    /// What to do, in this order: first what shows the problem, then what repairs it.
    pub steps: Vec<Step>,
}

/// One row of the table of stages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The link of the chain.
    pub stage: StageName,
    /// The result.
    pub status: Status,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<f64>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
}

/// The result of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It has no problem.
    Passed,
    /// It has an error.
    Failed,
    /// It has a warning.
    Warned,
    /// It was not reached.
    Skipped,
}

/// The process that was judged.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `self`, `as-uid`, `target-pid`.
    pub source: String,
    /// Its process id.
    pub pid: u32,
    /// The user that it runs as.
    pub uid: u32,
    /// The group that it runs as.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

/// The program that judged.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The version of credprobe.
    pub version: String,
}

impl Report {
    /// What the retry policy needs to know.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        let Verdict { class, transient, .. } = self.verdict;
        let retry_after = self.evidence.exchange.as_ref().and_then(|exchange| exchange.retry_after);
        Attempt { class, transient, retry_after }
    }
}

impl Report {
    /// The deciding finding, or for `ready` the warning that will cause a failure. `None`: nothing is wrong.
    #[must_use]
    pub fn told(&self) -> Option<&ReportedFinding> {
        if self.verdict.class == Class::Ready {
            let is_it =
                |it: &&ReportedFinding| Some(it.class) == self.verdict.but && it.explained_by.is_none();
            return self.findings.iter().find(is_it);
        }
        self.findings.first()
    }

    /// The class, what will fail after a success, and who acts. A change of one of them is news.
    #[must_use]
    pub fn in_ids(&self) -> Told {
        let but = self.verdict.but.filter(|_| self.verdict.class == Class::Ready);
        let owner = if but.is_some() { self.told().and_then(|it| it.owner) } else { self.verdict.owner };
        Told { class: self.verdict.class, but, owner }
    }

    /// One line for a log: the first line of the text, and who acts.
    #[must_use]
    pub fn log_line(&self) -> String {
        let line = shown::escaped(&text::first_line(self));
        let who = self.told().map_or(self.verdict.who.as_str(), |it| it.who.as_str());
        match self.in_ids().owner {
            Some(owner) => {
                format!("{} {line}; owner {}: {}", self.observed_at, owner.id(), shown::escaped(who))
            }
            None => format!("{} {line}", self.observed_at),
        }
    }
}

impl Report {
    /// The JSON document, indented.
    ///
    /// # Errors
    /// A bug; the error is the line to print instead.
    pub fn json(&self) -> Result<String, String> {
        self.json_line().map(|line| crate::text::indented(&line))
    }

    /// The JSON document, in one line.
    ///
    /// # Errors
    /// A bug; the error is the line to print instead.
    pub fn json_line(&self) -> Result<String, String> {
        shown::serialised(serde_json::to_string(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make docs` writes the schema.
    #[test]
    fn the_json_schema_is_current() {
        let schema = schemars::schema_for!(Report);
        assert_eq!(open_objects(schema.as_value()), Vec::<String>::new(), "deny_unknown_fields is missing");
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        crate::generated::check("report.schema.json", &schema);
    }

    /// Objects for which unknown fields would be accepted when they are read back.
    fn open_objects(schema: &serde_json::Value) -> Vec<String> {
        let definitions = schema["$defs"].as_object().unwrap();
        let open = definitions.iter().filter(|(_, it)| {
            it["properties"].is_object() && it["additionalProperties"] != serde_json::Value::Bool(false)
        });
        open.map(|(name, _)| name.clone()).collect()
    }
}
