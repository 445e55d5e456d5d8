//! Reads the files that the C library's resolver would read.
//! `transport` parses them.

use crate::collect::subject::Subject;
use crate::transport::ResolverConfig;
use credprobe_judge::evidence::Unseen;
use std::sync::Arc;

/// The longest file that is read, in bytes. An `/etc/hosts` that blocks hosts has about a megabyte.
const LIMIT: u64 = 2 * 1024 * 1024;

/// Reads `/etc/hosts` and `/etc/resolv.conf`. Like for the C library, a missing file counts as empty.
#[must_use]
pub fn resolver_config(subject: &Subject, unseen: &mut Vec<Unseen>) -> Arc<ResolverConfig> {
    const FILES: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];
    let read = subject.with_rights(|files| FILES.map(|path| (path, files.read(path, LIMIT))));
    let [hosts, resolv_conf] = read.map(|(path, read)| {
        let bytes = super::noted(read, || path.to_owned(), unseen)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    });
    ResolverConfig::parse(hosts.as_deref(), resolv_conf.as_deref()).into()
}
