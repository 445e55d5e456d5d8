//! The result of one run: the evidence, its clock, and the times of its stages.
//! Everything that follows is a pure function of it.

use super::{Evidence, Timing};

/// What one run observed, and how long each stage took.
pub struct Collected {
    /// What was observed, without any secret.
    pub evidence: Evidence,
    /// Whether the process could be observed.
    pub seen: bool,
    /// The time of the run, in seconds since the epoch.
    pub observed_at: i64,
    /// One for each stage.
    pub timings: Vec<Timing>,
}
