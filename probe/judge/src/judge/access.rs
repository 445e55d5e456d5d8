//! The kernel's answer to whether a process may open the token file for reading, and which rule gave it. Pure.
//! As `acl_permission_check`, `posix_acl_permission` and `may_follow_link` have it (fs/namei.c, fs/posix_acl.c).

mod words;

use crate::evidence::{AclEntry, AclTag, FileKind, PathComponent, Process, TokenFile};

/// Whether the file may be read, as far as permissions go: SELinux and AppArmor show in a `Proof` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It may be read.
    Granted,
    /// It may not be read.
    Refused(Refusal),
    /// The evidence does not say.
    Unknown(Doubt),
}

/// The first component that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Index in `TokenFile::components`.
    pub component: usize,
    /// What was needed there.
    pub need: Need,
    /// What refused it.
    pub rule: Rule,
}

/// Where the evidence ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The probe could not look at this component: the operating system's name of the error.
    NotSeen {
        /// Index in `TokenFile::components`.
        component: usize,
        /// The operating system's name of the error.
        error: String,
    },
    /// The walk ended before the file.
    NotReached,
    /// It depends on `fs.protected_symlinks`, which the probe could not read.
    LinkProtection {
        /// Index in `TokenFile::components`.
        component: usize,
    },
}

/// What is needed of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// `x` on a directory.
    Search,
    /// `r` on the file.
    Read,
    /// To follow a link.
    Follow,
}

/// The one rule that decided: capabilities apart, the kernel looks at no other after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The bits for the owner do not give it.
    OwnerBits,
    /// The bits for the group do not give it.
    GroupBits,
    /// The bits for everybody else do not give it.
    OtherBits,
    /// The list's entry for this user does not give it.
    AclUser(AclEntry),
    /// None of the entries that match a group of the process gives it.
    AclGroups(Vec<AclEntry>),
    /// The entry gives it, and the mask takes it away.
    AclMask {
        /// The entry that gives it.
        entry: AclEntry,
        /// The mask that takes it away.
        mask: u8,
    },
    /// The list's entry for everybody else does not give it.
    AclOther(u8),
    /// A link in a sticky directory that all may write, which neither the follower nor the directory's owner owns.
    ProtectedLink {
        /// Index in `TokenFile::components`.
        directory: usize,
    },
}

/// Search permission on each directory that is passed, then read permission on the file.
/// Of a path relative to the working directory it asks the directories above that too, which the kernel does not.
#[must_use]
pub fn may_read(file: &TokenFile, process: &Process) -> Access {
    let refused = |component, need, rule| Access::Refused(Refusal { component, need, rule });
    let mut doubt = None;
    let mut directory: Option<(usize, &PathComponent)> = None;
    let mut found: Option<(usize, &PathComponent)> = None;
    for (index, component) in file.components.iter().enumerate() {
        if let Some((passed, parent)) = directory
            && let Some(rule) = refusing(parent, process, SEARCH)
        {
            return refused(passed, Need::Search, rule);
        }
        if let Some(error) = &component.error {
            return Access::Unknown(Doubt::NotSeen { component: index, error: error.clone() });
        }
        found = Some((index, component));
        match component.kind {
            Some(FileKind::Directory) => directory = found,
            Some(FileKind::Link) => {
                if let Some((parent_index, parent)) = directory
                    && is_guarded(component, parent, process)
                {
                    match file.links_protected {
                        Some(true) => {
                            return refused(
                                index,
                                Need::Follow,
                                Rule::ProtectedLink { directory: parent_index },
                            );
                        }
                        Some(false) => {}
                        None => doubt = Some(Doubt::LinkProtection { component: index }),
                    }
                }
            }
            Some(FileKind::Regular | FileKind::Special) | None => {}
        }
    }
    let Some((index, end)) = found.filter(|(_, end)| end.mode.is_some() && end.kind != Some(FileKind::Link))
    else {
        return Access::Unknown(Doubt::NotReached);
    };
    match refusing(end, process, READ) {
        Some(rule) => refused(index, Need::Read, rule),
        None => doubt.map_or(Access::Granted, Access::Unknown),
    }
}

