//! Builds a target's own root: the machine's programs and libraries, its own `/proc`, and the kubelet's mounts, which the
//! command lacks. `/var/run` is an absolute link, as in Debian's and distroless images, so from outside the root it leads elsewhere.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use nix::{
    mount::{MntFlags, umount2},
    sched::{CloneFlags, unshare},
    unistd::{chdir, pivot_root},
};
use serde::{Deserialize, Serialize};

use super::mounts;
use crate::{
    error::{Doing as _, Result},
    scenario::target::LaidFile,
};

/// What differs from target to target.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Root {
    /// The directory on which it is built.
    pub(crate) at: PathBuf,
    /// Volumes, by path in the pod and path in the root.
    pub(crate) volumes: Vec<(PathBuf, PathBuf)>,
    /// Files that have the same path in both.
    pub(crate) files: Vec<PathBuf>,
    /// Files that only this root has, by path.
    pub(crate) laid: BTreeMap<String, LaidFile>,
}

/// Directories that are made new. Everything else is the machine's.
const OWN: [&str; 3] = ["proc", "run", "var"];

impl Root {
    /// Leaves the pod's mounts and enters this root.
    pub(crate) fn enter(&self) -> Result<()> {
        unshare(CloneFlags::CLONE_NEWNS).doing(|| "failed to give a target its own mounts".into())?;
        mounts::tmpfs(&self.at, "755")?;
        self.borrow()?;
        self.make("var")?;
        symlink("/run", self.at.join("var/run")).doing(|| self.what())?;
        mounts::proc(&self.make("proc")?, None)?;
        self.make("run")?;
        for (from, to) in &self.volumes {
            mounts::bind_all(from, &self.make(to)?)?;
        }
        for file in &self.files {
            self.make(file.parent().unwrap_or(file))?;
            let inside = self.inside(file);
            File::create(&inside).doing(|| self.what())?;
            mounts::bind(file, &inside)?;
        }
        self.pivot()?;
        lay_all(&self.laid)
    }

    fn borrow(&self) -> Result<()> {
        for entry in fs::read_dir("/").doing(|| self.what())? {
            let from = entry.doing(|| self.what())?.path();
            let kind = fs::symlink_metadata(&from).doing(|| self.what())?.file_type();
            let to = self.inside(&from);
            if OWN.iter().any(|own| from.ends_with(own)) {
                continue;
            }
            if kind.is_symlink() {
                let target = fs::read_link(&from).doing(|| self.what())?;
                symlink(target, to).doing(|| self.what())?;
            } else if kind.is_dir() {
                fs::create_dir(&to).doing(|| self.what())?;
                mounts::bind_all(&from, &to)?;
            }
        }
        Ok(())
    }

    /// Moves the new root over the old one, and then detaches the old one.
    fn pivot(&self) -> Result<()> {
        let what = || format!("failed to move to the root {}", self.at.display());
        chdir(&self.at).doing(what)?;
        pivot_root(".", ".").doing(what)?;
        umount2(".", MntFlags::MNT_DETACH).doing(what)?;
        chdir("/").doing(what)
    }

    fn make(&self, directory: impl AsRef<Path>) -> Result<PathBuf> {
        let path = self.inside(directory.as_ref());
        fs::create_dir_all(&path).doing(|| self.what())?;
        Ok(path)
    }

    fn inside(&self, path: &Path) -> PathBuf {
        self.at.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn what(&self) -> String {
        format!("failed to build the root {}", self.at.display())
    }
}

/// Places files in the current root.
pub(super) fn lay_all(files: &BTreeMap<String, LaidFile>) -> Result<()> {
    files.iter().enumerate().try_for_each(|(number, (path, file))| lay(number, Path::new(path), file))
}

/// A file that exists already belongs to the machine, so it is only covered.
fn lay(number: usize, path: &Path, file: &LaidFile) -> Result<()> {
    let what = || format!("failed to lay {}", path.display());
    let covers = path.exists();
    let at = if covers { PathBuf::from(format!("/run/laid-{number}")) } else { path.to_owned() };
    fs::create_dir_all(at.parent().unwrap_or(&at)).doing(what)?;
    if let Some(to) = &file.link {
        return symlink(to, &at).doing(what);
    }
    fs::write(&at, &file.text).doing(what)?;
    let mode = u32::from_str_radix(&file.mode, 8).doing(what)?;
    fs::set_permissions(&at, Permissions::from_mode(mode)).doing(what)?;
    if covers { mounts::bind(&at, path) } else { Ok(()) }
}
