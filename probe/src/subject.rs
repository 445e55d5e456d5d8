//! Whose credentials are judged, and what only observers may know of it: raw variables and the root directory.
//! The variables are kept unscrubbed here and nowhere else; `Debug` is missing on purpose.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the ambient process")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// A process as observers see it.
pub struct Subject {
    variables: BTreeMap<OsString, OsString>,
}

impl Subject {
    /// This process.
    #[must_use]
    pub fn own() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// A variable as it is, empty or not UTF-8.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// A variable that is set, not empty, and UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variable(name)?.to_str().filter(|value| !value.is_empty())
    }
}
