//! Tests that no row of the table writes anything or reads data; tests the syntax and the session policy.

use super::*;
use crate::evidence::StsError;
use crate::options::Options;
use proptest::prelude::*;

fn stated(text: &str) -> Stated {
    Stated::parse(text).unwrap()
}

#[test]
fn the_syntax_splits_where_names_do_not() {
    let role = "arn:aws:iam::814203749616:role/a=b@c.d@eu-west";
    let bucket = "arn:aws:s3:::orders";
    for (text, resource, region) in [
        (format!("sts:AssumeRole={role}"), role, None),
        (format!("sts:AssumeRole={role}@eu-west-1"), role, Some("eu-west-1")),
        (format!("s3:ListBucket={bucket}@cn-north-1"), bucket, Some("cn-north-1")),
        ("ec2:DescribeInstances=*@us-east-1".to_owned(), "*", Some("us-east-1")),
    ] {
        let stated = stated(&text);
        assert_eq!((stated.resource.as_str(), stated.region.as_deref()), (resource, region), "{text}");
    }
    for bad in [
        "s3:ListBucket",
        "ListBucket=arn:aws:s3:::orders",
        "s3:List*=arn:aws:s3:::orders",
        "s3:ListBucket=orders",
        "s3:ListBucket=arn:aws:s3:::orders*",
        "s3:ListBucket=arn:aws:s3:::${aws:username}",
        "s3:ListBucket=arn:aws:s3:::o?",
        "s3:ListBucket=arn:aws:s3",
        "s3:ListBucket=arn:aws:s3:::a\"b",
        "s3:ListBucket=",
        "s3:ListBucket=arn:aws:s3:::--all",
        "s3:ListBucket=arn:aws:s3:::../up",
        "kms:Decrypt=arn:aws:kms:eu-west-1:--all:key/x",
        "kms:Decrypt=arn:aws:kms:eu-west-1:814203749616:fileb:///etc/passwd",
        "sts:AssumeRole=arn:@x:iam::814203749616:role/x",
        "=arn:aws:s3:::orders",
        "sqs:GetQueueUrl=arn:aws:sqs:eu-west-1:814203749616:q@us-east-1",
    ] {
        assert!(Stated::parse(bad).is_err(), "{bad}");
    }
}

/// Whether the call changes nothing and reads no data.
fn is_safe(call: &SafeCall) -> bool {
    let header = |name: &str, value: &str| call.headers.contains(&(name, value));
    let about = |operation: &str| header("x-amz-target", operation);
    match call.service {
        "s3" => call.method == "GET" && call.path_and_query.ends_with("max-keys=0"),
        "sqs" => about("AmazonSQS.GetQueueAttributes") || about("AmazonSQS.GetQueueUrl"),
        "dynamodb" => about("DynamoDB_20120810.DescribeTable"),
        "kms" => call.body.contains(r#""DryRun":true"#),
        "lambda" => header("x-amz-invocation-type", "DryRun") && call.body.is_empty(),
        "ec2" => call.body.contains("&DryRun=true&"),
        "sts" => call.body.starts_with("Action=AssumeRole&") && call.body.ends_with("&Policy={deny-all%}"),
        _ => false,
    }
}

#[test]
fn every_row_reads_and_changes_nothing_and_says_whence_it_is_known() {
    for call in CALLS {
        assert!(is_safe(call), "{call:?}");
        assert!(!call.source.is_empty() && call.as_of.len() == 7, "{call:?}");
        assert_eq!(call.action.split(':').next(), Some(call.service), "{call:?}");
        assert_eq!(SafeCall::of(call.action), Some(call), "two rows of {}", call.action);
    }
    for writes in [
        SafeCall { headers: &[("x-amz-invocation-type", "Event")], ..CALLS[7].clone_for_test() },
        SafeCall { body: "Action=TerminateInstances&Version=2016-11-15", ..CALLS[8].clone_for_test() },
        SafeCall { method: "PUT", ..CALLS[0].clone_for_test() },
    ] {
        assert!(!is_safe(&writes), "{writes:?}");
    }
}

impl SafeCall {
    const fn clone_for_test(&self) -> Self {
        Self { ..*self }
    }
}

fn sts() -> Endpoint {
    let url = "https://sts.eu-west-1.amazonaws.com".to_owned();
    let host = "sts.eu-west-1.amazonaws.com".to_owned();
    Endpoint { url, host, signing_region: "eu-west-1".to_owned(), configured_by: None, global: false }
}

fn plan(text: &str, variables: &[(&str, &str)], compatible: bool) -> Result<Ask, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options =
        Options { expect_access: vec![text.to_owned()], sts_compatible: compatible, ..Options::default() };
    let environment = Environment { variables, options, ..Environment::default() };
    let role = RoleArn::parse("arn:aws:iam::814203749616:role/checkout-reader").unwrap();
    planned(&environment, &sts(), Some(&role), "credprobe").remove(0).ask
}

