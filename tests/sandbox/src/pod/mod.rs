//! Builds the pod: its own mounts and network, the kubelet's token layout, and the real names and addresses on `lo`.
//! It is built before any thread starts; `launch` starts the servers afterwards.

pub(crate) mod enter;
pub(crate) mod mounts;
pub(crate) mod namespace;
mod netlink;
mod program;
mod root;
pub(crate) mod target;
pub(crate) mod targets;
mod volumes;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    os::unix::fs::chown,
    path::PathBuf,
};

use nix::unistd::{Gid, getegid, geteuid, setgroups};

use crate::{
    capabilities::{Ids, Rights},
    dns::Addresses,
    error::{Doing as _, Error, Result},
    launch::{self, Dns, Listeners, Order, Place, PlacedToken, Port},
    scenario::{
        self, Family, Fault, POD, Proxy, Scenario,
        agent::TokenKind,
        hostile::{Misdeed, Peer},
        target::Proc,
    },
    token_file::Owner,
};
use enter::Entry;
use namespace::Privilege;
use program::Program;
use targets::Targets;
use volumes::Volumes;

const RUN: &str = "/run";
/// The sandbox's own folder inside the pod.
const OWN: &str = "/run/credprobe-sandbox";

const DNS: Ipv4Addr = Ipv4Addr::new(10, 100, 0, 10);
const POD_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 17);
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The addresses of the Pod Identity agent.
const AGENT: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];
const ADDRESSES: Addresses = Addresses {
    sts: Ipv4Addr::new(10, 0, 12, 31),
    // One of AWS's addresses in Ireland, because a VPC's IPv6 addresses are public.
    sts_ipv6: Ipv6Addr::new(0x2a05, 0xd018, 0x12, 0, 0, 0, 0, 0x31),
    issuer: Ipv4Addr::new(10, 0, 14, 52),
    api_server: Ipv4Addr::new(10, 100, 0, 1),
    proxy: Ipv4Addr::new(10, 0, 9, 9),
};
const PROXY_PORT: u16 = 3128;

/// The application's user, the same as in distroless images.
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
    let process = &order.scenario.process;
    let rights = Rights {
        ids: (privilege == Privilege::Root).then(|| ids(process.uid, process.gid, process.groups.as_deref())),
        held: process.capabilities.clone(),
        bounding: process.bounding.clone(),
    };
    let myself = std::env::current_exe().doing(|| "failed to find the sandbox itself".into())?;
    let hosts = mounts::target("/etc/hosts")?;
    let resolv_conf = mounts::target("/etc/resolv.conf")?;

    privilege.isolate()?;
    // Open them in the new mounts, but before the old /run is covered.
    let program = Program::open(&order.program)?;
    let sandbox = Program::open(&myself)?;
    mounts::fresh_run()?;
    let own = PathBuf::from(OWN);
    fs::create_dir(&own).doing(|| format!("failed to make {OWN}"))?;
    let text = format!(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{POD_ADDRESS}\t{POD}\n{}",
        order.scenario.hosts
    );
    mounts::replace(&hosts, &text, &own)?;
    mounts::replace(&resolv_conf, order.scenario.resolv_conf.as_deref().unwrap_or(RESOLV_CONF), &own)?;
    let program = program.reachable(&order.program, rights.ids.as_ref(), &own)?;
    netlink::set_up_loopback(&addresses(&order.scenario))?;
    let Volumes { tokens, service_account, staged } = Volumes::mount(&order.scenario, &own)?;
    root::lay_all(&order.scenario.files)?;
    let targets = if order.scenario.targets.is_empty() {
        None
    } else {
        // Not the command's folder, which may hold a program of the same name.
        let folder = own.join("targets");
        fs::create_dir(&folder).doing(|| format!("failed to make {}", folder.display()))?;
        let sandbox = sandbox.reachable(&myself, rights.ids.as_ref(), &folder)?;
        Some(Targets { program: sandbox, own: own.clone(), volumes: staged })
    };
    let sees_processes = targets.is_some() || order.scenario.proc != Proc::Mounted;
    let environment = match order.scenario.api_server {
        Some(_) => vec![
            ("KUBERNETES_SERVICE_HOST", scenario::API_SERVER.into()),
            ("KUBERNETES_SERVICE_PORT", "443".into()),
        ],
        None => Vec::new(),
    };
    // The scenario describes the first token.
    let own_volumes = [order.scenario.token_file.own_volume.clone(), None];
    let own_volumes = own_volumes.iter().map(Option::as_deref);
    let place = Place {
        mode: "pod",
        tokens: order
            .scenario
            .mechanism
            .tokens()
            .iter()
            .zip(tokens)
            .zip(own_volumes)
            .map(|(token, own)| placed(token, own))
            .collect(),
        owner: (privilege == Privilege::Root).then_some(Owner { uid: 0, gid: NON_ROOT }),
        seal: Some(mounts::make_read_only),
        program,
        entry: Entry { rights, proc: sees_processes.then_some(order.scenario.proc) },
        targets,
        environment,
        service_account,
        listeners: listeners(&order.scenario)?,
        own,
    };
    launch::run(order, place)
}

