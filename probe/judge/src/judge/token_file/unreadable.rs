//! Judges whether the subject may read the token file: by a real open where there was one, else by the model. Pure.
//! Where both are there and disagree, something else decides: a security module, or the file system itself.

#[cfg(test)]
mod tests;

use super::groups;
use crate::catalog::texts::{outcome, token_file as texts};
use crate::catalog::{Class, Restart};
use crate::evidence::{PathComponent, Process, TokenFile};
use crate::judge::access::{self, Access, Doubt, Refusal, Rule};
use crate::judge::facts::Facts;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::judge::kubelet::{self, Repair};
use crate::settings;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::text::plain;
use std::path::Path;

/// Nothing, where it may.
pub(super) fn judge(facts: &Facts<'_>, file: &TokenFile) -> Vec<Finding> {
    let access = access::may_read(file, &facts.evidence.process);
    let proof = file.proof.as_ref().map(|proof| proof.error.as_deref());
    match (proof, &access) {
        (Some(None), Access::Granted | Access::Unknown(_)) => Vec::new(),
        (Some(None), Access::Refused(refusal)) => vec![granted_all_the_same(facts, file, refusal)],
        (Some(Some(_)) | None, Access::Refused(refusal)) => refused(facts, file, refusal),
        (Some(Some(errno)), Access::Granted) => vec![refused_by_another(facts, file, errno)],
        (Some(Some(errno)), Access::Unknown(_)) => vec![refused_on_the_way(facts, file, errno)],
        (None, Access::Granted) => file.read_error.iter().map(|errno| not_read(facts, file, errno)).collect(),
        (None, Access::Unknown(doubt)) => vec![not_looked_at(facts, file, doubt)],
    }
}

fn refused(facts: &Facts<'_>, file: &TokenFile, refusal: &Refusal) -> Vec<Finding> {
    let process = &facts.evidence.process;
    let place = place(file, refusal);
    let of_file = refusal.component + 1 == file.components.len();
    let rule = kubelet::rule(file).filter(|_| of_file);
    let given_up = rule.is_some() && gave_up_root(facts, file);
    let uid = process.uid;
    let summary = if given_up {
        "the app gave up root, and only root may read the token file".to_owned()
    } else if of_file {
        format!("uid {uid} may not read the token file: {}", in_short(file, refusal))
    } else {
        format!("uid {uid} does not get to the token file: {place} is closed to it")
    };
    let finding = Finding::new(Class::TokenFileUnreadable, summary)
        .presented(ids(facts))
        .required(match file.components.get(refusal.component) {
            Some(PathComponent { mode: Some(mode), uid: Some(uid), gid: Some(gid), .. }) => {
                format!("an id that passes at {place} (mode {mode:04o}, owner {uid}:{gid})")
            }
            _ => format!("an id that passes at {place}"),
        })
        .ruled_out("a missing mount: the file is there");
    let elsewhere = facts.evidence.target.as_ref().is_some_and(|target| target.other_user_namespace);
    let finding = if elsewhere {
        finding.ruled_out(
            "capabilities: the process has its own user namespace, and beyond that they count for nothing",
        )
    } else {
        finding
    };
    let mut why = format!("{}.", plain(&refusal.describe(file, process)));
    if !of_file {
        why = format!("At {place}: {why}");
    }
    let finding = match &rule {
        Some(_) if given_up => {
            why.push_str(" Every container states runAsUser 0, so the kubelet gave the file to root alone, and the app gave up its uid.");
            finding.ruled_out(
                "a defect of kubelet: where all containers state one user it writes the file 0600 for that user",
            )
        }
        Some(rule) => {
            why.push_str(&format!(" The kubelet does so with {}.", rule.made_by));
            finding.ruled_out(format!("a defect of the kubelet: it writes the file so with {}", rule.made_by))
        }
        None => {
            why.push_str(" The file is there, so no mount is missing.");
            finding
        }
    };
    if elsewhere {
        why.push_str(" The process has its own user namespace, so its capabilities do not count.");
    }
    let values = of_reader(facts, file).with_text(slot::VALUE, place);
    let finding = finding.why(why).steps(&values, &[see_users(facts)]);
    let finding = groups::beside_refusal(facts, file, finding);
    let (values, steps): (_, &[&Template]) = match rule.map(|rule| rule.repair) {
        _ if !of_file => (values, &[&texts::OPEN_WAY]),
        None => (values, &[&texts::OPEN_COPY]),
        Some(_) if given_up => {
            (values, &[&texts::LET_ALL_RUN_AS, &texts::START_AS_OTHERS, &texts::SET_FS_GROUP])
        }
        Some(Repair::None | Repair::OneUser) => (values, &[&texts::LET_ALL_RUN_AS, &texts::SET_FS_GROUP]),
        Some(Repair::Mode) => {
            (values, &[&texts::LET_ALL_RUN_AS, &texts::SET_DEFAULT_MODE, &texts::SET_FS_GROUP])
        }
        Some(Repair::SameUser) => {
            let owner = file.uid.unwrap_or_default();
            let values = values.with_text(slot::VALUE, format!("uid {owner}"));
            (values, &[&texts::RUN_AS_OWNER, &texts::SET_FS_GROUP])
        }
        // Another fsGroup would take the present one from the other volumes.
        Some(Repair::KeepGroup) => {
            let group = file.gid.unwrap_or_default();
            let values = values.with_text(slot::VALUE, format!("group {group}"));
            let stated = process.source == "as-uid" && process.probe_gid != Some(group);
            (values, if stated { &[&texts::STATE_GROUP, &texts::KEEP_GROUP] } else { &[&texts::KEEP_GROUP] })
        }
    };
    let mut findings = vec![finding.steps(&values, steps)];
    findings.extend(perturbed(facts, file).filter(|_| of_file));
    findings
}

