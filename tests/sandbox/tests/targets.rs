//! Processes beside the command: a shell in place of the debug container checks what the kernel lets it see. The expected
//! answers are those of a kernel with the ids and capabilities set by hand, and of real kubelets (1.34, 1.36, containerd).

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test, that is the report")]

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The exit code for failures of the sandbox itself.
const SANDBOX_ERROR: i32 = 125;
const TOKEN: &str = "/proc/1/root/run/secrets/eks.amazonaws.com/serviceaccount/token";

fn sandbox(scenario: &str, script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"));
    command.arg(format!("--keys={}", env!("CARGO_TARGET_TMPDIR")));
    command.args([&format!("--scenario={scenario}"), "--pod=always", "--", "sh", "-c", script]);
    command
}

/// What the script prints, without the final newline; `None` where this machine cannot build the pod.
fn shell(scenario: &str, script: &str) -> Option<String> {
    let output = sandbox(scenario, script).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(SANDBOX_ERROR) {
        let why = format!("{scenario}: {}", stderr.trim());
        assert!(std::env::var_os("CI").is_none(), "CI must build the pod, and could not: {why}");
        say(&format!("NOT TESTED HERE: {why}"));
        return None;
    }
    assert!(output.status.success(), "{scenario}: {stderr}");
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// `ok` or the error of each reading: what everyone may see, the environment, the root, the token in it.
fn readings(scenario: &str) -> Option<[String; 4]> {
    let script = format!(
        r#"try() {{ if said=$("$@" 2>&1 >/dev/null); then echo ok; else echo "${{said##*: }}"; fi; }}
           try cat /proc/1/status /proc/1/cgroup /proc/1/cmdline
           try cat /proc/1/environ
           try stat -L /proc/1/root/run
           try cat {TOKEN}"#
    );
    let text = shell(scenario, &script)?;
    let lines: Vec<String> = text.lines().map(|line| line.replace("Permission denied", "EACCES")).collect();
    Some(lines.try_into().unwrap_or_else(|lines| panic!("{scenario}: {lines:?}")))
}

fn agree(rows: &[(&str, [&str; 3])]) {
    for (scenario, expected) in rows {
        let Some([always, environ, root, token]) = readings(scenario) else { return };
        assert_eq!(always, "ok", "{scenario}: status, cgroup and cmdline");
        assert_eq!([environ, root, token], *expected, "{scenario}: environ, root, token");
    }
}

const ALL: [&str; 3] = ["ok"; 3];
const NONE: [&str; 3] = ["EACCES"; 3];

#[test]
fn the_kernel_answers_each_reader_of_a_non_root_application_as_measured() {
    agree(&[
        ("target-same-ids", ALL),
        ("target-group-differs", NONE),
        ("target-seen-by-root", NONE),
        ("target-seen-by-root-with-ptrace", ALL),
        // Only their owner may read the files, and CAP_DAC_OVERRIDE is missing.
        ("target-seen-by-root-with-ptrace-alone", ["EACCES", "ok", "EACCES"]),
        ("target-ptrace-only-added", NONE),
        ("target-with-capability", NONE),
        ("target-not-dumpable", NONE),
    ]);
}

#[test]
fn debug_containers_see_what_they_saw_on_real_kubelets() {
    agree(&[
        ("target-inherits-pod-user", ALL),
        ("target-of-another-user", NONE),
        ("target-in-group-root", ALL),
        ("target-in-group-root-differs", NONE),
        ("target-in-group-root-seen-by-root", ALL),
        ("target-of-root-capabilities-dropped", NONE),
        ("target-of-root-same-capabilities", ALL),
        ("target-of-root-with-ptrace", ALL),
    ]);
}

#[test]
fn capabilities_are_held_or_only_bounded_as_the_case_says() {
    let script = "grep -E '^(Uid|Gid|Cap|PPid)' /proc/self/status /proc/1/status | tr -s '\\t ' ' '";
    let default = "00000000a80425fb";
    let with_ptrace = "00000000a80c25fb";
    let none = "0000000000000000";
    for (scenario, process, inherited, held, bounding) in [
        ("target-same-ids", "self", none, none, none),
        ("target-seen-by-root", "self", none, default, default),
        ("target-seen-by-root-with-ptrace", "self", none, with_ptrace, with_ptrace),
        ("target-ptrace-only-added", "self", none, none, with_ptrace),
        ("target-of-root-with-ptrace", "1", none, default, default),
        ("target-with-capability", "1", "0000000000000400", "0000000000000400", "0000000000000400"),
    ] {
        let Some(text) = shell(scenario, script) else { return };
        for (set, value) in
            [("Inh", inherited), ("Prm", held), ("Eff", held), ("Bnd", bounding), ("Amb", inherited)]
        {
            let line = format!("/proc/{process}/status:Cap{set}: {value}\n");
            assert!(format!("{text}\n").contains(&line), "{scenario}: no {line}{text}");
        }
    }
}

#[test]
fn the_application_is_healthy_and_the_debug_container_has_nothing_of_it() {
    let Some(environ) = shell("target-found", "tr '\\0' '\\n' </proc/1/environ") else { return };
    for variable in [
        "AWS_ROLE_ARN=arn:aws:iam::814203749616:role/checkout-reader",
        "AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "AWS_CA_BUNDLE=/run/credprobe-sandbox/ca.pem",
    ] {
        assert!(environ.lines().any(|line| line == variable), "{environ}");
    }
    assert!(!environ.contains("CREDPROBE_TERMINATION_LOG"), "{environ}");
    let own = shell("target-found", "env; ls /run /run/credprobe-sandbox/volumes/*").unwrap();
    assert!(!own.contains("AWS_") && !own.contains("POD_") && !own.contains("secrets"), "{own}");
    let copied = shell("target-with-copied-profile", "env; cat $AWS_WEB_IDENTITY_TOKEN_FILE").unwrap();
    assert!(copied.contains("AWS_ROLE_ARN=") && copied.contains("\ney"), "{copied}");
}

#[test]
fn a_plain_path_through_the_root_leads_astray() {
    let script = format!(
        "readlink /proc/1/root/var/run; cat /proc/1/root/run/credprobe-sandbox/ca.pem | head -1; \
         grep -c . {TOKEN}; test -e /proc/1/root/var/run/secrets || echo astray"
    );
    let Some(text) = shell("target-found", &script) else { return };
    assert_eq!(text, "/run\n-----BEGIN CERTIFICATE-----\n1\nastray");
}

#[test]
fn processes_are_numbered_and_related_as_in_a_pod() {
    let table = "for p in /proc/[0-9]*; do case $p in */$$) echo \"self $(grep PPid $p/status | tr -d '\\t')\";; \
                 *) echo \"${p##*/} $(cat $p/comm) $(grep -E '^(PPid|State)' $p/status | tr -d '\\t' | tr '\\n' ' ')\"; esac; done";
    let Some(text) = shell("target-found", table) else { return };
    assert_eq!(text, "1 checkout State:S (sleeping) PPid:0 \nself PPid:0");
    for (scenario, expected) in [
        ("target-in-shared-namespace", &["1 pause State:S (sleeping) PPid:0", "2 checkout"][..]),
        ("target-among-two", &["1 pause", "2 checkout State:S (sleeping) PPid:0", "3 exporter"]),
        ("target-entrypoint-differs", &["1 entrypoint.sh", "2 checkout State:S (sleeping) PPid:1"]),
        ("target-zombie", &["1 checkout", "2 migrate State:Z (zombie) PPid:0"]),
    ] {
        let text = shell(scenario, table).unwrap();
        for line in expected {
            assert!(text.contains(line), "{scenario}: no `{line}` in\n{text}");
        }
    }
    let text = shell("target-exited", table).unwrap();
    assert!(text.contains("1 checkout") && !text.contains("migrate"), "{text}");
    assert_eq!(shell("target-hidden", "test -d /proc/1 || echo hidden").unwrap(), "hidden");
    assert_eq!(shell("target-proc-missing", "ls -A /proc").unwrap(), "");
}

#[test]
fn an_environment_can_be_large_or_not_text() {
    let count = "wc -c </proc/1/environ; tr '\\0' '\\n' </proc/1/environ | grep -c AWS_ROLE_ARN";
    let Some(text) = shell("target-huge-environment", count) else { return };
    let (bytes, role) = text.split_once('\n').unwrap();
    assert!(bytes.parse::<u32>().unwrap() > 2_000_000 && role == "1", "{text}");
    let raw = "tr '\\0' '\\n' </proc/1/environ | tail -2 | od -An -tx1 | tr -d ' \\n'";
    let text = shell("target-variable-not-utf8", raw).unwrap();
    assert_eq!(text, "4c45474143595f4e414d453d636166e90a6e6f2d7661726961626c650a");
    let child = shell("target-entrypoint-differs", "tr '\\0' '\\n' </proc/2/environ").unwrap();
    assert!(child.contains("role/checkout-writer"), "{child}");
}

#[test]
fn nothing_survives_the_sandbox() {
    if shell("target-entrypoint-differs", "true").is_none() {
        return;
    }
    let mut child = sandbox("target-entrypoint-differs", "sleep 60").stdout(Stdio::null()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let started = Instant::now();
    let of = |file: &str| -> Vec<String> {
        fs::read_to_string(file).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    // Wait for two processes, the target and the command. Before them, the trial of namespaces comes and goes.
    let mut all = of(&children);
    while all.len() < 2 && started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(20));
        all = of(&children);
    }
    assert_eq!(all.len(), 2);
    all.extend(of(&format!("/proc/{0}/task/{0}/children", all[0])));
    assert_eq!(all.len(), 3, "the entrypoint has a child");
    child.kill().unwrap();
    child.wait().unwrap();
    let alive = |id: &String| fs::exists(format!("/proc/{id}")).unwrap();
    while all.iter().any(alive) {
        assert!(started.elapsed() < Duration::from_secs(30), "still there: {all:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
