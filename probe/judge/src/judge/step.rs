//! What a person does next: a sentence, and the command that it explains.
//! Judges add remarks and commands one by one; here they become steps.

use super::effect::{Effect, effect, shows};
use crate::text::one_line;

pub(crate) use crate::steps::{Heading, Printed};
pub use crate::steps::{Step, StepKind};

impl Step {
    /// A step that is told in words.
    pub(crate) fn in_words(heading: Heading, remark: &str) -> Self {
        let (when, say) = match remark.split_once(": ") {
            Some((when, say)) if when.starts_with("if ") || when.starts_with("where ") => {
                (Some(when.to_owned()), say)
            }
            _ => (None, remark),
        };
        let kind = match heading {
            Heading::Confirm => StepKind::Look,
            Heading::Fix => StepKind::Change,
        };
        let printed = Printed { heading, remark: true };
        Self { kind, when, say: say.to_owned(), run: None, changes: None, printed }
    }

    /// A command that nobody explained; what it does explains it.
    fn of_command(heading: Heading, command: String) -> Self {
        let mut step = Self::in_words(heading, "");
        step.printed.remark = false;
        step.say = match effect(&command) {
            Effect::Looks => shows(&command),
            Effect::Changes(changes) => format!("This changes {changes}."),
            Effect::Unknown => "This repairs it.".to_owned(),
        };
        step.explains(command)
    }

    /// With the command that the sentence explains.
    fn explains(mut self, command: String) -> Self {
        (self.kind, self.changes) = match effect(&command) {
            Effect::Looks => (StepKind::Look, None),
            Effect::Changes(changes) => (StepKind::Change, Some(changes)),
            Effect::Unknown => (StepKind::Change, None),
        };
        self.run = Some(command);
        self
    }

    /// Condition and sentence as one remark.
    fn remark(&self) -> String {
        match &self.when {
            Some(when) => format!("{when}: {}", self.say),
            None => self.say.clone(),
        }
    }

    /// The lines of the text report: the remark behind `# `, then the command.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let remark = self.printed.remark.then(|| format!("# {}", self.remark()));
        remark.into_iter().chain(self.run.clone())
    }
}

/// Adds a line: a command, or words behind `# `, which explain the command that follows.
pub(crate) fn add(steps: &mut Vec<Step>, heading: Heading, line: String) {
    let line = one_line(line);
    let end = steps.iter().position(|step| step.printed.heading > heading).unwrap_or(steps.len());
    if let Some(remark) = line.strip_prefix("# ") {
        steps.insert(end, Step::in_words(heading, remark));
        return;
    }
    let above = end.checked_sub(1).filter(|at| {
        steps.get(*at).is_some_and(|step| step.printed.heading == heading && step.run.is_none())
    });
    match above {
        Some(at) => {
            let step = steps.remove(at).explains(line);
            steps.insert(at, step);
        }
        None => steps.insert(end, Step::of_command(heading, line)),
    }
}

/// Puts a command with its remark before the first step under each heading whose command has `part`.
pub(crate) fn put_before(steps: &mut Vec<Step>, part: &str, remark: &str, command: &str) {
    for heading in [Heading::Confirm, Heading::Fix] {
        let needs = |step: &Step| {
            step.printed.heading == heading && step.run.as_ref().is_some_and(|run| run.contains(part))
        };
        if let Some(first) = steps.iter().position(needs) {
            steps.insert(first, Step::in_words(heading, remark).explains(command.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lines: &[(Heading, &str)]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (heading, line) in lines {
            add(&mut steps, *heading, (*line).to_owned());
        }
        steps
    }

    #[test]
    fn a_remark_explains_the_command_below_it_and_stands_alone_where_none_is() {
        use Heading::{Confirm, Fix};
        let steps = steps(&[
            (Fix, "# where a mesh runs: it leaves the port alone"),
            (Fix, "kubectl set env -n shop deployment/checkout A=b"),
            (Confirm, "# on the node"),
            (Confirm, "chronyc tracking"),
            (Fix, "chronyc makestep"),
            (Fix, "# ask the owners"),
        ]);
        let brief: Vec<_> = steps
            .iter()
            .map(|it| (it.kind, it.when.as_deref(), it.say.as_str(), it.run.as_deref()))
            .collect();
        assert_eq!(
            brief,
            [
                (StepKind::Look, None, "on the node", Some("chronyc tracking")),
                (
                    StepKind::Change,
                    Some("where a mesh runs"),
                    "it leaves the port alone",
                    Some("kubectl set env -n shop deployment/checkout A=b")
                ),
                (StepKind::Change, None, "This changes the node's clock.", Some("chronyc makestep")),
                (StepKind::Change, None, "ask the owners", None),
            ]
        );
        let lines: Vec<String> = steps.iter().flat_map(Step::lines).collect();
        assert_eq!(
            lines,
            [
                "# on the node",
                "chronyc tracking",
                "# where a mesh runs: it leaves the port alone",
                "kubectl set env -n shop deployment/checkout A=b",
                "chronyc makestep",
                "# ask the owners",
            ]
        );
    }

    #[test]
    fn the_condition_and_the_sentence_come_back_as_one_remark() {
        for remark in ["if a: b: c", "where a: b", "only where a: b", "if a, b", "a: b", "if a:"] {
            let step = Step::in_words(Heading::Fix, remark);
            assert_eq!(step.lines().collect::<Vec<_>>(), [format!("# {remark}")]);
        }
    }
}
