//! Texts of codes 50 to 63: STS's answers to the exchange.
//! How answers are told apart, the judge says.

use super::{Texts, common};
use crate::steps::template::Template;

pub(crate) const SEE_PROVIDER: Template = Template::look(
    "In {account}, see whether the provider exists and what it lists:",
    "aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider_arn} --query '[ClientIDList,ThumbprintList]' --output json",
);

pub(crate) const CREATE_PROVIDER: Template = Template::change(
    "create it in the role’s account:",
    "test \"$(aws sts get-caller-identity --query Account --output text)\" = {account} && aws iam create-open-id-connect-provider --url {issuer_url} --client-id-list {audience}",
    "the OIDC providers of {account}: one is added for this issuer",
)
.when("IRSA is meant, and there is no provider");

/// A pod that is older than its association has IRSA's variables, and nobody needs a provider.
pub(crate) const SEE_ITS_ASSOCIATION: Template = Template::look(
    "See whether {sa} has an association. Set cluster to this cluster’s name:",
    "aws eks list-pod-identity-associations --region {region} --cluster-name \"${cluster:?is not set}\" --namespace {namespace} --service-account {service_account} --query 'associations[].associationId' --output text",
);

pub(crate) const LEFT_FOR_POD_IDENTITY: Template = Template::change_in_words(
    "make new pods. This pod is older than the association.",
    "the pods, which are replaced",
)
.when("It prints an id");

pub(crate) const REGION_NOT_ENABLED: Template = Template::change_in_words(
    "the account may not have enabled {region}, which looks the same. Enable it, or set AWS_REGION to {value}.",
    "the account’s list of regions, or the environment of the workload",
)
.when("The provider is there with this audience");

pub(crate) const PROVIDER_MISSING: Texts = Texts {
    meaning: "The role’s account has no IAM OIDC provider for the issuer.",
    restart: "",
    causes: &[
        "The provider was never created, or the cluster was recreated and has a new issuer.",
        "It exists in the cluster’s account, but the role is in another one: it must be in the role’s.",
        "The account number in the role’s ARN is mistyped.",
        "The pod was meant for Pod Identity and was created before its association took effect.",
        "It was registered under the dual-stack name oidc-eks.REGION.api.aws, which tokens never carry.",
        "STS was asked in a region that the role’s account has not enabled, which looks the same.",
    ],
    steps: &[&SEE_ITS_ASSOCIATION, &LEFT_FOR_POD_IDENTITY, &ACCOUNT_IS_WRONG, &CREATE_PROVIDER],
    beyond: &[],
};

/// `add-client-id` adds and takes nothing away.
pub(crate) const ADD_AUDIENCE: Template = Template::change(
    "add it. Existing ones stay:",
    "aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {provider_arn} --client-id {audience}",
    "the audiences of the OIDC provider: one is added",
)
.when("The audience is meant");

pub(crate) const USUAL_AUDIENCE: Template = Template::change_in_words(
    "correct the audience, by the annotation eks.amazonaws.com/audience or in the pod’s own volume. Then make new pods.",
    "the audience of the pod’s token",
)
.when("Another audience is meant");

pub(crate) const AUDIENCE_NOT_REGISTERED: Texts = Texts {
    meaning: "The IAM OIDC provider does not list the token’s audience.",
    restart: "",
    causes: &[
        "The provider lists another one: sts.amazonaws.com.cn, which is wrong in China too, sts.amazon.com, a regional host.",
        "The entry has a blank at its end.",
        "The token’s audience is unusual: annotation eks.amazonaws.com/audience, or a volume of the pod’s own.",
    ],
    steps: &[&SEE_PROVIDER, &USUAL_AUDIENCE, &ADD_AUDIENCE],
    beyond: &[],
};

pub(crate) const ADD_THUMBPRINT: Template = Template::change(
    "add its thumbprint. provider-before.json keeps the old list:",
    "test \"$(curl -so /dev/null -w '%{ssl_verify_result}' {issuer_url}/.well-known/openid-configuration)\" -gt 0 && aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider_arn} --output json | tee -a provider-before.json | jq -r --arg new {thumbprint} '.ThumbprintList+[$new]|unique[]' | xargs -r aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn {provider_arn} --thumbprint-list",
    "the OIDC provider’s list of thumbprints: one is added",
)
.when("An error, and the certificate is the issuer’s own");

/// What this pod sees may be a TLS inspection's certificate, which nobody must add.
pub(crate) const SEE_PUBLIC_ROOT: Template = Template::look(
    "Outside the cluster’s network, see whether a public root vouches for the issuer. 0 means yes:",
    "curl -sS -o /dev/null -w '%{ssl_verify_result}\\n' {issuer_url}/.well-known/openid-configuration",
);

