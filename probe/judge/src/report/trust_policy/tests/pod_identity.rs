//! Tests `trust` in a pod with EKS Pod Identity: policies compared with what EKS presents to the association's role.

use super::*;

const ASSOCIATION: &str =
    "arn:aws:eks:eu-west-1:814203749616:podidentityassociation/prod/a-9njjin9gfghecgocd";

fn pod() -> Evidence {
    let mut evidence = evidence(Token {
        aud: vec!["pods.eks.amazonaws.com".to_owned()],
        pod_name: Some("checkout-7d9f8b6c5-x2x4q".to_owned()),
        pod_uid: Some("11111111-2222-3333-4444-555555555555".to_owned()),
        ..token()
    });
    let variables = &mut evidence.environment.variables;
    variables.remove("AWS_ROLE_ARN");
    variables.remove("AWS_WEB_IDENTITY_TOKEN_FILE");
    for (name, value) in [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
        ),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    evidence
}

/// The output of `aws iam get-role` for the association's role.
fn role(statements: &[serde_json::Value]) -> String {
    let document: serde_json::Value = serde_json::from_str(&document(statements)).unwrap();
    json!({"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": document}}).to_string()
}

fn said(evidence: Evidence, policy: Option<&str>) -> (serde_json::Value, u8) {
    let run = Collected { evidence, seen: true, observed_at: NOW, timings: Vec::new() };
    let asked = Asked { json: true, ..Asked::default() };
    match answer(run, policy.map(str::as_bytes), &asked) {
        Answer::Said { text, code } => (serde_json::from_str(&text).unwrap(), code),
        other => panic!("{other:?}"),
    }
}

fn statement(element: &str, value: serde_json::Value) -> serde_json::Value {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    });
    statement[element] = value;
    statement
}

fn condition(operator: &str, key: &str, value: &str) -> serde_json::Value {
    statement("Condition", json!({operator: {key: value}}))
}

#[test]
fn what_eks_presents_is_let_in() {
    for held in [
        statement("Sid", json!("Plain")),
        statement("Action", json!("sts:*")),
        condition("StringEquals", "aws:RequestTag/kubernetes-namespace", "shop"),
        condition("StringLike", "aws:requesttag/kubernetes-service-account", "check*"),
        condition(
            "StringEquals",
            "aws:RequestTag/kubernetes-pod-uid",
            "11111111-2222-3333-4444-555555555555",
        ),
        condition("StringEquals", "aws:SourceAccount", "814203749616"),
        condition("ArnLike", "aws:SourceArn", "arn:aws:eks:*:814203749616:cluster/*"),
        condition("StringLike", "aws:SourceArn", "arn:aws:eks:eu-west-1:*"),
        condition(
            "ArnLike",
            "aws:RequestTag/eks-cluster-arn",
            "arn:aws:eks:eu-west-1:814203749616:cluster/*",
        ),
        condition("StringNotEquals", "aws:SourceArn", ASSOCIATION),
        condition("Null", "aws:SourceArn", "false"),
        condition("ForAllValues:StringLike", "aws:TagKeys", "*"),
    ] {
        let (report, code) = said(pod(), Some(&role(std::slice::from_ref(&held))));
        assert_eq!((report["result"].as_str(), code), (Some("allows"), 0), "{held}\n{report:#}");
    }
    let one_each = ["sts:AssumeRole", "sts:TagSession"].map(|action| statement("Action", json!(action)));
    assert_eq!(said(pod(), Some(&role(&one_each))).1, 0, "each action by a statement of its own");
}

#[test]
fn the_element_that_refuses_is_named_with_its_slip() {
    let element = |name: &str, key: &str| format!("Condition {name} {key}");
    for (refused, element, slip) in [
        (good(), "Principal".to_owned(), Some("for-irsa")),
        (statement("Principal", json!({"AWS": ROLE})), "Principal".to_owned(), Some("for-assume-role")),
        (
            statement("Principal", json!({"Service": "eks.amazonaws.com"})),
            "Principal".to_owned(),
            Some("service-misspelt"),
        ),
        (statement("Action", json!("sts:AssumeRole")), "Action".to_owned(), Some("tag-session-missing")),
        (
            statement("Action", json!("sts:AssumeRoleWithWebIdentity")),
            "Action".to_owned(),
            Some("action-of-irsa"),
        ),
        (
            condition("StringEquals", "aws:SourceArn", ASSOCIATION),
            element("StringEquals", "aws:SourceArn"),
            Some("source-arn-of-association"),
        ),
        (
            condition("ArnEquals", "aws:SourceArn", ASSOCIATION),
            element("ArnEquals", "aws:SourceArn"),
            Some("source-arn-of-association"),
        ),
        (
            condition("ArnLike", "aws:SourceArn", "arn:aws:eks:eu-central-1:814203749616:cluster/*"),
            element("ArnLike", "aws:SourceArn"),
            Some("another-cluster"),
        ),
        (
            condition("StringEquals", "aws:SourceAccount", "1"),
            element("StringEquals", "aws:SourceAccount"),
            None,
        ),
        (
            condition("StringEquals", "aws:RequestTag/kubernetes-namespace", "payments"),
            element("StringEquals", "aws:RequestTag/kubernetes-namespace"),
            Some("another-namespace"),
        ),
        (
            condition("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
            element("StringEquals", "aws:PrincipalOrgID"),
            Some("never-in-this-call"),
        ),
        (
            condition("StringEquals", &format!("{ISSUER}:sub"), SUBJECT),
            element("StringEquals", &format!("{ISSUER}:sub")),
            Some("never-in-this-call"),
        ),
    ] {
        let (report, code) = said(pod(), Some(&role(std::slice::from_ref(&refused))));
        assert_eq!((report["result"].as_str(), code), (Some("refuses"), 53), "{refused}\n{report:#}");
        let found = &report["statements"][0];
        assert_eq!(found["element"], json!(element), "{report:#}");
        assert_eq!(found["slip"]["id"].as_str(), slip, "{report:#}");
        assert_eq!(report["commands"], json!([]), "whose role it is nobody knows here:\n{report:#}");
    }
}

#[test]
fn a_slip_is_corrected_where_the_right_value_is_known() {
    for (refused, corrected) in [
        (
            statement("Action", json!("sts:AssumeRole")),
            json!({"Action": ["sts:AssumeRole", "sts:TagSession"]}),
        ),
        (
            condition("ArnEquals", "aws:SourceArn", ASSOCIATION),
            json!({"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:eks:eu-west-1:814203749616:cluster/prod"}}}),
        ),
        (
            condition("StringEquals", "aws:RequestTag/kubernetes-service-account", "payment"),
            json!({"Condition": {"StringEquals": {"aws:RequestTag/kubernetes-service-account": ["payment", "checkout"]}}}),
        ),
    ] {
        let (report, _) = said(pod(), Some(&role(&[refused])));
        assert_eq!(report["statements"][0]["corrected"], corrected, "{report:#}");
    }
}