#[test]
fn requests_go_to_the_partitions_own_endpoint_of_the_service() {
    for (text, host, contains) in [
        ("s3:ListBucket=arn:aws:s3:::orders", "s3.eu-west-1.amazonaws.com", "/orders?list-type=2&max-keys=0"),
        ("s3:listbucket=arn:aws:s3:::orders@us-east-2", "s3.us-east-2.amazonaws.com", "/orders?"),
        (
            "sqs:GetQueueAttributes=arn:aws:sqs:eu-central-1:814203749616:jobs",
            "sqs.eu-central-1.amazonaws.com",
            "https://sqs.eu-central-1.amazonaws.com/814203749616/jobs",
        ),
        (
            "dynamodb:DescribeTable=arn:aws:dynamodb:eu-west-1:814203749616:table/t",
            "dynamodb.eu-west-1.amazonaws.com",
            "table/t",
        ),
        (
            "lambda:InvokeFunction=arn:aws:lambda:eu-west-1:814203749616:function:f",
            "lambda.eu-west-1.amazonaws.com",
            "functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A814203749616%3Afunction%3Af/invocations",
        ),
        ("ec2:DescribeInstances=*", "ec2.eu-west-1.amazonaws.com", "DryRun=true"),
        (
            "sts:AssumeRole=arn:aws:iam::600000000006:role/a/b+c",
            "sts.eu-west-1.amazonaws.com",
            "RoleArn=arn%3Aaws%3Aiam%3A%3A600000000006%3Arole%2Fa%2Fb%2Bc&RoleSessionName=credprobe&Policy=%7B%22Version",
        ),
    ] {
        let ask = plan(text, &[], false).unwrap();
        assert_eq!(ask.host, host, "{text}");
        assert!(format!("{} {}", ask.path_and_query, ask.body).contains(contains), "{text}: {ask:?}");
        assert!(!format!("{}{}", ask.path_and_query, ask.body).contains("{n"), "{text}: {ask:?}");
    }
}

