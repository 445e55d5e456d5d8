//! The probe in a root directory that contains only itself and a token: no /dev, /proc or /etc, no resolver.
//! It uses chroot, which a user without root's rights may do in a user namespace.

use crate::support::{
    binary,
    run::{Ran, run},
    token::{ROLE, TOKEN},
};
use libtest_mimic::Failed;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const NAME: &str = "/credprobe";
/// Only these errors mean that the test cannot run; that the program itself does not start is a failure.
const UNABLE: [&str; 2] = ["chroot: cannot", "unshare: "];

fn in_empty_root(file: &Path, words: &[&str]) -> Result<Result<Ran, String>, Failed> {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    binary::place(file, &root.path().join(&NAME[1..]))?;
    fs::write(root.path().join("token"), TOKEN.as_str())?;
    let mut command = if nix::unistd::geteuid().is_root() {
        Command::new("chroot")
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    command.arg(root.path()).arg(NAME).args(words);
    // The probe's environment is empty. chroot itself is found with the PATH of this process.
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let ran = match run(&mut command, Stdio::piped()) {
        Ok(ran) => ran,
        Err(error) if error.starts_with("failed to start ") => return Ok(Err(error)),
        Err(error) => return Err(error.into()),
    };
    let unable = UNABLE.iter().any(|start| ran.stderr.starts_with(start));
    if unable { Ok(Err(ran.stderr.trim().to_owned())) } else { Ok(Ok(ran)) }
}

fn expect(ran: Result<Ran, String>, code: i32, start: &str) -> Result<Result<(), String>, Failed> {
    match ran {
        Err(unable) => Ok(Err(unable)),
        Ok(ran) if ran.code == code && ran.stdout.starts_with(start) && ran.stderr.is_empty() => Ok(Ok(())),
        Ok(ran) => Err(format!("`{start}…` and exit code {code} are expected\n{ran}").into()),
    }
}

pub(crate) fn version(file: &Path) -> Result<Result<(), String>, Failed> {
    expect(in_empty_root(file, &["--version"])?, 0, "credprobe ")
}

/// The token is from the year 2099.
pub(crate) fn local(file: &Path) -> Result<Result<(), String>, Failed> {
    let role = format!("--role-arn={ROLE}");
    let words = ["check", "--no-network", "--token-file=/token", "--region=eu-west-1", &role];
    expect(in_empty_root(file, &words)?, 0, "# ! ready 0, but this node’s clock is behind")
}

/// Without a resolv.conf the C library would ask this host, where nobody answers.
pub(crate) fn without_resolver(file: &Path) -> Result<Result<(), String>, Failed> {
    let role = format!("--role-arn={ROLE}");
    let words = ["check", "--token-file=/token", "--region=eu-west-1", "--timeout=3s", &role];
    expect(in_empty_root(file, &words)?, 40, "# ✗ dns-failed 40: ")
}
