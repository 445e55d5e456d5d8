//! A directory that everyone may search, on a tmpfs with access control lists if the machine has one.
//! It needs root, for files of several owners and readers with several ids.

use super::opener;
use crate::support::ci;
use credprobe::collect::Root;
use rustix::fs::XattrFlags;
use std::fs::{File, Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

pub(crate) struct Ground {
    folder: TempDir,
    has_acls: bool,
}

impl Ground {
    /// `None` if this machine cannot test it; CI does not accept that.
    pub(crate) fn new() -> Option<Self> {
        match Self::try_new() {
            Ok(ground) => Some(ground),
            Err(why) => {
                opener::say(&format!("NOT TESTED HERE: {why}"));
                assert!(!ci::in_ci(), "CI must test this: {why}");
                None
            }
        }
    }

    fn try_new() -> Result<Self, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("the permission rules need root".to_owned());
        }
        let own = credprobe::collect::credentials::own_capabilities();
        for name in
            ["CAP_CHOWN", "CAP_FOWNER", "CAP_SETUID", "CAP_SETGID", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"]
        {
            if !own.iter().any(|own| own == name) {
                return Err(format!("the permission rules need {name}"));
            }
        }
        opener::setpriv_is_there()?;
        let folders = [Path::new("/dev/shm"), &std::env::temp_dir()].map(tempfile::tempdir_in);
        let folder = folders.into_iter().flatten().next().ok_or("no directory for files")?;
        set_permissions(folder.path(), Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        let has_acls = takes_acls(folder.path());
        if !has_acls && ci::in_ci() {
            return Err(format!("{} takes no access control lists", folder.path().display()));
        }
        Ok(Self { folder, has_acls })
    }

    pub(crate) fn has_acls(&self) -> bool {
        self.has_acls
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The directory as another process's root.
    pub(crate) fn as_root(&self) -> Root {
        Root::of(File::options().read(true).open(self.folder.path()).unwrap().into())
    }
}

fn takes_acls(folder: &Path) -> bool {
    let acl = super::case::Acl { users: [(1, 4)].into(), groups: [].into(), group_owner: 4, mask: 4 };
    let file = folder.join("takes-acls");
    std::fs::write(&file, "").unwrap();
    rustix::fs::setxattr(&file, super::case::ATTRIBUTE, &acl.blob(0o600), XattrFlags::empty()).is_ok()
}
