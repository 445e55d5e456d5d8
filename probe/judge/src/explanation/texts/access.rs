//! Texts of services about a refused action that name less than a whole denial.
//! The grammar reads whole denials. These rows are the remaining texts and the headings of the pages.

use super::texts;

const BARE: &str = "The service refuses the call and does not say who called, nor which policy refused; a bucket of another \
    organization never says more. See the caller with credprobe chain, then look at the role’s policies, the \
    resource’s policy and its KMS key.";
const HEAD: &str = "A HEAD request has no body, so the reason is not in the answer; S3 also says this of an object that does not exist, \
    to whoever may not list the bucket. Repeat it as GET or list the bucket, and read that answer.";
const KEY: &str = "KMS does not let the caller use this key, or the key is not in this region and account. Allow kms:Decrypt \
    on the key in a policy of the role, and admit the role’s account in the key’s policy.";
const MUTE: &str = "The service refuses the call and names neither the caller nor the policy that refused. See the caller with \
    credprobe chain, then look for the action in the policies of that role, or find the call in CloudTrail.";
const IDENTITY: &str = "No policy of the calling role allows the action on that resource. Add exactly that action and resource \
    to a policy of the role, after a look at the caller: an instance id means the node’s role.";
const DENY: &str = "A policy denies the action, which no statement that allows can change. See which kind of policy the text \
    names, and its ARN where it has one.";

