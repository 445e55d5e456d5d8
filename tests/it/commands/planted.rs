//! Plants a secret in each variable, flag, profile setting and field of the downward API; no output may contain it.
//! The lists come from the program: flags from its help, names of variables and settings from its source.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{
    binary,
    leak::Secrets,
    names::{self, flags},
    run::run,
    token::{ROLE, TOKEN},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

const COMMANDS: [&str; 8] = ["access", "chain", "check", "explain", "judge", "serve", "status", "trust"];
const KEY_ID: &str = "AKIAPCGMMHEPJKKRN4OW";
const SECRET_KEY: &str = "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";
const HALVES: [&str; 2] = ["first-half-of-the-password", "other-half-of-the-password"];
/// Characters between the halves of a password.
const UNESCAPED: [&str; 6] = ["", "/", "?", "#", "@", "://"];

/// A healthy pod in its own folder.
struct Pod {
    folder: tempfile::TempDir,
    secrets: Secrets,
    planted: String,
    runs: usize,
}

impl Pod {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(folder.path().join("token"), TOKEN.as_bytes()).unwrap();
        fs::write(folder.path().join("termination"), "").unwrap();
        let signature: Vec<u8> = (0..90_u8).map(|n| n.wrapping_mul(151) ^ 0x5a).collect();
        let parts = [
            br#"{"alg":"RS256","kid":"another"}"#.as_slice(),
            br#"{"iss":"https://another.example","sub":"system:serviceaccount:other:other"}"#,
            &signature,
        ];
        let planted = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let mut secrets = Secrets::default();
        for secret in [TOKEN.as_str(), &planted, KEY_ID, SECRET_KEY, HALVES[0], HALVES[1]] {
            secrets.add(secret.as_bytes());
        }
        Self { folder, secrets, planted, runs: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs with these on top of a healthy environment, and searches everything that it prints.
    fn tells_nothing(&mut self, words: &[&str], variables: &[(&str, &str)]) {
        let mut command = Command::new(binary::probe());
        command.env_clear().current_dir(self.folder.path());
        command.env("AWS_ROLE_ARN", ROLE).env("AWS_REGION", "eu-west-1");
        command.env("AWS_WEB_IDENTITY_TOKEN_FILE", self.path("token"));
        command.env("HOME", self.folder.path());
        command.envs(variables.iter().copied()).args(words);
        let ran = run(&mut command, Stdio::piped()).unwrap();
        self.runs += 1;
        let termination = fs::read_to_string(self.path("termination")).unwrap();
        for (place, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr), ("termination", &termination)]
        {
            let found = self.secrets.find(text.as_bytes());
            assert_eq!(found, None, "in {place} of {words:?} {variables:?}: {text}");
        }
    }

    /// Every form in which somebody may have written a secret there.
    fn values(&self, name: &str) -> Vec<String> {
        let token = &self.planted;
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let mut values = vec![
            token.clone(),
            format!("Bearer {token}"),
            format!("/var/run/{token}/x"),
            format!("\"{}\"", token.replace('.', "\".\"")),
            encoded(token),
            KEY_ID.to_owned(),
        ];
        let name = name.to_ascii_lowercase();
        let takes_url = ["proxy", "endpoint", "uri", "url"].iter().any(|part| name.contains(part));
        for between in UNESCAPED {
            let rest = format!("user:{}@127.0.0.1:1/a", HALVES.join(between));
            values.push(format!("http://{rest}"));
            if takes_url {
                values.push(rest);
            }
        }
        if takes_url {
            values.push(format!("https://127.0.0.1:1/a?X-Amz-Signature={}", HALVES[0]));
        }
        values
    }
}

/// The arguments with which a command ends soon and prints everything that it can.
fn quiet<'w>(command: &'w str, termination: &'w str) -> Vec<&'w str> {
    match command {
        "check" => vec!["check", "--no-network", "--log-level=trace", termination],
        // `serve` would run for ever. With this address it refuses to start and says so.
        "serve" => vec!["serve", "--listen=256.0.0.1:1", termination],
        "status" => vec!["status", "--admin-listen=127.0.0.1:1"],
        command => vec![command],
    }
}

