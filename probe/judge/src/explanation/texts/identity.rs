//! Texts of AWS about credentials that were issued but are refused, expired, or signed at another time.

use super::texts;

const CLOCK: &str = "The node’s clock differs by more than five minutes from AWS’s, so signed calls are refused. Repair the time \
    service of the node.";
const REFUSED: &str = "AWS refuses the credentials themselves: they are of another partition, of a region that is not enabled, or \
    deleted. Set AWS_REGION to a region of the role’s partition, use regional STS endpoints, and see with credprobe chain which keys the SDK takes.";

texts! {
    "identity"
    CredentialsRejected "The security token included in the request is invalid" in "ecurity token included in the request is invalid", "all SDKs", REFUSED, "Versent/saml2aws#928";
    CredentialsRejected "The provided token is malformed or otherwise invalid", "S3, all SDKs", REFUSED, "aws/aws-sdk-js#3696";
    CredentialsRejected "AWS was not able to validate the provided access credentials", "EC2, all SDKs", REFUSED, "99designs/aws-vault#512";
    CredentialsRejected of Pod "The AWS Access Key Id you provided does not exist in our records", "S3, all SDKs",
        "The key is not one that AWS knows: a static key that was deleted, or one of another server or partition. Remove the static keys from the pod, so that the pod’s role is taken.",
        "no public thread looked up";
    CredentialsRejected of Pod "Credential should be scoped to a valid region", "all SDKs",
        "The request is signed for another region than its endpoint’s. Remove the fixed endpoint, or set the same region for both.",
        "awsdocs/amazon-eks-user-guide, 2024-12";
    none of Pod "The security token included in the request is expired" in "ecurity token included in the request is expired", "all SDKs",
        "The app uses temporary credentials after their end; the pod’s token is not what expired. Let the SDK renew them: keep its provider instead of copying keys, and upgrade SDKs that read the token file once.",
        "kubernetes-sigs/external-dns#1795";
    none of Pod "The provided token has expired", "S3, all SDKs",
        "The app uses temporary credentials after their end; the pod’s token is not what expired. Let the SDK renew them: keep its provider instead of copying keys.",
        "no public thread looked up";
    ClockSkew "Signature expired:", "all SDKs", CLOCK, "kubernetes-sigs/external-dns#1626";
    ClockSkew "Signature not yet current", "all SDKs", CLOCK, "no public thread looked up";
    ClockSkew "RequestTimeTooSkewed", "S3, all SDKs", CLOCK, "minio/object-browser#993";
    ClockSkew "The difference between the request time and the current time is too large", "S3, all SDKs", CLOCK, "minio/object-browser#993";
}
