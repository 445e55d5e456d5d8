//! The subject's ids and capabilities, and what the downward API told the probe of its pod.
//! They come from the kernel, of this process or of another, or from flags.

use super::credentials::own_capabilities;
use crate::evidence::{Process, Target};
use crate::shown;
use crate::subject::{Subject, Whose};

/// Who is judged. Where another process could not be seen at all, its ids are the probe's own.
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
pub(crate) fn ids(whose: &Whose, target: Option<&Target>) -> Process {
    let own = own();
    match whose {
        Whose::Own => own,
        Whose::User { uid, gid, groups } => {
            let other = uid.is_some_and(|uid| uid != own.uid);
            Process {
                source: "as-uid".to_owned(),
                uid: uid.unwrap_or(own.uid),
                gid: gid.unwrap_or(own.gid),
                groups: groups.clone().unwrap_or(own.groups),
                // Another user's cannot be known; few processes of an app have any.
                capabilities: if other { Vec::new() } else { own.capabilities },
                ..own
            }
        }
        Whose::Process(_) => {
            target.and_then(of_target).map_or(own.clone(), |target| Process { probe_uid: own.uid, ..target })
        }
    }
}

/// Kubelet's has some hundred bytes.
const RESOLV_CONF_LIMIT: u64 = 64 * 1024;

/// `shop` of `search shop.svc.cluster.local svc.cluster.local cluster.local` (kubernetes `pkg/kubelet/network/dns`).
fn namespace(resolv_conf: &str) -> Option<String> {
    let search = resolv_conf.lines().rfind(|line| line.starts_with("search"))?;
    let domains: Vec<&str> = search.split_whitespace().skip(1).collect();
    domains.iter().find_map(|domain| {
        let (namespace, cluster) = domain.split_once(".svc.")?;
        let of_kubelet = !namespace.contains('.') && domains.contains(&format!("svc.{cluster}").as_str());
        of_kubelet.then(|| namespace.to_owned())
    })
}

/// Whom the flags name, as far as no file tells it: where one does not answer.
#[must_use]
pub fn unseen(whose: &Whose) -> Process {
    let source = match whose {
        Whose::Own => "self",
        Whose::User { .. } => "as-uid",
        Whose::Process(_) => "target-pid",
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

/// Files are opened with the ids of the fourth column, and capabilities of another user namespace open none here.
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
    use super::namespace;

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
