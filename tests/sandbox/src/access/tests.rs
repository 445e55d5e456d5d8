//! IAM's evaluation: which policy refuses, in AWS's words, and how a session policy limits a resource's own policy.

use serde_json::{Value, json};

use super::policy::{Applying, Asking, Denial, Policy};
use super::*;

const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";
const SESSION: &str = "arn:aws:sts::814203749616:assumed-role/checkout-reader/pod";
const BUCKET: &str = "arn:aws:s3:::orders";

fn policy(statements: Value) -> Policy {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn statement(effect: &str) -> Policy {
    policy(json!({"Effect": effect, "Action": "s3:ListBucket", "Resource": BUCKET}))
}

fn asking<'a>(action: &'a str, resource: &'a str) -> Asking<'a> {
    let account = "814203749616";
    Asking {
        action,
        resource,
        session: SESSION,
        role: ROLE,
        account,
        owner: account,
        needs_resource_policy: false,
        resource_suffices: false,
    }
}

fn decided(applying: &Applying<'_>) -> Result<(), Denial> {
    applying.decide(&asking("s3:ListBucket", BUCKET))
}

#[test]
fn each_kind_refuses_in_aws_words() {
    let (allow, deny) = (statement("Allow"), statement("Deny"));
    let other = policy(json!({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}));
    let (allows, denies, others) = ([allow.clone()], [deny.clone()], [other.clone()]);
    let healthy = || Applying { identity: Some(&allow), ..Applying::default() };
    assert_eq!(decided(&healthy()), Ok(()));
    for (applying, told) in [
        (
            Applying { identity: Some(&other), ..healthy() },
            "because no identity-based policy allows the s3:ListBucket action",
        ),
        (
            Applying { identity: Some(&deny), ..healthy() },
            "with an explicit deny in an identity-based policy",
        ),
        (
            Applying { boundary: Some(&other), ..healthy() },
            "because no permissions boundary allows the s3:ListBucket action",
        ),
        (Applying { boundary: Some(&deny), ..healthy() }, "with an explicit deny in a permissions boundary"),
        (
            Applying { service_control: &others, ..healthy() },
            "because no service control policy allows the s3:ListBucket action",
        ),
        (
            Applying { service_control: &denies, ..healthy() },
            "with an explicit deny in a service control policy",
        ),
        (
            Applying { resource_control: &denies, ..healthy() },
            "with an explicit deny in a resource control policy",
        ),
        (
            Applying { vpc_endpoint: Some(&other), ..healthy() },
            "because no VPC endpoint policy allows the s3:ListBucket action",
        ),
        (
            Applying { vpc_endpoint: Some(&deny), ..healthy() },
            "with an explicit deny in a VPC endpoint policy",
        ),
        (
            Applying { session: Some(&other), ..healthy() },
            "because no session policy allows the s3:ListBucket action",
        ),
        (Applying { session: Some(&deny), ..healthy() }, "with an explicit deny in a session policy"),
    ] {
        assert_eq!(decided(&applying), Err(Denial::Told(told.into())));
    }
    assert_eq!(decided(&Applying { service_control: &allows, ..healthy() }), Ok(()));
}

fn resource(principal: &str) -> Policy {
    policy(json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "s3:*", "Resource": BUCKET}))
}

/// Why credprobe's session policy denies explicitly: a resource policy that names the session overrides an implicit denial.
#[test]
fn a_resource_policy_that_names_the_session_does_not_get_through_the_probes_session_policy() {
    let named = resource(SESSION);
    let role = resource(ROLE);
    let missing = policy(json!({"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": "*"}));
    fn by(resource: &Policy, session: &Policy) -> bool {
        let nothing = policy(json!([]));
        let applying = Applying {
            identity: Some(&nothing),
            resource: Some(resource),
            session: Some(session),
            ..Applying::default()
        };
        decided(&applying).is_ok()
    }
    assert!(by(&named, &missing), "left out alone, it does not bind");
    assert!(!by(&role, &missing), "the role's own name is bound by it");
    let own = |pairs: &[(&str, &str)]| {
        let text = credprobe_judge::access_calls::session_policy::of(pairs);
        Policy::parse(&serde_json::from_str(&text).unwrap()).unwrap()
    };
    for pairs in [
        &[("sqs:GetQueueUrl", "arn:aws:sqs:eu-west-1:814203749616:jobs")][..],
        &[("s3:ListBucket", "arn:aws:s3:::other")],
        &[("ec2:DescribeInstances", "*")],
    ] {
        assert!(!by(&named, &own(pairs)), "{pairs:?}");
    }
    assert!(by(&named, &own(&[("s3:ListBucket", BUCKET)])), "what was stated is allowed");
}

#[test]
fn another_accounts_resource_needs_both_sides_and_says_no_reason() {
    let (allow, root) = (statement("Allow"), resource("arn:aws:iam::814203749616:root"));
    let foreign = Asking { owner: "600000000006", ..asking("s3:ListBucket", BUCKET) };
    let by = |identity, resource| Applying { identity, resource, ..Applying::default() }.decide(&foreign);
    let nothing = policy(json!([]));
    assert_eq!(by(Some(&allow), Some(&root)), Ok(()));
    assert_eq!(by(Some(&allow), None), Err(Denial::Untold));
    assert_eq!(by(Some(&nothing), Some(&root)), Err(Denial::Untold));
}

#[test]
fn a_key_needs_its_own_policy_to_hand_over() {
    let (allow, elsewhere) = (
        policy(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
        resource("arn:aws:iam::600000000006:root"),
    );
    let key = Asking { needs_resource_policy: true, ..asking("s3:ListBucket", BUCKET) };
    let root = resource("arn:aws:iam::814203749616:root");
    let by = |resource| Applying { identity: Some(&allow), resource, ..Applying::default() }.decide(&key);
    assert_eq!(by(Some(&root)), Ok(()));
    let told = "because no resource-based policy allows the s3:ListBucket action";
    assert_eq!(by(Some(&elsewhere)), Err(Denial::Told(told.into())));
}

#[test]
fn hosts_of_services_exist_where_sts_does() {
    let of = |host| Service::of(host).map(|service| (service.name, service.region));
    assert_eq!(of("s3.eu-west-1.amazonaws.com"), Some(("s3", "eu-west-1".to_owned())));
    assert_eq!(of("kms.cn-north-1.amazonaws.com.cn"), Some(("kms", "cn-north-1".to_owned())));
    for host in [
        "sts.eu-west-1.amazonaws.com",
        "s3.eu-west-9.amazonaws.com",
        "sns.eu-west-1.amazonaws.com",
        "s3.amazonaws.com",
    ] {
        assert_eq!(of(host), None, "{host}");
    }
}
