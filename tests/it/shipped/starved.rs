//! The file under limits that bite: too little stack, too little memory. It says so and exits 1; no signal ends it.
//! From the smallest limit under which it starts at all: what happens before `main` is the kernel's and the C library's.

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

const CONNECT_REFUSED: i32 = 41;
/// By panic, and by SIGABRT, SIGKILL, SIGSEGV.
const DEATHS: [i32; 4] = [101, 134, 137, 139];
/// Addresses are drawn at random: one start may be luck.
const STARTS: usize = 3;
/// One that does not matter, in KiB.
const PLENTY: usize = 1_000_000;

pub(crate) fn of_stack(file: &Path) -> Result<Result<(), String>, Failed> {
    starve(file, "-s", (8..8_192).step_by(4), 4, 60)
}

pub(crate) fn of_memory(file: &Path) -> Result<Result<(), String>, Failed> {
    starve(file, "-v", (3_000..100_000).step_by(50), 20, 150)
}

/// The file under a shell's limit, as far as it gets: trust store, TLS, and a port where nobody listens.
fn under(file: &Path, limit: &str, words: &[&str]) -> Result<Ran, String> {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("AWS_ENDPOINT_URL_STS", "https://127.0.0.1:1");
    run(command.arg("-c").arg(script).arg(file).args(words), Stdio::piped())
}

fn starts(file: &Path, limit: &str) -> bool {
    (0..STARTS).all(|_| under(file, limit, &["--version"]).is_ok_and(|ran| ran.code == 0))
}

/// From the first of `limits` under which it starts, `count` steps on, and with plenty.
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
