//! What the kernel says about the probe while it holds the token and waits for an answer that never comes.
//! The probe runs as a user other than root if possible, because root's files in /proc always belong to root.

use crate::support::{
    binary,
    token::{ROLE, TOKEN},
};
use libtest_mimic::Failed;
use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const NON_ROOT: u32 = 65532;

/// A probe that has connected and waits.
struct Waiting {
    child: Child,
    _token: tempfile::NamedTempFile,
    _program: tempfile::TempDir,
}

impl Waiting {
    fn start(file: &Path) -> Result<Self, Failed> {
        // A folder that every user may enter; a checkout may be closed to others.
        let program = tempfile::tempdir()?;
        fs::set_permissions(program.path(), fs::Permissions::from_mode(0o755))?;
        let copy = program.path().join("credprobe");
        binary::place(file, &copy)?;
        let mut token = tempfile::NamedTempFile::new()?;
        token.write_all(TOKEN.as_bytes())?;
        fs::set_permissions(token.path(), fs::Permissions::from_mode(0o644))?;
        let black_hole = TcpListener::bind("127.0.0.1:0")?;
        let mut command = Command::new("/bin/sh");
        // Otherwise a machine without core dumps would prove nothing.
        command.args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\""]).arg(copy);
        command.env_clear().env("AWS_ENDPOINT_URL_STS", format!("https://{}", black_hole.local_addr()?));
        command.args(["--timeout=30s", "--region=eu-west-1", &format!("--role-arn={ROLE}")]);
        command.arg(format!("--token-file={}", token.path().display()));
        if nix::unistd::geteuid().is_root() {
            command.uid(NON_ROOT).gid(NON_ROOT);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut waiting = Self { child, _token: token, _program: program };
        // When it connects, it has read the token.
        black_hole.set_nonblocking(true)?;
        while black_hole.accept().is_err() {
            if let Some(status) = waiting.child.try_wait()? {
                return Err(format!("it ended before it connected: {status}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(waiting)
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The kernel makes root the owner of /proc/PID of such a process (proc(5), PR_SET_DUMPABLE).
pub(crate) fn is_not_dumpable(file: &Path) -> Result<Result<(), String>, Failed> {
    let waiting = Waiting::start(file)?;
    let (owner, status) =
        (fs::metadata(waiting.proc("environ"))?.uid(), fs::read_to_string(waiting.proc("status"))?);
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    match (owner, uid) {
        (_, None | Some("0")) => {
            Ok(Err("the probe runs as root, whose files are root's either way".to_owned()))
        }
        (0, Some(_)) => Ok(Ok(())),
        (owner, Some(uid)) => Err(format!("/proc/PID belongs to {owner}, the process runs as {uid}").into()),
    }
}

pub(crate) fn dumps_no_core(file: &Path) -> Result<Result<(), String>, Failed> {
    let waiting = Waiting::start(file)?;
    let limits = fs::read_to_string(waiting.proc("limits"))?;
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap_or_default();
    if core.split_whitespace().take(2).eq(["0", "0"]) {
        Ok(Ok(()))
    } else {
        Err(format!("the limit is{core}").into())
    }
}