/// The rule of `fs.protected_symlinks`, for the last link of a path only; no capability helps.
fn is_guarded(link: &PathComponent, directory: &PathComponent, process: &Process) -> bool {
    let sticky_and_open = directory.mode.is_some_and(|mode| mode & 0o1002 == 0o1002);
    link.last && sticky_and_open && link.uid != Some(process.uid) && link.uid != directory.uid
}

/// The rule that refuses `want`; `None`: it is granted.
fn refusing(component: &PathComponent, process: &Process, want: u8) -> Option<Rule> {
    let rule = by_permissions(component, process, want)?;
    (!passes_by_capability(process)).then_some(rule)
}

/// For searching a directory and reading a file both serve (capabilities(7)).
fn passes_by_capability(process: &Process) -> bool {
    process.capabilities.iter().any(|name| name == "CAP_DAC_OVERRIDE" || name == "CAP_DAC_READ_SEARCH")
}

/// One class decides, the first that matches: who is the owner never falls through to the group, nor a member to others.
fn by_permissions(component: &PathComponent, process: &Process, want: u8) -> Option<Rule> {
    let mode = component.mode.unwrap_or_default();
    let lacks = |bits: u32| bits & u32::from(want) == 0;
    if component.uid == Some(process.uid) {
        return lacks(mode >> 6).then_some(Rule::OwnerBits);
    }
    // With an empty mask the kernel does not look at the list at all: whom it names belongs to the others then.
    if !component.acl.is_empty() && mode & 0o070 != 0 {
        return by_acl(component, process, want);
    }
    if component.gid.is_some_and(|gid| is_member(process, gid)) {
        return lacks(mode >> 3).then_some(Rule::GroupBits);
    }
    lacks(mode).then_some(Rule::OtherBits)
}

fn by_acl(component: &PathComponent, process: &Process, want: u8) -> Option<Rule> {
    let gives = |entry: &&AclEntry| entry.permissions & want != 0;
    let mask = entry(component, AclTag::Mask).map_or(0o7, |entry| entry.permissions);
    let masked = |entry: &AclEntry| (mask & want == 0).then(|| Rule::AclMask { entry: entry.clone(), mask });
    let mut users = component.acl.iter().filter(|entry| entry.tag == AclTag::User);
    if let Some(entry) = users.find(|entry| entry.id == Some(process.uid)) {
        return if gives(&entry) { masked(entry) } else { Some(Rule::AclUser(entry.clone())) };
    }
    let groups: Vec<&AclEntry> =
        component.acl.iter().filter(|entry| matches(entry, component, process)).collect();
    if let Some(entry) = groups.iter().copied().find(gives) {
        return masked(entry);
    }
    if !groups.is_empty() {
        return Some(Rule::AclGroups(groups.into_iter().cloned().collect()));
    }
    let others = entry(component, AclTag::Other).map_or(0, |entry| entry.permissions);
    (others & want == 0).then_some(Rule::AclOther(others))
}

fn entry(component: &PathComponent, tag: AclTag) -> Option<&AclEntry> {
    component.acl.iter().find(|entry| entry.tag == tag)
}

/// Whether an entry is about a group of the process.
fn matches(entry: &AclEntry, component: &PathComponent, process: &Process) -> bool {
    let group = match entry.tag {
        AclTag::GroupOwner => component.gid,
        AclTag::Group => entry.id,
        AclTag::UserOwner | AclTag::User | AclTag::Mask | AclTag::Other => None,
    };
    group.is_some_and(|group| is_member(process, group))
}

fn is_member(process: &Process, group: u32) -> bool {
    process.gid == group || process.groups.contains(&group)
}

const READ: u8 = 4;
const SEARCH: u8 = 1;

#[cfg(test)]
mod tests;
