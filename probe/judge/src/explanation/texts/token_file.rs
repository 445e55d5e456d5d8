//! Texts of SDKs about the token file, and of the kubelet about its volume.

use super::texts;

const UNREADABLE: &str = "The app’s user may not read the token file. Set fsGroup in the pod’s securityContext, or runAsUser to the \
    same user in all containers.";
const MISSING: &str = "The file that the variable names does not exist in this container. Leave the path to the webhook, and make a new \
    pod where the variable came without its volume.";
const HEADER: &str = "A line break stands behind the token, which no HTTP header may hold. Write the file without one, or mount the \
    volume that the webhook adds.";
const VOLUME: &str = "The kubelet cannot make the volume of the token, so the container does not start. Read the rest of the event: the \
    API server refuses the token request, or a name in the volume is wrong.";

texts! {
    "token-file"
    TokenFileUnreadable "PermissionError: [Errno 13] Permission denied: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'" in "serviceaccount/token" "ermission denied", "all SDKs", UNREADABLE, "aws/amazon-eks-pod-identity-webhook#8";
    TokenFileUnreadable "eks-pod-identity-token: permission denied" in "eks-pod-identity-token" "ermission denied", "all SDKs", UNREADABLE, "aws/amazon-eks-pod-identity-webhook#8";
    TokenFileMissing "serviceaccount/token: no such file or directory" in "serviceaccount/token" "o such file or directory", "all SDKs", MISSING, "aws/amazon-eks-pod-identity-webhook#83";
    TokenFileMissing "eks-pod-identity-token: no such file or directory" in "eks-pod-identity-token" "o such file or directory", "all SDKs", MISSING, "aws/amazon-eks-pod-identity-webhook#83";
    TokenFileMissing "Failed to read authorization token from", "PHP",
        "PHP could not read the token file, and says so for a missing and for an unreadable one. Compare the file’s owner and mode with the app’s user.",
        "no public thread looked up";
    TokenFileMissing "WebIdentityErr: unable to read file at" in "unable to read file at", "Go v1",
        "The SDK could not read the token file, because it is missing or closed to the app’s user. Compare path, owner and mode with the app’s user.",
        "aws/aws-sdk-go 8d203ccf, 2025-01";
    TokenFileMissing "The webIdentityTokenFile must be an absolute path", ".NET",
        "AWS_WEB_IDENTITY_TOKEN_FILE is not an absolute path. Leave the variable to the webhook, or write the path from the root.",
        "no public thread looked up";
    TokenMalformed "Auth token value is not a legal header value", "boto3, AWS CLI", HEADER, "boto/botocore 0e6e2404, 2026-08";
    TokenMalformed "the auth token could not be used as an HTTP header value", "Rust", HEADER, "smithy-lang/smithy-rs 56ee88c5, 2026-08";
    TokenFileMissing of Cluster "MountVolume.SetUp failed for volume \"aws-iam-token\"" in "MountVolume.SetUp failed" "aws-iam-token", "kubelet’s event", VOLUME, "no public thread looked up";
    TokenFileMissing of Cluster "MountVolume.SetUp failed for volume \"eks-pod-identity-token\"" in "MountVolume.SetUp failed" "eks-pod-identity-token", "kubelet’s event", VOLUME, "no public thread looked up";
}
