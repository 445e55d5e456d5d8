//! Walks a path one component at a time inside a root that is not ours: links never lead out of it.
//! Notes what stands on the way; nothing is opened for reading.

use super::acl;
use credprobe_judge::evidence::{FileKind, PathComponent};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

/// How many links a path may have, as the kernel allows (path_resolution(7)).
const LINK_LIMIT: usize = 40;

/// The longest path that the kernel takes (`linux/limits.h`).
const PATH_LIMIT: usize = 4096;

/// The most components that are noted: 40 links can make a path of megabytes, which nobody means.
pub(super) const COMPONENT_LIMIT: usize = 512;

/// What a way into `/proc` of another root ends with: much of it shows each reader itself (`self`, `thread-self`, the
/// reader's own pid), and the reader would be the probe. Nobody keeps settings or tokens there.
pub(super) const SHOWS_ITS_READER: Errno = Errno::EXDEV;

/// Whether it lies in a process table, wherever that is mounted and whatever led there.
pub(super) fn shows_its_reader(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|of| of.f_type == PROC_SUPER_MAGIC)
}

/// A path as far as it led.
pub(super) struct Walk {
    pub(super) components: Vec<PathComponent>,
    /// What the path leads to, or why it leads nowhere.
    pub(super) end: io::Result<End>,
}

/// What stands at the end of a path, held by O_PATH.
pub(super) struct End {
    pub(super) file: File,
    /// `None`: it is the root.
    directory: Option<File>,
    name: OsString,
}

impl End {
    /// Opens it where it lies, with the rights of the caller; a link that took its place since is an error.
    pub(super) fn open(&self, flags: OFlags) -> io::Result<File> {
        match &self.directory {
            _ if self.file.metadata()?.is_dir() => at(&self.file, ".", flags),
            Some(directory) => at(directory, &self.name, flags | OFlags::NOFOLLOW),
            None => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}

/// Whether a link that stands last is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LastLink {
    Follow,
    Keep,
}

/// Walks `path` inside `root`: a leading `/`, in the path or in a link, is the root. `own`: the root is the caller's, whose
/// `/proc` means the caller.
pub(super) fn walk(root: &File, own: bool, path: &Path, last: LastLink) -> Walk {
    let mut way =
        Way { root, own, directories: Vec::new(), path: PathBuf::from("/"), components: Vec::new() };
    let end = way.follow(path, last);
    Walk { components: way.components, end }
}

/// From the root to where the walk stands.
struct Way<'a> {
    root: &'a File,
    own: bool,
    /// The directories that were entered, so that `..` is the one before and never a question to the kernel.
    directories: Vec<File>,
    path: PathBuf,
    components: Vec<PathComponent>,
}

