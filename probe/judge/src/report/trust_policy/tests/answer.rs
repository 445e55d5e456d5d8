//! Tests the command from a pod's evidence to text, JSON and exit code.

use super::*;
use crate::evidence::TokenFile;
use crate::options::Output;

const ENCODED: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/5F8C2A91D3E74B06A1B2C3D4E5F60718";

fn run(evidence: Evidence) -> Collected {
    Collected { evidence, seen: true, observed_at: NOW, timings: Vec::new() }
}

fn said(evidence: Evidence, policy: Option<&str>, output: Output) -> (String, u8) {
    let asked = Asked { json: output == Output::Json, ..Asked::default() };
    match answer(run(evidence), policy.map(str::as_bytes), &asked) {
        Answer::Said { text, code } => (text, code),
        other => panic!("{other:?}"),
    }
}

fn usage(evidence: Evidence, policy: &str) -> String {
    match answer(run(evidence), Some(policy.as_bytes()), &Asked::default()) {
        Answer::Usage(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// The output of `aws iam get-role` for a role.
fn of_role(arn: &str, statements: &[serde_json::Value]) -> String {
    let document: serde_json::Value = serde_json::from_str(&document(statements)).unwrap();
    json!({"Role": {"Arn": arn, "AssumeRolePolicyDocument": document}}).to_string()
}

fn wildcard() -> serde_json::Value {
    let mut statement = good_with(
        "Condition",
        json!({"StringEquals": {format!("{ISSUER}:sub"): "system:serviceaccount:shop:*"}}),
    );
    statement["Sid"] = json!("EKS\u{202e}");
    statement
}

#[test]
fn a_policy_that_allows_exits_0() {
    let (text, code) = said(evidence(token()), Some(&document(&[good()])), Output::Text);
    assert_eq!(code, 0);
    assert!(text.starts_with(&format!("allows: statement 1 (Allow) lets {SUBJECT} in\n")), "{text}");
    assert!(!text.contains("update-assume-role-policy"), "{text}");
}

#[test]
fn a_policy_that_refuses_exits_53_and_says_all() {
    let (text, code) = said(evidence(token()), Some(&document(&[wildcard()])), Output::Text);
    assert_eq!(code, 53);
    for part in [
        &format!("refuses: the one Allow statement does not let {SUBJECT} in\n"),
        &format!(
            "\nstatement 1 (Allow, Sid EKS\\u{{202e}}) refuses at Condition StringEquals {ISSUER}:sub\n"
        ),
        &format!("  presented  {SUBJECT}\n"),
        "  required   StringEquals system:serviceaccount:shop:*\n",
        "  slip       StringEquals takes * and ? as they are",
        &format!(
            r#"  corrected  {{"Condition":{{"StringLike":{{"{ISSUER}:sub":"system:serviceaccount:shop:*"}}}}}}"#
        ),
        "aws iam get-role --role-name checkout-reader",
        "aws iam update-assume-role-policy --role-name checkout-reader",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}

#[test]
fn what_cannot_be_told_exits_3() {
    let statement = good_with("Condition", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}));
    let (text, code) = said(evidence(token()), Some(&document(&[statement])), Output::Text);
    assert_eq!(code, 3);
    assert!(text.starts_with("cannot be told: it hangs on statement 1"), "{text}");
    assert!(text.contains("not known: only STS sees where the call comes from"), "{text}");
}

#[test]
fn a_deny_that_matches_is_named() {
    let mut deny = good();
    deny["Effect"] = json!("Deny");
    let (text, code) = said(evidence(token()), Some(&document(&[good(), deny])), Output::Text);
    assert_eq!(code, 53);
    assert!(text.starts_with(&format!("refuses: statement 2 (Deny) denies {SUBJECT}\n")), "{text}");
    assert!(!text.contains("update-assume-role-policy"), "another Allow would not help:\n{text}");
}

#[test]
fn the_json_has_the_fields_of_its_schema() {
    let (text, code) = said(evidence(token()), Some(&document(&[wildcard()])), Output::Json);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 53);
    assert_eq!(report["schema"], SCHEMA);
    assert_eq!(report["result"], "refuses");
    assert_eq!(report["token"], json!({"sub": SUBJECT, "aud": "sts.amazonaws.com", "iss": ENCODED}));
    assert_eq!(report["statements"][0]["outcome"], "refuses");
    assert_eq!(report["statements"][0]["slip"]["id"], "wildcard-in-equals");
    assert_eq!(report["statement_to_add"], good());
}

#[test]
fn without_a_policy_the_statement_is_printed() {
    let (text, code) = said(evidence(token()), None, Output::Text);
    assert_eq!(code, 0);
    assert!(text.starts_with("this statement lets system:serviceaccount:shop:checkout in\n"), "{text}");
    assert!(text.contains(&provider()) && text.contains("checkout-reader-trust-before.json"), "{text}");
    let (text, _) = said(evidence(token()), None, Output::Json);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["result"], &report["statement_to_add"]), (&json!(null), &good()));
}

