//! Texts of codes 90 to 92: whether an EKS cluster accepts the identity.
//! How the API server's answers are told apart, the judge says.

use super::{PROBE_REPORT, Texts};

pub(crate) const UNAUTHORIZED: Texts = Texts {
    meaning: "The API server answers 401 to this identity.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Neither an access entry nor the aws-auth ConfigMap names this role.",
        "The line of aws-auth holds the role's path, or the ARN of a session.",
        "The cluster's authentication mode leaves out the place in which the role stands.",
        "The role was deleted and made again: its access entry keeps the id of the former one.",
    ],
    confirm: &[PROBE_REPORT, "aws eks list-access-entries --cluster-name $CLUSTER --region $REGION"],
    repair: &[
        "# Add an access entry for the role's whole ARN, or a line to aws-auth without the role's path.",
    ],
};

pub(crate) const TOKEN_REFUSED: Texts = Texts {
    meaning: "EKS cannot accept the token that this setup makes.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The presigned request names an STS host that EKS does not know: FIPS, an interface endpoint's own name, a proxy.",
        "The token is larger than EKS reads.",
        "The cluster's name is an ARN or has another form.",
    ],
    confirm: &[PROBE_REPORT, "credprobe explain cluster-token-refused"],
    repair: &["# Correct the value that the report names."],
};

pub(crate) const FORBIDDEN: Texts = Texts {
    meaning: "The user is mapped, but RBAC refuses the stated access.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "No Role or ClusterRole is bound to the user or to one of its groups.",
        "The access entry has no access policy, or one of another namespace.",
    ],
    confirm: &[PROBE_REPORT, "kubectl get rolebindings,clusterrolebindings -A -o wide"],
    repair: &["# Bind a role to the user or group that the report names."],
};
