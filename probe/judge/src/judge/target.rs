//! Judges whether the process of `--target-pid` could be seen, and if not, which rule stood in the way. Pure.
//! What it holds is judged by the others: without a process they have nothing to judge.

mod refusal;
mod retry;
#[cfg(test)]
mod tests;

use crate::catalog::Class;
use crate::catalog::texts::outcome as texts;
use crate::evidence::target::{Candidate, Ids, Sighting, Status};
use crate::evidence::{Process, Target};
use crate::judge::finding::{Finding, Severity};
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::text::plain;
use refusal::Columns;

pub use refusal::{Difference, ptrace_refusal};

/// `process` names the probe's pod.
#[must_use]
pub fn findings(target: &Target, process: &Process) -> Vec<Finding> {
    if let Some(finding) = not_seen(target, process) {
        return vec![finding];
    }
    cut(target).into_iter().chain(differing(target)).collect()
}

/// The first reason that holds; each excludes those after it.
fn not_seen(target: &Target, process: &Process) -> Option<Finding> {
    let Some(own) = &target.own else { return Some(no_proc(target, process)) };
    let Some(pid) = target.pid else { return Some(not_chosen(target)) };
    if pid == own.pid {
        return Some(own_pid(pid));
    }
    let Some(status) = &target.status else { return Some(no_status(target, process, pid)) };
    let name = format!("pid {pid} {}", target.comm);
    if status.kernel_thread {
        let finding = inconclusive(format!("{name} is a thread of the kernel, which has no credentials"))
            .why("A thread of the kernel has no environment and no files of its own. --target-pid needs a process of the app.");
        return Some(another(finding, "a kernel thread", "a process of the app", pid));
    }
    // A process that exits loses its memory, and with it its environment, a moment before its state changes.
    let exits = target.status_error.is_some()
        || (!status.has_exited() && target.environment_error.as_deref() == Some("ESRCH"));
    if status.has_exited() || exits {
        let (state, found) = match exits {
            true => ("exited while it was looked at", "it is gone"),
            false => ("has exited, so no environment is left of it", &*status.state),
        };
        let finding = inconclusive(format!("{name} {state}")).why(format!(
            "Environment and root directory of a process go when it exits, and of {name} the kernel says: {found}. --target-pid needs a process that runs."
        ));
        return Some(another(finding, found, "a process that runs", pid));
    }
    let refused = |error: &Option<String>| matches!(error.as_deref(), Some("EACCES" | "EPERM"));
    if refused(&target.environment_error) || refused(&target.root_error) {
        return Some(refusal(target, process, (own, status), &name));
    }
    unreadable(target, &name).or_else(|| mixed_ids(status, &name))
}

/// A set-uid program has the environment of whoever started it, and the rights of its file's owner.
fn mixed_ids(status: &Status, name: &str) -> Option<Finding> {
    let differ = [("uid", status.uid), ("gid", status.gid)].into_iter().filter(|(_, ids)| !ids.agree());
    let columns = |Ids { real, effective, saved, file_system }: Ids| {
        format!("{real} {effective} {saved} {file_system}")
    };
    let differ: Vec<String> = differ.map(|(which, ids)| format!("{which} {}", columns(ids))).collect();
    if differ.is_empty() {
        return None;
    }
    let finding = inconclusive(format!("{name} runs under more than one uid or gid"))
        .presented(format!("real, effective, saved and file-system ids: {}", differ.join(", ")))
        .required("a process whose ids agree: not one that a set-uid or set-gid program started")
        .ruled_out("nothing was read or sent for it")
        .why(format!(
            "Its real, effective, saved and file-system ids are: {}. A set-uid or set-gid program started it, or it changed them itself, so which files it may read depends on the moment. Nothing was read or sent for it.",
            differ.join(", ")
        ))
        .steps(
            &of_pid(status.pid),
            &[&texts::SEE_IDS, &texts::SEE_ALL_IDS, &texts::NAME_ONE_IDENTITY, &texts::START_WITH_ONE],
        );
    Some(finding)
}

