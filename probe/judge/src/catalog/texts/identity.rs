//! Texts of codes 70 to 73: the credentials that were issued, and the clock they are used with.
//! How they were got is elsewhere.

use super::{Texts, agent, common, exchange};
use crate::steps::template::Template;

pub(crate) const KEEP_POD: Template = Template::words(
    "Tell security before anything is changed. Do not restart the pod until it is understood: what answers can read its tokens.",
);

pub(crate) const REPEATED_ANSWERS: Template = Template::words(
    "No action is needed: credprobe tries again. If it lasts, see whether a proxy or a cache on the way repeats old answers, \
     then open a case with AWS Support.",
);

pub(crate) const MISMATCH: Texts = Texts {
    meaning: "Another role than the expected one answered.",
    restart: "",
    causes: &[
        "Pod Identity: the association names another role than --expect-role.",
        "Pod Identity: the association was changed, and the agent still has the former credentials, up to 3 hours.",
        "IRSA: an emulator or a proxy that signs by itself answers in place of STS.",
        "The roles have one name and are of different accounts.",
    ],
    steps: &[
        &KEEP_POD,
        &common::FIND_CLUSTER,
        &agent::SEE_ASSOCIATION,
        &agent::WAIT_FOR_CACHE,
        &agent::CORRECT_EXPECTED,
        &agent::UPDATE_ROLE,
    ],
    beyond: &[],
};

pub(crate) const NOT_THE_CLOCK: Template = Template::words(
    "If it is right, nobody here can repair it: the fault is on AWS’s side. The next try may pass.",
);

pub(crate) const SEE_ROLE_CHANGES: Template = Template::look(
    "With credentials of {account}, see whether the role is still there, and whether a policy revokes its sessions:",
    "aws iam list-role-policies --role-name {role} --output text",
);

pub(crate) const NOT_REVOKED: Template = Template::words(
    "If the role is there and nothing revokes its sessions, run credprobe again. If STS refuses again, ask AWS’s support.",
);

pub(crate) const SIGN_FOR_HOST: Template = Template::change_in_words(
    "Correct the region or the endpoint, so that both name one region. credprobe signed for {region} and asked {sts_host}.",
    "the environment of the workload’s containers",
);

/// Makes the account's global endpoint issue session tokens that every region takes.
pub(crate) const VERSION_2: Template = Template::change(
    "If apps must use the global endpoint, let it issue tokens of version 2, which every region takes. This changes the whole \
     account, and tokens get longer:",
    "aws iam set-security-token-service-preferences --global-endpoint-token-version v2Token",
    "the whole account: the version of the global endpoint’s session tokens",
);

pub(crate) const CREDENTIALS_REJECTED: Texts = Texts {
    meaning: "The credentials that were just issued are refused.",
    restart: "",
    causes: &[
        "They come from the global endpoint and are not valid in a region that must be opted into.",
        "This node’s clock is wrong, so that they look expired.",
        "They were issued in one partition or region and used in another.",
        "The role was deleted, or its sessions were revoked, a moment ago.",
    ],
    steps: &[&exchange::SEE_CLOCK, &SEE_ROLE_CHANGES, &common::SEE_VARIABLES, &common::SET_REGION],
    beyond: &[&VERSION_2],
};

pub(crate) const NOT_NEEDED: Template =
    Template::change_in_words("add --no-identity to credprobe’s arguments.", "credprobe’s arguments")
        .when("Apps here do not call sts:GetCallerIdentity");

pub(crate) const ALLOW_IT: Template = Template {
    say: "let the policy of the VPC endpoint for STS allow it. It needs no permission in IAM.",
    ..agent::ALLOW_CALLER_IDENTITY
}
.when("They do");

pub(crate) const RUN_AGAIN: Template =
    Template::words("Nothing to repair. Run credprobe again, to have the role confirmed.");

pub(crate) const UNCONFIRMED: Texts = Texts {
    meaning: "Whose the issued credentials are is not confirmed.",
    restart: "",
    causes: &[
        "GetCallerIdentity got no answer in time, or was throttled.",
        "The policy of the VPC endpoint for STS allows the exchange and not GetCallerIdentity.",
        "Pod Identity without egress to STS: the agent needs none from the pod, the confirmation does.",
    ],
    steps: &[&common::SEE_ENDPOINT_POLICY, &NOT_NEEDED, &ALLOW_IT],
    beyond: &[],
};

pub(crate) const DRAIN: Template = Template::change(
    "If its clock cannot be set, replace the node. This starts its pods elsewhere and deletes their emptyDir data:",
    "kubectl drain {node} --ignore-daemonsets --delete-emptydir-data",
    "the node, whose pods start elsewhere",
);

pub(crate) const CLOCK_SKEW: Texts = Texts {
    meaning: "A clock differs from that of STS by more than 5 minutes.",
    restart: "",
    causes: &[
        "The node’s time service does not run or has no reachable source. EC2 offers 169.254.169.123.",
        "The machine was suspended or restored and its clock has not caught up.",
        "The API server’s clock is ahead: its tokens are issued in the future, in clusters of your own.",
    ],
    steps: &[&exchange::SEE_CLOCK, &common::SET_CLOCK],
    beyond: &[&DRAIN],
};
