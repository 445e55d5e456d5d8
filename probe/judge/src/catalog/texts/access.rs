//! Texts of codes 64 to 67: what the role may do, and the next role of a chain.
//! Which policy refused, the judge says.

use super::{PROBE_REPORT, Texts};

pub(crate) const PERMISSION_MISSING: Texts = Texts {
    meaning: "No policy allows the stated access.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "No identity policy of the role allows this action on this resource.",
        "A permissions boundary, a service control policy, the policy of a VPC endpoint or an association’s session policy leaves the action out.",
        "The resource is in another account, or is a key, and its own policy does not name this role.",
        "AWS gives no reason across organizations, and S3 says only Access Denied there: then the kind of policy is not known.",
    ],
    confirm: &[
        PROBE_REPORT,
        "aws iam list-attached-role-policies --role-name $ROLE",
        "aws iam list-role-policies --role-name $ROLE",
    ],
    repair: &[
        "# Add the statement that the report prints to a policy of the role; where another kind of policy leaves the action out, in that one.",
    ],
};

pub(crate) const PERMISSION_BLOCKED: Texts = Texts {
    meaning: "A policy denies the stated access explicitly.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A service or resource control policy of the organization denies it.",
        "The policy of a VPC endpoint or of the resource denies it.",
        "A policy of the role itself, its boundary or its session denies it.",
    ],
    confirm: &[PROBE_REPORT, "aws iam list-attached-role-policies --role-name $ROLE"],
    repair: &[
        "# Ask the owner of the policy that the report names. A statement that allows it does not help against a deny.",
    ],
};

pub(crate) const ROLE_CHAIN_DENIED: Texts = Texts {
    meaning: "The next role of the chain refuses.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The trust policy of the next role does not name the pod’s role.",
        "No policy of the pod’s role allows sts:AssumeRole on the next role.",
        "The session has transitive tags, as with EKS Pod Identity, and one of the two sides does not allow sts:TagSession.",
        "The next role’s trust policy asks for an external id that the profile does not have.",
    ],
    confirm: &[PROBE_REPORT, "aws iam get-role --role-name $ROLE --query Role.AssumeRolePolicyDocument"],
    repair: &[
        "# Correct the side that the report names. With two accounts both sides must allow it; STS then does not say which one refuses.",
    ],
};

pub(crate) const UNPROVED: Texts = Texts {
    meaning: "No safe call proves the stated access.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The table of safe calls does not have this action: credprobe sends only calls that read no data and change nothing.",
        "An endpoint variable leads elsewhere, or --sts-compatible is set: only AWS’s own endpoints are asked.",
        "The session policy that credprobe itself passes denied an action that the stated one implies: state that one too.",
        "Credentials of EKS Pod Identity cannot be narrowed, and --access-with-full-credentials is not set.",
        "The answer decides nothing: throttled, unreachable, a resource that does not exist, a bucket of another region.",
    ],
    confirm: &[PROBE_REPORT, "credprobe explain access-unproved"],
    repair: &[
        "# Nothing in IAM need be wrong. Ask IAM’s policy simulator, with the limits that the report names, or leave the statement out.",
    ],
};
