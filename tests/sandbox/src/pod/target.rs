//! Makes one target, step by step in one process: a child of the sandbox gets its own root, the application's ids and
//! environment. The last step executes a program, as in a container. That makes the process dumpable and its environment readable.

use std::{
    convert::Infallible,
    ffi::{CString, OsString},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::ffi::OsStringExt as _,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use nix::{
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::Signal,
        stat::{Mode, umask},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::{Pid, execve, getegid, geteuid, pause},
};
use serde::{Deserialize, Serialize};

use super::root::Root;
use crate::{
    capabilities::Rights,
    error::{Doing as _, Error, Result},
    scenario::target::State,
};

/// The argument under which the sandbox becomes a target.
pub(crate) const TARGET: &str = "__target";
/// The argument under which a target becomes the application.
pub(crate) const APPLICATION: &str = "__application";

/// What one process is to be.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Image {
    pub(crate) name: String,
    /// `None`: its parent's root.
    pub(crate) root: Option<Root>,
    pub(crate) rights: Rights,
    /// The entries, in this order.
    pub(crate) environment: Vec<OsString>,
    /// How many bytes of variables come before those.
    pub(crate) padding: usize,
    pub(crate) user_namespace: bool,
    pub(crate) dumpable: bool,
    pub(crate) state: State,
    pub(crate) child: Option<Box<Self>>,
}

/// What the application does.
#[derive(Deserialize, Serialize)]
struct Behaviour {
    dumpable: bool,
    state: State,
}

const READY: &str = "ready";

/// Starts a target and waits until it is ready.
pub(crate) fn start(program: &Path, image: &Image) -> Result<Child> {
    let what = || format!("failed to start the target {}", image.name);
    let mut command = Command::new(program);
    command.arg(TARGET).arg(serde_json::to_string(image).doing(what)?).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().doing(what)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).doing(what)?;
    }
    if line.trim_end() != READY {
        return Err(Error::new(format!("{}: {}", what(), line.trim_end())));
    }
    match image.state {
        State::Running => {}
        State::Zombie => {
            let id = Id::Pid(Pid::from_raw(i32::try_from(child.id()).doing(what)?));
            waitid(id, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).doing(what)?;
        }
        State::Exits => drop(child.wait().doing(what)?),
    }
    Ok(child)
}

/// Becomes the application; returns only when that fails.
pub(crate) fn become_target(arguments: &[OsString]) -> ExitCode {
    let Err(error) = prepare(arguments);
    // The parent process reads this line and passes it on.
    let _ = writeln!(io::stdout().lock(), "{}", error.line());
    ExitCode::FAILURE
}

fn prepare(arguments: &[OsString]) -> Result<Infallible> {
    let image: Image = parse(TARGET, arguments)?;
    // The root's directories are for everyone, whatever the caller's umask is.
    umask(Mode::from_bits_truncate(0o022));
    image.root.as_ref().map_or(Ok(()), Root::enter)?;
    let myself = Path::new("/proc/self/exe");
    if let Some(child) = &image.child {
        // It stays this process's child when this process becomes the application.
        start(myself, child)?;
    }
    image.rights.take()?;
    if image.user_namespace {
        become_root_of_a_namespace()?;
    }
    let what = || format!("failed to become {}", image.name);
    let behaviour = Behaviour { dumpable: image.dumpable, state: image.state };
    let behaviour = serde_json::to_string(&behaviour).doing(what)?;
    let c_string = |text: OsString| CString::new(text.into_vec()).doing(what);
    let arguments = [image.name.clone().into(), APPLICATION.into(), behaviour.into()].map(c_string);
    let arguments = arguments.into_iter().collect::<Result<Vec<_>>>()?;
    let environment = padding(image.padding).into_iter().chain(image.environment.iter().cloned());
    let environment = environment.map(c_string).collect::<Result<Vec<_>>>()?;
    execve(c"/proc/self/exe", &arguments, &environment).doing(what)
}

/// Does what `unshare -U -r` does.
fn become_root_of_a_namespace() -> Result<()> {
    let what = || "failed to make a user namespace".to_owned();
    let (uid, gid) = (geteuid(), getegid());
    // After the change of ids the files below belong to root. Making the process dumpable gives them back.
    prctl::set_dumpable(true).doing(what)?;
    unshare(CloneFlags::CLONE_NEWUSER).doing(what)?;
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ] {
        std::fs::write(format!("/proc/self/{file}"), text).doing(what)?;
    }
    Ok(())
}

/// Runs as the application, which only waits or ends at once.
pub(crate) fn be_application(arguments: &[OsString]) -> ExitCode {
    match live(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stdout().lock(), "{}", error.line());
            ExitCode::FAILURE
        }
    }
}

fn live(arguments: &[OsString]) -> Result<()> {
    let what = || "failed to settle down".to_owned();
    let behaviour: Behaviour = parse(APPLICATION, arguments)?;
    let name = std::env::args_os().next().unwrap_or_default();
    prctl::set_name(&CString::new(name.into_vec()).doing(what)?).doing(what)?;
    prctl::set_pdeathsig(Signal::SIGKILL).doing(what)?;
    if !behaviour.dumpable {
        prctl::set_dumpable(false).doing(what)?;
    }
    // This fails without a reader: the sandbox ended before the death signal was set.
    writeln!(io::stdout().lock(), "{READY}").doing(what)?;
    if behaviour.state != State::Running {
        return Ok(());
    }
    loop {
        pause();
    }
}

fn parse<T: for<'a> Deserialize<'a>>(step: &str, arguments: &[OsString]) -> Result<T> {
    let text = arguments.first().map(|text| text.to_string_lossy()).unwrap_or_default();
    serde_json::from_str(&text).doing(|| format!("failed to read what follows `{step}`"))
}

/// Variables that come before all others, as a pod's own variables do, because the webhook appends.
/// No string may exceed 128 KiB.
fn padding(bytes: usize) -> Vec<OsString> {
    const LONGEST: usize = 100 << 10;
    let mut left = bytes;
    let mut entries = Vec::new();
    while left > 0 {
        let mut entry = format!("PADDING_{:04}=", entries.len());
        // The length includes the zero byte at the end.
        let length = left.min(LONGEST).max(entry.len() + 1);
        entry.extend(std::iter::repeat_n('x', length - 1 - entry.len()));
        left = left.saturating_sub(length);
        entries.push(entry.into());
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_of_that_many_bytes_and_no_string_too_long_for_the_kernel() {
        for bytes in [0, 100, 102_400, 2_000_000] {
            let entries = padding(bytes);
            assert_eq!(entries.iter().map(|entry| entry.len() + 1).sum::<usize>(), bytes);
            assert!(entries.iter().all(|entry| entry.len() < 131_072));
        }
    }
}
