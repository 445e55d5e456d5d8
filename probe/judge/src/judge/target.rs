//! Judges whether the process of `--target-pid` could be seen, and if not, which rule stood in the way. Pure.
//! What it holds is judged by the others: without a process they have nothing to judge.

mod refusal;
mod retry;
#[cfg(test)]
mod tests;

use crate::catalog::Class;
use crate::evidence::target::{Candidate, Ids, Sighting, Status};
use crate::evidence::{Process, Target};
use crate::judge::finding::{Finding, Severity};
use crate::settings::command::{Tool, Word, words};
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
    let name = format!("pid {pid} ({})", target.comm);
    if status.kernel_thread {
        let finding = inconclusive(format!("{name} is a thread of the kernel, which has no credentials"));
        return Some(another(finding, "a kernel thread", "a process of the app"));
    }
    if status.has_exited() || target.status_error.is_some() {
        let (state, found) = match target.status_error {
            Some(_) => ("exited while it was looked at", "it is gone"),
            None => ("has exited: no environment and no root directory are left of it", &*status.state),
        };
        return Some(another(inconclusive(format!("{name} {state}")), found, "a process that runs"));
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
    let finding = inconclusive(format!(
        "{name} runs under more than one identity: whose files it may read depends on the moment"
    ));
    let finding = finding
        .presented(format!("real, effective, saved and file-system ids: {}", differ.join(", ")))
        .required("a process whose ids agree: not one that a set-uid or set-gid program started")
        .ruled_out("nothing was read or sent for it")
        .confirm_note(
            Tool::Grep.run(words![
                "-E",
                "^(Uid|Gid|PPid):",
                Word::from(status.pid).after("/proc/").before("/status")
            ]),
            "in a container that has a shell",
        )
        .fix("# judge the app's own process with --target-pid: one whose ids are all the same in this list (in a container that has a shell):")
        .fix("grep '^[UG]id:' /proc/[0-9]*/status")
        .fix("# or, where the app itself changes its ids: start it with the one that it ends up with (securityContext.runAsUser, runAsGroup)");
    Some(finding)
}

/// Nobody else's business: waiting does not heal it, and nothing was said of the pod.
fn inconclusive(summary: String) -> Finding {
    Finding::new(Class::Inconclusive, summary).transient(false)
}

/// Advice where another process is meant.
fn another(finding: Finding, presented: &str, required: &str) -> Finding {
    finding
        .presented(presented)
        .required(required)
        .confirm_note(Some("ls /proc"), "in a container that has a shell: the pids in sight")
        .fix("credprobe check --target-pid=auto")
}

fn no_proc(target: &Target, process: &Process) -> Finding {
    let errno = target.proc_error.as_deref().unwrap_or("unknown");
    let finding =
        inconclusive("no other process can be seen: /proc does not show even credprobe itself".to_owned())
            .presented(format!("/proc/self/status: {errno}"))
            .required("a procfs of this pid namespace, mounted at /proc")
            .confirm("cat /proc/self/status")
            .fix("# run credprobe in a container, which gets its /proc from the runtime:");
    retry::as_root(finding, target, process)
}

fn own_pid(pid: u32) -> Finding {
    inconclusive(format!("pid {pid} is credprobe itself"))
        .presented(format!("--target-pid={pid}"))
        .required("another process; without --target-pid credprobe judges itself")
        .fix("credprobe check")
}

