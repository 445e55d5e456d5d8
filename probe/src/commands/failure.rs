//! Why a command failed: one line for stderr and the exit code.

use super::cli::UsageError;
use crate::process::output;
use credprobe_judge::catalog::Class;

/// A command that could not do its work.
pub struct Failure {
    pub(crate) line: String,
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn new(class: Class, why: &str) -> Self {
        Self { line: format!("{} ({}): {why}", class.id(), class.code()), code: class.code() }
    }

    /// The command line cannot be met.
    pub(crate) fn usage(why: &str) -> Self {
        Self::new(Class::UsageError, why)
    }

    /// Descriptors, memory or threads are used up. That is not a bug and says nothing about the pod.
    pub(crate) fn cannot_look(why: &str) -> Self {
        Self::new(Class::Inconclusive, why)
    }

    /// A bug in credprobe; `line` is printed as it is.
    pub(crate) fn bug(line: String) -> Self {
        Self { line, code: Class::InternalError.code() }
    }

    /// Prints the line and returns the exit code.
    pub fn say(self) -> u8 {
        output::say(&self.line);
        self.code
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::usage(&error.0)
    }
}
