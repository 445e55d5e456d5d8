//! The options of `serve`: addresses, intervals, readiness, the condition's type.
//! `commands::cli` parses the flags.

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
    /// The limit for one attempt with all its phases.
    pub timeout: Duration,
    pub listen: Listen,
    /// A loopback address.
    pub admin_listen: SocketAddr,
    pub schedule: Schedule,
    pub readiness: Mode,
    /// How long refusals must last in [`Mode::Hold`] before the pod becomes unready.
    pub hold: Duration,
    pub gate: Option<ConditionType>,
    /// Whether to export `credprobe_class`.
    pub full_metrics: bool,
    pub tolerate: Tolerate,
    pub report_only: bool,
    pub output: Output,
    /// Written only if the file exists already, and only on a non-zero exit.
    pub termination_log: PathBuf,
    pub log_level: tracing::Level,
}

/// Where the public server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// `[::]` also accepts IPv4.
    pub address: SocketAddr,
    /// Not set by the user, so it may fall back to `0.0.0.0` on a machine without IPv6.
    pub by_default: bool,
}

/// The type of a pod condition, `DOMAIN/NAME` (a Kubernetes qualified name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionType(pub(crate) String);

impl ConditionType {
    /// As the pod's `readinessGates` names it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
