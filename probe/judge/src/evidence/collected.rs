//! What one run hands over: the evidence, its clock, and the times of its stages.
//! Everything after it is a pure function of it.

use super::{Evidence, Timing};

/// What one run saw, and how long each stage took.
pub struct Collected {
    /// What was seen, without any secret.
    pub evidence: Evidence,
    /// Whether the process could be looked at.
    pub seen: bool,
    /// Seconds since the epoch.
    pub observed_at: i64,
    /// A stage each.
    pub timings: Vec<Timing>,
}