#[test]
fn a_deny_of_one_action_is_enough_and_what_the_pod_cannot_know_is_said() {
    let mut deny = statement("Action", json!("sts:TagSession"));
    deny["Effect"] = json!("Deny");
    let (report, code) = said(pod(), Some(&role(&[statement("Sid", json!("Plain")), deny])));
    assert_eq!((report["statements"][1]["outcome"].as_str(), code), (Some("denies"), 53), "{report:#}");
    for unknown in [
        condition("ArnEquals", "aws:SourceArn", "arn:aws:eks:eu-west-1:814203749616:cluster/prod"),
        condition("StringEquals", "aws:RequestTag/eks-cluster-name", "prod"),
        condition("StringEquals", "sts:RoleSessionName", "eks-prod-checkout"),
    ] {
        let (report, code) = said(pod(), Some(&role(std::slice::from_ref(&unknown))));
        assert_eq!((report["result"].as_str(), code), (Some("unknown"), 3), "{unknown}\n{report:#}");
    }
}

/// A bare document does not name its role, so the account is unknown. It is refused only for what is wrong in every account.
#[test]
fn a_bare_document_is_refused_by_what_holds_in_every_account() {
    let association = "arn:aws:eks:*:814203749616:podidentityassociation/prod/*";
    let cluster = "arn:aws:eks:*:814203749616:cluster/prod";
    for (held, code) in [
        (condition("ArnLike", "aws:SourceArn", association), 53),
        (condition("ArnLike", "aws:SourceArn", cluster), 3),
        (condition("ArnLike", "aws:SourceArn", "arn:aws:eks:*:*:cluster/*"), 0),
        (condition("ArnLike", "aws:SourceArn", "arn:aws:eks:*:814203749616:cluster/*"), 3),
        (condition("StringLike", "aws:SourceArn", "arn:aws:eks:us-east-1:*"), 53),
        (condition("StringLike", "aws:SourceArn", "arn:aws:eks:*:cluster/*"), 0),
        (condition("StringLike", "aws:SourceArn", "arn:aws:eks:eu-west-1:????????????:cluster/*"), 3),
        (condition("StringEquals", "aws:SourceAccount", "814203749616"), 3),
    ] {
        let (report, found) = said(pod(), Some(&document(std::slice::from_ref(&held))));
        assert_eq!(found, code, "{held}\n{report:#}");
    }
    let (report, _) = said(pod(), Some(&document(&[condition("ArnLike", "aws:SourceArn", association)])));
    assert_eq!(
        report["statements"][0]["corrected"],
        json!({"Condition": {"ArnLike": {"aws:SourceArn": cluster}}}),
        "{report:#}"
    );
}

/// The target of an association is stated, and the policy is that of the association's own role.
#[test]
fn a_stated_target_is_no_other_role_to_ask_for() {
    let mut evidence = pod();
    evidence.environment.options.expect_role = Some("arn:aws:iam::444455556666:role/automation".to_owned());
    let held = condition("StringEquals", "aws:SourceAccount", "814203749616");
    assert_eq!(said(evidence, Some(&role(&[held]))).1, 0);
}

#[test]
fn without_a_policy_the_statement_is_printed_and_no_role_is_changed() {
    let (report, code) = said(pod(), None);
    assert_eq!(code, 0);
    assert_eq!(report["statement_to_add"]["Principal"], json!({"Service": "pods.eks.amazonaws.com"}));
    assert_eq!(report["commands"], json!([]));
    let printed = report["statement_to_add"].clone();
    assert_eq!(said(pod(), Some(&role(&[printed]))).1, 0, "and it lets EKS in");
}

/// There is nothing to compare a policy with; text, document and exit code say so consistently.
#[test]
fn what_cannot_be_judged_is_never_ready() {
    let mut evidence = pod();
    evidence.token.as_mut().unwrap().aud.clear();
    let (report, code) = said(evidence, Some(&role(&[statement("Sid", json!("Plain"))])));
    assert_ne!(code, 0);
    assert_eq!(report["exit_code"], json!(code), "{report:#}");
    assert_ne!(report["verdict"]["class"], json!("ready"), "{report:#}");
}
