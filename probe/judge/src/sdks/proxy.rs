//! By which way an SDK reaches STS and the agent: whose proxy variables it reads, and how it reads `NO_PROXY`. Pure.
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

/// The way to `https://host`; `None`: not known.
#[must_use]
pub fn way<'e>(proxying: Proxying, environment: &'e Environment, host: &str) -> Option<Way<'e>> {
    match proxying {
        Proxying::Python => Some(python(environment, host)),
        Proxying::Go => Some(go(environment, ["HTTPS_PROXY", "https_proxy"], host)),
        Proxying::Never => Some(Way::Direct),
        // Without a proxy there is nothing to exclude from it.
        Proxying::Reads | Proxying::Unknown => {
            let set = ["HTTPS_PROXY", "https_proxy"].into_iter().any(|name| environment.get(name).is_some());
            (!set).then_some(Way::Direct)
        }
    }
}

/// The SDKs that send the agent's address, and with it the token, into a proxy.
#[must_use]
pub fn agent_proxied_by(environment: &Environment) -> Vec<&'static Sdk> {
    let uri = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").unwrap_or_default();
    let host = crate::settings::partition::host_of(uri).unwrap_or("169.254.170.23");
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let way = go(environment, ["HTTP_PROXY", "http_proxy"], host);
    let captured = matches!(way, Way::Proxy { .. }) && !uri.starts_with("https://");
    let reads = |sdk: &&Sdk| captured && sdk.container.proxy == AgentProxy::Environment;
    SDKS.iter().filter(reads).collect()
}

fn python<'e>(environment: &'e Environment, host: &str) -> Way<'e> {
    // The lower-case one wins; empty, it switches the other off.
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

fn go<'e>(environment: &'e Environment, names: [&'static str; 2], host: &str) -> Way<'e> {
    let named = names.into_iter().find_map(|name| Some((name, environment.get(name)?)));
    let Some((variable, url)) = named else { return Way::Direct };
    let no_proxy = environment.get("NO_PROXY").or_else(|| environment.get("no_proxy")).unwrap_or_default();
    let address = host.parse::<IpAddr>().ok();
    let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    if is_loopback || no_proxy.split(',').any(|entry| go_covers(entry, host, address)) {
        return Way::Direct;
    }
    Way::Proxy { variable, url }
}

/// Only the standard port is asked here, so that an entry with another one does not cover.
fn go_covers(entry: &str, host: &str, address: Option<IpAddr>) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let entry = entry.strip_suffix(":443").or_else(|| entry.strip_suffix(":80")).unwrap_or(&entry);
    if entry == "*" {
        return true;
    }
    if let Some(address) = address {
        return entry.parse() == Ok(address) || in_range(entry, address);
    }
    match entry.strip_prefix("*.").or_else(|| entry.strip_prefix('.')) {
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
    // A shift by the whole width would overflow: /0 holds everything.
    bits <= width && (bits == 0 || (network ^ address) >> (width - bits) == 0)
}
