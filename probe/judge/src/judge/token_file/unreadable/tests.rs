//! Who may read the token file: by a real open, by the model, and where the two disagree.
//! Files of kubelet's for users of all kinds.

use super::*;
use crate::evidence::{Evidence, FileKind, Opener, Proof};

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

/// What the steps say and run.
fn steps(finding: &Finding) -> String {
    let lines: Vec<String> = finding.steps.iter().flat_map(|step| step.lines()).collect();
    lines.join("\n")
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
            assert!(told.summary.contains("the app gave up root"), "{told:?}");
            assert!(told.why.contains("Every container states runAsUser 0"), "{told:?}");
            let fixes = steps(told);
            for repair in [
                "let uid 1000 be the pod’s runAsUser",
                "no runAsUser 0",
                "let group 1000 be the pod’s fsGroup",
            ] {
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
    assert!(steps(&opened[0]).ends_with("--as-groups=5."), "{opened:?}");
    assert!(opened[0].summary.contains("group 1234"), "{opened:?}");
    assert_eq!(by_group(lent(&[1234], &[])), [], "stated");
    assert_eq!(judged_for(lent(&[1234], &[1234]), &projected(0o644, 1234)), [], "everybody may");
    let closed = by_group(lent(&[], &[]));
    assert_eq!(classes(&closed), [REFUSED]);
    // The primary group is lent where --as-gid is missing.
    let primary = judged_for(Process { gid: 0, ..lent(&[], &[0]) }, &projected(0o640, 0));
    assert!(steps(&primary[0]).ends_with("--as-gid=… --as-groups=none."), "{primary:?}");
    // A member is shut out where others are not.
    let shut_out = judged_for(lent(&[1234], &[1234]), &projected(0o604, 1234));
    assert_eq!(classes(&shut_out), [REFUSED]);
    assert!(steps(&shut_out[0]).contains("--as-groups=none"), "{shut_out:?}");
}

#[test]
fn the_probes_own_group_that_is_not_lent_is_named_where_it_would_open_the_file() {
    let process = Process { probe_gid: Some(65_532), groups: vec![7], lent: vec![7], ..app() };
    let refused = judged_for(process, &projected(0o640, 65_532));
    assert!(steps(&refused[0]).contains("--as-groups=7,65532"), "{refused:?}");
}

#[test]
fn an_fs_group_that_is_there_stays() {
    for (gid, present, source) in
        [(1234, true, "as-uid"), (1234, true, "target-pid"), (0, false, "as-uid"), (0, false, "target-pid")]
    {
        let of = || Process { source: source.to_owned(), probe_uid: 1000, ..app() };
        let mut file = projected(0o640, gid);
        let told = steps(&judged_for(of(), &file)[0]);
        assert_eq!(told.contains("keep group 1234"), present, "{told}");
        assert_eq!(told.contains("be the pod’s fsGroup"), !present, "{told}");
        // What the kubelet did not write no fsGroup opens.
        file.data_link = None;
        let told = steps(&judged_for(of(), &file)[0]);
        assert!(told.contains("whatever writes /token"), "{told}");
        assert!(!told.contains("be the pod’s fsGroup"), "{told}");
    }
}
