//! Flags, twins and usage errors.

use super::*;

fn parsed(args: &[&str], variables: &[(&str, &str)]) -> Result<Parsed, String> {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let variable = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
    };
    parse(&args, &variable).map_err(|error| error.to_string())
}

fn checked(args: &[&str], variables: &[(&str, &str)]) -> Check {
    match parsed(args, variables) {
        Ok(Parsed::Run(Command::Check(check))) => *check,
        Ok(_) => panic!("another command"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_program_is_consistent() {
    program().debug_assert();
}

#[test]
fn check_is_the_default_command() {
    assert!(checked(&["--no-network"], &[]).settings.no_network);
    assert!(!checked(&[], &[]).settings.no_network);
    assert!(checked(&["check", "--no-network"], &[]).settings.no_network);
}

#[test]
fn a_flag_wins_over_its_environment_twin() {
    let twin = [("CREDPROBE_REGION", "eu-west-1"), ("CREDPROBE_NO_NETWORK", "1")];
    assert_eq!(checked(&[], &twin).settings.region.as_deref(), Some("eu-west-1"));
    assert!(checked(&[], &twin).settings.no_network);
    let check = checked(&["--region=us-east-1", "--no-network=false"], &twin);
    assert_eq!(check.settings.region.as_deref(), Some("us-east-1"));
    assert!(!check.settings.no_network);
}

#[test]
fn an_empty_twin_is_unset_and_an_unknown_one_ignored() {
    let twins = [("CREDPROBE_REGION", ""), ("CREDPROBE_PORT", "tcp://10.0.0.1:80")];
    assert_eq!(checked(&[], &twins).settings.region, None);
}

#[test]
fn trust_has_the_check_s_flags_for_role_token_and_session() {
    let trust = |args: &[&str], variables: &[(&str, &str)]| match parsed(args, variables) {
        Ok(Parsed::Run(Command::Trust(trust))) => *trust,
        Ok(_) => panic!("another command"),
        Err(error) => panic!("{error}"),
    };
    let plain = trust(&["trust"], &[]);
    assert_eq!((plain.policy, plain.settings.mechanism), (None, None));
    assert!(plain.settings.no_network, "it never uses the network");
    let twins = [("CREDPROBE_POLICY", "-"), ("CREDPROBE_TOKEN_FILE", "/t"), ("CREDPROBE_OUTPUT", "json")];
    let given = trust(&["trust", "--session-name=x"], &twins);
    assert_eq!(given.policy, Some(PathBuf::from("-")));
    assert_eq!(given.settings.token_file.as_deref(), Some("/t"));
    assert_eq!(given.settings.session_name.as_deref(), Some("x"));
    assert_eq!(given.output, Output::Json);
    assert_eq!(trust(&["trust", "--policy=role.json"], &twins).policy, Some(PathBuf::from("role.json")));
}

#[test]
fn each_usage_error_is_one_line_that_says_what_is_allowed() {
    for (args, variables, part) in [
        (&["--nonsense"][..], &[][..], "--expect-role"),
        (&["--output=yaml"], &[], "allowed are text, json"),
        (&["--mechanism"], &[], "auto, irsa, pod-identity"),
        (&["--no-network=maybe"], &[], "true, false, 1, 0"),
        (&["--timeout=soon"], &[], "250ms, 10s, 2m"),
        (&["--timeout=0s"], &[], "1ms to 1day"),
        (&["--expect-role=x"], &[], "arn:PARTITION:iam::ACCOUNT:role/NAME"),
        (&["--tolerate=everything"], &[], "transient"),
        (&["frobnicate"], &[], "check, explain, judge, trust"),
        (&["trust", "--role-arn=x"], &[], "arn:PARTITION:iam::ACCOUNT:role/NAME"),
        (&["trust", "--region=x"], &[], "--policy --role-arn --token-file"),
        (&["judge"], &[], "REPORT.json"),
        (&[], &[("CREDPROBE_OUTPUT", "yaml")], "CREDPROBE_OUTPUT: `yaml`"),
    ] {
        let error = parsed(args, variables).err().unwrap_or_else(|| panic!("{args:?} was taken"));
        assert!(error.starts_with("usage-error (2): "), "{error}");
        assert!(error.contains(part) && !error.contains('\n'), "{args:?}: {error}");
    }
}

#[test]
fn report_only_is_seen_before_anything_is_parsed() {
    let args = |args: &[&str]| args.iter().map(OsString::from).collect::<Vec<_>>();
    let none = |_: &str| None;
    assert!(is_report_only(&args(&["--report-only", "--nonsense"]), &none));
    assert!(!is_report_only(&args(&["--report-only=false"]), &none));
    let on = |name: &str| (name == "CREDPROBE_REPORT_ONLY").then(|| OsString::from("1"));
    assert!(is_report_only(&args(&[]), &on));
    assert!(!is_report_only(&args(&["--report-only=0"]), &on));
}

#[test]
fn only_a_reason_switches_the_probe_off() {
    for (value, off) in
        [("incident 4711", true), ("1", true), ("0", false), ("False", false), ("", false), ("off", false)]
    {
        let variable = |_: &str| Some(OsString::from(value));
        assert_eq!(disabled(&variable).is_some(), off, "{value}");
    }
}
