//! Nothing that the plugin needs is of Unix alone: cargo says so of each system that it is for.
//! The trees are those of normal dependencies; what only tests need does not ship.
#![expect(clippy::unwrap_used, reason = "a tree that cannot be had is a failure")]

use std::process::Command;

/// What would need Unix, a runtime, or a client of its own.
const FOREIGN: &[&str] = &[
    "nix",
    "rustix",
    "libc",
    "tokio",
    "hyper",
    "rustls",
    "aws-config",
    "aws-sdk-sts",
    "openssl",
    "credprobe",
];

fn tree(target: &str) -> String {
    let arguments = [
        "tree",
        "--locked",
        "--offline",
        "-p",
        "kubectl-credprobe",
        "--edges=normal",
        "--prefix=none",
        "--target",
    ];
    let done = Command::new(env!("CARGO")).args(arguments).arg(target).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn no_crate_of_unix_alone_on_any_system() {
    for target in ["x86_64-pc-windows-msvc", "aarch64-apple-darwin", "x86_64-unknown-linux-gnu"] {
        let tree = tree(target);
        let names = tree.lines().filter_map(|line| line.split(' ').next());
        let foreign: Vec<&str> = names.filter(|name| FOREIGN.contains(name)).collect();
        assert!(foreign.is_empty(), "{target}: {foreign:?}\n{tree}");
        assert!(tree.contains("credprobe-judge"), "{tree}");
    }
}
