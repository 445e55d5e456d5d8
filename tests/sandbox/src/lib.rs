//! Simulates AWS and Kubernetes: an issuer, an STS that really verifies, DNS, and a pod to run a command in.
//! For tests, demonstrations and experiments; the probe ships nothing of it.
//!
//! A situation is a [`Scenario`], which lists what differs from a healthy pod. The files of `tests/scenarios` hold them.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "in a test, that is the report"))]

mod access;
mod agent;
mod api_server;
mod capabilities;
mod cases;
mod clock;
mod command;
mod control;
mod dns;
mod eks;
mod error;
mod external_key;
mod in_cluster;
mod issuer;
mod jwt;
mod key;
mod launch;
mod list;
mod loopback;
mod pod;
mod policy;
#[cfg(test)]
mod policy_agreement;
mod record;
mod registry;
mod scenario;
mod serve;
mod session;
mod sts;
mod tls;
mod token_file;
mod world;

pub use cases::Case;
pub use command::main;
pub use error::{Error, Result};
pub use scenario::Scenario;
