//! Judges whether the subject may read the token file: by a real open where there was one, else by the model. Pure.
//! Where both are there and disagree, something else decides: a security module, or the file system itself.

use crate::class::Class;
use crate::evidence::{PathComponent, TokenFile};
use crate::finding::{Expectation, Finding, Severity};
use crate::judge::access::{self, Access, Doubt, Refusal};
use crate::judge::case::Case;
use crate::judge::kubelet;
use crate::judge::shell::{Word, words};

/// Nothing, where it may.
pub(super) fn judge(case: &Case<'_>, file: &TokenFile) -> Vec<Finding> {
    let access = access::may_read(file, &case.evidence.process);
    let proof = file.proof.as_ref().map(|proof| proof.error.as_deref());
    match (proof, &access) {
        (Some(None), Access::Granted | Access::Unknown(_)) => Vec::new(),
        (Some(None), Access::Refused(refusal)) => vec![granted_all_the_same(case, file, refusal)],
        (Some(Some(_)) | None, Access::Refused(refusal)) => refused(case, file, refusal),
        (Some(Some(errno)), Access::Granted) => vec![refused_by_another(case, file, errno)],
        (Some(Some(errno)), Access::Unknown(_)) => vec![refused_on_the_way(case, file, errno)],
        (None, Access::Granted) => file.read_error.iter().map(|errno| not_read(case, file, errno)).collect(),
        (None, Access::Unknown(doubt)) => vec![not_looked_at(case, file, doubt)],
    }
}

fn refused(case: &Case<'_>, file: &TokenFile, refusal: &Refusal) -> Vec<Finding> {
    let process = &case.evidence.process;
    let place = place(file, refusal);
    let of_file = refusal.component + 1 == file.components.len();
    let why = refusal.describe(file, process);
    let summary = if of_file {
        format!("{} may not read the token file: {why}", who(case))
    } else {
        format!("{} does not get to the token file: at {place}, {why}", who(case))
    };
    let finding = Finding::new(Class::TokenFileUnreadable, summary)
        .presented(ids(case))
        .required(match file.components.get(refusal.component) {
            Some(PathComponent { mode: Some(mode), uid: Some(uid), gid: Some(gid), .. }) => {
                format!("an id that passes at {place} (mode {mode:04o}, owner {uid}:{gid})")
            }
            _ => format!("an id that passes at {place}"),
        })
        .ruled_out("a missing mount: the file is there");
    let elsewhere = case.evidence.target.as_ref().is_some_and(|target| target.other_user_namespace);
    let finding = if elsewhere {
        finding.ruled_out(
            "capabilities: the process has its own user namespace, and beyond that they count for nothing",
        )
    } else {
        finding
    };
    let rule = kubelet::rule(file).filter(|_| of_file);
    let finding = match &rule {
        Some(rule) => finding
            .ruled_out(format!("a defect of kubelet: it writes the file so where there is {}", rule.made_by))
            .fix(format!("# to change in the pod spec: {}", rule.repair)),
        None => finding,
    };
    let mut findings = vec![for_others(case, set_fs_group(case, finding))];
    findings.extend(perturbed(case, file).filter(|_| of_file));
    findings
}

/// Kubelet gives the file to a user only where all containers state the same one; the probe's own counts too.
fn perturbed(case: &Case<'_>, file: &TokenFile) -> Option<Finding> {
    let process = &case.evidence.process;
    let roots_own = file.data_link.is_some() && file.uid == Some(0) && file.gid == Some(0);
    // A debug container came after the file was written, hence this source alone.
    let differs = process.source == "as-uid" && process.probe_uid != process.uid && process.uid != 0;
    (roots_own && differs).then(|| {
        let (probe, app) = (process.probe_uid, process.uid);
        let finding = Finding::new(
            Class::TokenFilePerturbed,
            format!("credprobe's own runAsUser may be why the token file stayed root's: this container runs as uid {probe}, the app as {app}"),
        )
        .expectation(Expectation::Guessed)
        .presented(format!("owner 0:0, mode {:04o}; uid {probe} beside uid {app} in one pod", file.mode.unwrap_or_default()))
        .required(format!("one runAsUser for all containers of the pod: kubelet then gives the file to uid {app} (mode 0600)"))
        .fix(format!("# in the pod spec: no runAsUser on credprobe's container, or {app} as the app has it; or an fsGroup, with which users need not agree:"));
        set_fs_group(case, finding)
    })
}

fn refused_by_another(case: &Case<'_>, file: &TokenFile, errno: &str) -> Finding {
    let finding = Finding::new(
        Class::TokenFileUnreadable,
        format!("the kernel refuses {} the token file ({errno}), though owner, mode and ACLs of its path allow it", who(case)),
    )
    .presented(ids(case))
    .required("a security module (SELinux, AppArmor) and a file system that allow it as well")
    .ruled_out(format!("owner, mode and ACLs of {}", file.path))
    .confirm_note(Some("ausearch -m AVC -ts recent"), "on the node, for SELinux; AppArmor: dmesg")
    .fix("# in the pod spec: securityContext.seLinuxOptions or appArmorProfile as the runtime gives them by default, the same for all containers");
    case.recreate(finding)
}

