//! Tests the rows of `operators.txt`, each with one operator, key and values.
//! `documents` tests whole statements.

use super::*;
use crate::trust_policy::{Value, pattern};

/// With `azp`, so that `oaud` exists and is a set.
fn request() -> Context {
    context_of(Token {
        aud: vec!["api.example.com".to_owned(), "sts.amazonaws.com".to_owned()],
        azp: Some("sts.amazonaws.com".to_owned()),
        ..token()
    })
}

#[test]
fn each_row_holds_as_it_says() {
    let rows = include_str!("operators.txt").lines().filter(|row| !row.is_empty() && !row.starts_with('#'));
    let (mut count, mut wrong) = (0, Vec::new());
    for row in rows {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [operator, key, values, holds] = columns[..] else { panic!("not four columns: {row}") };
        let key = match key {
            "missing" => format!("{OTHER}:sub"),
            "unseen" => "aws:SourceIp".to_owned(),
            key if key.contains(':') => key.to_owned(),
            key => format!("{ISSUER}:{key}"),
        };
        let values: serde_json::Value = serde_json::from_str(values).unwrap();
        let statement = good_with("Condition", json!({operator: {key: values}}));
        let found = match evaluate(&policy(&[statement]), &request()).verdict {
            Verdict::Allows => "yes",
            Verdict::Refuses => "no",
            Verdict::Unknown => "unknown",
        };
        if found != holds {
            wrong.push(format!("{row}: found {found}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 190, "only {count} rows were read");
}

#[test]
fn without_the_version_a_variable_is_text() {
    let condition = json!({"StringEquals": {"aws:RequestedRegion": "${aws:RequestedRegion}"}});
    let old = json!({"Statement": good_with("Condition", condition)}).to_string();
    let policy = Policy::parse(old.as_bytes()).unwrap();
    assert_eq!(evaluate(&policy, &request()).verdict, Verdict::Refuses);
}

#[test]
fn arns_are_compared_part_by_part() {
    let arn =
        |pattern: &str| pattern::Pattern::glob(pattern).matches_arn("arn:aws:iam::814203749616:role/a:b");
    assert!(arn("arn:aws:iam::*:role/*"));
    assert!(arn("arn:*:iam::814203749616:role/?:b"));
    assert!(!arn("arn:aws:*:role/*"));
    assert!(!arn("*"));
}

#[test]
fn a_session_name_that_nobody_set_is_not_known() {
    let mut evidence = evidence(token());
    evidence.environment.variables.remove("AWS_ROLE_SESSION_NAME");
    evidence.environment.variables.remove("AWS_REGION");
    let context = Context::of(&evidence, None, NOW).unwrap();
    for key in ["sts:RoleSessionName", "aws:RequestedRegion", "aws:ResourceAccount"] {
        assert!(matches!(context.value(key), Value::Unknown(_)), "{key}");
    }
}

#[test]
fn a_token_of_unknown_make_may_have_other_claims() {
    let foreign = context_of(Token { service_account: None, ..token() });
    assert!(matches!(foreign.value(&format!("{ISSUER}:amr")), Value::Unknown(_)));
    assert_eq!(context().value(&format!("{ISSUER}:amr")), Value::Absent);
}
