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
        "A permissions boundary, a service control policy or a session policy leaves the action out.",
        "The resource is in another account, and its own policy does not name this role.",
        "The caller is not the pod's role: another credential comes first in the SDK's chain.",
    ],
    confirm: &[PROBE_REPORT, "aws iam list-attached-role-policies --role-name $ROLE"],
    repair: &["# Add the statement that the report prints to a policy of the role."],
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
        "The trust policy of the next role does not name the pod's role.",
        "No policy of the pod's role allows sts:AssumeRole on the next role.",
        "The session has transitive tags, as with EKS Pod Identity, and the next role does not allow sts:TagSession.",
    ],
    confirm: &[PROBE_REPORT, "aws iam get-role --role-name $ROLE --query Role.AssumeRolePolicyDocument"],
    repair: &["# Correct the side that the report names."],
};

pub(crate) const UNPROVED: Texts = Texts {
    meaning: "No safe call proves the stated access.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The table of safe calls does not have this action.",
        "The probe's own session policy may be the reason of the denial.",
        "Credentials of EKS Pod Identity cannot be narrowed, and --access-with-full-credentials is not set.",
    ],
    confirm: &[PROBE_REPORT, "credprobe explain access-unproved"],
    repair: &["# Ask IAM's policy simulator, with the limits that the report names."],
};