impl Way<'_> {
    fn follow(&mut self, path: &Path, last: LastLink) -> io::Result<End> {
        if path.as_os_str().len() >= PATH_LIMIT {
            return Err(Errno::ENAMETOOLONG.into());
        }
        let mut pending = parts(path);
        if pending.front().is_none_or(|part| part != "/") {
            pending.push_front(OsString::from("/"));
        }
        let mut links = 0;
        while let Some(part) = pending.pop_front() {
            if self.components.len() >= COMPONENT_LIMIT {
                return Err(Errno::ENAMETOOLONG.into());
            }
            if part == "/" {
                self.enter_root()?;
                continue;
            }
            if part == ".." {
                self.leave()?;
                continue;
            }
            let is_end = pending.is_empty();
            let (file, metadata) = self.note(&part, is_end)?;
            if !metadata.is_symlink() || (is_end && last == LastLink::Keep) {
                if is_end {
                    let directory = self.here().try_clone()?;
                    return Ok(End { file, directory: Some(directory), name: part });
                }
                self.directories.push(file);
                self.path.push(&part);
                continue;
            }
            links += 1;
            if links > LINK_LIMIT {
                return self.refused(Errno::ELOOP);
            }
            let target = link_target(&file)?;
            for part in parts(&target).into_iter().rev() {
                pending.push_front(part);
            }
        }
        Ok(End { file: self.here().try_clone()?, directory: None, name: OsString::new() })
    }

    fn here(&self) -> &File {
        self.directories.last().unwrap_or(self.root)
    }

    fn enter_root(&mut self) -> io::Result<()> {
        self.directories.clear();
        self.path = PathBuf::from("/");
        let component = describe(&self.path, self.root, &self.root.metadata()?);
        self.components.push(component);
        if self.hides(self.root) { self.refused(SHOWS_ITS_READER) } else { Ok(()) }
    }

    fn hides(&self, file: &File) -> bool {
        !self.own && shows_its_reader(file)
    }

    /// Goes up, but never above the root.
    fn leave(&mut self) -> io::Result<()> {
        // The kernel asks for search permission here too.
        if let Err(error) = at(self.here(), ".", OFlags::PATH) {
            return self.missing("..", error);
        }
        self.directories.pop();
        self.path.pop();
        if self.path.as_os_str().is_empty() {
            self.path.push("/");
        }
        let component = describe(&self.path, self.here(), &self.here().metadata()?);
        self.components.push(component);
        Ok(())
    }

    fn note(&mut self, part: &OsStr, last: bool) -> io::Result<(File, Metadata)> {
        let found = at(self.here(), part, OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        match found {
            Ok((file, _)) if self.hides(&file) => self.missing(part, SHOWS_ITS_READER.into()),
            Ok((file, metadata)) => {
                let component = describe(&self.path.join(part), &file, &metadata);
                self.components.push(PathComponent { last, ..component });
                Ok((file, metadata))
            }
            Err(error) => self.missing(part, error),
        }
    }

    fn missing<T>(&mut self, part: impl AsRef<Path>, error: io::Error) -> io::Result<T> {
        let path = self.path.join(part).to_string_lossy().into_owned();
        let error_name = Some(errno_name(&error));
        self.components.push(PathComponent { path, error: error_name, ..PathComponent::default() });
        Err(error)
    }

    /// Notes the error with the last component.
    fn refused<T>(&mut self, errno: Errno) -> io::Result<T> {
        let error = io::Error::from(errno);
        if let Some(component) = self.components.last_mut() {
            component.error = Some(errno_name(&error));
        }
        Err(error)
    }
}

/// Opens what lies in `directory` under this name.
fn at(directory: impl AsFd, name: impl rustix::path::Arg, flags: OFlags) -> io::Result<File> {
    let opened = rustix::fs::openat(directory, name, flags | OFlags::CLOEXEC, Mode::empty())?;
    Ok(File::from(opened))
}

/// Of a link that is held by O_PATH.
pub(super) fn link_target(link: &File) -> io::Result<PathBuf> {
    let target = rustix::fs::readlinkat(link, "", Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// `/` where it leads to the root, then names and `..`.
fn parts(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

fn describe(path: &Path, file: &File, metadata: &Metadata) -> PathComponent {
    let link = metadata.is_symlink().then(|| link_target(file).ok()).flatten();
    PathComponent {
        path: path.to_string_lossy().into_owned(),
        kind: Some(kind(metadata)),
        mode: Some(metadata.mode() & 0o7777),
        uid: Some(metadata.uid()),
        gid: Some(metadata.gid()),
        link: link.map(|link| link.to_string_lossy().into_owned()),
        // A link has no permissions of its own.
        acl: if metadata.is_symlink() { Vec::new() } else { acl::read(file) },
        ..PathComponent::default()
    }
}

pub(super) fn kind(metadata: &Metadata) -> FileKind {
    let kind = metadata.file_type();
    if kind.is_file() {
        FileKind::Regular
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Link
    } else {
        debug_assert!(kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device());
        FileKind::Special
    }
}

/// `EACCES`, `ENOENT` …; the error's own words where it has no number.
pub(super) fn errno_name(error: &io::Error) -> String {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().to_string(), |number| format!("{:?}", Errno::from_raw(number)))
}