/// Whom the file is for, or what else decides.
fn in_short(file: &TokenFile, refusal: &Refusal) -> String {
    let component = file.components.get(refusal.component);
    let ids = component.and_then(|component| Some((component.mode?, component.uid?, component.gid?)));
    match (&refusal.rule, ids) {
        (Rule::ProtectedLink { .. }, _) => "a link on the way is protected".to_owned(),
        (Rule::OwnerBits | Rule::GroupBits | Rule::OtherBits, Some((mode, uid, gid))) => match mode & 0o444 {
            0o400 => format!("only uid {uid} may"),
            0o440 => format!("only uid {uid} and group {gid} may"),
            _ => format!("its mode is {:04o}", mode & 0o7777),
        },
        _ => "an ACL refuses it".to_owned(),
    }
}

/// With the ids for which the file is to be opened.
fn of_reader(facts: &Facts<'_>, file: &TokenFile) -> Values {
    let Process { uid, gid, .. } = facts.evidence.process;
    // Any group serves; the process's own says most to a reader of the manifest.
    let group = if gid == 0 { 65_534 } else { gid };
    super::values(facts, file).with(slot::USER, format!("uid {uid}"), uid).with(
        slot::GROUP,
        format!("group {group}"),
        group,
    )
}

/// Where the ids were credprobe's own, the app's may be others.
fn see_users(facts: &Facts<'_>) -> &'static Template {
    match facts.evidence.process.source.as_str() {
        "self" => &texts::SEE_USERS_OF_OTHERS,
        _ => &texts::SEE_USERS,
    }
}

/// Kubelet left the file to root: no fsGroup, and no one user other than 0 for all containers.
fn is_roots(file: &TokenFile) -> bool {
    file.data_link.is_some() && file.uid == Some(0) && file.gid == Some(0)
}

/// The ids are those of another process than credprobe, and not root's.
fn is_another_user(process: &Process) -> bool {
    matches!(process.source.as_str(), "as-uid" | "target-pid") && process.uid != 0
}

/// Kubelet gives a file 0600 to the one user that all containers state; here that is root, and the app is root no longer.
fn gave_up_root(facts: &Facts<'_>, file: &TokenFile) -> bool {
    let process = &facts.evidence.process;
    let closed = file.mode.is_some_and(|mode| mode & 0o777 == 0o600);
    is_roots(file) && closed && is_another_user(process) && process.probe_uid == 0
}

/// Kubelet gives the file to a user only where all containers state the same one; the probe's own counts too. Where they differ it
/// leaves the file to root with the volume's mode, which in the webhook's volume everybody may read.
fn perturbed(facts: &Facts<'_>, file: &TokenFile) -> Option<Finding> {
    let process = &facts.evidence.process;
    let mode = file.mode.unwrap_or_default();
    let shut = mode & 0o004 == 0 && !is_webhooks(file) && !gave_up_root(facts, file);
    let differs = is_another_user(process) && process.probe_uid != process.uid;
    (is_roots(file) && shut && differs).then(|| {
        let (probe, app) = (process.probe_uid, process.uid);
        Finding::new(
            Class::TokenFilePerturbed,
            format!("credprobe’s own uid {probe} may have closed the token file to the app"),
        )
        .expectation(Basis::Inferred)
        .restart(Restart::Pod)
        .presented(format!("owner 0:0, mode {mode:04o}; uid {probe} beside uid {app} in one pod"))
        .required(format!("one runAsUser for all containers of the pod: kubelet then gives the file to uid {app} (mode 0600)"))
        .why(format!("credprobe runs as uid {probe} and the app as uid {app}. Where all containers state one user, the kubelet gives that user the file. Else it leaves the file to root, here with mode {mode:04o}."))
        .steps(&of_reader(facts, file), &[&texts::SEE_USERS, &texts::FOLLOW_APP])
    })
}

/// The webhook's own volumes have no defaultMode, which is 0644 then.
fn is_webhooks(file: &TokenFile) -> bool {
    let mounts = [settings::IRSA_MOUNT, settings::POD_IDENTITY_MOUNT];
    // `/var/run` is a link to `/run` in most images.
    let lies_in = |mount: &str| Path::new(&file.path).starts_with(mount);
    mounts.iter().any(|mount| lies_in(mount) || mount.strip_prefix("/var").is_some_and(lies_in))
}

fn refused_by_another(facts: &Facts<'_>, file: &TokenFile, errno: &str) -> Finding {
    Finding::new(
        Class::TokenFileUnreadable,
        format!(
            "the kernel refuses uid {} the token file, though its mode allows it",
            facts.evidence.process.uid
        ),
    )
    .presented(ids(facts))
    .required("a security module (SELinux, AppArmor) and a file system that allow it as well")
    .ruled_out(format!("owner, mode and ACLs of {}", file.path))
    .why(format!("Opening {} fails with {errno}, and owner, mode and ACLs of its path allow it. So a security module, SELinux or AppArmor, or the file system refuses it.", file.path))
    .steps(&of_reader(facts, file), &[&texts::SEE_DENIALS, &texts::USUAL_PROFILE])
}

/// The way could not be looked at; that it is closed is certain.
fn refused_on_the_way(facts: &Facts<'_>, file: &TokenFile, errno: &str) -> Finding {
    let at = file.components.last().map_or(file.path.as_str(), |component| component.path.as_str());
    let uid = facts.evidence.process.uid;
    Finding::new(
        Class::TokenFileUnreadable,
        format!("uid {uid} does not get to the token file: {errno} at {at}"),
    )
    .presented(ids(facts))
    .required(format!("an id that may search the directories before {at}"))
    .why(format!("Its path is {}, and uid {uid} gets {errno} at {at}. So a directory before that is closed to uid {uid}.", file.path))
    .steps(
        &of_reader(facts, file).with_text(slot::VALUE, format!("the directories before {at}")),
        &[see_users(facts), &texts::OPEN_WAY],
    )
}

/// Root squashing, a FUSE file system and the like have rules of their own.
fn granted_all_the_same(facts: &Facts<'_>, file: &TokenFile, refusal: &Refusal) -> Finding {
    let what = refusal.describe(file, &facts.evidence.process);
    Finding::new(
        Class::TokenFileUnreadable,
        format!(
            "the kernel lets uid {} read the token file, though its mode does not say so",
            facts.evidence.process.uid
        ),
    )
    .severity(Severity::Info)
    .why(format!("{}. But the file was really opened.", plain(&what)))
    .presented(what)
    .required("nothing: the file was really opened")
    .steps(&Values::default(), &[&texts::NOTHING_TO_OPEN])
}

fn not_read(facts: &Facts<'_>, file: &TokenFile, errno: &str) -> Finding {
    let Process { uid, probe_uid, .. } = facts.evidence.process;
    let finding = Finding::new(
        Class::Inconclusive,
        format!("credprobe may not read the token file, and cannot become uid {uid}, which may"),
    );
    with_those_ids(
        facts,
        finding
            .presented(format!("{}; credprobe runs as uid {probe_uid}", file.path))
            .why(format!("By owner and mode uid {uid} may read {}. credprobe runs as uid {probe_uid}, and reading it fails with {errno}. So what the token holds is not known.", file.path)),
    )
}

fn not_looked_at(facts: &Facts<'_>, file: &TokenFile, doubt: &Doubt) -> Finding {
    let last = file.components.last();
    let at = last.map_or(file.path.as_str(), |component| component.path.as_str());
    let errno = last.and_then(|component| component.error.as_deref()).unwrap_or("no error");
    let what = match doubt {
        Doubt::LinkProtection { .. } => "/proc/sys/fs/protected_symlinks cannot be read".to_owned(),
        Doubt::NotSeen { .. } | Doubt::NotReached => format!("looking at {at} fails with {errno}"),
    };
    let Process { uid, probe_uid, .. } = facts.evidence.process;
    let finding = Finding::new(
        Class::Inconclusive,
        format!("credprobe cannot tell whether uid {uid} may read the token file"),
    );
    with_those_ids(
        facts,
        finding
            .presented(format!("credprobe runs as uid {probe_uid}"))
            .why(format!("credprobe runs as uid {probe_uid}, and {what}. With the ids of the app it sees what the app sees.")),
    )
}

pub(in crate::judge) fn with_those_ids(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Process { uid, gid, .. } = facts.evidence.process;
    let values =
        facts.values().with(slot::USER, uid.to_string(), uid).with(slot::GROUP, gid.to_string(), gid);
    finding
        .transient(false)
        .required(format!(
            "credprobe with the ids judged: {}; or as root with CAP_SETUID and CAP_SETGID",
            ids(facts)
        ))
        .steps(&values, &[&outcome::RUN_WITH_IDS])
}

/// `uid 1000 of process 1`.
pub(in crate::judge) fn who(facts: &Facts<'_>) -> String {
    let process = &facts.evidence.process;
    match process.source.as_str() {
        "target-pid" => format!("uid {} of process {}", process.uid, process.pid),
        _ => format!("uid {}", process.uid),
    }
}

pub(in crate::judge) fn ids(facts: &Facts<'_>) -> String {
    let process = &facts.evidence.process;
    let groups: Vec<String> = process.groups.iter().map(u32::to_string).collect();
    let capabilities = match process.capabilities.as_slice() {
        [] => String::new(),
        names => format!(", {}", names.join(" ")),
    };
    format!("uid {}, gid {}, groups [{}]{capabilities}", process.uid, process.gid, groups.join(" "))
}

fn place(file: &TokenFile, refusal: &Refusal) -> String {
    file.components
        .get(refusal.component)
        .map_or_else(|| file.path.clone(), |component| component.path.clone())
}
