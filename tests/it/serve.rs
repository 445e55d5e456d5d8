//! `credprobe serve` in the sandbox's pod, while token, IAM, STS and API server change around it.
//! Each test starts the sandbox with this same program as its command. It then runs in the pod and drives the probe.
#![expect(clippy::disallowed_methods, reason = "a test reads files and environment")]

mod serving;
mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serving::{IN_POD, SHIPPED, STORIES, drive, planted};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, ExitCode, Stdio},
};
use support::{binary, ci::in_ci, leak::Secrets, run::run, tool};

const SANDBOX_ERROR: i32 = 125;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(IN_POD) {
        let (story, probe) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        return match drive(&story, &probe) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                let _ = writeln!(std::io::stderr(), "{why}");
                ExitCode::FAILURE
            }
        };
    }
    let arguments = Arguments::from_args();
    let trials = STORIES.iter().map(|(name, _)| Trial::ignorable_test(*name, || tell(name)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Runs the story in a pod. Nothing that the probe printed may contain a secret.
fn tell(story: &str) -> Result<Completion, Failed> {
    let sandbox = tool::find("credprobe-sandbox", "CREDPROBE_SANDBOX_BIN")?;
    let record = tempfile::Builder::new().prefix("record-").tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
    let keys = tempfile::Builder::new().prefix("keys-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut command = Command::new(sandbox);
    command.args(["--scenario=api-server-there", "--pod=always", "--control"]);
    command.arg(format!("--record={}", record.path().display()));
    command.arg(format!("--keys={}", keys.path().display())).arg("--");
    // The pod's user may not enter the checkout.
    let folder = tempfile::Builder::new().prefix("credprobe-serve-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let probe = folder.path().join("credprobe");
    binary::place(&binary::probe(), &probe)?;
    let (plan, planted) = if story.contains("planted") { planted::plan() } else { Default::default() };
    fs::write(folder.path().join(planted::FILE), serde_json::to_string(&plan)?)?;
    command.arg(std::env::current_exe()?).args([IN_POD, story]).arg(probe);
    command.arg(if binary::shipped().is_some() { SHIPPED } else { "built for the test" });
    let ran = run(&mut command, Stdio::piped())?;
    if ran.code == SANDBOX_ERROR {
        return if in_ci() {
            Err(format!("CI must build the pod, and could not: {ran}").into())
        } else {
            Ok(Completion::ignored_with(format!("NOT TESTED HERE: {}", ran.stderr.trim())))
        };
    }
    let record: serde_json::Value = serde_json::from_str(&fs::read_to_string(record.path())?)?;
    let mut secrets = Secrets::default();
    for secret in planted {
        secrets.add(secret.as_bytes());
    }
    let listed = record["secrets"].as_array().ok_or("the record lists no secrets")?;
    for secret in listed.iter().filter_map(serde_json::Value::as_str) {
        secrets.add(secret.as_bytes());
    }
    for (place, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if let Some(leak) = secrets.find(text.as_bytes()) {
            return Err(format!("a secret is in {place}: {leak}").into());
        }
    }
    if ran.code != 0 || record["imds_connections"] != 0 {
        return Err(format!("{ran}").into());
    }
    // Figures for the reader of the log; the story checks the limits.
    for line in ran.stderr.lines().filter(|line| line.starts_with("measured: ")) {
        let _ = writeln!(std::io::stderr(), "{story}: {line}");
    }
    Ok(Completion::Completed)
}
