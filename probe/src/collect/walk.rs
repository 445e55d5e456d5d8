//! Walks a path one component at a time inside a root that is not ours. Links never lead out of it.
//! Records every component; opens nothing for reading.

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

/// How many links the kernel allows in a path (path_resolution(7)).
const LINK_LIMIT: usize = 40;

/// The longest path that the kernel accepts, in bytes (`linux/limits.h`).
const PATH_LIMIT: usize = 4096;

/// How many components are recorded. 40 links can make a path of megabytes, which nobody intends.
pub(super) const COMPONENT_LIMIT: usize = 512;

/// The error for a path that enters `/proc` of another root. Much of `/proc` shows each reader itself (`self`, `thread-self`, the
/// reader's own pid), and the reader would be the probe. Nobody keeps settings or tokens there.
pub(super) const SHOWS_ITS_READER: Errno = Errno::EXDEV;

/// Whether the file is in a process table, wherever that is mounted and however the path got there.
pub(super) fn shows_its_reader(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|of| of.f_type == PROC_SUPER_MAGIC)
}

/// A path as far as it could be followed.
pub(super) struct Walk {
    pub(super) components: Vec<PathComponent>,
    /// What the path leads to, or why it leads nowhere.
    pub(super) end: io::Result<End>,
}

/// The object at the end of a path, held by O_PATH.
pub(super) struct End {
    pub(super) file: File,
    /// `None`: it is the root.
    directory: Option<File>,
    name: OsString,
}

impl End {
    /// Opens it in its directory, with the caller's rights. If a link has replaced it meanwhile, that is an error.
    pub(super) fn open(&self, flags: OFlags) -> io::Result<File> {
        match &self.directory {
            _ if self.file.metadata()?.is_dir() => at(&self.file, ".", flags),
            Some(directory) => at(directory, &self.name, flags | OFlags::NOFOLLOW),
            None => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}

/// Whether to follow a link in the last component.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LastLink {
    Follow,
    Keep,
}

/// Walks `path` inside `root`. A leading `/`, in the path or in a link, means that root. `own`: the root is the caller's, so
/// `/proc` there shows the caller.
pub(super) fn walk(root: &File, own: bool, path: &Path, last: LastLink) -> Walk {
    let mut way =
        Way { root, own, directories: Vec::new(), path: PathBuf::from("/"), components: Vec::new() };
    let end = way.follow(path, last);
    Walk { components: way.components, end }
}

/// The state of a walk.
struct Way<'a> {
    root: &'a File,
    own: bool,
    /// The directories entered so far, so that `..` never has to ask the kernel.
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

    /// Goes up one directory, but never above the root.
    fn leave(&mut self) -> io::Result<()> {
        // The kernel checks search permission here too.
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

    /// Records the error with the last component.
    fn refused<T>(&mut self, errno: Errno) -> io::Result<T> {
        let error = io::Error::from(errno);
        if let Some(component) = self.components.last_mut() {
            component.error = Some(errno_name(&error));
        }
        Err(error)
    }
}

/// Opens `name` in `directory`.
fn at(directory: impl AsFd, name: impl rustix::path::Arg, flags: OFlags) -> io::Result<File> {
    let opened = rustix::fs::openat(directory, name, flags | OFlags::CLOEXEC, Mode::empty())?;
    Ok(File::from(opened))
}

/// The target of a link that is held by O_PATH.
pub(super) fn link_target(link: &File) -> io::Result<PathBuf> {
    let target = rustix::fs::readlinkat(link, "", Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// `/` if the path is absolute, then names and `..`.
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
        // A link has no permissions.
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

/// `EACCES`, `ENOENT` …; the error's text if it has no number.
pub(super) fn errno_name(error: &io::Error) -> String {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().to_string(), |number| format!("{:?}", Errno::from_raw(number)))
}
