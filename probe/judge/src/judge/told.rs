//! Steps whose sentences name an action, a resource or a policy of AWS's own answer. Pure.
//! Commands among them are made of checked words, like those of templates.

use super::finding::Finding;
use crate::steps::{Step, StepKind};
use crate::text::one_line;

impl Finding {
    /// A sentence with the command that shows it; without a command nothing is added.
    pub(super) fn confirm_note(self, command: Option<impl Into<String>>, say: &str) -> Self {
        match command {
            Some(command) => self.told(StepKind::Look, say, Some(command.into())),
            None => self,
        }
    }

    /// The same of a command that changes something.
    pub(super) fn fix_note(self, command: Option<impl Into<String>>, say: &str) -> Self {
        match command {
            Some(command) => self.told(StepKind::Change, say, Some(command.into())),
            None => self,
        }
    }

    /// Something to know, in words.
    pub(super) fn confirm(self, say: impl AsRef<str>) -> Self {
        self.told(StepKind::Look, say.as_ref(), None)
    }

    /// Something to change, in words.
    pub(super) fn fix(self, say: impl AsRef<str>) -> Self {
        self.told(StepKind::Change, say.as_ref(), None)
    }

    fn told(mut self, kind: StepKind, say: &str, run: Option<String>) -> Self {
        let say = one_line(say.strip_prefix("# ").unwrap_or(say).to_owned());
        let changes = (kind == StepKind::Change).then(|| match &run {
            Some(run) if run.contains("put-role-policy") => {
                "the policies of the role: one is added".to_owned()
            }
            _ => "the policy or the setting that this step names".to_owned(),
        });
        self.steps.push(Step { kind, when: None, say, run: run.map(one_line), changes });
        self
    }
}
