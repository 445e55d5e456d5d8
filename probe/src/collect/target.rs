//! Observes another process for `--target-pid`: its ids, the known names in its environment, its root directory.
//! What could not be observed is kept with its errno. The judge says which kernel rule refused it.
#![expect(clippy::disallowed_methods, reason = "an observer: it reads /proc")]

mod choose;
mod environ;
mod handle;
mod status;
#[cfg(test)]
mod tests;

use choose::{Choice, Process};
use credprobe_judge::evidence::Target;
use credprobe_judge::evidence::target::{Candidate, Differing, Sighting, Status};
use environ::Environment;
use handle::Handle;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

/// The process that the flag names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetPid {
    Pid(u32),
    /// The entrypoint of the only other visible container.
    Auto,
}

/// What observers need of a process. No `Debug`, because variables may hold credentials.
pub struct Seen {
    /// The variables that credprobe knows, unredacted. Of duplicates the first counts.
    pub variables: BTreeMap<OsString, OsString>,
    /// Its root directory (`O_PATH`).
    pub root: OwnedFd,
    /// Its directory in `/proc` (`O_PATH`). Reads relative to it never reach another process.
    pub proc: OwnedFd,
}

/// More time than exec(2) needs between the new memory and the new environment.
const EXEC: Duration = Duration::from_millis(10);

/// A pod has a few dozen processes. If there are more, it is a node, and the first few show that already.
const PROCESS_LIMIT: usize = 4096;

const CANDIDATE_LIMIT: usize = 32;

const DESCENDANT_LIMIT: usize = 256;

const DIFFERING_LIMIT: usize = 32;

/// How many names are listed for one process.
const NAMES_LIMIT: usize = 32;

/// Observes the process. `None`: it could not be observed, and the evidence says why.
#[must_use]
pub fn observe(asked: TargetPid) -> (Target, Option<Seen>) {
    observe_in(Path::new("/proc"), asked)
}

fn observe_in(proc: &Path, asked: TargetPid) -> (Target, Option<Seen>) {
    let mut target = Target { asked: asked.to_string(), ..Target::default() };
    let opened = Handle::open(proc, "self");
    let (own, namespace) = match opened.and_then(|handle| Ok((handle.status()?, handle.user_namespace()))) {
        Ok(own) => own,
        Err(error) => {
            target.proc_error = Some(name(error));
            return (target, None);
        }
    };
    let (own_pid, processes) = (own.pid, processes(proc, &mut target));
    target.own = Some(own);
    target.whole_node = processes.iter().any(|process| process.kernel_thread);
    target.pid = match asked {
        TargetPid::Pid(pid) => Some(pid),
        TargetPid::Auto => match choose::choose(&processes, own_pid) {
            Choice::One(pid) => Some(pid),
            Choice::Among(pids) => {
                target.truncated.candidates = pids.len() > CANDIDATE_LIMIT;
                let pids = pids.into_iter().take(CANDIDATE_LIMIT);
                target.candidates = pids.filter_map(|pid| candidate(proc, pid)).collect();
                None
            }
        },
    };
    let Some(pid) = target.pid.filter(|pid| *pid != own_pid) else { return (target, None) };
    let seen = open_token_file(proc, pid, namespace, &mut target);
    if let Some(seen) = &seen {
        compare(proc, &processes, (pid, own_pid), seen, &mut target);
    }
    (target, seen)
}

/// Every visible process, by pid.
fn processes(proc: &Path, target: &mut Target) -> Vec<Process> {
    let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut pids: Vec<u32> = pids.take(PROCESS_LIMIT + 1).collect();
    target.truncated.processes = pids.len() > PROCESS_LIMIT;
    pids.truncate(PROCESS_LIMIT);
    pids.sort_unstable();
    let process = |pid: u32| {
        let handle = Handle::open(proc, &pid.to_string()).ok()?;
        let Status { parent, kernel_thread, .. } = handle.status().ok()?;
        Some(Process { pid, parent, comm: handle.comm(), cgroup: handle.cgroup(), kernel_thread })
    };
    pids.into_iter().filter_map(process).collect()
}

fn candidate(proc: &Path, pid: u32) -> Option<Candidate> {
    let handle = Handle::open(proc, &pid.to_string()).ok()?;
    let uid = handle.status().ok()?.uid.effective;
    let role_arn = match handle.environment(&mut { environ::LIMIT }) {
        Ok(Environment { variables, .. }) if variables.contains_key(OsStr::new("AWS_ROLE_ARN")) => {
            Sighting::Yes
        }
        Ok(_) => Sighting::No,
        Err(_) => Sighting::Unreadable,
    };
    Some(Candidate { pid, comm: handle.comm(), uid, role_arn })
}

