//! Tests `--fix` and stated tokens: whose policy is corrected, and when nothing is printed.

use super::properties::any_statement;
use super::*;
use crate::options::SdkName;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

/// `trust --policy=- --subject=shop/checkout --issuer=https://ISSUER --role-arn=ROLE --fix`.
fn asked() -> Asked {
    Asked {
        subject: "shop/checkout".parse().ok(),
        issuer: Some(format!("https://{ISSUER}")),
        fix: true,
        ..Asked::default()
    }
}

fn of(policy: &str, asked: &Asked) -> Answer {
    let mut evidence = Evidence::default();
    evidence.environment.options.role_arn = Some(ROLE.to_owned());
    evidence.environment.options.sdk = Some(SdkName::Auto);
    let run = Collected { evidence, seen: true, observed_at: NOW, timings: Vec::new() };
    answer(run, Some(policy.as_bytes()), asked)
}

fn printed(policy: &str) -> String {
    match of(policy, &asked()) {
        Answer::Said { text, code: 0 } => text,
        other => panic!("{other:?}"),
    }
}

fn statements(document: &str) -> Vec<Json> {
    match serde_json::from_str::<Json>(document).unwrap()["Statement"].take() {
        Json::Array(all) => all,
        one => vec![one],
    }
}

#[test]
fn one_statement_is_added_and_every_other_letter_kept() {
    let odd = r#"{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"Ops","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"sts:AssumeRole","Condition":{"NumericEquals":{"aws:MultiFactorAuthAge":[1.50,"\u00e9 } ] ,"]}}}}"#;
    let fixed = printed(odd);
    assert!(fixed.contains("1.50") && fixed.contains(r#""\u00e9 } ] ,""#), "{fixed}");
    assert!(
        fixed.find("Version") < fixed.find("Id") && fixed.find("Id") < fixed.find("Statement"),
        "{fixed}"
    );
    assert_eq!(statements(&fixed).len(), 2);
    assert_eq!(statements(&fixed)[0], statements(odd)[0]);
    assert_eq!(statements(&fixed)[1], good());
}

#[test]
fn every_wrapping_comes_off() {
    let bare = document(&[]);
    let expected = printed(&bare);
    assert_eq!(statements(&expected), [good()]);
    let encoded =
        percent_encoding::utf8_percent_encode(&bare, percent_encoding::NON_ALPHANUMERIC).to_string();
    for wrapped in [
        json!({"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": serde_json::from_str::<Json>(&bare).unwrap()}}),
        json!({"Role": {"AssumeRolePolicyDocument": bare}}),
        json!({"AssumeRolePolicyDocument": encoded}),
        json!(bare),
    ] {
        let fixed = printed(&wrapped.to_string());
        assert_eq!(
            serde_json::from_str::<Json>(&fixed).unwrap(),
            serde_json::from_str::<Json>(&expected).unwrap()
        );
    }
    assert_eq!(printed(&encoded), expected);
}

#[test]
fn who_must_not_be_admitted_gets_no_policy() {
    let policy =
        document(&[good_with("Principal", json!({"Federated": provider().replace("5F8C", "0000")}))]);
    let subject = |subject: &str| Asked { subject: subject.parse().ok(), ..asked() };
    for (asked, part) in [
        (subject("shop/default"), "every pod in its namespace"),
        (subject("system:serviceaccount:shop:default"), "every pod in its namespace"),
        (subject("repo:shop/*:ref"), "wildcard"),
        (subject("repo:shop/${aws:username}"), "wildcard"),
        (Asked { audience: Some("*".to_owned()), ..asked() }, "wildcard"),
        (Asked { issuer: Some(format!("https://{ISSUER}*")), ..asked() }, "wildcard"),
        (Asked { issuer: Some(format!("http://{ISSUER}")), ..asked() }, "https://HOST/PATH"),
    ] {
        assert!(matches!(of(&policy, &asked), Answer::Usage(why) if why.contains(part)), "{asked:?}");
    }
    // The same with a policy that already admits it.
    let admits = good_with(
        "Condition",
        json!({"StringLike": {format!("{ISSUER}:sub"): "system:serviceaccount:shop:*"}}),
    );
    assert!(matches!(of(&document(&[admits]), &subject("shop/default")), Answer::Usage(_)));
}

#[test]
fn an_issuer_that_nobody_names_is_not_admitted() {
    let names = document(&[good_with("Action", json!("sts:AssumeRole"))]);
    let other = names.replace(ISSUER, OTHER);
    let of_pod = |policy: &str, asked: &Asked| {
        answer(
            Collected { evidence: evidence(token()), seen: true, observed_at: NOW, timings: Vec::new() },
            Some(policy.as_bytes()),
            asked,
        )
    };
    let fix = Asked { fix: true, ..Asked::default() };
    assert!(matches!(of_pod(&names, &fix), Answer::Said { code: 0, .. }));
    assert!(matches!(of_pod(&other, &fix), Answer::Usage(why) if why.contains("--issuer=https://")));
    let expected = Asked { expect_issuer: Some(format!("https://{ISSUER}")), ..fix };
    assert!(matches!(of_pod(&other, &expected), Answer::Said { code: 0, .. }));
    let pattern = Asked { expect_issuer: Some("https://oidc.eks.*".to_owned()), ..expected };
    assert!(matches!(of_pod(&other, &pattern), Answer::Usage(_)), "a pattern names many issuers");
}

#[test]
fn without_an_issuer_it_is_the_one_that_the_policy_names() {
    let none = Asked { issuer: None, ..asked() };
    let one = good_with("Action", json!("sts:AssumeRole"));
    assert!(matches!(of(&document(std::slice::from_ref(&one)), &none), Answer::Said { code: 0, .. }));
    let other: Json = serde_json::from_str(&one.to_string().replace(ISSUER, OTHER)).unwrap();
    assert!(
        matches!(of(&document(&[one, other]), &none), Answer::Usage(why) if why.contains("names 2 issuers"))
    );
}

#[test]
fn what_a_statement_more_does_not_help_is_refused_with_the_code_of_the_answer() {
    let mut deny = good();
    deny["Effect"] = json!("Deny");
    let by_address = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    let mut unseen_deny = good_with("Condition", by_address.clone());
    unseen_deny["Effect"] = json!("Deny");
    for (statement, class) in [
        (deny, Class::AccessDenied),
        (unseen_deny, Class::AccessDenied),
        (good_with("Condition", by_address), Class::Inconclusive),
    ] {
        let policy = document(&[statement]);
        assert!(matches!(of(&policy, &asked()), Answer::Refused(is, _) if is == class), "{policy}");
    }
    let elsewhere = json!({"Role": {"Arn": ROLE.replace("role/", "role/team/"), "AssumeRolePolicyDocument": document(&[])}});
    assert!(matches!(of(&elsewhere.to_string(), &asked()), Answer::Refused(Class::AccessDenied, _)));
}

#[test]
fn a_stated_subject_is_held_against_the_policy_as_the_token_would_be() {
    let stated = Asked { fix: false, ..asked() };
    assert!(matches!(of(&document(&[good()]), &stated), Answer::Said { code: 0, .. }));
    let other = Asked { subject: "shop/other".parse().ok(), ..stated };
    assert!(
        matches!(of(&document(&[good()]), &other), Answer::Said { code: 53, text } if text.contains("shop:other"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn what_is_printed_admits_keeps_the_others_and_is_final(all in vec(any_statement(), 0..4)) {
        let before = document(&all);
        if let Answer::Said { text, code } = of(&before, &asked()) {
            prop_assert_eq!(code, 0);
            let policy = Policy::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(evaluate(&policy, &context()).verdict, Verdict::Allows);
            let after = statements(&text);
            prop_assert!(after.starts_with(&all) && after.len() <= all.len() + 1);
            prop_assert!(after[all.len()..].iter().all(|added| *added == good()));
            prop_assert_eq!(printed(&text), text);
        } else {
            let context = Context::stated([SUBJECT, ISSUER, AUDIENCE], RoleArn::parse(ROLE).ok(), None, NOW);
            let verdict = evaluate(&policy(&all), &context).verdict;
            prop_assert_ne!(verdict, Verdict::Allows);
            prop_assert!(verdict == Verdict::Unknown || all.iter().any(|it| it["Effect"] == "Deny"));
        }
    }
}