texts! {
    "access"
    PermissionMissing "because no identity-based policy allows the", "AWS, all SDKs", IDENTITY, "IAM user guide, 2026";
    PermissionMissing "because no resource-based policy allows the", "AWS, all SDKs",
        "The resource is another account’s, or a KMS key, and its own policy does not admit the caller. Let the resource’s owner admit the role there.",
        "jbrt/ec2cryptomatic#26, 2021-10";
    PermissionMissing "because no permissions boundary allows the", "AWS, all SDKs",
        "The boundary of the role leaves the action out, whatever its policies allow. Add the action to the boundary.",
        "nebari-dev/nebari#2152, 2023-12";
    PermissionMissing of Pod "because no session policy allows the", "AWS, all SDKs",
        "The session was made with a policy that leaves the action out. Add the action to the policy of the Pod Identity association, or to the one that is passed with AssumeRole.",
        "aws/aws-sdk-js-v3#3262, 2022-01";
    PermissionMissing of Network "because no VPC endpoint policy allows the", "AWS, all SDKs",
        "The VPC endpoint through which the call goes has a policy that leaves the action out. Add action and role to that endpoint’s policy.",
        "IAM user guide, 2026";
    PermissionMissing "because no service control policy allows the", "AWS, all SDKs",
        "The organization’s service control policies leave the action out for this account. Ask the organization’s administrators; nobody within the account can allow it.",
        "IAM user guide, 2026";
    RoleChainDenied "because no role trust policy allows the sts:AssumeRole action", "STS, all SDKs",
        "The trust policy of the role that is assumed does not admit the caller. Add a statement for the calling role there.",
        "IAM user guide, 2026";
    PermissionBlocked "with an explicit deny in a service control policy", "AWS, all SDKs",
        "A service control policy of the organization denies the action in this account. Ask the organization’s administrators, with the policy’s ARN from the text.",
        "aws/karpenter-provider-aws#8190, 2025-06";
    PermissionBlocked "with an explicit deny in a resource control policy", "AWS, all SDKs",
        "A resource control policy of the organization that owns the resource denies it. Ask that organization’s administrators.",
        "IAM user guide, 2026";
    PermissionBlocked "with an explicit deny in an identity-based policy", "AWS, all SDKs", DENY, "terraform-aws-modules/terraform-aws-eks#2517, 2023-03";
    PermissionBlocked "with an explicit deny in a resource-based policy", "AWS, all SDKs", DENY, "ekristen/aws-nuke#604, 2025-03";
    PermissionBlocked "with an explicit deny in a permissions boundary", "AWS, all SDKs", DENY, "IAM user guide, 2026";
    PermissionBlocked of Network "with an explicit deny in a VPC endpoint policy", "AWS, all SDKs", DENY, "IAM user guide, 2026";
    RoleChainDenied "is not authorized to perform: sts:TagSession" in "sts:TagSession", "STS, all SDKs",
        "Sessions of EKS Pod Identity carry their tags on to the next role, whose trust policy does not allow that. Allow sts:TagSession beside sts:AssumeRole there, or disable session tags in the association.",
        "mattrobinsonsre/terrapod#1546, 2026-09";
    PermissionMissing "Encoded authorization failure message", "EC2, all SDKs",
        "EC2 hides the reason from whoever may not see it. Decode it with aws sts decode-authorization-message, by a role that may call that.",
        "aws/karpenter-provider-aws#1536, 2022-03";
    PermissionMissing "You are not authorized to perform this operation", "EC2, all SDKs", BARE, "tensult/cloud-reports#74, 2020-02";
    PermissionMissing "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access" in "The ciphertext refers to a customer master key that does not exist", "KMS, all SDKs", KEY, "aws/aws-encryption-sdk-javascript#1005, 2022-08";
    PermissionMissing "Access to KMS is not allowed", "Secrets Manager, all SDKs", KEY, "no public thread looked up";
    PermissionMissing "Access to the resource https://sqs.eu-west-1.amazonaws.com/ is denied" in "Access to the resource" "is denied", "SQS, all SDKs", BARE, "bbc/sqs-consumer#225, 2020-06";
    PermissionBlocked "blocked by the BlockPublicPolicy block public access setting" in "BlockPublicPolicy", "S3, all SDKs",
        "S3 Block Public Access refuses a policy that would open the bucket to everybody. Narrow the policy, or turn that one setting off for this bucket.",
        "IAM user guide, 2026";
    PermissionMissing "when calling the HeadObject operation: Forbidden" in "Head" "operation: Forbidden", "boto3, AWS CLI", HEAD, "no public thread looked up";
    PermissionMissing "api error Forbidden: Forbidden", "Go v2, Terraform", HEAD, "crossplane-contrib/provider-upjet-aws#1199, 2024-03";
    PermissionMissing "Status Code: 403; Error Code: 403 Forbidden", "Java v1", HEAD, "bzhanglab/PepQuery#84, 2025-01";
    PermissionMissing "AccessDenied: Access Denied", "S3; Go, JavaScript", BARE, "velero-io/velero#1544, 2019-06";
    PermissionMissing "(AccessDenied) when calling the ListObjectsV2 operation: Access Denied" in "(AccessDenied)" "operation: Access Denied", "S3; boto3, AWS CLI", BARE, "aws/aws-cli#8506, 2024-01";
    PermissionMissing "S3Exception: Access Denied (Service: S3, Status Code: 403" in "Access Denied" "S3", "S3; Java v1 and v2", BARE, "quarkusio/quarkus-quickstarts#815, 2021-03";
    PermissionMissing "<Code>AccessDenied</Code><Message>Access Denied</Message>" in "<Code>AccessDenied</Code>", "S3, plain answer", BARE, "chadgeary/nifi#13, 2023-03";
    PermissionMissing "\"errorMessage\": \"Access Denied\"" in "errorMessage" "Access Denied", "S3; JavaScript v3", BARE, "aws/aws-sdk-js-v3#2778, 2021-09";
    PermissionMissing "rpc error: code = Unknown desc = AccessDenied: Access denied" in "AccessDenied: Access denied", "STS, Go v1", "A service refuses the call without a reason; STS used to answer AssumeRole in these \
        words if the next role does not admit the caller. See the caller with credprobe chain, then the trust policy of the next role and the policies of the caller.",
        "uswitch/kiam#127, 2019-06";
    PermissionMissing "User is not authorized to perform that action on the specified resource" in "not authorized to perform that action", "EFS, Terraform", MUTE, "hashicorp/terraform-provider-aws#1727, 2017-09";
    PermissionMissing "is not authorized to perform the required AWS Marketplace actions" in "the required AWS Marketplace actions", "Bedrock, all SDKs",
        "Bedrock subscribes to a model in AWS Marketplace at its first use, and the caller may not do that. Allow it aws-marketplace:ViewSubscriptions and aws-marketplace:Subscribe, or let somebody with these permissions call the model once in this account.",
        "ministryofjustice/modernisation-platform-environments#18323, 2026-08";
    PermissionMissing "Your account is not authorized to invoke this API operation", "Bedrock, all SDKs",
        "Bedrock refuses the account, whatever the role’s policies allow. See whether the model is available to this account in this region, and ask AWS Support for it.",
        "aws-samples/amazon-bedrock-workshop#100, 2023-10";
    PermissionMissing "unexpected status from HEAD request to https://123456789012.dkr.ecr.us-west-2.amazonaws.com/v2/app/manifests/1: 403 Forbidden" in ".dkr.ecr." "403 Forbidden" "!/blobs/uploads" "!push" "!POST" "!PUT", "ECR; containerd, Docker",
        "ECR refuses the pull and gives no reason; nodes pull with the node’s role or the task’s execution role, never with the pod’s. Allow that role ecr:BatchGetImage and ecr:GetDownloadUrlForLayer, and admit it in the policy of another account’s repository.",
        "aws-samples/bedrock-access-gateway#114, 2025-02";
    PermissionMissing "java.nio.file.AccessDeniedException: s3a://" in "java.nio.file.AccessDeniedException: s3" "://", "Hadoop, Spark", BARE, "delta-io/delta#1406, 2022-10";
    PermissionMissing "API responded with error='AccessDeniedException'" in "error='AccessDenied", "Fluent Bit", MUTE, "terraform-aws-modules/terraform-aws-eks#3397, 2025-06";
    PermissionMissing "AccessDeniedException: status code: 403" in "AccessDenied" ": status code: 403", "Go v1, Crossplane", MUTE, "crossplane-contrib/provider-aws#1876, 2023-09";
    PermissionMissing "Aws::S3::Errors::AccessDenied" in "::Errors::AccessDenied", "Ruby", BARE, "exercism/website#960, 2021-05";
    PermissionMissing "User: is not authorized to perform: aps:RemoteWrite" in "is not authorized to perform:", "AWS, with names taken out", MUTE, "aws-ia/terraform-aws-eks-blueprints#709, 2022-07";
}
