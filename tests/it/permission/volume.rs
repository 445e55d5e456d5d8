//! The kubelet's volume with real files, for each row of its table of owners and modes, and links in sticky directories.
//! Who may read is written down here, not computed.

use super::ground::Ground;
use credprobe_judge::evidence::Process;
use std::fs::{Permissions, create_dir_all, remove_dir_all, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};

/// Owner, group and mode as the kubelet sets them, and which of `readers` may read.
#[derive(Debug)]
pub(crate) struct Row {
    uid: u32,
    gid: u32,
    mode: u32,
    pub(crate) readable_by: [bool; 6],
}

/// uid 1000 with its own group, with group 0, with fsGroup; another uid; root with the default and with no capability.
pub(crate) fn readers() -> [Process; 6] {
    let process = |uid: u32, gid: u32, groups: &[u32]| Process {
        uid,
        gid,
        groups: groups.to_vec(),
        ..Process::default()
    };
    [
        process(1000, 1000, &[]),
        process(1000, 0, &[]),
        process(1000, 1000, &[2000]),
        process(3000, 3000, &[]),
        capable(0, "CAP_DAC_OVERRIDE"),
        process(0, 0, &[]),
    ]
}

/// Another uid, which reads by each of the capabilities.
pub(crate) fn capable_readers() -> [Process; 2] {
    ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"].map(|name| capable(4000, name))
}

fn capable(uid: u32, capability: &str) -> Process {
    Process { uid, gid: uid, capabilities: vec![capability.to_owned()], ..Process::default() }
}

pub(crate) const ROWS: [Row; 10] = [
    // Up to Kubernetes 1.18, without and with fsGroup.
    row(0, 0, 0o600, [false, false, false, false, true, true]),
    row(0, 2000, 0o640, [false, false, true, false, true, true]),
    // From 1.19, without a uniform runAsUser: defaultMode decides.
    row(0, 0, 0o644, [true; 6]),
    row(0, 0, 0o400, [false, false, false, false, true, true]),
    row(0, 0, 0o440, [false, true, false, false, true, true]),
    row(0, 0, 0o640, [false, true, false, false, true, true]),
    // With a uniform runAsUser. Root without capabilities is a uid like any other.
    row(1000, 0, 0o600, [true, true, true, false, true, false]),
    row(3000, 0, 0o600, [false, false, false, true, true, false]),
    // With both.
    row(1000, 2000, 0o640, [true, true, true, false, true, false]),
    row(3000, 2000, 0o640, [false, false, true, true, true, false]),
];

const fn row(uid: u32, gid: u32, mode: u32, readable_by: [bool; 6]) -> Row {
    Row { uid, gid, mode, readable_by }
}

/// The owner of the links: root up to 1.34, the token's owner in 1.36.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinksOf {
    Root,
    Owner,
}

/// Lays the volume out. Returns the path of the token.
pub(crate) fn lay(ground: &Ground, row: &Row, links_of: LinksOf) -> String {
    let folder = ground.path("volume");
    let _ = remove_dir_all(&folder);
    let at = |name: &str| format!("{folder}/{name}");
    create_dir_all(at("..2026_11_21_10_00_00.1")).unwrap();
    write(at("..2026_11_21_10_00_00.1/token"), "token").unwrap();
    symlink("..2026_11_21_10_00_00.1", at("..data")).unwrap();
    symlink("..data/token", at("token")).unwrap();
    chown(at("token"), Some(row.uid), Some(row.gid)).unwrap();
    set_permissions(at("token"), Permissions::from_mode(row.mode)).unwrap();
    let owner = if links_of == LinksOf::Owner { row.uid } else { 0 };
    for link in ["..data", "token"] {
        lchown(at(link), Some(owner), Some(row.gid)).unwrap();
    }
    // With fsGroup the kubelet also sets the set-group-id bit.
    let (volume, inner) = if row.gid == 0 { (0o1777, 0o755) } else { (0o3777, 0o2755) };
    for (directory, mode) in [(folder.clone(), volume), (at("..data"), inner)] {
        chown(&directory, Some(0), Some(row.gid)).unwrap();
        set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
    }
    at("token")
}

/// A link in a directory, and whether the path ends with it.
#[derive(Debug)]
pub(crate) struct Link {
    directory_mode: u32,
    directory_owner: u32,
    owner: u32,
    is_last: bool,
}

pub(crate) fn links() -> Vec<Link> {
    let mut links = Vec::new();
    for directory_mode in [0o1777, 0o777, 0o1775, 0o3777] {
        for directory_owner in [0, 3000] {
            for owner in [0, 1000, 3000] {
                let link = |is_last| Link { directory_mode, directory_owner, owner, is_last };
                links.extend([link(true), link(false)]);
            }
        }
    }
    links
}

impl Link {
    /// Lays the link out. Returns the path through it.
    pub(crate) fn lay(&self, ground: &Ground) -> String {
        let folder = ground.path("sticky");
        let _ = remove_dir_all(&folder);
        create_dir_all(format!("{folder}/inner")).unwrap();
        write(format!("{folder}/inner/token"), "token").unwrap();
        let (target, path) = if self.is_last { ("inner/token", "link") } else { ("inner", "link/token") };
        symlink(target, format!("{folder}/link")).unwrap();
        lchown(format!("{folder}/link"), Some(self.owner), None).unwrap();
        chown(&folder, Some(self.directory_owner), None).unwrap();
        set_permissions(&folder, Permissions::from_mode(self.directory_mode)).unwrap();
        format!("{folder}/{path}")
    }
}
