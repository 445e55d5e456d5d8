//! `serve` switched off, only reporting, without network, and with a port that is in use.

use super::{
    Told, must, say,
    server::{ADMIN, PUBLIC, Server, get, is_ready, until},
    world::{exchanges, rotate},
};
use serde_json::json;
use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

pub(super) fn ways(probe: &str) -> Told {
    port_in_use(probe, PUBLIC, "--listen: [::]:9809 cannot be listened on")?;
    port_in_use(probe, ADMIN, "--admin-listen: 127.0.0.1:9810 cannot be listened on")?;

    let mut off = Command::new(probe);
    let off = Server::start_with(off.arg("serve").env("CREDPROBE_DISABLED", "INC-1234 until Monday"))?;
    let answer = get(PUBLIC, "/readyz")?;
    must(answer.status == 200 && answer.body.contains("INC-1234 until Monday"), || answer.to_string())?;
    let metrics = get(PUBLIC, "/metrics")?;
    must(!metrics.body.contains("credprobe_ready"), || metrics.to_string())?;
    off.stop()?;
    must(exchanges()? == 0, || "switched off, nothing is sent".to_owned())?;
    // Wrong flags may be the reason why it was switched off.
    for flag in ["--listen=nowhere", "--readiness-gate=credprobe.dev/CredentialsUsable"] {
        let mut off = Command::new(probe);
        off.args(["serve", flag]).env("CREDPROBE_DISABLED", "INC-1234").env_remove("POD_UID");
        let off = Server::start_with(&mut off)?;
        let page = get(ADMIN, "/")?;
        must(is_ready()? && page.body.contains("<h1>switched off by"), || page.to_string())?;
        off.stop()?;
    }

    let local = Server::start(probe, &["--no-network", "--interval=50ms"])?;
    until("the local verdict is all", is_ready)?;
    local.stop()?;
    must(exchanges()? == 0, || "--no-network sends nothing".to_owned())?;

    rotate(json!({"token_file": {"missing": true}}))?;
    let only = Server::start(probe, &["--report-only", "--interval=50ms"])?;
    until("the class is told", || {
        Ok(get(PUBLIC, "/readyz")?.body.starts_with("token-file-missing 20, report only"))
    })?;
    must(is_ready()?, || "and the pod is ready".to_owned())?;
    only.stop()?;

    let tolerant = Server::start(probe, &["--tolerate=pod", "--readiness=strict", "--interval=50ms"])?;
    until("what is tolerated is ready", is_ready)?;
    tolerant.stop()?;
    let strict = Server::start(probe, &["--readiness=strict", "--interval=50ms"])?;
    until("a verdict", || Ok(get(PUBLIC, "/readyz")?.body.starts_with("token-file-missing 20")))?;
    must(!is_ready()?, || "otherwise it is not".to_owned())?;
    let status = Command::new(probe).arg("status").output().map_err(|error| error.to_string())?;
    must(status.status.code() == Some(20), || format!("status ends with {}", status.status))?;
    strict.stop()
}

fn port_in_use(probe: &str, at: &str, line: &str) -> Told {
    let _taken = TcpListener::bind(at).map_err(|error| error.to_string())?;
    let output = Command::new(probe).arg("serve").stdout(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    say(&said);
    must(output.status.code() == Some(2) && said.contains(line), || format!("{}: {said}", output.status))
}
