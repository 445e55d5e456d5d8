//! Observes the token file, opens it with the subject's ids without blocking, and reads a bounded part of it.
//! Errors are kept as the kernel gave them. The judge says which rule refuses whom.
#![expect(clippy::disallowed_methods, reason = "an observer: it reads files")]

use super::credentials;
use super::root::{Root, names};
use super::walk::{End, errno_name, kind};
use crate::transport::secret::Secret;
use credprobe_judge::evidence::{FileKind, Opener, Process, Proof, TOKEN_LIMIT, TokenFile};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

/// An observed token file, and the means to read it.
pub struct OpenedTokenFile {
    pub file: TokenFile,
    /// The file, opened with the subject's ids.
    opened: Option<File>,
    /// What the walk found. Used if the probe cannot take the subject's ids.
    found: Option<End>,
}

/// Observes `path` inside `root`, and opens it as `subject` would if that is possible.
#[must_use]
pub fn open_token_file(root: &Root, path: &str, subject: &Process) -> OpenedTokenFile {
    open_retrying_rotation(root, path, (!credentials::are_own(subject)).then_some(subject))
}

impl OpenedTokenFile {
    /// Reads the file that was opened with the subject's ids. If the probe could not take them, reads the file that the walk
    /// found, but only if `may_read`: the judge says that these ids may.
    #[must_use]
    pub fn read(self, may_read: bool) -> (TokenFile, Option<Secret>) {
        let Self { mut file, opened, found } = self;
        let read = match (opened, found) {
            _ if file.kind != Some(FileKind::Regular) => return (file, None),
            (Some(opened), _) => content(opened),
            // Reopen exactly the file that was judged, whatever the path leads to by now.
            (None, Some(end)) if file.proof.is_none() && may_read => reopen(&end.file).and_then(content),
            _ => return (file, None),
        };
        match read {
            Ok(bytes) => {
                // A file in /proc and similar file systems has content but no size.
                file.size = file.size.map(|size| size.max(bytes.len() as u64));
                (file, Some(Secret::new(bytes)))
            }
            Err(error) => {
                file.read_error = Some(errno_name(&error));
                (file, None)
            }
        }
    }
}

/// Looks again if the kubelet may be at work: for a moment after a rotation `..data` may point nowhere, and older kubelets
/// set owner and mode only then (kubernetes pkg/volume/util/atomic_writer.go).
fn open_retrying_rotation(root: &Root, path: &str, other: Option<&Process>) -> OpenedTokenFile {
    let first = open_once(root, path, other);
    if first.opened.is_some() {
        return first;
    }
    if first.file.open_error.as_deref() == Some("ENOENT") {
        return open_once(root, path, other);
    }
    if !just_rotated(root, path) {
        return first;
    }
    std::thread::sleep(PAUSE);
    open_once(root, path, other)
}

/// `other`: the subject, if its ids differ from ours.
fn open_once(root: &Root, path: &str, other: Option<&Process>) -> OpenedTokenFile {
    let walk = root.find(path);
    let opened = match other {
        None => Some((Opener::OwnIds, root.open(path))),
        Some(subject) => {
            let opened = credentials::as_ids(subject, || root.open(path));
            opened.ok().map(|opened| (Opener::AsSubject, opened))
        }
    };
    let (data_link, data_link_error) = data_link(root, path);
    let mut file = TokenFile {
        path: path.to_owned(),
        components: walk.components,
        alone: data_link.as_ref().and_then(|_| is_alone(root, path)),
        data_link,
        data_link_error,
        links_protected: links_protected(),
        ..TokenFile::default()
    };
    file.file_mount =
        file.components.last().and_then(|resolved| super::mounts::of_file(root, &resolved.path));
    let (opened, found) = match (opened, walk.end) {
        (Some((by, Ok(opened))), end) => {
            file.proof = Some(Proof { by, error: None });
            (Some(opened), end.ok())
        }
        (Some((by, Err(error))), end) => {
            file.open_error = Some(errno_name(&error));
            file.proof = Some(Proof { by, error: file.open_error.clone() });
            (None, end.ok())
        }
        (None, Ok(end)) => (None, Some(end)),
        (None, Err(error)) => {
            file.open_error = Some(errno_name(&error));
            (None, None)
        }
    };
    match opened.as_ref().or(found.as_ref().map(|end| &end.file)).map(File::metadata) {
        Some(Ok(metadata)) => describe(&mut file, &metadata),
        Some(Err(error)) => file.open_error = Some(errno_name(&error)),
        None => {}
    }
    OpenedTokenFile { file, opened, found }
}

