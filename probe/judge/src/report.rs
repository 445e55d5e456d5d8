//! The report: one struct, rendered as text, as JSON and as a termination message.
//! Decides nothing; says what `verdict` decided.

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

/// The version of the JSON document: fields are added under it, never changed or removed.
pub const SCHEMA: &str = "credprobe/report/v1";

/// Everything one run has to say.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `credprobe/report/v1`.
    pub schema: String,
    /// What the process exits with: the class's code, or 0 where it is tolerated or only reported.
    pub exit_code: u8,
    /// `--report-only`: the process exits with 0.
    pub report_only: bool,
    /// What it comes to.
    pub verdict: Verdict,
    /// The deciding one first.
    pub findings: Vec<ReportedFinding>,
    /// All six, in the order of the chain.
    pub stages: Vec<Stage>,
    /// Whose credentials were judged.
    pub subject: Subject,
    /// What was seen, so that it can be judged again.
    pub evidence: Evidence,
    /// How often the exchange was tried.
    pub attempts: u32,
    /// `irsa`, `pod-identity`, `none`.
    pub mechanism: String,
    /// RFC 3339; the clock of every judgement in here.
    pub observed_at: String,
    /// Who judged.
    pub probe: Probe,
}

/// The one class that decides.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The class that decides.
    pub class: Class,
    /// The exit code of that class.
    pub code: u8,
    /// The class in CamelCase, as a Kubernetes condition has it.
    pub reason: String,
    /// `null` for `ready`.
    pub owner: Option<Owner>,
    /// Whether STS was asked.
    pub scope: Scope,
    /// Waiting may heal it.
    pub transient: bool,
    /// Restarting the container heals nothing; the pod must be made anew: `restart` is `pod`.
    pub recreate_pod: bool,
    /// `--tolerate` covers it.
    pub tolerated: bool,
    /// An earlier attempt of this run came out otherwise.
    pub flapped: bool,
    /// `ready`, but something will go wrong: the class of the first warning that nothing explains.
    pub but: Option<Class>,
    /// One sentence: what is wrong.
    pub summary: String,
    /// The people who can repair it; empty for `ready`.
    pub who: String,
    /// What must be started anew besides what the steps restart.
    pub restart: Restart,
    /// What to do, in the order of doing.
    pub steps: Vec<Step>,
}

/// A verdict in ids alone: no account, role or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What decides.
    pub class: Class,
    /// Behind a success, what will go wrong.
    pub but: Option<Class>,
    /// Who acts; `None` for a plain `ready`.
    pub owner: Option<Owner>,
}

/// `ready 0, but shadowed`, `access-denied 53`.
impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.class.id(), self.class.code())?;
        self.but.map_or(Ok(()), |but| write!(f, ", but {}", but.id()))
    }
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
#[serde(deny_unknown_fields)]
pub struct ReportedFinding {
    /// Which link is broken, and how.
    pub class: Class,
    /// The exit code of that class.
    pub code: u8,
    /// Who can repair it.
    pub owner: Option<Owner>,
    /// How much it weighs in the end.
    pub severity: Severity,
    /// Waiting may heal it.
    pub transient: bool,
    /// Against what the evidence was held.
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
    /// The same for people, woven; empty where the judge did not write it.
    #[serde(skip)]
    pub why: String,
    /// The people who can repair it.
    pub who: String,
    /// What must be started anew besides what the steps restart.
    pub restart: Restart,
    /// What to do, in the order of doing: first what shows it, then what repairs it.
    pub steps: Vec<Step>,
}

/// One row of the table of stages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Which link of the chain.
    pub stage: StageName,
    /// How it came out.
    pub status: Status,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<f64>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
}

/// How a stage came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing is wrong there.
    Passed,
    /// An error is there.
    Failed,
    /// A warning is there.
    Warned,
    /// It was not reached.
    Skipped,
}

/// Who was judged.
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

/// Who judged.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The version of credprobe.
    pub version: String,
}

impl Report {
    /// What the retry policy needs of it.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        let Verdict { class, transient, .. } = self.verdict;
        let retry_after = self.evidence.exchange.as_ref().and_then(|exchange| exchange.retry_after);
        Attempt { class, transient, retry_after }
    }
}

impl Report {
    /// What decides, or behind a success what will go wrong; `None` where nothing is wrong.
    #[must_use]
    pub fn told(&self) -> Option<&ReportedFinding> {
        if self.verdict.class == Class::Ready {
            let is_it =
                |it: &&ReportedFinding| Some(it.class) == self.verdict.but && it.explained_by.is_none();
            return self.findings.iter().find(is_it);
        }
        self.findings.first()
    }

    /// Class, what will go wrong behind a success, and who acts: a change of one of them is news.
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
    /// A bug; the line to say instead.
    pub fn json(&self) -> Result<String, String> {
        self.json_line().map(|line| crate::text::indented(&line))
    }

    /// The same in one line.
    ///
    /// # Errors
    /// The same.
    pub fn json_line(&self) -> Result<String, String> {
        shown::serialised(serde_json::to_string(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make docs` writes it.
    #[test]
    fn the_json_schema_is_current() {
        let schema = schemars::schema_for!(Report);
        assert_eq!(open_objects(schema.as_value()), Vec::<String>::new(), "deny_unknown_fields is missing");
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        crate::generated::check("report.schema.json", &schema);
    }

    /// Objects that would be read back with fields that nobody knows.
    fn open_objects(schema: &serde_json::Value) -> Vec<String> {
        let definitions = schema["$defs"].as_object().unwrap();
        let open = definitions.iter().filter(|(_, it)| {
            it["properties"].is_object() && it["additionalProperties"] != serde_json::Value::Bool(false)
        });
        open.map(|(name, _)| name.clone()).collect()
    }
}