fn not_chosen(target: &Target) -> Finding {
    if target.whole_node {
        return inconclusive("--target-pid=auto cannot choose: the pod shares the node's processes (hostPID)".to_owned())
            .presented("threads of the kernel are in sight")
            .required("the pid of one process")
            .fix("# find the app's pid on the node (`crictl inspect` shows it as .info.pid) and give it as --target-pid");
    }
    if target.candidates.is_empty() {
        return inconclusive("--target-pid=auto finds no other container's process".to_owned())
            .presented("only credprobe's own container is in its pid namespace")
            .required("the app's pid namespace")
            .confirm_note(Some("ls /proc"), "in a container that has a shell: the pids in sight")
            .fix("# kubectl debug with --target and the app container's name; or spec.shareProcessNamespace: true in the pod spec");
    }
    let table: Vec<String> = target.candidates.iter().map(row).collect();
    let more = if target.truncated.candidates { "; and more" } else { "" };
    let finding = inconclusive(
        "--target-pid=auto cannot choose: several containers share the pod's processes".to_owned(),
    )
    .presented(table.join("; ") + more)
    .required("one of them");
    let command = |candidate: &Candidate| format!("credprobe check --target-pid={}", candidate.pid);
    target.candidates.iter().map(command).fold(finding, Finding::fix)
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
            let finding =
                inconclusive(format!("pid {pid} is there, but /proc hides it from credprobe's user"))
                    .presented(presented)
                    .required("a /proc that is mounted without hidepid, or the process's own user")
                    .confirm("grep hidepid /proc/mounts")
                    .fix(
                        "# run credprobe with the app's user and group (runAsUser, runAsGroup), or as root:",
                    );
            retry::as_root(finding, target, process)
        }
        "ENOENT" | "ESRCH" => {
            let finding = inconclusive(format!("there is no pid {pid} in credprobe's pid namespace"));
            another(finding, &presented, "a pid that ls /proc shows")
                .fix("# to see the app's processes: kubectl debug with --target and the app container's name")
        }
        _ => inconclusive(format!("what /proc says of pid {pid} cannot be read"))
            .presented(presented)
            .required("the lines of proc_pid_status(5), Uid, Gid, Groups and Cap* among them")
            .confirm(format!("cat /proc/{pid}/status")),
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
    let because = match words.as_slice() {
        [] => "ids and capabilities would allow it: it is not dumpable, is in another user namespace, or a security module (SELinux, AppArmor) refuses".to_owned(),
        words => words.join("; "),
    };
    let finding = inconclusive(format!("the kernel does not let credprobe read {name}: {because}"))
        .presented(format!("the probe: {}; {}", identity(own, &own.effective), files.join(", ")))
        .required(format!(
            "the target's: {}; or root with CAP_SYS_PTRACE",
            identity(status, &status.permitted)
        ));
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
            inconclusive(format!("the environment of {name} is too large to be a real one; it was not used"))
                .presented("over 16 MiB, or over 1 MiB of AWS variables")
                .required("at most what exec(2) takes, 6 MiB")
                .confirm_note(Tool::Wc.run(words!["-c", environ(target)?]), "as the process's user"),
        );
    }
    let (file, errno) = match (&target.environment_error, &target.root_error) {
        (Some(errno), _) => ("environ", errno),
        (None, Some(errno)) => ("root", errno),
        (None, None) => return None,
    };
    let finding = inconclusive(format!("{file} of {name} cannot be read"));
    Some(another(finding, &format!("{file}: {errno}"), "a process that runs and has a root directory"))
}

fn environ(target: &Target) -> Option<Word> {
    Some(Word::from(target.pid?).after("/proc/").before("/environ"))
}

/// A value that was dropped would look unset.
fn cut(target: &Target) -> Option<Finding> {
    let (names, pid) = (&target.truncated.variables, target.pid?);
    (!names.is_empty()).then(|| {
        inconclusive(format!(
            "variables of pid {pid} are too long or cut off, and count as not set: {}",
            names.join(" ")
        ))
        .severity(Severity::Warning)
        .presented("a value over 64 KiB, or without its end")
        .required("a value of the length that AWS SDKs take")
        .fix("# shorten them in the container's env in the pod spec")
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
    Some(
        inconclusive(format!(
            "pid {pid} ({}) was judged, but processes that it started have other variables",
            target.comm
        ))
        .severity(Severity::Warning)
        .presented(rows.join("; ") + more)
        .required(format!("the variables of pid {pid}"))
        .confirm(format!("credprobe check --target-pid={}", leaf.pid))
        .fix("# set AWS_* in the container's env in the pod spec, not in the script that starts the app"),
    )
}
