//! Leaves the machine's mounts and network, with root's rights or with those of a user namespace.
//! This must happen before any thread starts, because the kernel moves only the calling thread.

use std::{
    fs,
    process::{Command, Stdio},
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::{getegid, geteuid, sethostname},
};

use crate::error::{Doing as _, Result};
use crate::scenario::POD;

/// The argument under which the sandbox tries isolation out in a process of its own.
pub(crate) const TRIAL: &str = "__try-isolation";

/// The rights with which the pod is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Privilege {
    /// Every owner and id is available.
    Root,
    /// Only one id is available: the caller's own.
    UserNamespace,
}

impl Privilege {
    /// The best that this machine grants. It is tried in another process, because a process cannot leave a half-made namespace.
    pub(crate) fn available() -> Option<Self> {
        let candidates: &[Self] =
            if geteuid().is_root() { &[Self::Root, Self::UserNamespace] } else { &[Self::UserNamespace] };
        candidates.iter().copied().find(|privilege| {
            let mut trial = Command::new("/proc/self/exe");
            trial.args([TRIAL, privilege.name()]).env_clear();
            trial.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            trial.status().is_ok_and(|status| status.success())
        })
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        [Self::Root, Self::UserNamespace].into_iter().find(|privilege| privilege.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::UserNamespace => "user-namespace",
        }
    }

    /// Gives the process its own mounts, an empty network of its own, and the pod's host name.
    pub(crate) fn isolate(self) -> Result<()> {
        let (uid, gid) = (geteuid(), getegid());
        let namespaces = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS;
        match self {
            Self::Root => {
                unshare(namespaces).doing(|| "failed to leave the mount and network namespaces".into())?
            }
            Self::UserNamespace => {
                unshare(namespaces | CloneFlags::CLONE_NEWUSER)
                    .doing(|| "failed to make a user namespace".into())?;
                // Without rights outside, a process can map only its own id, and its group only if it cannot change groups.
                for (file, text) in [
                    ("setgroups", "deny".to_owned()),
                    ("uid_map", format!("{uid} {uid} 1")),
                    ("gid_map", format!("{gid} {gid} 1")),
                ] {
                    let path = format!("/proc/self/{file}");
                    fs::write(&path, text).doing(|| format!("failed to write {path}"))?;
                }
            }
        }
        sethostname(POD).doing(|| format!("failed to name the host {POD}"))?;
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
            .doing(|| "failed to make the mounts private".into())
    }
}
