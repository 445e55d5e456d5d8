//! A healthy pod with the flags of the shipped manifests: its log has no warning, and the first line is the verdict.

use super::{
    Told, must, say,
    server::{Server, is_ready, until},
};
use std::process::{Command, Stdio};

/// native-sidecar.yaml has no flags for `serve`. These are the init container's; no manifest has others.
const INIT_CONTAINER: &str = include_str!("../../../manifests/init-container.yaml");

pub(super) fn starts(probe: &str) -> Told {
    let log = std::env::temp_dir().join(format!("credprobe-quiet-{}", std::process::id()));
    let stderr = std::fs::File::create(&log).map_err(|error| error.to_string())?;
    let server = Server::start_with(Command::new(probe).arg("serve").stderr(stderr))?;
    until("it is ready", is_ready)?;
    server.stop()?;
    let said = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
    let _ = std::fs::remove_file(&log);
    must(!said.contains("WARN") && !said.contains("ERROR"), || format!("serve: {said}"))?;

    let mut lines = INIT_CONTAINER.lines().map(str::trim).skip_while(|line| *line != "args:").skip(1);
    let args: Vec<&str> = std::iter::from_fn(|| lines.next()?.strip_prefix("- ")).collect();
    must(args.iter().any(|arg| arg.starts_with("--start-jitter")), || format!("{args:?}"))?;
    let output = Command::new(probe).args(&args).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    say(&err);
    must(err.is_empty() && out.starts_with("# ✓ ready 0:"), || format!("{args:?}: {err}{out}"))
}
