//! `credprobe-sandbox sts`: STS without a command, as a cluster's pods and the tests' driver use it.

#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const WORLD: &str = r#"{"issuer": {"url": "https://kubernetes.default.svc"}}"#;
const PATIENCE: Duration = Duration::from_secs(10);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn sts(folder: &Path, listen: u16, control: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"));
    command.current_dir(folder).arg("sts").arg(format!("--listen=127.0.0.1:{listen}"));
    command.arg(format!("--control=127.0.0.1:{control}")).args(["--world=world", "--keys=keys"]);
    command
}

fn curl(arguments: &[&str]) -> Output {
    Command::new("curl")
        .args(["--silent", "--fail-with-body", "--max-time", "5"])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Killed when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_serves_every_name_by_an_authority_that_it_hands_out_until_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world"), WORLD).unwrap();
    fs::write(folder.path().join("keys"), r#"{"keys": []}"#).unwrap();
    let (listen, control) = (free_port(), free_port());
    let mut running = Running(sts(folder.path(), listen, control).spawn().unwrap());
    let at = |path: &str| format!("http://127.0.0.1:{control}/{path}");
    let start = Instant::now();
    let ca = loop {
        let ca = curl(&[&at("ca")]);
        if ca.status.success() {
            break ca.stdout;
        }
        assert!(start.elapsed() < PATIENCE, "nobody answers at the control's port");
        std::thread::sleep(Duration::from_millis(50));
    };
    let file = folder.path().join("ca");
    fs::write(&file, ca).unwrap();
    for host in ["sts.eu-west-1.amazonaws.com", "sts.us-east-2.amazonaws.com"] {
        let resolve = format!("{host}:{listen}:127.0.0.1");
        let url = format!("https://{host}:{listen}/?Action=GetCallerIdentity&Version=2011-06-15");
        let answer = curl(&["--cacert", file.to_str().unwrap(), "--resolve", &resolve, &url]);
        assert!(text(&answer).contains("MissingAuthenticationToken"), "{answer:?}");
    }
    assert!(text(&curl(&[&at("record")])).contains(r#""host": "sts.us-east-2.amazonaws.com""#));
    assert!(curl(&["--data", WORLD, &at("world")]).status.success());
    assert!(!curl(&["--data", r#"{"bogus": 1}"#, &at("world")]).status.success());
    // The cluster's kubelet makes the tokens, so they cannot be changed here.
    assert!(!curl(&["--data", "{}", &at("token")]).status.success());

    kill(Pid::from_raw(running.0.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn what_it_cannot_read_ends_it_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (world, keys, complaint) in [(WORLD, "no keys", "keys"), (r#"{"bogus": 1}"#, "{}", "world")] {
        fs::write(folder.path().join("world"), world).unwrap();
        fs::write(folder.path().join("keys"), keys).unwrap();
        let output = sts(folder.path(), 0, 0).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(125), 1), "{said}");
        assert!(said.contains(complaint), "{said}");
    }
}
