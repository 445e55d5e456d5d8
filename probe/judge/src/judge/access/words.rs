//! A refusal in words for whoever has the pod before them: the ids, the mode, and what of both decided.
//! Pure; the component's path is said by the caller.

use super::{Need, Refusal, Rule};
use crate::evidence::{AclEntry, AclTag, PathComponent, Process, TokenFile};

impl Refusal {
    /// `uid 65532 is neither the owner, uid 0, nor in group 0, and mode 0640 gives others nothing`.
    #[must_use]
    pub fn describe(&self, file: &TokenFile, process: &Process) -> String {
        let Some(component) = file.components.get(self.component) else { return String::new() };
        let uid = process.uid;
        let (mode, group) = (component.mode.unwrap_or_default(), number(component.gid));
        let letter = match self.need {
            Need::Search => "x",
            Need::Read | Need::Follow => "r",
        };
        match &self.rule {
            Rule::OwnerBits => {
                format!("uid {uid} is the owner, and mode {mode:04o} gives the owner {}", given(mode >> 6))
            }
            Rule::GroupBits if !component.acl.is_empty() => {
                format!(
                    "uid {uid} is in group {group}, and the ACL’s mask, as mode {mode:04o} has it, gives groups nothing"
                )
            }
            Rule::GroupBits => format!(
                "uid {uid} is in group {group} and is not the owner, uid {}, and mode {mode:04o} gives that group {}{}",
                number(component.uid),
                given(mode >> 3),
                // What surprises most: others may, and a member may not.
                if mode & bit(self.need) == 0 {
                    ""
                } else {
                    ". The bits for others do not count for its members"
                },
            ),
            Rule::OtherBits => format!(
                "uid {uid} is neither the owner, uid {}, nor in group {group}, and mode {mode:04o} gives others {}",
                number(component.uid),
                given(mode)
            ),
            Rule::AclUser(entry) => {
                format!("the ACL’s entry {} gives uid {uid} no {letter}", entry_text(entry))
            }
            Rule::AclGroups(entries) => {
                let entries: Vec<String> = entries.iter().map(entry_text).collect();
                format!("uid {uid} is in groups of the ACL, and none gives {letter}: {}", entries.join(", "))
            }
            Rule::AclMask { entry, mask } => {
                format!(
                    "the ACL’s mask, mask::{}, takes {letter} from its entry {}",
                    letters(*mask),
                    entry_text(entry)
                )
            }
            Rule::AclOther(permissions) => format!(
                "uid {uid} is neither the owner, uid {}, nor in any entry of the ACL, and other::{} gives no {letter}",
                number(component.uid),
                letters(*permissions)
            ),
            Rule::ProtectedLink { directory } => {
                let directory = file.components.get(*directory);
                let of = |number_of: fn(&PathComponent) -> Option<u32>| number(directory.and_then(number_of));
                format!(
                    "the link belongs to uid {} in a sticky directory of uid {} that all may write, mode {:04o}. \
                     With fs.protected_symlinks on, uid {uid} may not follow it, whatever its capabilities",
                    number(component.uid),
                    of(|directory| directory.uid),
                    directory.and_then(|directory| directory.mode).unwrap_or_default(),
                )
            }
        }
    }
}

fn bit(need: Need) -> u32 {
    match need {
        Need::Search => 1,
        Need::Read | Need::Follow => 4,
    }
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "unknown".to_owned(), |id| id.to_string())
}

/// `nothing`, `only -w-`.
fn given(bits: u32) -> String {
    match bits & 7 {
        0 => "nothing".to_owned(),
        bits => format!("only {}", letters(u8::try_from(bits).unwrap_or_default())),
    }
}

fn letters(permissions: u8) -> String {
    let letter = |bit: u8, letter: char| if permissions & bit == 0 { '-' } else { letter };
    [letter(4, 'r'), letter(2, 'w'), letter(1, 'x')].iter().collect()
}

/// As getfacl(1) writes it: `user:1234:r--`.
fn entry_text(entry: &AclEntry) -> String {
    let tag = match entry.tag {
        AclTag::UserOwner | AclTag::User => "user",
        AclTag::GroupOwner | AclTag::Group => "group",
        AclTag::Mask => "mask",
        AclTag::Other => "other",
    };
    let id = entry.id.map(|id| id.to_string()).unwrap_or_default();
    format!("{tag}:{id}:{}", letters(entry.permissions))
}
