//! Puts hostile texts into each claim, variable, flag and element of a policy, and pastes what `trust` prints into a real bash.
//! `chain` and `explain` print no step with text from outside, so each line of theirs only has to be plain.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{
    binary, names,
    pasted::{HOSTILE, is_plain, paste},
    run::{Ran, run},
    token::{ROLE, TOKEN},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"one","Effect":"Allow","Principal":{"Federated":"arn:aws:iam::814203749616:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE:sub":"system:serviceaccount:shop:chekout"}}}]}"#;

struct Pod {
    folder: tempfile::TempDir,
    printed: BTreeMap<String, String>,
    runs: usize,
}

impl Pod {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let pod = Self { folder, printed: BTreeMap::new(), runs: 0 };
        pod.write("token", TOKEN.as_str());
        pod
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn run(&mut self, words: &[&str], variables: &[(&str, &str)]) -> Option<Ran> {
        // A process cannot have a zero byte in an argument or variable.
        if words.iter().chain(variables.iter().map(|(_, value)| value)).any(|text| text.contains('\0')) {
            return None;
        }
        let mut command = Command::new(binary::probe());
        command.env_clear().current_dir(self.folder.path()).args(words);
        command.env("AWS_ROLE_ARN", ROLE).env("AWS_REGION", "eu-west-1");
        command.env("AWS_WEB_IDENTITY_TOKEN_FILE", "token").envs(variables.iter().copied());
        self.runs += 1;
        Some(run(&mut command, Stdio::piped()).unwrap())
    }

    /// Runs `trust` with both outputs, which have the same steps, and keeps the steps for the bash.
    fn trust(&mut self, place: &str, flags: &[&str], variables: &[(&str, &str)]) {
        let words = |output: &'static str| [&["trust", output], flags].concat();
        let Some(text) = self.run(&words("--output=text"), variables) else { return };
        let json = self.run(&words("--output=json"), variables).unwrap();
        let json: Value = serde_json::from_str(&json.stdout).unwrap_or_default();
        plain(&text);
        let steps = json["commands"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // About a pod's fault `trust` prints a script, about a policy only the steps.
        for step in steps.chain(text.stdout.starts_with("# ").then_some(text.stdout.as_str())) {
            self.printed.insert(step.to_owned(), format!("{place} {variables:?}"));
        }
    }
}

/// Each line on a terminal contains only what it shows.
fn plain(ran: &Ran) {
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        is_plain(&format!("# {line}")).unwrap();
    }
}

fn token(claim: &str, hostile: &str) -> String {
    let mut parts = TOKEN.split('.').map(str::to_owned);
    let (header, claims, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims[claim] = if claim == "aud" { json!([hostile]) } else { hostile.into() };
    [header, URL_SAFE_NO_PAD.encode(claims.to_string()), signature].join(".")
}

#[test]
fn nothing_that_trust_prints_runs_what_is_hostile() {
    let mut pod = Pod::new();
    pod.write("policy.json", POLICY);
    for (turn, hostile) in HOSTILE.iter().enumerate() {
        for claim in ["iss", "sub", "aud"] {
            let whole = (*hostile).to_owned();
            let part = match claim {
                "iss" => format!("https://oidc.example/id/{hostile}"),
                "sub" if turn % 2 == 0 => format!("system:serviceaccount:shop:{hostile}"),
                _ => format!("system:serviceaccount:{hostile}:checkout"),
            };
            for value in [whole, part] {
                pod.write("token", &token(claim, &value));
                pod.trust(claim, &[], &[]);
                pod.trust(claim, &["--policy=policy.json"], &[]);
            }
        }
        pod.write("token", TOKEN.as_str());
        for role in [format!("arn:aws:iam::814203749616:role/{hostile}"), (*hostile).to_owned()] {
            pod.trust("the role", &[], &[("AWS_ROLE_ARN", &role)]);
            pod.trust("the role", &[&format!("--role-arn={role}")], &[]);
        }
        for flag in names::flags("trust") {
            if !["help", "policy", "output"].contains(&flag.as_str()) {
                pod.trust(&flag, &[&format!("--{flag}={hostile}")], &[]);
            }
        }
        // Replace each string of the policy as a whole.
        let ends: Vec<usize> = POLICY.match_indices('"').map(|(at, _)| at).collect();
        let quoted = serde_json::to_string(hostile).unwrap();
        for pair in ends.chunks(2) {
            let changed = format!("{}{quoted}{}", &POLICY[..pair[0]], &POLICY[pair[1] + 1..]);
            pod.write("policy.json", &changed);
            pod.trust(&changed, &["--policy=policy.json"], &[]);
        }
        pod.write("policy.json", POLICY);
    }
    assert!(pod.runs > 1_000 && !pod.printed.is_empty(), "{} runs, {} lines", pod.runs, pod.printed.len());
    paste(&pod.printed).unwrap();
}

#[test]
fn what_chain_and_explain_print_is_what_it_looks_like() {
    let mut pod = Pod::new();
    for name in names::variables() {
        // Four texts per variable keep the run short. Together the variables use all texts.
        let turn = name.bytes().map(usize::from).sum::<usize>();
        for hostile in HOSTILE.iter().cycle().skip(turn % HOSTILE.len()).take(4) {
            if let Some(ran) = pod.run(&["chain"], &[(&name, hostile)]) {
                plain(&ran);
            }
        }
    }
    for hostile in HOSTILE {
        if let Some(ran) = pod.run(&["explain", hostile], &[]) {
            plain(&ran);
            assert!(ran.stdout.is_empty() || hostile.is_empty(), "{ran}");
        }
    }
}
