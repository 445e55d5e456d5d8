//! Decides which process `auto` means: the entrypoint of the only other container. Pure.
//! A wrong guess would judge the wrong container, so in doubt none is chosen.

use std::collections::BTreeSet;

/// What the choice considers of a process.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) comm: String,
    pub(super) cgroup: Vec<u8>,
    pub(super) kernel_thread: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Choice {
    One(u32),
    /// No candidate, or the pids of several.
    Among(Vec<u32>),
}

/// The first process of a pid namespace.
const INIT: u32 = 1;

/// Holds the pod's namespaces under `shareProcessNamespace`. It has no credentials.
const PAUSE: &str = "pause";

/// The program's name in its image. A sidecar or an earlier debug container runs it too, and neither is the application.
const PROBE: &str = "credprobe";

/// Chooses among `processes`, which are sorted by pid and include `own`.
pub(super) fn choose(processes: &[Process], own: u32) -> Choice {
    // On a node every entrypoint has a visible parent, and PID 1 belongs to the node.
    if processes.iter().any(|process| process.kernel_thread) {
        return Choice::Among(Vec::new());
    }
    let lineage = lineage(processes, own);
    match processes.iter().find(|process| process.pid == INIT) {
        // The namespace is that of the probe's own container. Other processes in it were started by hand.
        Some(_) if lineage.contains(&INIT) => return Choice::Among(Vec::new()),
        Some(init) if init.comm == PAUSE => {}
        // `kubectl debug --target` joins the app's namespace. If PID 1 is not visible, it is hidden, and observing it will say so.
        _ => return Choice::One(INIT),
    }
    let own = processes.iter().find(|process| process.pid == own);
    let own_cgroup = own.map(|process| &process.cgroup);
    // The user's own image may have the program under another name.
    let is_a_probe =
        |process: &Process| process.comm == PROBE || own.is_some_and(|own| own.comm == process.comm);
    let mut groups = BTreeSet::new();
    let mut candidates = Vec::new();
    for process in processes {
        // The parent of a container's entrypoint is outside. So is the parent of what `kubectl exec` starts.
        let is_entrypoint = process.parent == 0 && process.comm != PAUSE;
        if !is_entrypoint || is_a_probe(process) || lineage.contains(&process.pid) {
            continue;
        }
        // A text equal to the probe's own does not distinguish containers (a cgroup namespace, Fargate).
        let telling = !process.cgroup.is_empty() && Some(&process.cgroup) != own_cgroup;
        if !telling || groups.insert(&process.cgroup) {
            candidates.push(process.pid);
        }
    }
    match candidates.as_slice() {
        [one] => Choice::One(*one),
        _ => Choice::Among(candidates),
    }
}

/// A process and its ancestors.
fn lineage(processes: &[Process], pid: u32) -> BTreeSet<u32> {
    let mut lineage = BTreeSet::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|pid| lineage.insert(*pid)) {
        next = processes.iter().find(|process| process.pid == pid).map(|process| process.parent);
    }
    lineage
}

