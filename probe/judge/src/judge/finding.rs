//! What a judge concludes from evidence: the news, good or bad. A probe that could not work is an error, not a finding.
//! Which finding decides, `verdict` says.

use crate::catalog::{Attribute, Class, Owner, Restart, Topic};
use crate::steps::Step;
#[cfg(test)]
use crate::steps::StepKind;
use crate::steps::template::Template;
use crate::steps::values::Values;
use serde::{Deserialize, Serialize};

/// One conclusion about one link of the chain.
///
/// Ordered so that a verdict does not depend on the order in which judges ran; the order has no other meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Which link of the chain, and what is wrong with it.
    pub class: Class,
    /// Differs from the class's own where the evidence tells more (an issuer that is not EKS's).
    pub owner: Option<Owner>,
    /// What the judge thinks of it; `verdict` may raise or lower it.
    pub severity: Severity,
    /// Waiting may heal it; a finding may clear the class's default with its reason.
    pub transient: bool,
    /// What must be started anew before a repair is seen; differs from the class's own where the value stands elsewhere.
    pub restart: Restart,
    /// What was held against the evidence.
    pub expectation: Basis,
    /// What it is about, as far as a row of the class table asks for it.
    pub about: Option<Topic>,
    /// It is told for itself: whatever its class explains, this finding does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explains_nothing: bool,
    /// One sentence: what is wrong, with the values.
    pub summary: String,
    /// The identity or value that was presented.
    pub presented: String,
    /// The identity or value that is required.
    pub required: String,
    /// What the evidence excludes.
    pub ruled_out: Vec<String>,
    /// Both sides and what is ruled out, in two or three sentences for a person; empty: the report weaves them.
    #[serde(skip)]
    pub why: String,
    /// The people who can repair it, where the owner alone does not tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What to do, in the order of doing: first what shows it, then what repairs it, with the real values.
    pub steps: Vec<Step>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The credentials cannot be had, or not the expected ones.
    Error,
    /// They can be had, but something will go wrong or might.
    Warning,
    /// Worth knowing; explains nothing and decides nothing.
    Info,
}

/// Against what the evidence was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A flag or its environment twin.
    #[serde(rename = "stated")]
    Explicit,
    /// What is usual; explains a refusal, never makes one.
    #[serde(rename = "guessed")]
    Inferred,
    /// A rule of AWS or Kubernetes.
    #[serde(rename = "none")]
    Rule,
}

impl Finding {
    /// A finding with the class's own owner, severity and transience; texts are added by the setters.
    #[must_use]
    pub fn new(class: Class, summary: impl Into<String>) -> Self {
        Self {
            class,
            owner: class.info().owner,
            severity: if class.has(Attribute::Warning) { Severity::Warning } else { Severity::Error },
            transient: class.has(Attribute::Transient),
            restart: class.restart(),
            expectation: Basis::Rule,
            about: None,
            explains_nothing: false,
            summary: summary.into(),
            presented: String::new(),
            required: String::new(),
            ruled_out: Vec::new(),
            why: String::new(),
            who: None,
            steps: Vec::new(),
        }
    }

    /// The identity or value that was presented.
    #[must_use]
    pub fn presented(mut self, text: impl Into<String>) -> Self {
        self.presented = text.into();
        self
    }

    /// The identity or value that is required.
    #[must_use]
    pub fn required(mut self, text: impl Into<String>) -> Self {
        self.required = text.into();
        self
    }

    /// One more thing that the evidence excludes.
    #[must_use]
    pub fn ruled_out(mut self, text: impl Into<String>) -> Self {
        self.ruled_out.push(text.into());
        self
    }

    /// Both sides and what is ruled out, in two or three sentences for a person.
    #[must_use]
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.why = text.into();
        self
    }

    /// Both sides as they stand, then a sentence.
    #[must_use]
    pub(crate) fn why_both(self, then: &str) -> Self {
        let why = format!("{}. {then}", crate::text::plain(&self.presented));
        self.why(why)
    }

    /// More steps, in the order of doing.
    #[must_use]
    pub(crate) fn steps(mut self, values: &Values, templates: &[&Template]) -> Self {
        self.steps.extend(templates.iter().filter_map(|template| values.step(template)));
        // A container keeps its environment. Where the fault is the network's, a variable is only another way around it.
        let sets =
            self.steps.iter().any(|step| step.run.as_ref().is_some_and(|run| run.contains(" set env ")));
        if sets && self.owner == Some(Owner::Pod) {
            self.restart = Restart::Pod;
        }
        self
    }

    /// What a person reads of the steps that look, or of those that change something.
    #[cfg(test)]
    pub(crate) fn lines(&self, kind: StepKind) -> Vec<String> {
        let steps = self.steps.iter().filter(|step| step.kind == kind);
        steps.flat_map(|step| std::iter::once(step.say.clone()).chain(step.run.clone())).collect()
    }

    /// Another severity than the class's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Against what the evidence was held.
    #[must_use]
    pub fn expectation(mut self, expectation: Basis) -> Self {
        self.expectation = expectation;
        self
    }

    /// Another owner than the class's own.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Other people than the owner's, where the value that is wrong is theirs.
    #[must_use]
    pub(super) fn acts(mut self, who: impl Into<String>) -> Self {
        self.who = Some(who.into());
        self
    }

    /// Another transience than the class's own.
    #[must_use]
    pub fn transient(mut self, transient: bool) -> Self {
        self.transient = transient;
        self
    }

    /// What must be started anew, where it is not what the class says.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Not even what its class explains.
    #[must_use]
    pub fn explains_nothing(mut self) -> Self {
        self.explains_nothing = true;
        self
    }

    /// What it is about.
    #[must_use]
    pub fn about(mut self, topic: Topic) -> Self {
        self.about = Some(topic);
        self
    }

    /// Whether the refusal is about a date or a time.
    #[must_use]
    pub fn about_time(self, about_time: bool) -> Self {
        if about_time { self.about(Topic::Time) } else { self }
    }
}
