//! Texts of codes 70 to 73: the credentials that were issued, and the clock they are used with.
//! How they were got is elsewhere.

use super::{
    LIST_ASSOCIATIONS, OVERWRITE_ROLE, OVERWRITES_ROLE, PROBE_CHAIN, PROBE_REPORT, PROBE_WAIT, RECREATE,
    REPLACES_PODS, SHOW_ACCOUNT, SHOW_ENDPOINTS, SHOW_ENVIRONMENT, Texts,
};

pub(crate) const MISMATCH: Texts = Texts {
    meaning: "Another role than the expected one answered.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Pod Identity: the association names another role than --expect-role, or was changed and the agent still has \
         the earlier one's credentials (up to 3 hours).",
        "Role names are equal but the account is another.",
        "An emulator or a proxy that signs by itself answers in STS's place.",
    ],
    confirm: &[PROBE_REPORT, SHOW_ACCOUNT, LIST_ASSOCIATIONS, PROBE_CHAIN],
    repair: &[
        "# Pod Identity: if the association shown above names the wrong role (overwrites its role; $ASSOCIATION is its id):",
        "aws eks update-pod-identity-association --cluster-name $CLUSTER --region $REGION \
         --association-id $ASSOCIATION --role-arn $ROLE_ARN",
        "# IRSA: if the annotation shown above is wrong:",
        OVERWRITES_ROLE,
        OVERWRITE_ROLE,
        REPLACES_PODS,
        RECREATE,
        "# If the expectation is wrong, correct --expect-role or CREDPROBE_EXPECT_ROLE.",
    ],
};

pub(crate) const CREDENTIALS_REJECTED: Texts = Texts {
    meaning: "The credentials that were just issued are refused.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "They come from the global endpoint and are not valid in a region that must be opted into.",
        "They were issued in one partition and used in another: region missing or wrong.",
        "The role was deleted, or its sessions were revoked, a moment ago.",
        "The signed request was sent to the endpoint of another region.",
    ],
    confirm: &[
        PROBE_REPORT,
        SHOW_ENVIRONMENT,
        "aws iam get-role --role-name $ROLE --query Role.Arn --output text",
    ],
    repair: &[
        "# Ask the regional endpoint; its credentials are valid in every enabled region:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_REGION=$REGION \
         AWS_STS_REGIONAL_ENDPOINTS=regional",
        "# Where an app must use the global endpoint (changes it for the whole account, tokens get longer):",
        "aws iam set-security-token-service-preferences --global-endpoint-token-version v2Token",
    ],
};

pub(crate) const UNCONFIRMED: Texts = Texts {
    meaning: "Credentials were issued; whose they are is not confirmed.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "GetCallerIdentity got no answer in time, was throttled or was denied.",
        "Pod Identity without egress to STS: the agent needs none from the pod, the confirmation does.",
        "The policy of the STS interface endpoint allows the exchange and not GetCallerIdentity.",
    ],
    confirm: &[PROBE_REPORT, SHOW_ENDPOINTS],
    repair: &[
        "# Try again:",
        PROBE_WAIT,
        "# If pods are not meant to reach STS, do without the confirmation:",
        "credprobe check --no-identity",
        "# Otherwise add sts:GetCallerIdentity to the endpoint's policy; save it as it is first:",
        SHOW_ENDPOINTS,
    ],
};

pub(crate) const CLOCK_SKEW: Texts = Texts {
    meaning: "A clock differs from that of STS by more than 5 minutes.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The node's time service does not run or has no reachable source; EC2 offers 169.254.169.123.",
        "The machine was suspended or restored and its clock has not caught up.",
        "The API server's clock is ahead: its tokens are issued in the future (self-hosted).",
    ],
    confirm: &[PROBE_REPORT, "date -u", "# On the node:", "chronyc tracking", "chronyc sources -v"],
    repair: &[
        "# On the node, after its time source is reachable:",
        "# Sets the clock at once, which running programs may notice:",
        "chronyc makestep",
        "# or replace the node. Restarts its pods elsewhere and deletes their emptyDir data:",
        "kubectl drain $NODE --ignore-daemonsets --delete-emptydir-data",
    ],
};
