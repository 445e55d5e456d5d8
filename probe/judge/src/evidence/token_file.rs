//! The token file as the kernel shows it: path, owner, mode, errors; never its content.

use serde::{Deserialize, Serialize};

/// STS takes tokens of 4 to 20,000 characters (STS API, WebIdentityToken).
pub const TOKEN_LIMIT: u64 = 20_000;

/// What a look at the path gave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenFile {
    /// As given, not resolved.
    pub path: String,
    /// Each directory and link on the way, then the file; ends at the first that cannot be looked at.
    pub components: Vec<PathComponent>,
    /// The operating system's name of the error that `open` gave (`EACCES`), or, where nobody could open it with the
    /// subject's ids (no `proof`), that the way to it gave; `None`: neither gave one.
    pub open_error: Option<String>,
    /// Who tried to open it, and how that went; `None`: nobody could with the subject's ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// `fs.protected_symlinks` (proc_sys_fs(5)); `None`: it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links_protected: Option<bool>,
    /// Of the opened file, else of the file at the end of `components`.
    pub kind: Option<FileKind>,
    /// Permission bits, set-id and sticky bits included.
    pub mode: Option<u32>,
    /// The user that owns it.
    pub uid: Option<u32>,
    /// The group that owns it.
    pub gid: Option<u32>,
    /// Hard links; 0: the file was deleted, and only a mount keeps it.
    pub links: Option<u64>,
    /// The mount of the file itself, where it is one (a subPath); `None`: it lies in a mounted directory.
    pub file_mount: Option<Mount>,
    /// Bytes.
    pub size: Option<u64>,
    /// Seconds since the epoch.
    pub modified: Option<i64>,
    /// Where `..data` beside the file points: kubelet names it for the UTC time of the last rotation.
    pub data_link: Option<String>,
    /// Whether kubelet's volume holds the token and nothing else; `None`: it is no such volume, or cannot be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<bool>,
    /// The operating system's name of the error with which `..data` could not be looked at; `None`: it was, or it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_link_error: Option<String>,
    /// The operating system's name of the error that reading gave.
    pub read_error: Option<String>,
}

/// A real `open`: unlike a model, it meets SELinux, AppArmor and the rules of foreign file systems too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// With whose ids the file was opened.
    pub by: Opener,
    /// The operating system's name of the error; `None`: it opened.
    pub error: Option<String>,
}

/// With whose ids a file was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Opener {
    /// The probe's own, which are the subject's.
    OwnIds,
    /// The probe took the subject's.
    AsSubject,
}

/// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where it is mounted.
    pub point: String,
    /// What of the file system is mounted; ends in `//deleted` where that is gone.
    pub root: String,
    /// `tmpfs`, `overlay`, …
    pub file_system: String,
}

/// One component of the path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PathComponent {
    /// Absolute path up to and including this component, all links before it resolved.
    pub path: String,
    /// `None`: it could not be looked at; see `error`.
    pub kind: Option<FileKind>,
    /// The permission bits.
    pub mode: Option<u32>,
    /// The user that owns it.
    pub uid: Option<u32>,
    /// The group that owns it.
    pub gid: Option<u32>,
    /// Target of a symbolic link, as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Nothing of the path, or of a link before it, comes after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// POSIX access control list; empty: it has none beyond its mode, or its file system knows none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acl: Vec<AclEntry>,
    /// The operating system's name of the error (`ENOENT`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An entry of a POSIX access control list (acl(5)). Where there is a list, the mode's group bits are its mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AclEntry {
    /// Whom the entry is about.
    pub tag: AclTag,
    /// Of `user` and `group` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// 4 read, 2 write, 1 execute or search.
    pub permissions: u8,
}

/// Whom an entry is about.
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
    /// What the entries of `user`, `group` and `group-owner` can give at most.
    Mask,
    /// Everybody else.
    Other,
}

/// What stands at a path.
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
