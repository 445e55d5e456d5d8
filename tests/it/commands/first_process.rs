//! The first process of a container has no default action for signals. A probe that waits for a file must still end on one.
//! Where a PID namespace cannot be made, the test says so; in CI as root that is a failure.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{binary, ci::in_ci, run::run};
use nix::{
    sys::signal::{Signal, kill},
    sys::stat::Mode,
    unistd::{Pid, mkfifo},
};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const INCONCLUSIVE: i32 = 3;
const SECOND: Duration = Duration::from_secs(1);

/// Starts the probe in its own PID namespace. `unshare` ends with the same exit code.
fn first(words: &[&str], folder: &Path) -> Child {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child"]).arg(binary::probe()).args(words);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn child_of(parent: &Child) -> Option<Pid> {
    let id = parent.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok().map(Pid::from_raw)
}

#[test]
fn judge_and_trust_end_by_a_signal_while_a_pipe_says_nothing() {
    let can = Command::new("unshare").args(["--pid", "--fork", "true"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        assert!(!(in_ci() && nix::unistd::geteuid().is_root()), "CI must make a PID namespace");
        let _ = writeln!(io::stderr(), "NOT TESTED HERE: no PID namespace can be made");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    mkfifo(&folder.path().join("pipe"), Mode::S_IRWXU).unwrap();
    for words in [&["judge", "pipe"][..], &["trust", "--policy=pipe"], &["judge", "pipe", "--output=json"]] {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut outer = first(words, folder.path());
            sleep(SECOND / 3);
            let since = Instant::now();
            kill(child_of(&outer).unwrap(), signal).unwrap();
            while outer.try_wait().unwrap().is_none() && since.elapsed() < 5 * SECOND {
                sleep(Duration::from_millis(5));
            }
            let ended = outer.try_wait().unwrap();
            let _ = outer.kill();
            outer.wait().unwrap();
            let code = ended.and_then(|status| status.code());
            assert!(code == Some(INCONCLUSIVE) && since.elapsed() < SECOND, "{words:?} {signal}: {ended:?}");
        }
    }
}

/// The file is sparse, so only reading it takes time.
#[test]
fn a_gigabyte_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let path = path.display().to_string();
    for words in [&["judge", &path][..], &["trust", &format!("--policy={path}")]] {
        let since = Instant::now();
        let ran = run(Command::new(binary::probe()).env_clear().args(words), Stdio::piped()).unwrap();
        assert!(ran.code == 2 && since.elapsed() < 3 * SECOND, "{:?}: {ran}", since.elapsed());
    }
}
