//! Tests paths inside a root: that they stay inside, that they are found, and that `openat2` and the walk agree.
//! Each root is a separate directory below the temporary one.
#![expect(clippy::disallowed_methods, reason = "tests make files")]

use super::*;
use std::fs::{create_dir_all, write};
use std::io::Read as _;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

/// A root with a token in the kubelet's layout, absolute links, and links that try to leave.
fn pod() -> (TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    create_dir_all(at("run/secrets/..2026_11_21")).unwrap();
    create_dir_all(at("var")).unwrap();
    write(at("run/secrets/..2026_11_21/token"), "inside").unwrap();
    write(at("hosts"), "hosts of the pod").unwrap();
    for (target, link) in [
        ("..2026_11_21", "run/secrets/..data"),
        ("..data/token", "run/secrets/token"),
        ("/run", "var/run"),
        ("../../../../../../../../../../hosts", "escape"),
        ("/../hosts", "absolute-escape"),
        ("b", "a"),
        ("a", "b"),
        ("/run/secrets/nothing", "dangling"),
    ] {
        symlink(target, at(link)).unwrap();
    }
    let mut previous = "hosts".to_owned();
    for number in 1..=41 {
        symlink(&previous, at(&format!("link{number}"))).unwrap();
        previous = format!("link{number}");
    }
    let directory = File::options().read(true).open(folder.path()).unwrap();
    (folder, Root::of(directory.into()))
}

fn content(file: io::Result<File>) -> Result<String, String> {
    let mut text = String::new();
    let read = file.and_then(|mut file| file.read_to_string(&mut text));
    read.map(|_| text).map_err(|error| super::super::walk::errno_name(&error))
}

fn last(root: &Root, path: &str) -> PathComponent {
    root.walk(path).pop().unwrap()
}

#[test]
fn openat2_and_the_walk_agree() {
    let (_folder, root) = pod();
    for (path, expected) in [
        ("/var/run/secrets/token", Ok("inside")),
        ("var/run/../run/secrets/token", Ok("inside")),
        ("/escape", Ok("hosts of the pod")),
        ("/absolute-escape", Ok("hosts of the pod")),
        ("/../../../../../../hosts", Ok("hosts of the pod")),
        ("/link40", Ok("hosts of the pod")),
        ("/link41", Err("ELOOP")),
        ("/a", Err("ELOOP")),
        ("/dangling", Err("ENOENT")),
        ("/hosts/token", Err("ENOTDIR")),
        ("/nothing/token", Err("ENOENT")),
        ("/run", Err("EISDIR")),
    ] {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(content(root.open(path)), expected, "openat2 {path}");
        assert_eq!(content(root.open_by_walking(path, READ)), expected, "walk {path}");
    }
}

#[test]
fn own_paths_resolve_as_this_process_resolves_them() {
    let (folder, _) = pod();
    let root = Root::own().unwrap();
    let path = folder.path().join("run/secrets/token");
    assert_eq!(content(root.open(path.to_str().unwrap())).as_deref(), Ok("inside"));
    // Tests run in the package's directory.
    assert!(content(root.open("Cargo.toml")).unwrap().contains("[package]"));
    let manifest = last(&root, "Cargo.toml");
    assert!(manifest.path.starts_with('/') && manifest.kind.is_some(), "{manifest:?}");
}

#[test]
fn a_walk_names_every_component_from_the_root_on() {
    let (_folder, root) = pod();
    let walked = root.walk("/var/run/secrets/token");
    let paths: Vec<&str> = walked.iter().map(|component| component.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/",
            "/var",
            "/var/run",
            "/",
            "/run",
            "/run/secrets",
            "/run/secrets/token",
            "/run/secrets/..data",
            "/run/secrets/..2026_11_21",
            "/run/secrets/..2026_11_21/token"
        ]
    );
}

#[test]
fn a_walk_ends_with_the_error_that_stopped_it() {
    let (_folder, root) = pod();
    assert_eq!(last(&root, "/run/nothing/token").error.as_deref(), Some("ENOENT"));
    assert_eq!(last(&root, "/a").error.as_deref(), Some("ELOOP"));
    assert_eq!(root.walk(&"/..".repeat(1_000)).len(), super::super::walk::COMPONENT_LIMIT);
    assert!(root.walk(&"/a".repeat(4_000)).is_empty());
}

#[test]
fn links_and_directories_are_told_from_files() {
    let (_folder, root) = pod();
    assert_eq!(root.read_link("/var/run/secrets/..data").unwrap(), Path::new("..2026_11_21"));
    assert_eq!(
        content(root.open_by_walking("/dangling", OFlags::PATH | OFlags::NOFOLLOW)),
        Err("EBADF".into())
    );
    assert_eq!(root.read_link("/hosts").unwrap_err().raw_os_error(), Some(Errno::INVAL.raw_os_error()));
    assert!(root.is_dir("/var/run").unwrap());
    assert!(!root.is_dir("/hosts").unwrap() && !root.is_dir("/nothing").unwrap());
}

#[test]
fn a_directory_is_listed_up_to_the_limit() {
    let (_folder, root) = pod();
    let listed = |path: &str, at_most| names(root.open(path)?, at_most);
    let mut names = listed("/var/run/secrets", 10).unwrap();
    names.sort();
    assert_eq!(names, ["..2026_11_21", "..data", "token"]);
    assert_eq!(listed("/", 5).unwrap().len(), 5);
    assert!(listed("/hosts", 5).is_err());
}

/// Uses this machine's root as another process's: none of its links, and not its pid, may lead to this process.
#[test]
fn no_way_into_proc_means_the_probe() {
    let (folder, _) = pod();
    let link = |name: &str, target: &str| {
        let path = folder.path().join(name);
        symlink(target, &path).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let direct = link("direct", "/proc/self/environ");
    let own_pid = format!("/proc/{}/environ", std::process::id());
    let mut ways =
        vec![direct.clone(), link("twice", &direct), own_pid, link("proc", "/proc") + "/self/environ"];
    ways.push(link("in-root", "../../../../../../../../proc/thread-self/maps"));
    ways.extend(
        [
            "/proc/self/environ",
            "/proc/thread-self/environ",
            "/proc/./self/environ",
            "/proc/../proc//self/environ",
            "/proc/self/task/../environ",
            "/proc/self/fd/99",
            "/proc/self/cwd/Cargo.toml",
            "/proc/self/nothing",
            "/proc/mounts",
            "/proc/net/route",
            "/dev/stdin",
            "/dev/fd/0",
            "proc/self/environ",
        ]
        .map(str::to_owned),
    );
    let root = Root::of(rustix::fs::open("/", DIRECTORY, Mode::empty()).unwrap());
    for way in ways {
        assert_eq!(content(root.open(&way)), Err("EXDEV".into()), "openat2 {way}");
        assert_eq!(content(root.open_by_walking(&way, READ)), Err("EXDEV".into()), "walk {way}");
        assert_eq!(last(&root, &way).error.as_deref(), Some("EXDEV"), "{way}");
        assert_eq!(root.is_dir(&way).unwrap_err().raw_os_error(), Some(Errno::XDEV.raw_os_error()), "{way}");
    }
    let table = Root::of(rustix::fs::open("/proc", DIRECTORY, Mode::empty()).unwrap());
    assert_eq!(content(table.open("/self/environ")), Err("EXDEV".into()), "/proc itself as root");
    assert!(content(Root::own().unwrap().open("/proc/self/status")).is_ok(), "the probe's own root");
}
