//! Sets up `lo`, the pod's only network interface: brings it up, and adds the addresses of all servers.
//! It writes the two rtnetlink messages by hand, so that nothing needs to be installed.

use std::{net::IpAddr, os::fd::AsRawFd as _};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

use crate::error::{Doing as _, Error, Result};

// linux/rtnetlink.h, linux/netlink.h, linux/if_addr.h
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const NLM_F_REQUEST_ACK: u16 = 0x1 | 0x4;
const NLM_F_CREATE_REPLACE: u16 = 0x400 | 0x100;
const NLMSG_ERROR: u16 = 2;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// Skips the check for duplicates, during which an IPv6 address cannot be bound. No other host can have the address.
const IFA_F_NODAD: u8 = 2;
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// The first interface of every network namespace.
const LO: u32 = 1;

/// Brings `lo` up and adds the addresses to it.
pub(crate) fn set_up_loopback(addresses: &[IpAddr]) -> Result<()> {
    let mut link = vec![0, 0, 0, 0];
    link.extend([LO, IFF_UP, IFF_UP].map(u32::to_ne_bytes).concat());
    request(RTM_NEWLINK, 0, &link).doing(|| "failed to bring `lo` up".into())?;
    for address in addresses {
        let (family, bits, octets) = match address {
            IpAddr::V4(address) => (AF_INET, 32, address.octets().to_vec()),
            IpAddr::V6(address) => (AF_INET6, 128, address.octets().to_vec()),
        };
        let mut message = vec![family, bits, IFA_F_NODAD, 0];
        message.extend(LO.to_ne_bytes());
        for kind in [IFA_LOCAL, IFA_ADDRESS] {
            message.extend([4 + u16::from(bits / 8), kind].map(u16::to_ne_bytes).concat());
            message.extend(&octets);
        }
        request(RTM_NEWADDR, NLM_F_CREATE_REPLACE, &message)
            .doing(|| format!("failed to give `lo` the address {address}"))?;
    }
    Ok(())
}

/// Sends one message and waits for the kernel's answer.
fn request(kind: u16, flags: u16, payload: &[u8]) -> Result<()> {
    let what = || "rtnetlink".to_owned();
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)
            .doing(what)?;
    let length = u32::try_from(16 + payload.len()).doing(what)?;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((flags | NLM_F_REQUEST_ACK).to_ne_bytes());
    // Sequence number and sender.
    message.extend([0; 8]);
    message.extend(payload);
    sendto(socket.as_raw_fd(), &message, &NetlinkAddr::new(0, 0), MsgFlags::empty()).doing(what)?;
    let mut answer = [0; 4096];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty()).doing(what)?;
    let answer = &answer[..length];
    let (Some(kind), Some(code)) = (answer.get(4..6), answer.get(16..20)) else {
        return Err(Error::new("rtnetlink answered something short"));
    };
    match (u16::from_ne_bytes([kind[0], kind[1]]), i32::from_ne_bytes([code[0], code[1], code[2], code[3]])) {
        (NLMSG_ERROR, 0) => Ok(()),
        (NLMSG_ERROR, code) => Err(nix::errno::Errno::from_raw(-code)).doing(what),
        (kind, _) => Err(Error::new(format!("rtnetlink answered message type {kind}"))),
    }
}
