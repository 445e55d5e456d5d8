//! `credprobe explain`: what a class means.

use super::Failure;
use super::show::{data, json};
use credprobe_judge::catalog::explain;
use credprobe_judge::options::Output;

pub(super) fn run(argument: Option<&str>, output: Output) -> Result<u8, Failure> {
    let usage = |problem: String| Failure::usage(&problem);
    match output {
        Output::Text => data(explain::explain(argument).map_err(usage)?.trim_end()),
        Output::Json => json(explain::explain_json(argument).map_err(usage)?.to_string()),
    }
}
