//! The pod's own `/run`, `/etc/hosts` and `/etc/resolv.conf`, laid over the machine's.
//! Nothing outside the mount namespace changes.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::error::{Doing as _, Error, Result};

/// Mounts an empty file system in memory.
pub(crate) fn tmpfs(at: &Path, mode: &str) -> Result<()> {
    let options = format!("mode={mode}");
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(options.as_str()))
        .doing(|| format!("failed to mount a tmpfs over {}", at.display()))
}

/// The kubelet mounts a projected volume read-only, whatever the pod says.
pub(crate) fn make_read_only(at: &Path) -> Result<()> {
    let flags =
        MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(None::<&str>, at, None::<&str>, flags, None::<&str>)
        .doing(|| format!("failed to make {} read-only", at.display()))
}

pub(crate) fn bind(from: &Path, to: &Path) -> Result<()> {
    bind_with(from, to, MsFlags::empty())
}

/// Mounts a directory at a second place, with everything that is mounted below it.
pub(crate) fn bind_all(from: &Path, to: &Path) -> Result<()> {
    bind_with(from, to, MsFlags::MS_REC)
}

fn bind_with(from: &Path, to: &Path, flags: MsFlags) -> Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | flags, None::<&str>)
        .doing(|| format!("failed to mount {} over {}", from.display(), to.display()))
}

/// Mounts the `/proc` of the caller's PID namespace.
pub(crate) fn proc(at: &Path, options: Option<&str>) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), at, Some("proc"), flags, options)
        .doing(|| format!("failed to mount a process table at {}", at.display()))
}

/// Detaches a mount. What is mounted from it elsewhere stays.
pub(crate) fn detach(at: &Path) -> Result<()> {
    umount2(at, MntFlags::MNT_DETACH).doing(|| format!("failed to unmount {}", at.display()))
}

/// Mounts a fresh `/run`, which is visible under `/var/run` as well.
pub(crate) fn fresh_run() -> Result<()> {
    let run = Path::new("/run");
    tmpfs(run, "755")?;
    let var_run = Path::new("/var/run");
    // In nearly every distribution this is a link, in a few images a directory; minimal images lack it.
    match fs::symlink_metadata(var_run) {
        Ok(metadata) if metadata.is_dir() => bind(run, var_run),
        Ok(_) => Ok(()),
        Err(cause) => Err(cause).doing(|| "failed to look at /var/run".into()),
    }
}

/// Follows the links to one of the machine's files. Must be called before `/run` is covered.
pub(crate) fn target(file: &str) -> Result<PathBuf> {
    fs::canonicalize(file).doing(|| format!("failed to find {file}"))
}

/// Covers one of the machine's files with `text`.
pub(crate) fn replace(target: &Path, text: &str, store: &Path) -> Result<()> {
    let what = || format!("failed to replace {}", target.display());
    if target.starts_with("/run") || target.starts_with("/var/run") {
        // The file belongs to systemd-resolved. It vanished with the old /run, and only the link to it is left.
        fs::create_dir_all(target.parent().unwrap_or(target)).doing(what)?;
        return write(target, text, 0o644);
    }
    let name = target.file_name().ok_or_else(|| Error::new(what()))?;
    let own = store.join(name);
    write(&own, text, 0o644)?;
    bind(&own, target)
}

pub(crate) fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let what = || format!("failed to write {}", path.display());
    fs::write(path, text).doing(what)?;
    // Set the mode explicitly, because the caller's umask may restrict it.
    fs::set_permissions(path, Permissions::from_mode(mode)).doing(what)
}
