//! The rule against both tables of measurements, and every way not to see a process against its words.
//! Evidence is written by hand: nothing is observed here.

use super::*;
use crate::evidence::target::{Differing, Ids, Owner, Truncated};

/// containerd's (`pkg/oci/spec.go`, `defaultUnixCaps`).
const DEFAULT: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

fn status((uid, gid): (u32, u32), capabilities: &[&str]) -> Status {
    let ids = |id| Ids { real: id, effective: id, saved: id, file_system: id };
    let capabilities: Vec<String> = capabilities.iter().map(|name| (*name).to_owned()).collect();
    Status {
        pid: 20,
        state: "sleeping".to_owned(),
        uid: ids(uid),
        gid: ids(gid),
        effective: capabilities.clone(),
        permitted: capabilities,
        ..Status::default()
    }
}

fn target(own: Status, app: Status) -> Target {
    let owner = Owner { uid: app.uid.effective, gid: app.gid.effective };
    Target {
        asked: "1".to_owned(),
        own: Some(own),
        pid: Some(1),
        comm: "checkout".to_owned(),
        status: Some(Status { pid: 1, ..app }),
        environ_owner: Some(owner),
        ..Target::default()
    }
}

fn refused(own: Status, app: Status) -> Target {
    let error = Some("EACCES".to_owned());
    Target { environment_error: error.clone(), root_error: error, ..target(own, app) }
}

fn pod() -> Process {
    let (pod_name, pod_namespace) = (Some("checkout-1".to_owned()), Some("shop".to_owned()));
    Process { pod_name, pod_namespace, ..Process::default() }
}

fn only(target: &Target, process: &Process) -> Finding {
    let mut findings = findings(target, process);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

/// The commands, in the order of doing.
fn runs(finding: &Finding) -> Vec<String> {
    finding.steps.iter().filter_map(|step| step.run.clone()).collect()
}

fn kinds(target: &Target) -> Vec<&'static str> {
    let kind = |difference: &Difference| match difference {
        Difference::Uid { .. } => "uid",
        Difference::Gid { .. } => "gid",
        Difference::NotDumpable => "dumpable",
        Difference::Capabilities(_) => "capabilities",
        Difference::Owner { .. } => "owner",
    };
    ptrace_refusal(target).iter().map(kind).collect()
}

#[test]
fn a_process_is_judged_only_if_all_its_ids_agree() {
    type Column = fn(&mut Ids) -> &mut u32;
    let columns: [Column; 4] =
        [|ids| &mut ids.real, |ids| &mut ids.effective, |ids| &mut ids.saved, |ids| &mut ids.file_system];
    let of: [fn(&mut Status) -> &mut Ids; 2] = [|status| &mut status.uid, |status| &mut status.gid];
    for ids in of {
        for column in columns {
            let mut app = status((0, 0), &[]);
            *column(ids(&mut app)) = 65_534;
            let finding = only(&target(status((0, 0), &["CAP_SYS_PTRACE"]), app), &pod());
            assert_eq!((finding.class, finding.severity), (Class::Inconclusive, Severity::Error));
            assert!(finding.presented.contains("65534"), "{finding:?}");
        }
    }
    assert!(findings(&target(status((0, 0), &[]), status((1000, 1000), &[])), &pod()).is_empty());
}

#[test]
fn the_rule_gives_what_was_measured() {
    let ptrace: Vec<&str> = [DEFAULT, &["CAP_SYS_PTRACE"]].concat();
    let app = || status((1000, 1000), &[]);
    let bind = ["CAP_NET_BIND_SERVICE"];
    let undumpable =
        Target { environ_owner: Some(Owner { uid: 0, gid: 0 }), ..target(status((1000, 1000), &[]), app()) };
    let rows: [(&str, Target, &[&str]); 8] = [
        ("same uid and gid", target(status((1000, 1000), &[]), app()), &[]),
        ("gid differs", target(status((1000, 0), &[]), app()), &["gid"]),
        ("root, default", target(status((0, 0), DEFAULT), app()), &["uid", "gid"]),
        ("root, SYS_PTRACE", target(status((0, 0), &ptrace), app()), &[]),
        ("root, SYS_PTRACE only", target(status((0, 0), &["CAP_SYS_PTRACE"]), app()), &["owner"]),
        ("other uid, SYS_PTRACE bounding", target(status((2000, 2000), &[]), app()), &["uid", "gid"]),
        (
            "target has more",
            target(status((1000, 1000), &[]), status((1000, 1000), &bind)),
            &["capabilities"],
        ),
        ("not dumpable", undumpable, &["dumpable"]),
    ];
    for (row, target, expected) in rows {
        assert_eq!(kinds(&target), expected, "{row}");
    }
}

