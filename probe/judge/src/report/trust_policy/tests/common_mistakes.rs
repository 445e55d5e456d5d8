//! Tests each common mistake with a policy as people posted it, names changed: it is named, and its correction admits the token.
//! The labels A1 to A13 number the kinds of mistake.

use super::*;

/// Statement, the mistake's id, whether a correction is offered.
type Row = (&'static str, serde_json::Value, Option<&'static str>, bool);

fn federated(arn: &str) -> serde_json::Value {
    good_with("Principal", json!({"Federated": arn}))
}

fn provider_for(issuer: &str) -> serde_json::Value {
    federated(&format!("arn:aws:iam::814203749616:oidc-provider/{issuer}"))
}

fn sub(value: &str) -> serde_json::Value {
    condition("StringEquals", &format!("{ISSUER}:sub"), json!(value))
}

fn aud(value: &str) -> serde_json::Value {
    condition("StringEquals", &format!("{ISSUER}:aud"), json!(value))
}

fn key(issuer: &str) -> serde_json::Value {
    condition("StringEquals", &format!("{issuer}:sub"), json!(SUBJECT))
}

fn condition(operator: &str, key: &str, value: serde_json::Value) -> serde_json::Value {
    good_with("Condition", json!({operator: {key: value}}))
}

const ID: &str = "5F8C2A91D3E74B06A1B2C3D4E5F60718";

fn principals() -> Vec<Row> {
    let account = |account: &str| federated(&format!("arn:aws:iam::{account}:oidc-provider/{ISSUER}"));
    vec![
        ("A6 old cluster", provider_for(OTHER), Some("another-cluster"), false),
        (
            "A6 dual stack",
            provider_for(&format!("oidc-eks.eu-west-1.api.aws/id/{ID}")),
            Some("dual-stack-host"),
            true,
        ),
        (
            "A6 host order",
            provider_for(&format!("oidc.eu-west-1.eks.amazonaws.com/id/{ID}")),
            Some("host-order"),
            true,
        ),
        ("A6 scheme", provider_for(&format!("https://{ISSUER}")), Some("https-in-issuer"), true),
        ("A6 slash", provider_for(&format!("{ISSUER}/")), Some("trailing-slash"), true),
        ("A6 lower case", provider_for(&ISSUER.to_lowercase()), Some("issuer-case"), true),
        (
            "A6 placeholder",
            provider_for("oidc.eks.eu-west-1.amazonaws.com/id/<OIDC_ID>"),
            Some("placeholder"),
            true,
        ),
        (
            "A6 guide's id",
            provider_for("oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"),
            Some("placeholder"),
            true,
        ),
        ("A6 template", provider_for("${module.eks.oidc_provider}"), Some("placeholder"), true),
        ("A6 cut off", provider_for("oidc.eks.eu-west-1.amazonaws.com"), Some("issuer-truncated"), true),
        (
            "A6 region",
            provider_for(&format!("oidc.eks.us-east-1.amazonaws.com/id/{ID}")),
            Some("issuer-host"),
            true,
        ),
        ("A6 GitHub's", provider_for("token.actions.githubusercontent.com"), Some("another-issuer"), false),
        ("A7 account", account("111122223333"), Some("provider-account"), true),
        (
            "A7 partition",
            federated(&format!("arn:aws-cn:iam::814203749616:oidc-provider/{ISSUER}")),
            Some("provider-partition"),
            true,
        ),
        ("no ARN", federated(ISSUER), Some("federated-is-no-arn"), true),
        ("a URL", federated(&format!("https://{ISSUER}")), Some("federated-is-no-arn"), true),
        ("a blank", federated(&format!("{} ", provider())), Some("white-space"), true),
        ("SAML", federated("arn:aws:iam::814203749616:saml-provider/okta"), None, false),
        (
            "A10 Pod Identity",
            good_with("Principal", json!({"Service": "pods.eks.amazonaws.com"})),
            Some("for-pod-identity"),
            false,
        ),
        (
            "A10 EC2",
            good_with("Principal", json!({"Service": "ec2.amazonaws.com"})),
            Some("for-a-service"),
            false,
        ),
        (
            "A10 account",
            good_with("Principal", json!({"AWS": "arn:aws:iam::111122223333:root"})),
            Some("for-assume-role"),
            false,
        ),
        ("A10 call", good_with("Action", json!("sts:AssumeRole")), Some("action-assume-role"), true),
        (
            "A10 calls",
            good_with("Action", json!(["sts:AssumeRole", "sts:TagSession"])),
            Some("action-assume-role"),
            true,
        ),
        ("A10 SAML", good_with("Action", json!("sts:AssumeRoleWithSAML")), Some("action-saml"), true),
        (
            "no service",
            good_with("Action", json!("AssumeRoleWithWebIdentity")),
            Some("action-without-service"),
            true,
        ),
        (
            "misspelt",
            good_with("Action", json!("sts:AssumeRoleWithWebIdentities")),
            Some("action-misspelt"),
            true,
        ),
        ("a blank", good_with("Action", json!("sts:AssumeRoleWithWebIdentity ")), Some("white-space"), true),
        ("another", good_with("Action", json!("sts:TagSession")), None, false),
    ]
}