#[test]
fn a_token_that_cannot_be_judged_is_what_the_check_says() {
    let broken = Token { shape: TokenShape::Segments { count: 1 }, ..Token::default() };
    let legacy = Token { aud: Vec::new(), iss: Some("kubernetes/serviceaccount".to_owned()), ..token() };
    for (token, class) in [(broken, Class::TokenMalformed), (legacy, Class::TokenKindWrong)] {
        for policy in [None, Some(document(&[good()]))] {
            let (text, code) = said(evidence(token.clone()), policy.as_deref(), Output::Text);
            assert_eq!(code, class.code(), "{text}");
            assert!(text.starts_with(&format!("# ✗ {class} ")), "{text}");
        }
    }
    let (text, code) = said(Evidence::default(), None, Output::Text);
    assert_eq!(code, Class::NotInjected.code(), "{text}");
}

#[test]
fn without_a_role_the_check_says_what_is_missing() {
    let mut evidence = evidence(token());
    evidence.environment.variables.remove("AWS_ROLE_ARN");
    assert_eq!(said(evidence, None, Output::Text).1, Class::PartlyInjected.code());
}

#[test]
fn the_role_may_come_with_the_policy() {
    let mut evidence = evidence(token());
    evidence.environment.variables.remove("AWS_ROLE_ARN");
    assert_eq!(said(evidence, Some(&of_role(ROLE, &[good()])), Output::Text).1, 0);
}

#[test]
fn a_role_named_by_its_policy_is_not_what_is_missing() {
    let mut evidence = Evidence::default();
    evidence.environment.options.token_file = Some("/nowhere".to_owned());
    evidence.token_file = Some(TokenFile {
        path: "/nowhere".to_owned(),
        open_error: Some("ENOENT".to_owned()),
        ..TokenFile::default()
    });
    let (text, code) = said(evidence, Some(&of_role(ROLE, &[good()])), Output::Text);
    assert_eq!(code, Class::TokenFileMissing.code(), "{text}");
}

#[test]
fn what_is_to_be_added_is_not_promised_beside_a_deny() {
    let mut deny = good_with("Condition", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}));
    deny["Effect"] = json!("Deny");
    let (text, _) = said(evidence(token()), Some(&document(&[deny])), Output::Text);
    assert!(text.contains("lets the token in once statement 1 (Deny) does not deny it:"), "{text}");
}

#[test]
fn an_expired_token_still_has_claims() {
    let expired = Token { exp: Some(NOW - 1), ..token() };
    assert_eq!(said(evidence(expired), Some(&document(&[good()])), Output::Text).1, 0);
}

#[test]
fn a8_a_role_with_another_path_is_another_arn() {
    let policy = of_role("arn:aws:iam::814203749616:role/team/checkout-reader", &[good()]);
    let (text, code) = said(evidence(token()), Some(&policy), Output::Text);
    assert_eq!(code, 53);
    assert!(
        text.starts_with("refuses: the role is arn:aws:iam::814203749616:role/team/checkout-reader; "),
        "{text}"
    );
    assert!(text.contains("fix:       kubectl annotate serviceaccount -n shop checkout"), "{text}");
}

#[test]
fn another_roles_policy_is_a_mistake_in_the_call() {
    let policy = of_role("arn:aws:iam::814203749616:role/other", &[good()]);
    let problem = usage(evidence(token()), &policy);
    assert!(
        problem.contains("role/other") && problem.contains(ROLE) && problem.contains("AWS_ROLE_ARN"),
        "{problem}"
    );
}

#[test]
fn a_bad_policy_is_one_line() {
    let problem = usage(evidence(token()), "{\n\"Statement\": 1}");
    assert!(problem.starts_with("--policy: ") && problem.contains("line 2"), "{problem}");
}
