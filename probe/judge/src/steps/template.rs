//! A step as the catalogue has it, with slots in braces: `aws iam get-role --role-name {role}`.
//! Written once: reports fill in the pod's values, `explain` fills in shell variables.

use super::slot::{self, Slot};

/// A step whose values are left open. An empty text is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    /// The condition of an alternative: a few words, without a colon.
    pub(crate) when: &'static str,
    /// A sentence. It ends with a colon where a command follows, else with a full stop.
    pub(crate) say: &'static str,
    /// One line. A slot stands outside of quotation marks.
    pub(crate) run: &'static str,
    /// What is different afterwards.
    pub(crate) changes: &'static str,
}

impl Template {
    /// Shows something, changes nothing.
    pub(crate) const fn look(say: &'static str, run: &'static str) -> Self {
        Self { when: "", say, run, changes: "" }
    }

    /// Changes something: `say` names what it restarts or overwrites.
    pub(crate) const fn change(say: &'static str, run: &'static str, changes: &'static str) -> Self {
        Self { when: "", say, run, changes }
    }

    /// Something to look at or to ask, told in words.
    pub(crate) const fn words(say: &'static str) -> Self {
        Self { when: "", say, run: "", changes: "" }
    }

    /// A change that is told in words, because no command does it without harm or without values that nobody knows.
    pub(crate) const fn change_in_words(say: &'static str, changes: &'static str) -> Self {
        Self { when: "", say, run: "", changes }
    }

    /// As one of several alternatives.
    pub(crate) const fn when(self, when: &'static str) -> Self {
        Self { when, ..self }
    }
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// As it stands.
    Text(&'t str),
    /// To be filled in.
    Slot(Slot),
}

/// The parts of a text. Braces around anything but a slot's name are text: JSONPath and jq have braces of their own.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest, mut from) = (Vec::new(), text, 0);
    while let Some(open) = rest[from..].find('{').map(|at| from + at) {
        let inner = &rest[open + 1..];
        let slot = inner.find('}').and_then(|end| Some((slot::named(&inner[..end])?, open + end + 2)));
        match slot {
            Some((slot, after)) => {
                if open > 0 {
                    parts.push(Part::Text(&rest[..open]));
                }
                parts.push(Part::Slot(slot));
                (rest, from) = (&rest[after..], 0);
            }
            None => from = open + 1,
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}
