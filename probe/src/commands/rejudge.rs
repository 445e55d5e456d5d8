//! `credprobe judge`: judges a saved report again.

use super::Failure;
use super::input;
use super::show::show;
use credprobe_judge::options::Output;
use credprobe_judge::report::rejudge::rejudge;
use std::path::Path;

pub(super) fn run(path: &Path, output: Output) -> Result<u8, Failure> {
    let usage = |problem: String| Failure::usage(&format!("{}: {problem}", path.display()));
    let document = input::report(path).map_err(usage)?;
    show(&rejudge(&document).map_err(usage)?, output)
}
