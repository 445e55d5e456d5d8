//! What a person does next, as data: a sentence, and the command that it explains.
//! The catalogue writes templates, judges and `explain` fill them in; the report prints the steps.

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
    /// Whether it only looks or changes something.
    pub kind: StepKind,
    /// The condition under which it is the right step; `null`: it always is. Steps in a row that have one are alternatives.
    pub when: Option<String>,
    /// The sentence that explains the command, or what to do in words.
    pub say: String,
    /// The command, in one line; `null`: the step is told in words.
    pub run: Option<String>,
    /// What the step changes; `null` where it only looks.
    pub changes: Option<String>,
    /// Until every judge fills in templates: how the judges' own lines are grouped.
    #[serde(skip)]
    pub(crate) printed: crate::steps::Printed,
}

/// Whether a step only looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Nothing is different afterwards.
    Look,
    /// Something is: `changes` says what.
    Change,
}

/// Under which heading a judge added the step, and whether a remark stands above the command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Printed {
    pub(crate) heading: Heading,
    pub(crate) remark: bool,
}

/// What a judge adds a line for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Heading {
    /// It shows what is wrong.
    #[default]
    Confirm,
    /// It repairs it.
    Fix,
}
