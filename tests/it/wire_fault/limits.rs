//! The limits of a run, and the worst run.

use std::{fmt, time::Duration};

/// Allowed beyond `--timeout`: start, the files, the report.
const GRACE: Duration = Duration::from_millis(250);
/// The promised bound, whatever a peer sends.
const MEMORY_KIB: u64 = 8_000_000 / 1024;

/// The measurements of one run.
#[derive(Clone)]
pub(crate) struct Measured {
    pub(crate) cell: String,
    pub(crate) took: Duration,
    pub(crate) timeout: Duration,
    pub(crate) peak_kib: u64,
}

/// The worst of all runs.
#[derive(Default)]
pub(crate) struct Worst {
    latest: Option<Measured>,
    largest: Option<Measured>,
    runs: usize,
}

impl Measured {
    fn over(&self) -> Duration {
        self.took.saturating_sub(self.timeout)
    }

    pub(crate) fn is_late(&self) -> bool {
        self.over() > GRACE
    }

    /// A test build is larger before it does anything, so the limit is for the shipped binary.
    pub(crate) fn is_too_large(&self, shipped: bool) -> bool {
        shipped && self.peak_kib > MEMORY_KIB
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { took, timeout, peak_kib, .. } = self;
        write!(
            f,
            "{took:?} where {timeout:?} and {GRACE:?} are allowed, {peak_kib} KiB where {MEMORY_KIB} are"
        )
    }
}

impl Worst {
    pub(crate) fn add(&mut self, measured: Measured) {
        self.runs += 1;
        if self.largest.as_ref().is_none_or(|largest| largest.peak_kib < measured.peak_kib) {
            self.largest = Some(measured.clone());
        }
        if self.latest.as_ref().is_none_or(|latest| latest.over() < measured.over()) {
            self.latest = Some(measured);
        }
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(latest), Some(largest)) = (&self.latest, &self.largest) else {
            return f.write_str("nothing was run");
        };
        write!(
            f,
            "{} runs; the longest ended {:?} after its time-out ({}); the largest took {} KiB ({})",
            self.runs,
            latest.over(),
            latest.cell,
            largest.peak_kib,
            largest.cell
        )
    }
}
