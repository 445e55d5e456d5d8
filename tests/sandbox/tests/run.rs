//! The binary as its callers see it: exit codes, one line on stderr, the environment, the record.
//! This is the same in a pod and on loopback. The probe's end-to-end tests cover what only a pod has.

#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use std::{
    fs,
    io::Read as _,
    process::{Command, Output},
};

use serde_json::Value;

fn sandbox(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"))
        .arg(format!("--keys={}", env!("CARGO_TARGET_TMPDIR")))
        .args(arguments)
        .env("LEAK", "from the caller")
        .output()
        .unwrap()
}

fn shell(scenario: &str, script: &str) -> Output {
    sandbox(&[&format!("--scenario={scenario}"), "--", "sh", "-c", script])
}

fn line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn the_commands_exit_code_is_the_sandboxs() {
    assert_eq!(shell("healthy", "exit 7").status.code(), Some(7));
    assert_eq!(shell("healthy", "kill -9 $$").status.code(), Some(137));
}

#[test]
fn usage_errors_are_2_and_the_sandboxs_own_125() {
    for arguments in [&["--scenario=nope", "--", "true"][..], &["--scenario=healthy"], &["--bogus"], &[]] {
        let output = sandbox(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        line(&output);
    }
    let output = sandbox(&["--scenario=healthy", "--", "no-such-command"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(line(&output).contains("no-such-command"));
    let output = sandbox(&["--scenario=dns-failed", "--pod=never", "--", "true"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(line(&output).contains("needs pod mode"));
}

#[test]
fn a_mistyped_scenario_is_recognised() {
    let output = sandbox(&["--scenario=helathy", "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(line(&output).contains("did you mean `healthy`?"));
    let output = sandbox(&["--list=helathy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(line(&output).contains("did you mean `healthy`?"));
}

#[test]
fn the_list_is_a_line_a_scenario_and_can_be_filtered() {
    let list = |arguments: &[&str]| String::from_utf8(sandbox(arguments).stdout).unwrap();
    let all = list(&["--list"]);
    let names: Vec<&str> = all.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"healthy") && names.len() == all.lines().count(), "{all}");
    assert!(names.is_sorted());
    let some = list(&["--list=ACCESS-denied"]);
    assert!(some.lines().count() > 1 && some.lines().count() < names.len() / 2, "{some}");
    assert!(some.lines().all(|line| all.contains(line.split_whitespace().next().unwrap())));
}

#[test]
fn on_a_terminal_the_list_has_groups() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"));
    let mut child = command.arg("--list=proxy").stdout(pty.slave).spawn().unwrap();
    drop(command);
    let mut text = Vec::new();
    // Reading past the end of a pseudo-terminal is an error (EIO); everything was read before.
    let _ = fs::File::from(pty.master).read_to_end(&mut text);
    child.wait().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("proxy:\r\n  "), "{text}");
}

#[test]
fn the_folder_of_keys_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("not/there/yet");
    let mut command = Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"));
    command.arg(format!("--keys={}", keys.display())).args(["--scenario=healthy", "--", "true"]);
    assert_eq!(command.status().unwrap().code(), Some(0));
    assert!(fs::read_dir(keys).unwrap().count() > 0);
}

#[test]
fn the_environment_is_the_pods_and_nothing_of_the_callers() {
    let text = String::from_utf8(shell("not-injected", "env").stdout).unwrap();
    assert!(text.contains("AWS_REGION=eu-west-1\n"), "{text}");
    assert!(!text.contains("AWS_ROLE_ARN") && !text.contains("LEAK"), "{text}");
}

#[test]
fn the_token_can_be_read_where_there_is_one() {
    let output = shell("healthy", "cat $AWS_WEB_IDENTITY_TOKEN_FILE");
    assert_eq!(String::from_utf8(output.stdout).unwrap().split('.').count(), 3);
    assert!(!shell("token-file-missing", "test -e $AWS_WEB_IDENTITY_TOKEN_FILE").status.success());
}

#[test]
fn the_record_has_the_secrets_and_the_termination_log() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let record = format!("--record={}", file.path().display());
    let script = "cat $AWS_WEB_IDENTITY_TOKEN_FILE; printf said > $CREDPROBE_TERMINATION_LOG";
    let output = sandbox(&["--scenario=healthy", &record, "--", "sh", "-c", script]);
    let record: Value = serde_json::from_str(&fs::read_to_string(file.path()).unwrap()).unwrap();
    let token = String::from_utf8(output.stdout).unwrap();
    assert_eq!(record["secrets"][0].as_str(), Some(token.as_str()));
    assert_eq!(record["secrets"][1].as_str(), token.rsplit('.').next());
    assert_eq!(record["termination_log"], "said");
    assert_eq!(record["sts_requests"], serde_json::json!([]));
}

/// Runs this test's own binary inside, which connects as any client would.
#[test]
fn where_nobody_listens_a_connection_is_refused() {
    let myself = std::env::current_exe().unwrap();
    for mode in ["--pod=auto", "--pod=never"] {
        let client = [myself.to_str().unwrap(), "--ignored", "--exact", "a_client_is_refused"];
        let output = sandbox(&[&["--scenario=sts-unreachable", mode, "--"], &client[..]].concat());
        assert!(output.status.success(), "{mode}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{mode}");
    }
}

#[test]
#[ignore = "runs inside the sandbox, started by another test"]
fn a_client_is_refused() {
    let endpoint = std::env::var("AWS_ENDPOINT_URL_STS");
    let endpoint = endpoint.unwrap_or_else(|_| "https://sts.eu-west-1.amazonaws.com:443".into());
    let address = endpoint.trim_start_matches("https://");
    let error = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
