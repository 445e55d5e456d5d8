//! `credprobe explain`: what a class means.

use super::Failure;
use crate::process::output::print;
use credprobe_judge::catalog::explain;
use credprobe_judge::options::Output;

pub(super) fn run(argument: Option<&str>, output: Output) -> Result<u8, Failure> {
    let text = match output {
        Output::Text => explain::explain(argument),
        Output::Json => explain::explain_json(argument).map(|json| format!("{json:#}")),
    };
    print(text.map_err(|problem| Failure::usage(&problem))?.trim_end());
    Ok(0)
}
