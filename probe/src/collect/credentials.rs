//! User ids, group ids and capabilities: the probe's own, and a thread that takes those of another process.
//! Only that thread changes, because rustix makes bare system calls; the C library would change all threads.

use credprobe_judge::evidence::Process;
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, Gid, Uid};
use std::collections::BTreeSet;

/// Why the ids could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CannotSwitch {
    /// The capabilities that this process lacks, by name.
    Lacking(Vec<String>),
    /// The step that failed and the system's name of its error.
    Failed { step: &'static str, error: String },
}

/// Runs `work` with exactly the ids of `process`, and with those of its capabilities that this process also has.
/// The kernel then marks this process as untraceable. The probe already is.
///
/// # Errors
/// This process may not switch, or the subject reads by a capability that this process lacks, so the outcome
/// would differ.
pub fn as_ids<T: Send>(process: &Process, work: impl FnOnce() -> T + Send) -> Result<T, CannotSwitch> {
    let own = rustix::thread::capabilities(None).map_err(failed("capget"))?;
    let target = set_of(&process.capabilities);
    let needed = CapabilitySet::SETUID | CapabilitySet::SETGID;
    let lacking = (needed - own.effective) | ((target & OVERRIDES) - own.permitted);
    if !lacking.is_empty() {
        return Err(CannotSwitch::Lacking(names(lacking)));
    }
    let switched = || {
        take(process, target)?;
        Ok(work())
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, switched);
        let thread =
            thread.map_err(|error| failed("clone")(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN)))?;
        thread.join().unwrap_or_else(|_| Err(failed("join")(Errno::CANCELED)))
    })
}

/// Changes this thread permanently.
fn take(process: &Process, target: CapabilitySet) -> Result<(), CannotSwitch> {
    let groups = process.groups.iter().copied().map(gid).collect::<Result<Vec<Gid>, _>>()?;
    let (uid, gid) = (uid(process.uid)?, gid(process.gid)?);
    // Otherwise the kernel drops all capabilities together with uid 0, also those that the subject has.
    rustix::thread::set_keep_capabilities(true).map_err(failed("prctl"))?;
    rustix::thread::set_thread_groups(&groups).map_err(failed("setgroups"))?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(failed("setresgid"))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(failed("setresuid"))?;
    let kept = rustix::thread::capabilities(None).map_err(failed("capget"))?.permitted & target;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).map_err(failed("capset"))
}

/// Whether an `open` by this process has the same result as one by `process`: same ids, groups and permission overrides.
#[must_use]
pub fn are_own(process: &Process) -> bool {
    let (mut groups, mut its_groups) = (BTreeSet::new(), BTreeSet::new());
    groups.extend(nix::unistd::getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw()));
    its_groups.extend(process.groups.iter().copied());
    let own = rustix::thread::capabilities(None).map(|sets| sets.effective).unwrap_or(CapabilitySet::empty());
    let passes = process.capabilities.iter().filter(|name| name.starts_with("CAP_DAC_"));
    process.uid == nix::unistd::geteuid().as_raw()
        && process.gid == nix::unistd::getegid().as_raw()
        && its_groups == groups
        && set_of(passes) & OVERRIDES == own & OVERRIDES
}

/// The effective capabilities of this process, by name.
#[must_use]
pub fn own_capabilities() -> Vec<String> {
    rustix::thread::capabilities(None).map(|sets| names(sets.effective)).unwrap_or_default()
}

fn names(set: CapabilitySet) -> Vec<String> {
    capability_names(set.bits())
}

/// The names of the bits that `/proc/PID/status` shows as `CapEff`. A bit without a name gets its number.
pub(super) fn capability_names(bits: u64) -> Vec<String> {
    let name = |bit: usize| NAMES.get(bit).map_or_else(|| format!("CAP_{bit}"), |name| (*name).to_owned());
    (0..64).filter(|bit| bits >> bit & 1 == 1).map(name).collect()
}

fn set_of<'n>(names: impl IntoIterator<Item = &'n String>) -> CapabilitySet {
    // The names are in the order of their bits, so the search for each starts after the previous one, then from the beginning.
    let mut bits = 0;
    let mut next = 0;
    for name in names {
        let is_it = |known: &&str| *known == name.as_str();
        let behind = NAMES[next..].iter().position(is_it).map(|place| next + place);
        let Some(bit) = behind.or_else(|| NAMES.iter().position(is_it)) else { continue };
        bits |= 1 << bit;
        next = bit + 1;
    }
    CapabilitySet::from_bits_retain(bits)
}

/// Indexed by bit (`linux/capability.h`). rustix has the names too, but compares each with each to find one.
const NAMES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// Refuses the largest number, which means "unchanged" to the kernel.
fn uid(id: u32) -> Result<Uid, CannotSwitch> {
    if id == u32::MAX { Err(failed("setresuid")(Errno::INVAL)) } else { Ok(Uid::from_raw(id)) }
}