pub(crate) const ONLY_SEEN_HERE: Template =
    Template::words("this pod’s network inspects TLS. Let whoever runs it exempt the issuer.").when("0");

pub(crate) const LOOK_FROM_ELSEWHERE: Template = Template::words(
    "Run credprobe where {issuer_host} can be reached. This pod cannot, so the thumbprint of its last certificate is not known.",
);

pub(crate) const THUMBPRINT_MISMATCH: Texts = Texts {
    meaning: "The provider’s thumbprint is not that of the issuer’s CA.",
    restart: "",
    causes: &[
        "The issuer’s certificate now comes from another authority than when the provider was made.",
        "The thumbprint was taken from the wrong certificate of the chain. The topmost one’s counts.",
        "The issuer’s authority is private: only for such does IAM still look at thumbprints.",
    ],
    steps: &[&SEE_PUBLIC_ROOT, &ONLY_SEEN_HERE, &ADD_THUMBPRINT],
    beyond: &[],
};

/// One pipeline: the old policy is kept in a file that only grows, the statement is added once, and nothing is written
/// where a part fails or the role is another account's.
pub(crate) const ADD_STATEMENT: Template = Template::change(
    "add one. A file keeps the old:",
    "aws iam get-role --role-name {role} --query Role --output json | tee -a {role}-before.json | \
     jq -c --arg arn {role_arn} --arg p {provider_arn} --arg sub {subject} --arg aud {audience} \
     'select(.Arn==$arn)|($p/\"oidc-provider/\")[1] as $i|{Effect:\"Allow\",Action:\"sts:AssumeRoleWithWebIdentity\",Principal:{Federated:$p},\
     Condition:{StringEquals:{($i+\":sub\"):$sub,($i+\":aud\"):$aud}}} as $s\
     |.AssumeRolePolicyDocument|.Statement=([.Statement]|flatten)-[$s]+[$s]' | \
     aws iam update-assume-role-policy --role-name {role} --policy-document file:///dev/stdin",
    "the trust policy of {role}: one statement is added",
)
.when("No statement for this issuer and subject");

pub(crate) const OTHER_ARN: Template =
    Template::change_in_words("correct the annotation, then make new pods.", "the role annotation of {sa}")
        .when("Another ARN, or a wrong name");

pub(crate) const ROLE_MISSING: Template =
    Template::change_in_words("create it.", "the account’s roles: one is added")
        .when("NoSuchEntity, and the name is right");

pub(crate) const STATEMENT_WITH_A_MISTAKE: Template =
    Template::change_in_words("correct it.", "the trust policy of {role}")
        .when("A Deny, or a mistake in a statement for {sa}");

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
    steps: &[&common::SEE_ROLE, &OTHER_ARN, &ROLE_MISSING, &STATEMENT_WITH_A_MISTAKE, &ADD_STATEMENT],
    beyond: &[],
};

pub(crate) const REAL_ARN: Template = Template::look(
    "With credentials of {account}, see the ARN as IAM prints it:",
    "aws iam get-role --role-name {role} --query Role.Arn --output text",
);

pub(crate) const ANNOTATE_REAL_ARN: Template = Template::change(
    "Annotate {sa} with exactly that ARN. This overwrites its value. If Argo CD, Flux or Helm manages it, \
     change it there:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/role-arn=\"$(aws iam get-role --role-name {role} --query Role.Arn --output text)\" --overwrite",
    "the role annotation of {sa}, which is overwritten",
);

pub(crate) const ROLE_ARN_REJECTED: Texts = Texts {
    meaning: "STS says that the role ARN is invalid.",
    restart: "a container keeps its environment",
    causes: &[
        "The ARN looks right and has a wrong byte in it: a blank, a colon for a slash, a line end.",
        "It is the ARN of something other than a role.",
        "The partition in the ARN is not STS’s.",
    ],
    steps: &[&common::SEE_SERVICE_ACCOUNT, &REAL_ARN, &ANNOTATE_REAL_ARN, &common::RESTART],
    beyond: &[],
};

/// The account stands in the role's ARN, which somebody wrote by hand.
pub(crate) const ACCOUNT_IS_WRONG: Template =
    Template::change_in_words("correct the annotation, then make new pods.", "the role annotation of {sa}")
        .when("Another account is meant");

pub(crate) const ONE_AUDIENCE: Template = Template::change_in_words(
    "First let the projected volume ask for one audience only.",
    "the pod’s volumes",
);

