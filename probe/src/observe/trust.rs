//! Reads the certificates that the wire is to trust: the bundle instead of the compiled-in roots, the additions to them.
//! What is in them, the wire checks.
#![expect(clippy::disallowed_methods, reason = "an observer: the bundle of a flag is the probe's own file")]

use super::Files;
use crate::evidence::TrustProblem;
use crate::subject::Subject;
use crate::wire::{self, Trust};

/// The longest bundle that is read, in bytes: Mozilla's whole list as PEM has a quarter of a megabyte.
const BUNDLE_LIMIT: u64 = 4 * 1024 * 1024;

/// How many files of `SSL_CERT_DIR` are read, a bundle's length together: distributions have about 300, links included.
const FILES_LIMIT: usize = 1_000;

/// Whether its environment says which roots it trusts.
#[must_use]
pub fn names_roots(subject: &Subject) -> bool {
    ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| subject.text(name).is_some())
}

/// `flag` before `AWS_CA_BUNDLE`; `SSL_CERT_FILE` and `SSL_CERT_DIR` are added.
///
/// # Errors
/// The bundle cannot be read or holds no certificate. An addition that cannot be read adds nothing.
pub fn trust(subject: &Subject, flag: Option<&str>) -> Result<Trust, TrustProblem> {
    let by_flag = flag.map(|path| ("--ca-bundle", path));
    let bundle = by_flag.or_else(|| Some(("AWS_CA_BUNDLE", subject.text("AWS_CA_BUNDLE")?)));
    let bundle = match bundle {
        Some((source, path)) => {
            let label = format!("{source}={path}");
            let pem = if flag.is_some() { own(path) } else { subject.read(path, BUNDLE_LIMIT) };
            match pem {
                Ok(pem) => Some((label, pem)),
                Err(error) => {
                    return Err(TrustProblem { source: label, problem: error.to_string(), own: false });
                }
            }
        }
        None => None,
    };
    let additions = additions(subject);
    let bundle = bundle.as_ref().map(|(label, pem)| (label.as_str(), pem.as_slice()));
    let additions: Vec<(&str, &[u8])> =
        additions.iter().map(|(label, pem)| (label.as_str(), pem.as_slice())).collect();
    wire::trust(bundle, &additions).map_err(|problem| TrustProblem {
        source: problem.label,
        problem: problem.reason,
        own: false,
    })
}

fn additions(subject: &Subject) -> Vec<(String, Vec<u8>)> {
    if subject.text("SSL_CERT_FILE").or_else(|| subject.text("SSL_CERT_DIR")).is_none() {
        return Vec::new();
    }
    subject.with_rights(|files| additions_in(subject, files))
}

fn additions_in(subject: &Subject, files: &Files<'_>) -> Vec<(String, Vec<u8>)> {
    let file = subject
        .text("SSL_CERT_FILE")
        .and_then(|path| Some((format!("SSL_CERT_FILE={path}"), files.read(path, BUNDLE_LIMIT).ok()?)));
    let folders = subject.text("SSL_CERT_DIR").unwrap_or_default();
    let folders = folders.split(':').filter(|folder| !folder.is_empty()).filter_map(|folder| {
        let mut pem = Vec::new();
        for name in files.names(folder, FILES_LIMIT).unwrap_or_default() {
            let left = BUNDLE_LIMIT.saturating_sub(pem.len() as u64);
            pem.extend(files.read(&format!("{folder}/{name}"), left).unwrap_or_default());
            pem.push(b'\n');
        }
        (!pem.is_empty()).then(|| (format!("SSL_CERT_DIR={folder}"), pem))
    });
    file.into_iter().chain(folders).collect()
}

/// A FIFO in place of the file must not hold the probe up.
fn own(path: &str) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    crate::aside::looking_at(path);
    let mut options = std::fs::File::options();
    super::bounded(options.read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?, BUNDLE_LIMIT)
}
