//! Tests that words are quoted as a shell reads them, and that no hostile text is a name of any kind.
#![expect(clippy::disallowed_types, reason = "a real shell reads the word back")]

use super::*;
use proptest::prelude::*;

#[test]
fn words_are_quoted_where_they_need_it() {
    assert_eq!(
        Tool::Kubectl.run(words!["get", "it's; rm -rf /"]).as_deref(),
        Some(r"kubectl get 'it'\''s; rm -rf /'")
    );
    assert_eq!(Tool::Kubectl.run(words![""]).as_deref(), Some("kubectl ''"));
    assert_eq!(Tool::Kubectl.run(words!["get", Word::dns("--all")]), None);
}

#[test]
fn a_value_is_a_name_of_its_kind() {
    let longest = "a".repeat(63);
    for (kind, good) in [
        (Word::dns as fn(&str) -> Word, ["checkout", "ip-10-0-1-17.eu-west-1.compute.internal", &longest]),
        (Word::label, ["shop", "kube-system", "9"]),
        (Word::role_name, ["checkout-reader", "a+b=c,d.e@f", "_x"]),
        (Word::region, ["eu-west-1", "us-gov-east-1", "us-isob-east-1"]),
        (Word::partition, ["aws", "aws-cn", "aws-us-gov"]),
        (Word::cluster, ["prod", "Prod_2", "p-1"]),
        (
            Word::issuer,
            ["https://oidc.eks.eu-west-1.amazonaws.com/id/AB", "https://a:8443", "https://a/b_c~d"],
        ),
        (Word::url, ["http://[fd00:ec2::23]/v1/credentials", "http://127.0.0.1:8080/x", "https://a"]),
        (Word::audience, ["sts.amazonaws.com", "https://kubernetes.default.svc", "urn:example:aud"]),
        (Word::host, ["sts.eu-west-1.amazonaws.com", "10.0.0.1", "fd00::1"]),
        (Word::hosts, ["localhost,.svc,*.x,10.0.0.0/8", "a, b", "[::1]"]),
        (Word::variable_name, ["AWS_ROLE_ARN", "no_proxy", "A1"]),
    ] {
        for name in good {
            assert_eq!(kind(name).text(), Some(name));
        }
    }
}

/// Texts that a command must not contain, as any kind of value.
pub(crate) const HOSTILE: &[&str] = &[
    "--all",
    "-A",
    "--kubeconfig=/tmp/x",
    "a;touch x",
    "$(touch x)",
    "`touch x`",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\u{9b}b",
    "a\u{202e}b",
    "a\u{2028}b",
    "a\u{200b}b",
    "р",
    "file:///root/.aws/credentials",
    "fileb:///x",
    "@file",
    "'",
    "\"",
    "../x",
    "a b",
    "https://u:p@h/",
    "https://h/?q",
    "-",
    "a|b",
];

#[test]
fn nothing_hostile_is_a_name_of_any_kind() {
    let kinds: &[fn(&str) -> Word] = &[
        Word::dns,
        Word::label,
        Word::role_name,
        Word::region,
        Word::partition,
        Word::cluster,
        Word::issuer,
        Word::url,
        Word::audience,
        Word::host,
        Word::variable_name,
        Word::sha1,
        Word::account,
        Word::subject,
        Word::issuer_path,
        Word::workload,
        |text| Word::workload(&format!("deployment/{text}")),
        |text| Word::subject(&format!("system:serviceaccount:{text}:a")),
        |text| Word::subject(&format!("system:serviceaccount:a:{text}")),
        |text| Word::role_arn(&format!("arn:aws:iam::814203749616:role/{text}"), true),
        |text| Word::role_arn(&format!("arn:{text}:iam::814203749616:role/a"), true),
        |text| Word::role_arn(&format!("arn:aws:iam::{text}:role/a"), false),
        |text| Word::issuer(&format!("https://{text}/x")),
        |text| Word::issuer(&format!("https://x/{text}\n")),
    ];
    for (index, kind) in kinds.iter().enumerate() {
        for text in HOSTILE.iter().copied().chain([""]).chain(["x".repeat(300).as_str()]) {
            assert_eq!(kind(text), Word::NONE, "kind {index}: {text:?}");
        }
    }
    for text in HOSTILE.iter().filter(|text| **text != "a b") {
        assert_eq!(Word::hosts(text), Word::NONE, "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_shell_reads_back_the_word(word in "[ -~é]{1,40}") {
        let quoted = Part::Text(word.clone()).quoted();
        let output = std::process::Command::new("sh").args(["-c", &format!("printf %s {quoted}")]).output().unwrap();
        prop_assert_eq!(output.stdout, word.into_bytes());
    }
}
