//! What an error text means: a line of an SDK, of STS, EKS or kubectl, or a whole log in which one stands.
//! The text is a stranger's: nothing of it is kept but names of known kinds, and no secret of it is said again.

mod answer;
mod caller;
#[cfg(test)]
mod docs;
mod forbidden;
mod log;
mod plain;
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

/// What is known of the text's last recognised line.
#[derive(Debug, Serialize)]
pub struct Explanation {
    schema: &'static str,
    /// `null`: the text is known, and no class is about it.
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
    /// The first line of the text: the cause, in as few words as fit.
    #[serde(skip)]
    headline: String,
    /// What the text says instead of the summary, where a step has the rest of it.
    #[serde(skip)]
    why: Option<&'static str>,
    /// What else was recognised, with how many lines.
    #[serde(skip)]
    others: Vec<(Option<Class>, usize)>,
}

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Caller {
    arn: Option<String>,
    kind: CallerKind,
}

/// Whose credentials they were.
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

/// Which policy refused, as far as AWS says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Policy {
    kind: Option<PolicyKind>,
    arn: Option<String>,
}

impl Explanation {
    /// What a person reads; a script whose prose is comments.
    #[must_use]
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// The same as data; on one line unless somebody looks at it.
    ///
    /// # Errors
    /// A bug: it does not serialise.
    pub fn json(&self, pretty: bool) -> Result<String, String> {
        let document = shown::serialised(serde_json::to_string(self))?;
        let value = pretty.then(|| serde_json::from_str::<serde_json::Value>(&document).ok()).flatten();
        Ok(value.map_or(document, |value| format!("{value:#}")))
    }
}
