//! The tests' own programs: the sandbox, and the small ones among the probe's examples.
//! The Makefile builds them.

use super::binary;
use std::path::{Path, PathBuf};

/// A program that `variable` names, or that is beside the probe or in this build's folder.
/// Cargo puts examples one folder below.
pub(crate) fn find(name: &str, variable: &str) -> Result<PathBuf, String> {
    let probe = binary::probe();
    let folders = [probe.as_path(), Path::new(env!("CARGO_BIN_EXE_credprobe"))].map(Path::parent);
    let places = folders
        .into_iter()
        .flatten()
        .flat_map(|folder| [folder.join(name), folder.join("examples").join(name)]);
    let found = binary::named(variable).into_iter().chain(places).find(|path| path.is_file());
    found.ok_or_else(|| format!("there is no `{name}` beside {}: run make test", probe.display()))
}
