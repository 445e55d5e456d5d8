//! Where a request goes, parsed from its URL, and which addresses it may go to.
//! Resolves no names.

use super::fault::Fault;
use http::{
    Uri,
    uri::{Authority, Scheme},
};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Scheme, host and port of an absolute `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) secure: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// `host[:port]` as in the URL, without the scheme's default port. It is the value of the `Host` header (RFC 9112 §3.2)
    /// and exactly what the SDK signs.
    pub(super) authority: String,
}

/// A host in the form that is resolved and verified, without brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// A trailing dot means that no search list applies.
    Name(String),
}

impl Host {
    /// Parses `text` as in a URL: a name, an IPv4 address, or an IPv6 address in brackets.
    pub(super) fn parse(text: &str) -> Self {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        bare.parse().map_or_else(|_| Self::Name(bare.to_ascii_lowercase()), Self::Address)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
            Self::Address(address) => write!(formatter, "{address}"),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

impl Endpoint {
    /// # Errors
    /// `Unusable`: another scheme, no host, or user info (which would be a secret in a URL).
    pub(super) fn of(uri: &Uri) -> Result<Self, Fault> {
        let (secure, default_port) = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => (true, 443),
            Some(scheme) if *scheme == Scheme::HTTP => (false, 80),
            Some(scheme) => {
                let detail = format!("the URL's scheme is `{scheme}`; only `https` and `http` can be used");
                return Err(Fault::unusable(detail));
            }
            None => return Err(Fault::unusable("the URL has no `https://` or `http://`")),
        };
        let authority = uri.authority().filter(|authority| !authority.host().trim_matches('.').is_empty());
        let authority = authority.ok_or_else(|| Fault::unusable("the URL has no host"))?;
        if authority.as_str().contains('@') {
            return Err(Fault::unusable("the URL holds user info (`user@`), which is never sent"));
        }
        let port = port_of(authority, default_port)
            .ok_or_else(|| Fault::unusable("the URL's port is not between 1 and 65535"))?;
        let shown = if port == default_port { authority.host() } else { authority.as_str() };
        Ok(Self { secure, host: Host::parse(authority.host()), port, authority: shown.to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.authority)
    }
}

/// The port of `authority`, or `default` if it has none (RFC 3986 §3.2.3). `None`: the port is invalid.
///
/// Parsed by hand, because [`Authority::port`] reports a port that is too large as missing.
pub(super) fn port_of(authority: &Authority, default: u16) -> Option<u16> {
    let host_and_port = authority.as_str().rsplit('@').next()?;
    match host_and_port.strip_prefix(authority.host())?.strip_prefix(':').unwrap_or_default() {
        "" => Some(default),
        port => port.parse().ok().filter(|port| *port != 0),
    }
}

/// Which addresses a request may go to, whatever name led to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressPolicy {
    /// Any address. For what the subject's own settings name.
    #[default]
    Any,
    /// No link-local address and no metadata service. For a URL that the token names, not the subject.
    DenyMetadata,
    /// Like `DenyMetadata`, and also no address of this host.
    DenyLocal,
}

impl AddressPolicy {
    /// Why `address` is refused; `None`: it is allowed.
    pub(super) fn refusal(self, address: IpAddr) -> Option<&'static str> {
        let address = address.to_canonical();
        let local = match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        match self {
            Self::Any => None,
            Self::DenyLocal if address.is_loopback() || address.is_unspecified() => {
                Some("an address of this host")
            }
            Self::DenyMetadata | Self::DenyLocal if local || address == METADATA_V6 => {
                Some("a link-local or metadata address")
            }
            Self::DenyMetadata | Self::DenyLocal => None,
        }
    }
}

/// Whether plain HTTP to `address` stays on this node: loopback, or the Pod Identity agent.
pub(super) fn plain_http_is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || AGENT.contains(&address)
}

/// Where the EKS Pod Identity agent listens: link-local, on the pod's node, only HTTP.
const AGENT: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// The IPv6 address of the instance metadata service. Its IPv4 address is link-local.
const METADATA_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));
