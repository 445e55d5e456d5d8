//! The listening sockets: one for both address families where the machine has both.
//! What is accepted, `http` answers.

use crate::serve::options::Listen;
use rustix::net::sockopt::set_ipv6_v6only;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 1024;

/// The public one: `[::]` takes IPv4 too, and becomes `0.0.0.0` where there is no IPv6 and nobody asked for it.
///
/// # Errors
/// As `socket(2)`, `bind(2)` and `listen(2)` say.
pub(super) fn public(listen: Listen) -> io::Result<TcpListener> {
    match bind(listen.address) {
        Err(error) if listen.by_default && error.kind() != io::ErrorKind::AddrInUse => {
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.address.port())))
        }
        bound => bound,
    }
}

/// Exactly this address.
///
/// # Errors
/// The same.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Whatever net.ipv6.bindv6only says.
        set_ipv6_v6only(&socket, false)?;
    }
    // A restarted container meets its own connections in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Without the number of the error.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another process has this port; name another one".to_owned(),
        io::ErrorKind::PermissionDenied => "ports below 1024 need a capability; name a higher one".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}