fn gid(id: u32) -> Result<Gid, CannotSwitch> {
    if id == u32::MAX { Err(failed("setresgid")(Errno::INVAL)) } else { Ok(Gid::from_raw(id)) }
}

fn failed(step: &'static str) -> impl Fn(Errno) -> CannotSwitch {
    move |errno| CannotSwitch::Failed { step, error: super::walk::errno_name(&errno.into()) }
}

/// The capabilities that override permissions when a file is read (capabilities(7)).
const OVERRIDES: CapabilitySet = CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH);

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test asks /proc for its ids")]
mod tests {
    use super::*;

    fn have(name: &str) -> bool {
        own_capabilities().iter().any(|own| own == name)
    }

    fn subject(uid: u32, capabilities: &[&str]) -> Process {
        let capabilities = capabilities.iter().map(|name| (*name).to_owned()).collect();
        Process { uid, gid: 2000, groups: vec![3000, 3001], capabilities, ..Process::default() }
    }

    fn ids() -> (u32, u32, Vec<u32>, Vec<String>) {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let numbers = |name: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().map(|number| number.parse().unwrap()).collect()
        };
        // Real, effective, saved and file system id must be equal, otherwise the thread could switch back.
        let one = |ids: Vec<u32>| ids.iter().all(|id| *id == ids[0]).then_some(ids[0]).unwrap();
        (one(numbers("Uid:")), one(numbers("Gid:")), numbers("Groups:"), own_capabilities())
    }

    #[test]
    fn the_thread_has_the_subjects_ids_and_of_its_capabilities_those_that_are_ours() {
        for (capability, decides) in
            [("CAP_DAC_OVERRIDE", true), ("CAP_DAC_READ_SEARCH", true), ("CAP_CHOWN", false)]
        {
            for uid in [0, 1000] {
                let outcome = as_ids(&subject(uid, &[capability]), ids);
                if !have("CAP_SETUID") || !have("CAP_SETGID") || (decides && !have(capability)) {
                    assert!(matches!(outcome, Err(CannotSwitch::Lacking(_))), "{outcome:?}");
                } else {
                    let kept = have(capability).then(|| capability.to_owned()).into_iter().collect();
                    assert_eq!(outcome, Ok((uid, 2000, vec![3000, 3001], kept)));
                }
            }
        }
    }

    #[test]
    fn the_other_threads_keep_theirs() {
        let before = (nix::unistd::geteuid(), own_capabilities());
        let _ = as_ids(&subject(1000, &[]), || ());
        assert_eq!((nix::unistd::geteuid(), own_capabilities()), before);
    }

    #[test]
    fn an_id_that_means_unchanged_is_refused() {
        for process in [
            Process { uid: u32::MAX, ..Process::default() },
            Process { gid: u32::MAX, ..Process::default() },
            Process { groups: vec![u32::MAX], ..Process::default() },
        ] {
            assert!(as_ids(&process, || ()).is_err());
        }
    }

    #[test]
    fn what_we_have_ourselves_is_our_own() {
        let own = crate::collect::process(
            &crate::collect::subject::Subject::new(crate::collect::subject::SubjectSelector::Own).unwrap(),
        );
        assert!(are_own(&own));
        assert!(!are_own(&Process { uid: own.uid + 1, ..own.clone() }));
        assert!(!are_own(&Process { groups: vec![4_000_000], ..own.clone() }));
        for name in ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"] {
            let mut capabilities = own.capabilities.clone();
            capabilities.retain(|its| its != name);
            if !have(name) {
                capabilities.push(name.to_owned());
            }
            assert!(!are_own(&Process { capabilities, ..own.clone() }), "{name}");
        }
    }

    #[test]
    fn bits_without_a_name_have_their_number() {
        assert_eq!(capability_names(1 << 1 | 1 << 63), ["CAP_DAC_OVERRIDE", "CAP_63"]);
    }

    #[test]
    fn the_names_are_those_of_the_bits_in_any_order() {
        for bit in 0..64 {
            let named: Vec<String> = CapabilitySet::from_bits_retain(1 << bit)
                .iter_names()
                .map(|(name, _)| format!("CAP_{name}"))
                .collect();
            if !named.is_empty() {
                assert_eq!(capability_names(1 << bit), named);
            }
            assert_eq!(set_of(&named).bits(), if named.is_empty() { 0 } else { 1 << bit });
        }
        let every_one = (1 << NAMES.len()) - 1;
        let mut all = capability_names(u64::MAX);
        all.push("CAP_OF_TOMORROW".to_owned());
        assert_eq!(set_of(&all).bits(), every_one);
        all.reverse();
        assert_eq!(set_of(&all).bits(), every_one);
    }
}
