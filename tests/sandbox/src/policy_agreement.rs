//! Compares two independent evaluators of trust policies: the sandbox's, which decides what its STS answers, and the probe's,
//! which says why. The policies are random, within the operators that both know.

use crate::policy::{Caller, TrustPolicy};
use credprobe_judge::evidence::{Evidence, Token, TokenShape};
use credprobe_judge::settings::arn::RoleArn;
use credprobe_judge::trust_policy::{Context, Policy, Verdict, evaluate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/5F8C2A91D3E74B06A1B2C3D4E5F60718";
const SUBJECT: &str = "system:serviceaccount:shop:checkout";
const AUDIENCE: &str = "sts.amazonaws.com";
const SESSION: &str = "checkout-7d9c";
const PROVIDER: &str = "arn:aws:iam::814203749616:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/5F8C2A91D3E74B06A1B2C3D4E5F60718";

fn context() -> Context {
    let token = Token {
        shape: TokenShape::Jwt,
        iss: Some(format!("https://{ISSUER}")),
        sub: Some(SUBJECT.to_owned()),
        aud: vec![AUDIENCE.to_owned()],
        namespace: Some("shop".to_owned()),
        service_account: Some("checkout".to_owned()),
        ..Token::default()
    };
    let mut evidence = Evidence { token: Some(token), ..Evidence::default() };
    evidence.environment.options.session_name = Some(SESSION.to_owned());
    let role = RoleArn::parse("arn:aws:iam::814203749616:role/checkout-reader").unwrap();
    Context::of(&evidence, Some(role), 1_764_000_000).unwrap()
}

fn caller() -> Caller {
    Caller::of(PROVIDER)
        .with(&format!("{ISSUER}:sub"), [SUBJECT])
        .with(&format!("{ISSUER}:aud"), [AUDIENCE])
        .with("sts:RoleSessionName", [SESSION])
}

/// The same pod, with its role from EKS Pod Identity. It does not know the cluster's name.
fn context_of_eks() -> Context {
    let token = Token {
        shape: TokenShape::Jwt,
        iss: Some(format!("https://{ISSUER}")),
        sub: Some(SUBJECT.to_owned()),
        aud: vec!["pods.eks.amazonaws.com".to_owned()],
        ..Token::default()
    };
    let mut evidence = Evidence { token: Some(token), ..Evidence::default() };
    evidence.environment.options.mechanism = Some(credprobe_judge::options::Mechanism::PodIdentity);
    let role = RoleArn::parse("arn:aws:iam::814203749616:role/checkout-reader").unwrap();
    Context::of(&evidence, Some(role), 1_764_000_000).unwrap()
}

fn eks() -> Caller {
    Caller::service("pods.eks.amazonaws.com", true)
        .with("aws:SourceArn", ["arn:aws:eks:eu-west-1:814203749616:cluster/prod"])
        .with("aws:SourceAccount", ["814203749616"])
        .with("aws:RequestTag/kubernetes-namespace", ["shop"])
        .with("aws:RequestTag/kubernetes-service-account", ["checkout"])
}

fn any_statement_for_eks() -> impl Strategy<Value = Value> {
    let principals = vec![
        json!({"Service": "pods.eks.amazonaws.com"}),
        json!({"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}),
        json!({"Service": "eks.amazonaws.com"}),
        json!({"Federated": PROVIDER}),
    ];
    let actions = vec![
        json!(["sts:AssumeRole", "sts:TagSession"]),
        json!("sts:*"),
        json!("sts:AssumeRole"),
        json!("sts:TagSession"),
        json!("sts:AssumeRoleWithWebIdentity"),
    ];
    let operators = vec!["StringEquals", "StringLike", "StringNotLike", "ArnLike", "StringNotEquals"];
    let keys = vec![
        "aws:SourceArn",
        "aws:sourceaccount",
        "aws:RequestTag/kubernetes-namespace",
        "aws:RequestTag/kubernetes-service-account",
        "aws:RequestTag/none",
    ];
    let values = vec![
        "arn:aws:eks:eu-west-1:814203749616:cluster/prod",
        "arn:aws:eks:*:814203749616:cluster/*",
        "arn:aws:eks:eu-west-1:814203749616:cluster/dev",
        "arn:aws:eks:eu-west-1:814203749616:podidentityassociation/prod/a-1",
        "arn:aws:eks:*:*:*/pr?d",
        "*",
        "814203749616",
        "shop",
        "checkout",
    ];
    let conditions = vec((select(operators), select(keys), select(values)), 0..3);
    (select(vec!["Allow", "Allow", "Deny"]), select(principals), select(actions), conditions).prop_map(
        |(effect, principal, action, conditions)| {
            let mut statement = json!({"Effect": effect, "Principal": principal, "Action": action});
            for (operator, key, value) in conditions {
                // The two evaluators disagree if a pattern or value is not an ARN. No real policy has that, so it is left out.
                let is_arn = key == "aws:SourceArn" && value.starts_with("arn:");
                let operator = if operator == "ArnLike" && !is_arn { "StringLike" } else { operator };
                statement["Condition"][operator][key] = json!(value);
            }
            statement
        },
    )
}

/// Values that match, that nearly match, and that match only as patterns.
fn any_value() -> impl Strategy<Value = String> {
    let near = [
        SUBJECT,
        AUDIENCE,
        SESSION,
        "system:serviceaccount:shop:*",
        "system:*:check?ut",
        "*",
        "?*",
        "sts.*",
        "checkout-*",
        "STS.amazonaws.com",
        "System:ServiceAccount:Shop:Checkout",
        "system:serviceaccount:shop:payment",
        "",
        "*shop*",
        "?",
    ];
    prop_oneof![6 => select(near.to_vec()).prop_map(str::to_owned), 1 => "[a-c:*?.]{0,6}"]
}

fn any_operator() -> impl Strategy<Value = String> {
    let sets = vec!["", "", "", "ForAnyValue:", "ForAllValues:"];
    let names =
        vec!["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"];
    (select(sets), select(names), select(vec!["", "", "IfExists"]))
        .prop_map(|(set, name, end)| format!("{set}{name}{end}"))
}

fn any_condition() -> impl Strategy<Value = (String, String, Value)> {
    let keys = vec![
        format!("{ISSUER}:sub"),
        format!("{ISSUER}:aud"),
        format!("{ISSUER}:SUB"),
        "sts:RoleSessionName".to_owned(),
        "STS:rolesessionname".to_owned(),
        "sts:ExternalId".to_owned(),
        "oidc.eks.eu-west-1.amazonaws.com/id/0000:sub".to_owned(),
    ];
    (any_operator(), select(keys), vec(any_value(), 1..4))
        .prop_map(|(operator, key, values)| (operator, key, json!(values)))
}

fn any_statement() -> impl Strategy<Value = Value> {
    let principals = vec![
        json!({"Federated": PROVIDER}),
        json!({"Federated": PROVIDER}),
        json!({"Federated": [PROVIDER, "arn:aws:iam::814203749616:oidc-provider/x"]}),
        json!({"Federated": PROVIDER.replace("814203749616", "111122223333")}),
        json!({"Federated": PROVIDER.to_lowercase()}),
        json!({"Service": "pods.eks.amazonaws.com"}),
        json!({"AWS": "arn:aws:iam::814203749616:root"}),
    ];
    let actions = vec![
        json!("sts:AssumeRoleWithWebIdentity"),
        json!("sts:AssumeRoleWithWebIdentity"),
        json!(["sts:TagSession", "STS:assumerolewithwebidentity"]),
        json!("sts:AssumeRole*"),
        json!("sts:AssumeRole"),
        json!("sts:*"),
    ];
    let effects = vec!["Allow", "Allow", "Deny"];
    (select(effects), select(principals), select(actions), vec(any_condition(), 0..4)).prop_map(
        |(effect, principal, action, conditions)| {
            let mut statement = json!({"Effect": effect, "Principal": principal, "Action": action});
            for (operator, key, values) in conditions {
                statement["Condition"][operator][key] = values;
            }
            statement
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn both_evaluators_agree(statements in vec(any_statement(), 0..4)) {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let theirs = TrustPolicy::parse(&document).unwrap();
        let ours = evaluate(&Policy::parse(document.to_string().as_bytes()).unwrap(), &context());
        let expected = if theirs.allows(&caller()) { Verdict::Allows } else { Verdict::Refuses };
        prop_assert_eq!(ours.verdict, expected, "{:#}", document);
    }

    /// Checks only what the pod knows enough about.
    #[test]
    fn both_agree_on_what_eks_presents(statements in vec(any_statement_for_eks(), 0..4)) {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let theirs = TrustPolicy::parse(&document).unwrap();
        let ours = evaluate(&Policy::parse(document.to_string().as_bytes()).unwrap(), &context_of_eks());
        let expected = if theirs.allows(&eks()) { Verdict::Allows } else { Verdict::Refuses };
        prop_assert!(ours.verdict == Verdict::Unknown || ours.verdict == expected, "{:?}: {:#}", ours.verdict, document);
    }
}
