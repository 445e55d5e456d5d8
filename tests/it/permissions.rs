//! The permission rules against the kernel's own answers: random paths, the kubelet's volumes, links in sticky directories.
//! A thread with the subject's ids opens each case, and separate processes (setpriv) open a sample of them.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes files; in a test, unwrap is the report"
)]

mod permission;
mod support;

use credprobe::collect::{OpenedTokenFile, Root, open_token_file};
use credprobe_judge::judge::access::{Access, Rule, may_read};
use permission::{case, ground::Ground, named, opener, volume};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

const CASES: u32 = 3_000;

/// One case of this many is also opened by another process.
const SAMPLED: u32 = 15;

#[test]
fn the_model_answers_as_the_kernel_does() {
    let Some(ground) = Ground::new() else { return };
    let seen = RefCell::new(BTreeMap::new());
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let mut number = 0;
    let roots = [Root::own().unwrap(), ground.as_root()];
    let number = RefCell::new(&mut number);
    let outcome = runner.run(&case::strategy(ground.has_acls()), |case| {
        **number.borrow_mut() += 1;
        case.lay(&ground);
        let own_path = ground.path("a/b/token");
        for (root, path) in roots.iter().zip([own_path.as_str(), "/a/b/token"]) {
            let look = open_token_file(root, path, &case.process);
            let access = may_read(&look.file, &case.process);
            *seen.borrow_mut().entry(label(&access)).or_insert(0) += 1;
            agree(&look, &access, "a thread with its ids").map_err(TestCaseError::fail)?;
            if **number.borrow() % SAMPLED == 0 {
                let opened = opener::by_setpriv(&own_path, &case.process);
                same(&access, opened, "setpriv").map_err(TestCaseError::fail)?;
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let seen = seen.into_inner();
    opener::say(&format!(
        "{number} cases in two roots, ACLs {}: {seen:?}",
        ground.has_acls(),
        number = number.borrow()
    ));
    let mut expected = vec!["granted", "owner", "group", "others"];
    if ground.has_acls() {
        expected.extend(["acl user", "acl groups", "acl mask", "acl other"]);
    }
    for label in expected {
        assert!(seen.get(label).is_some_and(|count| *count >= 20), "hardly a case of {label}: {seen:?}");
    }
}

#[test]
fn each_of_kubelets_volumes_is_read_by_whom_the_table_says() {
    let Some(ground) = Ground::new() else { return };
    let root = Root::own().unwrap();
    for row in volume::ROWS {
        for links_of in [volume::LinksOf::Root, volume::LinksOf::Owner] {
            let path = volume::lay(&ground, &row, links_of);
            for (reader, listed) in volume::readers().iter().zip(row.readable_by) {
                let look = open_token_file(&root, &path, reader);
                let access = may_read(&look.file, reader);
                let case = format!("{row:?} {links_of:?} {reader:?}");
                agree(&look, &access, &case).unwrap();
                same(&access, opener::by_setpriv(&path, reader), &case).unwrap();
                // If the token's owner owns the links, the rule for sticky directories applies too. The next test covers it.
                if links_of == volume::LinksOf::Root {
                    assert_eq!(access == Access::Granted, listed, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_link_in_a_sticky_directory_is_followed_by_whom_the_kernel_lets() {
    let Some(ground) = Ground::new() else { return };
    let root = Root::own().unwrap();
    let mut followed = BTreeMap::new();
    for link in volume::links() {
        let path = link.lay(&ground);
        for follower in volume::readers().iter().chain(&volume::capable_readers()) {
            let look = open_token_file(&root, &path, follower);
            let access = may_read(&look.file, follower);
            let case = format!("{link:?} {follower:?}");
            agree(&look, &access, &case).unwrap();
            same(&access, opener::by_setpriv(&path, follower), &case).unwrap();
            *followed.entry(label(&access)).or_insert(0) += 1;
        }
    }
    let protected = std::fs::read_to_string("/proc/sys/fs/protected_symlinks").unwrap();
    opener::say(&format!("fs.protected_symlinks is {} here: {followed:?}", protected.trim()));
    assert_eq!(followed.contains_key("link"), protected.trim() != "0", "{followed:?}");
}

/// The probe has every right here. A file that the process itself may not read must not be read for it.
#[test]
fn what_a_process_names_is_read_with_its_rights_and_no_others() {
    let Some(ground) = Ground::new() else { return };
    for uid in [0, 1000] {
        let app = named::App::start(&ground, uid, "0600", None);
        let seen = app.observe();
        let expected = if uid == 0 { vec![] } else { named::sources("EACCES", false) };
        assert_eq!(seen.unreadable, expected, "uid {uid}");
        let found = named::PLANTED.iter().filter(|planted| seen.text.contains(**planted));
        assert_eq!(
            found.count(),
            if uid == 0 { named::PLANTED.len() } else { 0 },
            "uid {uid}: {}",
            seen.text
        );
        assert_eq!(seen.certificates, usize::from(uid == 0), "uid {uid}");
    }
}

#[test]
fn nothing_that_a_process_names_is_looked_up_in_proc() {
    let Some(ground) = Ground::new() else { return };
    for way in ["/proc/self/environ", "/proc/thread-self/environ", "/dev/fd/0", "/proc/self/root/etc/hosts"] {
        let seen = named::App::start(&ground, 0, "0644", Some(way)).observe();
        let by_variable = |seen: Vec<(String, String, bool)>| -> Vec<_> {
            seen.into_iter().filter(|(source, ..)| !source.starts_with('/')).collect()
        };
        assert_eq!(by_variable(seen.unreadable), by_variable(named::sources("EXDEV", true)), "{way}");
    }
}

/// The model agrees with the probe's own proof.
fn agree(look: &OpenedTokenFile, access: &Access, case: &str) -> Result<(), String> {
    let proof = look.file.proof.as_ref().ok_or_else(|| format!("{case}: no proof"))?;
    same(access, proof.error.clone().map_or(Ok(()), Err), case)
}

fn same(access: &Access, opened: Result<(), String>, case: &str) -> Result<(), String> {
    match (access, &opened) {
        (Access::Granted, Ok(())) => Ok(()),
        (Access::Refused(_), Err(errno)) if errno == "EACCES" => Ok(()),
        _ => Err(format!("{case}: the model says {access:?}, the kernel {opened:?}")),
    }
}

fn label(access: &Access) -> &'static str {
    let Access::Refused(refusal) = access else {
        return if *access == Access::Granted { "granted" } else { "unknown" };
    };
    match refusal.rule {
        Rule::OwnerBits => "owner",
        Rule::GroupBits => "group",
        Rule::OtherBits => "others",
        Rule::AclUser(_) => "acl user",
        Rule::AclGroups(_) => "acl groups",
        Rule::AclMask { .. } => "acl mask",
        Rule::AclOther(_) => "acl other",
        Rule::ProtectedLink { .. } => "link",
    }
}
