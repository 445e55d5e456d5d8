//! Texts of SDKs that find no credentials or no region. Texts that wrap others and name no cause come last.

use super::texts;

const NONE: &str = "The SDK found nothing of IRSA or EKS Pod Identity in this container and no other credentials. Annotate the \
    service account or associate it, then make new pods: the webhook injects only while a pod is made.";
const HALF: &str = "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not: half of the pair. Remove the variable from the pod’s \
    specification, so that the webhook injects both, and make new pods.";
const PARTIAL: &str = "One half of a pair of static keys is set, and boto3 stops there instead of taking the pod’s role. Remove \
    AWS_ACCESS_KEY_ID or its partner from the pod’s specification and its envFrom.";
const REGION: &str = "No region is set, so the SDK knows no STS to ask. Set AWS_REGION in the pod; an empty value counts as a wrong one \
    for some SDKs.";
const MODULE: &str = "The app lacks the STS module, so the SDK skips the web identity and may take the node’s role. Add the SDK’s sts \
    module to the app’s dependencies.";
const WRAPPER: &str = "The SDK could not renew its credentials, and the cause stands in the same message or the next line. Read that \
    part, or let credprobe check say in the pod which link is broken.";

texts! {
    "environment"
    PartlyInjected "WebIdentityErr: role ARN is not set" in "role ARN is not set", "Go v1 and v2", HALF, "aws/aws-sdk-go 8d203ccf, 2025-01";
    PartlyInjected "configured to assume role with web identity but has no role ARN configured" in "has no role ARN configured", "boto3, AWS CLI", HALF, "boto/botocore 0e6e2404, 2026-08";
    Shadowed "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY" in "Partial credentials found in", "boto3, AWS CLI",
        PARTIAL,
        "boto/botocore 0e6e2404, 2026-08";
    none of Pod "To use web identity tokens, the 'sts' service module must be on the class path" in "service module must be on the class path", "Java v2", MODULE, "PacoVK/tapir#253, 2023-09";
    none of Pod "aws-java-sdk-sts module must be on the class path" in "sts module must be on the class path", "Java v1", MODULE, "no public thread looked up";
    SettingsInvalid "The config profile (shop) could not be found" in "The config profile (" "could not be found", "boto3, AWS CLI",
        "AWS_PROFILE names a profile that no file has; an empty value counts. Remove the variable, or mount the file that has the profile.",
        "boto/botocore 0e6e2404, 2026-08";
    RegionMissing "Invalid endpoint: https://sts..amazonaws.com" in "sts..amazonaws.com", "boto3, AWS CLI", REGION, "crossplane-contrib/provider-upjet-aws#1308";
    RegionMissing "You must specify a region", "boto3, AWS CLI", REGION, "boto/botocore 0e6e2404, 2026-08";
    RegionMissing "Missing Region" in "Missing Region", "Go v2, all rule sets", REGION, "boto/botocore 0e6e2404, 2026-08";
    RegionMissing "MissingRegion: could not find region configuration" in "MissingRegion", "Go v1, Ruby", REGION, "aws/aws-sdk-go 8d203ccf, 2025-01";
    RegionMissing "Region is missing", "JavaScript v3", REGION, "no public thread looked up";
    RegionMissing "Unable to load region from any of the providers in the chain", "Java v2", REGION, "no public thread looked up";
    RegionMissing "must be a valid host label", "Rust", REGION, "smithy-lang/smithy-rs 56ee88c5, 2026-08";
    SettingsInvalid "STS regional endpoints option" in "STS regional endpoints option", "boto3, AWS CLI",
        "AWS_STS_REGIONAL_ENDPOINTS has a value that the SDK does not know. Set it to regional, or remove it.",
        "boto/botocore 0e6e2404, 2026-08";
    SettingsInvalid "FIPS and custom endpoint are not supported", "all SDKs",
        "AWS_USE_FIPS_ENDPOINT and a custom endpoint exclude each other. Remove one of the two.",
        "boto/botocore 0e6e2404, 2026-08";
    SettingsInvalid "this partition does not support FIPS" in "partition does not support FIPS", "all SDKs",
        "AWS_USE_FIPS_ENDPOINT is set in a partition that has no such endpoints. Remove the variable.",
        "boto/botocore 0e6e2404, 2026-08";
    NotInjected "failed calling webhook \"iam-for-pods.amazonaws.com\"" in "failed calling webhook" "iam-for-pods", "API server’s event",
        "The webhook that injects the variables was not reached while the pod was made. Repair the webhook where the cluster runs its own, then make new pods.",
        "aws/amazon-eks-pod-identity-webhook#174";
    NotInjected "Unable to locate credentials", "boto3, AWS CLI v1 and v2", NONE, "no public thread looked up";
    NotInjected "botocore.exceptions.NoCredentialsError" in "NoCredentials", "boto3", NONE, "boto/botocore 0e6e2404, 2026-08";
    NotInjected "NoCredentialProviders: no valid providers in chain" in "NoCredentialProviders", "Go v1", NONE, "peak/s5cmd#807";
    NotInjected "no EC2 IMDS role found", "Go v2", NONE, "no public thread looked up";
    NotInjected "access disabled to EC2 IMDS", "Go v2", NONE, "no public thread looked up";
    NotInjected "Unable to load credentials from any of the providers in the chain", "Java v2", NONE, "aws/aws-sdk-java-v2#1470";
    NotInjected "Unable to load AWS credentials from any provider in the chain", "Java v1", NONE, "no public thread looked up";
    NotInjected "CredentialsProviderError: Could not load credentials from any providers" in "Could not load credentials from any providers", "JavaScript v3", NONE, "no public thread looked up";
    NotInjected "CredentialsError: Missing credentials in config" in "Missing credentials in config", "JavaScript v2", NONE, "external-secrets/kubernetes-external-secrets#287, 2020-09";
    NotInjected "Web identity configuration not specified", "JavaScript v3", NONE, "no public thread looked up";
    NotInjected "no providers in chain provided credentials", "Rust", NONE, "awslabs/aws-sdk-rust#606, 2022-08";
    NotInjected "the credential provider was not enabled", "Rust", NONE, "smithy-lang/smithy-rs 56ee88c5, 2026-08";
    NotInjected "Failed to resolve AWS credentials", ".NET v4", NONE, "no public thread looked up";
    NotInjected "Unable to get IAM security credentials from EC2 Instance Metadata Service", ".NET v3", NONE, "aws/aws-sdk-net#1413, 2019-09";
    NotInjected "unable to sign request without credentials set", "Ruby", NONE, "aws/aws-sdk-ruby bac3491f, 2024-10";
    NotInjected "Error retrieving credentials from the instance profile metadata service", "PHP", NONE, "no public thread looked up";
    wrapper of Pod "WebIdentityErr: failed to retrieve credentials" in "WebIdentityErr", "Go v1", WRAPPER, "aws/aws-sdk-go 8d203ccf, 2025-01";
    wrapper of Pod "failed to refresh cached credentials", "Go v2", WRAPPER, "no public thread looked up";
    wrapper of Pod "Error when retrieving credentials from" in "Error when retrieving credentials from", "boto3, AWS CLI", WRAPPER, "boto/botocore 0e6e2404, 2026-08";
    wrapper of Pod "STS returned an error assuming web identity role", "Rust", WRAPPER, "smithy-lang/smithy-rs 56ee88c5, 2026-08";
    Shadowed "botocore.exceptions.PartialCredentialsError" in "PartialCredentials", "boto3", PARTIAL, "boto/botocore 0e6e2404, 2026-08";
    none of Pod "ExpiredToken", "all SDKs",
        "A token or a session is past its end; which of the two, the words behind the code say. Let the SDK renew its credentials, and see with credprobe check whether the token in the file is a new one.",
        "boto/botocore, STS model, 2026-08";
}
