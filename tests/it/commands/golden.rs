//! Golden files of everything that the command line prints without a pod: help, the class table, usage errors, `judge`.
//! Change the wording freely; the diff shows what else changed.

use super::session::Session;
use std::{fs, path::Path};

#[test]
fn help_is_what_it_was() {
    let mut session = Session::default();
    for words in [
        &["help"][..],
        &["access", "--help"],
        &["check", "--help"],
        &["chain", "--help"],
        &["explain", "--help"],
        &["judge", "--help"],
        &["serve", "--help"],
        &["status", "--help"],
        &["help", "trust"],
        &["help", "help"],
        &["completion", "-h"],
    ] {
        let ran = session.run(words, &[]).unwrap();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
    }
    session.check("help.txt").unwrap();
}

#[test]
fn the_version_is_one_line() {
    let ran = Session::default().run(&["--version"], &[]).unwrap();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
    assert_eq!(ran.stdout, format!("credprobe {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn explanations_are_what_they_were() {
    let mut session = Session::default();
    for words in [&["explain"][..], &["explain", "53"], &["explain", "access-denied"]] {
        let ran = session.run(words, &[]).unwrap();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
    }
    for argument in ["acces-denied", "99", "256", "-1"] {
        session.refused(&["explain", argument], &[]).unwrap();
    }
    // `explain` takes these as texts, and knows nothing in them.
    for argument in ["nonsense", "\u{1b}[31m", "53 54"] {
        let ran = session.run(&["explain", argument], &[]).unwrap();
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran}");
    }
    session.check("explain.txt").unwrap();
}

const IRSA: [(&str, &str); 4] = [
    ("AWS_ROLE_ARN", "arn:aws:iam::814203749616:role/checkout-reader"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
];
const POD_IDENTITY: [(&str, &str); 2] = [
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials"),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/token",
    ),
];
const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7SANDBOX"),
    ("AWS_SECRET_ACCESS_KEY", "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"),
];

#[test]
fn chains_are_what_they_were() {
    let mut session = Session::default();
    let with = |other: &[(&'static str, &'static str)]| [&IRSA[..], other].concat();
    for (words, variables) in [
        (&["chain"][..], IRSA.to_vec()),
        (&["chain"], IRSA[..3].to_vec()),
        (&["chain"], [&POD_IDENTITY[..], &[("HTTP_PROXY", "http://user:let-me-pass@proxy:3128")]].concat()),
        (&["chain"], with(&POD_IDENTITY)),
        (&["chain"], with(&KEYS)),
        (&["chain"], with(&[("HTTPS_PROXY", "http://proxy:3128"), ("AWS_STS_REGIONAL_ENDPOINTS", "legacy")])),
        (&["chain"], vec![("AWS_EC2_METADATA_DISABLED", "true")]),
        (&["chain", "--sdk=js-v3"], with(&KEYS)),
        (&["chain", "--sdk=boto3"], [&IRSA[1..2], &KEYS[..1]].concat()),
        (&["chain"], vec![("CREDPROBE_SDK", "php")]),
    ] {
        let ran = session.run(words, &variables).unwrap();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
        for secret in ["wJalrXUtnFEMIK7MDENGbPxRfiCYSANDBOXKEY12", "AKIAIOSFODNN7SANDBOX", "let-me-pass"] {
            assert!(!ran.stdout.contains(secret), "{ran}");
        }
    }
    session.check("chain.txt").unwrap();
}

#[test]
fn the_chain_in_json_names_each_sdk_with_its_source() {
    let ran = Session::default().run(&["chain", "--output=json"], &IRSA).unwrap();
    let page: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &page["schema"]), (0, &"credprobe/chain/v1".into()));
    assert!(page["as_of"].as_str().is_some_and(|day| day.len() == "2026-11-21".len()), "{}", page["as_of"]);
    let sdks = page["sdks"].as_array().unwrap();
    assert_eq!(sdks.len(), 24);
    for sdk in sdks {
        assert!(sdk["source"].as_str().is_some_and(|source| !source.is_empty()), "{sdk}");
        assert_eq!(sdk["providers"][0]["provider"], sdk["picks"], "{sdk}");
        let facts = sdk["facts"].as_array().unwrap();
        assert!(
            facts.iter().all(|fact| ["about", "as_of", "source"].iter().all(|key| fact[*key].is_string())),
            "{sdk}"
        );
        assert!(!facts.is_empty(), "{sdk}");
    }
}

