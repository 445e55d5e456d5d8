//! Reads what the C library's resolver would read.
#![expect(clippy::disallowed_methods, reason = "an observer: it reads files")]

use crate::wire::ResolverConfig;
use std::io::Read as _;

/// The longest file that is read, in bytes; `/etc/hosts` lists of blocked hosts have about a megabyte.
const LIMIT: u64 = 2 * 1024 * 1024;

/// `/etc/hosts` and `/etc/resolv.conf`; a file that is not there counts as empty, as for the C library.
#[must_use]
pub fn resolver_config() -> ResolverConfig {
    let hosts = read("/etc/hosts");
    let resolv_conf = read("/etc/resolv.conf");
    ResolverConfig::parse(hosts.as_deref(), resolv_conf.as_deref())
}

fn read(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LIMIT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
