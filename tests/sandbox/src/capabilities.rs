//! The ids of a process and exactly the capabilities that a scenario lists.
//! A process takes them for itself, right before it executes another program.

use std::str::FromStr as _;

use caps::{CapSet, Capability, CapsHashSet};
use nix::{
    sys::prctl,
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};
use serde::{Deserialize, Serialize};

use crate::error::{Doing as _, Result};

/// A set of capabilities, written as names.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub(crate) struct Capabilities(CapsHashSet);

/// The name that stands for all of `DEFAULT`.
const CONTAINERD_DEFAULT: &str = "containerd-default";

/// The capabilities that containerd gives root where the pod does not set any.
const DEFAULT: [Capability; 14] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FSETID,
    Capability::CAP_FOWNER,
    Capability::CAP_MKNOD,
    Capability::CAP_NET_RAW,
    Capability::CAP_SETGID,
    Capability::CAP_SETUID,
    Capability::CAP_SETFCAP,
    Capability::CAP_SETPCAP,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_KILL,
    Capability::CAP_AUDIT_WRITE,
];

impl TryFrom<Vec<String>> for Capabilities {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let mut set = CapsHashSet::new();
        for name in names {
            if name == CONTAINERD_DEFAULT {
                set.extend(DEFAULT);
            } else {
                let known = Capability::from_str(&name);
                set.insert(known.map_err(|_| format!("there is no capability `{name}`"))?);
            }
        }
        Ok(Self(set))
    }
}

impl From<Capabilities> for Vec<String> {
    fn from(capabilities: Capabilities) -> Self {
        capabilities.0.iter().map(Capability::to_string).collect()
    }
}

impl Capabilities {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    /// The user who started a set-uid program; `None`: the same as `uid`.
    #[serde(default)]
    pub(crate) real_uid: Option<u32>,
}

impl Ids {
    fn take(&self) -> Result<()> {
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        setgroups(&groups).doing(|| format!("failed to take the groups {:?}", self.groups))?;
        setresgid(gid, gid, gid).doing(|| format!("failed to become group {gid}"))?;
        let real = self.real_uid.map_or(uid, Uid::from_raw);
        setresuid(real, uid, uid).doing(|| format!("failed to become user {uid}"))
    }
}

/// By default the process keeps its ids and loses every capability.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Rights {
    /// `None` if the process has to keep its ids.
    pub(crate) ids: Option<Ids>,
    pub(crate) held: Capabilities,
    /// Further capabilities, in the bounding set only. Kubernetes' `add` puts them there for every user except root.
    pub(crate) bounding: Capabilities,
}

impl Rights {
    pub(crate) fn take(&self) -> Result<()> {
        // This needs CAP_SETPCAP, which goes away with the ids. If it was never there, the bounding set does not matter.
        if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false) {
            self.limit()?;
        }
        let held = &self.held.0;
        if !held.is_empty() {
            prctl::set_keepcaps(true).doing(|| "failed to keep capabilities".into())?;
        }
        self.ids.as_ref().map_or(Ok(()), Ids::take)?;
        // Root keeps its capabilities when it executes a program. Other users keep only ambient ones.
        let ambient = match &self.ids {
            Some(ids) if ids.uid != 0 => held.clone(),
            _ => CapsHashSet::new(),
        };
        let what = |set: CapSet| format!("failed to change the {set:?} capabilities");
        caps::clear(None, CapSet::Ambient).doing(|| what(CapSet::Ambient))?;
        for (set, value) in
            [(CapSet::Inheritable, &ambient), (CapSet::Effective, held), (CapSet::Permitted, held)]
        {
            caps::set(None, set, value).doing(|| what(set))?;
        }
        for capability in ambient {
            caps::raise(None, CapSet::Ambient, capability).doing(|| what(CapSet::Ambient))?;
        }
        Ok(())
    }

    fn limit(&self) -> Result<()> {
        let beyond = caps::read(None, CapSet::Bounding).doing(|| "failed to read the bounding set".into())?;
        for capability in beyond.difference(&self.held.0) {
            if !self.bounding.0.contains(capability) {
                caps::drop(None, CapSet::Bounding, *capability)
                    .doing(|| format!("failed to drop {capability} from the bounding set"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Result<Capabilities, String> {
        list.iter().map(ToString::to_string).collect::<Vec<_>>().try_into()
    }

    #[test]
    fn the_default_is_what_containerd_gives_and_can_be_added_to() {
        let default = names(&["containerd-default"]).unwrap();
        assert_eq!(default.0.len(), 14);
        assert!(!default.0.contains(&Capability::CAP_SYS_PTRACE));
        assert_eq!(names(&["containerd-default", "CAP_SYS_PTRACE"]).unwrap().0.len(), 15);
    }

    #[test]
    fn what_is_written_down_is_read_back() {
        let capabilities = names(&["containerd-default", "CAP_SYS_PTRACE"]).unwrap();
        let text = serde_json::to_string(&capabilities).unwrap();
        assert_eq!(serde_json::from_str::<Capabilities>(&text).unwrap(), capabilities);
    }
}
