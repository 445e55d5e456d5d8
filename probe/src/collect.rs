//! Observes the world and keeps what it saw, raw. Draws no conclusions.
//! Only this folder and `transport` access the environment, files, the clock and the network.

mod access;
mod acl;
pub mod agent;
mod answer;
mod api_server;
mod ca_bundle;
mod cluster;
mod control_name;
pub mod credentials;
mod environment;
mod exchange;
mod files;
mod identity;
mod issuer;
mod mounts;
pub mod observer;
mod other_region;
pub mod process;
mod resolver_files;
mod root;
mod signature;
pub mod steps;
#[cfg(test)]
mod sts_rules;
pub mod subject;
pub mod target;
mod token;
mod token_file;
mod walk;

pub use api_server::{ApiServer, NoApiServer, api_server};
pub use ca_bundle::{names_roots, read_ca_bundle};
pub use cluster::cluster;
pub use control_name::control_name;
use credprobe_judge::evidence::Unseen;
pub(crate) use environment::CREDENTIALS;
pub use environment::environment;
pub use exchange::{Credentials, Request, exchange};
pub use files::{Files, MayRead, NAMED, Named, unreadable, with_rights_of};
pub use identity::identity;
pub use issuer::issuer;
pub use other_region::other_region;
pub(crate) use process::ids;
pub use process::process;
pub use resolver_files::resolver_config;
pub use root::Root;
pub use token::token;
pub use token_file::{OpenedTokenFile, open_token_file};

/// The parsers of `/proc`, only for the fuzzer.
#[cfg(fuzzing)]
pub(crate) fn proc_files(bytes: &[u8]) -> [(&'static str, bool); 3] {
    let (status, environ) = target::parsed(bytes);
    let text = String::from_utf8_lossy(bytes);
    let mount = mounts::find(&text, "/run/secrets/eks.amazonaws.com/serviceaccount/token");
    [("status", status), ("environ", environ), ("mountinfo", mount.is_some())]
}

/// The parser of profile files, only for the fuzzer.
#[cfg(fuzzing)]
pub(crate) use environment::of_files as profile_of_files;

/// Turns an observer's result into an option. An error is recorded in `unseen`, unless it says that nothing is there or that
/// rights are missing, which [`unreadable`] reports.
pub(crate) fn noted<T>(
    outcome: std::io::Result<T>,
    what: impl FnOnce() -> String,
    unseen: &mut Vec<Unseen>,
) -> Option<T> {
    match outcome {
        Ok(seen) => Some(seen),
        Err(error) => {
            let error = walk::errno_name(&error);
            if !matches!(error.as_str(), "ENOENT" | "ENOTDIR") && !files::RIGHTS.contains(&&*error) {
                unseen.push(Unseen { what: what(), error });
            }
            None
        }
    }
}

/// Whether the probe or the node has no descriptors or memory left.
pub(crate) fn is_starved(error: &std::io::Error) -> bool {
    matches!(walk::errno_name(error).as_str(), "EMFILE" | "ENFILE" | "ENOMEM" | "ENOBUFS")
}

/// Reads at most `limit` bytes of a regular file or a pipe.
pub(crate) fn bounded(file: std::fs::File, limit: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
