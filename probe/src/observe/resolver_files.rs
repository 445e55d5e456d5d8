//! Reads what the C library's resolver would read.
//! What the lines mean, `wire` knows.

use crate::subject::Subject;
use crate::wire::ResolverConfig;
use std::sync::Arc;

/// The longest file that is read, in bytes; `/etc/hosts` lists of blocked hosts have about a megabyte.
const LIMIT: u64 = 2 * 1024 * 1024;

/// `/etc/hosts` and `/etc/resolv.conf`; a file that is not there counts as empty, as for the C library.
#[must_use]
pub fn resolver_config(subject: &Subject) -> Arc<ResolverConfig> {
    let [hosts, resolv_conf] = subject.with_rights(|files| {
        ["/etc/hosts", "/etc/resolv.conf"].map(|path| {
            files.read(path, LIMIT).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        })
    });
    ResolverConfig::parse(hosts.as_deref(), resolv_conf.as_deref()).into()
}
