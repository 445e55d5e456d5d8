//! Says where the answer for another user hangs on a group that nobody stated: lent by credprobe, or its own and not lent. Pure.
//! In a pod both are guesses at what the app has: it may drop its groups, and an image may bring one of its own.

use crate::catalog::Class;
use crate::catalog::texts::token_file as texts;
use crate::evidence::{Process, TokenFile};
use crate::judge::access::{self, Access};
use crate::judge::facts::Facts;
use crate::judge::finding::{Finding, Severity};
use crate::steps::slot;
use crate::steps::values::Values;

/// The lent groups without which the answer would be another one.
fn deciding(file: &TokenFile, process: &Process) -> Vec<u32> {
    if process.lent.is_empty() {
        return Vec::new();
    }
    let answer = is_granted(file, process);
    let decides = |lost: &[u32]| is_granted(file, &without(process, lost)) != answer;
    if !decides(&process.lent) {
        return Vec::new();
    }
    let single: Vec<u32> = process.lent.iter().copied().filter(|group| decides(&[*group])).collect();
    // Two that each suffice: no single one decides.
    if single.is_empty() { process.lent.clone() } else { single }
}

fn is_granted(file: &TokenFile, process: &Process) -> bool {
    access::may_read(file, process) == Access::Granted
}

fn without(process: &Process, lost: &[u32]) -> Process {
    let groups = process.groups.iter().copied().filter(|group| !lost.contains(group)).collect();
    // The kernel has no such group, so that it matches none.
    let gid = if lost.contains(&process.gid) { u32::MAX } else { process.gid };
    Process { gid, groups, ..process.clone() }
}

/// The app reads the file by a lent group and by nothing else.
pub(super) fn opened_by_lent(facts: &Facts<'_>, file: &TokenFile) -> Option<Finding> {
    let process = &facts.evidence.process;
    let groups = deciding(file, process);
    if groups.is_empty() || !is_granted(file, process) {
        return None;
    }
    let (uid, list) = (process.uid, listed(&groups));
    let finding = Finding::new(
        Class::TokenFileUnreadable,
        format!("uid {uid} may read the token file only if the app keeps group {list}, which no flag states"),
    )
    .severity(Severity::Info)
    .presented(format!("group {list}, lent from this container"))
    .required(format!("the app in group {list} too, as fsGroup and supplementalGroups make it"))
    .why(format!("No flag states the app’s groups, so credprobe took those of its own container, group {list} among them. An fsGroup and supplementalGroups give it to the app as well."));
    Some(finding.steps(&values(&list, remedy(process, &groups)), &[&texts::STATE_GROUPS]))
}

fn values(group: &str, flags: String) -> Values {
    Values::default().with_text(slot::GROUP, format!("group {group}")).with_text(slot::VALUE, flags)
}

/// What a refusal says of groups that nobody stated.
pub(super) fn beside_refusal(facts: &Facts<'_>, file: &TokenFile, finding: Finding) -> Finding {
    let process = &facts.evidence.process;
    let not_lent = process.probe_gid.filter(|gid| {
        let groups = [process.groups.as_slice(), &[*gid]].concat();
        process.source == "as-uid"
            && !process.lent.contains(gid)
            && is_granted(file, &Process { groups, ..process.clone() })
    });
    let shut_out = deciding(file, process);
    let finding = match not_lent {
        Some(gid) => {
            let stated: Vec<String> = process.groups.iter().chain([&gid]).map(u32::to_string).collect();
            let values = values(&gid.to_string(), format!("--as-groups={}", stated.join(",")));
            finding.steps(&values, &[&texts::STATE_OWN_GROUP])
        }
        None => finding,
    };
    if shut_out.is_empty() {
        return finding;
    }
    let list = listed(&shut_out);
    finding.steps(&values(&list, remedy(process, &shut_out)), &[&texts::STATE_WITHOUT])
}

fn listed(groups: &[u32]) -> String {
    let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
    groups.join(" or ")
}

/// The flags that take those groups away and leave the others.
fn remedy(process: &Process, lost: &[u32]) -> String {
    let kept: Vec<String> =
        process.groups.iter().filter(|group| !lost.contains(group)).map(u32::to_string).collect();
    let groups = if kept.is_empty() { "none".to_owned() } else { kept.join(",") };
    if lost.contains(&process.gid) {
        format!("--as-gid=… --as-groups={groups}")
    } else {
        format!("--as-groups={groups}")
    }
}
