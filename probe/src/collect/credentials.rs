//! Ids and capabilities: the probe's own, and a thread that takes those of another process.
//! Only that thread changes: rustix makes bare system calls, where the C library would change all threads.

use credprobe_judge::evidence::Process;
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, Gid, Uid};
use std::collections::BTreeSet;

/// Why ids could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CannotSwitch {
    /// Capabilities that this process lacks, by name.
    Lacking(Vec<String>),
    /// The step and the operating system's name of its error.
    Failed { step: &'static str, error: String },
}

/// Runs `work` with exactly the ids of `process`; of its capabilities, with those that this process has too.
/// The kernel then takes this process for one that nobody may trace, which the probe is anyway.
///
/// # Errors
/// Where this process may not, or where the outcome would differ because the subject reads by a capability
/// that this process lacks.
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

/// Changes this thread for good.
fn take(process: &Process, target: CapabilitySet) -> Result<(), CannotSwitch> {
    let groups = process.groups.iter().copied().map(gid).collect::<Result<Vec<Gid>, _>>()?;
    let (uid, gid) = (uid(process.uid)?, gid(process.gid)?);
    // Without it the kernel drops all capabilities with uid 0, those that the subject has too.
    rustix::thread::set_keep_capabilities(true).map_err(failed("prctl"))?;
    rustix::thread::set_thread_groups(&groups).map_err(failed("setgroups"))?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(failed("setresgid"))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(failed("setresuid"))?;
    let kept = rustix::thread::capabilities(None).map_err(failed("capget"))?.permitted & target;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).map_err(failed("capset"))
}

/// Whether an `open` by this process is one by `process`: the same ids, groups and means to pass by permissions.
#[must_use]
pub fn are_own(process: &Process) -> bool {
    let (mut groups, mut its_groups) = (BTreeSet::new(), BTreeSet::new());
    groups.extend(nix::unistd::getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw()));
    its_groups.extend(process.groups.iter().copied());
    let own = rustix::thread::capabilities(None).map(|sets| sets.effective).unwrap_or(CapabilitySet::empty());
    process.uid == nix::unistd::geteuid().as_raw()
        && process.gid == nix::unistd::getegid().as_raw()
        && its_groups == groups
        && set_of(&process.capabilities) & OVERRIDES == own & OVERRIDES
}

/// Effective capabilities of this process, by name.
#[must_use]
pub fn own_capabilities() -> Vec<String> {
    rustix::thread::capabilities(None).map(|sets| names(sets.effective)).unwrap_or_default()
}

/// Names of the bits that `/proc/PID/status` shows as `CapEff`; those that have none yet are left out.
#[must_use]
pub fn capability_names(bits: u64) -> Vec<String> {
    names(CapabilitySet::from_bits_retain(bits))
}

fn names(set: CapabilitySet) -> Vec<String> {
    set.iter_names().map(|(name, _)| format!("CAP_{name}")).collect()
}

fn set_of(names: &[String]) -> CapabilitySet {
    let sets = names.iter().filter_map(|name| CapabilitySet::from_name(name.strip_prefix("CAP_")?));
    sets.fold(CapabilitySet::empty(), CapabilitySet::union)
}

/// The largest number means "leave as it is" to the kernel.
fn uid(id: u32) -> Result<Uid, CannotSwitch> {
    if id == u32::MAX { Err(failed("setresuid")(Errno::INVAL)) } else { Ok(Uid::from_raw(id)) }
}

fn gid(id: u32) -> Result<Gid, CannotSwitch> {
    if id == u32::MAX { Err(failed("setresgid")(Errno::INVAL)) } else { Ok(Gid::from_raw(id)) }
}

fn failed(step: &'static str) -> impl Fn(Errno) -> CannotSwitch {
    move |errno| CannotSwitch::Failed { step, error: super::walk::errno_name(&errno.into()) }
}

/// What passes by permissions when a file is read (capabilities(7)).
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
        // Real, effective, saved, of the file system: all the same, or the thread could go back.
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
        assert!(!are_own(&Process { groups: vec![4_000_000], ..own }));
    }

    #[test]
    fn bits_without_a_name_are_left_out() {
        assert_eq!(capability_names(1 << 1 | 1 << 63), ["CAP_DAC_OVERRIDE"]);
    }
}
