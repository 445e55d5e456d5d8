//! Walks to the token file, opens it without blocking and reads a bounded part of it.
//! Errors are kept as the kernel gave them; who is refused by which rule, the judge says.
#![expect(clippy::disallowed_methods, reason = "an observer: it reads files")]

use crate::evidence::{FileKind, PathComponent, TOKEN_LIMIT, TokenFile};
use crate::secret::Secret;
use nix::errno::Errno;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

/// How many links a path may have, as the kernel allows (`path_resolution(7)`).
const LINK_LIMIT: usize = 40;

/// What stands at `path`, and its content where it could be read.
#[must_use]
pub fn token_file(path: &str) -> (TokenFile, Option<Secret>) {
    let mut seen = TokenFile {
        path: path.to_owned(),
        components: components(Path::new(path)),
        data_link: data_link(Path::new(path)),
        file_mount: super::mounts::of_file(path),
        ..TokenFile::default()
    };
    let file = match open(path) {
        Ok(file) => file,
        // Kubelet swaps `..data` while it rotates: for a moment the link may point nowhere.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match open(path) {
            Ok(file) => file,
            Err(error) => return opened_not(seen, &error),
        },
        Err(error) => return opened_not(seen, &error),
    };
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return opened_not(seen, &error),
    };
    seen.kind = Some(kind(&metadata));
    seen.mode = Some(metadata.mode() & 0o7777);
    seen.uid = Some(metadata.uid());
    seen.gid = Some(metadata.gid());
    seen.links = Some(metadata.nlink());
    seen.size = Some(metadata.size());
    seen.modified = Some(metadata.mtime());
    if !metadata.is_file() {
        return (seen, None);
    }
    let mut bytes = Vec::new();
    // One byte more shows that it is too long.
    match file.take(TOKEN_LIMIT + 1).read_to_end(&mut bytes) {
        Ok(_) => {
            // A file of /proc and the like has content without a size.
            seen.size = seen.size.map(|size| size.max(bytes.len() as u64));
            (seen, Some(Secret::new(bytes)))
        }
        Err(error) => {
            seen.read_error = Some(errno_name(&error));
            (seen, None)
        }
    }
}

fn open(path: &str) -> io::Result<File> {
    let mut options = File::options();
    // A FIFO or a terminal must not hold the probe up, nor become its controlling one.
    options.read(true).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY);
    options.open(path)
}

fn opened_not(mut seen: TokenFile, error: &io::Error) -> (TokenFile, Option<Secret>) {
    seen.open_error = Some(errno_name(error));
    (seen, None)
}

/// `EACCES`, `ENOENT` …; the error's own words where it has no number.
fn errno_name(error: &io::Error) -> String {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().to_string(), |number| format!("{:?}", Errno::from_raw(number)))
}

fn kind(metadata: &Metadata) -> FileKind {
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

/// Each component from the root on, through links, as far as it can be looked at.
fn components(path: &Path) -> Vec<PathComponent> {
    let mut seen = Vec::new();
    let mut links = 0;
    let mut pending: Vec<PathBuf> = parts(path);
    let mut at = if path.is_absolute() { PathBuf::from("/") } else { PathBuf::from(".") };
    while let Some(part) = pending.pop() {
        if part == Path::new("/") {
            at = PathBuf::from("/");
            continue;
        }
        at.push(&part);
        let metadata = match std::fs::symlink_metadata(&at) {
            Ok(metadata) => metadata,
            Err(error) => {
                seen.push(PathComponent {
                    path: at.to_string_lossy().into_owned(),
                    kind: None,
                    mode: None,
                    uid: None,
                    gid: None,
                    link: None,
                    error: Some(errno_name(&error)),
                });
                break;
            }
        };
        let link = metadata.is_symlink().then(|| std::fs::read_link(&at).ok()).flatten();
        seen.push(PathComponent {
            path: at.to_string_lossy().into_owned(),
            kind: Some(kind(&metadata)),
            mode: Some(metadata.mode() & 0o7777),
            uid: Some(metadata.uid()),
            gid: Some(metadata.gid()),
            link: link.as_ref().map(|link| link.to_string_lossy().into_owned()),
            error: None,
        });
        if let Some(link) = link {
            links += 1;
            if links > LINK_LIMIT {
                break;
            }
            at.pop();
            pending.extend(parts(&link));
        }
    }
    seen
}

/// The parts of a path, last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let mut parts: Vec<PathBuf> = parts.map(|part| PathBuf::from(part.as_os_str())).collect();
    parts.reverse();
    parts
}

fn data_link(path: &Path) -> Option<String> {
    let link = std::fs::read_link(path.parent()?.join("..data")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

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
}