fn describe(file: &mut TokenFile, metadata: &Metadata) {
    file.kind = Some(kind(metadata));
    file.mode = Some(metadata.mode() & 0o7777);
    file.uid = Some(metadata.uid());
    file.gid = Some(metadata.gid());
    file.links = Some(metadata.nlink());
    file.size = Some(metadata.size());
    file.modified = Some(metadata.mtime());
}

/// Reads one byte more than the limit, to show that the file is too long.
fn content(file: File) -> io::Result<Vec<u8>> {
    super::bounded(file, TOKEN_LIMIT + 1)
}

fn reopen(held: &File) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY);
    options.open(format!("/proc/self/fd/{}", held.as_raw_fd()))
}

fn data_path(path: &str) -> Option<String> {
    Some(Path::new(path).parent()?.join("..data").to_str()?.to_owned())
}

/// The target of `..data`, or why it could not be read although there may be a link.
fn data_link(root: &Root, path: &str) -> (Option<String>, Option<String>) {
    match data_path(path).map(|path| root.read_link(&path)) {
        Some(Ok(link)) => (Some(link.to_string_lossy().into_owned()), None),
        Some(Err(error)) => {
            let errno = errno_name(&error);
            (None, Some(errno).filter(|errno| !matches!(errno.as_str(), "ENOENT" | "ENOTDIR" | "EINVAL")))
        }
        None => (None, None),
    }
}

/// The kubelet rewrites the volume when any of its sources changes. So only a volume with a single source tells when the token came.
fn is_alone(root: &Root, path: &str) -> Option<bool> {
    let folder = Path::new(path).parent()?.to_str()?;
    let names = names(root.open(folder).ok()?, ENTRIES_LIMIT).ok()?;
    // Skip the volume's own entries: `..data` and the directory behind it.
    let visible = names.iter().filter(|name| !name.starts_with(".."));
    Some(names.len() < ENTRIES_LIMIT && visible.count() == 1)
}

/// The token, `..data`, and the directories before and after a rotation. More entries need not be listed.
const ENTRIES_LIMIT: usize = 8;

/// Whether `..data` is new.
fn just_rotated(root: &Root, path: &str) -> bool {
    let link = data_path(path).and_then(|path| root.link(&path).ok()?.metadata().ok());
    link.is_some_and(|link| (crate::process::clock::now() - link.mtime()).abs() <= SETTLES_WITHIN_SECONDS)
}

pub(super) fn links_protected() -> Option<bool> {
    let value = std::fs::read_to_string("/proc/sys/fs/protected_symlinks").ok()?;
    Some(value.trim() != "0")
}

/// How long after a rotation a refusal may be temporary.
const SETTLES_WITHIN_SECONDS: i64 = 2;