#[test]
fn what_cannot_be_asked_without_harm_is_not_sent() {
    let bucket = "s3:ListBucket=arn:aws:s3:::orders";
    let url = "https://s3.storage.example";
    for (text, variables, compatible) in [
        ("s3:PutObject=arn:aws:s3:::orders/x", &[][..], false),
        ("s3:ListBucket=arn:aws:s3:::orders/x", &[], false),
        ("s3:ListBucket=*", &[], false),
        ("ec2:DescribeInstances=arn:aws:ec2:eu-west-1:814203749616:instance/i-0", &[], false),
        ("kms:Decrypt=arn:aws:kms:eu-west-1:814203749616:alias/a", &[], false),
        ("sqs:GetQueueUrl=arn:aws:sns:eu-west-1:814203749616:q", &[], false),
        ("s3:ListBucket=arn:aws:s3:::orders@cn-north-1", &[], false),
        ("s3:ListBucket=arn:aws-cn:s3:::orders", &[], false),
        ("sqs:GetQueueUrl=arn:aws:sqs:moon-1:814203749616:q", &[], false),
        (bucket, &[("AWS_ENDPOINT_URL", url)], false),
        (bucket, &[("AWS_ENDPOINT_URL_S3", url)], false),
        (bucket, &[], true),
    ] {
        assert!(plan(text, variables, compatible).is_err(), "{text} {variables:?}");
    }
    let ignored = [("AWS_ENDPOINT_URL_S3", url), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
    assert!(plan(bucket, &ignored, false).is_ok());
    assert!(plan(bucket, &[("AWS_ENDPOINT_URL_SQS", url)], false).is_ok());
}

#[test]
fn credentials_of_another_sts_are_not_taken_to_aws() {
    let configured = Endpoint {
        url: "https://sts.storage.example".to_owned(),
        host: "sts.storage.example".to_owned(),
        configured_by: Some("AWS_ENDPOINT_URL_STS"),
        ..sts()
    };
    let options =
        Options { expect_access: vec!["s3:ListBucket=arn:aws:s3:::orders".to_owned()], ..Options::default() };
    let environment = Environment { options, ..Environment::default() };
    assert!(planned(&environment, &configured, None, "credprobe")[0].ask.is_err());
}

fn answered(action: &str, status: u16, code: &str) -> AccessCall {
    AccessCall {
        action: action.to_owned(),
        status: Some(status),
        error: (!code.is_empty()).then(|| StsError { code: code.to_owned(), message: "text".to_owned() }),
        by_aws: true,
        ..AccessCall::default()
    }
}

#[test]
fn answers_mean_what_the_table_says() {
    use Answer::{Allowed, Denied};
    for (action, status, code, means) in [
        ("s3:ListBucket", 200, "", Some(Allowed)),
        ("s3:ListBucket", 403, "AccessDenied", Some(Denied("AccessDenied", "text"))),
        ("s3:ListBucket", 404, "NoSuchBucket", None),
        ("s3:ListBucket", 301, "PermanentRedirect", None),
        ("s3:ListBucket", 403, "SignatureDoesNotMatch", None),
        ("kms:Decrypt", 400, "DryRunOperationException", Some(Allowed)),
        ("kms:Decrypt", 400, "InvalidCiphertextException", None),
        ("kms:Decrypt", 200, "", None),
        ("kms:Decrypt", 400, "AccessDeniedException", Some(Denied("AccessDeniedException", "text"))),
        ("lambda:InvokeFunction", 204, "", Some(Allowed)),
        ("lambda:InvokeFunction", 200, "", None),
        ("ec2:DescribeInstances", 412, "DryRunOperation", Some(Allowed)),
        (
            "ec2:DescribeInstances",
            403,
            "UnauthorizedOperation",
            Some(Denied("UnauthorizedOperation", "text")),
        ),
        ("sts:AssumeRole", 400, "Throttling", None),
        ("sts:AssumeRole", 500, "AccessDenied", None),
    ] {
        let asked = answered(action, status, code);
        let answer = answer(&asked).unwrap();
        match means {
            Some(means) => assert_eq!(answer, means, "{action} {status} {code}"),
            None => assert!(matches!(answer, Answer::Undecided(_)), "{action} {status} {code}"),
        }
    }
    // A proxy's page with status 200 is not a permission.
    let page = AccessCall { by_aws: false, ..answered("s3:ListBucket", 200, "") };
    assert!(matches!(answer(&page), Some(Answer::Undecided(_))));
    let elsewhere = AccessCall {
        bucket_region: Some("us-east-2".to_owned()),
        ..answered("s3:ListBucket", 301, "PermanentRedirect")
    };
    assert!(matches!(answer(&elsewhere), Some(Answer::Undecided(why)) if why.contains("@us-east-2")));
}

#[test]
fn the_session_policy_allows_exactly_the_pairs() {
    let pairs = [
        ("s3:ListBucket", "arn:aws:s3:::a"),
        ("s3:ListBucket", "arn:aws:s3:::b"),
        ("ec2:DescribeInstances", "*"),
    ];
    let policy: Value = serde_json::from_str(&session_policy::of(&pairs)).unwrap();
    let both = json!(["arn:aws:s3:::a", "arn:aws:s3:::b"]);
    assert_eq!(
        policy["Statement"],
        json!([
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": both},
            {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": ["*"]},
            {"Effect": "Deny", "Action": "s3:ListBucket", "NotResource": both},
            {"Effect": "Deny", "NotAction": ["s3:ListBucket", "ec2:DescribeInstances"], "Resource": "*"},
        ])
    );
}

use serde_json::{Value, json};

proptest! {
    #[test]
    fn groups_lose_no_pair_and_fit(names in proptest::collection::vec("[a-z]{1,400}", 1..=LIMIT)) {
        let arns: Vec<String> = names.iter().map(|name| format!("arn:aws:s3:::{name}")).collect();
        let pairs: Vec<(&str, &str)> = arns.iter().map(|arn| ("s3:ListBucket", arn.as_str())).collect();
        let groups = session_policy::groups(&pairs);
        prop_assert_eq!(groups.concat(), pairs);
        for group in groups {
            prop_assert!(session_policy::of(&group).len() <= 2048);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,80}") {
        let _ = Stated::parse(&text);
    }
}
