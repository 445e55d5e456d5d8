//! What a pod sees of a scenario's files and of servers that are not AWS's: curl runs inside, over the real names and
//! addresses. The scenarios are written here, so that the files of `tests/scenarios` can change freely.

#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use std::{fs, process::Command};

use credprobe_sandbox::Scenario;
use serde_json::{Value, json};

/// The exit code for failures of the sandbox itself.
const SANDBOX_ERROR: i32 = 125;
const ISSUER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";

/// Output and record of a script in the pod; `None` where this machine cannot build it.
fn run(scenario: &Value, script: &str) -> Option<(String, Value)> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), scenario.to_string()).unwrap();
    run_named(&file.path().display().to_string(), script)
}

/// The same for a scenario's name or file.
fn run_named(scenario: &str, script: &str) -> Option<(String, Value)> {
    let record = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"))
        .arg(format!("--keys={}", env!("CARGO_TARGET_TMPDIR")))
        .arg(format!("--record={}", record.path().display()))
        .args([&format!("--scenario={scenario}"), "--pod=always", "--", "sh", "-c", script])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(SANDBOX_ERROR) {
        let why = stderr.trim();
        assert!(std::env::var_os("CI").is_none(), "CI must build the pod, and could not: {why}");
        say(&format!("NOT TESTED HERE: {why}"));
        return None;
    }
    assert!(output.status.success(), "{scenario}: {stderr}");
    let record = serde_json::from_str(&fs::read_to_string(record.path()).unwrap()).unwrap();
    Some((String::from_utf8(output.stdout).unwrap(), record))
}

#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// No other test runs them until the probe supports them.
#[test]
fn every_pending_scenario_can_be_built() {
    let pending =
        Scenario::all().unwrap().into_iter().filter(|case| case.scenario.expect.get("pending").is_some());
    let names: Vec<String> = pending.map(|case| case.name).collect();
    for name in &names {
        if run_named(name, "true").is_none() {
            return;
        }
    }
}

#[test]
fn files_lie_where_the_scenario_says_and_the_machine_keeps_nothing_of_them() {
    let files = json!({
        "/run/app/.aws/config": "[profile a]\naws_secret_access_key = kept-out\n",
        "/run/app/private": {"text": "x", "mode": "0600"},
        "/run/app/link": {"link": "/run/app/.aws/config"},
    });
    let scenario = json!({"files": files, "env": {"HOME": "/run/app"}});
    let script = r#"cat "$HOME/link"; stat -c "%a %n" /run/app/private /run/app/.aws/config"#;
    let Some((stdout, record)) = run(&scenario, script) else { return };
    let config = "[profile a]\naws_secret_access_key = kept-out\n";
    assert_eq!(stdout, format!("{config}600 /run/app/private\n644 /run/app/.aws/config\n"));
    assert!(record["secrets"].as_array().unwrap().contains(&json!("kept-out")));
    assert!(!std::path::Path::new("/run/app").exists());
}

#[test]
fn another_servers_answer_has_its_own_headers_and_nothing_of_sts() {
    let scenario = json!({
        "answer": {"status": 307, "headers": {"Location": "https://elsewhere.example/", "Server": "AmazonS3"}, "body": "<a/>"},
        "dns": {"s3.storage.example": {"cname": "sts.eu-west-1.amazonaws.com"}},
    });
    let ask = r#"curl -sS -i --cacert "$AWS_CA_BUNDLE" -d Action=AssumeRoleWithWebIdentity https://s3.storage.example/"#;
    let Some((stdout, record)) = run(&scenario, ask) else { return };
    assert!(stdout.starts_with("HTTP/1.1 307 "), "{stdout}");
    assert!(stdout.contains("location: https://elsewhere.example/\r\n"), "{stdout}");
    assert!(stdout.contains("server: AmazonS3\r\n") && stdout.ends_with("\r\n\r\n<a/>"), "{stdout}");
    assert!(!stdout.contains("x-amzn-requestid") && !stdout.contains("text/xml"), "{stdout}");
    assert_eq!(record["sts_requests"][0]["status"], 307);
    let own = json!({"answer": {"status": 403, "code": "AccessDenied", "message": "no"}});
    let ask = ask.replace("s3.storage.example", "sts.eu-west-1.amazonaws.com");
    let Some((stdout, _)) = run(&own, &ask) else { return };
    assert!(
        stdout.contains("x-amzn-requestid: c0ffee00-") && stdout.contains("content-type: text/xml"),
        "{stdout}"
    );
    assert!(stdout.contains("<Code>AccessDenied</Code>"), "{stdout}");
}

#[test]
fn issuers_documents_redirect_and_their_keys_are_those_that_sign() {
    let get = |path: &str| format!(r#"curl -sS -i --cacert "$AWS_CA_BUNDLE" {ISSUER}{path}"#);
    let moved = json!({"issuer": {"status": 301, "location": "https://elsewhere.example/"}});
    let Some((stdout, _)) = run(&moved, &get("/.well-known/openid-configuration")) else { return };
    assert!(
        stdout.starts_with("HTTP/1.1 301 ") && stdout.contains("location: https://elsewhere.example/\r\n"),
        "{stdout}"
    );
    assert!(stdout.contains("content-type: application/xml"), "{stdout}");
    let external = json!({"issuer": {"key": "es384"}});
    let script = format!("{}; echo; cat $AWS_WEB_IDENTITY_TOKEN_FILE", get("/keys"));
    let Some((stdout, _)) = run(&external, &script) else { return };
    assert!(stdout.contains(r#""crv":"P-384""#), "{stdout}");
    // {"alg":"ES384"
    assert!(stdout.lines().last().unwrap().starts_with("eyJhbGciOiJFUzM4NCIs"), "{stdout}");
}
