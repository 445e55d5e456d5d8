//! What `serve` is asked for: addresses, intervals, readiness, the condition's type.
//! The flags are parsed in `commands::cli`.

use super::readiness::Mode;
use super::schedule::Schedule;
use credprobe_judge::options::{Options, Output};
use credprobe_judge::verdict::Tolerate;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// `credprobe serve`.
pub struct Serve {
    pub settings: Options,
    /// One attempt, all phases together.
    pub timeout: Duration,
    pub listen: Listen,
    /// Loopback.
    pub admin_listen: SocketAddr,
    pub schedule: Schedule,
    pub readiness: Mode,
    /// How long refusals must last in [`Mode::Hold`].
    pub hold: Duration,
    pub gate: Option<ConditionType>,
    /// `credprobe_class` too.
    pub full_metrics: bool,
    pub tolerate: Tolerate,
    pub report_only: bool,
    pub output: Output,
    /// Written only where the file exists already, and only on a non-zero exit.
    pub termination_log: PathBuf,
    pub log_level: tracing::Level,
}

/// Where the public server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// `[::]` takes IPv4 too.
    pub address: SocketAddr,
    /// Nobody named it: on a machine without IPv6 it becomes `0.0.0.0`.
    pub by_default: bool,
}

/// The type of a pod's condition, `DOMAIN/NAME` (Kubernetes qualified name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionType(pub(crate) String);

impl ConditionType {
    /// As in the pod's `readinessGates`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
