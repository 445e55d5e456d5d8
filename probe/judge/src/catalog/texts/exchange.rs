//! Texts of codes 50 to 63: STS's answers to the exchange.
//! How answers are told apart, the judge says.

use super::{
    BACK_UP_TRUST, EDIT, HEALTH, LIST_PROVIDERS, OVERWRITE_ROLE, OVERWRITES_ROLE, OVERWRITES_TRUST,
    PROBE_REPORT, PROBE_WAIT, RECREATE, REMARK_RECREATE, REPLACES_PODS, SAVE_TRUST, SHOW_ACCOUNT,
    SHOW_ENVIRONMENT, SHOW_ISSUER, SHOW_PROVIDER, SHOW_TRUST, Texts, WRITE_TRUST, common,
};
use crate::steps::template::Template;

const CREATE_PROVIDER: &str = "aws iam create-open-id-connect-provider --url https://$ISSUER \
     --client-id-list $AUDIENCE";

const ADD_AUDIENCE: &str = "aws iam add-client-id-to-open-id-connect-provider \
     --open-id-connect-provider-arn $PROVIDER_ARN --client-id $AUDIENCE";

pub(crate) const PROVIDER_MISSING: Texts = Texts {
    meaning: "The role's account has no IAM OIDC provider for the issuer.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The provider was never created, or the cluster was recreated and has a new issuer.",
        "It exists in the cluster's account, but the role is in another one: it must be in the role's.",
        "It was registered under the dual-stack name (oidc-eks.REGION.api.aws), which tokens never carry.",
        "STS was asked in a region that the role's account has not enabled: that looks the same.",
        "The pod was meant for Pod Identity and was created before its association took effect.",
    ],
    confirm: &[
        "# With credentials of the role's account:",
        "aws sts get-caller-identity --query Account --output text",
        LIST_PROVIDERS,
        SHOW_ISSUER,
    ],
    repair: &[
        "# In the role's account; adds a provider, existing ones stay. $AUDIENCE is sts.amazonaws.com unless the cluster uses another:",
        CREATE_PROVIDER,
        "credprobe check --grace=2m",
    ],
};

pub(crate) const AUDIENCE_NOT_REGISTERED: Texts = Texts {
    meaning: "The IAM OIDC provider does not list the token's audience.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The provider lists another: sts.amazonaws.com.cn (wrong in China too), sts.amazon.com, a regional host name.",
        "The entry has a blank at its end.",
        "The token's audience is unusual: annotation eks.amazonaws.com/audience or a hand-made volume.",
    ],
    confirm: &[SHOW_PROVIDER, SHOW_ACCOUNT],
    repair: &["# Adds the audience; existing ones stay:", ADD_AUDIENCE, "credprobe check --grace=2m"],
};

pub(crate) const THUMBPRINT_MISMATCH: Texts = Texts {
    meaning: "The provider's thumbprint is not that of the issuer's CA.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The issuer's certificate now comes from another authority than when the provider was made.",
        "The thumbprint was taken from the wrong certificate of the chain; it is the topmost one's that counts.",
        "The issuer's authority is private: only for such does IAM still look at thumbprints.",
    ],
    confirm: &[
        SHOW_PROVIDER,
        "openssl s_client -showcerts -connect ${ISSUER%%/*}:443 -servername ${ISSUER%%/*} </dev/null",
    ],
    repair: &[
        "# The list is replaced as a whole: repeat the thumbprints shown above that are still needed, and add the one",
        "# that the report prints as $THUMBPRINT. Overwrites the list:",
        "aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn $PROVIDER_ARN \
         --thumbprint-list $THUMBPRINT",
    ],
};

/// One pipeline: the old policy is kept in a file that only grows, the statement is added once, and nothing is written
/// where a part fails or the role is another account's.
pub(crate) const ADD_STATEMENT: Template = Template::change(
    "add one. {role_name}-before.json keeps the old policy:",
    "aws iam get-role --role-name {role} --query Role --output json | tee -a {role}-before.json | \
     jq -c --arg arn {role_arn} --arg p {provider_arn} --arg i {issuer} --arg sub {subject} --arg aud {audience} \
     'select(.Arn==$arn)|{Effect:\"Allow\",Action:\"sts:AssumeRoleWithWebIdentity\",Principal:{Federated:$p},\
     Condition:{StringEquals:{($i+\":sub\"):$sub,($i+\":aud\"):$aud}}} as $s\
     |.AssumeRolePolicyDocument|.Statement=([.Statement]|flatten)-[$s]+[$s]' | \
     aws iam update-assume-role-policy --role-name {role} --policy-document file:///dev/stdin",
    "the trust policy of {role}: one statement is added",
)
.when("No statement");

