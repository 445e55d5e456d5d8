//! `explain TEXT` and `explain -`: error texts and whole logs, on the binary that ships.
//! The judge crate's tests cover what each text means; these cover what the program does with it.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use super::session::Session;
use crate::support::{
    binary,
    run::{Ran, run},
};
use std::{
    fs,
    process::{Command, Stdio},
};

const DENIAL: &str = "An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:sts::814203749616:assumed-role/checkout-reader/botocore-session-1764000000 is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::shop-data/orders.csv\" because no identity-based policy allows the s3:GetObject action";
const UNREAD: &str = "only the first 16 MiB were read; of a longer log give the end, as with tail -c 16M";
const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";

/// Pipes `log` into `credprobe explain -`.
fn piped(name: &str, log: &[u8], words: &[&str]) -> Ran {
    let path = format!("{}/{name}.log", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&path, log).unwrap();
    let mut command = Command::new("sh");
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
        .args(["-c", "log=$1; shift; exec \"$0\" explain - \"$@\" <\"$log\""])
        .arg(binary::probe())
        .arg(&path)
        .args(words);
    let ran = run(&mut command, Stdio::piped()).unwrap();
    let _ = fs::remove_file(&path);
    ran
}

#[test]
fn explanations_of_texts_are_what_they_were() {
    let mut session = Session::default();
    let node = DENIAL.replace("botocore-session-1764000000", "i-0ee6bc34b33c65e12");
    let scp = DENIAL.replace("because no identity-based policy allows the s3:GetObject action", "with an explicit deny in a service control policy: arn:aws:organizations::674998908974:policy/o-yu55c2titn/service_control_policy/p-iq8d93ev");
    for (words, variables) in [
        (&["explain", DENIAL][..], &[][..]),
        (&["explain", DENIAL], &[("AWS_ROLE_ARN", ROLE)]),
        (&["explain", &node], &[("AWS_ROLE_ARN", ROLE)]),
        (&["explain", &scp], &[]),
        (
            &[
                "explain",
                "User: arn:aws:sts::814203749616:assumed-role/checkout-reader/eks-prod-checkout-7d9f-16f667fa-1fcd-4d5c-8a1a-0123456789ab is not authorized to perform: sts:TagSession on resource: arn:aws:iam::444455556666:role/automation",
            ],
            &[],
        ),
        (
            &[
                "explain",
                "Encoded",
                "authorization",
                "failure",
                "message:",
                "0l-KPWQJ8q5z3YatP3Ybgb5lf0dibDhN6KaE3jQ5Bu4hNkP1BxfK",
            ],
            &[],
        ),
        (&["explain", "botocore.exceptions.NoCredentialsError: Unable to locate credentials"], &[]),
        (&["explain", "error: You must be logged in to the server (Unauthorized)"], &[]),
        (
            &[
                "explain",
                "Error from server (Forbidden): pods is forbidden: User \"checkout\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"",
            ],
            &[],
        ),
        (&["explain", "getting credentials: exec: executable aws failed with exit code 255"], &[]),
        (&["explain", "--output=json", DENIAL], &[]),
    ] {
        let ran = session.run(words, variables).unwrap();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
    }
    for words in
        [&["explain", "nothing of this is known"][..], &["explain", "nonsense"], &["explain", "53", "54"]]
    {
        let ran = session.run(words, &[]).unwrap();
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran}");
    }
    for word in ["acces-denied", "AccessDenied", "99"] {
        session.refused(&["explain", word], &[]).unwrap();
    }
    session.check("explain_text.txt").unwrap();
}

#[test]
fn a_log_is_read_to_16_megabytes_and_its_last_known_line_decides() {
    let long = format!("{{\"msg\":\"{}\"}}\n", "x".repeat(200_000));
    let mut log = format!("Unable to locate credentials\n{DENIAL}\n").into_bytes();
    while log.len() < 17 * 1024 * 1024 {
        log.extend_from_slice(long.as_bytes());
    }
    let ran = piped("unknown", &log[1024..], &[]);
    let line = format!(
        "inconclusive (3): nothing in this text is known; {UNREAD}; `credprobe explain` lists the classes\n"
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (3, line.as_str()), "{ran}");
    log.extend_from_slice(b"Rate exceeded\n");
    let ran = piped("long", &log, &["--output=json"]);
    assert_eq!((ran.code, ran.stderr.trim_end()), (0, UNREAD), "{ran}");
    assert_eq!(ran.stdout.lines().count(), 1, "one line, for nobody looks at it");
    assert!(ran.stdout.contains("\"class\":\"permission-missing\""), "{}", ran.stdout);
    log.truncate(1024 * 1024);
    log.extend_from_slice(b"\nRate exceeded\n");
    let ran = piped("short", &log, &[]);
    assert!(ran.code == 0 && ran.stdout.starts_with("# ✗ throttled 60: "), "{ran}");
    assert!(ran.stdout.contains("also     not-injected once, permission-missing once"), "{ran}");
    let ran = piped("empty", b"", &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran}");
    let ran = piped("binary", &[0xff, 0, 0x1b, b'\n', 0xc3], &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran}");
}

#[test]
fn secrets_of_the_text_are_not_said_again_wherever_they_stand() {
    let secrets = [
        "wJalrXUtnFEMIK7MDENGbPxRfiCYSANDBOXKEY12",
        "ASIAQ3EGWJ6ZK2L5XYTB",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL29pZGMuZWtzIn0.c2lnbmF0dXJl",
    ];
    for secret in secrets {
        for text in [
            format!("{secret} {DENIAL}"),
            format!("{DENIAL} {secret}"),
            DENIAL.replace("orders.csv", secret),
            DENIAL.replace("botocore-session-1764000000", secret),
            DENIAL.replace("checkout-reader", secret),
            format!("{secret} and nothing that is known"),
            secret.to_owned(),
        ] {
            let mut session = Session::default();
            for words in [&["explain", &text][..], &["explain", &text, "--output=json"]] {
                let ran = session.run(words, &[]).unwrap();
                for part in secret.as_bytes().windows(16) {
                    let part = std::str::from_utf8(part).unwrap();
                    assert!(!ran.stdout.contains(part) && !ran.stderr.contains(part), "{part}: {ran}");
                }
            }
        }
    }
}