/// The descendants of `pid` in the same cgroup, nearest first.
pub(super) fn descendants<'a>(processes: &'a [Process], pid: u32, cgroup: &[u8]) -> Vec<&'a Process> {
    let mut seen = BTreeSet::from([pid]);
    let mut found: Vec<&Process> = Vec::new();
    let mut parents = vec![pid];
    while !parents.is_empty() {
        let children = processes.iter().filter(|process| parents.contains(&process.parent));
        let children: Vec<&Process> = children.filter(|process| seen.insert(process.pid)).collect();
        parents = children.iter().map(|process| process.pid).collect();
        found.extend(children.into_iter().filter(|process| process.cgroup == cgroup));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process((pid, parent, comm, cgroup): (u32, u32, &str, &str)) -> Process {
        let (comm, cgroup) = (comm.to_owned(), cgroup.as_bytes().to_vec());
        Process { pid, parent, comm, cgroup, kernel_thread: false }
    }

    fn chosen(processes: &[(u32, u32, &str, &str)], own: u32) -> Choice {
        let processes: Vec<Process> = processes.iter().copied().map(process).collect();
        choose(&processes, own)
    }

    #[test]
    fn with_target_the_apps_pid_1_is_chosen() {
        let pod =
            [(1, 0, "checkout", "a"), (8, 1, "worker", "a"), (20, 0, "sh", "b"), (21, 20, "credprobe", "b")];
        assert_eq!(chosen(&pod, 21), Choice::One(1));
    }

    #[test]
    fn in_the_probes_own_namespace_there_is_nothing_to_choose() {
        assert_eq!(chosen(&[(1, 0, "credprobe", "a")], 1), Choice::Among(vec![]));
        let shell = [(1, 0, "sh", "a"), (7, 1, "credprobe", "a"), (9, 0, "sh", "a")];
        assert_eq!(chosen(&shell, 7), Choice::Among(vec![]));
    }

    #[test]
    fn in_a_shared_namespace_the_one_other_container_is_chosen() {
        let pod = [
            (1, 0, "pause", "p"),
            (7, 0, "checkout", "a"),
            (9, 7, "worker", "a"),
            (12, 0, "sh", "a"),
            (15, 0, "credprobe", "b"),
        ];
        assert_eq!(chosen(&pod, 15), Choice::One(7));
    }

    #[test]
    fn in_a_shared_namespace_a_sidecar_of_credprobe_is_not_the_application() {
        let pod = [
            (1, 0, "pause", "p"),
            (6, 0, "credprobe", "s"),
            (7, 0, "checkout", "a"),
            (15, 0, "credprobe", "b"),
        ];
        assert_eq!(chosen(&pod, 15), Choice::One(7));
    }

    #[test]
    fn in_a_shared_namespace_several_containers_are_left_to_the_user() {
        let pod =
            [(1, 0, "pause", "p"), (7, 0, "checkout", "a"), (9, 0, "envoy", "c"), (15, 0, "credprobe", "b")];
        assert_eq!(chosen(&pod, 15), Choice::Among(vec![7, 9]));
    }

    #[test]
    fn other_containers_of_credprobe_are_no_choice() {
        let pause = (1, 0, "pause", "p");
        for (sidecar, own) in [("credprobe", "credprobe"), ("probe", "probe"), ("credprobe", "probe")] {
            for cgroups in [["s", "a", "b"], ["x", "x", "x"]] {
                let [sidecars, app, probes] = cgroups;
                let pod = [pause, (7, 0, sidecar, sidecars), (9, 0, "checkout", app), (15, 0, own, probes)];
                assert_eq!(chosen(&pod, 15), Choice::One(9), "{sidecar} {own} {cgroups:?}");
                let exec_probe = [pause, (7, 0, sidecar, app), (9, 0, "checkout", app), (15, 0, own, probes)];
                assert_eq!(chosen(&exec_probe, 15), Choice::One(9), "{sidecar} {own} {cgroups:?}");
                let alone = [pause, (7, 0, sidecar, sidecars), (15, 0, own, probes)];
                assert_eq!(chosen(&alone, 15), Choice::Among(vec![]), "{sidecar} {own} {cgroups:?}");
            }
        }
    }

    #[test]
    fn where_all_cgroups_read_the_same_they_are_no_groups() {
        let pod =
            [(1, 0, "pause", "x"), (7, 0, "checkout", "x"), (9, 0, "envoy", "x"), (15, 0, "credprobe", "x")];
        assert_eq!(chosen(&pod, 15), Choice::Among(vec![7, 9]));
    }

    #[test]
    fn without_any_entrypoint_in_sight_none_is_chosen() {
        assert_eq!(chosen(&[(1, 0, "pause", "p"), (15, 0, "credprobe", "b")], 15), Choice::Among(vec![]));
    }

    #[test]
    fn a_hidden_pid_1_is_looked_at_so_that_it_says_why() {
        assert_eq!(chosen(&[(15, 0, "credprobe", "b")], 15), Choice::One(1));
    }

    #[test]
    fn on_a_node_none_is_chosen() {
        let mut node = vec![process((1, 0, "systemd", "/init.scope")), process((900, 1, "credprobe", "/a"))];
        node.insert(1, Process { kernel_thread: true, ..process((2, 0, "kthreadd", "/")) });
        assert_eq!(choose(&node, 900), Choice::Among(vec![]));
    }

    #[test]
    fn descendants_stay_in_their_container_and_end_in_a_loop() {
        let pod =
            [(1, 9, "a", "a"), (5, 1, "b", "a"), (9, 5, "c", "a"), (11, 9, "d", "b"), (12, 0, "e", "a")];
        let pod = pod.map(process);
        let found: Vec<u32> = descendants(&pod, 1, b"a").iter().map(|process| process.pid).collect();
        assert_eq!(found, [5, 9]);
    }

    proptest! {
        #[test]
        fn any_processes_have_an_answer(
            processes in proptest::collection::vec((0..6_u32, 0..6_u32, any::<bool>(), any::<u8>()), 0..12),
        ) {
            let processes: Vec<Process> = processes
                .into_iter()
                .map(|(pid, parent, pause, cgroup)| Process {
                    pid,
                    parent,
                    comm: if pause { PAUSE.to_owned() } else { String::new() },
                    cgroup: vec![cgroup],
                    kernel_thread: false,
                })
                .collect();
            let _ = (choose(&processes, 3), descendants(&processes, 1, &[0]));
        }
    }
}
