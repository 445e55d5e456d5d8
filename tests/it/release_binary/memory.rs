//! How much memory a healthy verdict takes at its peak: DNS, TLS, both calls.
//! A small parent measures it, because the kernel also counts what a child had of its parent before it became the probe.

use crate::support::{run, tool};
use libtest_mimic::Failed;
use std::{
    path::Path,
    process::{Command, Stdio},
};

const LIMIT_KIB: u64 = 6_000_000 / 1024;
const SANDBOX_ERROR: i32 = 125;

pub(crate) fn healthy(file: &Path) -> Result<Result<(), String>, Failed> {
    let sandbox = tool::find("credprobe-sandbox", "CREDPROBE_SANDBOX_BIN")?;
    let peak = tool::find("peak", "CREDPROBE_PEAK_BIN")?;
    let mut command = Command::new(sandbox);
    command.args(["--scenario=healthy", "--pod=always", "--"]);
    command.arg(peak).arg(file).arg("check");
    let ran = run::run(&mut command, Stdio::piped())?;
    if ran.code == SANDBOX_ERROR {
        return Ok(Err(ran.stderr.trim().to_owned()));
    }
    let said = ran.stderr.trim().strip_prefix("peak ").and_then(|rest| rest.split_once(" KiB"));
    let peak: u64 = said.ok_or_else(|| format!("no peak: {ran}"))?.0.parse()?;
    if ran.code == 0 && ran.stdout.starts_with("# ✓ ready 0: ") && peak <= LIMIT_KIB {
        return Ok(Ok(()));
    }
    Err(format!("ready and at most {LIMIT_KIB} KiB are expected\n{ran}").into())
}
