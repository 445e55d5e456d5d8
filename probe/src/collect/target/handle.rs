//! Holds a process by its directory in `/proc` and reads its files relative to that.
//! If the pid is reused meanwhile, nothing is mixed up: the files of the dead process answer ESRCH or ENOENT.

use super::environ;
use super::environ::Environment;
use super::status;
use crate::process::aside::looking_at;
use credprobe_judge::evidence::target::{Owner, Status};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, fstatat};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

/// In bytes. `status` has 2 kB, plus 6 bytes for each supplementary group.
const STATUS_LIMIT: u64 = 64 * 1024;

const CGROUP_LIMIT: u64 = 16 * 1024;

/// In bytes. TASK_COMM_LEN is 16; kernel threads show up to 64.
const COMM_LIMIT: u64 = 64;

/// The directory and its path.
pub(super) struct Handle(OwnedFd, String);

impl Handle {
    pub(super) fn open(proc: &Path, name: &str) -> Result<Self, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let path = proc.join(name);
        let directory = open(&path, flags, Mode::empty())?;
        Ok(Self(directory, path.to_string_lossy().into_owned()))
    }

    /// The parsed status. EBADMSG: it is not in the kernel's format.
    pub(super) fn status(&self) -> Result<Status, Errno> {
        status::parse(&self.read("status", STATUS_LIMIT)?).ok_or(Errno::EBADMSG)
    }

    pub(super) fn comm(&self) -> String {
        let comm = self.read("comm", COMM_LIMIT).unwrap_or_default();
        String::from_utf8_lossy(comm.strip_suffix(b"\n").unwrap_or(&comm)).into_owned()
    }

    /// Empty if it cannot be read: an empty text distinguishes no containers.
    pub(super) fn cgroup(&self) -> Vec<u8> {
        self.read("cgroup", CGROUP_LIMIT).unwrap_or_default()
    }

    pub(super) fn environment(&self, budget: &mut u64) -> Result<Environment, Errno> {
        // This is read from the process's memory, and a page fault there can block forever.
        looking_at(&format!("{}/environ", self.1));
        environ::read(self.file("environ")?, budget).map_err(|error| errno(&error))
    }

    pub(super) fn environ_owner(&self) -> Option<Owner> {
        let seen = fstatat(&self.0, "environ", AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
        Some(Owner { uid: seen.st_uid, gid: seen.st_gid })
    }

    /// The root directory itself, through the kernel's link, whose text would be `/`.
    pub(super) fn root(&self) -> Result<OwnedFd, Errno> {
        openat(&self.0, "root", OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
    }

    /// Device and inode of the user namespace. `None`: this kernel has no user namespaces.
    pub(super) fn user_namespace(&self) -> Result<Option<(u64, u64)>, Errno> {
        match fstatat(&self.0, "ns/user", AtFlags::empty()) {
            Ok(seen) => Ok(Some((seen.st_dev, seen.st_ino))),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn into_fd(self) -> OwnedFd {
        self.0
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::new();
        let read = self.file(name)?.take(limit).read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|error| errno(&error))
    }

    fn file(&self, name: &str) -> Result<File, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        openat(&self.0, name, flags, Mode::empty()).map(File::from)
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
