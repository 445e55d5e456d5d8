//! The root directory for a subject's paths: ours, or that of another process (`/proc/PID/root`).
//! Links, including absolute ones, and `..` never lead out of it.

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
    /// The root of this process. Paths that do not start with `/` are relative to its working directory.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn own() -> io::Result<Self> {
        let directory = rustix::fs::open("/", DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { directory: File::from(directory), own: true, process: None })
    }

    /// Another root. Paths that do not start with `/` are relative to it.
    #[must_use]
    pub fn of(directory: OwnedFd) -> Self {
        Self { directory: File::from(directory), own: false, process: None }
    }

    /// Adds the process whose root this is, held by its directory in `/proc`.
    #[must_use]
    pub fn with_process(self, process: OwnedFd) -> Self {
        Self { process: Some(File::from(process)), ..self }
    }

    /// The mount table of the process (proc_pid_mountinfo(5)).
    pub(super) fn mount_table(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let table = match &self.process {
            Some(process) => rustix::fs::openat(process, "mountinfo", flags, Mode::empty()),
            None if self.own => rustix::fs::open("/proc/self/mountinfo", flags, Mode::empty()),
            None => Err(Errno::NOENT),
        };
        Ok(File::from(table?))
    }

    /// Whether paths mean the same here as for this process.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Opens for reading. A FIFO cannot block the probe, and a terminal does not become its controlling terminal.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open(&self, path: &str) -> io::Result<File> {
        self.open_with(path, READ)
    }

    /// Every component from the root on, through links, up to the first one that cannot be observed.
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

    /// The target of a symbolic link, as stored.
    ///
    /// # Errors
    /// `EINVAL` if it is not a link; else those of `open(2)`.
    pub fn read_link(&self, path: &str) -> io::Result<PathBuf> {
        let link = self.link(path)?;
        if link.metadata()?.is_symlink() { link_target(&link) } else { Err(Errno::INVAL.into()) }
    }

    /// Holds the object at `path` by O_PATH. Does not follow a link.
    pub(super) fn link(&self, path: &str) -> io::Result<File> {
        self.open_with(path, OFlags::PATH | OFlags::NOFOLLOW)
    }

    /// Whether `path` is a directory, through links.
    ///
    /// # Errors
    /// Those of `open(2)`, but not if the path is missing or is not a directory.
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
            // Open it as the subject itself does, also through `/dev/stdin` and similar links.
            return Ok(File::from(rustix::fs::openat(CWD, path, flags, Mode::empty())?));
        }
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = match rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve) {
            Ok(file) => File::from(file),
            // Linux before 5.6, an older seccomp profile, or a concurrent rename while `..` was resolved.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::XDEV) => {
                self.open_by_walking(path, flags)?
            }
            // Behind `/proc/self` the kernel's answer would be about the probe.
            Err(error) => return Err(self.refusal(path).unwrap_or(error.into())),
        };
        if shows_its_reader(&opened) { Err(SHOWS_ITS_READER.into()) } else { Ok(opened) }
    }

    /// The error with which our own walk ends, if it is ours and not the kernel's.
    fn refusal(&self, path: &str) -> Option<io::Error> {
        let refused = |error: &io::Error| error.raw_os_error() == Some(SHOWS_ITS_READER as i32);
        self.find(path).end.err().filter(refused)
    }

    /// Like `openat2`, except that `fs.protected_symlinks` has no effect, because the kernel follows no link here.
    fn open_by_walking(&self, path: &str, flags: OFlags) -> io::Result<File> {
        let keep = flags.contains(OFlags::NOFOLLOW);
        let last = if keep { LastLink::Keep } else { LastLink::Follow };
        walk(&self.directory, self.own, Path::new(path), last).end?.open(flags)
    }
}

/// The names in a directory, without `.` and `..`, in the kernel's order.
///
/// # Errors
/// Those of `getdents(2)`.
pub(super) fn names(directory: File, at_most: usize) -> io::Result<Vec<String>> {
    let entries = rustix::fs::Dir::new(directory)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))).take(at_most).collect()
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
pub(super) const READ: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

#[cfg(test)]
mod tests;
