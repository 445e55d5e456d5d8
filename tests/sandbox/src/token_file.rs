//! The token's file in the kubelet's layout: a dated directory, `..data` that points to it, and a link for the reader.
//! The scenario sets owner and mode; the content is not examined here.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::{sys::stat::Mode, unistd::mkfifo};
use time::{Duration, OffsetDateTime};

use crate::{
    clock,
    error::{Doing as _, Result},
    pod::mounts,
    scenario::{Layout, Token, TokenFile},
};

/// The owner of files, unless the scenario sets one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A projected volume.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume<'a> {
    /// An empty directory, at the path where the container sees it.
    pub(crate) directory: &'a Path,
    pub(crate) written_at: OffsetDateTime,
    /// `None` where ownership cannot be changed.
    pub(crate) owner: Option<Owner>,
}

/// The content of the file.
pub(crate) fn content(spec: &Token, jwt: String) -> String {
    let token = spec.bytes.clone().unwrap_or(jwt);
    let token = if spec.base64 { STANDARD.encode(token) } else { token };
    format!("{}{token}{}", spec.prepend, spec.append).repeat(spec.repeat)
}

/// Lays the file out. Returns the path to make read-only. `own` is the sandbox's folder, which the container does not use.
pub(crate) fn place(
    volume: Volume<'_>,
    name: &str,
    spec: &TokenFile,
    content: &[u8],
    own: &Path,
) -> Result<PathBuf> {
    let owner = volume.owner.map(|default| Owner {
        uid: spec.owner.unwrap_or(default.uid),
        gid: spec.group.unwrap_or(default.gid),
    });
    let volume = Volume { owner, ..volume };
    let what = || volume.what();
    match spec.layout {
        Layout::Copy => {
            volume.own_directory(volume.directory, OUTER)?;
            volume.file(&volume.directory.join(name), spec, content)?;
        }
        Layout::Projected => {
            let data = volume.data()?;
            volume.file(&data.join(name), spec, content)?;
            symlink(Path::new("..data").join(name), volume.directory.join(name)).doing(what)?;
            if spec.other_source {
                fs::write(data.join("ca.crt"), "a CA").doing(what)?;
                symlink("..data/ca.crt", volume.directory.join("ca.crt")).doing(what)?;
            }
        }
        Layout::SubPath => {
            let hidden = own.join("volume");
            fs::create_dir(&hidden).doing(what)?;
            mounts::tmpfs(&hidden, "1777")?;
            let target = volume.directory.join(name);
            File::create(&target).doing(what)?;
            let below = Volume { directory: &hidden, ..volume };
            let data = below.data()?;
            below.file(&data.join(name), spec, content)?;
            mounts::bind(&data.join(name), &target)?;
            below.rotate(&data)?;
            // The container has only this one file of the volume.
            mounts::detach(&hidden)?;
            return Ok(target);
        }
    }
    Ok(volume.directory.to_owned())
}

/// Modes of a volume's directory and of the dated one in it, without and with fsGroup.
const OUTER: [u32; 2] = [0o1777, 0o3777];
const INNER: [u32; 2] = [0o755, 0o2755];

impl Volume<'_> {
    fn what(&self) -> String {
        format!("failed to lay a volume out in {}", self.directory.display())
    }

    /// Writes files that belong to root and that everyone may read.
    pub(crate) fn project(&self, files: &[(&str, &[u8])]) -> Result<()> {
        let what = || self.what();
        let data = self.data()?;
        for (name, content) in files {
            fs::write(data.join(name), content).doing(what)?;
            set_mode(&data.join(name), 0o644).doing(what)?;
            symlink(Path::new("..data").join(name), self.directory.join(name)).doing(what)?;
        }
        Ok(())
    }

    /// Makes the dated directory, and `..data` that points to it.
    fn data(&self) -> Result<PathBuf> {
        let what = || self.what();
        self.own_directory(self.directory, OUTER)?;
        let dated = dated(self.written_at);
        let data = self.directory.join(&dated);
        fs::create_dir(&data).doing(what)?;
        self.own_directory(&data, INNER)?;
        symlink(&dated, self.directory.join("..data")).doing(what)?;
        Ok(data)
    }

    /// What the kubelet does an hour later: it makes a new directory, swaps `..data`, and removes the old directory.
    fn rotate(&self, old: &Path) -> Result<()> {
        let what = || self.what();
        fs::remove_file(self.directory.join("..data")).doing(what)?;
        let later = self.written_at.saturating_add(Duration::HOUR);
        Volume { written_at: later, ..*self }.data()?;
        fs::remove_dir_all(old).doing(what)
    }

    /// What the kubelet's atomic writer does: it makes a new directory, renames `..data` over the old one, and removes the old
    /// directory. A file that is `missing` leaves its link dangling.
    pub(crate) fn swap(&self, name: &str, spec: &TokenFile, content: &[u8]) -> Result<()> {
        let what = || self.what();
        let old = fs::read_link(self.directory.join("..data")).doing(what)?;
        let at = self.written_at;
        let dated = PathBuf::from(format!("..{}.{:09}", clock::kubelet(at), at.nanosecond()));
        let data = self.directory.join(&dated);
        fs::create_dir(&data).doing(what)?;
        self.own_directory(&data, INNER)?;
        let owner = self.owner.map(|default| Owner {
            uid: spec.owner.unwrap_or(default.uid),
            gid: spec.group.unwrap_or(default.gid),
        });
        if !spec.missing {
            Volume { owner, ..*self }.file(&data.join(name), spec, content)?;
        }
        let link = self.directory.join("..data_tmp");
        symlink(&dated, &link).doing(what)?;
        fs::rename(&link, self.directory.join("..data")).doing(what)?;
        fs::remove_dir_all(self.directory.join(old)).doing(what)
    }

    fn own_directory(&self, path: &Path, [without, with_group]: [u32; 2]) -> Result<()> {
        let what = || self.what();
        if let Some(owner) = self.owner {
            chown(path, Some(0), Some(owner.gid)).doing(what)?;
        }
        let has_group = self.owner.is_some_and(|owner| owner.gid != 0);
        set_mode(path, if has_group { with_group } else { without }).doing(what)
    }

    fn file(&self, file: &Path, spec: &TokenFile, content: &[u8]) -> Result<()> {
        let what = || self.what();
        if spec.directory {
            fs::create_dir(file).doing(what)?;
        } else if spec.fifo {
            mkfifo(file, Mode::S_IRUSR).doing(what)?;
        } else {
            fs::write(file, content).doing(what)?;
            File::options()
                .write(true)
                .open(file)
                .and_then(|file| file.set_modified(self.written_at.into()))
                .doing(what)?;
        }
        if let Some(owner) = self.owner {
            chown(file, Some(owner.uid), Some(owner.gid)).doing(what)?;
        }
        let mode = spec.mode.unwrap_or(if spec.directory { 0o755 } else { 0o640 });
        set_mode(file, mode).doing(what)
    }
}

