//! Tests for every policy that the printed statement admits the token.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Statements of a valid form with arbitrary content.
pub(super) fn any_statement() -> impl Strategy<Value = serde_json::Value> {
    let principal = prop_oneof![
        Just(json!("*")),
        Just(json!({"Federated": provider()})),
        ".{0,12}".prop_map(|arn| json!({"Federated": arn})),
        select(vec![json!({"Service": "pods.eks.amazonaws.com"}), json!({"AWS": ["1", "*"]}), json!({})]),
    ];
    let action = prop_oneof![
        Just(json!("sts:AssumeRoleWithWebIdentity")),
        "[a-zA-Z:*?]{0,12}".prop_map(|it| json!(it))
    ];
    let operator = prop_oneof![
        select(vec![
            "StringEquals",
            "StringNotLike",
            "ArnLike",
            "Null",
            "IpAddress",
            "DateLessThan",
            "Bool",
            "NumericEquals"
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    let key = prop_oneof![
        select(vec!["sub", "aud", "oaud", "x"]).prop_map(|claim| format!("{ISSUER}:{claim}")),
        select(vec!["aws:SourceIp", "sts:RoleSessionName", "sts:ExternalId", "oidc.eks:sub", ":sub", "sub:"])
            .prop_map(str::to_owned),
        ".{0,12}",
    ];
    let value = prop_oneof![Just(SUBJECT.to_owned()), "[*?a$\\{\\}:]{0,12}", ".{0,12}"];
    let conditions = vec((operator, key, vec(value, 0..3)), 0..3);
    (select(vec!["Allow", "Deny"]), principal, action, conditions).prop_map(
        |(effect, principal, action, conditions)| {
            let mut statement = json!({"Effect": effect, "Principal": principal, "Action": action});
            for (operator, key, values) in conditions {
                statement["Condition"][operator][key] = json!(values);
            }
            statement
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn the_printed_statement_lets_the_token_in_unless_a_deny_speaks(statements in vec(any_statement(), 0..4)) {
        let before = policy(&statements);
        let (_, report) = about(&before, &context());
        let rendered = text::render(&report);
        prop_assert!(!rendered.chars().any(|c| c.is_control() && c != '\n'), "{}", rendered);
        let denies = |report: &TrustReport| {
            report.statements.iter().any(|it| it.effect == Effect::Deny && it.outcome != "does-not-apply")
        };
        if let Some(statement) = report.statement_to_add.clone() {
            let mut after = statements.clone();
            after.push(statement);
            let (code, after) = about(&policy(&after), &context());
            prop_assert!(denies(&after) || code == 0, "{:?}", after);
            prop_assert!(after.statement_to_add.is_none());
        }
    }

    #[test]
    fn a_correction_lets_its_element_in(statement in any_statement()) {
        let (_, report) = about(&policy(std::slice::from_ref(&statement)), &context());
        let found = &report.statements[0];
        if let (Some(corrected), Some(element)) = (&found.corrected, &found.element) {
            let mut corrected_statement = statement.clone();
            for (name, value) in corrected.as_object().unwrap() {
                corrected_statement[name] = value.clone();
            }
            let (_, again) = about(&policy(&[corrected_statement]), &context());
            prop_assert_ne!(again.statements[0].element.as_ref(), Some(element), "{:?}", found);
        }
    }
}
