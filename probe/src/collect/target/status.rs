//! Parses `/proc/PID/status` (proc_pid_status(5)). Pure.
//! Lines that decide who may read are required; a field that older kernels lack is optional.

use crate::collect::credentials::capability_names;
use credprobe_judge::evidence::target::{Ids, Seccomp, Status};
use std::str::{FromStr, SplitWhitespace};

/// The kernel thread that starts all others.
const KTHREADD: u32 = 2;

/// `None`: a line that decides who may read is missing or cannot be parsed.
pub(super) fn parse(bytes: &[u8]) -> Option<Status> {
    // The name comes first, and its line breaks are escaped, so that a process cannot forge lines.
    let text = String::from_utf8_lossy(bytes);
    let field = |name: &str| {
        let values = text.lines().filter_map(|line| line.split_once(':'));
        values.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim())
    };
    let (pid, parent) = (field("Pid")?.parse().ok()?, field("PPid")?.parse().ok()?);
    let state = field("State")?.split_once('(')?.1.trim_end_matches(')');
    Some(Status {
        pid,
        parent,
        state: state.to_owned(),
        kernel_thread: match field("Kthread") {
            Some(flag) => flag == "1",
            // Older kernels lack the line. A kernel thread has no memory, and a zombie has none left.
            None => [pid, parent].contains(&KTHREADD) && field("VmSize").is_none() && state != "zombie",
        },
        uid: ids(field("Uid")?)?,
        gid: ids(field("Gid")?)?,
        groups: field("Groups")?.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?,
        effective: capabilities(field("CapEff")?)?,
        permitted: capabilities(field("CapPrm")?)?,
        bounding: capabilities(field("CapBnd")?)?,
        no_new_privileges: field("NoNewPrivs").map(|flag| flag == "1"),
        seccomp: field("Seccomp").and_then(seccomp),
    })
}

fn ids(columns: &str) -> Option<Ids> {
    fn next<T: FromStr>(columns: &mut SplitWhitespace<'_>) -> Option<T> {
        columns.next()?.parse().ok()
    }
    let mut columns = columns.split_whitespace();
    Some(Ids {
        real: next(&mut columns)?,
        effective: next(&mut columns)?,
        saved: next(&mut columns)?,
        file_system: next(&mut columns)?,
    })
}

fn capabilities(hexadecimal: &str) -> Option<Vec<String>> {
    u64::from_str_radix(hexadecimal, 16).ok().map(capability_names)
}

fn seccomp(mode: &str) -> Option<Seccomp> {
    match mode {
        "0" => Some(Seccomp::Disabled),
        "1" => Some(Seccomp::Strict),
        "2" => Some(Seccomp::Filter),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "Name:\tbash\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nPPid:\t1\n\
        Uid:\t1000\t1001\t1002\t1003\nGid:\t4\t5\t6\t7\nGroups:\t10 20 \nVmSize:\t 100 kB\n\
        CapInh:\t0000000000000000\nCapPrm:\t0000000000080400\nCapEff:\t0000000000000002\nCapBnd:\t000001ffffffffff\n\
        CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

    #[test]
    fn every_column_is_kept_under_its_name() {
        let status = parse(SHELL.as_bytes()).unwrap();
        assert_eq!((status.pid, status.parent, status.state.as_str()), (7, 1, "sleeping"));
        assert_eq!(status.uid, Ids { real: 1000, effective: 1001, saved: 1002, file_system: 1003 });
        assert_eq!(status.gid, Ids { real: 4, effective: 5, saved: 6, file_system: 7 });
        assert_eq!(status.groups, [10, 20]);
        assert_eq!(status.permitted, ["CAP_NET_BIND_SERVICE", "CAP_SYS_PTRACE"]);
        assert_eq!(status.effective, ["CAP_DAC_OVERRIDE"]);
        assert_eq!((status.no_new_privileges, status.seccomp), (Some(true), Some(Seccomp::Filter)));
        assert!(!status.kernel_thread);
    }

    #[test]
    fn all_41_capabilities_have_names_and_later_ones_their_number() {
        let names = parse(SHELL.as_bytes()).unwrap().bounding;
        assert_eq!((names.len(), names[40].as_str()), (41, "CAP_CHECKPOINT_RESTORE"));
        assert_eq!(capabilities("20000000000").unwrap(), ["CAP_41"]);
    }

    #[test]
    fn without_ids_or_capabilities_there_is_no_status() {
        for line in ["Uid:", "Gid:", "Groups:", "CapPrm:", "CapEff:", "PPid:", "State:"] {
            let text = SHELL.replace(line, "Other:");
            assert_eq!(parse(text.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_kernel_thread_is_told_on_old_kernels_too() {
        let thread = SHELL.replace("PPid:\t1", "PPid:\t2").replace("VmSize", "Other");
        assert!(parse(thread.as_bytes()).unwrap().kernel_thread);
        let zombie = thread.replace("S (sleeping)", "Z (zombie)");
        assert!(!parse(zombie.as_bytes()).unwrap().kernel_thread);
    }
}