#[test]
fn a_process_that_is_not_there_has_no_chain() {
    let ran = Session::default().run(&["chain", "--target-pid=4194303"], &[]).unwrap();
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.stdout.starts_with("# ✗ inconclusive 3: "), "{ran}");
}

#[test]
fn a_class_is_explained_alike_by_id_and_code() {
    let mut session = Session::default();
    for output in ["--output=text", "--output=json"] {
        let by_id = session.run(&["explain", "access-denied", output], &[]).unwrap();
        let by_code = session.run(&["explain", "53", output], &[]).unwrap();
        assert_eq!((by_id.code, by_id.stdout), (0, by_code.stdout));
    }
}

#[test]
fn every_usage_error_is_one_line_and_code_2() {
    let mut session = Session::default();
    for words in [
        &["--nonsense"][..],
        &["check", "--nonsense=1"],
        &["-x"],
        &["frobnicate"],
        &["check", "positional"],
        &["--mechanism=magic"],
        &["--mechanism"],
        &["--role-arn=nonsense"],
        &["--role-arn=arn:aws:iam::814203749616:role:checkout"],
        &["--expect-role=arn:aws:iam::814203749616:user/checkout"],
        &["--no-network=maybe"],
        &["--no-network", "true"],
        &["--no-identity=2"],
        &["--timeout=soon"],
        &["--timeout=0s"],
        &["--timeout=-1s"],
        &["--wait=30"],
        &["chek"],
        &["--wiat=30s"],
        &["--json"],
        &["-v"],
        &["serve", "--wait=30s"],
        &["--mechanism=irs"],
        &["--expect-subject=checkout"],
        &["--expect-subject=system:serviceaccount:checkout"],
        &["--workload=checkout"],
        &["help", "frobnicate"],
        &["completion"],
        &["completion", "bsah"],
        &["trust", "--fix"],
        &["trust", "--audience=x"],
        &["trust", "--subject=shop/checkout", "--report=report.json"],
        &["trust", "--policy=-", "--report=-"],
        &["--timeout=25h"],
        &["--timeout=99999999999999999999s"],
        &["--tolerate=everything"],
        &["--tolerate=access-denied,nonsense"],
        &["--report-only=perhaps"],
        &["--deny-warnings=yes"],
        &["--allow-http=on"],
        &["--as-uid=root"],
        &["--as-uid=4294967295"],
        &["--as-gid=-1"],
        &["--as-groups=1000,,2000"],
        &["--target-pid=0"],
        &["--target-pid=checkout"],
        &["--target-pid=auto", "--as-uid=1000"],
        &["--output=yaml"],
        &["--log-level=verbose"],
        &["explain", "--output=yaml"],
        &["explain", "--nonsense"],
        &["--sdk=cobol"],
        &["chain", "--sdk=cobol"],
        &["chain", "--target-pid=0"],
        &["chain", "--output=yaml"],
        &["chain", "--as-uid=1000"],
        &["chain", "positional"],
        &["judge"],
        &["judge", "a.json", "b.json"],
        &["--output=\u{1b}[31m\u{202e}red\n"],
    ] {
        session.refused(words, &[]).unwrap();
    }
    session.check("usage_errors.txt").unwrap();
}