pub(crate) const OTHER_ARN: Template = Template::change_in_words(
    "correct the annotation of {sa}.",
    "the role annotation of service account {sa}",
)
.when("NoSuchEntity, or another ARN");

pub(crate) const STATEMENT_WITH_A_MISTAKE: Template =
    Template::change_in_words("correct it in the policy.", "the trust policy of {role}")
        .when("A statement for {sa} with a mistake");

pub(crate) const ACCESS_DENIED: Texts = Texts {
    meaning: "The role’s trust policy refuses, or there is no such role.",
    restart: "",
    causes: &[
        "The trust policy does not admit the subject: its condition on :sub names another namespace or service account, or \
         compares a wildcard with StringEquals.",
        "The role does not exist in that account, or its ARN has a path that the annotation lacks.",
        "The policy names another issuer: an earlier cluster, https:// or a slash too many, another account or partition.",
        "The condition on :aud holds the subject or another audience.",
        "The policy allows sts:AssumeRole only, or was written for Pod Identity or EC2.",
        "Another policy denies: a resource control policy, the STS endpoint’s policy. Or the role is so new that IAM does \
         not know it everywhere yet.",
    ],
    steps: &[&common::SEE_ROLE, &OTHER_ARN, &STATEMENT_WITH_A_MISTAKE, &ADD_STATEMENT],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const ROLE_ARN_REJECTED: Texts = Texts {
    meaning: "STS says that the role ARN is invalid.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The ARN has the right form to the eye and a wrong byte in it: a blank, a colon for a slash, a line end.",
        "It is the ARN of something other than a role.",
        "The partition in the ARN is not STS's.",
    ],
    confirm: &[SHOW_ACCOUNT, "aws iam get-role --role-name $ROLE --query Role.Arn --output text"],
    repair: &[
        "# Write the ARN exactly as IAM prints it, after a look at the annotation shown above:",
        OVERWRITES_ROLE,
        OVERWRITE_ROLE,
        REMARK_RECREATE,
        RECREATE,
    ],
};

pub(crate) const TOKEN_REJECTED: Texts = Texts {
    meaning: "STS could not validate the token and does not say why.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The role's account has no OIDC provider for the token's issuer, or one under the dual-stack name.",
        "The provider does not list the token's audience, or lists it with a blank at the end.",
        "The account has not enabled the region that was asked.",
        "The issuer's documents or keys are wrong or unreachable for STS.",
        "The provider is stale although all values are right; making it anew has helped.",
    ],
    confirm: &[
        "# What the probe could verify by itself stands in the report under ruled_out:",
        PROBE_REPORT,
        "# With credentials of the role's account:",
        LIST_PROVIDERS,
        SHOW_PROVIDER,
        SHOW_ISSUER,
    ],
    repair: &[
        "# If no provider was listed for the issuer (adds one, in the role's account):",
        CREATE_PROVIDER,
        "# If its ClientIDList lacks the audience (adds it):",
        ADD_AUDIENCE,
        "credprobe check --grace=2m",
    ],
};

pub(crate) const TOKEN_EXPIRED_AT_STS: Texts = Texts {
    meaning: "By STS's clock the token that was sent has expired.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The file is not renewed: kubelet trouble, a subPath mount, a copy.",
        "This machine's clock is behind, so that the token still looks valid here.",
        "An app with this error while the file is fresh keeps the token in memory: its SDK is old or reads the file once.",
    ],
    confirm: &[PROBE_REPORT, "date -u", "kubectl describe node $NODE"],
    repair: &[
        "# A new pod gets a new token:",
        REPLACES_PODS,
        RECREATE,
        "# If the clocks differ, correct the node's; on the node:",
        "chronyc tracking",
    ],
};

pub(crate) const ISSUER_UNAVAILABLE: Texts = Texts {
    meaning: "STS could not fetch the issuer's keys.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A disturbance between STS and the issuer; it passes.",
        "The issuer is slow or limits requests: STS waits only a few seconds.",
        "Self-hosted: discovery or keys are not public, or the keys were rotated and not published.",
    ],
    confirm: &[
        PROBE_REPORT,
        "# From outside the cluster's network:",
        "curl -sS https://$ISSUER/.well-known/openid-configuration",
        HEALTH,
    ],
    repair: &[
        "# Try again:",
        PROBE_WAIT,
        "# If it stays and the issuer is your own, make both documents public and fast; see issuer-unusable.",
    ],
};

