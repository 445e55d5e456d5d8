//! The token file as the kernel shows it: path, owner, mode, errors. Never its content.

use serde::{Deserialize, Serialize};

/// In characters. STS accepts tokens of 4 to 20,000 characters (STS API, WebIdentityToken).
pub const TOKEN_LIMIT: u64 = 20_000;

/// What was observed at the path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// As given, not resolved.
    pub path: String,
    /// Each directory and link on the way, then the file. Ends at the first one that cannot be observed.
    pub components: Vec<PathComponent>,
    /// The operating system's name of the error of `open` (`EACCES`). If the probe could not take the subject's ids (no `proof`), the
    /// error on the way to the file. `None`: there was no error.
    pub open_error: Option<String>,
    /// Who tried to open it, with which result. `None`: the probe could not take the subject's ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// `fs.protected_symlinks` (proc_sys_fs(5)); `None`: it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links_protected: Option<bool>,
    /// Of the opened file, else of the file at the end of `components`.
    pub kind: Option<FileKind>,
    /// Permission bits, including set-id and sticky bits.
    pub mode: Option<u32>,
    /// The user that owns it.
    pub uid: Option<u32>,
    /// The group that owns it.
    pub gid: Option<u32>,
    /// The number of hard links. 0: the file was deleted, and only a mount keeps it.
    pub links: Option<u64>,
    /// The mount of the file itself, if it is one (a subPath). `None`: it is in a mounted directory.
    pub file_mount: Option<Mount>,
    /// In bytes.
    pub size: Option<u64>,
    /// In seconds since the epoch.
    pub modified: Option<i64>,
    /// The target of `..data` next to the file. The kubelet names it after the UTC time of the last rotation.
    pub data_link: Option<String>,
    /// Whether the kubelet's volume holds only the token. `None`: it is not such a volume, or cannot be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<bool>,
    /// The operating system's name of the error that reading `..data` gave. `None`: it was read, or does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_link_error: Option<String>,
    /// The operating system's name of the error that reading gave.
    pub read_error: Option<String>,
}

/// The result of a real `open`. Unlike a model, it also meets SELinux, AppArmor and the rules of other file systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Whose ids were used to open the file.
    pub by: Opener,
    /// The operating system's name of the error; `None`: it opened.
    pub error: Option<String>,
}

/// Whose ids were used to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Opener {
    /// The probe's own ids, which equal the subject's.
    OwnIds,
    /// The subject's ids, which the probe took.
    AsSubject,
}

/// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// The mount point.
    pub point: String,
    /// The part of the file system that is mounted. Ends in `//deleted` if that was deleted.
    pub root: String,
    /// `tmpfs`, `overlay`, …
    pub file_system: String,
}

/// One component of the path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PathComponent {
    /// The absolute path up to and including this component, with all links before it resolved.
    pub path: String,
    /// `None`: it could not be observed; see `error`.
    pub kind: Option<FileKind>,
    /// The permission bits.
    pub mode: Option<u32>,
    /// The user that owns it.
    pub uid: Option<u32>,
    /// The group that owns it.
    pub gid: Option<u32>,
    /// The target of a symbolic link, as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// No component comes after it, neither from the path nor from a link before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// The POSIX access control list. Empty: it has none beyond its mode, or its file system does not support them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acl: Vec<AclEntry>,
    /// The operating system's name of the error (`ENOENT`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An entry of a POSIX access control list (acl(5)). If a file has a list, the mode's group bits are the mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AclEntry {
    /// Whom the entry concerns.
    pub tag: AclTag,
    /// Only for `user` and `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// 4 read, 2 write, 1 execute or search.
    pub permissions: u8,
}

/// Whom an entry concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AclTag {
    /// The user that owns the file.
    UserOwner,
    /// One more user, by id.
    User,
    /// The group that owns the file.
    GroupOwner,
    /// One more group, by id.
    Group,
    /// The most that entries of `user`, `group` and `group-owner` can grant.
    Mask,
    /// All others.
    Other,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// FIFO, socket or device.
    Special,
}