/// With the process, as `/proc` and `--target-pid` name it.
fn of_pid(pid: u32) -> Values {
    Values::default().with(slot::PID, format!("pid {pid}"), pid)
}

/// Nobody else's business: waiting does not heal it, and nothing was said of the pod.
fn inconclusive(summary: String) -> Finding {
    Finding::new(Class::Inconclusive, summary).transient(false)
}

/// Advice where another process is meant.
fn another(finding: Finding, presented: &str, required: &str, pid: u32) -> Finding {
    finding
        .presented(presented)
        .required(required)
        .steps(&of_pid(pid), &[&texts::SEE_PIDS, &texts::LET_IT_CHOOSE])
}

fn no_proc(target: &Target, process: &Process) -> Finding {
    let errno = target.proc_error.as_deref().unwrap_or("unknown");
    let finding = inconclusive("no other process can be seen: /proc does not show even credprobe itself".to_owned())
        .presented(format!("/proc/self/status: {errno}"))
        .required("a procfs of this pid namespace, mounted at /proc")
        .why(format!(
            "Reading /proc/self/status fails with {errno}. --target-pid needs the procfs of its pid namespace, which the runtime mounts at /proc in every container."
        ))
        .steps(&Values::default(), &[&texts::SEE_PROC]);
    retry::as_root(finding, target, process)
}

fn own_pid(pid: u32) -> Finding {
    inconclusive(format!("pid {pid} is credprobe itself"))
        .presented(format!("--target-pid={pid}"))
        .required("another process; without --target-pid credprobe judges itself")
        .why("--target-pid names another process, whose environment and files are judged in place of credprobe’s own.")
        .steps(&of_pid(pid), &[&texts::SEE_PIDS, &texts::NAME_ANOTHER])
}

fn not_chosen(target: &Target) -> Finding {
    if target.whole_node {
        return inconclusive("--target-pid=auto cannot choose: the pod shares the node’s processes".to_owned())
            .presented("threads of the kernel are in sight")
            .required("the pid of one process")
            .why("The pod has hostPID, so every process of the node is in sight, threads of the kernel among them. Which of them is the app nobody can tell from here.")
            .steps(&Values::default(), &[&texts::FIND_ON_NODE]);
    }
    if target.candidates.is_empty() {
        return inconclusive("--target-pid=auto finds no other container’s process".to_owned())
            .presented("only credprobe's own container is in its pid namespace")
            .required("the app's pid namespace")
            .why("Only processes of credprobe’s own container are in its pid namespace. To see the app it needs the app’s.")
            .steps(&Values::default(), &[&texts::SEE_PIDS, &texts::SHARE_PROCESSES]);
    }
    let table: Vec<String> = target.candidates.iter().map(row).collect();
    let more = if target.truncated.candidates { "; and more" } else { "" };
    let finding = inconclusive(
        "--target-pid=auto cannot choose: several containers share the pod’s processes".to_owned(),
    )
    .why(format!(
        "These processes come from different containers: {}{}.",
        plain(&table.join(", ")),
        plain(more)
    ))
    .presented(table.join("; ") + more)
    .required("one of them");
    target.candidates.iter().fold(finding, |finding, candidate| {
        let name = format!("pid {} {}", candidate.pid, candidate.comm);
        finding.steps(&of_pid(candidate.pid).with_text(slot::VALUE, name), &[&texts::JUDGE_PID])
    })
}

fn row(Candidate { pid, comm, uid, role_arn }: &Candidate) -> String {
    let role_arn = match role_arn {
        Sighting::Yes => "set",
        Sighting::No => "not set",
        Sighting::Unreadable => "unreadable",
    };
    format!("pid {pid}: {comm}, uid {uid}, AWS_ROLE_ARN {role_arn}")
}

