//! Which way an SDK takes to STS and to the agent: the proxy variables that it reads, and how it reads `NO_PROXY`. Pure.
//! Sources: CPython `urllib.request` with botocore's `get_environ_proxies`, Go `x/net/http/httpproxy`.

use super::SDKS;
use super::sdk::{AgentProxy, Proxying, Sdk};
use crate::evidence::Environment;
use std::net::IpAddr;

/// The way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'e> {
    /// Without a proxy.
    Direct,
    /// The variable that names the proxy, and its value without user info.
    Proxy {
        /// The variable that names the proxy.
        variable: &'static str,
        /// Its value.
        url: &'e str,
    },
}

/// The way to `https://host`. `None`: not known.
#[must_use]
pub fn way<'e>(proxying: Proxying, environment: &'e Environment, host: &str) -> Option<Way<'e>> {
    let names: &[&str] = match proxying {
        Proxying::Never => return Some(Way::Direct),
        Proxying::Python => return Some(python(environment, host)),
        Proxying::Rust => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        Proxying::Curl => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        Proxying::Ruby => &["http_proxy", "HTTP_PROXY"],
        Proxying::Go | Proxying::Reads | Proxying::Unknown => &["HTTPS_PROXY", "https_proxy"],
    };
    let way = by_first(proxying, environment, names, host);
    // Without a proxy variable the way is direct. With one, it depends on `NO_PROXY`, whose rules are unknown.
    let is_known = match proxying {
        Proxying::Reads | Proxying::Unknown => {
            way == Way::Direct && !names.iter().any(|name| environment.get(name).is_some())
        }
        Proxying::Ruby => way == Way::Direct || no_proxy(environment).is_empty(),
        _ => true,
    };
    is_known.then_some(way)
}

/// The SDKs that send requests for the agent, and with them the token, to a proxy.
#[must_use]
pub fn agent_proxied_by(environment: &Environment) -> Vec<&'static Sdk> {
    SDKS.iter().filter(|sdk| matches!(agent_way(sdk, environment), Some(Way::Proxy { .. }))).collect()
}

/// The way to the agent. `None`: not known.
pub(super) fn agent_way<'e>(sdk: &Sdk, environment: &'e Environment) -> Option<Way<'e>> {
    let uri = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").unwrap_or_default();
    let host = crate::settings::partition::host_of(uri).unwrap_or("169.254.170.23");
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let names: &[&str] = match sdk.proxy {
        Proxying::Rust => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["HTTP_PROXY", "http_proxy"],
    };
    match sdk.container.proxy {
        AgentProxy::Environment if !uri.starts_with("https://") => {
            Some(by_first(sdk.proxy, environment, names, host))
        }
        AgentProxy::Environment | AgentProxy::Unknown => None,
        AgentProxy::Bypass => Some(Way::Direct),
    }
}

fn no_proxy(environment: &Environment) -> &str {
    environment.get("NO_PROXY").or_else(|| environment.get("no_proxy")).unwrap_or_default()
}

fn python<'e>(environment: &'e Environment, host: &str) -> Way<'e> {
    // The lower-case variable wins; if it is empty, it disables the other one.
    let either = |upper: &'static str, lower: &'static str| {
        let lower_set = environment.variables.get(lower).map(|value| (lower, value.as_str()));
        let found =
            lower_set.or_else(|| environment.variables.get(upper).map(|value| (upper, value.as_str())));
        found.filter(|(_, value)| !value.is_empty())
    };
    let Some((variable, url)) = either("HTTPS_PROXY", "https_proxy") else { return Way::Direct };
    let no_proxy = either("NO_PROXY", "no_proxy").map_or("", |(_, value)| value);
    let host = host.to_ascii_lowercase();
    let covers = |entry: &str| {
        let entry = entry.trim().trim_start_matches('.').to_ascii_lowercase();
        !entry.is_empty() && (host == entry || host.ends_with(&format!(".{entry}")))
    };
    if no_proxy == "*" || no_proxy.split(',').any(covers) {
        return Way::Direct;
    }
    Way::Proxy { variable, url }
}

/// The first of `names` that is set, unless `NO_PROXY` covers the host.
fn by_first<'e>(
    proxying: Proxying,
    environment: &'e Environment,
    names: &[&'static str],
    host: &str,
) -> Way<'e> {
    let named = names.iter().find_map(|name| Some((*name, environment.get(name)?)));
    let Some((variable, url)) = named else { return Way::Direct };
    let address = host.parse::<IpAddr>().ok();
    let is_go = matches!(proxying, Proxying::Go);
    let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let mut entries = no_proxy(environment).split(',');
    if (is_go && is_loopback) || entries.any(|entry| covers(is_go, entry, host, address)) {
        return Way::Direct;
    }
    Way::Proxy { variable, url }
}

/// Whether an entry of `NO_PROXY` covers the host. Requests use the standard port, so an entry with another port does not.
fn covers(is_go: bool, entry: &str, host: &str, address: Option<IpAddr>) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let without_port = entry.strip_suffix(":443").or_else(|| entry.strip_suffix(":80")).filter(|_| is_go);
    let entry = without_port.unwrap_or(&entry);
    if entry == "*" {
        return true;
    }
    if let Some(address) = address {
        return entry.parse() == Ok(address) || in_range(entry, address);
    }
    match entry.strip_prefix("*.").filter(|_| is_go).or_else(|| entry.strip_prefix('.')) {
        Some(domain) => !domain.is_empty() && host.ends_with(&format!(".{domain}")),
        None => !entry.is_empty() && (host == entry || host.ends_with(&format!(".{entry}"))),
    }
}

fn in_range(entry: &str, address: IpAddr) -> bool {
    let Some((network, bits)) = entry.split_once('/') else { return false };
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(u32::from(network)), u128::from(u32::from(address)), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (u128::from(network), u128::from(address), 128),
        _ => return false,
    };
    // /0 contains everything. A shift by the whole width would overflow.
    bits <= width && (bits == 0 || (network ^ address) >> (width - bits) == 0)
}
