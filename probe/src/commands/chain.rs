//! `credprobe chain`: which provider each SDK would pick here.

use super::Failure;
use super::cli::Chain;
use super::look::look;
use super::show::{data, json, unseen};
use crate::process::log;
use credprobe_judge::options::{Options, Output};
use credprobe_judge::sdks;

pub(super) fn run(asked: &Chain) -> Result<u8, Failure> {
    log::install(asked.log_level);
    let run = look(asked.whose.clone(), Options::default())?;
    if !run.seen {
        return unseen(run, asked.output);
    }
    let page = sdks::Page::new(&run.evidence.environment, &run.evidence.process, asked.sdk);
    match asked.output {
        Output::Text => data(sdks::text(&page).trim_end()),
        Output::Json => json(page.json_line().map_err(Failure::bug)?),
    }
}