/// The kubelet needs microseconds; on a machine under load, milliseconds.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    fn token_file(path: &str) -> (TokenFile, Option<Secret>) {
        open_retrying_rotation(&Root::own().unwrap(), path, None).read(false)
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("credprobe-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn kubelets_layout_is_walked_through_its_links() {
        let folder = folder("layout");
        std::fs::create_dir_all(folder.join("..2026_11_21")).unwrap();
        std::fs::write(folder.join("..2026_11_21/token"), "abc").unwrap();
        let _ = symlink("..2026_11_21", folder.join("..data"));
        let _ = symlink("..data/token", folder.join("token"));
        let (seen, bytes) = token_file(folder.join("token").to_str().unwrap());
        assert_eq!(bytes.unwrap().expose(), b"abc");
        assert_eq!(seen.data_link.as_deref(), Some("..2026_11_21"));
        let last = seen.components.last().unwrap();
        assert!(last.path.ends_with("/..2026_11_21/token"), "{last:?}");
        assert_eq!((seen.kind, seen.size), (Some(FileKind::Regular), Some(3)));
    }

    #[test]
    fn a_volume_with_another_source_is_told_from_one_with_the_token_alone() {
        let folder = folder("alone");
        std::fs::create_dir_all(folder.join("..2026_11_21")).unwrap();
        std::fs::write(folder.join("..2026_11_21/token"), "abc").unwrap();
        let path = folder.join("token");
        let alone = || token_file(path.to_str().unwrap()).0.alone;
        let _ = symlink("..data/token", &path);
        assert_eq!(alone(), None, "not kubelet's volume");
        let _ = symlink("..2026_11_21", folder.join("..data"));
        assert_eq!(alone(), Some(true));
        std::fs::write(folder.join("ca.crt"), "x").unwrap();
        assert_eq!(alone(), Some(false));
    }

    #[test]
    fn what_is_missing_is_named_with_its_errno() {
        let path = folder("missing").join("no/token");
        let (seen, bytes) = token_file(path.to_str().unwrap());
        assert!(bytes.is_none());
        assert_eq!(seen.open_error.as_deref(), Some("ENOENT"));
        assert!(seen.components.last().unwrap().path.ends_with("/no"));
    }

    #[test]
    fn a_fifo_does_not_hold_the_probe_up() {
        let path = folder("fifo").join("token");
        let _ = nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU);
        let (seen, bytes) = token_file(path.to_str().unwrap());
        assert_eq!((seen.kind, bytes.is_none()), (Some(FileKind::Special), true));
    }

    #[test]
    fn a_loop_of_links_ends() {
        let folder = folder("loop");
        let _ = symlink("b", folder.join("a"));
        let _ = symlink("a", folder.join("b"));
        let (seen, _) = token_file(folder.join("a").to_str().unwrap());
        assert_eq!(seen.open_error.as_deref(), Some("ELOOP"));
    }

    #[test]
    fn reading_stops_one_byte_past_the_limit() {
        let path = folder("long").join("token");
        std::fs::write(&path, vec![b'a'; 50_000]).unwrap();
        let (seen, bytes) = token_file(path.to_str().unwrap());
        assert_eq!((seen.size, bytes.unwrap().expose().len()), (Some(50_000), 20_001));
    }

    /// A file that only its owner may read, and another user.
    fn private(name: &str) -> (String, Process) {
        let path = folder(name).join("token");
        std::fs::write(&path, "abc").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let other = Process { uid: 61_234, gid: 61_234, ..Process::default() };
        (path.to_str().unwrap().to_owned(), other)
    }

    #[test]
    fn another_user_is_proved_or_left_open_but_never_read_for_without_a_yes() {
        let (path, other) = private("others");
        let look = open_token_file(&Root::own().unwrap(), &path, &other);
        // A process that may switch ids proves the refusal; another one leaves it to the judge.
        let refused = Proof { by: Opener::AsSubject, error: Some("EACCES".to_owned()) };
        let proof = look.file.proof.clone();
        assert!(proof.is_none() || proof == Some(refused), "{proof:?}");
        assert_eq!((look.file.mode, look.file.size), (Some(0o600), Some(3)));
        assert!(look.read(false).1.is_none());
    }

    #[test]
    fn a_refused_proof_outweighs_a_yes() {
        let (path, other) = private("proof");
        let look = open_token_file(&Root::own().unwrap(), &path, &other);
        let proved = look.file.proof.is_some();
        assert_eq!(look.read(true).1.is_none(), proved);
    }

    #[test]
    fn without_a_proof_a_yes_reads_the_very_file_that_was_walked_to() {
        let (path, _) = private("yes");
        let found = Root::own().unwrap().find(&path).end.ok();
        std::fs::rename(&path, format!("{path}.old")).unwrap();
        std::fs::write(&path, "another").unwrap();
        let file = TokenFile { kind: Some(FileKind::Regular), size: Some(3), ..TokenFile::default() };
        let look = OpenedTokenFile { file, opened: None, found };
        assert_eq!(look.read(true).1.unwrap().expose(), b"abc");
    }

    #[test]
    fn a_refusal_is_taken_back_when_it_passes_right_after_a_rotation() {
        let (path, other) = private("rotation");
        let folder = Path::new(&path).parent().unwrap();
        let _ = std::fs::remove_file(folder.join("..data"));
        symlink("..2026_11_21", folder.join("..data")).unwrap();
        let publish = {
            let path = path.clone();
            std::thread::spawn(move || {
                std::thread::sleep(PAUSE / 4);
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
            })
        };
        let look = open_token_file(&Root::own().unwrap(), &path, &other);
        publish.join().unwrap();
        assert_eq!((look.file.open_error, look.file.mode), (None, Some(0o644)));
    }

    #[test]
    fn what_cannot_be_switched_to_has_no_proof() {
        let (path, _) = private("nobody");
        let look =
            open_token_file(&Root::own().unwrap(), &path, &Process { uid: u32::MAX, ..Process::default() });
        assert_eq!((look.file.proof, look.file.open_error, look.file.mode), (None, None, Some(0o600)));
    }
}
