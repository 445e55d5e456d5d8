//! Trust policies, each with a caller that it admits and one that it does not.
//! The reference is IAM's own description of condition evaluation.

use serde_json::json;

use super::*;

const ISS: &str = "oidc.eks.eu-west-1.amazonaws.com/id/X";
const PROVIDER: &str = "arn:aws:iam::814203749616:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/X";

fn caller(sub: &str) -> Caller {
    Caller::of(PROVIDER)
        .with(&format!("{ISS}:sub"), [sub])
        .with(&format!("{ISS}:aud"), ["sts.amazonaws.com"])
        .with("sts:RoleSessionName", ["session"])
}

fn policy(statement: Value) -> TrustPolicy {
    TrustPolicy::parse(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap()
}

fn allow(condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": ACTION, "Condition": condition})
}

fn on_sub(operator: &str, values: Value) -> Value {
    allow(json!({operator: {format!("{ISS}:sub"): values}}))
}

/// The condition, a subject that passes and one that does not.
#[test]
fn each_operator_lets_one_in_and_keeps_another_out() {
    for (operator, values, passes, fails) in [
        ("StringEquals", json!("a:b"), "a:b", "a:c"),
        ("StringEquals", json!(["a:b", "c"]), "c", "A:b"),
        ("StringEquals", json!("a:*"), "a:*", "a:b"),
        ("StringNotEquals", json!(["a", "b"]), "c", "b"),
        ("StringEqualsIgnoreCase", json!("A:b"), "a:B", "a:c"),
        ("StringLike", json!("a:*:c?"), "a:b:x:c1", "a:b:c"),
        ("StringNotLike", json!("a*"), "b", "ab"),
        ("ForAnyValue:StringEquals", json!("a"), "a", "b"),
        ("ForAllValues:StringLike", json!("a*"), "ab", "b"),
        ("ForAnyValue:StringNotEquals", json!("a"), "b", "a"),
        ("StringEqualsIfExists", json!("a"), "a", "b"),
    ] {
        let policy = policy(on_sub(operator, values));
        assert!(policy.allows(&caller(passes)), "{operator} {passes}");
        assert!(!policy.allows(&caller(fails)), "{operator} {fails}");
    }
}

#[test]
fn an_absent_key_passes_only_where_iam_says_so() {
    for (operator, passes) in [
        ("StringEquals", false),
        ("StringLike", false),
        ("StringNotEquals", true),
        ("StringNotLike", true),
        ("StringEqualsIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ForAnyValue:StringNotEquals", false),
        ("ForAnyValue:StringEqualsIfExists", true),
    ] {
        let policy = policy(allow(json!({operator: {"sts:ExternalId": "x"}})));
        assert_eq!(policy.allows(&caller("a")), passes, "{operator}");
    }
}

#[test]
fn for_all_values_on_an_empty_list_passes_and_for_any_value_does_not() {
    let nobody = || Caller::of(PROVIDER).with("k", Vec::<String>::new());
    assert!(policy(allow(json!({"ForAllValues:StringEquals": {"k": "x"}}))).allows(&nobody()));
    assert!(!policy(allow(json!({"ForAnyValue:StringEquals": {"k": "x"}}))).allows(&nobody()));
}

#[test]
fn every_value_must_pass_for_all_and_one_for_any() {
    let both = || Caller::of(PROVIDER).with("k", ["x", "y"]);
    assert!(!policy(allow(json!({"ForAllValues:StringEquals": {"k": "x"}}))).allows(&both()));
    assert!(policy(allow(json!({"ForAllValues:StringEquals": {"k": ["x", "y"]}}))).allows(&both()));
    assert!(policy(allow(json!({"ForAnyValue:StringEquals": {"k": "x"}}))).allows(&both()));
}

#[test]
fn an_explicit_deny_wins() {
    let mut deny = on_sub("StringEquals", json!("bad"));
    deny["Effect"] = json!("Deny");
    let policy = policy(json!([on_sub("StringLike", json!("*")), deny]));
    assert!(policy.allows(&caller("good")));
    assert!(!policy.allows(&caller("bad")));
}

#[test]
fn all_conditions_of_a_statement_must_hold() {
    let condition = json!({
        "StringEquals": {format!("{ISS}:sub"): "a", format!("{ISS}:aud"): "sts.amazonaws.com"},
        "StringLike": {"sts:RoleSessionName": "other-*"},
    });
    assert!(!policy(allow(condition)).allows(&caller("a")));
}

#[test]
fn principal_and_action_must_match() {
    let mut statement = on_sub("StringEquals", json!("a"));
    for (action, passes) in [
        (json!("sts:*"), true),
        (json!("*"), true),
        (json!(["sts:TagSession", "STS:assumerolewithwebidentity"]), true),
        (json!("sts:AssumeRole"), false),
    ] {
        statement["Action"] = action.clone();
        assert_eq!(policy(statement.clone()).allows(&caller("a")), passes, "{action}");
    }
    statement["Action"] = json!("*");
    for (principal, passes) in [
        (json!({"Federated": [PROVIDER, "x"]}), true),
        (json!({"Federated": PROVIDER.to_lowercase()}), false),
        (json!({"Service": "pods.eks.amazonaws.com"}), false),
    ] {
        statement["Principal"] = principal.clone();
        assert_eq!(policy(statement.clone()).allows(&caller("a")), passes, "{principal}");
    }
}

#[test]
fn condition_keys_have_no_case() {
    let policy = policy(allow(json!({"StringEquals": {format!("{}:SUB", ISS.to_uppercase()): "a"}})));
    assert!(policy.allows(&caller("a")));
}

#[test]
fn what_is_not_known_is_refused() {
    let mut not_action = on_sub("StringEquals", json!("a"));
    not_action["NotAction"] = json!("x");
    let mut principal = on_sub("StringEquals", json!("a"));
    principal["Principal"] = json!("*");
    for statement in [
        on_sub("IpAddress", json!("10.0.0.0/8")),
        on_sub("ForSomeValues:StringEquals", json!("a")),
        on_sub("StringEquals", json!("${aws:username}")),
        not_action,
        principal,
    ] {
        assert!(TrustPolicy::parse(&json!({"Statement": statement})).is_err(), "{statement}");
    }
}

#[test]
fn wildcards_cover_any_run_and_any_one() {
    assert!(wildcard("*", ""));
    assert!(wildcard("a*b*c", "a--b--b-c"));
    assert!(wildcard("ä?", "äö"));
    assert!(!wildcard("?", ""));
    assert!(!wildcard("a*b", "a-c"));
}

#[test]
fn a_service_needs_each_of_its_actions() {
    let statement = |effect: &str, action: Value| json!({"Effect": effect, "Principal": {"Service": "x.amazonaws.com"}, "Action": action});
    let service = || Caller::service("x.amazonaws.com", true);
    assert!(policy(statement("Allow", json!(["sts:AssumeRole", "sts:TagSession"]))).allows(&service()));
    assert!(!policy(statement("Allow", json!("sts:AssumeRole"))).allows(&service()));
    let apart = [statement("Allow", json!("sts:AssumeRole")), statement("Allow", json!("sts:TagSession"))];
    assert!(policy(json!(apart)).allows(&service()));
    let denied = [statement("Allow", json!("sts:*")), statement("Deny", json!("sts:TagSession"))];
    assert!(!policy(json!(denied)).allows(&service()));
    assert!(!policy(statement("Allow", json!("sts:*"))).allows(&Caller::of("x.amazonaws.com")));
}

#[test]
fn an_arns_parts_are_matched_one_by_one() {
    let lets = |pattern: &str| {
        let statement = json!({
            "Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:*",
            "Condition": {"ArnLike": {"aws:SourceArn": pattern}},
        });
        policy(statement)
            .allows(&Caller::service("x", true).with("aws:SourceArn", ["arn:aws:eks:r:1:cluster/a"]))
    };
    assert!(lets("arn:aws:eks:*:1:cluster/*"));
    assert!(!lets("arn:aws:eks:*:cluster/a"));
    assert!(!lets("arn:*"));
}

const SOURCE: &str = "arn:aws:iam::814203749616:role/checkout-reader";

#[test]
fn a_role_is_named_itself_or_by_its_account() {
    let names = |principal: &str, role: &str| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:*"});
        policy(statement).allows(&Caller::role(role, true))
    };
    for principal in [SOURCE, "arn:aws:iam::814203749616:root", "814203749616", "*"] {
        assert!(names(principal, SOURCE), "{principal}");
    }
    for principal in
        ["arn:aws:iam::814203749616:role/other", "arn:aws:iam::444455556666:root", "444455556666"]
    {
        assert!(!names(principal, SOURCE), "{principal}");
    }
    assert!(!names("arn:aws:iam::814203749616:root", "arn:aws-cn:iam::814203749616:role/checkout-reader"));
}

