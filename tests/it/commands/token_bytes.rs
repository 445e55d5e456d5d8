//! A token file may contain anything: the probe gives a verdict of a known class at once, and prints nothing of the file.
//! First come hand-picked files, then pieces of a token in random order; a failure prints how to replay it.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{
    binary,
    leak::Secrets,
    run::{Ran, run},
    token::{ROLE, TOKEN},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::{
    prelude::{Just, Strategy, any, prop_oneof},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

/// For one local verdict of a debug build on a busy machine.
const LIMIT: Duration = Duration::from_secs(1);
const RANDOM_FILES: usize = 200;

static CODES: LazyLock<BTreeSet<i32>> = LazyLock::new(|| {
    let table =
        Command::new(binary::probe()).env_clear().args(["explain", "--output=json"]).output().unwrap();
    let table: serde_json::Value = serde_json::from_slice(&table.stdout).unwrap();
    let classes = table["classes"].as_array().unwrap();
    classes.iter().map(|class| i32::try_from(class["code"].as_i64().unwrap()).unwrap()).collect()
});

fn judge(content: &[u8]) -> Ran {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("token");
    fs::write(&file, content).unwrap();
    let mut command = Command::new(binary::probe());
    command.env_clear().args(["--no-network", "--region=eu-west-1", "--output=json", "--log-level=trace"]);
    command.arg(format!("--role-arn={ROLE}"));
    command.arg(format!("--token-file={}", file.display()));
    run(&mut command, Stdio::piped()).unwrap()
}

fn holds(content: &[u8]) -> Result<(), String> {
    let started = Instant::now();
    let ran = judge(content);
    let took = started.elapsed();
    let panicked =
        ["panicked", "internal-error (1)", "overflowed"].iter().any(|word| ran.stderr.contains(word));
    if !CODES.contains(&ran.code) || [1, 2].contains(&ran.code) || panicked {
        return Err(format!("not a verdict: {ran}"));
    }
    if took > LIMIT {
        return Err(format!("took {took:?}: {ran}"));
    }
    let mut secrets = Secrets::default();
    secrets.add(TOKEN.as_bytes());
    if looks_like_a_token(content) {
        secrets.add(content);
    }
    match secrets.find(ran.stdout.as_bytes()).or_else(|| secrets.find(ran.stderr.as_bytes())) {
        Some(leak) => Err(format!("the file's content is told: {leak}")),
        None => Ok(()),
    }
}

/// Three parts of base64url, possibly with white space around them.
fn looks_like_a_token(content: &[u8]) -> bool {
    let is_part = |part: &[u8]| part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(byte));
    let parts: Vec<&[u8]> = content.trim_ascii().split(|byte| *byte == b'.').collect();
    parts.len() == 3 && content.len() > 64 && parts.iter().all(|part| is_part(part))
}

#[test]
fn hand_picked_files_get_a_verdict_and_stay_untold() {
    let token = TOKEN.as_bytes();
    let with = |json: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json)).into_bytes();
    let files: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![0; 20_000],
        vec![0xff; 20_001],
        token.to_vec(),
        [token, b"\n"].concat(),
        [b"\xef\xbb\xbf", token].concat(),
        [b"Bearer ", token].concat(),
        [b"\"", token, b"\""].concat(),
        [token, b" ", token].concat(),
        [token, b"\0"].concat(),
        [token, "\u{202e}\u{1b}[31m".as_bytes()].concat(),
        token[..token.len() / 2].to_vec(),
        token.iter().rev().copied().collect(),
        token.iter().flat_map(|byte| [*byte, 0]).collect(),
        b"..".to_vec(),
        b".".repeat(20_000),
        b"{}.{}.{}".to_vec(),
        b"e30.e30.".to_vec(),
        b"e30.e30.c2ln".to_vec(),
        with("[]"),
        with("null"),
        with(&"[".repeat(10_000)),
        with(&r#"{"a":"#.repeat(2_000)),
        with(r#"{"exp":1e308,"iat":-1e308,"nbf":"soon"}"#),
        with(r#"{"exp":9223372036854775807,"iat":-9223372036854775808}"#),
        with(r#"{"exp":18446744073709551616}"#),
        with(r#"{"sub":["a"],"aud":{"a":1},"iss":7,"kubernetes.io":[]}"#),
        with(r#"{"iss":"https://[::1]:99999/\u0000\u202e","sub":"system:serviceaccount::","aud":""}"#),
        with(r#"{"iss":"//","sub":"\u001b[31m'; rm -rf / #","aud":["'","\n"],"exp":4102444800}"#),
        "ümläut.ünd.ünsinn".into(),
        b"apiVersion: v1\nkind: Secret\n".to_vec(),
    ];
    for content in files {
        holds(&content)
            .unwrap_or_else(|problem| panic!("{:?}\n{problem}", String::from_utf8_lossy(&content)));
    }
}

#[test]
fn random_files_get_a_verdict_and_stay_untold() {
    let cut = (any::<proptest::sample::Index>(), any::<proptest::sample::Index>()).prop_map(|(from, to)| {
        let (from, to) = (from.index(TOKEN.len()), to.index(TOKEN.len()));
        TOKEN.as_bytes()[from.min(to)..from.max(to)].to_vec()
    });
    let claims = proptest::collection::vec(any::<u8>(), 0..200)
        .prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes).into_bytes());
    let piece = prop_oneof![
        cut,
        claims,
        proptest::collection::vec(any::<u8>(), 0..64),
        Just(TOKEN.clone().into_bytes()),
        Just(b".".to_vec()),
        Just(b"\n".to_vec()),
    ];
    let file = proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let mut runner = TestRunner::default();
    for _ in 0..RANDOM_FILES {
        let content = file.new_tree(&mut runner).unwrap().current();
        holds(&content).unwrap_or_else(|problem| panic!("{content:?}\n{problem}"));
    }
}

#[test]
fn the_check_itself_can_fail() {
    assert!(looks_like_a_token(TOKEN.as_bytes()));
    assert!(!looks_like_a_token(b"apiVersion: v1"));
    assert!(!CODES.contains(&101) && !CODES.contains(&134) && !CODES.contains(&139));
}