#[test]
fn in_variables() {
    let mut pod = Pod::new();
    let termination = format!("--termination-log={}", pod.path("termination").display());
    for name in names::variables() {
        for value in pod.values(&name) {
            for output in ["--output=text", "--output=json"] {
                let mut words = quiet("check", &termination);
                words.push(output);
                pod.tells_nothing(&words, &[(&name, &value)]);
                pod.tells_nothing(&["chain", output], &[(&name, &value)]);
            }
            pod.tells_nothing(&["trust"], &[(&name, &value)]);
            // This variable would switch `serve` off, and it would then run whatever its flags are.
            if name != "CREDPROBE_DISABLED" {
                pod.tells_nothing(&["serve", "--listen=256.0.0.1:1"], &[(&name, &value)]);
            }
        }
    }
    assert!(pod.runs > 1_000, "{}", pod.runs);
}

#[test]
fn in_credentials_that_stand_in_another_place_too() {
    let mut pod = Pod::new();
    for name in names::variables().iter().filter(|name| !name.starts_with("AWS_SECRET")) {
        for output in ["--output=text", "--output=json"] {
            let planted = [("AWS_SECRET_ACCESS_KEY", SECRET_KEY), (name, SECRET_KEY)];
            pod.tells_nothing(&["check", "--no-network", output], &planted);
            pod.tells_nothing(&["chain", output], &planted);
        }
    }
}

#[test]
fn in_flags_and_their_twins() {
    let mut pod = Pod::new();
    let termination = format!("--termination-log={}", pod.path("termination").display());
    for command in COMMANDS {
        let mut flags = flags(command);
        flags.push("unknown".to_owned());
        for flag in &flags {
            let twin = format!("CREDPROBE_{}", flag.to_ascii_uppercase().replace('-', "_"));
            for value in pod.values(flag) {
                let item = format!("--{flag}={value}");
                let mut words = quiet(command, &termination);
                pod.tells_nothing(&words, &[(&twin, &value)]);
                words.push(&item);
                pod.tells_nothing(&words, &[]);
            }
        }
        for value in pod.values("") {
            let mut words = quiet(command, &termination);
            words.push(&value);
            pod.tells_nothing(&words, &[]);
            pod.tells_nothing(&[&value], &[]);
            pod.tells_nothing(&[&format!("-{value}")], &[]);
        }
    }
}

#[test]
fn in_profiles() {
    let mut pod = Pod::new();
    fs::create_dir(pod.path(".aws")).unwrap();
    let secret = format!("aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET_KEY}\n");
    for setting in names::settings() {
        for value in pod.values(&setting).into_iter().chain([SECRET_KEY.to_owned()]) {
            let file = format!("[default]\n{setting} = {value}\n[profile other]\n{secret}");
            fs::write(pod.path(".aws/config"), file).unwrap();
            // The variables would win over the profile.
            let unset = [("AWS_ROLE_ARN", ""), ("AWS_REGION", "")];
            pod.tells_nothing(&["check", "--no-network", "--output=json"], &unset);
            pod.tells_nothing(&["check", "--no-network"], &unset);
            pod.tells_nothing(&["chain"], &unset);
        }
    }
}

#[test]
fn in_a_report_and_in_a_policy() {
    let mut pod = Pod::new();
    let saved = run(
        Command::new(binary::probe())
            .env_clear()
            .env("AWS_ROLE_ARN", ROLE)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_PROFILE", "profile-of-the-report")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", pod.path("token"))
            .args(["--no-network", "--output=json", "--session-name=somebody"]),
        Stdio::piped(),
    );
    let saved = saved.unwrap().stdout;
    // Replace each string of the report, one after the other.
    let ends: Vec<usize> = saved.match_indices('"').map(|(at, _)| at).collect();
    assert!(ends.len() > 200 && ends.len().is_multiple_of(2), "{saved}");
    for pair in ends.chunks(2) {
        let hostile = format!("{}{}{}", &saved[..=pair[0]], pod.planted, &saved[pair[1]..]);
        fs::write(pod.path("report.json"), hostile).unwrap();
        pod.tells_nothing(&["judge", "report.json"], &[]);
        pod.tells_nothing(&["judge", "report.json", "--output=json"], &[]);
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"Federated":"b"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"c":"d"}}}]}"#;
    let ends: Vec<usize> = policy.match_indices('"').map(|(at, _)| at).collect();
    for pair in ends.chunks(2) {
        let hostile = format!("{}{}{}", &policy[..=pair[0]], pod.planted, &policy[pair[1]..]);
        fs::write(pod.path("policy.json"), hostile).unwrap();
        pod.tells_nothing(&["trust", "--policy=policy.json"], &[]);
        pod.tells_nothing(&["trust", "--policy=policy.json", "--output=json"], &[]);
    }
}
