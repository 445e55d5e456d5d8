//! The values of a report or of `explain`, and how they are put into a template.
//! A command is made only of words that were checked; without one of them the step is told in words.

use super::slot::{self, Slot};
use super::template::{Part, Template, parts};
use super::{Step, StepKind};
use crate::settings::command::Word;
use crate::text::one_line;

/// What stands for the slots.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    known: Vec<(Slot, Value)>,
    /// Every slot that is not known is a variable of the shell.
    open: bool,
    /// Behind STS stands another server, to which AWS's tools do not speak: no step may use them.
    without_aws: bool,
}

/// One value, in a sentence and in a command.
#[derive(Debug, Clone)]
struct Value {
    text: String,
    word: Word,
}

impl Values {
    /// Those of `explain`: each slot is a variable that the reader sets.
    pub(crate) fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// Under `--sts-compatible`.
    pub(crate) fn without_aws(self, without_aws: bool) -> Self {
        Self { without_aws, ..self }
    }

    /// With one more value: as a sentence has it, and as a command has it.
    #[must_use]
    pub(crate) fn with(mut self, slot: Slot, text: impl Into<String>, word: impl Into<Word>) -> Self {
        self.known.retain(|(known, _)| *known != slot);
        self.known.push((slot, Value { text: text.into(), word: word.into() }));
        self
    }

    /// With one more value for sentences; a command cannot hold it.
    #[must_use]
    pub(crate) fn with_text(self, slot: Slot, text: impl Into<String>) -> Self {
        self.with(slot, text, Word::NONE)
    }

    fn get(&self, slot: Slot) -> Option<&Value> {
        self.known.iter().find(|(known, _)| *known == slot).map(|(_, value)| value)
    }

    /// Whether a command can hold it.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.get(slot).is_some_and(|value| value.word != Word::NONE)
    }

    /// A sentence with its slots filled in.
    #[must_use]
    pub(crate) fn say(&self, text: &str) -> String {
        let part = |part: &Part<'_>| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Slot(slot) => {
                // From outside: a line break in a sentence would begin a command.
                self.get(*slot).map_or_else(|| slot.unknown.to_owned(), |value| one_line(value.text.clone()))
            }
        };
        let said: String = parts(text).iter().map(part).collect();
        capitalised(text, said)
    }

    /// A command; `None`: a value is not known, or is not a name of its kind.
    #[must_use]
    pub(crate) fn run(&self, command: &str) -> Option<String> {
        if command.is_empty() || (self.without_aws && uses_aws(command)) {
            return None;
        }
        let mut out = String::with_capacity(command.len() + 64);
        let mut closing = false;
        for part in parts(command) {
            match part {
                Part::Text(text) => out.push_str(text.strip_prefix('\'').filter(|_| closing).unwrap_or(text)),
                Part::Slot(slot) => match self.get(slot) {
                    Some(value) => {
                        let word = value.word.quoted()?;
                        // Between two quoted texts a plain word needs no quotation marks of its own.
                        closing =
                            out.ends_with('\'') && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
                        if closing {
                            out.pop();
                        }
                        out.push_str(&word);
                        continue;
                    }
                    None if self.open => {
                        out.push_str("\"${");
                        out.push_str(slot.name);
                        out.push_str(":?is not set}\"");
                    }
                    None => return None,
                },
            }
            closing = false;
        }
        Some(out)
    }

    /// The step; `None` where all that it would do is done with tools that do not speak to this server.
    #[must_use]
    pub(crate) fn step(&self, template: &Template) -> Option<Step> {
        if self.without_aws && uses_aws(template.run) {
            return None;
        }
        let run = self.run(template.run);
        let is_look = template.changes.is_empty() && !template.run.is_empty();
        if run.is_none() && is_look && self.lacks_only_unknown(template.run) {
            // Nobody can look for what has no name here.
            return None;
        }
        let mut say = self.say(template.say);
        if run.is_none() && say.ends_with(':') {
            say.pop();
            say.push('.');
        }
        if !template.when.is_empty() {
            say = lowered(say);
        }
        let text = |text: &str| (!text.is_empty()).then(|| self.say(text));
        let changes = text(template.changes);
        let kind = if changes.is_some() { StepKind::Change } else { StepKind::Look };
        Some(Step { kind, when: text(template.when), say, run, changes })
    }

    /// Whether each value that a command lacks is unknown, rather than not fit for a command.
    fn lacks_only_unknown(&self, command: &str) -> bool {
        let fits = |part: &Part<'_>| match part {
            Part::Text(_) => true,
            Part::Slot(slot) => self.get(*slot).is_none_or(|value| value.word != Word::NONE),
        };
        parts(command).iter().all(fits)
    }

    /// The slots of the commands that the reader has to set, in the order of the table.
    pub(crate) fn variables(templates: &[&Template]) -> Vec<Slot> {
        let used =
            |slot: &Slot| templates.iter().any(|template| parts(template.run).contains(&Part::Slot(*slot)));
        slot::ALL.iter().copied().filter(used).collect()
    }
}

/// Behind a condition and a colon a sentence goes on.
fn lowered(say: String) -> String {
    let mut chars = say.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && second.is_ascii_lowercase() => {
            format!("{}{}", first.to_ascii_lowercase(), &say[1..])
        }
        _ => say,
    }
}

fn uses_aws(command: &str) -> bool {
    command.split(['|', '&', '$', '(', ' ', ';']).any(|word| word == "aws")
}

/// A sentence that begins with a slot begins with a capital letter where the slot's value is not a name.
fn capitalised(template: &str, said: String) -> String {
    if template.starts_with('{') && said.starts_with("the ") {
        return format!("T{}", &said[1..]);
    }
    said
}