/// `file` is the path in the pod, wherever the volume is mounted at the moment.
fn placed((kind, directory): (&TokenKind, PathBuf), own_volume: Option<&str>) -> PlacedToken {
    let file = format!("/var/run/secrets/{}/{}", own_volume.unwrap_or(kind.directory()), kind.file());
    PlacedToken { kind: *kind, directory, file }
}

/// Tries isolation in a process that ends right after.
pub(crate) fn try_isolation(privilege: Privilege) -> Result<()> {
    privilege.isolate()?;
    mounts::fresh_run()?;
    netlink::set_up_loopback(&[DNS.into()])?;
    if privilege == Privilege::Root {
        // Root of a container may not be allowed to use another id.
        chown(RUN, Some(NON_ROOT), Some(NON_ROOT))
            .doing(|| format!("failed to give a file to {NON_ROOT}"))?;
        setgroups(&[Gid::from_raw(NON_ROOT)]).doing(|| "failed to take a group".into())?;
    }
    Ok(())
}

fn ids(uid: Option<u32>, gid: Option<u32>, groups: Option<&[u32]>) -> Ids {
    Ids {
        uid: uid.unwrap_or(NON_ROOT),
        gid: gid.unwrap_or(NON_ROOT),
        groups: groups.map_or_else(|| vec![NON_ROOT], <[u32]>::to_vec),
        real_uid: None,
    }
}

fn addresses(scenario: &Scenario) -> Vec<IpAddr> {
    let always = [DNS, POD_ADDRESS, METADATA, ADDRESSES.issuer, ADDRESSES.api_server, ADDRESSES.proxy];
    let mut addresses: Vec<IpAddr> = always.into_iter().map(IpAddr::from).collect();
    addresses.extend(sts(scenario));
    if scenario.agent.as_ref().is_some_and(|agent| !agent.no_route) {
        addresses.extend(AGENT);
    }
    addresses
}

/// The addresses of STS that the pod has a route to.
fn sts(scenario: &Scenario) -> Vec<IpAddr> {
    let mut addresses = ADDRESSES.sts_of(&scenario.sts_families);
    addresses.retain(|address| {
        scenario.fault != Fault::NoRoute && !scenario.no_route.contains(&Family::of(*address))
    });
    addresses
}

fn listeners(scenario: &Scenario) -> Result<Listeners> {
    let port = |peer: Peer, addresses: &[IpAddr], port: u16| match scenario.misdeed(peer) {
        Some(Misdeed::Refuse) => Ok(Port::Nobody),
        Some(Misdeed::Drop) => Port::full(addresses, port),
        _ => Port::serve(addresses, port),
    };
    let sts = match scenario.fault {
        Fault::Refuse | Fault::NoRoute => Port::Nobody,
        Fault::Drop => Port::full(&sts(scenario), 443)?,
        _ => port(Peer::Sts, &sts(scenario), 443)?,
    };
    let agent = match &scenario.agent {
        None => Port::Nobody,
        Some(agent) if agent.down || agent.no_route => Port::Nobody,
        Some(agent) if agent.dropped => Port::full(&AGENT, 80)?,
        Some(_) => port(Peer::Agent, &AGENT, 80)?,
    };
    let issuer = match scenario.issuer.refuse {
        true => Port::Nobody,
        false => port(Peer::Issuer, &[ADDRESSES.issuer.into()], 443)?,
    };
    let api_server = match scenario.api_server {
        None => Port::Nobody,
        Some(_) => port(Peer::ApiServer, &[ADDRESSES.api_server.into()], 443)?,
    };
    let socket = UdpSocket::bind((DNS, 53)).doing(|| format!("failed to listen on {DNS}:53 over UDP"))?;
    let where_wanted = |wanted: bool, address: Ipv4Addr, port: u16| {
        wanted.then(|| launch::listen(address.into(), port)).transpose()
    };
    let has_proxy = scenario.proxy.is_some_and(|proxy| proxy != Proxy::Down);
    let proxy = where_wanted(has_proxy, ADDRESSES.proxy, PROXY_PORT)?;
    Ok(Listeners {
        sts,
        issuer,
        api_server,
        agent,
        proxy: proxy.map(|listener| launch::Proxy { listener, addresses: ADDRESSES }),
        metadata: Some(launch::listen(METADATA.into(), 80)?),
        dns: Some(Dns { udp: socket, tcp: launch::listen(DNS.into(), 53)?, addresses: ADDRESSES }),
    })
}
