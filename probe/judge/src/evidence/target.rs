//! What was observed of another process (`--target-pid`) and of the probe itself: the rule about who may look needs both.
//! Only names of the process's variables are kept here. The environment itself goes to the observers.

use serde::{Deserialize, Serialize};

/// Another process, as far as the kernel showed it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `auto`, or the pid asked for.
    pub asked: String,
    /// The probe itself. `None`: `/proc` says nothing.
    pub own: Option<Status>,
    /// Why `/proc` says nothing about the probe itself.
    pub proc_error: Option<String>,
    /// Kernel threads are visible, so the pid namespace is the node's.
    pub whole_node: bool,
    /// The chosen process. `None`: there is none, or there are too many.
    pub pid: Option<u32>,
    /// Its command name (`comm`), which may differ from the executed program.
    pub comm: String,
    /// `None`: it was never observed.
    pub status: Option<Status>,
    /// It is in another user namespace than the probe, or its namespace could not be observed. Then its capabilities do not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_user_namespace: bool,
    /// The errno of `status` (`EBADMSG`: it could not be parsed). If there is a `status` too, the process exited during the observation.
    pub status_error: Option<String>,
    /// Whether a signal would find the pid, whatever `/proc` shows; `None`: unknown.
    pub exists: Option<bool>,
    /// The owner of `environ`: the effective ids, or root if the process is not dumpable.
    pub environ_owner: Option<Owner>,
    /// The errno of `environ`.
    pub environment_error: Option<String>,
    /// The errno of `root`.
    pub root_error: Option<String>,
    /// The processes among which `auto` could not choose.
    pub candidates: Vec<Candidate>,
    /// Descendants whose variables differ from the chosen process's. Those that could not be read are not included.
    pub differing: Vec<Differing>,
    /// What was too long to be kept.
    pub truncated: Truncated,
}

/// The content of `/proc/PID/status`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Its process id.
    pub pid: u32,
    /// The process id of its parent.
    pub parent: u32,
    /// `running`, `sleeping`, `zombie`, … in the kernel's words.
    pub state: String,
    /// It is a kernel thread, which has no program.
    pub kernel_thread: bool,
    /// Its user ids.
    pub uid: Ids,
    /// Its group ids.
    pub gid: Ids,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Capabilities by the names of capabilities(7).
    pub effective: Vec<String>,
    /// Capabilities that it may enable.
    pub permitted: Vec<String>,
    /// The most capabilities that it can have.
    pub bounding: Vec<String>,
    /// Whether programs that it starts can gain no privileges.
    pub no_new_privileges: Option<bool>,
    /// Whether its system calls are filtered.
    pub seccomp: Option<Seccomp>,
}

impl Status {
    /// Whether it has ended, so that only its exit code is left.
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
    /// The id with which it acts.
    pub effective: u32,
    /// The id that it can return to.
    pub saved: u32,
    /// The id with which it opens files.
    pub file_system: u32,
}

impl Ids {
    /// Whether all four are the same. If not, another user than the one it acts as may have given it its environment.
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
    /// Only read, write and exit are allowed.
    Strict,
    /// A filter decides.
    Filter,
}

/// The owner of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The user id.
    pub uid: u32,
    /// The group id.
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

/// Whether something exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Sighting {
    /// It was found.
    Yes,
    /// It was looked for and does not exist.
    No,
    /// It could not be looked for.
    Unreadable,
}

/// A descendant with other variables than the chosen process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Differing {
    /// Its process id.
    pub pid: u32,
    /// The name of its program.
    pub comm: String,
    /// Names of the variables that differ, are missing or were added. Never values.
    pub variables: Vec<String>,
}

/// Which limits cut the observation off.
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
    /// The environment is larger than any that exec(2) makes, and was not used.
    pub environment: bool,
    /// Variables whose values were dropped, because they are too long or were cut off by the process itself.
    pub variables: Vec<String>,
}
