//! A failure as the place that met it knows it: kind, peer, errno and one line; and the names of errors of the system.
//! The phase is added by the record, which alone knows how far the request had come.

use credprobe_judge::evidence::{AddressOutcome, Failure, FailureKind, Phase};
use nix::errno::Errno;
use std::{io, net::SocketAddr};

/// What went wrong, without the phase.
#[derive(Debug)]
pub(super) struct Fault {
    kind: FailureKind,
    peer: Option<SocketAddr>,
    errno: Option<String>,
    detail: String,
}

impl Fault {
    /// `detail`: one line in plain words, with both sides where there are two, and nothing of request or answer.
    pub(super) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, peer: None, errno: None, detail: detail.into() }
    }

    /// A configuration or URL with which nothing can be done.
    pub(super) fn unusable(detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Unusable, detail)
    }

    /// A connection that died, with the system's name of the reason.
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

    /// The same event seen from the endpoint: its proxy could not be used.
    pub(super) fn at_proxy(mut self, proxy: &str) -> Self {
        // A setting that can't be used stays one, and running out of time is told by the phase.
        if !matches!(self.kind, FailureKind::Unusable | FailureKind::TimedOut) {
            self.kind = FailureKind::ProxyRefused;
        }
        self.detail = format!("proxy `{proxy}`: {}", self.detail);
        self
    }

    /// The evidence, now that the phase is known.
    pub(super) fn in_phase(self, phase: Phase) -> Failure {
        let Self { kind, peer, errno, detail } = self;
        Failure { phase, kind, peer, errno, detail }
    }
}

/// `ECONNREFUSED`, … as errno(3) names them; `None` when the error did not come from the system.
pub(super) fn errno_name(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(|number| match Errno::from_raw(number) {
        Errno::UnknownErrno => format!("errno {number}"),
        known => format!("{known:?}"),
    })
}

/// How a TCP attempt ended that the system ended with `error`: connect(2), ip(7), netfilter's REJECT targets.
pub(super) fn connect_outcome(error: &io::Error) -> AddressOutcome {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => AddressOutcome::Refused,
        Some(Errno::ETIMEDOUT) => AddressOutcome::TimedOut,
        Some(
            Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::ENETDOWN
            | Errno::EHOSTDOWN
            // No source address of that family, or a kernel booted without IPv6: for us there is no way either.
            | Errno::EADDRNOTAVAIL
            | Errno::EAFNOSUPPORT,
        ) => AddressOutcome::Unreachable,
        // EPERM and EACCES of a local firewall among them: `errno` tells.
        _ => AddressOutcome::Failed,
    }
}
