//! The sandbox's control, as seen from the pod: changes the world while the probe runs, and reads what the servers have seen.
//! The words are those of a scenario.

use super::{Told, server::ask};
use serde_json::{Value, json};

fn control(method: &str, path: &str, body: &Value) -> Result<String, String> {
    let at = std::env::var("CREDPROBE_SANDBOX_CONTROL").map_err(|error| error.to_string())?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    // The record lists every secret, so it is not printed.
    let answer = if path == "/record" { quietly(&at, &request)? } else { ask(&at, &request)?.body };
    Ok(answer)
}

fn quietly(at: &str, request: &str) -> Result<String, String> {
    use std::io::{Read as _, Write as _};
    let mut stream = super::server::connect(at)?;
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// From now on IAM, STS and API server are as this scenario describes them.
pub(super) fn turn(scenario: Value) -> Told {
    let said = control("POST", "/world", &scenario)?;
    super::must(said.is_empty(), || said)
}

/// Restores everything.
pub(super) fn heal() -> Told {
    turn(json!({"api_server": {}}))
}

/// The role's trust policy names another service account.
pub(super) fn revoke() -> Told {
    let cases: Value = serde_json::from_str(include_str!("../../scenarios/trust-policy.json"))
        .map_err(|error| error.to_string())?;
    turn(json!({"api_server": {}, "accounts": cases["access-denied"]["accounts"]}))
}

/// The kubelet swaps `..data`.
pub(super) fn rotate(what: Value) -> Told {
    let said = control("POST", "/token", &what)?;
    super::must(said.is_empty(), || said)
}

/// A fresh and healthy token.
pub(super) fn fresh() -> Told {
    rotate(json!({"token": {"age_seconds": 0}}))
}

pub(super) fn record() -> Result<Value, String> {
    let text = control("GET", "/record", &Value::Null)?;
    serde_json::from_str(&text).map_err(|error| format!("the record: {error}"))
}

/// How many exchanges STS has seen.
pub(super) fn exchanges() -> Result<usize, String> {
    let record = record()?;
    let requests = record["sts_requests"].as_array().ok_or("no requests in the record")?;
    Ok(requests.iter().filter(|request| request["action"] == "AssumeRoleWithWebIdentity").count())
}

/// The status of each patch of the pod's condition, in order, and whether it has a time of transition.
pub(super) fn transitions() -> Result<Vec<(String, bool)>, String> {
    let record = record()?;
    let conditions = record["conditions"].as_array().ok_or("no conditions in the record")?;
    let status = |it: &Value| it["status"].as_str().unwrap_or_default().to_owned();
    Ok(conditions.iter().map(|it| (status(it), it["lastTransitionTime"].is_string())).collect())
}

/// The pod's condition, if it has one.
pub(super) fn kept_condition() -> Result<Option<Value>, String> {
    let record = record()?;
    Ok(Some(record["condition"].clone()).filter(|condition| !condition.is_null()))
}

/// Removes the pod's condition, as somebody else might.
pub(super) fn forget() -> Told {
    let said = control("DELETE", "/condition", &Value::Null)?;
    super::must(said.is_empty(), || said)
}

/// Status and reason of each patch of the pod's condition, in order.
pub(super) fn conditions() -> Result<Vec<(String, String)>, String> {
    let record = record()?;
    let conditions = record["conditions"].as_array().ok_or("no conditions in the record")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(conditions.iter().map(|it| (text(&it["status"]), text(&it["reason"]))).collect())
}
