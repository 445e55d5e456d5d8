//! Files with the output that somebody last approved.
//! `CREDPROBE_WRITE_SNAPSHOTS=1` rewrites them; the diff is then reviewed.

use similar::TextDiff;
use std::{env, fs, path::Path};

/// Compares with the file, or writes it if that is asked for.
pub(crate) fn check(path: &Path, actual: &str) -> Result<(), String> {
    if env::var_os("CREDPROBE_WRITE_SNAPSHOTS").is_some_and(|value| value == "1") {
        return fs::write(path, actual)
            .map_err(|error| format!("failed to write {}: {error}", path.display()));
    }
    let expected = fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}; CREDPROBE_WRITE_SNAPSHOTS=1 writes it", path.display()))?;
    if expected == actual {
        return Ok(());
    }
    let diff = TextDiff::from_lines(&expected, actual);
    let diff = diff.unified_diff().context_radius(1).header("expected", "actual").to_string();
    Err(format!("not what {} says (CREDPROBE_WRITE_SNAPSHOTS=1 rewrites it):\n{diff}", path.display()))
}