/// `..2026_08_24_09_15_04.123456789`, made from the time of writing in UTC.
fn dated(written_at: OffsetDateTime) -> PathBuf {
    PathBuf::from(format!(
        "..{}.{:09}",
        clock::kubelet(written_at),
        written_at.unix_timestamp() % 1_000_000_000
    ))
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(spec: &TokenFile) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = OffsetDateTime::from_unix_timestamp(1_795_306_265).unwrap();
        let volume = Volume { directory: folder.path(), written_at: at, owner: None };
        place(volume, "token", spec, b"abc", folder.path()).unwrap();
        folder
    }

    #[test]
    fn the_layout_is_kubelets() {
        let folder = placed(&TokenFile::default());
        let link = |name: &str| fs::read_link(folder.path().join(name)).unwrap();
        assert_eq!(link("token"), Path::new("..data/token"));
        assert_eq!(link("..data"), Path::new("..2026_11_22_00_11_05.795306265"));
        assert_eq!(fs::read(folder.path().join("token")).unwrap(), b"abc");
        let metadata = fs::metadata(folder.path().join("token")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
        let modified = OffsetDateTime::from(metadata.modified().unwrap());
        assert_eq!(modified.unix_timestamp(), 1_795_306_265);
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o7777, 0o1777);
    }

    #[test]
    fn a_copy_is_a_plain_file_with_its_own_mode() {
        let spec = TokenFile { layout: Layout::Copy, mode: Some(0o600), ..TokenFile::default() };
        let folder = placed(&spec);
        let metadata = fs::symlink_metadata(folder.path().join("token")).unwrap();
        assert!(metadata.is_file());
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_directory_can_stand_in_its_place() {
        let folder = placed(&TokenFile { directory: true, ..TokenFile::default() });
        assert!(fs::metadata(folder.path().join("token")).unwrap().is_dir());
    }

    #[test]
    fn a_pipe_can_stand_in_its_place() {
        use std::os::unix::fs::FileTypeExt as _;
        let folder = placed(&TokenFile { fifo: true, ..TokenFile::default() });
        assert!(fs::metadata(folder.path().join("token")).unwrap().file_type().is_fifo());
    }

    #[test]
    fn other_volumes_are_for_everyone_and_rotate_into_a_new_directory() {
        let folder = tempfile::tempdir().unwrap();
        let at = OffsetDateTime::from_unix_timestamp(1_795_306_265).unwrap();
        let volume = Volume { directory: folder.path(), written_at: at, owner: None };
        volume.project(&[("token", b"abc"), ("namespace", b"shop")]).unwrap();
        assert_eq!(fs::read(folder.path().join("namespace")).unwrap(), b"shop");
        let old = fs::canonicalize(folder.path().join("..data")).unwrap();
        assert_eq!(fs::metadata(old.join("token")).unwrap().permissions().mode() & 0o777, 0o644);
        volume.rotate(&old).unwrap();
        let link = fs::read_link(folder.path().join("..data")).unwrap();
        assert_eq!(link, Path::new("..2026_11_22_01_11_05.795309865"));
        assert!(!old.exists());
    }

    #[test]
    fn the_content_is_wrapped_first_and_repeated_last() {
        let spec = Token { prepend: "<".into(), append: ">".into(), repeat: 2, ..Token::default() };
        assert_eq!(content(&spec, "abc".into()), "<abc><abc>");
        let spec = Token { base64: true, append: "\n".into(), ..Token::default() };
        assert_eq!(content(&spec, "abc".into()), "YWJj\n");
        let spec = Token { bytes: Some("else".into()), ..Token::default() };
        assert_eq!(content(&spec, "abc".into()), "else");
    }
}
