//! Texts of STS that answer the exchange of the token.

use super::texts;

const PROVIDER: &str = "The AWS account of the role has no IAM OIDC provider for the cluster’s issuer. Create it in that account, \
    with the client id sts.amazonaws.com; where it exists, see whether the exchange went to another region or partition.";
const GENERIC: &str = "STS has said this since the middle of 2026 for a missing OIDC provider, an audience that is not registered \
    and an issuer that does not match. Compare the OIDC providers and their client ids in the role’s account with \
    the token’s issuer and audience, which credprobe check prints.";
const AUDIENCE: &str = "The token’s audience is not a client id of the IAM OIDC provider. Add it to the provider, without a \
    blank at its end; where the token has another audience than sts.amazonaws.com, correct the pod’s token volume or variable instead.";
const TRUST: &str = "STS has checked the token, but no role has exactly this ARN, or its trust policy does not admit the pod’s \
    service account. Compare ARN and trust policy with the token’s subject and audience; credprobe check prints the statement that would match.";
const KEYS: &str = "STS could not fetch the issuer’s public keys. For an EKS issuer it passes by itself; for another one \
    make its discovery document and keys public and complete.";
const EXPIRED: &str = "STS judged the token to be past its end: the SDK held an old one, the file is not renewed, or a clock is \
    wrong. Compare the two times in the message with the token file; read the file anew for each exchange and mount the whole volume, no subPath.";
const NEXT_ROLE: &str = "The next role of the chain was refused, not the pod’s own. Admit the pod’s role in the trust policy of \
    the next role, and allow sts:AssumeRole on it in a policy of the pod’s role.";
const VALUE: &str = "STS does not take a value that the SDK sent with the exchange. Correct the variable or the setting that it came from.";

texts! {
    "exchange"
    AccessDenied "Not authorized to perform sts:AssumeRoleWithWebIdentity", "STS, all SDKs", TRUST, "crossplane/crossplane#5578, 2024-04";
    ProviderMissing "No OpenIDConnect provider found in your account", "STS until 2026, all SDKs", PROVIDER, "aws/amazon-eks-pod-identity-webhook#264";
    TokenRejected "The web identity token provided could not be validated", "STS since 2026, all SDKs", GENERIC, "external-secrets/external-secrets#6648, 2026-07";
    AudienceNotRegistered "Incorrect token audience", "STS until 2026, all SDKs", AUDIENCE, "aws/amazon-eks-pod-identity-webhook#232";
    ThumbprintMismatch "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint", "STS, all SDKs",
        "The thumbprint in the IAM OIDC provider is not the one of the issuer’s certificate authority. Register the thumbprint of the topmost certificate that the issuer presents.",
        "terraform-aws-modules/terraform-aws-eks#2542";
    IssuerUnavailable "Couldn't retrieve verification key from your identity provider", "STS, all SDKs", KEYS, "awslabs/aws-sdk-rust#827, 2023-06";
    IssuerUnavailable "IDPCommunicationError", "STS, all SDKs", KEYS, "boto/botocore, STS model, 2026-08";
    ClaimRejected "IDPRejectedClaim", "STS, all SDKs",
        "The identity provider rejected a claim of the token. Make a new token with the claims that the provider asks for; EKS’s own tokens are not refused so.",
        "boto/botocore, STS model, 2026-08";
    TokenMalformed "The ID Token provided is not a valid JWT", "STS, all SDKs",
        "The token file holds something else than one complete token, such as a cut one or one with a log line behind it. Make a new pod, and correct what writes the file where that is not the kubelet.",
        "aws/amazon-eks-pod-identity-webhook#232";
    TokenMalformed "Provided Token is not a Login With Amazon token", "STS, all SDKs",
        "A line break stands behind the token in its file, or the request names a provider id. Write the token without a line break.",
        "no public thread looked up";
    TokenKindWrong "Missing a required claim", "STS, all SDKs",
        "The token is of an old kind, without audience and end, as a Secret of a service account holds it. Use the projected token that the webhook mounts.",
        "aws/aws-sdk-ruby#2698";
    TokenRejected "Token audience contains more than one audience", "STS, all SDKs",
        "The token was made for several audiences, which STS does not take without the claim azp. Make it for the one audience sts.amazonaws.com.",
        "versity/versitygw, emulation of STS, 2026-08";
    TokenExpiredAtSts "Token expired: current date/time", "STS, all SDKs", EXPIRED, "awslabs/aws-orbit-workbench#707, 2021-07";
    TokenExpiredAtSts "Token too old:", "STS, all SDKs", EXPIRED, "mozilla-iam/mozilla-aws-cli#146";
    RegionDisabled "STS is not activated in this region", "STS, all SDKs",
        "STS is switched off for this region in the role’s account. Activate it in IAM’s account settings, or use another region.",
        "aws/aws-cli#8413";
    RegionDisabled "RegionDisabledException", "STS, all SDKs",
        "The region is not enabled for the role’s account. Enable it, or use another region.",
        "turbot/steampipe-plugin-aws#1510";
    RoleArnRejected "Request ARN is invalid", "STS, all SDKs",
        "AWS_ROLE_ARN is not the ARN of a role: often a colon for the slash, a policy’s ARN, an empty template or an account of fewer than twelve digits. Correct the annotation of the service account or the variable, then make new pods.",
        "vmware-tanzu/velero#2309";
    SettingsInvalid "at 'roleSessionName' failed to satisfy constraint", "STS, all SDKs",
        "The session name is too long, too short or has a character that STS does not take. Unset or shorten AWS_ROLE_SESSION_NAME.",
        "boto/botocore, STS model, 2026-08";
    RequestRejected "failed to satisfy constraint", "STS, all SDKs", VALUE, "boto/botocore, STS model, 2026-08";
    RequestRejected "The requested DurationSeconds exceeds the MaxSessionDuration set for this role", "STS, all SDKs",
        "The SDK asks for a longer session than the role allows. Ask for a shorter one, or raise the role’s maximum.",
        "aws-actions/configure-aws-credentials#96";
    RequestRejected "Unable to validate tags", "STS, all SDKs",
        "The token carries session tags that the trust policy does not allow, or that are malformed. Allow sts:TagSession in the trust policy, or leave the tags out.",
        "hashicorp/terraform-provider-aws#44712";
    RoleChainDenied "Packed size of session tags consumes", "STS, all SDKs",
        "The session tags of EKS Pod Identity use most of the room that the next AssumeRole has for tags and policies. Pass fewer tags, or disable session tags in the Pod Identity association.",
        "aws/containers-roadmap#2413, 2024-08";
    RoleChainDenied of Iam "Roles may not be assumed by root accounts", "STS, AWS CLI, kubectl",
        "The caller is an account’s root user, who cannot assume roles. Use a role or a user of IAM.",
        "kubernetes/kubectl#1243, 2022-07";
    RoleChainDenied "when calling the AssumeRole operation: Access denied", "AWS CLI, boto3", NEXT_ROLE, "uswitch/kiam#127, 2019-06";
    RoleChainDenied "could not get token: AccessDenied: Access denied", "aws-iam-authenticator", NEXT_ROLE, "terraform-aws-modules/terraform-aws-eks#145";
    Throttled "Rate exceeded", "STS, all SDKs",
        "AWS limits how often this account may call, and many pods that start at once each ask STS. It passes by itself; start fewer pods at a time and make one session a process.",
        "apache/datafusion-comet#6024";
    TokenRejected "InvalidIdentityToken", "STS, all SDKs", GENERIC, "boto/botocore, STS model, 2026-08";
}
