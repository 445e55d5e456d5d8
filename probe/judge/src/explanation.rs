//! Explains an error text: a line of an SDK, of STS, EKS or kubectl, or a whole log that contains one.
//! The text is from outside: only names of known kinds are kept, and no secret in it is repeated.

mod answer;
mod caller;
#[cfg(test)]
mod docs;
mod forbidden;
mod log;
mod plain;
mod rbac;
mod refusal;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod texts;

use crate::catalog::Class;
use crate::denial::{Effect, PolicyKind};
use crate::steps::Step;
use crate::text::shown;
use serde::Serialize;

pub use log::{LIMIT, Log};

/// The explanation of the last recognised line.
#[derive(Debug, Serialize)]
pub struct Explanation {
    schema: &'static str,
    /// `null`: the text is known, but no class describes it.
    class: Option<Class>,
    owner: Option<&'static str>,
    who: String,
    summary: String,
    caller: Caller,
    action: Option<String>,
    resource: Option<String>,
    policy: Policy,
    effect: Option<Effect>,
    steps: Vec<Step>,
    /// The first line of the output: the cause, in as few words as possible.
    #[serde(skip)]
    headline: String,
    /// Used in the output instead of the summary if a step has the rest of it.
    #[serde(skip)]
    why: Option<&'static str>,
    /// What else was recognised, and in how many lines.
    #[serde(skip)]
    others: Vec<(Option<Class>, usize)>,
}

/// The caller that AWS names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Caller {
    arn: Option<String>,
    kind: CallerKind,
}

/// The kind of identity that called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum CallerKind {
    PodRole,
    NodeRole,
    PodIdentity,
    User,
    Other,
    Unknown,
}

/// The policy that refused, as far as AWS names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Policy {
    kind: Option<PolicyKind>,
    arn: Option<String>,
}

impl Explanation {
    /// The explanation as text: a script whose prose is comments.
    #[must_use]
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// The explanation as JSON, in one line unless `pretty`.
    ///
    /// # Errors
    /// A bug: it cannot be serialised.
    pub fn json(&self, pretty: bool) -> Result<String, String> {
        let document = shown::serialised(serde_json::to_string(self))?;
        let value = pretty.then(|| serde_json::from_str::<serde_json::Value>(&document).ok()).flatten();
        Ok(value.map_or(document, |value| format!("{value:#}")))
    }
}
