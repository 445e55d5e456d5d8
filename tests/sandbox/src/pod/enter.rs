//! The last step into the pod, in a process of its own: takes the application's ids, drops every capability, and becomes the command.
//! A second program image because `Command` can set a uid and a gid, but no supplementary groups.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    process::Command,
};

use caps::CapSet;
use nix::{
    sys::{
        prctl,
        signal::Signal,
        stat::{Mode, umask},
    },
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};

use crate::error::{Doing as _, Error, Result};

/// The argument under which the sandbox becomes the command.
pub(crate) const ENTER: &str = "__enter";

/// Who the command runs as.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
}

/// The command line that leads here; `ids` is `None` where the process has to stay who it is.
pub(crate) fn command(ids: Option<&Ids>, program: &OsStr, arguments: &[OsString]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(ENTER).arg(ids.map_or_else(|| "-".into(), Ids::to_argument)).arg(program).args(arguments);
    command
}

impl Ids {
    fn to_argument(&self) -> String {
        let ids = [&[self.uid, self.gid], self.groups.as_slice()].concat();
        ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
    }

    fn parse(argument: &str) -> Option<Self> {
        let ids: Vec<u32> = argument.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [uid, gid, groups @ ..] = ids.as_slice() else {
            return None;
        };
        Some(Self { uid: *uid, gid: *gid, groups: groups.to_vec() })
    }

    fn take(&self) -> Result<()> {
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        setgroups(&groups).doing(|| format!("failed to take the groups {:?}", self.groups))?;
        setresgid(gid, gid, gid).doing(|| format!("failed to become group {gid}"))?;
        setresuid(uid, uid, uid).doing(|| format!("failed to become user {uid}"))
    }
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
    let [ids, program, rest @ ..] = arguments else {
        return Err(Error::new(format!("`{ENTER}` is for the sandbox itself")));
    };
    // Needs CAP_SETPCAP, which goes with the ids; where it was never there, no bounding set matters.
    if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).unwrap_or(false) {
        caps::clear(None, CapSet::Bounding).doing(|| "failed to drop the bounding set".into())?;
    }
    let ids = ids.to_string_lossy();
    if ids != "-" {
        Ids::parse(&ids).ok_or_else(|| Error::new(format!("`{ids}` are no ids")))?.take()?;
    }
    // Ids alone do it for everyone but root.
    for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).doing(|| format!("failed to drop the {set:?} capabilities"))?;
    }
    prctl::set_no_new_privs().doing(|| "failed to set no_new_privs".into())?;
    // After the ids: the kernel forgets it with them. The pod goes when the sandbox is killed.
    prctl::set_pdeathsig(Signal::SIGKILL).doing(|| "failed to tie the command to the sandbox".into())?;
    umask(Mode::from_bits_truncate(0o022));
    Ok((program, rest))
}
