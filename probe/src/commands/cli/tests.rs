//! Tests of flags, environment twins and usage errors.

use super::*;
use crate::serve::options::{ConditionType, Listen};
use crate::serve::readiness::Mode;

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
fn every_command_is_consistent() {
    for command in flags::COMMANDS {
        clap_command(command).debug_assert();
    }
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
    assert!(given.asked.json);
    assert_eq!(trust(&["trust", "--policy=role.json"], &twins).policy, Some(PathBuf::from("role.json")));
}

#[test]
fn each_usage_error_is_one_line_that_says_what_is_allowed() {
    for (args, variables, part) in [
        (&["--nonsense"][..], &[][..], "`credprobe help check` lists its flags"),
        (&["--wiat=30s"], &[], "--wiat is not a flag of check; did you mean --wait?"),
        (&["--json"], &[], "did you mean --output=json?"),
        (&["-v"], &[], "did you mean --log-level=info?"),
        (&["--expect-rol", "x"], &[], "did you mean --expect-role?"),
        (&["--output=yaml"], &[], "allowed are text, json"),
        (&["--mechanism"], &[], "auto, irsa, pod-identity"),
        (&["--mechanism=irs"], &[], "did you mean irsa? allowed are auto, irsa, pod-identity"),
        (&["--sdk=bottocore"], &[], "did you mean botocore?"),
        (&["--wait=30"], &[], "did you mean 30s?"),
        (&["--expect-subject=checkout"], &[], "allowed are NAMESPACE/NAME"),
        (&["--workload=db"], &[], "KIND/NAME"),
        (&[], &[("CREDPROBE_EXPECT_SUBJECT", "checkout")], "CREDPROBE_EXPECT_SUBJECT: `checkout`"),
        (&["positional"], &[], "`positional` is not a command"),
        (&["check", "positional"], &[], "`positional` is one word too many; check takes only flags"),
        (&["chek"], &[], "did you mean credprobe check?"),
        (&["help", "exlpain"], &[], "did you mean credprobe explain?"),
        (&["completion"], &[], "completion needs bash|zsh|fish"),
        (&["completion", "zhs"], &[], "did you mean zsh?"),
        (&["--no-network=maybe"], &[], "true, false, 1, 0"),
        (&["--timeout=soon"], &[], "250ms, 10s, 2m"),
        (&["--timeout=0s"], &[], "1ms to 1day"),
        (&["--expect-role=x"], &[], "iam::ACCOUNT:role/NAME"),
        (&["--tolerate=everything"], &[], "transient"),
        (&["frobnicate"], &[], "`credprobe help` lists the commands"),
        (&["serve", "--target-pid=1"], &[], "it is a flag of check and chain"),
        (&["serve", "--listen=localhost"], &[], "0.0.0.0:9809"),
        (&["serve", "--listen=:70000"], &[], "0.0.0.0:9809"),
        (&["serve", "--admin-listen=0.0.0.0:9810"], &[], "only 127.0.0.1 and [::1]"),
        (&["serve", "--admin-listen=127.0.0.2:9810"], &[], "only 127.0.0.1 and [::1]"),
        (
            &["status"],
            &[("CREDPROBE_ADMIN_LISTEN", "10.0.0.1:9810")],
            "CREDPROBE_ADMIN_LISTEN: `10.0.0.1:9810`",
        ),
        (&["serve", "--interval=0s"], &[], "1ms to 1day"),
        (&["serve", "--exchange-interval=999ms"], &[], "1s to 1day"),
        (&["serve", "--readiness=never"], &[], "hold, strict, startup"),
        (&["serve", "--readiness-gate=Ready"], &[], "kubelet keeps that condition"),
        (&["serve", "--readiness-gate=Credentials"], &[], "credprobe.dev/CredentialsUsable"),
        (&["serve", "--readiness-gate=pods.k8s.io/Mine"], &[], "Kubernetes's own"),
        (&["serve", "--readiness-gate=Example.com/Mine"], &[], "not a domain"),
        (&["serve", "--readiness-gate=example.com/a/b"], &[], "not a condition's name"),
        (&["serve", "--readiness-gate=example.com/"], &[], "not a condition's name"),
        (&["serve", "--metrics=all"], &[], "basic, full"),
        (&["trust", "--role-arn=x"], &[], "iam::ACCOUNT:role/NAME"),
        (&["trust", "--region=x"], &[], "it is a flag of check and serve"),
        (&["trust", "--fix"], &[], "--policy"),
        (&["trust", "--fix", "--policy=-"], &[], "--role-arn"),
        (&["trust", "--subject=a/b", "--report=x"], &[], "give one of them"),
        (&["trust", "--policy=-", "--report=-"], &[], "only one"),
        (&["trust", "--audience=x"], &[], "--subject"),
        (&["judge"], &[], "REPORT.json"),
        (&[], &[("CREDPROBE_OUTPUT", "yaml")], "CREDPROBE_OUTPUT: `yaml`"),
    ] {
        let error = parsed(args, variables).err().unwrap_or_else(|| panic!("{args:?} was taken"));
        assert!(error.starts_with("usage-error (2): "), "{error}");
        assert!(error.contains(part) && !error.contains('\n'), "{args:?}: {error}");
    }
}

