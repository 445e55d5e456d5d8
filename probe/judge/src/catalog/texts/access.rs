//! Texts of codes 64 to 67: what the role may do, and the next role of a chain.
//! Which policy refused, the judge says.

use super::{Texts, common};
use crate::steps::template::Template;

pub(crate) const SEE_POLICIES: Template = Template::look(
    "With credentials of {account}, see the policies of the role:",
    "aws iam list-attached-role-policies --role-name {role}",
);

pub(crate) const ADD_PERMISSION: Template = Template::change_in_words(
    "Add the statement that the report prints to a policy of the role. If another kind of policy leaves the action out, add it \
     there.",
    "a policy of {role}",
);

pub(crate) const PERMISSION_MISSING: Texts = Texts {
    meaning: "No policy allows the stated access.",
    restart: "",
    causes: &[
        "No identity policy of the role allows this action on this resource.",
        "A permissions boundary, a service control policy, the policy of a VPC endpoint or an association’s session policy \
         leaves the action out.",
        "The resource is in another account, or is a key, and its own policy does not name this role.",
        "AWS gives no reason across organizations, and S3 says only Access Denied there: then the kind of policy is not known.",
    ],
    steps: &[&SEE_POLICIES, &ADD_PERMISSION],
    beyond: &[],
};

pub(crate) const ASK_OWNER: Template = Template::words(
    "Ask the owner of the policy that the report names. A statement that allows the access does not help against a deny.",
);

pub(crate) const PERMISSION_BLOCKED: Texts = Texts {
    meaning: "A policy denies the stated access explicitly.",
    restart: "",
    causes: &[
        "A service or resource control policy of the organization denies it.",
        "The policy of a VPC endpoint or of the resource denies it.",
        "A policy of the role itself, its boundary or its session denies it.",
    ],
    steps: &[&SEE_POLICIES, &ASK_OWNER],
    beyond: &[],
};

pub(crate) const CORRECT_SIDE: Template = Template::change_in_words(
    "Correct the side that the report names. With two accounts both sides must allow it, and STS does not say which one \
     refuses.",
    "the trust policy of the next role, or a policy of the role before it",
);

pub(crate) const ROLE_CHAIN_DENIED: Texts = Texts {
    meaning: "The next role of the chain refuses.",
    restart: "",
    causes: &[
        "The trust policy of the next role does not name the pod’s role.",
        "No policy of the pod’s role allows sts:AssumeRole on the next role.",
        "The session has transitive tags, as with EKS Pod Identity, and one of the two sides does not allow sts:TagSession.",
        "The next role’s trust policy asks for an external id that the profile does not have.",
    ],
    steps: &[&common::SEE_ROLE, &CORRECT_SIDE],
    beyond: &[],
};

pub(crate) const SIMULATE: Template = Template::look(
    "Ask IAM’s policy simulator. It does not know resource policies of other accounts, endpoint policies and session policies:",
    "aws iam simulate-principal-policy --policy-source-arn {role_arn} --action-names {action} --resource-arns {resource} --query 'EvaluationResults[].[EvalActionName,EvalDecision]' --output text",
);

pub(crate) const LEAVE_OUT: Template = Template::change_in_words(
    "Nothing in IAM need be wrong. Leave --expect-access out if the simulator’s answer is enough.",
    "credprobe’s arguments",
);

pub(crate) const UNPROVED: Texts = Texts {
    meaning: "No safe call proves the stated access.",
    restart: "",
    causes: &[
        "The table of safe calls does not have this action: credprobe sends only calls that read no data and change nothing.",
        "An endpoint variable leads elsewhere, or --sts-compatible is set: only AWS’s own endpoints are asked.",
        "The session policy that credprobe itself passes denied an action that the stated one implies: state that one too.",
        "Credentials of EKS Pod Identity cannot be narrowed, and --access-with-full-credentials is not set.",
        "The answer decides nothing: throttled, unreachable, a resource that does not exist, a bucket of another region.",
    ],
    steps: &[&SIMULATE, &LEAVE_OUT],
    beyond: &[],
};