/// A pid that a signal would find and `/proc` does not show is hidden.
fn no_status(target: &Target, process: &Process, pid: u32) -> Finding {
    let errno = target.status_error.as_deref().unwrap_or("unknown");
    let presented = format!("/proc/{pid}/status: {errno}");
    let hidden = target.exists == Some(true) || matches!(errno, "EACCES" | "EPERM");
    match errno {
        "ENOENT" | "ESRCH" | "EACCES" | "EPERM" if hidden => {
            let finding = inconclusive(format!("pid {pid} is there, but /proc hides it from credprobe’s user"))
                .why(format!(
                    "Process {pid} exists, but reading /proc/{pid}/status fails with {errno}. So /proc is mounted with hidepid, and shows a process to its own user and to root alone."
                ))
                .presented(presented)
                .required("a /proc that is mounted without hidepid, or the process's own user");
            retry::as_root(finding, target, process)
        }
        "ENOENT" | "ESRCH" => {
            let finding = inconclusive(format!("there is no pid {pid} in credprobe’s pid namespace")).why(format!(
                "/proc/{pid} does not exist. credprobe sees the processes of its own pid namespace alone, and the pids there are not the node’s."
            ));
            another(finding, &presented, "a pid that ls /proc shows", pid)
                .steps(&of_pid(pid), &[&texts::SHARE_PROCESSES])
        }
        _ => inconclusive(format!("what /proc says of pid {pid} cannot be read"))
            .why(format!(
                "Reading /proc/{pid}/status fails with {errno}. It has to have the lines of proc_pid_status, Uid, Gid, Groups and Cap among them."
            ))
            .presented(presented)
            .required("the lines of proc_pid_status(5), Uid, Gid, Groups and Cap* among them")
            .steps(&of_pid(pid), &[&texts::SEE_STATUS, &texts::REPORT_STATUS]),
    }
}

/// No part of the rule explains the refusal: a security module, another user namespace, or root that is not dumpable.
fn is_unexplained(target: &Target) -> bool {
    ptrace_refusal(target).is_empty()
}

fn refusal(target: &Target, process: &Process, (own, status): (&Status, &Status), name: &str) -> Finding {
    let differences = ptrace_refusal(target);
    let words: Vec<String> = differences.iter().map(Difference::to_string).collect();
    let files: Vec<String> = [("environ", &target.environment_error), ("root", &target.root_error)]
        .iter()
        .filter_map(|(file, error)| Some(format!("{file}: {}", error.as_deref()?)))
        .collect();
    let short = words.first().map_or("it is protected", String::as_str);
    let (own_ids, its_ids) = (identity(own, &own.effective), identity(status, &status.permitted));
    let because = match words.as_slice() {
        [] => "Ids and capabilities would allow it. So the process is not dumpable or in another user namespace, or a security module, SELinux or AppArmor, refuses.".to_owned(),
        [_] => match differences.first() {
            Some(Difference::NotDumpable) => "Ids and capabilities agree. But the process changed its ids without exec, or its program file is not readable, so root with CAP_SYS_PTRACE alone may read it.",
            Some(Difference::Owner { .. }) => "CAP_SYS_PTRACE is enough for its files, and not for environ, which only its owner may read, or who has CAP_DAC_OVERRIDE.",
            _ => "The kernel requires the process’s own ids and capabilities, or root with CAP_SYS_PTRACE.",
        }
        .to_owned(),
        words => format!("The kernel refuses because {}. Root with CAP_SYS_PTRACE may.", words.join(", and ")),
    };
    let finding = inconclusive(format!("credprobe may not read {name}: {short}"))
        .why(format!(
            "credprobe has {}, the process {}. {}{}",
            plain(&own_ids),
            plain(&its_ids),
            plain(&because),
            // Both look like the right repair.
            if matches!(differences.as_slice(), [Difference::Gid { .. }]) {
                " The uid is the same, and supplementary groups and fsGroup do not count."
            } else {
                ""
            }
        ))
        .presented(format!("the probe: {own_ids}; {}", files.join(", ")))
        .required(format!("the target's: {its_ids}; or root with CAP_SYS_PTRACE"));
    let finding = match differences.as_slice() {
        [Difference::Gid { .. }] => {
            finding.ruled_out("the uid: it is the same. Supplementary groups and fsGroup do not count")
        }
        _ => finding,
    };
    retry::advise(finding, target, process)
}

