//! Compares two independent evaluators of aws-auth and access entries: the sandbox's, which decides whom its API server knows,
//! and `credprobe access`. The sandbox draws the cases, the same in each run.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and environment; in a test, unwrap is the report"
)]

mod support;

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};
use support::{
    binary,
    run::{Ran, run},
    tool,
};

/// One case of this many is evaluated; `CREDPROBE_ACCESS_CASES=all` evaluates each.
const SAMPLED: usize = 10;
/// This many disagreements are printed in full.
const TOLD: usize = 5;
const MAPPED: i32 = 0;
const NOT_MAPPED: i32 = 90;

#[test]
fn both_evaluators_of_access_agree() {
    let sandbox = tool::find("credprobe-sandbox", "CREDPROBE_SANDBOX_BIN").unwrap();
    let cases = run(Command::new(sandbox).env_clear().arg("access-cases"), Stdio::piped()).unwrap();
    assert_eq!((cases.code, cases.stdout.lines().count()), (0, 2_000), "{}", cases.stderr);
    let step =
        if std::env::var("CREDPROBE_ACCESS_CASES").is_ok_and(|which| which == "all") { 1 } else { SAMPLED };
    let folder = tempfile::tempdir().unwrap();
    let (mut mapped, mut told, mut by_note) = (0, Vec::new(), BTreeMap::<String, usize>::new());
    for line in cases.stdout.lines().step_by(step) {
        let case: Value = serde_json::from_str(line).unwrap();
        mapped += usize::from(!case["expected"].is_null());
        let ran = evaluated(&case, folder.path());
        if let Err(why) = agrees(&case, &ran) {
            for note in case["notes"].as_array().unwrap() {
                *by_note.entry(note.to_string()).or_default() += 1;
            }
            told.push(format!("case {}: {why}\n{}{ran}", case["case"], texts(&case)));
        }
    }
    assert!(mapped > 50, "{mapped} cases are mapped, too few to say anything");
    let several = told.iter().take(TOLD).cloned().collect::<String>();
    assert!(told.is_empty(), "{several}\n{} disagree; what is odd about them: {by_note:#?}", told.len());
}

fn evaluated(case: &Value, folder: &Path) -> Ran {
    let mut command = Command::new(binary::probe());
    command.env_clear().arg("access").arg("--output=json");
    command.arg(format!("--principal={}", case["principal"].as_str().unwrap()));
    for (key, flag) in [("aws_auth", "--aws-auth"), ("access_entries", "--access-entries")] {
        if let Some(text) = case[key].as_str() {
            let file = folder.join(key);
            fs::write(&file, text).unwrap();
            command.arg(format!("{flag}={}", file.display()));
        }
    }
    run(&mut command, Stdio::piped()).unwrap()
}

fn agrees(case: &Value, ran: &Ran) -> Result<(), String> {
    let expected = &case["expected"];
    let code = if expected.is_null() { NOT_MAPPED } else { MAPPED };
    if ran.code != code {
        return Err(format!("exit code {} where {code} is expected", ran.code));
    }
    let answer: Value = serde_json::from_str(&ran.stdout).map_err(|error| format!("no JSON: {error}"))?;
    let same = |name: &str, wanted: &Value| match &answer[name] {
        value if value == wanted => Ok(()),
        value => Err(format!("{name} is {value} where {wanted} is expected")),
    };
    same("schema", &"credprobe/access/v1".into())?;
    same("mapped", &(!expected.is_null()).into())?;
    if expected.is_null() {
        return Ok(());
    }
    same("username", &expected["username"])?;
    same("groups", &expected["groups"])
}

fn texts(case: &Value) -> String {
    let mut text = format!("odd: {}\nprincipal: {}\n", case["notes"], case["principal"]);
    for key in ["aws_auth", "access_entries"] {
        if let Some(file) = case[key].as_str() {
            let _ = writeln!(text, "{key}:\n{file}");
        }
    }
    let _ = writeln!(text, "expected: {}", case["expected"]);
    text
}
