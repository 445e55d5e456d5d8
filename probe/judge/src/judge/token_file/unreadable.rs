//! Judges whether the subject may read the token file: by a real open where there was one, else by the model. Pure.
//! Where both are there and disagree, something else decides: a security module, or the file system itself.

#[cfg(test)]
mod tests;

use super::groups;
use crate::catalog::Class;
use crate::evidence::{PathComponent, Process, TokenFile};
use crate::judge::access::{self, Access, Doubt, Refusal};
use crate::judge::facts::Facts;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::judge::kubelet;
use crate::settings;
use crate::settings::command::{Word, words};
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
    let why = refusal.describe(file, process);
    let summary = if of_file {
        format!("{} may not read the token file: {why}", who(facts))
    } else {
        format!("{} does not get to the token file: at {place}, {why}", who(facts))
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
    let rule = kubelet::rule(file).filter(|_| of_file);
    let finding = match &rule {
        Some(_) if gave_up_root(facts, file) => root_given_up(facts, finding),
        Some(rule) => finding
            .ruled_out(format!("a defect of kubelet: it writes the file so where there is {}", rule.made_by))
            .fix(format!("# to change in the pod spec: {}", rule.repair)),
        None => finding,
    };
    let finding = groups::beside_refusal(facts, file, finding);
    let mut findings = vec![for_others(facts, set_fs_group(facts, finding))];
    findings.extend(perturbed(facts, file).filter(|_| of_file));
    findings
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

fn root_given_up(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Process { uid, gid, .. } = &facts.evidence.process;
    let finding = Finding {
        summary: format!(
            "{} may not read the token file: every container states runAsUser: 0 and the app gave its uid up, so kubelet gave the file to root alone",
            who(facts)
        ),
        ..finding
    };
    finding
        .ruled_out("a defect of kubelet: where all containers state one user it writes the file 0600 for that user")
        .fix(format!(
            "# in the pod spec, one of these: runAsUser: {uid} for the pod, so that kubelet gives the file to uid {uid}"
        ))
        .fix("# or no runAsUser: 0 where the image starts as root anyway: kubelet then writes the file 0644, or with the defaultMode of a volume of your own")
        .fix(format!("# or fsGroup: {}, the app's group", if *gid == 0 { 65_534 } else { *gid }))
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
        let finding = Finding::new(
            Class::TokenFilePerturbed,
            format!("credprobe's own user may be why the token file stayed root's: this container runs as uid {probe}, the app as {app}"),
        )
        .expectation(Basis::Inferred)
        .presented(format!("owner 0:0, mode {mode:04o}; uid {probe} beside uid {app} in one pod"))
        .required(format!("one runAsUser for all containers of the pod: kubelet then gives the file to uid {app} (mode 0600)"))
        .fix(format!("# in the pod spec: runAsUser: {app} for the pod and for none of its containers another; or defaultMode 0644 on the volume; or an fsGroup, with which users need not agree"));
        set_fs_group(facts, finding)
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
    let finding = Finding::new(
        Class::TokenFileUnreadable,
        format!("the kernel refuses {} the token file ({errno}), though owner, mode and ACLs of its path allow it", who(facts)),
    )
    .presented(ids(facts))
    .required("a security module (SELinux, AppArmor) and a file system that allow it as well")
    .ruled_out(format!("owner, mode and ACLs of {}", file.path))
    .confirm_note(Some("ausearch -m AVC -ts recent"), "on the node, for SELinux; AppArmor: dmesg")
    .fix("# in the pod spec: securityContext.seLinuxOptions or appArmorProfile as the runtime gives them by default, the same for all containers");
    facts.recreate(finding)
}

/// The way could not be looked at; that it is closed is certain.
fn refused_on_the_way(facts: &Facts<'_>, file: &TokenFile, errno: &str) -> Finding {
    let at = file.components.last().map_or(file.path.as_str(), |component| component.path.as_str());
    let finding = Finding::new(
        Class::TokenFileUnreadable,
        format!("{} does not get to the token file: {errno} at {at}", who(facts)),
    )
    .presented(ids(facts))
    .required(format!("an id that may search the directories before {at}"));
    for_others(facts, set_fs_group(facts, finding))
}

/// Root squashing, a FUSE file system and the like have rules of their own.
fn granted_all_the_same(facts: &Facts<'_>, file: &TokenFile, refusal: &Refusal) -> Finding {
    Finding::new(
        Class::TokenFileUnreadable,
        format!("the kernel lets {} read the token file, though its mode does not say so", who(facts)),
    )
    .severity(Severity::Info)
    .presented(refusal.describe(file, &facts.evidence.process))
    .required("nothing: the file was really opened")
    .fix("# nothing; a file system with rules of its own (FUSE, NFS) looks like this")
}

fn not_read(facts: &Facts<'_>, file: &TokenFile, errno: &str) -> Finding {
    let finding = Finding::new(
        Class::Inconclusive,
        format!(
            "{} may read the token file, but credprobe itself may not ({errno}), and cannot become that user",
            who(facts)
        ),
    );
    with_those_ids(
        facts,
        finding
            .presented(format!("{}; credprobe runs as uid {}", file.path, facts.evidence.process.probe_uid)),
    )
}

fn not_looked_at(facts: &Facts<'_>, file: &TokenFile, doubt: &Doubt) -> Finding {
    let last = file.components.last();
    let at = last.map_or(file.path.as_str(), |component| component.path.as_str());
    let errno = last.and_then(|component| component.error.as_deref()).unwrap_or("no error");
    let what = match doubt {
        Doubt::LinkProtection { .. } => "/proc/sys/fs/protected_symlinks cannot be read".to_owned(),
        Doubt::NotSeen { .. } | Doubt::NotReached => format!("credprobe cannot look at {at} ({errno})"),
    };
    let finding = Finding::new(
        Class::Inconclusive,
        format!("whether {} may read the token file is not known: {what}", who(facts)),
    );
    with_those_ids(
        facts,
        finding.presented(format!("credprobe runs as uid {}", facts.evidence.process.probe_uid)),
    )
}

pub(in crate::judge) fn with_those_ids(facts: &Facts<'_>, finding: Finding) -> Finding {
    let process = &facts.evidence.process;
    let finding = finding
        .transient(false)
        .required(format!(
            "credprobe with the ids judged: {}; or as root with CAP_SETUID and CAP_SETGID",
            ids(facts)
        ))
        .fix(format!(
            "# in credprobe's container: securityContext.runAsUser: {}, runAsGroup: {}; then:",
            process.uid, process.gid
        ));
    finding.fix("credprobe check")
}

/// `uid 1000 (pid 1)`.
pub(in crate::judge) fn who(facts: &Facts<'_>) -> String {
    let process = &facts.evidence.process;
    match process.source.as_str() {
        "target-pid" => format!("uid {} (pid {})", process.uid, process.pid),
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

/// Kubelet: fsGroup gives 0640 with that group, and every container of the pod is in it.
fn set_fs_group(facts: &Facts<'_>, finding: Finding) -> Finding {
    let group = match facts.evidence.process.gid {
        // Any group serves; the process's own says most to a reader of the manifest.
        0 => 65_534,
        gid => gid,
    };
    let patch = Word::from(group)
        .after(r#"{"spec":{"template":{"spec":{"securityContext":{"fsGroup":"#)
        .before("}}}}}");
    // Kubelet's own group is 0; another one on the file is the fsGroup that is there.
    let present = facts.evidence.token_file.as_ref().filter(|file| file.data_link.is_some());
    let overwritten = match present.and_then(|file| file.gid) {
        None | Some(0) => String::new(),
        Some(present) => format!("overwrites fsGroup {present}, "),
    };
    let note = format!(
        "kubelet then writes the token 0640 with that group; {overwritten}restarts the deployment's pods"
    );
    facts.deployment_command(finding, words!["patch"], words!["-p", patch], &note)
}

/// The ids were credprobe's own: the app's may be others.
fn for_others(facts: &Facts<'_>, finding: Finding) -> Finding {
    match facts.evidence.process.source.as_str() {
        "self" => finding.confirm(
            "# these are credprobe's own ids; to judge for the app's: --as-uid, --as-gid and --as-groups",
        ),
        _ => finding,
    }
}
