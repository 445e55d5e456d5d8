//! What was seen of another process (`--target-pid`), and of the probe beside it: the rule who may look needs both.
//! Of the process's variables only names are kept here; its environment itself goes to the observers.

use serde::{Deserialize, Serialize};

/// Another process, as far as the kernel showed it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `auto`, or the pid asked for.
    pub asked: String,
    /// The probe itself; `None`: `/proc` says nothing.
    pub own: Option<Status>,
    /// Why `/proc` says nothing of the probe itself.
    pub proc_error: Option<String>,
    /// Kernel threads are in sight: the pid namespace is the node's.
    pub whole_node: bool,
    /// The process chosen; `None`: none, or too many.
    pub pid: Option<u32>,
    /// Its command name (`comm`), not necessarily what was executed.
    pub comm: String,
    /// `None`: never seen.
    pub status: Option<Status>,
    /// It is in another user namespace than the probe, or which one could not be seen: its capabilities count for nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_user_namespace: bool,
    /// The errno of `status` (`EBADMSG`: not understood); with a `status`, it exited while it was looked at.
    pub status_error: Option<String>,
    /// Whether a signal would find the pid, whatever `/proc` shows; `None`: unknown.
    pub exists: Option<bool>,
    /// Owner of `environ`: the effective ids, or root where the process is not dumpable.
    pub environ_owner: Option<Owner>,
    /// The errno of `environ`.
    pub environment_error: Option<String>,
    /// The errno of `root`.
    pub root_error: Option<String>,
    /// Among which `auto` could not choose.
    pub candidates: Vec<Candidate>,
    /// Descendants whose variables are not the chosen process's; those that could not be read are not among them.
    pub differing: Vec<Differing>,
    /// What was too long to be kept.
    pub truncated: Truncated,
}

/// What `/proc/PID/status` tells of a process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Its process id.
    pub pid: u32,
    /// The process id of its parent.
    pub parent: u32,
    /// `running`, `sleeping`, `zombie`, … as the kernel words it.
    pub state: String,
    /// It has no program.
    pub kernel_thread: bool,
    /// Its user ids.
    pub uid: Ids,
    /// Its group ids.
    pub gid: Ids,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Capabilities by the names of capabilities(7).
    pub effective: Vec<String>,
    /// Capabilities that it may switch on.
    pub permitted: Vec<String>,
    /// Capabilities that it can have at most.
    pub bounding: Vec<String>,
    /// Whether a program that it starts can gain any.
    pub no_new_privileges: Option<bool>,
    /// Whether its system calls are filtered.
    pub seccomp: Option<Seccomp>,
}

impl Status {
    /// What is left of such a process is its exit code.
    #[must_use]
    pub fn has_exited(&self) -> bool {
        ["zombie", "dead"].contains(&self.state.as_str())
    }
}

/// The four ids of credentials(7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// Who started it.
    pub real: u32,
    /// As whom it acts.
    pub effective: u32,
    /// Whom it can go back to.
    pub saved: u32,
    /// As whom it opens files.
    pub file_system: u32,
}

impl Ids {
    /// Whether they are all the same: else whoever gave the process its environment may not be whose ids it uses.
    #[must_use]
    pub fn agree(&self) -> bool {
        [self.effective, self.saved, self.file_system] == [self.real; 3]
    }
}

/// The mode of seccomp(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Seccomp {
    /// Every call is allowed.
    Disabled,
    /// Only read, write and exit are.
    Strict,
    /// A filter decides.
    Filter,
}

/// Who owns a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The user that owns it.
    pub uid: u32,
    /// The group that owns it.
    pub gid: u32,
}

/// The entrypoint of one of several containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its process id.
    pub pid: u32,
    /// The name of its program.
    pub comm: String,
    /// Effective user id.
    pub uid: u32,
    /// Whether `AWS_ROLE_ARN` is set.
    pub role_arn: Sighting,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Sighting {
    /// It was seen.
    Yes,
    /// It was looked for, and is not there.
    No,
    /// It could not be looked for.
    Unreadable,
}

/// A descendant with other variables than the process chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Differing {
    /// Its process id.
    pub pid: u32,
    /// The name of its program.
    pub comm: String,
    /// Names of the variables that differ, are missing or were added; never a value.
    pub variables: Vec<String>,
}

/// Where a bound cut the view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Truncated {
    /// There are more processes than were listed.
    pub processes: bool,
    /// There are more candidates than were kept.
    pub candidates: bool,
    /// There are more descendants than were compared, or they differ in more than was kept.
    pub descendants: bool,
    /// The environment is larger than any that exec(2) makes; it was not used.
    pub environment: bool,
    /// Variables whose values were dropped: too long, or cut off by the process itself.
    pub variables: Vec<String>,
}
