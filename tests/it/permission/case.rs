//! A random path of two directories and a file, and the process that wants to read it.
//! The mode bits are weighted, because with even ones hardly any reader would reach the file.

use super::ground::Ground;
use credprobe_judge::evidence::Process;
use proptest::collection::{btree_map, btree_set};
use proptest::option::weighted;
use proptest::prelude::*;
use rustix::fs::XattrFlags;
use std::collections::BTreeMap;
use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, chown};

pub(crate) const ATTRIBUTE: &str = "system.posix_acl_access";

#[derive(Debug, Clone)]
pub(crate) struct Case {
    directories: [Node; 2],
    file: Node,
    pub(crate) process: Process,
}

#[derive(Debug, Clone)]
struct Node {
    mode: u32,
    uid: u32,
    gid: u32,
    acl: Option<Acl>,
}

/// What an access control list says beyond the mode's bits for owner and others.
#[derive(Debug, Clone)]
pub(crate) struct Acl {
    pub(crate) users: BTreeMap<u32, u16>,
    pub(crate) groups: BTreeMap<u32, u16>,
    pub(crate) group_owner: u16,
    pub(crate) mask: u16,
}

impl Case {
    pub(crate) fn lay(&self, ground: &Ground) {
        create_dir_all(ground.path("a/b")).unwrap();
        write(ground.path("a/b/token"), "token").unwrap();
        let [a, b] = &self.directories;
        for (path, node) in [("a", a), ("a/b", b), ("a/b/token", &self.file)] {
            node.dress(&ground.path(path));
        }
    }
}

impl Node {
    fn dress(&self, path: &str) {
        chown(path, Some(self.uid), Some(self.gid)).unwrap();
        // This fails for most, which have no list from the case before.
        let _ = rustix::fs::removexattr(path, ATTRIBUTE);
        set_permissions(path, Permissions::from_mode(self.mode)).unwrap();
        if let Some(acl) = &self.acl {
            rustix::fs::setxattr(path, ATTRIBUTE, &acl.blob(self.mode), XattrFlags::empty()).unwrap();
        }
    }
}

impl Acl {
    /// In the kernel's form: version 2, then the entries by tag and id.
    pub(crate) fn blob(&self, mode: u32) -> Vec<u8> {
        const NO_ID: u32 = u32::MAX;
        let bits = |shift: u32| u16::try_from(mode >> shift & 7).unwrap();
        let users = self.users.iter().map(|(id, permissions)| (0x02, *permissions, *id));
        let groups = self.groups.iter().map(|(id, permissions)| (0x08, *permissions, *id));
        let entries = [(0x01_u16, bits(6), NO_ID)]
            .into_iter()
            .chain(users)
            .chain([(0x04, self.group_owner, NO_ID)])
            .chain(groups)
            .chain([(0x10, self.mask, NO_ID), (0x20, bits(0), NO_ID)]);
        let bytes = entries.flat_map(|(tag, permissions, id)| {
            [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
        });
        2_u32.to_le_bytes().into_iter().chain(bytes).collect()
    }
}

pub(crate) fn strategy(has_acls: bool) -> impl Strategy<Value = Case> {
    let directory = || node(0o111, has_acls);
    let process =
        (id(), id(), btree_set(id(), 0..3), capabilities()).prop_map(|(uid, gid, groups, capabilities)| {
            Process { uid, gid, groups: groups.into_iter().collect(), capabilities, ..Process::default() }
        });
    (directory(), directory(), node(0, has_acls), process).prop_map(|(a, b, file, process)| Case {
        directories: [a, b],
        file,
        process,
    })
}

/// `wanted` are bits that four of five nodes have.
fn node(wanted: u32, has_acls: bool) -> impl Strategy<Value = Node> {
    let mode = (0_u32..0o1000, weighted(0.8, Just(wanted)))
        .prop_map(|(mode, wanted)| mode | wanted.unwrap_or_default());
    let acl = weighted(if has_acls { 0.4 } else { 0.0 }, acl(wanted));
    (mode, id(), id(), acl).prop_map(|(mode, uid, gid, acl)| Node { mode, uid, gid, acl })
}

fn acl(wanted: u32) -> impl Strategy<Value = Acl> {
    let wanted = u16::try_from(wanted & 7).unwrap();
    let permissions = move || prop_oneof![1 => 0_u16..8, 1 => (0_u16..8).prop_map(move |bits| bits | wanted)];
    let named = move || btree_map(id(), permissions(), 0..3);
    (named(), named(), permissions(), permissions()).prop_map(|(users, groups, group_owner, mask)| Acl {
        users,
        groups,
        group_owner,
        mask,
    })
}

/// Few ids, so that owners, members and named users often match.
fn id() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1000), Just(2000), Just(3000)]
}

fn capabilities() -> impl Strategy<Value = Vec<String>> {
    let names = prop_oneof![8 => Just(None), 1 => Just(Some("CAP_DAC_OVERRIDE")), 1 => Just(Some("CAP_DAC_READ_SEARCH"))];
    names.prop_map(|name| name.into_iter().map(str::to_owned).collect())
}