fn text(args: &[&str]) -> String {
    match parsed(args, &[]) {
        Ok(Parsed::Print(text)) => text,
        _ => panic!("{args:?}: nothing is printed"),
    }
}

#[test]
fn help_is_the_same_by_each_name_and_fits_a_terminal() {
    for names in [&[&["--help"][..], &["-h"], &["help"]][..], &[&["--version"], &["-V"], &["version"]]] {
        let all: Vec<String> = names.iter().map(|args| text(args)).collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    }
    for command in flags::COMMANDS {
        let help = text(&["help", command.name]);
        if command.name != "help" {
            assert_eq!(text(&[command.name, "--help"]), help);
        }
        for line in help.lines().chain(text(&["help"]).lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(help.contains("\nExample:\n  "), "{help}");
        let groups: Vec<&str> = command.flags().map(|flag| flag.group).collect();
        let runs = groups.chunk_by(|one, next| one == next).count();
        let distinct: std::collections::BTreeSet<&&str> = groups.iter().collect();
        assert_eq!(runs, distinct.len(), "{}: a group stands twice", command.name);
    }
    assert!(!text(&["help"]).contains("access-denied"), "the codes are explain's");
}

#[test]
fn every_example_of_the_help_is_taken() {
    for command in flags::COMMANDS {
        let Some((_, call)) = command.example.rsplit_once("credprobe ") else { continue };
        let words: Vec<&str> = call.trim_end_matches(')').split(' ').collect();
        assert!(parsed(&words, &[]).is_ok(), "{}", command.example);
    }
}

#[test]
fn a_flag_stands_once_for_a_command() {
    for command in flags::COMMANDS {
        let mut names: Vec<&str> = command.flags().map(|flag| flag.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}", command.name);
    }
}

#[test]
fn the_output_has_a_letter() {
    for args in [&["-o", "json"][..], &["-ojson"], &["-o=json"], &["check", "--output", "json"]] {
        assert_eq!(checked(args, &[("CREDPROBE_OUTPUT", "text")]).output, Output::Json, "{args:?}");
    }
    let error = parsed(&["-o", "yaml"], &[("CREDPROBE_OUTPUT", "text")]).err().unwrap();
    assert!(error.contains("--output: `yaml`"), "{error}");
}

#[test]
fn a_workload_is_kept_for_the_report() {
    let check = checked(&[], &[("CREDPROBE_WORKLOAD", "sts/db")]);
    assert_eq!(
        check.settings.workload.map(|workload| workload.to_string()).as_deref(),
        Some("statefulset/db")
    );
}

#[test]
fn a_variable_that_nearly_is_a_twin_is_told() {
    let warnings = |names: &[&str]| misspelt_twins(names.iter().map(OsString::from));
    assert_eq!(
        warnings(&["CREDPROBE_WIAT", "PATH"]),
        ["CREDPROBE_WIAT is ignored: no flag has this name; did you mean CREDPROBE_WAIT?"]
    );
    assert!(warnings(&["CREDPROBE_DISABELD"])[0].contains("CREDPROBE_DISABLED"));
    assert_eq!(
        warnings(&[
            "CREDPROBE_PORT",
            "CREDPROBE_PORT_9809_TCP_ADDR",
            "CREDPROBE_SERVICE_HOST",
            "CREDPROBE_SERVICE_PORT_METRICS",
            "CREDPROBE_WAIT",
            "CREDPROBE_LISTEN",
            "CREDPROBE_DISABLED",
            "CREDPROBE_SOMETHING_ELSE",
        ]),
        [""; 0]
    );
}

fn served(args: &[&str], variables: &[(&str, &str)]) -> Serve {
    match parsed(args, variables) {
        Ok(Parsed::Run(Command::Serve(serve))) => *serve,
        Ok(_) => panic!("another command"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn serve_has_the_contracts_defaults() {
    let serve = served(&["serve"], &[]);
    assert_eq!(serve.listen, Listen { address: "[::]:9809".parse().unwrap(), by_default: true });
    assert_eq!(serve.admin_listen, "127.0.0.1:9810".parse().unwrap());
    assert_eq!(serve.schedule.interval, Duration::from_secs(15));
    assert_eq!(serve.schedule.exchange_interval, Duration::from_secs(3600));
    assert_eq!(serve.hold, Duration::from_secs(900));
    assert_eq!(serve.readiness, Mode::Hold);
    assert!(serve.gate.is_none() && !serve.full_metrics && !serve.report_only);
}

#[test]
fn serve_takes_flags_and_twins() {
    let twins =
        [("CREDPROBE_LISTEN", ":8080"), ("CREDPROBE_READINESS", "strict"), ("CREDPROBE_WAIT", "soon")];
    let gate = "--readiness-gate=credprobe.dev/CredentialsUsable";
    let serve = served(&["serve", gate, "--admin-listen=[::1]:1", "--expect-subject=shop/checkout"], &twins);
    assert_eq!(serve.listen, Listen { address: "[::]:8080".parse().unwrap(), by_default: false });
    assert_eq!(serve.admin_listen, "[::1]:1".parse().unwrap());
    assert_eq!(serve.readiness, Mode::Strict);
    assert_eq!(serve.gate.as_ref().map(ConditionType::as_str), Some("credprobe.dev/CredentialsUsable"));
    assert_eq!(serve.settings.expect_subject, "shop/checkout".parse().ok());
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

#[test]
fn a_text_to_explain_arrives_whole_and_the_pods_role_with_it() {
    let asked = |args: &[&str], variables: &[(&str, &str)]| match parsed(args, variables) {
        Ok(Parsed::Run(Command::Explain(asked))) => asked,
        Ok(_) => panic!("another command"),
        Err(error) => panic!("{error}"),
    };
    let role = "arn:aws:iam::814203749616:role/checkout-reader";
    let text = r#"Get "https://user:word@sts.amazonaws.com/?timeout=32s#a": dial tcp: eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJh: i/o timeout"#;
    let whole = asked(&["explain", text], &[("AWS_ROLE_ARN", role), ("CREDPROBE_OUTPUT", "json")]);
    assert_eq!(whole.text.as_deref(), Some(text));
    assert_eq!((whole.expect_role.as_deref(), whole.output), (Some(role), Output::Json));
    let words = asked(&["explain", "Unable", "to", "locate", "credentials", "--output=json"], &[]);
    assert_eq!((words.text.as_deref(), words.expect_role), (Some("Unable to locate credentials"), None));
    let other = "arn:aws:iam::814203749616:role/checkout-writer";
    let twin = [("AWS_ROLE_ARN", role), ("CREDPROBE_EXPECT_ROLE", other)];
    assert_eq!(asked(&["explain", "-"], &twin).expect_role.as_deref(), Some(other));
    assert_eq!(asked(&["explain"], &[]).text, None);
    assert_eq!(asked(&["explain", " "], &[]).text, None);
    assert!(parsed(&["explain", "-", "--expect-role=nonsense"], &[]).is_err());
}

#[test]
fn a_cluster_needs_exactly_one_server_and_its_ca() {
    let in_cluster = ["--cluster=prod", "--cluster-endpoint=in-cluster"];
    for (args, problem) in [
        (&["--cluster=prod"][..], "--cluster: no server is stated"),
        (&["--cluster=prod", "--context=a"], "--context: it needs --kubeconfig"),
        (&["--cluster=prod", "--cluster-endpoint=https://a"], "--cluster-endpoint: it needs --cluster-ca"),
        (
            &["--cluster=prod", "--cluster-endpoint=http://a", "--cluster-ca=b"],
            "--cluster-endpoint: it is not allowed",
        ),
        (
            &["--cluster=prod", "--kubeconfig=a", "--cluster-endpoint=in-cluster"],
            "--cluster-endpoint: --kubeconfig states",
        ),
        (&["--cluster=prod", "--kubeconfig=a", "--cluster-ca=b"], "--cluster-ca: --kubeconfig states"),
        (&["--kubeconfig=a"], "--kubeconfig: it needs --cluster"),
        (&["--expect-kubernetes-access=list:pods"], "--expect-kubernetes-access: it needs --cluster"),
        (
            &["--cluster=prod", "--kubeconfig=a", "--expect-kubernetes-access=pods"],
            "--expect-kubernetes-access: `pods` is not allowed",
        ),
        (
            &[
                "--cluster=prod",
                "--kubeconfig=a",
                "--expect-kubernetes-access=a:b a:b a:b a:b a:b a:b a:b a:b a:b",
            ],
            "there are 9",
        ),
    ] {
        match parsed(args, &[]) {
            Err(error) => assert!(error.contains(problem), "{args:?}: {error}"),
            Ok(_) => panic!("{args:?} is taken"),
        }
    }
    for args in [
        &in_cluster[..],
        &["--cluster=prod", "--cluster-endpoint=https://a:8443", "--cluster-ca=b"],
        &["--cluster=prod", "--kubeconfig=a", "--context=b"],
    ] {
        assert_eq!(checked(args, &[]).settings.cluster.as_deref(), Some("prod"), "{args:?}");
    }
    let twins = [
        ("CREDPROBE_CLUSTER", "prod"),
        ("CREDPROBE_CLUSTER_ENDPOINT", "in-cluster"),
        ("CREDPROBE_EXPECT_KUBERNETES_ACCESS", "a:b c:d"),
    ];
    assert_eq!(checked(&[], &twins).settings.expect_kubernetes_access, ["a:b", "c:d"]);
    let repeated = ["--expect-kubernetes-access=e:f", "--expect-kubernetes-access=g:h i:j"];
    assert_eq!(
        checked(&repeated, &twins).settings.expect_kubernetes_access,
        ["e:f", "g:h", "i:j"],
        "the flag wins"
    );
}
