//! The steps that a person takes next, as data: a sentence, and the command that it explains.
//! The catalogue has templates. The judges and `explain` fill them in, and the report prints the steps.

pub mod script;
pub(crate) mod slot;
pub(crate) mod template;
#[cfg(test)]
mod tests;
pub(crate) mod values;

use serde::{Deserialize, Serialize};

/// One thing to look at or to change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Whether it only looks, or changes something.
    pub kind: StepKind,
    /// The condition under which it is the right step. `null`: it always is. Consecutive steps with a condition are alternatives.
    pub when: Option<String>,
    /// The sentence that explains the command, or says what to do.
    pub say: String,
    /// The command, in one line. `null`: the step has only words.
    pub run: Option<String>,
    /// What the step changes. `null`: it only looks.
    pub changes: Option<String>,
}

impl Step {
    /// A step that only looks. The caller has built `run` from names of their kinds.
    #[must_use]
    pub fn look(say: impl Into<String>, run: Option<String>) -> Self {
        Self { kind: StepKind::Look, when: None, say: say.into(), run, changes: None }
    }

    /// A step that changes something. Without a command it has only words.
    #[must_use]
    pub fn change(say: impl Into<String>, run: Option<String>, changes: impl Into<String>) -> Self {
        let changes = Some(changes.into());
        Self { kind: StepKind::Change, when: None, say: say.into(), run, changes }
    }
}

/// Whether a step only looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// It changes nothing.
    Look,
    /// It changes something; `changes` says what.
    Change,
}

#[cfg(test)]
impl Step {
    /// The text for a person: the sentence after `# `, then the command.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        std::iter::once(format!("# {}", self.say)).chain(self.run.clone())
    }
}