fn conditions() -> Vec<Row> {
    vec![
        ("A1 no prefix", sub("shop:checkout"), Some("subject-form"), true),
        ("A1 with a slash", sub("shop/checkout"), Some("subject-form"), true),
        ("A1 half a prefix", sub("serviceaccount:shop:checkout"), Some("subject-form"), true),
        ("A1 the name only", sub("checkout"), Some("subject-form"), true),
        ("A1 swapped", sub("system:serviceaccount:checkout:shop"), Some("subject-swapped"), true),
        ("A1 case", sub("system:serviceaccount:Shop:checkout"), Some("value-case"), true),
        ("A1 another name", sub("system:serviceaccount:shop:payment"), Some("another-service-account"), true),
        (
            "A1 another namespace",
            sub("system:serviceaccount:default:checkout"),
            Some("another-namespace"),
            true,
        ),
        ("A1 both", sub("system:serviceaccount:default:payment"), Some("another-service-account"), true),
        ("A1 a blank", sub(&format!("{SUBJECT} ")), Some("white-space"), true),
        ("A1 placeholder", sub("system:serviceaccount:<NAMESPACE>:<SA>"), Some("placeholder"), true),
        ("A3", sub("system:serviceaccount:shop:*"), Some("wildcard-in-equals"), true),
        (
            "A3 set",
            condition(
                "ForAnyValue:StringEqualsIfExists",
                &format!("{ISSUER}:sub"),
                json!(["system:*:check?ut"]),
            ),
            Some("wildcard-in-equals"),
            true,
        ),
        ("A3 of others", sub("system:serviceaccount:other:*"), Some("another-namespace"), true),
        (
            "ArnLike",
            condition("ArnLike", &format!("{ISSUER}:sub"), json!("system:serviceaccount:shop:*")),
            Some("arn-operator"),
            true,
        ),
        ("A4 aud", aud(SUBJECT), Some("keys-swapped"), true),
        ("A4 sub", sub("sts.amazonaws.com"), Some("keys-swapped"), true),
        ("A5 China", aud("sts.amazonaws.com.cn"), Some("wrong-audience"), true),
        ("A5 EC2", aud("ec2.amazonaws.com"), Some("wrong-audience"), true),
        ("A5 a blank", aud("sts.amazonaws.com "), Some("white-space"), true),
        (
            "A6 cut off",
            condition("StringEquals", "oidc.eks:sub", json!(SUBJECT)),
            Some("issuer-truncated"),
            true,
        ),
        ("A6 ARN as key (karpenter 1666)", key(&provider()), Some("key-is-provider-arn"), true),
        (
            "A6 ARN and more",
            condition("StringLike", &format!("{}:sub", provider()), json!("shop:checkout")),
            Some("key-is-provider-arn"),
            true,
        ),
        ("A6 scheme", key(&format!("https://{ISSUER}")), Some("https-in-issuer"), true),
        ("A6 slash", key(&format!("{ISSUER}/")), Some("trailing-slash"), true),
        (
            "A6 host order",
            key(&format!("oidc.eu-west-1.eks.amazonaws.com/id/{ID}")),
            Some("host-order"),
            true,
        ),
        ("A6 placeholder", key("<OIDC_PROVIDER>"), Some("placeholder"), true),
        ("A6 template", key("${OIDC}"), Some("placeholder"), true),
        ("A6 old cluster", key(OTHER), Some("another-cluster"), false),
        ("A6 no issuer", condition("StringEquals", "sub", json!(SUBJECT)), Some("key-without-issuer"), true),
        (
            "existence",
            condition("Null", &format!("https://{ISSUER}:aud"), json!("false")),
            Some("https-in-issuer"),
            true,
        ),
        ("A13", condition("StringEquals", "sts:ExternalId", json!("4711")), Some("external-id"), false),
        (
            "A13 organization",
            condition("StringEquals", "aws:PrincipalOrgID", json!("o-a")),
            Some("never-in-this-call"),
            false,
        ),
        ("A13 session", condition("StringEquals", "sts:RoleSessionName", json!("other")), None, false),
        (
            "no claim",
            condition("StringEquals", &format!("{ISSUER}:namespace"), json!("shop")),
            Some("no-such-claim"),
            false,
        ),
        ("on purpose", condition("StringNotEquals", &format!("{ISSUER}:sub"), json!(SUBJECT)), None, false),
    ]
}

