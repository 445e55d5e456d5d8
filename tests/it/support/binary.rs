//! Where the programs under test are: the shipped files if variables name them, else what cargo built; and copies of them.
//! The Makefile builds them.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The shipped probe, if the caller names it.
pub(crate) fn shipped() -> Option<PathBuf> {
    named("CREDPROBE_BIN")
}

/// The probe under test.
pub(crate) fn probe() -> PathBuf {
    shipped().unwrap_or_else(|| env!("CARGO_BIN_EXE_credprobe").into())
}

pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)?;
    // Tests run in `probe/`, but whoever sets the variable thinks of the workspace.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    Some(workspace.join(path))
}

/// Makes a copy that can be started at once. Another process writes the copy. If this one did, a test that starts a program at
/// that moment would inherit the open file, and the kernel does not run a file that is open for writing (ETXTBSY, execve(2)).
pub(crate) fn place(file: &Path, at: &Path) -> Result<(), String> {
    let copied = Command::new("cp").arg("--").args([file, at]).output();
    let copied = copied.map_err(|error| format!("cp does not start: {error}"))?;
    if copied.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&copied.stderr).into_owned()) }
}