/// The way could not be looked at; that it is closed is certain.
fn refused_on_the_way(case: &Case<'_>, file: &TokenFile, errno: &str) -> Finding {
    let at = file.components.last().map_or(file.path.as_str(), |component| component.path.as_str());
    let finding = Finding::new(
        Class::TokenFileUnreadable,
        format!("{} does not get to the token file: {errno} at {at}", who(case)),
    )
    .presented(ids(case))
    .required(format!("an id that may search the directories before {at}"));
    for_others(case, set_fs_group(case, finding))
}

/// Root squashing, a FUSE file system and the like have rules of their own.
fn granted_all_the_same(case: &Case<'_>, file: &TokenFile, refusal: &Refusal) -> Finding {
    Finding::new(
        Class::TokenFileUnreadable,
        format!("the kernel lets {} read the token file, though its mode does not say so", who(case)),
    )
    .severity(Severity::Info)
    .presented(refusal.describe(file, &case.evidence.process))
    .required("nothing: the file was really opened")
    .fix("# nothing; a file system with rules of its own (FUSE, NFS) looks like this")
}

fn not_read(case: &Case<'_>, file: &TokenFile, errno: &str) -> Finding {
    let finding = Finding::new(
        Class::Inconclusive,
        format!(
            "{} may read the token file, but credprobe itself may not ({errno}), and cannot become that user",
            who(case)
        ),
    );
    with_those_ids(
        case,
        finding
            .presented(format!("{}; credprobe runs as uid {}", file.path, case.evidence.process.probe_uid)),
    )
}

fn not_looked_at(case: &Case<'_>, file: &TokenFile, doubt: &Doubt) -> Finding {
    let last = file.components.last();
    let at = last.map_or(file.path.as_str(), |component| component.path.as_str());
    let errno = last.and_then(|component| component.error.as_deref()).unwrap_or("no error");
    let what = match doubt {
        Doubt::LinkProtection { .. } => "/proc/sys/fs/protected_symlinks cannot be read".to_owned(),
        Doubt::NotSeen { .. } | Doubt::NotReached => format!("credprobe cannot look at {at} ({errno})"),
    };
    let finding = Finding::new(
        Class::Inconclusive,
        format!("whether {} may read the token file is not known: {what}", who(case)),
    );
    with_those_ids(
        case,
        finding.presented(format!("credprobe runs as uid {}", case.evidence.process.probe_uid)),
    )
}

pub(in crate::judge) fn with_those_ids(case: &Case<'_>, finding: Finding) -> Finding {
    let process = &case.evidence.process;
    let finding = finding
        .transient(false)
        .required(format!(
            "credprobe with the ids judged: {}; or as root with CAP_SETUID and CAP_SETGID",
            ids(case)
        ))
        .fix(format!(
            "# in credprobe's container: securityContext.runAsUser: {}, runAsGroup: {}; then:",
            process.uid, process.gid
        ));
    finding.fix("credprobe check")
}

/// `uid 1000 (pid 1)`.
pub(in crate::judge) fn who(case: &Case<'_>) -> String {
    let process = &case.evidence.process;
    match process.source.as_str() {
        "target-pid" => format!("uid {} (pid {})", process.uid, process.pid),
        _ => format!("uid {}", process.uid),
    }
}

pub(in crate::judge) fn ids(case: &Case<'_>) -> String {
    let process = &case.evidence.process;
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
fn set_fs_group(case: &Case<'_>, finding: Finding) -> Finding {
    let group = match case.evidence.process.gid {
        // Any group serves; the process's own says most to a reader of the manifest.
        0 => 65_534,
        gid => gid,
    };
    let patch = Word::from(group)
        .after(r#"{"spec":{"template":{"spec":{"securityContext":{"fsGroup":"#)
        .before("}}}}}");
    // Kubelet's own group is 0; another one on the file is the fsGroup that is there.
    let present = case.evidence.token_file.as_ref().filter(|file| file.data_link.is_some());
    let overwritten = match present.and_then(|file| file.gid) {
        None | Some(0) => String::new(),
        Some(present) => format!("overwrites fsGroup {present}, "),
    };
    let note = format!(
        "kubelet then writes the token 0640 with that group; {overwritten}restarts the deployment's pods"
    );
    case.deployment_command(finding, words!["patch"], words!["-p", patch], &note)
}

/// The ids were credprobe's own: the app's may be others.
fn for_others(case: &Case<'_>, finding: Finding) -> Finding {
    match case.evidence.process.source.as_str() {
        "self" => finding.confirm(
            "# these are credprobe's own ids; to judge for the app's: --as-uid, --as-gid and --as-groups",
        ),
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, FileKind, Opener, Process, Proof};

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
        judge(&Case::new(&evidence, 0), &file)
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

    #[test]
    fn root_s_file_beside_two_users_may_be_credprobes_own_doing() {
        let projected = |file: &mut TokenFile| file.data_link = Some("..2026_11_21_10_00_00.1".to_owned());
        let beside = judged(0o440, None, projected);
        assert_eq!(classes(&beside), [REFUSED, (Class::TokenFilePerturbed, Severity::Warning)]);
        assert_eq!(classes(&judged(0o440, None, |_| {})), [REFUSED], "not a file of kubelet's");
    }
}
