//! Tests policies in every wrapping, policies that IAM would refuse, and the result of whole statements.

use super::*;
use crate::trust_policy::POLICY_LIMIT;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[test]
fn each_wrapping_gives_the_same_policy() {
    let bare = document(&[good()]);
    let object: serde_json::Value = serde_json::from_str(&bare).unwrap();
    let role = |document: serde_json::Value| json!({"Role": {"RoleName": "x", "Arn": ROLE, "AssumeRolePolicyDocument": document, "MaxSessionDuration": 3600}});
    for (text, role_arn) in [
        (bare.clone(), None),
        (format!("\u{feff}\n {bare}\n"), None),
        (encoded(&bare), None),
        (json!(bare).to_string(), None),
        (json!(encoded(&bare)).to_string(), None),
        (json!({"Version": "2012-10-17", "Statement": good()}).to_string(), None),
        (role(object.clone()).to_string(), Some(ROLE)),
        (role(json!(encoded(&bare))).to_string(), Some(ROLE)),
        (role(json!(bare)).to_string(), Some(ROLE)),
        (role(object.clone())["Role"].to_string(), Some(ROLE)),
        (json!({"AssumeRolePolicyDocument": object}).to_string(), None),
    ] {
        let parsed = Policy::parse(text.as_bytes()).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(parsed.role_arn.as_deref(), role_arn, "{text}");
        assert_eq!(evaluate(&parsed, &context()).verdict, Verdict::Allows, "{text}");
    }
}

#[test]
fn each_text_that_is_no_policy_says_where() {
    let spoiled = |element: &str, value: serde_json::Value| document(&[good_with(element, value)]);
    for (text, part) in [
        (String::new(), "empty"),
        ("Version: 2012-10-17".to_owned(), "line 1 column 1"),
        ("{\"Version\": \"2012-10-17\",\n \"Statement\": [}".to_owned(), "line 2 column"),
        ("{}".to_owned(), "no Statement"),
        ("[]".to_owned(), "aws iam get-role"),
        ("%zz".to_owned(), "not URL-encoded"),
        ("%ff".to_owned(), "not of UTF-8"),
        (json!("%7B").to_string(), "inside the encoded document"),
        (json!({"Version": "2012-10-18", "Statement": []}).to_string(), "2012-10-17 and 2008-10-17"),
        (spoiled("Effect", json!("allow")), "`Allow` or `Deny`"),
        (spoiled("Resource", json!("*")), "statement 1 has a Resource"),
        (spoiled("NotAction", json!("*")), "both Action and NotAction"),
        (spoiled("Principal", json!(null)), "neither Principal nor NotPrincipal"),
        (spoiled("Principal", json!(ROLE)), "only `*`"),
        (spoiled("Conditions", json!({})), "unknown field `Conditions`"),
        (spoiled("Condition", json!({"StringEquals": "x"})), "an object"),
        (spoiled("Condition", json!({"StringEquals": {"a": null}})), "a string or a list of strings"),
        (r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"StringEquals":{"a":"b"},"StringEquals":{"c":"d"}}}}"#.to_owned(), "`StringEquals` stands here twice"),
        (r#"{"Statement":{"Effect":"Allow","Effect":"Deny"}}"#.to_owned(), "duplicate field `Effect`"),
        ("x".repeat(POLICY_LIMIT + 1), "longer than 131072 bytes"),
        (document(&vec![good(); 201]), "201 statements"),
        ("[".repeat(10_000), "aws iam get-role"),
    ] {
        let problem = Policy::parse(text.as_bytes()).err().unwrap_or_else(|| panic!("{text} was taken"));
        assert!(problem.contains(part) && !problem.contains('\n'), "{text}: {problem}");
    }
    assert!(Policy::parse(b"\xff\xfe{").is_err_and(|problem| problem.contains("UTF-8 at byte 0")));
}