#[test]
fn the_rule_gives_what_real_kubelets_gave() {
    let ptrace: Vec<&str> = [DEFAULT, &["CAP_SYS_PTRACE"]].concat();
    let container = || status((1000, 0), &[]);
    let root = || status((0, 0), DEFAULT);
    let rows: [(&str, Status, Status, &[&str]); 7] = [
        ("pod-level user", status((1000, 1000), &[]), status((1000, 1000), &[]), &[]),
        ("image's user", status((65532, 0), &[]), container(), &["uid"]),
        ("custom user", status((1000, 0), &[]), container(), &[]),
        ("custom user and group", status((1000, 1000), &[]), container(), &["gid"]),
        ("general as root", status((0, 0), &ptrace), container(), &[]),
        ("root app, restricted", status((0, 0), &[]), root(), &["capabilities"]),
        ("root app, general as root", status((0, 0), &ptrace), root(), &[]),
    ];
    for (row, own, app, expected) in rows {
        assert_eq!(kinds(&target(own, app)), expected, "{row}");
    }
}

#[test]
fn one_of_three_ids_that_differs_is_enough() {
    let mut app = status((1000, 1000), &[]);
    app.uid.saved = 0;
    assert_eq!(kinds(&target(status((1000, 1000), &[]), app)), ["uid"]);
}

#[test]
fn a_gid_that_differs_is_repaired_with_the_targets_own_ids() {
    let finding = only(&refused(status((1000, 0), &[]), status((1000, 1000), &[])), &pod());
    assert_eq!((finding.class, finding.severity), (Class::Inconclusive, Severity::Error));
    assert!(
        finding.summary.ends_with("pid 1 checkout: its gid is 1000, credprobe’s is 0"),
        "{}",
        finding.summary
    );
    assert!(finding.why.contains("supplementary groups and fsGroup do not count"), "{}", finding.why);
    assert_eq!(
        runs(&finding),
        [concat!(
            r#"echo '{"securityContext":{"runAsUser":1000,"runAsGroup":1000}}' | kubectl debug -n shop checkout-1"#,
            r#" --image="$(kubectl get pod -n shop checkout-1 -o 'jsonpath={.spec.ephemeralContainers[-1:].image}')""#,
            r#" --target="$(kubectl get pod -n shop checkout-1 -o 'jsonpath={.spec.ephemeralContainers[-1:].targetContainerName}')""#,
            " --profile=restricted --custom=/dev/stdin --arguments-only --attach -- check --target-pid=1",
        ),]
    );
    assert!(finding.steps[0].say.contains("kubectl 1.31"), "{:?}", finding.steps);
}

#[test]
fn a_root_app_without_capabilities_needs_no_privileges() {
    let finding = only(&refused(status((65532, 0), &[]), status((0, 0), &[])), &pod());
    let custom = r#"{"securityContext":{"runAsUser":0,"runAsGroup":0,"runAsNonRoot":false}}"#;
    // As root nothing shows whether it is dumpable, so that only the ids are known to differ.
    let run = runs(&finding).remove(0);
    assert!(run.contains(custom) && run.contains("=restricted"), "{run}");
}

