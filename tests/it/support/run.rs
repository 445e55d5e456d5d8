//! Runs a program to its end, with a time limit, and keeps everything that it prints.
//! A program that hangs is killed, which is a failure.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fmt,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Long enough for a debug build on a busy machine. No run of the probe takes that long.
const LIMIT: Duration = Duration::from_secs(60);

/// A program that has ended.
pub(crate) struct Ran {
    command: String,
    /// As in a shell: 128 plus the signal, if a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs it and keeps its output; stdout is kept only if it is a pipe.
pub(crate) fn run(command: &mut Command, stdout: impl Into<Stdio>) -> Result<Ran, String> {
    let line = format!("{command:?}");
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("failed to start {line}: {error}"))?;
    let id = i32::try_from(child.id()).map(Pid::from_raw).map_err(|error| error.to_string())?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(LIMIT).map_err(|_| {
        // Its pipes may outlive it, so do not wait for them.
        let _ = kill(id, Signal::SIGKILL);
        format!("{line} did not end within {LIMIT:?}")
    })?;
    let Output { status, stdout, stderr } =
        output.map_err(|error| format!("failed to read {line}: {error}"))?;
    Ok(Ran {
        command: line,
        code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// For the message of a failed test.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "{command}\nexit code: {code}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}
