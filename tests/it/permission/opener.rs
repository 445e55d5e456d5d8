//! Opens a file as another user, with programs that share no code with the probe.
//! Also prints past the test harness's capture, for what must be seen.

use credprobe_judge::evidence::Process;
use std::io::Write as _;
use std::process::Command;

/// An error is the operating system's name of it.
pub(crate) fn by_setpriv(path: &str, process: &Process) -> Result<(), String> {
    let groups: Vec<String> = process.groups.iter().map(u32::to_string).collect();
    let capabilities: String =
        process.capabilities.iter().map(|name| name.replace("CAP_", ",+").to_lowercase()).collect();
    let output = Command::new("setpriv")
        .args([format!("--reuid={}", process.uid), format!("--regid={}", process.gid)])
        .arg(if groups.is_empty() {
            "--clear-groups".to_owned()
        } else {
            format!("--groups={}", groups.join(","))
        })
        .args(["inh-caps", "ambient-caps", "bounding-set"].map(|set| format!("--{set}=-all{capabilities}")))
        .args(["cat", path])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) if output.stdout == b"token" => Ok(()),
        Some(1) if said.ends_with("Permission denied\n") => Err("EACCES".to_owned()),
        code => Err(format!("code {code:?}: {said}")),
    }
}

pub(crate) fn setpriv_is_there() -> Result<(), String> {
    let ran = Command::new("setpriv").arg("--version").output();
    ran.map(drop).map_err(|error| format!("setpriv (util-linux): {error}"))
}

/// Prints to stderr, even if the test passes.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "permissions: {line}");
}
