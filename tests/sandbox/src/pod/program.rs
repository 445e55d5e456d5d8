//! Makes the command's file startable for the application's user, even after `/run` is covered.
//! Build folders are often below a directory that only their owner may enter.

use std::{
    fs::{self, File, Permissions},
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use super::mounts;
use crate::{
    capabilities::Ids,
    error::{Doing as _, Error, Result},
};

#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    file: File,
}

impl Program {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let what = || format!("failed to open {}", path.display());
        // A link may lead through a closed directory or below /run, even if the link itself is in an open one.
        let path = fs::canonicalize(path).doing(what)?;
        let file = File::open(&path).doing(what)?;
        Ok(Self { path, file })
    }

    /// The path to start. It is another path if the real one is out of reach.
    pub(crate) fn reachable(mut self, named: &Path, ids: Option<&Ids>, own: &Path) -> Result<PathBuf> {
        let covered = self.path.starts_with("/run") || self.path.starts_with("/var/run");
        if !covered && (ids.is_none() || self.is_open_to_all()) {
            // Keep the name by which it was called, because some programs choose what to do by their name.
            return Ok(named.to_owned());
        }
        let what = || format!("failed to put {} into the pod", self.path.display());
        let name = named.file_name().ok_or_else(|| Error::new(what()))?;
        let folder = own.join("bin");
        fs::create_dir(&folder).doing(what)?;
        let copy = folder.join(name);
        File::create(&copy).doing(what)?;
        let source = PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        let mode = self.file.metadata().doing(what)?.mode();
        // A mount avoids copying a hundred megabytes of debug symbols in each run.
        if mode & 0o005 != 0o005 || mounts::bind(&source, &copy).is_err() {
            let mut target = File::create(&copy).doing(what)?;
            io::copy(&mut self.file, &mut target)
                .doing(|| format!("failed to copy {}", self.path.display()))?;
            fs::set_permissions(&copy, Permissions::from_mode(0o755))
                .doing(|| format!("failed to open {} to all", copy.display()))?;
        }
        Ok(copy)
    }

    fn is_open_to_all(&self) -> bool {
        let enterable = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o001 != 0);
        let startable = fs::metadata(&self.path).is_ok_and(|metadata| metadata.mode() & 0o005 == 0o005);
        startable && self.path.ancestors().skip(1).all(enterable)
    }
}