fn identity(status: &Status, capabilities: &[String]) -> String {
    let capabilities = match capabilities {
        [] => "no capabilities".to_owned(),
        capabilities => capabilities.join(" "),
    };
    format!("uid {}, gid {}, {capabilities}", Columns(status.uid), Columns(status.gid))
}

fn unreadable(target: &Target, name: &str) -> Option<Finding> {
    if target.truncated.environment {
        return Some(
            inconclusive(format!("the environment of {name} is too large to be a real one"))
                .presented("over 16 MiB, or over 1 MiB of AWS variables")
                .required("at most what exec(2) takes, 6 MiB")
                .why("It has over 16 MiB, or over 1 MiB of AWS variables, and exec takes at most 6 MiB. So the process wrote something else there, and it was not used.")
                .steps(&of_pid(target.pid?), &[&texts::SEE_ENVIRONMENT_SIZE, &texts::SEE_PIDS, &texts::LET_IT_CHOOSE]),
        );
    }
    let (file, errno) = match (&target.environment_error, &target.root_error) {
        (Some(errno), _) => ("environ", errno),
        (None, Some(errno)) => ("root", errno),
        (None, None) => return None,
    };
    let finding = inconclusive(format!("{file} of {name} cannot be read")).why(format!(
        "Reading it fails with {errno}. --target-pid needs a process that runs and has a root directory."
    ));
    let required = "a process that runs and has a root directory";
    Some(another(finding, &format!("{file}: {errno}"), required, target.pid?))
}

/// A value that was dropped would look unset.
fn cut(target: &Target) -> Option<Finding> {
    let (names, pid) = (&target.truncated.variables, target.pid?);
    (!names.is_empty()).then(|| {
        let names = names.join(" ");
        inconclusive(format!("variables of pid {pid} are too long or cut off, and count as not set: {names}"))
            .severity(Severity::Warning)
            .presented("a value over 64 KiB, or without its end")
            .required("a value of the length that AWS SDKs take")
            .why(format!("The values of {names} have over 64 KiB, or lack their end. AWS SDKs take none of that length."))
            .steps(&Values::default().with_text(slot::VALUE, names), &[&texts::SHORTEN])
    })
}

/// A shell that exports or unsets shows only in its children.
fn differing(target: &Target) -> Option<Finding> {
    // The last one is the farthest from the entrypoint: most likely the app.
    let leaf = target.differing.last()?;
    let rows = target
        .differing
        .iter()
        .map(|process| format!("pid {} ({}): {}", process.pid, process.comm, process.variables.join(" ")));
    let rows: Vec<String> = rows.collect();
    let more = if target.truncated.descendants { "; and perhaps more" } else { "" };
    let pid = target.pid?;
    let text = rows.join(", ");
    let first: &[&Template] = &[&texts::JUDGE_CHILD, &texts::SET_IN_SPECIFICATION];
    Some(
        inconclusive(format!("processes that pid {pid} {} started have other AWS variables", target.comm))
            .severity(Severity::Warning)
            .why(format!(
                "pid {pid} {} was judged. It started processes with other values or without them: {}{}.",
                target.comm,
                plain(&text),
                plain(more)
            ))
            .presented(rows.join("; ") + more)
            .required(format!("the variables of pid {pid}"))
            .steps(
                &of_pid(leaf.pid).with_text(slot::VALUE, format!("pid {} {}", leaf.pid, leaf.comm)),
                first,
            ),
    )
}
