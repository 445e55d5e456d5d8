//! Which part of the kernel's rule keeps the probe from reading another process. Pure.
//! The rule: `__ptrace_may_access` (kernel/ptrace.c) with `cap_ptrace_access_check` (security/commoncap.c),
//! then the mode of `environ`, 0400. Supplementary groups do not count, and Yama forbids attaching only.

use crate::evidence::Target;
use crate::evidence::target::{Ids, Owner, Status};
use std::fmt;

/// Skips every comparison of the rule, but not the mode of `environ`.
const PTRACE: &str = "CAP_SYS_PTRACE";

/// Either reads a file whatever its mode.
const READ_ANY: [&str; 2] = ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"];

/// In what the probe and the other process differ so that the kernel refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The probe's file-system user id is not the other's real, effective and saved one.
    Uid {
        /// The probe's.
        own: u32,
        /// The other process's.
        target: Ids,
    },
    /// The same for the group id; supplementary groups do not help.
    Gid {
        /// The probe's.
        own: u32,
        /// The other process's.
        target: Ids,
    },
    /// The other has changed its ids without exec(2), or its file is not readable (prctl(2), `PR_SET_DUMPABLE`).
    NotDumpable,
    /// The other is permitted capabilities that are not effective in the probe.
    Capabilities(Vec<String>),
    /// `environ` is readable for its owner only, which `CAP_SYS_PTRACE` does not change.
    Owner {
        /// The probe's.
        own: u32,
        /// The other process's.
        owner: u32,
    },
}

/// Every difference for which the kernel refuses `environ`, and `root` too unless it is the owner;
/// none where the rule allows both, or where too little was seen.
#[must_use]
pub fn ptrace_refusal(target: &Target) -> Vec<Difference> {
    let (Some(own), Some(status)) = (&target.own, &target.status) else { return Vec::new() };
    let uid = own.uid.file_system;
    let mut differences = Vec::new();
    if !has(own, PTRACE) {
        if !all_are(status.uid, uid) {
            differences.push(Difference::Uid { own: uid, target: status.uid });
        }
        let gid = own.gid.file_system;
        if !all_are(status.gid, gid) {
            differences.push(Difference::Gid { own: gid, target: status.gid });
        }
        if dumpable(target) == Some(false) {
            differences.push(Difference::NotDumpable);
        }
        let missing = status.permitted.iter().filter(|capability| !has(own, capability));
        let missing: Vec<String> = missing.cloned().collect();
        if !missing.is_empty() {
            differences.push(Difference::Capabilities(missing));
        }
    }
    let owner = target.environ_owner.map_or(status.uid.effective, |owner| owner.uid);
    if differences.is_empty() && uid != owner && !READ_ANY.iter().any(|capability| has(own, capability)) {
        differences.push(Difference::Owner { own: uid, owner });
    }
    differences
}

/// By the owner of `environ`, which is root where a process is not dumpable (proc(5));
/// `None`: it belongs to root anyway.
pub(super) fn dumpable(target: &Target) -> Option<bool> {
    let (status, owner) = (target.status.as_ref()?, target.environ_owner?);
    let effective = Owner { uid: status.uid.effective, gid: status.gid.effective };
    match effective {
        _ if effective != owner => Some(false),
        Owner { uid: 0, gid: 0 } => None,
        _ => Some(true),
    }
}

/// File-system ids follow the effective ones and do not count on this side.
pub(super) fn all_are(ids: Ids, id: u32) -> bool {
    [ids.real, ids.effective, ids.saved] == [id; 3]
}

fn has(own: &Status, capability: &str) -> bool {
    own.effective.iter().any(|effective| effective == capability)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid { own, target } => {
                write!(f, "its uid is {}, credprobe’s is {own}", Columns(*target))
            }
            Self::Gid { own, target } => {
                write!(f, "its gid is {}, credprobe’s is {own}", Columns(*target))
            }
            Self::NotDumpable => f.write_str("it changed its ids and is not dumpable"),
            Self::Capabilities(_) => f.write_str("it has capabilities that credprobe lacks"),
            Self::Owner { owner, .. } => {
                write!(f, "its environ is for uid {owner} alone")
            }
        }
    }
}

/// One number where all three agree, else the real, the effective and the saved one.
pub(super) struct Columns(pub(super) Ids);

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ids { real, effective, saved, .. } = self.0;
        if all_are(self.0, effective) {
            return effective.fmt(f);
        }
        write!(f, "{real}, {effective} and {saved}")
    }
}
