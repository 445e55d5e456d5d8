//! The last step into the pod, in a separate process: takes the application's ids and capabilities, and becomes the command.
//! It is a second program image because `Command` can set a uid and a gid, but no supplementary groups.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    path::Path,
    process::Command,
};

use nix::{
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::Signal,
        stat::{Mode, umask},
    },
};
use serde::{Deserialize, Serialize};

use super::mounts;
use crate::{
    capabilities::Rights,
    error::{Doing as _, Error, Result},
    scenario::target::Proc,
};

/// The argument under which the sandbox becomes the command.
pub(crate) const ENTER: &str = "__enter";

/// The rights of the command, and the `/proc` that it sees.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) rights: Rights,
    /// Mounted over the machine's `/proc`, for the command alone; `None` keeps the machine's.
    pub(crate) proc: Option<Proc>,
}

/// The command line that starts this step.
pub(crate) fn command(entry: &Entry, program: &OsStr, arguments: &[OsString]) -> Result<Command> {
    let entry = serde_json::to_string(entry).doing(|| "failed to describe the command".into())?;
    let mut command = Command::new("/proc/self/exe");
    command.arg(ENTER).arg(entry).arg(program).args(arguments);
    Ok(command)
}

/// Becomes the command; returns only when that fails.
pub(crate) fn become_command(arguments: &[OsString]) -> Error {
    match prepare(arguments) {
        Ok((program, rest)) => {
            let cause = Command::new(program).args(rest).exec();
            match Err::<(), _>(cause).doing(|| format!("failed to start {}", program.to_string_lossy())) {
                Ok(()) => Error::new("the command did not start"),
                Err(error) => error,
            }
        }
        Err(error) => error,
    }
}

fn prepare(arguments: &[OsString]) -> Result<(&OsString, &[OsString])> {
    let [entry, program, rest @ ..] = arguments else {
        return Err(Error::new(format!("`{ENTER}` is for the sandbox itself")));
    };
    let entry: Entry = serde_json::from_str(&entry.to_string_lossy())
        .doing(|| format!("failed to read what follows `{ENTER}`"))?;
    entry.proc.map_or(Ok(()), see)?;
    entry.rights.take()?;
    prctl::set_no_new_privs().doing(|| "failed to set no_new_privs".into())?;
    // Set after the ids, because a change of ids resets it. It ends the pod when the sandbox is killed.
    prctl::set_pdeathsig(Signal::SIGKILL).doing(|| "failed to tie the command to the sandbox".into())?;
    umask(Mode::from_bits_truncate(0o022));
    Ok((program, rest))
}

/// This happens here and not in `pod`, because only a process inside a PID namespace can mount its `/proc`.
fn see(proc: Proc) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).doing(|| "failed to give the command its own mounts".into())?;
    let at = Path::new("/proc");
    match proc {
        Proc::Mounted => mounts::proc(at, None),
        Proc::Hidepid => mounts::proc(at, Some("hidepid=2")),
        Proc::Missing => mounts::tmpfs(at, "555"),
    }
}
