//! Opens the listening sockets. One socket serves both address families if the machine has both.
//! `http` answers the connections.

use crate::serve::options::Listen;
use rustix::net::sockopt::set_ipv6_v6only;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections the kernel completes before we accept them.
const BACKLOG: u32 = 1024;

/// The public socket. `[::]` also accepts IPv4. If the machine has no IPv6, the default address becomes `0.0.0.0`.
///
/// # Errors
/// Those of `socket(2)`, `bind(2)` and `listen(2)`.
pub(super) fn public(listen: Listen) -> io::Result<TcpListener> {
    match bind(listen.address) {
        Err(error) if listen.by_default && error.kind() != io::ErrorKind::AddrInUse => {
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.address.port())))
        }
        bound => bound,
    }
}

/// Listens on exactly this address.
///
/// # Errors
/// Those of `socket(2)`, `bind(2)` and `listen(2)`.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Overrides net.ipv6.bindv6only.
        set_ipv6_v6only(&socket, false)?;
    }
    // After a restart, connections of the previous container may still be in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The error as text, without its number.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another process has this port; name another one".to_owned(),
        io::ErrorKind::PermissionDenied => "ports below 1024 need a capability; name a higher one".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}
