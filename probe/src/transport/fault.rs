//! A failure as the code that met it knows it: kind, peer, errno and one line. Also names system errors.
//! The record adds the phase, because it alone knows how far the request had come.

use credprobe_judge::evidence::{AddressOutcome, Failure, FailureKind, Phase};
use nix::errno::Errno;
use std::{io, net::SocketAddr};

/// A failure without its phase.
#[derive(Debug)]
pub(super) struct Fault {
    kind: FailureKind,
    peer: Option<SocketAddr>,
    errno: Option<String>,
    detail: String,
}

impl Fault {
    /// `detail` is one line in plain words. It shows both sides if there are two, and quotes nothing of request or response.
    pub(super) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, peer: None, errno: None, detail: detail.into() }
    }

    /// An unusable configuration or URL.
    pub(super) fn unusable(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Unusable, detail)
    }

    /// A connection that broke, with the system's name of the reason.
    pub(super) fn broken(error: &io::Error, doing: &str) -> Self {
        let how = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the peer closed the connection",
            io::ErrorKind::ConnectionReset => "the peer reset the connection",
            io::ErrorKind::BrokenPipe => "the peer had closed the connection",
            _ => "the connection failed",
        };
        Self::new(FailureKind::Broken, format!("{how} {doing}")).errno(error)
    }

    pub(super) fn peer(mut self, peer: Option<SocketAddr>) -> Self {
        self.peer = self.peer.or(peer);
        self
    }

    pub(super) fn errno(mut self, error: &io::Error) -> Self {
        self.errno = self.errno.or_else(|| errno_name(error));
        self
    }

    /// Turns the failure into "the proxy could not be used", which is how the endpoint sees it.
    pub(super) fn at_proxy(mut self, proxy: &str) -> Self {
        // An unusable setting stays one, and the phase tells of a timeout.
        if !matches!(self.kind, FailureKind::Unusable | FailureKind::TimedOut) {
            self.kind = FailureKind::ProxyRefused;
        }
        self.detail = format!("proxy `{proxy}`: {}", self.detail);
        self
    }

    /// Adds the phase.
    pub(super) fn in_phase(self, phase: Phase) -> Failure {
        let Self { kind, peer, errno, detail } = self;
        Failure { phase, kind, peer, errno, detail }
    }
}

/// `ECONNREFUSED`, … as errno(3) names them. `None`: the error did not come from the system.
pub(super) fn errno_name(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(|number| match Errno::from_raw(number) {
        Errno::UnknownErrno => format!("errno {number}"),
        known => format!("{known:?}"),
    })
}

/// The outcome of a TCP attempt that failed with `error`: connect(2), ip(7), netfilter's REJECT targets.
pub(super) fn connect_outcome(error: &io::Error) -> AddressOutcome {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => AddressOutcome::Refused,
        Some(Errno::ETIMEDOUT) => AddressOutcome::TimedOut,
        Some(
            Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::ENETDOWN
            | Errno::EHOSTDOWN
            // There is no source address of that family, or the kernel runs without IPv6. So there is no route either.
            | Errno::EADDRNOTAVAIL
            | Errno::EAFNOSUPPORT,
        ) => AddressOutcome::Unreachable,
        // For example EPERM and EACCES of a local firewall, which `errno` tells apart.
        _ => AddressOutcome::Failed,
    }
}