#[test]
fn capabilities_dumpable_and_mixed_ids_need_root() {
    let own = || status((1000, 1000), &[]);
    let mut mixed = status((1000, 1000), &[]);
    mixed.gid.real = 5;
    let undumpable =
        Target { environ_owner: Some(Owner { uid: 0, gid: 0 }), ..refused(own(), status((1000, 1000), &[])) };
    let unexplained = refused(own(), own());
    let capable = refused(own(), status((1000, 1000), &["CAP_NET_ADMIN"]));
    for target in [undumpable, unexplained, capable, refused(own(), mixed)] {
        let fix = runs(&only(&target, &pod())).remove(0);
        assert!(fix.contains("--profile=general") && fix.contains(r#""runAsUser":0,"#), "{fix}");
    }
}

#[test]
fn without_the_pods_name_there_is_advice_and_no_command() {
    let finding = only(&refused(status((0, 0), &[]), status((1000, 1000), &[])), &Process::default());
    assert!(finding.steps.iter().all(|step| step.run.is_none()), "{finding:#?}");
    assert!(finding.steps[0].say.contains("as uid 1000 with gid 1000"), "{finding:#?}");
}

#[test]
fn names_of_a_hostile_pod_give_no_command() {
    let target = refused(status((0, 0), &[]), status((1000, 1000), &[]));
    for name in ["$(rm -rf /)", "a\nb", "--kubeconfig=/x", "Pod"] {
        let process = Process { pod_name: Some(name.to_owned()), ..Process::default() };
        let finding = only(&target, &process);
        assert!(finding.steps.iter().all(|step| step.run.is_none()), "{finding:#?}");
    }
}

#[test]
fn what_could_not_be_seen_has_its_own_words() {
    let own = || Some(status((1000, 1000), &[]));
    let app = || target(status((1000, 1000), &[]), status((1000, 1000), &[]));
    let status = || app().status.unwrap();
    let error = |errno: &str| Some(errno.to_owned());
    let bare = || Target { own: own(), pid: Some(1), status_error: error("ENOENT"), ..Target::default() };
    let rows = [
        (Target { proc_error: error("ENOENT"), ..Target::default() }, "no other process can be seen"),
        (Target { pid: Some(20), ..app() }, "pid 20 is credprobe itself"),
        (Target { exists: Some(false), ..bare() }, "there is no pid 1"),
        (Target { exists: Some(true), ..bare() }, "/proc hides it"),
        (Target { status_error: error("EPERM"), ..bare() }, "/proc hides it"),
        (Target { status_error: error("EBADMSG"), ..bare() }, "cannot be read"),
        (
            Target { status: Some(Status { kernel_thread: true, ..status() }), ..app() },
            "a thread of the kernel",
        ),
        (Target { status: Some(Status { state: "zombie".to_owned(), ..status() }), ..app() }, "has exited"),
        (Target { status_error: error("ESRCH"), ..app() }, "exited while it was looked at"),
        (Target { environment_error: error("ESRCH"), ..app() }, "exited while it was looked at"),
        (Target { root_error: error("ENOENT"), ..app() }, "root of pid 1 checkout cannot be read"),
        (Target { own: own(), ..Target::default() }, "finds no other container’s process"),
        (Target { own: own(), whole_node: true, ..Target::default() }, "shares the node’s processes"),
        (Target { truncated: Truncated { environment: true, ..Truncated::default() }, ..app() }, "too large"),
    ];
    for (target, words) in rows {
        let finding = only(&target, &pod());
        assert!(finding.summary.contains(words), "{}", finding.summary);
        assert_eq!((finding.class, finding.severity), (Class::Inconclusive, Severity::Error), "{words}");
        assert!(
            !finding.transient && !finding.presented.is_empty() && !finding.required.is_empty(),
            "{finding:?}"
        );
        assert!(!words.contains("node’s") || finding.why.contains("hostPID"), "{finding:?}");
        assert!(!finding.steps.is_empty() && !finding.why.is_empty(), "{words}: {finding:?}");
    }
    assert_eq!(findings(&app(), &pod()), []);
}

#[test]
fn several_candidates_are_a_table_and_a_command_for_each() {
    let candidate = |pid, role_arn| Candidate { pid, comm: "app".to_owned(), uid: 5, role_arn };
    let target = Target {
        own: Some(status((0, 0), &[])),
        candidates: vec![candidate(7, Sighting::Yes), candidate(9, Sighting::Unreadable)],
        ..Target::default()
    };
    let finding = only(&target, &pod());
    assert_eq!(
        finding.presented,
        "pid 7: app, uid 5, AWS_ROLE_ARN set; pid 9: app, uid 5, AWS_ROLE_ARN unreadable"
    );
    assert_eq!(runs(&finding), ["credprobe check --target-pid=7", "credprobe check --target-pid=9"]);
    assert_eq!(finding.steps[1].when.as_deref(), Some("The app is pid 9 app"));
}

#[test]
fn a_descendant_with_other_variables_is_a_warning() {
    let mut target = target(status((0, 0), &[]), status((0, 0), &[]));
    let variables = vec!["AWS_REGION".to_owned()];
    target.differing = vec![Differing { pid: 9, comm: "java".to_owned(), variables }];
    let finding = only(&target, &pod());
    assert_eq!((finding.class, finding.severity), (Class::Inconclusive, Severity::Warning));
    assert_eq!(finding.presented, "pid 9 (java): AWS_REGION");
    assert_eq!(runs(&finding), ["credprobe check --target-pid=9"]);
}

#[test]
fn evidence_is_the_same_after_json() {
    let mut target = refused(status((1000, 0), DEFAULT), status((0, 0), &["CAP_41"]));
    target.candidates = vec![Candidate { pid: 1, comm: "a".to_owned(), uid: 0, role_arn: Sighting::No }];
    let json = serde_json::to_value(&target).unwrap();
    let schema = serde_json::to_value(schemars::schema_for!(Target)).unwrap();
    assert!(schema["properties"]["environ_owner"].is_object());
    assert_eq!(serde_json::from_value::<Target>(json).unwrap(), target);
}
