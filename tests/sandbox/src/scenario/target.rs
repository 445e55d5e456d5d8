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
    /// By how many bytes meaningless variables enlarge the environment.
    pub(crate) env_bytes: usize,
    /// Entries that need not be UTF-8, nor have the form `name=value`.
    pub(crate) env_base64: Vec<String>,
    /// The user who started it, if it has the rights of another: a set-uid program.
    pub(crate) real_uid: Option<u32>,
    /// As after `unshare -U -r`: root of its own user namespace, with every capability there.
    pub(crate) user_namespace: bool,
    /// Files in its root alone, by path. They cover files that exist already.
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

/// A file for a target or for the command. A scenario may write only its text.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Written")]
pub(crate) struct LaidFile {
    pub(crate) text: String,
    /// It is a symbolic link to this path.
    pub(crate) link: Option<String>,
    /// The mode, in octal. The file belongs to root.
    pub(crate) mode: String,
}

/// A file as a scenario writes it.
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
    /// Ended, but its parent has not waited for it.
    Zombie,
    /// Ended and waited for; its PID stays unused.
    Exits,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PidNamespace {
    /// The first target's namespace, in which it is PID 1.
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
    /// Other users' processes are hidden.
    Hidepid,
    Missing,
}

/// What the command has of the things that the webhook injects, if there are targets. An ephemeral container has none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProbeHas {
    pub(crate) env: bool,
    pub(crate) token: bool,
}

/// The kernel's limit for `comm`, without the zero byte at the end.
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

    /// Refuses targets that no kernel would run in this way.
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
