//! The process whose credentials are judged, with what only observers may know: raw variables and the root directory.
//! Unredacted variables exist only here. `Debug` is missing on purpose.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the ambient process")]

use crate::collect::target::{self, TargetPid};
use crate::collect::{self, Files, Root};
use credprobe_judge::evidence::{Process, Target};
use credprobe_judge::judge;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;

/// The process or user that `--as-uid` and `--target-pid` name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SubjectSelector {
    /// This process.
    #[default]
    Own,
    /// Another user with this process's environment and files. `None`: the same id as this process.
    User { uid: Option<u32>, gid: Option<u32>, groups: Option<Vec<u32>> },
    /// Another process.
    Process(TargetPid),
}

/// A process as observers see it.
pub struct Subject {
    whose: SubjectSelector,
    variables: BTreeMap<OsString, OsString>,
    /// The probe itself, if another process is judged.
    own: Option<Box<Self>>,
    root: Root,
    /// The rights with which its files are read.
    rights: Process,
    target: Option<Target>,
    seen: bool,
}

impl Subject {
    /// Observes the process that the flags name. `is_seen` says whether that was possible.
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

    /// `false` if another process could not be observed; `target` says why.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.seen
    }

    /// The selection by flags.
    #[must_use]
    pub fn whose(&self) -> &SubjectSelector {
        &self.whose
    }

    /// What was observed of the other process.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// The root for its paths.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// A variable as it is, even if empty or not UTF-8.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// A variable that is set, not empty, and UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variable(name)?.to_str().filter(|value| !value.is_empty())
    }

    /// The process that sends, whichever is judged. Its roots and files decide whether to trust the peer.
    #[must_use]
    pub fn own(&self) -> &Self {
        self.own.as_deref().unwrap_or(self)
    }

    /// A variable of the probe's own environment, whichever process is judged: what the downward API and the cluster set.
    #[must_use]
    pub fn own_text(&self, name: &str) -> Option<&str> {
        self.own().text(name)
    }

    #[cfg(test)]
    pub(crate) fn with_variables(self, variables: BTreeMap<OsString, OsString>) -> Self {
        Self { variables, ..self }
    }

    /// Runs `work`, which opens files with the subject's rights and never with the probe's, which may be wider.
    pub fn with_rights<T: Send>(&self, work: impl Fn(&Files<'_>) -> T + Sync) -> T {
        let may_read = |file: &_| judge::gate::may_read(file, &self.rights);
        collect::with_rights_of(&self.rights, &self.root, &may_read, work)
    }

    /// Reads at most `limit` bytes of a file in its root.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`.
    pub fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.with_rights(|files| files.read(path, limit))
    }
}
