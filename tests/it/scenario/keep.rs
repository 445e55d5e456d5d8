//! Keeps every report of a run if `CREDPROBE_KEEP_REPORTS` names a folder. tests/python/reports reads them all, and
//! `tests/it/compare_reports.py` compares two such folders.

use credprobe_judge::report::{rejudge, termination};
use libtest_mimic::Failed;
use std::{env, fs, path::Path};

pub(super) fn keep(name: &str, json: &str, text: &str) -> Result<(), Failed> {
    let Some(folder) = env::var_os("CREDPROBE_KEEP_REPORTS") else { return Ok(()) };
    let folder = Path::new(&folder);
    fs::write(folder.join(format!("{name}.json")), json)?;
    fs::write(folder.join(format!("{name}.txt")), super::filter::stable(text)?)?;
    let report = rejudge::rejudge(json.as_bytes())?;
    fs::write(folder.join(format!("{name}.termination")), termination::lines(&report))?;
    Ok(())
}