#[test]
fn a_bad_environment_twin_is_named_in_its_error() {
    let (mut session, mut unnamed) = (Session::default(), Vec::new());
    for (name, value) in [
        ("CREDPROBE_MECHANISM", "magic"),
        ("CREDPROBE_ROLE_ARN", "nonsense"),
        ("CREDPROBE_EXPECT_ROLE", "nonsense"),
        ("CREDPROBE_NO_NETWORK", "maybe"),
        ("CREDPROBE_SDK", "cobol"),
        ("CREDPROBE_TIMEOUT", "soon"),
        ("CREDPROBE_TOLERATE", "everything"),
        ("CREDPROBE_AS_UID", "root"),
        ("CREDPROBE_TARGET_PID", "checkout"),
        ("CREDPROBE_REPORT_ONLY", "perhaps"),
        ("CREDPROBE_OUTPUT", "yaml"),
        ("CREDPROBE_LOG_LEVEL", "verbose"),
        ("CREDPROBE_EXPECT_SUBJECT", "checkout"),
        ("CREDPROBE_WORKLOAD", "checkout"),
    ] {
        let line = session.refused(&[], &[(name, value)]).unwrap();
        unnamed.extend((!line.contains(name)).then_some(line));
    }
    session.check("environment_twins.txt").unwrap();
    assert!(unnamed.is_empty(), "these send the reader to a flag that nobody gave: {unnamed:#?}");
}

#[test]
fn a_file_that_is_no_report_is_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, content) in [
        ("empty.json", String::new()),
        ("prose.json", "no JSON at all".to_owned()),
        ("other.json", r#"{"schema":"credprobe/report/v1"}"#.to_owned()),
        ("deep.json", "[".repeat(100_000)),
        ("deep-object.json", r#"{"verdict":"#.repeat(100_000)),
        ("deep-unknown.json", format!(r#"{{"unknown":{}"#, "[".repeat(100_000))),
        ("large.json", format!(r#"{{"schema":"{}"}}"#, "x".repeat(5 * 1024 * 1024))),
    ] {
        fs::write(folder.join(name), content).unwrap();
    }
    let mut session = Session::default();
    for file in [
        "missing.json",
        ".",
        "empty.json",
        "prose.json",
        "other.json",
        "deep.json",
        "deep-object.json",
        "deep-unknown.json",
        "large.json",
        "-",
    ] {
        session.refused(&["judge", file], &[]).unwrap();
    }
    session.check("judge.txt").unwrap();
}

#[test]
fn a_report_of_another_schema_is_refused() {
    let mut session = Session::default();
    let report = session.run(&["check", "--no-network", "--output=json"], &[]).unwrap();
    let report = report.stdout.replace("credprobe/report/v1", "credprobe/report/v2");
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("v2.json"), report).unwrap();
    session.refused(&["judge", "v2.json"], &[]).unwrap();
}

#[test]
fn switches_that_keep_a_pod_alive_exit_0() {
    let mut session = Session::default();
    for (words, variables) in [
        (&[][..], &[("CREDPROBE_DISABLED", "incident 4711")][..]),
        (&["--nonsense"], &[("CREDPROBE_DISABLED", "\u{1b}[31mred")]),
        (&["--report-only", "--nonsense"], &[]),
        (&["frobnicate", "--report-only"], &[]),
        (&["--nonsense"], &[("CREDPROBE_REPORT_ONLY", "1")]),
        (&["--report-only", "--no-network"], &[]),
        (&["--no-network", "--tolerate=not-injected"], &[]),
        (&["--no-network"], &[("CREDPROBE_TOLERATE", "pod")]),
    ] {
        let ran = session.run(words, variables).unwrap();
        assert_eq!(ran.code, 0, "{ran}");
    }
    // Values that look like switches but do not switch anything off.
    for (words, variables, code) in [
        (&["--no-network"][..], &[("CREDPROBE_DISABLED", "false")][..], 10),
        (&["--report-only=false", "--no-network"], &[("CREDPROBE_REPORT_ONLY", "1")], 10),
        (&["--no-network", "--tolerate=network"], &[], 10),
        (&["--no-network"], &[("CREDPROBE_PORT", "tcp://10.0.0.1:80"), ("CREDPROBE_OUTPUT", "")], 10),
    ] {
        let ran = session.run(words, variables).unwrap();
        assert_eq!(ran.code, code, "{ran}");
    }
}