pub(crate) const NO_WHITE_SPACE: Template = Template::change_in_words(
    "First let whatever writes the token file leave out the white space behind the token, or mount the kubelet’s volume itself.",
    "the program that writes the token file, or the pod’s volumes",
);

pub(crate) const TOKEN_REJECTED: Texts = Texts {
    meaning: "STS could not validate the token and does not say why.",
    restart: "",
    causes: &[
        "The role’s account has no OIDC provider for the token’s issuer, or one under the dual-stack name.",
        "The account number in the role’s ARN is mistyped.",
        "The provider does not list the token’s audience, or lists it with a blank at the end.",
        "The account has not enabled the region that was asked.",
        "The issuer’s documents or keys are wrong, or STS cannot reach them.",
        "The provider is stale although all values are right. To create it again has helped.",
    ],
    steps: &[&SEE_PROVIDER, &ACCOUNT_IS_WRONG, &REGION_NOT_ENABLED, &LISTED_WITHOUT, &CREATE_PROVIDER],
    beyond: &[&ADD_AUDIENCE],
};

pub(crate) const LISTED_WITHOUT: Template = Template::change_in_words(
    "add {audience} to the provider.",
    "the audiences of the OIDC provider: one is added",
)
.when("It lacks this audience");

pub(crate) const TOKEN_EXPIRED_AT_STS: Texts = Texts {
    meaning: "By STS’s clock the token that was sent has expired.",
    restart: "",
    causes: &[
        "The file is not renewed: the kubelet has trouble, or it is a subPath mount or a copy.",
        "This node’s clock is behind, so that the token still looks valid here.",
        "An app with this error while the file is fresh keeps the token in memory: its SDK is old or reads the file once.",
    ],
    steps: &[&common::SEE_EVENTS, &SEE_CLOCK, &common::RESTART],
    beyond: &[],
};

pub(crate) const SEE_CLOCK: Template =
    Template::look("On {node}, see whether its clock is right:", "chronyc tracking");

/// Behind another server than AWS's: what its refusal leaves to do, in the words of its class.
pub(crate) const AT_SERVER: Template =
    Template::change_in_words("{value}", "the configuration of the server or of the pod");

pub(crate) const SEE_AUDIENCE: Template =
    Template::words("See whether the server has the token’s audience, {audience}, registered.");

pub(crate) const SEE_DISCOVERY: Template = Template::look(
    "See how the issuer answers, from outside of the cluster’s network as STS does:",
    "curl -sS -w '\\n%{http_code} %{redirect_url}\\n' {issuer_url}/.well-known/openid-configuration",
);

pub(crate) const PASSES_BY_ITSELF: Template = Template::words(
    "No action is needed: the host is AWS’s, and credprobe tries again. If it lasts, see health.aws.amazon.com.",
);

pub(crate) const MAKE_PUBLIC: Template = Template::change_in_words(
    "Make the issuer’s discovery document and keys public, and let them answer within a second.",
    "the issuer’s published documents",
);

pub(crate) const ISSUER_UNAVAILABLE: Texts = Texts {
    meaning: "STS could not fetch the issuer’s keys.",
    restart: "",
    causes: &[
        "A disturbance between STS and the issuer, which passes.",
        "The issuer is slow or limits requests: STS waits only a few seconds.",
        "Self-hosted: discovery or keys are not public, or the keys were rotated and not published.",
    ],
    steps: &[&SEE_DISCOVERY, &MAKE_PUBLIC],
    beyond: &[],
};

pub(crate) const ASK_ISSUER: Template = Template::words(
    "If a new token is rejected as well, ask whoever runs the issuer, with the request id in credprobe’s JSON report.",
);

pub(crate) const CLAIM_REJECTED: Texts = Texts {
    meaning: "STS reports that the issuer or a claim was rejected.",
    restart: "",
    causes: &[
        "The identity provider does not accept a claim of the token.",
        "The token was revoked. EKS tokens are not known to bring this about: look who made the token.",
    ],
    steps: &[&SEE_PROVIDER, &common::RESTART, &ASK_ISSUER],
    beyond: &[],
};

pub(crate) const SEE_REGION: Template = Template::look(
    "With credentials of {account}, see whether the region is enabled:",
    "aws account get-region-opt-status --region-name {region}",
);

pub(crate) const USE_OTHER_REGION: Template = Template::change(
    "set it to {value}, the issuer’s. This makes new pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_REGION={value} AWS_DEFAULT_REGION={value}",
    "the environment of all containers of {workload}, whose pods are replaced",
)
.when("{region} was not meant");

