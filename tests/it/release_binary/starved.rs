//! The file under tight limits: too little stack, too little memory. It says so and exits 1; no signal ends it. The tests begin
//! at the smallest limit under which it starts at all. What happens before `main` is up to the kernel and the C library.

use crate::support::{
    bug_report,
    run::{Ran, run},
    token::{ROLE, TOKEN},
};
use libtest_mimic::Failed;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const INCONCLUSIVE: i32 = 3;
const CONNECT_REFUSED: i32 = 41;
/// Exit codes of a panic, and of SIGABRT, SIGKILL and SIGSEGV.
const DEATHS: [i32; 4] = [101, 134, 137, 139];
/// Addresses are random, so a single start may be luck.
const STARTS: usize = 3;
/// A limit that does not matter, in KiB.
const PLENTY: usize = 1_000_000;

pub(crate) fn of_stack(file: &Path) -> Result<Result<(), String>, Failed> {
    starve(file, "-s", (8..8_192).step_by(4), 4, 60)
}

pub(crate) fn of_memory(file: &Path) -> Result<Result<(), String>, Failed> {
    starve(file, "-v", (3_000..100_000).step_by(50), 20, 150)
}

/// With too few descriptors the probe could not look. It never holds that against the pod, whichever file or socket cannot be
/// opened.
pub(crate) fn of_descriptors(file: &Path) -> Result<Result<(), String>, Failed> {
    let token = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starved-n");
    fs::write(&token, TOKEN.as_str())?;
    let (token, role) = (format!("--token-file={}", token.display()), format!("--role-arn={ROLE}"));
    let (mut bitten, mut sound) = (0, 0);
    for limit in (3..40).chain([1_000]) {
        for endpoint in ["https://127.0.0.1:1", "https://sts.invalid"] {
            let words = ["--region=eu-west-1", "--timeout=1s", "--output=json", &token, &role];
            let ran = under_at(file, &format!("-n {limit}"), endpoint, &words)?;
            let (unseen, whole) = (ran.code == INCONCLUSIVE, (40..50).contains(&ran.code));
            if !unseen && !whole || unseen && limit == 1_000 {
                return Err(format!("with {limit} descriptors the pod is blamed\n{ran}").into());
            }
            if unseen
                && !ran.stdout.is_empty()
                && !ran.stdout.contains("\"transient\": true")
                && !ran.stdout.contains("\"transient\":true")
            {
                return Err(format!("it may pass, and the report does not say so\n{ran}").into());
            }
            bitten += usize::from(unseen);
            sound += usize::from(whole);
        }
    }
    match (bitten, sound) {
        (0, _) | (_, 0) => Err(format!("{bitten} bitten, {sound} sound: this shows nothing").into()),
        _ => Ok(Ok(())),
    }
}

/// A read of the process's own memory at address 0 fails with EIO, as a read from a broken disk does.
pub(crate) fn of_a_working_disk(file: &Path) -> Result<Result<(), String>, Failed> {
    let role = format!("--role-arn={ROLE}");
    for (words, variable) in [
        (vec!["--token-file=/proc/self/mem"], None),
        (vec!["--token-file=/proc/self/status", "--ca-bundle=/proc/self/mem"], None),
        (vec!["--token-file=/proc/self/status"], Some(("AWS_CONFIG_FILE", "/proc/self/mem"))),
    ] {
        let mut command = Command::new(file);
        command.env_clear().envs(variable).args(["--region=eu-west-1", "--output=json", &role]).args(&words);
        let ran = run(&mut command, Stdio::piped())?;
        let told = ran.stdout.contains("EIO") && ran.stdout.contains("the file system or the kernel failed");
        let blamed =
            ["token-file-invalid", "settings-invalid"].iter().any(|class| ran.stdout.contains(class));
        if !told || blamed {
            return Err(format!("EIO is not told as the node's own\n{ran}").into());
        }
    }
    Ok(Ok(()))
}

/// Runs the file under a shell's limit: trust store, TLS, and a port where nobody listens.
fn under(file: &Path, limit: &str, words: &[&str]) -> Result<Ran, String> {
    under_at(file, limit, "https://127.0.0.1:1", words)
}

fn under_at(file: &Path, limit: &str, endpoint: &str, words: &[&str]) -> Result<Ran, String> {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("AWS_ENDPOINT_URL_STS", endpoint);
    run(command.arg("-c").arg(script).arg(file).args(words), Stdio::piped())
}

fn starts(file: &Path, limit: &str) -> bool {
    (0..STARTS).all(|_| under(file, limit, &["--version"]).is_ok_and(|ran| ran.code == 0))
}

/// Tries the first of `limits` under which it starts, `count` steps from there on, and a limit that does not matter.
fn starve(
    file: &Path,
    option: &str,
    mut limits: impl Iterator<Item = usize>,
    step: usize,
    count: usize,
) -> Result<Result<(), String>, Failed> {
    let token = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("starved{option}"));
    fs::write(&token, TOKEN.as_str())?;
    let (token, role) = (format!("--token-file={}", token.display()), format!("--role-arn={ROLE}"));
    let first = limits.find(|limit| starts(file, &format!("{option} {limit}")));
    let first = first.ok_or("it starts under none of the limits")?;
    let (mut bitten, mut sound, mut tolerated) = (0, 0, 0);
    for limit in (first..).step_by(step).take(count).chain([PLENTY]) {
        let limit = format!("{option} {limit}");
        let ran = under(file, &limit, &["--region=eu-west-1", &token, &role])?;
        if DEATHS.contains(&ran.code) || ran.code == 1 && !bug_report::is_one(&ran) {
            return Err(format!("under ulimit {limit} it does not end with one bug report\n{ran}").into());
        }
        if ran.code == 1 {
            bitten += 1;
            let ran = under(file, &limit, &["--region=eu-west-1", &token, &role, "--tolerate=probe"])?;
            tolerated += usize::from(ran.code == 0 && bug_report::is_one(&ran));
        }
        sound += usize::from(ran.code == CONNECT_REFUSED);
    }
    match (bitten, sound) {
        _ if bitten > 0 && tolerated == 0 => Err("--tolerate=probe tolerates no such end".into()),
        (0, _) => Err(format!("no ulimit {option} from {first} on bites: this shows nothing").into()),
        (_, 0) => Err(format!("each ulimit {option} from {first} on bites: this shows nothing").into()),
        _ => Ok(Ok(())),
    }
}