/// `own`: the user namespace in which the probe's capabilities count.
fn open_token_file(
    proc: &Path,
    pid: u32,
    own: Result<Option<(u64, u64)>, Errno>,
    target: &mut Target,
) -> Option<Seen> {
    let opened = Handle::open(proc, &pid.to_string());
    let (handle, before) = match opened.and_then(|handle| Ok((handle.status()?, handle))) {
        Ok((status, handle)) => (handle, status),
        Err(error) => {
            target.status_error = Some(name(error));
            target.exists = exists(pid, target.own.as_ref());
            return None;
        }
    };
    target.comm = handle.comm();
    target.environ_owner = handle.environ_owner();
    let mut budget = environ::LIMIT;
    let mut environment = handle.environment(&mut budget);
    if environment.is_ok() && budget == environ::LIMIT {
        // An exec(2) may be in progress, with the new environment not there yet.
        std::thread::sleep(EXEC);
        environment = handle.environment(&mut budget);
    }
    let root = handle.root();
    target.environment_error = environment.as_ref().err().copied().map(name);
    target.root_error = root.as_ref().err().copied().map(name);
    // A process that exits meanwhile shows an empty environment without an error.
    let status = match handle.status() {
        Ok(after) => after,
        Err(error) => {
            target.status_error = Some(name(error));
            before
        }
    };
    let gone = target.status_error.is_some() || status.kernel_thread || status.has_exited();
    // Check this after reading the capabilities: a process can enter another namespace but cannot come back.
    target.other_user_namespace = !matches!((own, handle.user_namespace()), (Ok(own), Ok(its)) if own == its);
    let one_identity = status.uid.agree() && status.gid.agree();
    target.status = Some(status);
    let (Ok(environment), Ok(root)) = (environment, root) else { return None };
    target.truncated.environment = environment.truncated;
    target.truncated.variables = lossy(&environment.cut);
    let Environment { variables, truncated, .. } = environment;
    (!gone && !truncated && one_identity).then(|| Seen { variables, root, proc: handle.into_fd() })
}

/// Signal 0 finds a process that `hidepid` hides. `None`: `/proc` belongs to another pid namespace than signals do.
fn exists(pid: u32, own: Option<&Status>) -> Option<bool> {
    own.filter(|own| own.pid == std::process::id())?;
    // A pid of 0 or less would mean process groups.
    let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 0) else { return Some(false) };
    Some(kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
}

/// Compares the environment with that of descendants: what a shell exports or unsets shows only there.
fn compare(proc: &Path, processes: &[Process], (pid, own): (u32, u32), seen: &Seen, target: &mut Target) {
    let chosen = processes.iter().find(|process| process.pid == pid);
    let Some(cgroup) = chosen.map(|process| &process.cgroup) else { return };
    let mut descendants = choose::descendants(processes, pid, cgroup);
    descendants.retain(|process| process.pid != own);
    target.truncated.descendants = target.truncated.processes || descendants.len() > DESCENDANT_LIMIT;
    // One budget for all of them, because each may claim megabytes.
    let mut budget = environ::LIMIT;
    for process in descendants.into_iter().take(DESCENDANT_LIMIT) {
        let Ok(handle) = Handle::open(proc, &process.pid.to_string()) else { continue };
        // Read through the same handle, so that the cgroup belongs to the process whose environment is read.
        if handle.cgroup() != *cgroup {
            continue;
        }
        let Ok(environment) = handle.environment(&mut budget) else { continue };
        // A process that has exited would seem to have unset everything.
        if !handle.status().is_ok_and(|status| !status.has_exited()) {
            continue;
        }
        if environment.truncated || target.differing.len() == DIFFERING_LIMIT {
            target.truncated.descendants = true;
            return;
        }
        let mut variables = differences(&seen.variables, &environment);
        // Values of the chosen process that were cut off are unknown.
        variables.retain(|name| !target.truncated.variables.contains(name));
        target.truncated.descendants |= variables.len() > NAMES_LIMIT;
        variables.truncate(NAMES_LIMIT);
        if !variables.is_empty() {
            target.differing.push(Differing { pid: process.pid, comm: process.comm.clone(), variables });
        }
    }
}

/// The names whose values differ, except those of the pod and the cluster, which decide nothing.
fn differences(ours: &BTreeMap<OsString, OsString>, theirs: &Environment) -> Vec<String> {
    let mut names: BTreeSet<&OsString> = BTreeSet::new();
    names.extend(ours.keys().chain(theirs.variables.keys()));
    let decides = |name: &OsStr| {
        let name = name.as_bytes();
        !name.starts_with(b"POD_") && !name.starts_with(b"KUBERNETES_SERVICE_")
    };
    let differ = |name: &OsStr| ours.get(name) != theirs.variables.get(name) && !theirs.cut.contains(name);
    lossy(names.into_iter().filter(|name| decides(name) && differ(name)))
}

fn lossy<'a>(names: impl IntoIterator<Item = &'a OsString>) -> Vec<String> {
    names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The name of an error: `EACCES`, `ESRCH` …
fn name(error: Errno) -> String {
    format!("{error:?}")
}

impl fmt::Display for TargetPid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pid(pid) => pid.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// For the fuzzer only: whether a process's status and its environment could be parsed.
#[cfg(fuzzing)]
pub(crate) fn parsed(bytes: &[u8]) -> (bool, bool) {
    let environment = environ::read(bytes, &mut (1024 * 1024)).unwrap_or_default();
    (status::parse(bytes).is_some(), !environment.variables.is_empty())
}
