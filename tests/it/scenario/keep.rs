//! Keeps every report of a run where `CREDPROBE_KEEP_REPORTS` names a folder, so that two commits can be compared.
//! `tests/it/compare_reports.py` compares two such folders.

use libtest_mimic::Failed;
use std::{env, fs, path::Path};

pub(super) fn keep(name: &str, json: &str, text: &str) -> Result<(), Failed> {
    let Some(folder) = env::var_os("CREDPROBE_KEEP_REPORTS") else { return Ok(()) };
    let folder = Path::new(&folder);
    fs::write(folder.join(format!("{name}.json")), json)?;
    fs::write(folder.join(format!("{name}.txt")), super::filter::stable(text)?)?;
    Ok(())
}
