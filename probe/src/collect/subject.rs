//! Whose credentials are judged, and what only observers may know of it: raw variables and the root directory.
//! The variables are kept unscrubbed here and nowhere else; `Debug` is missing on purpose.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the ambient process")]

use crate::collect::target::{self, TargetPid};
use crate::collect::{self, Files, Root};
use credprobe_judge::evidence::{Process, Target};
use credprobe_judge::judge;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;

/// Whom `--as-uid` and `--target-pid` name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SubjectSelector {
    /// This process.
    #[default]
    Own,
    /// Another user who has this process's environment and files; `None`: as this process.
    User { uid: Option<u32>, gid: Option<u32>, groups: Option<Vec<u32>> },
    /// Another process.
    Process(TargetPid),
}

/// A process as observers see it.
pub struct Subject {
    whose: SubjectSelector,
    variables: BTreeMap<OsString, OsString>,
    /// The probe itself, where another process is judged.
    own: Option<Box<Self>>,
    root: Root,
    /// With whose rights its files are read.
    rights: Process,
    target: Option<Target>,
    seen: bool,
}

impl Subject {
    /// Looks at whom the flags name; `is_seen` says whether that could be done.
    ///
    /// # Errors
    /// The probe's own root directory cannot be opened.
    pub fn new(whose: SubjectSelector) -> io::Result<Self> {
        let own = |whose: SubjectSelector| -> io::Result<Self> {
            let rights = collect::ids(&whose, None);
            let variables = std::env::vars_os().collect();
            Ok(Self { whose, variables, own: None, root: Root::own()?, rights, target: None, seen: true })
        };
        let SubjectSelector::Process(asked) = whose.clone() else { return own(whose) };
        let (target, seen) = target::observe(asked);
        let subject = Self {
            variables: BTreeMap::new(),
            own: Some(Box::new(own(SubjectSelector::Own)?)),
            target: Some(target),
            ..own(whose.clone())?
        };
        Ok(match seen {
            Some(seen) => {
                let root = Root::of(seen.root).with_process(seen.proc);
                let rights = collect::ids(&whose, subject.target.as_ref());
                Self { variables: seen.variables, root, rights, ..subject }
            }
            None => Self { seen: false, ..subject },
        })
    }

    /// `false`: another process, which could not be looked at; `target` says why.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.seen
    }

    /// Whom the flags name.
    #[must_use]
    pub fn whose(&self) -> &SubjectSelector {
        &self.whose
    }

    /// What was seen of the other process.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Where its paths resolve.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
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

    /// Who sends, whoever is judged: its roots and its files vouch for the other end.
    #[must_use]
    pub fn own(&self) -> &Self {
        self.own.as_deref().unwrap_or(self)
    }

    /// The same of the probe's own environment, whoever is judged: what the downward API and the cluster tell it.
    #[must_use]
    pub fn own_text(&self, name: &str) -> Option<&str> {
        self.own().text(name)
    }

    #[cfg(test)]
    pub(crate) fn with_variables(self, variables: BTreeMap<OsString, OsString>) -> Self {
        Self { variables, ..self }
    }

    /// Runs `work`, which opens files with its rights: never with the probe's, which may be more.
    pub fn with_rights<T: Send>(&self, work: impl Fn(&Files<'_>) -> T + Sync) -> T {
        let may_read = |file: &_| judge::gate::may_read(file, &self.rights);
        collect::with_rights_of(&self.rights, &self.root, &may_read, work)
    }

    /// At most `limit` bytes of a file in its root.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)` say.
    pub fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.with_rights(|files| files.read(path, limit))
    }
}
