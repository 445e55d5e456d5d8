//! The readiness gate: the pod's condition follows `/readyz`, and the API server's behaviour changes nothing else.

use super::{
    Told, must, say,
    server::{Server, is_ready, until},
    world::{conditions, forget, fresh, heal, kept_condition, revoke, rotate, transitions, turn},
};
use serde_json::json;
use std::{
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
};

const GATE: &str = "--readiness-gate=credprobe.dev/CredentialsUsable";
const POD_UID: &str = "5f1d3c62-8f0e-4f3c-a3f5-0f9c7c1b2d3e";

pub(super) fn follows(probe: &str) -> Told {
    without_the_pods_name(probe)?;
    let log = std::env::temp_dir().join(format!("credprobe-gate-{}", std::process::id()));
    let told = follows_with(probe, &log);
    say(&read(&log)?);
    let _ = std::fs::remove_file(&log);
    told.map_err(|why| format!("{why}; conditions {:?}", conditions()))
}

fn follows_with(probe: &str, log: &Path) -> Told {
    let stderr = std::fs::File::create(log).map_err(|error| error.to_string())?;
    let mut command = Command::new(probe);
    command.args(["serve", "--interval=50ms", GATE]).env("POD_UID", POD_UID).stderr(stderr);
    let server = Server::start_with(&mut command)?;
    let last = |status: &str, reason: &str| {
        let wanted = (status.to_owned(), reason.to_owned());
        until(&format!("the condition is {status}, {reason}"), || Ok(conditions()?.last() == Some(&wanted)))
    };
    last("True", "Ready")?;
    revoke()?;
    fresh()?;
    last("True", "AccessDenied")?;
    heal()?;
    fresh()?;
    last("True", "Ready")?;
    let patches = conditions()?.len();
    rotate(json!({"token_file": {"missing": true}}))?;
    last("False", "TokenFileMissing")?;
    fresh()?;
    last("True", "Ready")?;
    must(conditions()?.len() <= patches + 4, || format!("more patches than changes: {:?}", conditions()))?;

    for (scenario, told) in [
        (
            json!({"api_server": {"refuses_patch": 403}}),
            "lacks the RBAC rule {apiGroups: [\"\"], resources: [\"pods/status\"], verbs: [\"patch\"]} in namespace shop",
        ),
        (json!({"api_server": {"refuses_patch": 401}}), "does not accept the service account's token (401)"),
        (json!({"api_server": {"refuses_patch": 404}}), "there is no such pod (404)"),
        (json!({"api_server": {"refuses_patch": 409}}), "a pod of that name has another uid"),
        (json!({"api_server": {"refuses_patch": 500}}), "answers 500"),
        (json!({"api_server": {"away": true}}), "the API server cannot be asked"),
    ] {
        turn(scenario)?;
        rotate(json!({"token_file": {"missing": true}}))?;
        until("/readyz follows without it", || Ok(!is_ready()?))?;
        until(&format!("the log says: {told}"), || Ok(read(log)?.contains(told)))?;
        fresh()?;
        until("and back", is_ready)?;
        let lines = read(log)?.lines().filter(|line| line.contains(told)).count();
        must(lines == 1, || format!("it is told {lines} times: {told}"))?;
    }
    heal()?;
    rotate(json!({"token_file": {"missing": true}}))?;
    // A failed patch is retried only after a minute, so this waits for the change itself.
    until("the change is seen", || Ok(!is_ready()?))?;
    last("False", "TokenFileMissing")?;
    fresh()?;
    last("True", "Ready")?;
    let patches = transitions()?;
    must(patches.windows(2).all(|it| it[1].1 == (it[0].0 != it[1].0)), || {
        format!("the time of transition is that of another status: {patches:?}")
    })?;
    let log_text = read(log)?;
    must(log_text.contains("is set again"), || log_text.clone())?;
    server.stop()
}

/// `serve` does not watch the condition. It sends it again with the next exchange, even if nothing has changed.
pub(super) fn heals(probe: &str) -> Told {
    let mut command = Command::new(probe);
    command.args(["serve", "--interval=50ms", GATE]).env("POD_UID", POD_UID);
    let server = Server::start_with(&mut command)?;
    until("the condition is set", || Ok(kept_condition()?.is_some_and(|it| it["status"] == "True")))?;
    let set = kept_condition()?;
    forget()?;
    must(kept_condition()?.is_none(), || "it is removed".to_owned())?;
    fresh()?;
    until("it is sent again", || Ok(kept_condition()?.is_some()))?;
    let again = kept_condition()?;
    must(again.as_ref().map(|it| &it["status"]) == set.as_ref().map(|it| &it["status"]), || {
        format!("{set:?} {again:?}")
    })?;
    server.stop()
}

fn read(log: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(log).and_then(|mut file| file.read_to_string(&mut text));
    file.map(|_| text).map_err(|error| error.to_string())
}

fn without_the_pods_name(probe: &str) -> Told {
    let output =
        Command::new(probe).args(["serve", GATE]).env_remove("POD_UID").stdout(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    must(output.status.code() == Some(2) && said.contains("POD_UID") && said.contains("metadata.uid"), || {
        format!("without POD_UID: {} {said}", output.status)
    })
}
