//! The calls that are safe to make, as data. Each changes nothing and at most shows that something exists.
//! A new call needs its source, and answers whose meaning is documented or was observed.

/// One call.
#[derive(Debug, PartialEq, Eq)]
pub struct SafeCall {
    /// The IAM action that it checks.
    pub action: &'static str,
    /// The first label of the host, and the service in the signature.
    pub service: &'static str,
    /// Service and resource prefix of the ARN. `None`: the action has no resources.
    pub arn: Option<(&'static str, &'static str)>,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// A mark such as `{name}` is replaced by a value.
    pub path_and_query: &'static str,
    /// What names the operation, if neither path nor body does, and what makes it a dry run.
    pub headers: &'static [(&'static str, &'static str)],
    /// With the same marks as the path.
    pub body: &'static str,
    /// Status and code of the answer if the action is allowed.
    pub allowed: (u16, &'static str),
    /// What "allowed" leaves open, as a clause. May be empty.
    pub open: &'static str,
    /// The documentation that the call does no more, and of what its answers mean.
    pub source: &'static str,
    /// When that was checked.
    pub as_of: &'static str,
    /// Whether this project has seen both answers of AWS itself.
    pub seen_on_aws: bool,
}

impl SafeCall {
    /// The call that checks an action.
    #[must_use]
    pub fn of(action: &str) -> Option<&'static Self> {
        // Names of actions have no case.
        CALLS.iter().find(|call| call.action.eq_ignore_ascii_case(action))
    }
}

const JSON_1_0: (&str, &str) = ("content-type", "application/x-amz-json-1.0");
const JSON_1_1: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What the rows have in common. This project has seen none of the calls on AWS yet.
const BLANK: SafeCall = SafeCall {
    action: "",
    service: "",
    arn: None,
    method: "POST",
    path_and_query: "/",
    headers: &[],
    body: "",
    allowed: (200, ""),
    open: "",
    source: "",
    as_of: "2026-09",
    seen_on_aws: false,
};

const KMS: SafeCall = SafeCall {
    service: "kms",
    arn: Some(("kms", "key/")),
    allowed: (400, "DryRunOperationException"),
    source: "KMS developer guide, testing-permissions",
    ..BLANK
};

const EC2: SafeCall = SafeCall {
    service: "ec2",
    headers: &[FORM],
    allowed: (412, "DryRunOperation"),
    source: "EC2 API reference, CommonParameters, DryRun",
    ..BLANK
};

/// All calls.
pub const CALLS: &[SafeCall] = &[
    SafeCall {
        action: "s3:ListBucket",
        service: "s3",
        arn: Some(("s3", "")),
        method: "GET",
        path_and_query: "/{name}?list-type=2&max-keys=0",
        open: "a condition on s3:prefix was not met with a prefix",
        source: "S3 API reference, ListObjectsV2: no key is returned with max-keys=0",
        ..BLANK
    },
    SafeCall {
        action: "sqs:GetQueueAttributes",
        service: "sqs",
        arn: Some(("sqs", "")),
        headers: &[JSON_1_0, ("x-amz-target", "AmazonSQS.GetQueueAttributes")],
        body: r#"{"QueueUrl":"{url}/{account}/{name}","AttributeNames":["QueueArn"]}"#,
        source: "SQS API reference, GetQueueAttributes: the queue's ARN, no message",
        ..BLANK
    },
    SafeCall {
        action: "sqs:GetQueueUrl",
        service: "sqs",
        arn: Some(("sqs", "")),
        headers: &[JSON_1_0, ("x-amz-target", "AmazonSQS.GetQueueUrl")],
        body: r#"{"QueueName":"{name}","QueueOwnerAWSAccountId":"{account}"}"#,
        source: "SQS API reference, GetQueueUrl: the queue's URL, no message",
        ..BLANK
    },
    SafeCall {
        action: "dynamodb:DescribeTable",
        service: "dynamodb",
        arn: Some(("dynamodb", "table/")),
        headers: &[JSON_1_0, ("x-amz-target", "DynamoDB_20120810.DescribeTable")],
        body: r#"{"TableName":"{arn}"}"#,
        open: "items are another action's",
        source: "DynamoDB API reference, DescribeTable: about the table, no item",
        ..BLANK
    },
    SafeCall {
        action: "kms:Decrypt",
        headers: &[JSON_1_1, ("x-amz-target", "TrentService.Decrypt")],
        // The ciphertext is invented. KMS may refuse it before or after it checks the permission, so that refusal decides nothing.
        body: r#"{"KeyId":"{arn}","CiphertextBlob":"Y3JlZHByb2Jl","DryRun":true}"#,
        open: "an encryption context was not given",
        ..KMS
    },
    SafeCall {
        action: "kms:Encrypt",
        headers: &[JSON_1_1, ("x-amz-target", "TrentService.Encrypt")],
        body: r#"{"KeyId":"{arn}","Plaintext":"Y3JlZHByb2Jl","DryRun":true}"#,
        open: "an encryption context was not given",
        ..KMS
    },
    SafeCall {
        action: "kms:GenerateDataKey",
        headers: &[JSON_1_1, ("x-amz-target", "TrentService.GenerateDataKey")],
        body: r#"{"KeyId":"{arn}","KeySpec":"AES_256","DryRun":true}"#,
        open: "an encryption context was not given",
        ..KMS
    },
    SafeCall {
        action: "lambda:InvokeFunction",
        service: "lambda",
        arn: Some(("lambda", "function:")),
        path_and_query: "/2015-03-31/functions/{arn%}/invocations",
        headers: &[("x-amz-invocation-type", "DryRun")],
        allowed: (204, ""),
        source: "Lambda API reference, Invoke, InvocationType DryRun: validated, not run",
        ..BLANK
    },
    SafeCall {
        action: "ec2:DescribeInstances",
        body: "Action=DescribeInstances&DryRun=true&Version=2016-11-15",
        ..EC2
    },
    SafeCall {
        action: "ec2:DescribeVolumes",
        body: "Action=DescribeVolumes&DryRun=true&Version=2016-11-15",
        ..EC2
    },
    SafeCall {
        action: "ec2:DescribeNetworkInterfaces",
        body: "Action=DescribeNetworkInterfaces&DryRun=true&Version=2016-11-15",
        ..EC2
    },
    SafeCall {
        action: super::ASSUME_ROLE,
        service: "sts",
        arn: Some(("iam", "role/")),
        headers: &[FORM],
        body: "Action=AssumeRole&Version=2011-06-15&DurationSeconds=900&RoleArn={arn%}&RoleSessionName={session%}&Policy={deny-all%}",
        open: "a longer session or tags of the app’s own were not asked for",
        source: "STS API reference, AssumeRole: with a policy that denies everything, dropped unread",
        ..BLANK
    },
];
