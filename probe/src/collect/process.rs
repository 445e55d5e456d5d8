//! The subject's ids and capabilities, and what the downward API told the probe about its pod.
//! The kernel tells the ids of this process or of another one; flags can name another user.

use super::credentials::own_capabilities;
use crate::collect::subject::{Subject, SubjectSelector};
use credprobe_judge::evidence::{Process, Target};
use credprobe_judge::text::shown;

/// The process that is judged. If another process could not be observed, the ids are the probe's own.
#[must_use]
pub fn process(subject: &Subject) -> Process {
    let text = |name: &str| subject.own_text(name).map(shown::value);
    let process = ids(subject.whose(), subject.target());
    let hostname = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let search = subject.read("/etc/resolv.conf", RESOLV_CONF_LIMIT).unwrap_or_default();
    Process {
        dns_namespace: namespace(&String::from_utf8_lossy(&search)),
        pod_name: text("POD_NAME"),
        pod_namespace: text("POD_NAMESPACE"),
        pod_uid: text("POD_UID"),
        node_name: text("NODE_NAME"),
        hostname,
        ..process
    }
}

/// The ids and capabilities that flags and the kernel give.
pub(crate) fn ids(whose: &SubjectSelector, target: Option<&Target>) -> Process {
    let own = own();
    match whose {
        SubjectSelector::Own => own,
        SubjectSelector::User { uid, gid, groups } => as_user(own, *uid, *gid, groups.as_deref()),
        SubjectSelector::Process(_) => {
            target.and_then(of_target).map_or(own.clone(), |target| Process { probe_uid: own.uid, ..target })
        }
    }
}

/// In bytes. The kubelet's file has a few hundred.
const RESOLV_CONF_LIMIT: u64 = 64 * 1024;

/// `shop` from `search shop.svc.cluster.local svc.cluster.local cluster.local` (kubernetes `pkg/kubelet/network/dns`).
fn namespace(resolv_conf: &str) -> Option<String> {
    let search = resolv_conf.lines().rfind(|line| line.starts_with("search"))?;
    let domains: Vec<&str> = search.split_whitespace().skip(1).collect();
    domains.iter().find_map(|domain| {
        let (namespace, cluster) = domain.split_once(".svc.")?;
        let of_kubelet = !namespace.contains('.') && domains.contains(&format!("svc.{cluster}").as_str());
        of_kubelet.then(|| namespace.to_owned())
    })
}

/// The process that the flags name, without reading any file of it. For the case that a file does not answer.
#[must_use]
pub fn unseen(whose: &SubjectSelector) -> Process {
    let source = match whose {
        SubjectSelector::Own => "self",
        SubjectSelector::User { .. } => "as-uid",
        SubjectSelector::Process(_) => "target-pid",
    };
    Process { source: source.to_owned(), ..own() }
}

fn own() -> Process {
    let uid = nix::unistd::geteuid().as_raw();
    let groups = nix::unistd::getgroups().unwrap_or_default();
    Process {
        source: "self".to_owned(),
        pid: std::process::id(),
        uid,
        probe_uid: uid,
        gid: nix::unistd::getegid().as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
        capabilities: own_capabilities(),
        ..Process::default()
    }
}

/// Takes what no flag states from the probe: container runtimes give all containers of a pod the groups of its spec. The primary
/// group comes from the image or the container's own runAsGroup, so it is not lent if a flag states a group.
fn as_user(own: Process, uid: Option<u32>, gid: Option<u32>, groups: Option<&[u32]>) -> Process {
    let replaced = gid.filter(|gid| *gid != own.gid).map(|_| own.gid);
    let lent_groups: Vec<u32> = match groups {
        Some(_) => Vec::new(),
        None => own.groups.iter().copied().filter(|group| Some(*group) != replaced).collect(),
    };
    let lent_gid = gid.is_none().then_some(own.gid);
    let other = uid.is_some_and(|uid| uid != own.uid);
    let mut lent: Vec<u32> =
        lent_groups.iter().copied().chain(lent_gid).filter(|group| Some(*group) != gid).collect();
    lent.sort_unstable();
    lent.dedup();
    Process {
        source: "as-uid".to_owned(),
        uid: uid.unwrap_or(own.uid),
        gid: gid.unwrap_or(own.gid),
        groups: groups.map_or(lent_groups, <[u32]>::to_vec),
        lent,
        probe_gid: Some(own.gid),
        // The capabilities of another user's process are unknown; few processes of an app have any.
        capabilities: if other { Vec::new() } else { own.capabilities },
        ..own
    }
}

/// Files are opened with the ids in the fourth column. Capabilities of another user namespace do not count here.
fn of_target(target: &Target) -> Option<Process> {
    let status = target.status.as_ref()?;
    Some(Process {
        source: "target-pid".to_owned(),
        pid: status.pid,
        uid: status.uid.file_system,
        gid: status.gid.file_system,
        groups: status.groups.clone(),
        capabilities: if target.other_user_namespace { Vec::new() } else { status.effective.clone() },
        ..Process::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{as_user, namespace};
    use credprobe_judge::evidence::Process;

    /// The probe as containerd starts the image's user 65532: group 0 is primary, and listed too.
    fn probe() -> Process {
        Process { uid: 65_532, gid: 0, groups: vec![0, 1234], ..Process::default() }
    }

    #[test]
    fn the_probes_primary_group_is_not_lent_beside_a_stated_one() {
        let groups = |uid, gid, groups: Option<&[u32]>| {
            let process = as_user(probe(), uid, gid, groups);
            (process.gid, process.groups, process.lent)
        };
        let app = Some(1000);
        assert_eq!(groups(app, app, None), (1000, vec![1234], vec![1234]));
        assert_eq!(groups(app, app, Some(&[])), (1000, vec![], vec![]));
        assert_eq!(groups(app, app, Some(&[0])), (1000, vec![0], vec![]), "stated, so not lent");
        assert_eq!(groups(app, None, None), (0, vec![0, 1234], vec![0, 1234]));
        assert_eq!(groups(app, None, Some(&[5])), (0, vec![5], vec![0]));
        assert_eq!(groups(app, Some(0), None), (0, vec![0, 1234], vec![1234]), "the same group, stated");
        assert_eq!(groups(None, None, Some(&[])), (0, vec![], vec![0]));
    }

    #[test]
    fn kubelets_search_list_names_the_namespace() {
        let of = |search: &str| namespace(&format!("nameserver 10.100.0.10\n{search}\noptions ndots:5\n"));
        let listed =
            "search shop.svc.cluster.local svc.cluster.local cluster.local eu-west-1.compute.internal";
        assert_eq!(of(listed).as_deref(), Some("shop"));
        assert_eq!(of("search eu-west-1.compute.internal"), None);
        assert_eq!(of("search shop.svc.cluster.local"), None, "not kubelet's list");
        assert_eq!(of(""), None);
    }
}
