//! The pod: own mounts and network, kubelet's token layout, and the real names and addresses on `lo`.
//! Built before any thread is started; the servers come afterwards, in `launch`.

pub(crate) mod enter;
pub(crate) mod mounts;
pub(crate) mod namespace;
mod netlink;
mod program;

use std::{
    fs,
    net::{Ipv4Addr, UdpSocket},
    os::unix::fs::chown,
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, getegid, geteuid, setgroups};

use crate::{
    dns::Addresses,
    error::{Doing as _, Error, Result},
    launch::{self, Dns, Listeners, Order, Place, Sts},
    scenario::{self, Fault, POD, Scenario},
    token_file::Owner,
};
use enter::Ids;
use namespace::Privilege;
use program::Program;

const RUN: &str = "/run";
/// Where the sandbox keeps what is its own, inside the pod.
const OWN: &str = "/run/credprobe-sandbox";
/// Without `/var`, which is a link.
const SECRETS: &str = "/run/secrets/eks.amazonaws.com/serviceaccount";

const DNS: Ipv4Addr = Ipv4Addr::new(10, 100, 0, 10);
const POD_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 17);
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const ADDRESSES: Addresses = Addresses {
    sts: Ipv4Addr::new(10, 0, 12, 31),
    issuer: Ipv4Addr::new(10, 0, 14, 52),
    api_server: Ipv4Addr::new(10, 100, 0, 1),
};

/// The application's user, as distroless images have it.
const NON_ROOT: u32 = 65532;

const RESOLV_CONF: &str = "search shop.svc.cluster.local svc.cluster.local cluster.local\n\
                           nameserver 10.100.0.10\noptions ndots:5\n";

/// Runs the order in a pod.
pub(crate) fn run(order: Order, privilege: Privilege) -> Result<i32> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    if privilege == Privilege::UserNamespace
        && let Some(need) = order.scenario.needs_root(uid, gid)
    {
        return Err(Error::new(format!("scenario {} needs root: {need}", order.name)));
    }
    let ids = (privilege == Privilege::Root).then(|| ids(&order.scenario));
    let hosts = mounts::target("/etc/hosts")?;
    let resolv_conf = mounts::target("/etc/resolv.conf")?;

    privilege.isolate()?;
    // In these mounts already, and before the old /run is out of sight.
    let program = Program::open(&order.program)?;
    mounts::fresh_run()?;
    let own = PathBuf::from(OWN);
    fs::create_dir(&own).doing(|| format!("failed to make {OWN}"))?;
    let text = format!(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{POD_ADDRESS}\t{POD}\n"
    );
    mounts::replace(&hosts, &text, &own)?;
    mounts::replace(&resolv_conf, RESOLV_CONF, &own)?;
    let program = program.reachable(&order.program, ids.as_ref(), &own)?;
    netlink::set_up_loopback(&addresses(order.scenario.fault))?;
    let secrets = Path::new(SECRETS);
    if !order.scenario.token_file.missing {
        fs::create_dir_all(secrets).doing(|| format!("failed to make {SECRETS}"))?;
        mounts::tmpfs(secrets, "1777")?;
    }
    let place = Place {
        mode: "pod",
        token_directory: secrets.to_owned(),
        token_file: format!("{}/token", scenario::TOKEN_DIRECTORY),
        owner: (privilege == Privilege::Root).then_some(Owner { uid: 0, gid: NON_ROOT }),
        seal: Some(mounts::make_read_only),
        program,
        ids,
        environment: Vec::new(),
        listeners: listeners(order.scenario.fault)?,
        own,
    };
    launch::run(order, place)
}

/// Isolation tried out, in a process that ends right after.
pub(crate) fn try_isolation(privilege: Privilege) -> Result<()> {
    privilege.isolate()?;
    mounts::fresh_run()?;
    netlink::set_up_loopback(&[DNS])?;
    if privilege == Privilege::Root {
        // Root of a container may have no other id to give away.
        chown(RUN, Some(NON_ROOT), Some(NON_ROOT))
            .doing(|| format!("failed to give a file to {NON_ROOT}"))?;
        setgroups(&[Gid::from_raw(NON_ROOT)]).doing(|| "failed to take a group".into())?;
    }
    Ok(())
}

fn ids(scenario: &Scenario) -> Ids {
    let process = &scenario.process;
    let gid = process.gid.unwrap_or(NON_ROOT);
    Ids {
        uid: process.uid.unwrap_or(NON_ROOT),
        gid,
        groups: process.groups.clone().unwrap_or_else(|| vec![NON_ROOT]),
    }
}

fn addresses(fault: Fault) -> Vec<Ipv4Addr> {
    let mut addresses = vec![DNS, POD_ADDRESS, METADATA, ADDRESSES.issuer, ADDRESSES.api_server];
    if fault != Fault::NoRoute {
        addresses.push(ADDRESSES.sts);
    }
    addresses
}

fn listeners(fault: Fault) -> Result<Listeners> {
    let sts = match fault {
        Fault::Refuse | Fault::NoRoute => Sts::Nobody,
        Fault::Drop => Sts::drop(ADDRESSES.sts, 443)?,
        _ => Sts::Serve(launch::listen(ADDRESSES.sts, 443)?),
    };
    let socket = UdpSocket::bind((DNS, 53)).doing(|| format!("failed to listen on {DNS}:53 over UDP"))?;
    Ok(Listeners {
        sts,
        issuer: launch::listen(ADDRESSES.issuer, 443)?,
        metadata: Some(launch::listen(METADATA, 80)?),
        dns: Some(Dns { udp: socket, tcp: launch::listen(DNS, 53)?, addresses: ADDRESSES }),
    })
}