pub(crate) const CLAIM_REJECTED: Texts = Texts {
    meaning: "STS reports that the issuer or a claim was rejected.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The identity provider does not accept a claim of the token.",
        "The token was revoked. EKS tokens are not known to bring this about: look who made the token.",
    ],
    confirm: &[PROBE_REPORT, SHOW_PROVIDER],
    repair: &[
        "# Take a new token and judge again:",
        REPLACES_PODS,
        RECREATE,
        "# If it stays, ask whoever runs the issuer, with the request id of the report.",
    ],
};

pub(crate) const SEE_REGION: Template = Template::look(
    "With credentials of {account}, see whether the region is enabled:",
    "aws account get-region-opt-status --region-name {region}",
);

pub(crate) const USE_OTHER_REGION: Template = Template::change_in_words(
    "set AWS_REGION and AWS_DEFAULT_REGION of the workload to {value}.",
    "the environment of the workload’s containers",
)
.when("The region was not meant");

pub(crate) const ENABLE_REGION: Template = Template::change_in_words(
    "let whoever administers {account} enable {region}. It takes minutes to hours, and opens the region for everything in \
     that account.",
    "the account’s list of regions",
)
.when("The region is meant");

pub(crate) const REGION_DISABLED: Texts = Texts {
    meaning: "STS or the region is not enabled for the role's account.",
    restart: "",
    steps: &[&SEE_REGION, &USE_OTHER_REGION, &ENABLE_REGION],
    beyond: &[],
    causes: &[
        "STS was switched off for this region in the account's settings.",
        "The region must be opted into, and the role's account has not done so.",
        "AWS_REGION names another region than the one that the account uses.",
    ],
    confirm: &[],
    repair: &[],
};

pub(crate) const THROTTLED: Texts = Texts {
    meaning: "STS answers that too many requests arrive.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Many pods start at once and share the account's quota in this region.",
        "An app asks anew for each session instead of keeping its credentials.",
        "Something in crash loop asks on each start.",
    ],
    confirm: &[
        "aws cloudtrail lookup-events --region $REGION --max-results 50 \
         --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity",
        "kubectl get pods -A --field-selector status.phase!=Running",
    ],
    repair: &[
        "# Spread the starts and try again:",
        "credprobe check --start-jitter=10s --wait=2m",
        "# If it is lasting: fewer exchanges (let SDKs cache), or a higher quota from AWS Support.",
    ],
};

pub(crate) const STS_UNAVAILABLE: Texts = Texts {
    meaning: "STS failed on its own side (5xx).",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "A disturbance of STS in this region.",
        "An STS-compatible server behind the configured endpoint fails.",
    ],
    confirm: &[PROBE_REPORT, HEALTH],
    repair: &[
        "# Try again:",
        PROBE_WAIT,
        "# If one region is down for long, AWS_REGION can name another; the app's other calls go there too:",
        REPLACES_PODS,
        EDIT,
    ],
};

pub(crate) const REQUEST_REJECTED: Texts = Texts {
    meaning: "STS refuses the request itself, neither token nor role.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "AWS_ROLE_SESSION_NAME has characters or a length that STS does not take.",
        "The token carries session tags (https://aws.amazon.com/tags) and the trust policy lacks sts:TagSession.",
        "The role or an organization's policy forbids session policies, or limits the duration below 900 seconds.",
        "A proxy or sidecar alters requests.",
    ],
    confirm: &[PROBE_REPORT, SHOW_ENVIRONMENT, SHOW_TRUST],
    repair: &[
        "# If it is the session name:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_ROLE_SESSION_NAME-",
        "# If it is the tags: save the policy, add sts:TagSession to the statement's Action, write it back:",
        SAVE_TRUST,
        BACK_UP_TRUST,
        OVERWRITES_TRUST,
        WRITE_TRUST,
    ],
};

pub(crate) const STS_UNRECOGNIZED: Texts = Texts {
    meaning: "STS gave an error that this version does not know.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "STS has a new error, or a new wording of a known one.",
        "An STS-compatible server has errors of its own.",
    ],
    confirm: &[PROBE_REPORT, "credprobe --version", HEALTH],
    repair: &[
        "# Read STS's own text in the report. Then take a newer version of the probe, or report code and text",
        "# to whoever gave you credprobe.",
        "# So that no pod waits for it meanwhile: --tolerate=sts-unrecognized",
    ],
};