pub(crate) const ENABLE_REGION: Template = Template::change_in_words(
    "let whoever administers {account} enable {region}. It takes minutes to hours, and opens the region for everything in \
     that account.",
    "the account’s list of regions",
)
.when("The region is meant");

pub(crate) const ACTIVATE_STS: Template = Template::change_in_words(
    "let whoever administers {account} activate STS in {region}: IAM console, account settings, Security Token Service. An \
     opt-in region must be enabled for the account.",
    "the account’s settings",
)
.when("The region is meant");

pub(crate) const OTHER_REGION_MEANT: Template = Template::change_in_words(
    "set AWS_REGION and AWS_DEFAULT_REGION of the workload to the region that is.",
    "the environment of the workload’s containers",
)
.when("The region was not meant");

pub(crate) const REGION_DISABLED: Texts = Texts {
    meaning: "STS or the region is not enabled for the role’s account.",
    restart: "",
    causes: &[
        "The region must be opted into, and the role’s account has not done so.",
        "STS was switched off for this region in the account’s settings.",
        "AWS_REGION names another region than the one that the account uses.",
    ],
    steps: &[&SEE_REGION, &ENABLE_REGION, &USE_OTHER_REGION],
    beyond: &[],
};

pub(crate) const WAIT: Template = Template::words(
    "No action is needed: credprobe tries again. Pods that start together can spread out with --start-jitter=10s.",
);

pub(crate) const THROTTLED: Texts = Texts {
    meaning: "STS throttles this account or this call.",
    restart: "",
    causes: &[
        "Many pods start together and ask at the same moment.",
        "Another program of the account calls STS in a loop.",
    ],
    steps: &[&SEE_CALLS, &WAIT],
    beyond: &[],
};

pub(crate) const SEE_CALLS: Template = Template::look(
    "See who calls STS in this account and region:",
    "aws cloudtrail lookup-events --region {region} --max-results 20 --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity --query 'Events[].[EventTime,Username]' --output text",
);

pub(crate) const SEE_HEALTH: Template = Template::words(
    "No action is needed: credprobe tries again. If it lasts, see health.aws.amazon.com, and give the request id to AWS Support.",
);

pub(crate) const STS_UNAVAILABLE: Texts = Texts {
    meaning: "STS answered that it failed.",
    restart: "",
    causes: &[
        "A disturbance of STS in this region.",
        "Something between the pod and STS answers with a status of 5xx.",
    ],
    steps: &[&SEE_HEALTH],
    beyond: &[],
};

pub(crate) const SEE_ANSWER_TO_OTHERS: Template = Template::look(
    "With any credentials, see whether STS answers others in this region:",
    "aws sts get-caller-identity --region {region}",
);

pub(crate) const LOOK_UP: Template = Template::words(
    "Look the error up in AWS’s documentation, and see health.aws.amazon.com. If it lasts, open a case with AWS Support.",
);

pub(crate) const REPORT_IT: Template = Template::words(
    "If STS is AWS’s, report it to whoever gave you credprobe, with the output of --output=json: it holds no secret.",
);

pub(crate) const ADD_STATE: Template = Template::change_in_words(
    "If another server than AWS’s is meant, such as Ceph, SeaweedFS or MinIO, add --sts-compatible to credprobe’s arguments.",
    "credprobe’s arguments",
);

pub(crate) const ALLOW_TAGS: Template = Template::change_in_words(
    "Let the role’s trust policy allow sts:TagSession beside sts:AssumeRoleWithWebIdentity, for the token brings session tags.",
    "the trust policy of {role}",
);

pub(crate) const SEE_BETWEEN: Template = Template::words(
    "Find what stands between this pod and STS and changes requests. The pod’s own values are right.",
);

pub(crate) const REQUEST_REJECTED: Texts = Texts {
    meaning: "STS refuses a parameter of the request.",
    restart: "",
    causes: &[
        "The session name, AWS_ROLE_SESSION_NAME, has characters that STS does not take.",
        "The token brings session tags, and the trust policy does not allow sts:TagSession.",
        "Another server than AWS’s STS, which does not know session policies.",
        "Something between the pod and STS changed the request.",
    ],
    steps: &[&common::SEE_VARIABLES, &ALLOW_TAGS, &ADD_STATE, &SEE_BETWEEN],
    beyond: &[],
};

pub(crate) const STS_UNRECOGNIZED: Texts = Texts {
    meaning: "STS gave an error that this version does not know.",
    restart: "",
    causes: &["AWS has a new error code or a new wording.", "Another server answers in STS’s form."],
    steps: &[&SEE_ANSWER_TO_OTHERS, &LOOK_UP, &REPORT_IT],
    beyond: &[],
};
