//! Decides from the values of `HTTPS_PROXY` and `NO_PROXY` whether a request goes through a proxy. Pure.
//! `tunnel` opens the tunnel.

use super::endpoint::{Endpoint, Host, port_of};
use super::fault::Fault;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, uri::Authority};
use percent_encoding::percent_decode_str;
use std::{fmt, net::IpAddr};

/// The subject's proxy settings. An empty value counts as unset.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// `HTTPS_PROXY` or `https_proxy`: `[http://][user:password@]host[:port]`.
    pub https_proxy: Option<String>,
    /// `NO_PROXY` or `no_proxy`: the hosts that are reached without the proxy.
    pub no_proxy: Option<String>,
}

impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omit the URL, which may hold a password.
        formatter.debug_struct("Proxies").field("no_proxy", &self.no_proxy).finish_non_exhaustive()
    }
}

/// A proxy that tunnels with CONNECT. It has no `Debug`, because it may hold a password.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) host: Host,
    pub(super) port: u16,
    /// The value of `Proxy-Authorization`, marked sensitive.
    pub(super) authorization: Option<HeaderValue>,
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}:{}", self.host, self.port)
    }
}

impl Proxies {
    /// Settings without a proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// The proxy for `endpoint`; `None`: connect directly. Plain `http://` and loopback never use a proxy.
    ///
    /// # Errors
    /// `Unusable`: the proxy's URL cannot be parsed, or its scheme is not `http`.
    pub(super) fn for_endpoint(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, Fault> {
        let Some(url) = self.https_proxy.as_deref().map(str::trim).filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        if !endpoint.secure || is_loopback(&endpoint.host) {
            return Ok(None);
        }
        if bypasses(self.no_proxy.as_deref().unwrap_or_default(), &endpoint.host, endpoint.port) {
            return Ok(None);
        }
        parse(url).map(Some)
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Address(address) => address.to_canonical().is_loopback(),
        Host::Name(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn parse(url: &str) -> Result<Proxy, Fault> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if !scheme.eq_ignore_ascii_case("http") {
        // Quote only a known scheme: the text before `://` could be half of a password.
        let known = OTHER_SCHEMES.iter().find(|known| scheme.eq_ignore_ascii_case(known));
        let given =
            known.map_or_else(|| "not an `http://` URL".to_owned(), |known| format!("a `{known}://` URL"));
        let detail = format!("`HTTPS_PROXY` is {given}; credprobe can use `http://` proxies only");
        return Err(Fault::unusable(detail));
    }
    let (rest, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains('@') {
        // Otherwise the first half of the password would be taken for the host and shown.
        return Err(Fault::unusable(
            "`HTTPS_PROXY`: a `/`, `?` or `#` in the user info must be percent-encoded",
        ));
    }
    // Passwords often contain an unescaped `@`. Like in curl, the last one ends the user info.
    let (user_info, host) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
    let malformed = || Fault::unusable("`HTTPS_PROXY` is not a URL with a host and, optionally, a port");
    let authority = host.parse::<Authority>().map_err(|_| malformed())?;
    // RFC 9110 §4.2.1. Go and botocore use 80 too; curl would use 1080.
    let port = port_of(&authority, 80).ok_or_else(malformed)?;
    if authority.host().is_empty() {
        return Err(malformed());
    }
    let authorization = user_info.map(basic).transpose()?;
    Ok(Proxy { host: Host::parse(authority.host()), port, authorization })
}

/// The credentials of RFC 7617 §2, from the percent-encoded user info of a URL.
fn basic(user_info: &str) -> Result<HeaderValue, Fault> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut pair: Vec<u8> = percent_decode_str(user).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
        .map_err(|_| Fault::unusable("the user info of `HTTPS_PROXY` can't be used"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether an entry of `NO_PROXY` covers the host. There is no standard. This does what curl, Go and Python agree on. Where they
/// differ it does what curl does: with a leading dot, curl and Python include the domain itself, Go does not.
fn bypasses(no_proxy: &str, host: &Host, port: u16) -> bool {
    no_proxy.split([',', ' ', '\t']).any(|entry| covers(entry, host, port))
}

fn covers(entry: &str, host: &Host, port: u16) -> bool {
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    // An address or a range never covers a name, because names are not resolved to find out.
    if let Some((network, bits)) = entry.split_once('/') {
        return match (host, network.parse(), bits.parse()) {
            (Host::Address(address), Ok(network), Ok(bits)) => contains(network, bits, *address),
            _ => false,
        };
    }
    let (entry, entry_port) = split_port(entry);
    if entry_port.is_some_and(|entry_port| entry_port != port) {
        return false;
    }
    match (Host::parse(entry), host) {
        (Host::Address(entry), Host::Address(address)) => entry.to_canonical() == address.to_canonical(),
        (Host::Name(entry), Host::Name(name)) => {
            let entry = entry.strip_prefix('*').unwrap_or(&entry).trim_matches('.');
            let name = name.trim_end_matches('.');
            let before = name.strip_suffix(entry);
            !entry.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        }
        _ => false,
    }
}

/// Splits `host:port` or `[v6]:port`. A bare IPv6 address has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let split = entry.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    match split.map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, Some(port)),
        _ => (entry, None),
    }
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let same = |network: u128, address: u128, width: u32| {
        // /0 contains everything. A shift by the whole width would overflow.
        bits <= width && (bits == 0 || (network ^ address) >> (width - bits) == 0)
    };
    match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            same(u32::from(network).into(), u32::from(address).into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => same(network.into(), address.into(), 128),
        _ => false,
    }
}

/// Schemes that other tools accept for a proxy.
const OTHER_SCHEMES: [&str; 6] = ["https", "socks", "socks4", "socks4a", "socks5", "socks5h"];
