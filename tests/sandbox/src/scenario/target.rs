//! Processes beside the command, as `kubectl debug --target` shows them, and what the command sees of them.
//! A target is the healthy application unless it says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    capabilities::Capabilities,
    error::{Error, Result},
    scenario::Scenario,
};

/// One process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) groups: Option<Vec<u32>>,
    pub(crate) capabilities: Capabilities,
    /// Changes of the healthy environment; `null` removes a default.
    pub(crate) env: BTreeMap<String, Option<String>>,
    /// By how much variables that say nothing enlarge the environment.
    pub(crate) env_bytes: usize,
    /// Entries that need be neither UTF-8 nor `name=value`.
    pub(crate) env_base64: Vec<String>,
    /// Who started it, where that is not whose rights it has: a set-uid program.
    pub(crate) real_uid: Option<u32>,
    /// `unshare -U -r`: root of a user namespace of its own, with every capability there.
    pub(crate) user_namespace: bool,
    /// Files in its root alone, by path; over those that are there already.
    pub(crate) files: BTreeMap<String, LaidFile>,
    pub(crate) dumpable: bool,
    pub(crate) state: State,
    pub(crate) child: Option<Box<Self>>,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            name: "checkout".into(),
            uid: None,
            gid: None,
            groups: None,
            capabilities: Capabilities::default(),
            env: BTreeMap::new(),
            env_bytes: 0,
            env_base64: Vec::new(),
            real_uid: None,
            user_namespace: false,
            files: BTreeMap::new(),
            dumpable: true,
            state: State::Running,
            child: None,
        }
    }
}

/// A file of a target's or the command's; its text alone may stand for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Written")]
pub(crate) struct LaidFile {
    pub(crate) text: String,
    /// It is a symbolic link to there.
    pub(crate) link: Option<String>,
    /// Of root; in octal.
    pub(crate) mode: String,
}

/// As it stands in a scenario.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Whole(Whole),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    text: String,
    link: Option<String>,
    #[serde(default = "open_to_all")]
    mode: String,
}

impl From<Written> for LaidFile {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self { text, link: None, mode: open_to_all() },
            Written::Whole(Whole { text, link, mode }) => Self { text, link, mode },
        }
    }
}

fn open_to_all() -> String {
    "0644".into()
}

/// How far a target's life has come when the command starts.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    #[default]
    Running,
    /// Ended, and its parent has not asked how.
    Zombie,
    /// Ended and gone; its number stays unused.
    Exits,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PidNamespace {
    /// The first target's: it is PID 1.
    #[default]
    Target,
    /// `shareProcessNamespace`: PID 1 is `pause`.
    Shared,
}

/// The command's `/proc`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Proc {
    #[default]
    Mounted,
    /// Other users' processes are not to be seen.
    Hidepid,
    Missing,
}

/// What the command has of what the webhook injects, where there are targets: an ephemeral container has nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProbeHas {
    pub(crate) env: bool,
    pub(crate) token: bool,
}

/// The kernel's limit for `comm`, without the last zero.
const LONGEST_NAME: usize = 15;

impl Scenario {
    /// Every variable that the command or a target is given, with its value.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut all = vec![&self.env];
        let mut targets: Vec<&Target> = self.targets.iter().collect();
        while let Some(target) = targets.pop() {
            all.push(&target.env);
            targets.extend(target.child.as_deref());
        }
        all.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    /// Refuses targets that no kernel would run so.
    pub(super) fn check_targets(&self) -> Result<()> {
        let first = self.targets.first().map_or(State::Running, |first| first.state);
        if self.pid_namespace == PidNamespace::Target && first != State::Running {
            return Err(Error::new("the first target is PID 1: its namespace ends with it"));
        }
        self.targets.iter().try_for_each(Target::check)
    }
}

impl Target {
    fn check(&self) -> Result<()> {
        if self.name.is_empty() || self.name.len() > LONGEST_NAME || self.name.contains('\0') {
            return Err(Error::new(format!("a target cannot be named `{}`", self.name)));
        }
        self.child.as_deref().map_or(Ok(()), Self::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        Scenario::parse("x", text).is_err()
    }

    #[test]
    fn a_namespace_ends_with_its_first_process_unless_that_is_pause() {
        assert!(refused(r#"{"targets": [{"state": "zombie"}]}"#));
        assert!(refused(r#"{"targets": [{"state": "exits"}, {}]}"#));
        assert!(!refused(r#"{"targets": [{}, {"state": "zombie"}]}"#));
        assert!(!refused(r#"{"targets": [{"state": "exits"}], "pid_namespace": "shared"}"#));
    }

    #[test]
    fn names_are_as_long_as_the_kernel_keeps_them() {
        assert!(!refused(r#"{"targets": [{"name": "fifteen-letters"}]}"#));
        assert!(refused(r#"{"targets": [{"name": "sixteen-letters-"}]}"#));
        assert!(refused(r#"{"targets": [{"child": {"name": ""}}]}"#));
    }

    #[test]
    fn misspelt_capabilities_and_fields_are_refused() {
        assert!(refused(r#"{"targets": [{"capabilities": ["SYS_PTRACE"]}]}"#));
        assert!(refused(r#"{"process": {"capabilities": ["CAP_SYS_PTRACES"]}}"#));
        assert!(refused(r#"{"targets": [{"environment": {}}]}"#));
        assert!(refused(r#"{"probe_has": {"tokens": true}}"#));
    }
}
