//! Opens the files that a subject's settings name, as the subject would: with its ids, or by the judge's word if the probe cannot
//! take its ids. The token file needs more and has its own observer.

use super::credentials;
use super::root::{READ, Root, names};
use super::token_file::links_protected;
use super::walk::{SHOWS_ITS_READER, errno_name};
use crate::collect::subject::Subject;
use credprobe_judge::evidence::{Process, TokenFile, UnreadableFile};
use std::fs::File;
use std::io;

/// The judge's word on whether a file may be read, from what the kernel shows of the path to it.
pub type MayRead<'a> = &'a (dyn Fn(&TokenFile) -> bool + Sync);

/// Opens files in a root with the subject's rights only.
pub struct Files<'a> {
    root: &'a Root,
    /// `None`: this thread has the subject's ids, so the kernel decides.
    may_read: Option<MayRead<'a>>,
}

/// Why a file was not opened.
#[derive(Debug)]
pub struct NotOpened {
    pub error: io::Error,
    /// True if only the probe failed: the subject might have opened the file.
    pub by_probe: bool,
}

impl From<NotOpened> for io::Error {
    fn from(not_opened: NotOpened) -> Self {
        not_opened.error
    }
}

/// Runs `work` with the rights of `process`, on a separate thread if they differ from this process's.
pub fn with_rights_of<T: Send>(
    process: &Process,
    root: &Root,
    may_read: MayRead<'_>,
    work: impl Fn(&Files<'_>) -> T + Sync,
) -> T {
    let by_kernel = Files { root, may_read: None };
    if credentials::are_own(process) {
        return work(&by_kernel);
    }
    let switched = credentials::as_ids(process, || work(&by_kernel));
    switched.unwrap_or_else(|_| work(&Files { root, may_read: Some(may_read) }))
}

impl Files<'_> {
    /// Reads at most `limit` bytes.
    ///
    /// # Errors
    /// Those of `open(2)` and `read(2)`, or the judge's refusal.
    pub fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        // For example `/dev/stdin`: another process's terminal or device would become the probe's own.
        if !self.root.is_own() && !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        super::bounded(file, limit)
    }

    /// The names in a directory.
    ///
    /// # Errors
    /// Those of `open(2)` and `getdents(2)`, or the judge's refusal.
    pub fn names(&self, folder: &str, at_most: usize) -> io::Result<Vec<String>> {
        names(self.open(folder)?, at_most)
    }

    fn open(&self, path: &str) -> Result<File, NotOpened> {
        let Some(may_read) = self.may_read else {
            return self.root.open(path).map_err(|error| {
                let by_probe = error.raw_os_error() == Some(SHOWS_ITS_READER as i32);
                NotOpened { error, by_probe }
            });
        };
        let of_probe = |error| NotOpened { error, by_probe: true };
        let walk = self.root.find(path);
        let end = walk.end.map_err(of_probe)?;
        let way = TokenFile {
            components: walk.components,
            links_protected: links_protected(),
            ..TokenFile::default()
        };
        if !may_read(&way) {
            return Err(NotOpened { error: nix::errno::Errno::EACCES.into(), by_probe: false });
        }
        end.open(READ).map_err(of_probe)
    }
}

/// A file that settings or the C library name, other than the token file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A variable with one path.
    File(&'static str),
    /// A variable with a list of directories, in the form of `PATH`.
    Folders(&'static str),
    /// A path that is the same for every process.
    Fixed(&'static str),
}

/// All such files. Each is opened with the subject's rights, and reported if these do not suffice.
pub const NAMED: &[Named] = &[
    Named::File("AWS_CONFIG_FILE"),
    Named::File("AWS_SHARED_CREDENTIALS_FILE"),
    Named::File("AWS_CA_BUNDLE"),
    Named::File("SSL_CERT_FILE"),
    Named::Folders("SSL_CERT_DIR"),
    Named::Fixed("/etc/hosts"),
    Named::Fixed("/etc/resolv.conf"),
];

/// How many folders of one variable are tried. Each costs one or two system calls even if it does not exist.
const FOLDERS_LIMIT: usize = 100;

/// The folders of a variable.
pub(super) fn folders<'s>(subject: &'s Subject, variable: &str) -> impl Iterator<Item = &'s str> {
    let folders = subject.text(variable).unwrap_or_default().split(':');
    folders.filter(|folder| !folder.is_empty()).take(FOLDERS_LIMIT)
}

impl Named {
    fn paths(self, subject: &Subject) -> Vec<(&'static str, &str)> {
        match self {
            Self::File(variable) => subject.text(variable).map(|path| (variable, path)).into_iter().collect(),
            Self::Folders(variable) => folders(subject, variable).map(|folder| (variable, folder)).collect(),
            Self::Fixed(path) => vec![(path, path)],
        }
    }
}

/// Errors that concern rights. `EXDEV`: the path leads into `/proc`, which shows each reader itself.
pub(super) const RIGHTS: &[&str] = &["EACCES", "EPERM", "EXDEV"];

/// The files that the subject may not read, or the probe may not read on its behalf. A missing file is not among them.
#[must_use]
pub fn unreadable(subject: &Subject) -> Vec<UnreadableFile> {
    let paths: Vec<(&str, &str)> = NAMED.iter().flat_map(|named| named.paths(subject)).collect();
    subject.with_rights(|files| {
        let mut unreadable = Vec::new();
        for (source, path) in &paths {
            let Err(NotOpened { error, by_probe }) = files.open(path) else { continue };
            let error = errno_name(&error);
            if RIGHTS.contains(&&*error) {
                let (source, path) = ((*source).to_owned(), (*path).to_owned());
                unreadable.push(UnreadableFile { source, path, error, by_probe });
            }
        }
        unreadable
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes files")]
mod tests {
    use super::*;

    /// No process can take the largest id, so only the judge's word is left.
    fn nobody() -> Process {
        Process { uid: u32::MAX, gid: u32::MAX, ..Process::default() }
    }

    #[test]
    fn without_the_ids_the_judges_word_decides_for_files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config"), "content").unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let root = Root::own().unwrap();
        for allowed in [true, false] {
            let asked = std::sync::Mutex::new(Vec::new());
            let may_read = |way: &TokenFile| {
                asked.lock().unwrap().push(way.components.last().unwrap().path.clone());
                allowed
            };
            let (read, names, missing) = with_rights_of(&nobody(), &root, &may_read, |files| {
                let read = files.read(&path("config"), 100).map_err(|error| errno_name(&error));
                let names = files.names(&path(""), 10).map_err(|error| errno_name(&error));
                (read, names, files.open(&path("missing")).unwrap_err())
            });
            let expected = |text: &str| if allowed { Ok(text.to_owned()) } else { Err("EACCES".to_owned()) };
            assert_eq!(read.map(|bytes| String::from_utf8(bytes).unwrap()), expected("content"));
            assert_eq!(names.map(|names| names.concat()), expected("config"));
            assert_eq!((errno_name(&missing.error).as_str(), missing.by_probe), ("ENOENT", true));
            assert_eq!(asked.into_inner().unwrap().len(), 2);
        }
    }

    #[test]
    fn of_another_root_only_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&folder.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let root = Root::of(File::open(folder.path()).unwrap().into());
        let own = super::super::ids(&crate::collect::subject::SubjectSelector::Own, None);
        let read = with_rights_of(&own, &root, &|_| true, |files| files.read("fifo", 100));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