#[test]
fn a_role_that_tags_needs_the_second_action_and_one_that_does_not_only_the_first() {
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": SOURCE}, "Action": "sts:AssumeRole"});
    assert!(policy(statement.clone()).allows(&Caller::role(SOURCE, false)));
    assert!(!policy(statement).allows(&Caller::role(SOURCE, true)));
}

#[test]
fn what_a_role_may_do_is_said_by_action_and_resource() {
    const TARGET: &str = "arn:aws:iam::444455556666:role/automation";
    let may = |statement: Value| {
        let policy =
            IdentityPolicy::parse(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap();
        policy.allows(&Caller::role(SOURCE, true), TARGET)
    };
    let grant = |effect: &str, action: Value, resource: &str| json!({"Effect": effect, "Action": action, "Resource": resource});
    let both = json!(["sts:AssumeRole", "sts:TagSession"]);
    assert!(may(grant("Allow", both.clone(), TARGET)));
    assert!(may(grant("Allow", json!("sts:*"), "arn:aws:iam::444455556666:role/*")));
    assert!(!may(grant("Allow", json!("sts:AssumeRole"), "*")));
    assert!(!may(grant("Allow", both.clone(), SOURCE)));
    assert!(!may(json!([grant("Allow", both, "*"), grant("Deny", json!("sts:TagSession"), "*")])));
    for unknown in [
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}),
        json!({"Effect": "Allow", "NotAction": "*", "Resource": "*"}),
        json!({"Effect": "Perhaps", "Action": "*", "Resource": "*"}),
    ] {
        assert!(IdentityPolicy::parse(&json!({"Statement": unknown})).is_err(), "{unknown}");
    }
}