#[test]
fn principals_and_actions_match_as_iam_has_them() {
    let federated = |arn: &str| json!({"Federated": arn});
    let refused = Verdict::Refuses;
    for (element, value, verdict) in [
        ("Principal", json!("*"), Verdict::Allows),
        ("Principal", json!({"AWS": "*"}), Verdict::Allows),
        ("Principal", json!({"AWS": ["*"], "Service": "ec2.amazonaws.com"}), Verdict::Allows),
        ("Principal", federated(&provider()), Verdict::Allows),
        ("Principal", json!({"Service": "x", "Federated": ["a", provider()]}), Verdict::Allows),
        ("Principal", federated("*"), Verdict::Unknown),
        ("Principal", federated(&provider().to_lowercase()), refused),
        ("Principal", federated(&format!("arn:aws:iam::814203749616:oidc-provider/{OTHER}")), refused),
        ("Principal", federated(&format!("arn:aws-cn:iam::814203749616:oidc-provider/{ISSUER}")), refused),
        ("Principal", federated(&format!("arn:aws:iam::000000000000:oidc-provider/{ISSUER}")), refused),
        (
            "Principal",
            federated(&format!("arn:aws:iam::814203749616:oidc-provider/{}*", &ISSUER[..40])),
            refused,
        ),
        ("Principal", json!({"AWS": "arn:aws:iam::814203749616:root"}), refused),
        ("Principal", json!({"AWS": "814203749616"}), refused),
        ("Principal", json!({"Service": "pods.eks.amazonaws.com"}), refused),
        ("Principal", json!({"Federated": []}), refused),
        ("Principal", json!({}), refused),
        ("Action", json!("STS:assumerolewithwebidentity"), Verdict::Allows),
        ("Action", json!(["sts:TagSession", "sts:AssumeRoleWithWebIdentity"]), Verdict::Allows),
        ("Action", json!("sts:AssumeRole*"), Verdict::Allows),
        ("Action", json!("sts:*WebIdentit?"), Verdict::Allows),
        ("Action", json!("*"), Verdict::Allows),
        ("Action", json!("sts:AssumeRole"), refused),
        ("Action", json!([]), refused),
        ("Condition", json!({}), Verdict::Allows),
        ("Condition", json!(null), Verdict::Allows),
    ] {
        let evaluation = evaluate(&policy(&[good_with(element, value.clone())]), &context());
        assert_eq!(evaluation.verdict, verdict, "{element}: {value}");
    }
}

/// The statement with the negated element in place of `element`.
fn negated(element: &str, value: serde_json::Value) -> serde_json::Value {
    let mut statement = good();
    statement.as_object_mut().unwrap().remove(element);
    statement[format!("Not{element}")] = value;
    statement
}

#[test]
fn a_negated_element_matches_all_others() {
    for (statement, verdict) in [
        (negated("Principal", json!({"Federated": provider()})), Verdict::Refuses),
        (negated("Principal", json!({"AWS": "arn:aws:iam::814203749616:root"})), Verdict::Allows),
        (negated("Principal", json!("*")), Verdict::Refuses),
        (negated("Action", json!("sts:AssumeRole")), Verdict::Allows),
        (negated("Action", json!("sts:*")), Verdict::Refuses),
    ] {
        assert_eq!(
            evaluate(&policy(std::slice::from_ref(&statement)), &context()).verdict,
            verdict,
            "{statement}"
        );
    }
}

#[test]
fn a_deny_that_matches_wins_and_one_that_does_not_is_nothing() {
    let deny = |condition: serde_json::Value| {
        let mut statement = good_with("Condition", condition);
        statement["Effect"] = json!("Deny");
        statement["Principal"] = json!("*");
        statement
    };
    let on = |operator: &str, key: &str, value: &str| json!({operator: {key: value}});
    let sub = format!("{ISSUER}:sub");
    for (condition, verdict) in [
        (on("StringEquals", &sub, SUBJECT), Verdict::Refuses),
        (on("StringNotEquals", &sub, SUBJECT), Verdict::Allows),
        (on("StringNotLike", "sts:RoleSessionName", "checkout-*"), Verdict::Allows),
        (on("StringNotLike", "sts:RoleSessionName", "other-*"), Verdict::Refuses),
        (on("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"), Verdict::Unknown),
        (on("StringNotEquals", &format!("{OTHER}:sub"), "x"), Verdict::Refuses),
    ] {
        for statements in [[good(), deny(condition.clone())], [deny(condition.clone()), good()]] {
            assert_eq!(evaluate(&policy(&statements), &context()).verdict, verdict, "{condition}");
        }
        // Without an Allow there is no doubt.
        let alone = evaluate(&policy(&[deny(condition.clone())]), &context());
        assert_eq!(alone.verdict, Verdict::Refuses, "{condition}");
    }
}

#[test]
fn one_allow_is_enough_and_what_refuses_beats_what_is_not_known() {
    let unknown = good_with("Condition", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}));
    let refused = good_with("Action", json!("sts:AssumeRole"));
    let both = good_with(
        "Condition",
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"sts:ExternalId": "x"}}),
    );
    for (statements, verdict) in [
        (vec![refused.clone(), good()], Verdict::Allows),
        (vec![unknown.clone(), good()], Verdict::Allows),
        (vec![unknown.clone(), refused], Verdict::Unknown),
        (vec![unknown], Verdict::Unknown),
        (vec![both], Verdict::Refuses),
        (vec![], Verdict::Refuses),
    ] {
        assert_eq!(evaluate(&policy(&statements), &context()).verdict, verdict, "{statements:?}");
    }
}

#[test]
fn without_a_role_the_account_is_not_known() {
    let context = Context::of(&evidence(token()), None, NOW).unwrap();
    assert_eq!(evaluate(&policy(&[good()]), &context).verdict, Verdict::Unknown);
    let other = good_with(
        "Principal",
        json!({"Federated": format!("arn:aws:iam::814203749616:oidc-provider/{OTHER}")}),
    );
    assert_eq!(evaluate(&policy(&[other]), &context).verdict, Verdict::Refuses);
}
