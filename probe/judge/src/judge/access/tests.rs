//! The rules by hand, each with the sentence that it gives. That the kernel agrees, tests/it/permissions.rs asks it.
//! Also kubelet's table of owners, groups and modes: who reads which row.

use super::*;
use crate::judge::kubelet;

fn at(path: &str, kind: FileKind, mode: u32, uid: u32, gid: u32) -> PathComponent {
    PathComponent {
        path: path.to_owned(),
        kind: Some(kind),
        mode: Some(mode),
        uid: Some(uid),
        gid: Some(gid),
        ..PathComponent::default()
    }
}

/// `/token` of this owner, group and mode in a root that all may search.
fn file(mode: u32, uid: u32, gid: u32) -> TokenFile {
    let token = at("/token", FileKind::Regular, mode, uid, gid);
    let components = vec![at("/", FileKind::Directory, 0o755, 0, 0), PathComponent { last: true, ..token }];
    TokenFile {
        components,
        kind: Some(FileKind::Regular),
        mode: Some(mode),
        uid: Some(uid),
        gid: Some(gid),
        links_protected: Some(true),
        ..TokenFile::default()
    }
}

fn with_acl(mode: u32, entries: &[(AclTag, Option<u32>, u8)]) -> TokenFile {
    let mut file = file(mode, 0, 0);
    let entry = |&(tag, id, permissions): &(AclTag, Option<u32>, u8)| AclEntry { tag, id, permissions };
    file.components[1].acl = entries.iter().map(entry).collect();
    file
}

fn process(uid: u32, gid: u32, groups: &[u32]) -> Process {
    Process { uid, gid, groups: groups.to_vec(), ..Process::default() }
}

fn capable(uid: u32, capability: &str) -> Process {
    Process { capabilities: vec![capability.to_owned()], ..process(uid, uid, &[]) }
}

