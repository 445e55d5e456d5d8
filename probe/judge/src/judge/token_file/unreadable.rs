//! Judges whether the subject may read the token file: by a real open where there was one, else by the model. Pure.
//! Where both are there and disagree, something else decides: a security module, or the file system itself.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, FileKind, Opener, Proof};
    use crate::judge::step::Heading;

    fn component(path: &str, kind: FileKind, mode: u32) -> PathComponent {
        PathComponent {
            path: path.to_owned(),
            kind: Some(kind),
            mode: Some(mode),
            uid: Some(0),
            gid: Some(0),
            last: true,
            ..PathComponent::default()
        }
    }

    /// What uid 1000 has of a file of root's with that mode, given how the open went.
    fn judged(mode: u32, proof: Option<Option<&str>>, change: impl FnOnce(&mut TokenFile)) -> Vec<Finding> {
        let mut file = TokenFile {
            path: "/token".to_owned(),
            components: vec![
                component("/", FileKind::Directory, 0o755),
                component("/token", FileKind::Regular, mode),
            ],
            kind: Some(FileKind::Regular),
            mode: Some(mode),
            uid: Some(0),
            gid: Some(0),
            links_protected: Some(false),
            proof: proof.map(|error| Proof { by: Opener::AsSubject, error: error.map(str::to_owned) }),
            ..TokenFile::default()
        };
        change(&mut file);
        let process = Process { source: "as-uid".to_owned(), uid: 1000, gid: 1000, ..Process::default() };
        let evidence = Evidence { process, token_file: Some(file.clone()), ..Evidence::default() };
        judge(&Facts::new(&evidence, &crate::sdks::EffectiveSettings::from_evidence(&evidence), 0), &file)
    }

    fn classes(findings: &[Finding]) -> Vec<(Class, Severity)> {
        findings.iter().map(|finding| (finding.class, finding.severity)).collect()
    }

    const REFUSED: (Class, Severity) = (Class::TokenFileUnreadable, Severity::Error);

    #[test]
    fn who_may_read_is_judged_by_the_open_and_without_one_by_the_model() {
        for (mode, proof, expected) in [
            (0o644, Some(None), &[][..]),
            (0o644, None, &[]),
            (0o600, Some(Some("EACCES")), &[REFUSED]),
            (0o600, None, &[REFUSED]),
        ] {
            assert_eq!(classes(&judged(mode, proof, |_| {})), expected, "{mode:o} {proof:?}");
        }
    }

    #[test]
    fn where_open_and_model_disagree_the_open_counts_and_it_is_said() {
        let refused = judged(0o644, Some(Some("EACCES")), |_| {});
        assert_eq!(classes(&refused), [REFUSED]);
        assert!(refused[0].required.contains("SELinux"), "{refused:?}");
        let granted = judged(0o600, Some(None), |_| {});
        assert_eq!(classes(&granted), [(Class::TokenFileUnreadable, Severity::Info)]);
    }

    #[test]
    fn what_credprobe_itself_cannot_see_is_inconclusive() {
        let unread = judged(0o644, None, |file| file.read_error = Some("EACCES".to_owned()));
        assert_eq!(classes(&unread), [(Class::Inconclusive, Severity::Error)]);
        let unseen = judged(0o644, None, |file| {
            let unseen = PathComponent {
                kind: None,
                mode: None,
                error: Some("EACCES".to_owned()),
                ..component("/token", FileKind::Regular, 0)
            };
            file.components[1] = unseen;
            file.open_error = Some("EACCES".to_owned());
        });
        assert_eq!(classes(&unseen), [(Class::Inconclusive, Severity::Error)]);
    }

    /// Of a volume of kubelet's at `path`, for uid 1000 beside a probe with `probe_uid`.
    fn leftover_pod_identity(path: &str, mode: u32, source: &str, probe_uid: u32) -> Vec<Finding> {
        let mut file = projected(mode, 0);
        file.path = path.to_owned();
        let process = Process { source: source.to_owned(), probe_uid, ..app() };
        judged_for(process, &file)
    }

    const OWN: &str = "/var/run/secrets/own/token";
    const WEBHOOKS: [&str; 3] = [
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
    ];

    #[test]
    fn a_difference_of_users_closes_only_a_volume_whose_mode_does() {
        const PERTURBED: (Class, Severity) = (Class::TokenFilePerturbed, Severity::Warning);
        for source in ["as-uid", "target-pid"] {
            for (mode, probe_uid) in [(0o400, 0), (0o440, 0), (0o640, 65_532), (0o600, 65_532)] {
                let findings = leftover_pod_identity(OWN, mode, source, probe_uid);
                assert_eq!(classes(&findings), [REFUSED, PERTURBED], "{source} {mode:o} {probe_uid}");
                for path in WEBHOOKS {
                    let findings = leftover_pod_identity(path, mode, source, probe_uid);
                    assert_eq!(classes(&findings), [REFUSED], "{path} {mode:o} {probe_uid}");
                }
            }
        }
        assert_eq!(classes(&leftover_pod_identity(OWN, 0o440, "self", 0)), [REFUSED]);
        assert_eq!(classes(&leftover_pod_identity(OWN, 0o440, "as-uid", 1000)), [REFUSED], "the same user");
        assert_eq!(classes(&judged(0o440, None, |_| {})), [REFUSED], "not a file of kubelet's");
    }

    #[test]
    fn root_s_file_beside_a_probe_that_is_root_is_the_apps_own_doing() {
        for source in ["as-uid", "target-pid"] {
            for path in WEBHOOKS.into_iter().chain([OWN]) {
                let findings = leftover_pod_identity(path, 0o600, source, 0);
                assert_eq!(classes(&findings), [REFUSED], "{path}");
                let told = &findings[0];
                assert!(
                    told.summary.contains("every container states runAsUser: 0 and the app gave its uid up")
                );
                let fixes = told.lines(Heading::Fix).join("\n");
                for repair in ["runAsUser: 1000 for the pod", "no runAsUser: 0", "fsGroup: 1000"] {
                    assert!(fixes.contains(repair), "{fixes}");
                }
            }
        }
    }

    fn app() -> Process {
        Process { source: "as-uid".to_owned(), uid: 1000, gid: 1000, ..Process::default() }
    }

    fn projected(mode: u32, gid: u32) -> TokenFile {
        let own = PathComponent { gid: Some(gid), ..component("/token", FileKind::Regular, mode) };
        TokenFile {
            path: "/token".to_owned(),
            components: vec![component("/", FileKind::Directory, 0o755), own],
            kind: Some(FileKind::Regular),
            mode: Some(mode),
            uid: Some(0),
            gid: Some(gid),
            links_protected: Some(false),
            data_link: Some("..2026_11_21_10_00_00.1".to_owned()),
            ..TokenFile::default()
        }
    }

    fn judged_for(process: Process, file: &TokenFile) -> Vec<Finding> {
        let evidence = Evidence { process, token_file: Some(file.clone()), ..Evidence::default() };
        let settings = crate::sdks::EffectiveSettings::from_evidence(&evidence);
        let facts = Facts::new(&evidence, &settings, 0);
        let refused = judge(&facts, file);
        if refused.is_empty() { groups::opened_by_lent(&facts, file).into_iter().collect() } else { refused }
    }

    #[test]
    fn an_answer_that_hangs_on_a_group_that_nobody_stated_says_so() {
        let lent = |groups: &[u32], lent: &[u32]| Process {
            groups: groups.to_vec(),
            lent: lent.to_vec(),
            probe_gid: Some(0),
            ..app()
        };
        let by_group = |process| judged_for(process, &projected(0o640, 1234));
        let opened = by_group(lent(&[1234, 5], &[1234, 5]));
        assert_eq!(classes(&opened), [(Class::TokenFileUnreadable, Severity::Info)]);
        assert!(opened[0].lines(Heading::Fix)[0].ends_with("--as-groups=5"), "{opened:?}");
        assert!(opened[0].summary.contains("group 1234"), "{opened:?}");
        assert_eq!(by_group(lent(&[1234], &[])), [], "stated");
        assert_eq!(judged_for(lent(&[1234], &[1234]), &projected(0o644, 1234)), [], "everybody may");
        let closed = by_group(lent(&[], &[]));
        assert_eq!(classes(&closed), [REFUSED]);
        // The primary group is lent where --as-gid is missing.
        let primary = judged_for(Process { gid: 0, ..lent(&[], &[0]) }, &projected(0o640, 0));
        assert!(primary[0].lines(Heading::Fix)[0].ends_with("--as-gid=… --as-groups=none"), "{primary:?}");
        // A member is shut out where others are not.
        let shut_out = judged_for(lent(&[1234], &[1234]), &projected(0o604, 1234));
        assert_eq!(classes(&shut_out), [REFUSED]);
        assert!(shut_out[0].lines(Heading::Confirm).join(" ").contains("--as-groups=none"), "{shut_out:?}");
    }

    #[test]
    fn the_probes_own_group_that_is_not_lent_is_named_where_it_would_open_the_file() {
        let process = Process { probe_gid: Some(65_532), groups: vec![7], lent: vec![7], ..app() };
        let refused = judged_for(process, &projected(0o640, 65_532));
        assert!(refused[0].lines(Heading::Confirm).join(" ").contains("--as-groups=7,65532"), "{refused:?}");
    }
}
