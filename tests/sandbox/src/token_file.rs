//! The token's file as kubelet lays it out: a dated directory, `..data` that points to it, and a link for the reader.
//! Owner and mode are the scenario's; what is in the file is not looked at.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
};

use time::OffsetDateTime;

use crate::{
    clock,
    error::{Doing as _, Result},
    scenario::{Layout, TokenFile},
};

/// Who owns files where the scenario does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Lays the file out in an empty directory. `owner` is `None` where ownership cannot be had.
pub(crate) fn place(
    directory: &Path,
    spec: &TokenFile,
    content: &[u8],
    written_at: OffsetDateTime,
    owner: Option<Owner>,
) -> Result<()> {
    let what = || format!("failed to lay the token file out in {}", directory.display());
    let owner = owner.map(|default| Owner {
        uid: spec.owner.unwrap_or(default.uid),
        gid: spec.group.unwrap_or(default.gid),
    });
    // With fsGroup, kubelet sets the group, its execute bits and setgid.
    let (outer, inner) =
        if owner.is_some_and(|owner| owner.gid != 0) { (0o3777, 0o2755) } else { (0o1777, 0o755) };
    let own_directory = |path: &Path, mode: u32| {
        if let Some(owner) = owner {
            chown(path, Some(0), Some(owner.gid)).doing(what)?;
        }
        set_mode(path, mode).doing(what)
    };
    own_directory(directory, outer)?;
    let file = match spec.layout {
        Layout::Plain => directory.join("token"),
        Layout::Projected => {
            let dated = dated(written_at);
            let data = directory.join(&dated);
            fs::create_dir(&data).doing(what)?;
            own_directory(&data, inner)?;
            symlink(&dated, directory.join("..data")).doing(what)?;
            symlink("..data/token", directory.join("token")).doing(what)?;
            data.join("token")
        }
    };
    if spec.directory {
        fs::create_dir(&file).doing(what)?;
    } else {
        fs::write(&file, content).doing(what)?;
        File::options()
            .write(true)
            .open(&file)
            .and_then(|file| file.set_modified(written_at.into()))
            .doing(what)?;
    }
    if let Some(owner) = owner {
        chown(&file, Some(owner.uid), Some(owner.gid)).doing(what)?;
    }
    let mode = spec.mode.unwrap_or(if spec.directory { 0o755 } else { 0o640 });
    set_mode(&file, mode).doing(what)
}

/// `..2026_08_24_09_15_04.123456789`, from the time of writing in UTC.
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
        place(folder.path(), spec, b"abc", at, None).unwrap();
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
        let spec = TokenFile { layout: Layout::Plain, mode: Some(0o600), ..TokenFile::default() };
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
}