fn sentence(file: &TokenFile, process: &Process) -> String {
    match may_read(file, process) {
        Access::Refused(refusal) => refusal.describe(file, process),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn the_owner_reads_by_the_owners_bits() {
    assert_eq!(may_read(&file(0o400, 1000, 0), &process(1000, 0, &[])), Access::Granted);
}

#[test]
fn the_owner_does_not_fall_through_to_the_others() {
    assert_eq!(
        sentence(&file(0o244, 1000, 0), &process(1000, 0, &[])),
        "uid 1000 is the owner, and mode 0244 gives the owner only -w-"
    );
}

#[test]
fn a_member_reads_by_the_groups_bits() {
    assert_eq!(may_read(&file(0o640, 0, 2000), &process(1000, 0, &[2000])), Access::Granted);
}

#[test]
fn a_member_does_not_fall_through_to_the_others() {
    assert_eq!(
        sentence(&file(0o604, 0, 2000), &process(1000, 2000, &[])),
        "uid 1000 is in group 2000 and is not the owner, uid 0, and mode 0604 gives that group nothing. \
         The bits for others do not count for its members"
    );
}

#[test]
fn who_is_neither_has_the_others_bits() {
    assert_eq!(
        sentence(&file(0o640, 0, 0), &process(65_532, 65_532, &[])),
        "uid 65532 is neither the owner, uid 0, nor in group 0, and mode 0640 gives others nothing"
    );
}

#[test]
fn either_capability_passes_and_another_does_not() {
    let unreadable = file(0o000, 1000, 1000);
    for capability in ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"] {
        assert_eq!(may_read(&unreadable, &capable(0, capability)), Access::Granted);
    }
    assert!(matches!(may_read(&unreadable, &capable(0, "CAP_FOWNER")), Access::Refused(_)));
}

#[test]
fn a_directory_on_the_way_refuses_before_the_file() {
    let mut file = file(0o644, 0, 0);
    file.components[0].mode = Some(0o700);
    let refused = Access::Refused(Refusal { component: 0, need: Need::Search, rule: Rule::OtherBits });
    assert_eq!(may_read(&file, &process(1000, 1000, &[])), refused);
}

#[test]
fn a_directory_that_refuses_outweighs_what_is_missing_behind_it() {
    let mut file = file(0o644, 0, 0);
    let error = Some("ENOENT".to_owned());
    file.components[1] = PathComponent { path: "/token".to_owned(), error, ..PathComponent::default() };
    let unknown = Doubt::NotSeen { component: 1, error: "ENOENT".to_owned() };
    assert_eq!(may_read(&file, &process(1000, 1000, &[])), Access::Unknown(unknown));
    file.components[0].mode = Some(0o700);
    assert!(matches!(may_read(&file, &process(1000, 1000, &[])), Access::Refused(_)));
}

#[test]
fn the_acls_entries_decide_by_user_then_groups_then_others() {
    use AclTag::{Group, GroupOwner, Mask, Other, User, UserOwner};
    let file = with_acl(
        0o674,
        &[
            (UserOwner, None, 6),
            (User, Some(1234), 0),
            (User, Some(1235), 4),
            (GroupOwner, None, 0),
            (Group, Some(2000), 2),
            (Group, Some(2001), 4),
            (Mask, None, 7),
            (Other, None, 0),
        ],
    );
    assert_eq!(
        sentence(&file, &process(1234, 2001, &[])),
        "the ACL’s entry user:1234:--- gives uid 1234 no r"
    );
    assert_eq!(may_read(&file, &process(1235, 0, &[])), Access::Granted);
    assert_eq!(
        sentence(&file, &process(1, 0, &[2000])),
        "uid 1 is in groups of the ACL, and none gives r: group::---, group:2000:-w-"
    );
    assert_eq!(may_read(&file, &process(1, 0, &[2001])), Access::Granted);
    assert_eq!(
        sentence(&file, &process(1, 1, &[])),
        "uid 1 is neither the owner, uid 0, nor in any entry of the ACL, and other::--- gives no r"
    );
}

#[test]
fn the_acls_mask_takes_what_an_entry_gives() {
    use AclTag::{GroupOwner, Mask, Other, User, UserOwner};
    let acl = [
        (UserOwner, None, 6),
        (User, Some(1234), 4),
        (GroupOwner, None, 4),
        (Mask, None, 2),
        (Other, None, 4),
    ];
    let file = with_acl(0o624, &acl);
    let user = "the ACL’s mask, mask::-w-, takes r from its entry user:1234:r--";
    assert_eq!(sentence(&file, &process(1234, 1, &[])), user);
    let group = "the ACL’s mask, mask::-w-, takes r from its entry group::r--";
    assert_eq!(sentence(&file, &process(1, 0, &[])), group);
}

#[test]
fn with_an_empty_mask_whom_the_acl_names_is_one_of_the_others() {
    use AclTag::{GroupOwner, Mask, Other, User, UserOwner};
    let acl = [
        (UserOwner, None, 6),
        (User, Some(1234), 0),
        (GroupOwner, None, 4),
        (Mask, None, 0),
        (Other, None, 4),
    ];
    let file = with_acl(0o604, &acl);
    assert_eq!(may_read(&file, &process(1234, 1, &[])), Access::Granted);
    let group = "uid 1 is in group 0, and the ACL’s mask, as mode 0604 has it, gives groups nothing";
    assert_eq!(sentence(&file, &process(1, 0, &[])), group);
}

/// Kubelet 1.36 gives the links to the owner of the token; the directory stays root's.
fn kubelets_link(owner: u32, directory_mode: u32) -> TokenFile {
    let file = file(0o644, owner, 0);
    let [root, token] = <[PathComponent; 2]>::try_from(file.components.clone()).unwrap();
    let link = at("/volume/token", FileKind::Link, 0o777, owner, 0);
    let directory = at("/volume", FileKind::Directory, directory_mode, 0, 0);
    TokenFile { components: vec![root, directory, PathComponent { last: true, ..link }, token], ..file }
}

#[test]
fn a_protected_link_is_followed_by_its_owner_and_not_even_by_root() {
    let file = kubelets_link(65_532, 0o1777);
    assert_eq!(may_read(&file, &process(65_532, 0, &[])), Access::Granted);
    assert_eq!(
        sentence(&file, &capable(0, "CAP_DAC_OVERRIDE")),
        "the link belongs to uid 65532 in a sticky directory of uid 0 that all may write, mode 1777. \
         With fs.protected_symlinks on, uid 0 may not follow it, whatever its capabilities"
    );
}

#[test]
fn a_link_is_not_protected_when_one_condition_is_missing() {
    let follower = process(1000, 1000, &[]);
    for directory_mode in [0o777, 0o1775, 0o755] {
        assert_eq!(may_read(&kubelets_link(65_532, directory_mode), &follower), Access::Granted);
    }
    assert_eq!(may_read(&kubelets_link(0, 0o1777), &follower), Access::Granted);
    let off = TokenFile { links_protected: Some(false), ..kubelets_link(65_532, 0o1777) };
    assert_eq!(may_read(&off, &follower), Access::Granted);
    let mut inner = kubelets_link(65_532, 0o1777);
    inner.components[2].last = false;
    assert_eq!(may_read(&inner, &follower), Access::Granted);
}

#[test]
fn without_knowing_the_protection_a_link_leaves_a_doubt() {
    let file = TokenFile { links_protected: None, ..kubelets_link(65_532, 0o1777) };
    let doubt = Doubt::LinkProtection { component: 2 };
    assert_eq!(may_read(&file, &process(1000, 1000, &[])), Access::Unknown(doubt));
}

#[test]
fn without_components_nothing_is_known() {
    assert_eq!(may_read(&TokenFile::default(), &Process::default()), Access::Unknown(Doubt::NotReached));
}

/// Owner, group, mode as kubelet makes them, and the readers: uid 1000 with gid 1000, the same with gid 0, with
/// supplementary group 2000, uid 3000 with gid 3000, uid 0 without capabilities.
#[test]
fn each_row_of_kubelets_table_is_read_by_whom_the_table_says() {
    let readers = [
        process(1000, 1000, &[]),
        process(1000, 0, &[]),
        process(1000, 1000, &[2000]),
        process(3000, 3000, &[]),
        process(0, 0, &[]),
    ];
    for (owner, group, mode, readable_by, made_by) in [
        (0, 0, 0o600, [false, false, false, false, true], "defaultMode 0600 or runAsUser 0"),
        (0, 0, 0o644, [true; 5], "defaultMode 0644"),
        (0, 0, 0o400, [false, false, false, false, true], "defaultMode 0400"),
        (0, 0, 0o440, [false, true, false, false, true], "defaultMode 0440"),
        (0, 0, 0o640, [false, true, false, false, true], "defaultMode 0640"),
        (1000, 0, 0o600, [true, true, true, false, false], "runAsUser 1000"),
        (0, 2000, 0o640, [false, false, true, false, true], "fsGroup 2000"),
        (3000, 2000, 0o640, [false, false, true, true, false], "fsGroup 2000 and runAsUser 3000"),
    ] {
        let mut row = file(mode, owner, group);
        row.data_link = Some("..2026_11_21_10_00_00.1".to_owned());
        let granted = readers.each_ref().map(|reader| may_read(&row, reader) == Access::Granted);
        assert_eq!(granted, readable_by, "{owner}:{group} {mode:04o}");
        let rule = kubelet::rule(&row).unwrap();
        assert!(rule.made_by.contains(made_by), "{owner}:{group} {mode:04o}: {}", rule.made_by);
    }
}
