//! `credprobe judge`: a saved report judged again.

use super::Failure;
use super::input::read;
use super::show::show;
use credprobe_judge::options::Output;
use credprobe_judge::report::rejudge::rejudge;
use std::path::Path;

/// The largest report that is read: real ones have 20 kB.
const LIMIT: u64 = 4 * 1024 * 1024;

pub(super) fn run(path: &Path, output: Output) -> Result<u8, Failure> {
    let usage = |problem: &dyn std::fmt::Display| Failure::usage(&format!("{}: {problem}", path.display()));
    // One byte more shows that it is too long.
    let document = read(path, LIMIT + 1).map_err(|error| usage(&error))?;
    if document.len() as u64 > LIMIT {
        return Err(usage(&format!("over {LIMIT} bytes, no report")));
    }
    let report = rejudge(&document).map_err(|problem| usage(&problem))?;
    show(&report, output)
}