/// The statement with the corrected element.
fn put_in(mut statement: serde_json::Value, corrected: &serde_json::Value) -> serde_json::Value {
    for (element, value) in corrected.as_object().unwrap() {
        statement[element] = value.clone();
    }
    statement
}

fn check(rows: Vec<Row>) {
    for (name, statement, id, offered) in rows {
        let parsed = policy(std::slice::from_ref(&statement));
        let (code, report) = about(&parsed, &context());
        let found = &report.statements[0];
        assert_eq!((code, found.outcome), (53, "refuses"), "{name}: {found:?}");
        assert_eq!(found.slip.as_ref().map(|slip| slip.id), id, "{name}: {found:?}");
        assert_eq!(found.corrected.is_some(), offered, "{name}: {found:?}");
        if let Some(corrected) = &found.corrected {
            let corrected = put_in(statement, corrected);
            let verdict = evaluate(&policy(std::slice::from_ref(&corrected)), &context()).verdict;
            assert_eq!(verdict, Verdict::Allows, "{name}: {corrected}");
        }
    }
}

#[test]
fn slips_in_principals_and_actions_are_named_and_corrected() {
    check(principals());
}

/// One key each, so that only the correction is missing.
#[test]
fn slips_in_conditions_are_named_and_corrected() {
    check(conditions());
}

/// The sandbox uses the example id of the EKS user guide as its own.
#[test]
fn the_tokens_own_issuer_is_no_placeholder() {
    let example = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
    let context = context_of(Token { iss: Some(format!("https://{example}")), ..token() });
    for (written, slip) in [
        (format!("https://{example}"), "https-in-issuer"),
        (example.replace("EXAMPLED", "<ID>"), "placeholder"),
        (ISSUER.to_owned(), "another-cluster"),
    ] {
        let principal = json!({"Federated": provider().replace(ISSUER, &written)});
        let (_, report) = about(&policy(&[good_with("Principal", principal)]), &context);
        assert_eq!(report.statements[0].slip.as_ref().map(|slip| slip.id), Some(slip), "{written}");
    }
}

#[test]
fn a2_a_pod_without_its_service_account_is_corrected_in_the_pod() {
    let context = context_of(Token {
        sub: Some("system:serviceaccount:shop:default".to_owned()),
        service_account: Some("default".to_owned()),
        ..token()
    });
    let (_, report) = about(&policy(&[good()]), &context);
    let found = &report.statements[0];
    assert_eq!(found.slip.as_ref().map(|slip| slip.id), Some("pod-runs-as-default"));
    assert_eq!(found.corrected, None);
}

#[test]
fn a5_an_unusual_token_is_corrected_at_the_token() {
    let context = context_of(Token { aud: vec!["vault".to_owned()], ..token() });
    let (_, report) = about(&policy(&[aud("sts.amazonaws.com")]), &context);
    let found = &report.statements[0];
    assert_eq!(found.slip.as_ref().map(|slip| slip.id), Some("unusual-token"));
    assert_eq!(found.corrected, None);
}

#[test]
fn a_value_that_others_need_stays_beside_the_new_one() {
    let (_, report) = about(&policy(&[sub("system:serviceaccount:shop:payment")]), &context());
    let values = &report.statements[0].corrected.as_ref().unwrap()["Condition"]["StringEquals"];
    assert_eq!(values[format!("{ISSUER}:sub")], json!(["system:serviceaccount:shop:payment", SUBJECT]));
}

#[test]
fn a_corrected_condition_keeps_the_others() {
    let both = json!({"StringEquals": {format!("{ISSUER}:sub"): "system:serviceaccount:shop:*", format!("{ISSUER}:aud"): "sts.amazonaws.com"}});
    let (_, report) = about(&policy(&[good_with("Condition", both)]), &context());
    let corrected = report.statements[0].corrected.as_ref().unwrap();
    assert_eq!(corrected["Condition"]["StringEquals"], json!({format!("{ISSUER}:aud"): "sts.amazonaws.com"}));
    assert_eq!(corrected["Condition"]["StringLike"][format!("{ISSUER}:sub")], "system:serviceaccount:shop:*");
}

#[test]
fn all_that_refuses_after_the_first_is_listed() {
    let mut statement = provider_for(OTHER);
    statement["Action"] = json!("sts:AssumeRole");
    let (_, report) = about(&policy(&[statement]), &context());
    assert_eq!(report.statements[0].element.as_deref(), Some("Principal"));
    assert_eq!(report.statements[0].then, ["Action"]);
}
