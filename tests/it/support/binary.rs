//! Where the programs under test are: the shipped files by variable, else what cargo built.
//! Building is the Makefile's job.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The shipped probe, where the caller names it.
pub(crate) fn shipped() -> Option<PathBuf> {
    named("CREDPROBE_BIN")
}

/// The probe under test.
pub(crate) fn probe() -> PathBuf {
    shipped().unwrap_or_else(|| env!("CARGO_BIN_EXE_credprobe").into())
}

pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)?;
    // Tests run in `probe/`; whoever sets the variable thinks of the workspace.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    Some(workspace.join(path))
}
