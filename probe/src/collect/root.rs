//! The directory in which a subject's paths resolve: ours, or that of another process (`/proc/PID/root`).
//! Links, absolute ones too, and `..` stay inside of it.

use super::walk::{LastLink, SHOWS_ITS_READER, Walk, link_target, shows_its_reader, walk};
use crate::process::aside::looking_at;
use credprobe_judge::evidence::PathComponent;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A root directory, held by O_PATH.
pub struct Root {
    directory: File,
    own: bool,
    /// The process's directory in `/proc`.
    process: Option<File>,
}

impl Root {
    /// This process's. Paths that do not start with `/` are relative to its working directory.
    ///
    /// # Errors
    /// As `open(2)` says.
    pub fn own() -> io::Result<Self> {
        let directory = rustix::fs::open("/", DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { directory: File::from(directory), own: true, process: None })
    }

    /// Another one. Paths that do not start with `/` are relative to it.
    #[must_use]
    pub fn of(directory: OwnedFd) -> Self {
        Self { directory: File::from(directory), own: false, process: None }
    }

    /// The same, with the process whose root it is, held by its directory in `/proc`.
    #[must_use]
    pub fn with_process(self, process: OwnedFd) -> Self {
        Self { process: Some(File::from(process)), ..self }
    }

    /// What is mounted where below it (proc_pid_mountinfo(5)).
    pub(super) fn mount_table(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let table = match &self.process {
            Some(process) => rustix::fs::openat(process, "mountinfo", flags, Mode::empty()),
            None if self.own => rustix::fs::open("/proc/self/mountinfo", flags, Mode::empty()),
            None => Err(Errno::NOENT),
        };
        Ok(File::from(table?))
    }

    /// Whether paths mean here what they mean to this process.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Opens for reading. A FIFO or a terminal neither holds the probe up nor becomes its controlling one.
    ///
    /// # Errors
    /// As `open(2)` says.
    pub fn open(&self, path: &str) -> io::Result<File> {
        self.open_with(path, READ)
    }

    /// Every component from the root on, through links, up to the first that cannot be looked at.
    #[must_use]
    pub fn walk(&self, path: &str) -> Vec<PathComponent> {
        self.find(path).components
    }

    pub(super) fn find(&self, path: &str) -> Walk {
        looking_at(path);
        let walked = if self.own { std::path::absolute(path) } else { Ok(PathBuf::from(path)) };
        match walked {
            Ok(path) => walk(&self.directory, self.own, &path, LastLink::Follow),
            Err(error) => Walk { components: Vec::new(), end: Err(error) },
        }
    }

    /// Where a symbolic link points, as stored.
    ///
    /// # Errors
    /// `EINVAL` where there is no link; else as `open(2)` says.
    pub fn read_link(&self, path: &str) -> io::Result<PathBuf> {
        let link = self.link(path)?;
        if link.metadata()?.is_symlink() { link_target(&link) } else { Err(Errno::INVAL.into()) }
    }

    /// What stands there, held by O_PATH; a link is not followed.
    pub(super) fn link(&self, path: &str) -> io::Result<File> {
        self.open_with(path, OFlags::PATH | OFlags::NOFOLLOW)
    }

    /// Whether it is a directory, through links.
    ///
    /// # Errors
    /// As `open(2)` says, save that nothing or no directory is there.
    pub fn is_dir(&self, path: &str) -> io::Result<bool> {
        match self.open_with(path, DIRECTORY) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn open_with(&self, path: &str, flags: OFlags) -> io::Result<File> {
        looking_at(path);
        let flags = flags | OFlags::CLOEXEC;
        if self.own {
            // As the subject itself opens it, through `/dev/stdin` and the like too.
            return Ok(File::from(rustix::fs::openat(CWD, path, flags, Mode::empty())?));
        }
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = match rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve) {
            Ok(file) => File::from(file),
            // Before Linux 5.6; a seccomp profile older than that; a rename elsewhere while `..` was resolved.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::XDEV) => {
                self.open_by_walking(path, flags)?
            }
            // Beyond `/proc/self` the kernel's answer is about the probe.
            Err(error) => return Err(self.refusal(path).unwrap_or(error.into())),
        };
        if shows_its_reader(&opened) { Err(SHOWS_ITS_READER.into()) } else { Ok(opened) }
    }

    /// Why the path is not followed to its end, where that is not the kernel's doing.
    fn refusal(&self, path: &str) -> Option<io::Error> {
        let refused = |error: &io::Error| error.raw_os_error() == Some(SHOWS_ITS_READER as i32);
        self.find(path).end.err().filter(refused)
    }

    /// Like `openat2`, save that `fs.protected_symlinks` does not count: the kernel follows no link here.
    fn open_by_walking(&self, path: &str, flags: OFlags) -> io::Result<File> {
        let keep = flags.contains(OFlags::NOFOLLOW);
        let last = if keep { LastLink::Keep } else { LastLink::Follow };
        walk(&self.directory, self.own, Path::new(path), last).end?.open(flags)
    }
}

/// The names in a directory, without `.` and `..`, in the kernel's order.
///
/// # Errors
/// As `getdents(2)` says.
pub(super) fn names(directory: File, at_most: usize) -> io::Result<Vec<String>> {
    let entries = rustix::fs::Dir::new(directory)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))).take(at_most).collect()
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
pub(super) const READ: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

#[cfg(test)]
mod tests;
