//! Texts of the EKS Pod Identity agent and of EKS Auth behind it, and of SDKs when no agent answers.

use super::texts;

const ROLE: &str = "EKS may not assume the associated role: its trust policy does not name pods.eks.amazonaws.com with both \
    sts:AssumeRole and sts:TagSession, a condition does not hold, or the role is gone. Compare the trust policy with what \
    credprobe check prints.";
const ASSOCIATION: &str = "EKS has no Pod Identity association for this namespace and service account in this cluster. \
    Create the association, then make new pods.";
const TOKEN: &str = "The agent does not take the token that the SDK sent. Send the token of the mounted file as it is, \
    without Bearer, and read the file anew each time.";
const SILENT: &str = "Nothing answers at the Pod Identity agent’s address. See whether the agent runs on that node and whether a \
    network policy, a proxy variable or a firewall rule stops 169.254.170.23 and fd00:ec2::23 on port 80.";
const OLD: &str = "The SDK is older than EKS Pod Identity and refuses the agent’s address. Upgrade it to the version that AWS \
    names for Pod Identity, or use IRSA.";
const FAILED: &str = "The agent could not get credentials from EKS Auth. Read the code in the message; where it has none, see \
    whether the node reaches eks-auth in its region and whether the node’s role may call it.";

texts! {
    "agent"
    AgentAccessDenied "Unauthorized Exception! EKS does not have permissions to assume the associated role", "EKS Auth, all SDKs", ROLE, "aws/eks-pod-identity-agent#139";
    AgentAccessDenied "(AccessDeniedException), fault: client" in "(AccessDeniedException)" "fault: client", "EKS Auth, all SDKs", ROLE, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AssociationMissing "(ResourceNotFoundException), fault: client" in "(ResourceNotFoundException)" "fault: client", "EKS Auth, all SDKs", ASSOCIATION, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentThrottled "(ThrottlingException), fault: client" in "(ThrottlingException)" "fault: client", "EKS Auth, all SDKs",
        "EKS Auth limits how often this cluster may ask. It passes by itself; start fewer pods at a time.", "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentTokenRejected "(ExpiredTokenException), fault: client" in "(ExpiredTokenException)" "fault: client", "EKS Auth, all SDKs", TOKEN, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentTokenRejected "(InvalidTokenException), fault: client" in "(InvalidTokenException)" "fault: client", "EKS Auth, all SDKs", TOKEN, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentAccessDenied "AssumeRoleForPodIdentity AccessDeniedException" in "AssumeRoleForPodIdentity" "AccessDeniedException", "EKS Auth through an old agent", ROLE, "aws/eks-pod-identity-agent#10";
    AssociationMissing "AssumeRoleForPodIdentity ResourceNotFoundException" in "AssumeRoleForPodIdentity" "ResourceNotFoundException", "EKS Auth through an old agent", ASSOCIATION, "aws/eks-pod-identity-agent#10";
    AgentTokenRejected "Service account token cannot be empty", "the agent", TOKEN, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentTokenRejected "Service account token cannot be parsed", "the agent", TOKEN, "n8n-io/n8n#23584";
    AgentTokenRejected "Service account token failed basic claim validations", "the agent", TOKEN, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentTokenRejected "Service account token failed claim validations", "the agent", TOKEN, "aws/eks-pod-identity-agent ca745ee, 2026";
    AgentUriRefused "Called agent through invalid address", "the agent",
        "The request reached the agent under another host name than its address. Call 169.254.170.23 or fd00:ec2::23 itself, with no alias, port-forward or mesh that rewrites the host.",
        "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentUriRefused "only loopback hosts are allowed", "Go v1 and v2, before Pod Identity", OLD, "kubernetes-sigs/external-dns#4353";
    AgentUriRefused "only loopback/ecs/eks hosts are allowed", "Go v1 and v2",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that SDKs do not send the token to over http. Correct the variable, or leave it to the webhook.",
        "no public thread looked up";
    AgentUriRefused "Unsupported host '169.254.170.23'" in "Unsupported host '169.254.170.23'", "boto3 before Pod Identity", OLD, "punk-security/dnsReaper#189";
    AgentUriRefused "is not a valid container metadata service hostname", "JavaScript v2 and v3",
        "An old SDK refuses the agent’s address; in JavaScript v3 of today the text hides another error of the agent. Upgrade the SDK, and see with credprobe check what the agent answers.",
        "aws/aws-sdk-js-v3#5709";
    AgentUriRefused "has an invalid host. Host should resolve to a loopback address" in "has an invalid host" "loopback address", "Java v2",
        "The SDK refuses the host in AWS_CONTAINER_CREDENTIALS_FULL_URI; Java asks the IPv6 address only with AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6. Upgrade the SDK, or set that variable in an IPv6 cluster.",
        "aws/aws-sdk-java-v2#7086";
    AgentUnreachable "listen tcp [fd00:ec2::23]:80: bind: cannot assign requested address" in "fd00:ec2::23" "bind: cannot assign requested address", "the agent’s log",
        "The agent cannot start because IPv6 is off on the node. Give it the argument -b with the value 169.254.170.23.",
        "aws/eks-pod-identity-agent#16";
    AgentUnreachable "Connect timeout on endpoint URL: \"http://169.254.170.23/v1/credentials\"" in "169.254.170.23" "imeout", "boto3, AWS CLI", SILENT, "aws-samples/containers-blog-maelstrom#123";
    AgentUnreachable "dial tcp 169.254.170.23:80: connect: connection refused" in "169.254.170.23" "refused", "all SDKs", SILENT, "aws/secrets-store-csi-driver-provider-aws#465";
    AgentUnreachable "169.254.170.23 deadline exceeded" in "169.254.170.23" "deadline exceeded", "Go v1 and v2", SILENT, "aws/eks-pod-identity-agent#50";
    AgentUnreachable "Could not connect to the endpoint URL: \"http://169.254.170.23/v1/credentials\"" in "169.254.170.23" "not connect", "boto3, AWS CLI", SILENT, "aws/eks-pod-identity-agent#26";
    AgentUnreachable "Connect timeout on endpoint URL: \"http://[fd00:ec2::23]/v1/credentials\"" in "fd00:ec2::23" "imeout", "all SDKs", SILENT, "aws/containers-roadmap#2639";
    AgentUnreachable "dial tcp [fd00:ec2::23]:80: connect: connection refused" in "fd00:ec2::23" "refused", "all SDKs", SILENT, "aws/containers-roadmap#2639";
    AgentFailed "error getting credentials to cache", "the agent", FAILED, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentFailed "unable to fetch credentials from EKS Auth", "the agent", FAILED, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
    AgentFailed "Non-success status from HTTP credential provider", "Rust", FAILED, "smithy-lang/smithy-rs 56ee88c5, 2026-08";
    AgentFailed "Received non 200 response 400 from container metadata" in "Received non 200 response" "container metadata", "boto3, AWS CLI", FAILED, "no public thread looked up";
    AgentFailed "[request-id]: (InternalServerException): fault: server" in "]: (" "fault: server", "EKS Auth, all SDKs", FAILED, "aws/eks-pod-identity-agent d4dc0f3, 2026-03";
}
