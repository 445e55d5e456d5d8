//! Texts of codes 10 to 19: what the webhook injected and what the environment says.
//! Judged before anything is sent.

use super::{
    EDIT, LIST_ASSOCIATIONS, OVERWRITE_ROLE, OVERWRITES_ROLE, PROBE_CHAIN, PROBE_LOCAL, PROBE_REPORT,
    RECREATE, REMARK_RECREATE, REPLACES_PODS, SHOW_ACCOUNT, SHOW_ENVIRONMENT, SHOW_NAMES, Texts, common,
};
use crate::steps::template::Template;

/// The environment is fixed when the container is made, and the webhook acts when the pod is.
const ENVIRONMENT_STAYS: &str = "a container keeps its environment";

const WEBHOOK_ACTS_ONCE: &str = "the webhook acts only when a pod is created";

pub(crate) const SEE_POD: Template = Template::look(
    "See the pod’s service account and when it was created:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.spec.serviceAccountName}{\" \"}{.metadata.creationTimestamp}{\"\\n\"}'",
);

pub(crate) const FIND_ACCOUNT: Template = Template::look(
    "Ask for the pod’s service account:",
    "account=\"$(kubectl get pod -n {namespace} {pod} -o 'jsonpath={.spec.serviceAccountName}')\"",
);

pub(crate) const LEAVE_OUT_MECHANISM: Template =
    Template::change_in_words("leave --mechanism=irsa out.", "credprobe’s arguments")
        .when("EKS Pod Identity is meant");

pub(crate) const SEE_ROLES_OF_NAMESPACE: Template = Template::look(
    "See which service accounts of the namespace have a role:",
    "kubectl get serviceaccount -n {namespace} -o 'custom-columns=NAME:.metadata.name,ROLE:.metadata.annotations.eks\\.amazonaws\\.com/role-arn'",
);

pub(crate) const NAME_ACCOUNT: Template = Template::change(
    "Name the one that is meant, in the shell variable account. This replaces the pods of {workload}. If Argo CD, Flux or \
     Helm manages it, change it there:",
    "kubectl set serviceaccount -n {namespace} {workload} \"${account:?is not set}\"",
    "the service account of {workload}, whose pods are replaced",
);

pub(crate) const SEE_WEBHOOK: Template = Template::look(
    "See whether the webhook is there. Without it the API server creates pods as they are:",
    "kubectl get mutatingwebhookconfiguration pod-identity-webhook -o 'jsonpath={.webhooks[*].failurePolicy}{\" \"}{.webhooks[*].clientConfig.service}{\"\\n\"}'",
);

pub(crate) const INSTALL_WEBHOOK: Template = Template::change_in_words(
    "install amazon-eks-pod-identity-webhook. This issuer is not one of EKS, so nobody else does.",
    "the cluster: the webhook is added",
)
.when("There is no such webhook");

pub(crate) const REPAIR_WEBHOOK: Template = Template::change_in_words(
    "see the API server’s log for failing open beside its name, and repair its certificate or its Service.",
    "the webhook’s certificate or Service",
)
.when("It is there");

/// Additive: without `--overwrite` it fails where an annotation stands already.
pub(crate) const ANNOTATE_UNKNOWN_ROLE: Template = Template::change(
    "annotate it with the role that is meant, in the shell variable role_arn, then make new pods. An annotation that is there already stays:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/role-arn=\"${role_arn:?is not set}\"",
    "the annotations of service account {sa}: one is added",
)
.when("No key eks.amazonaws.com/role-arn, or a misspelt one");

pub(crate) const MAKE_NEW_PODS: Template = Template::change_in_words(
    "make new pods, as with kubectl rollout restart.",
    "the pods, which are replaced",
)
.when("The annotation is right, and younger than the pod");

pub(crate) const MAKE_NEW_PODS_IF_ASSOCIATED: Template = Template::change_in_words(
    "make new pods, as with kubectl rollout restart. The webhook acts only when a pod is created.",
    "the pods, which are replaced",
)
.when("It is among them, and younger than the pod");

pub(crate) const ASSOCIATE: Template = Template::change_in_words(
    "create the association first, then make new pods.",
    "the cluster’s associations",
)
.when("EKS Pod Identity is meant");

pub(crate) const NOT_INJECTED: Texts = Texts {
    meaning: "The container has neither mechanism’s variables nor mount.",
    restart: WEBHOOK_ACTS_ONCE,
    causes: &[
        "The service account has no annotation eks.amazonaws.com/role-arn, or a misspelt one, and no Pod Identity association.",
        "The pod runs under another service account than meant. Without serviceAccountName that is default.",
        "Annotation or association came after the pod. Both take effect only when a pod is created.",
        "The webhook missed the pod, because it was down or the account was created in the same moment. It fails open, \
         without an error.",
        "The pod opts out: label eks.amazonaws.com/skip-pod-identity-webhook, or annotation eks.amazonaws.com/skip-containers.",
        "It is a container of kubectl debug, which the webhook never sees.",
    ],
    steps: &[
        &SEE_POD,
        &common::SEE_SERVICE_ACCOUNT,
        &ANNOTATE_UNKNOWN_ROLE,
        &MAKE_NEW_PODS,
        &ASSOCIATE,
        &common::RESTART,
    ],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const PARTLY_INJECTED: Texts = Texts {
    meaning: "Half of a pair of variables, or a mount without them.",
    restart: WEBHOOK_ACTS_ONCE,
    causes: &[
        "The pod’s own environment sets one variable of the pair. The webhook then adds neither, and still mounts the token.",
        "The variables were copied into another container or chart without the volume and its mount.",
        "A debug container got the mount but not the variables.",
    ],
    steps: &[&common::SEE_VARIABLES, &common::SEE_SERVICE_ACCOUNT, &common::LET_WEBHOOK_SET_ONE],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const CORRECT_ARN: Template = Template::change_in_words(
    "Correct the annotation eks.amazonaws.com/role-arn of that service account, exactly as IAM prints the ARN. Then make new \
     pods.",
    "the role annotation of service account {sa}",
);

pub(crate) const CORRECT_VALUE: Template =
    Template::change_in_words("Correct {variable}, to {value}.", "{variable}");

pub(crate) const SEE_ARN: Template = Template::look(
    "See the ARN as IAM prints it, with credentials of the role’s account:",
    "aws iam get-role --role-name {role} --query Role.Arn --output text",
);

pub(crate) const ROLE_ARN_MALFORMED: Texts = Texts {
    meaning: "AWS_ROLE_ARN cannot be the ARN of an IAM role.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "role:name instead of role/name, or a colon too many or too few.",
        "The ARN of something else: a policy, an instance profile, an OIDC provider, a session.",
        "A template was not filled in: an empty account, a placeholder.",
        "Quotation marks, blanks or a line end belong to the value.",
        "Only the name of the role. The webhook injects it as it stands.",
    ],
    steps: &[&common::SEE_SERVICE_ACCOUNT, &SEE_ARN, &common::ANNOTATE_ROLE, &common::RESTART],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const SEE_NODES_REGION: Template = Template::look(
    "Take the region from the nodes’ labels:",
    "region=\"$(kubectl get nodes -o 'jsonpath={.items[0].metadata.labels.topology\\.kubernetes\\.io/region}')\"",
);

pub(crate) const SET_NODES_REGION: Template = Template::change(
    "Set it. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_REGION=\"${region:?}\" AWS_DEFAULT_REGION=\"${region:?}\"",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const KEEP_REGION: Template =
    Template::words("Nothing, if the region is new and its host answers.");

pub(crate) const REGION_MISSING: Texts = Texts {
    meaning: "No usable region is set for the SDKs.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "Neither AWS_REGION nor AWS_DEFAULT_REGION is set. The webhook adds them only where it was told a region, and adds \
         neither where the pod sets one of them.",
        "The value is not a region: a zone such as us-east-1a, a blank, an unfilled template.",
        "The pod relied on instance metadata for its region, which is out of reach.",
    ],
    steps: &[&common::SEE_VARIABLES, &common::SET_REGION],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const OTHER_PARTITION: Template = Template::change_in_words(
    "Annotate the service account with a role of the cluster’s partition. If this role is meant, set AWS_REGION and \
     AWS_DEFAULT_REGION to a region of {partition}, and register this cluster’s issuer as an OIDC provider in the role’s \
     account.",
    "the role annotation of service account {sa}",
);

pub(crate) const ONE_PARTITION: Template = Template::change_in_words(
    "Correct whichever is wrong, the role’s ARN or the region, so that both are of one partition.",
    "the role annotation of service account {sa}, or the environment of the workload’s containers",
);

pub(crate) const KEEP_PARTITION: Template =
    Template::words("Nothing, if the role’s account has registered this cluster’s issuer on purpose.");

pub(crate) const PARTITION_MISMATCH: Texts = Texts {
    meaning: "Role and STS endpoint belong to different partitions.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "arn:aws: stands in the ARN of a role of China or GovCloud, where it must be arn:aws-cn: or arn:aws-us-gov:.",
        "AWS_REGION is missing or of another partition, so that the commercial STS is asked.",
        "A configured endpoint, AWS_ENDPOINT_URL_STS, was copied from another partition.",
    ],
    steps: &[
        &common::SEE_SERVICE_ACCOUNT,
        &common::SEE_VARIABLES,
        &common::SET_REGION,
        &common::ANNOTATE_ROLE,
    ],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const CORRECT_EXPECTED_ROLE: Template =
    Template::change_in_words("correct --expect-role or CREDPROBE_EXPECT_ROLE.", "credprobe’s arguments")
        .when("The expectation is out of date");

pub(crate) const ANNOTATE_EXPECTED_ROLE: Template = common::ANNOTATE_ROLE.when("The annotation is wrong");

pub(crate) const NEW_POD_IF_OLDER: Template = Template::change_in_words(
    "make new pods, as with kubectl rollout restart.",
    "the pods, which are replaced",
)
.when("The annotation is right, and younger than the pod");

pub(crate) const ROLE_UNEXPECTED: Texts = Texts {
    meaning: "The role asked for is not the one expected.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "The annotation names another role than --expect-role: another stage, account, or an older role.",
        "The annotation was changed after the pod was created, and the pod keeps the old role.",
        "The role’s path is missing in one of the two, as in role/app and role/team/app.",
        "--expect-role itself is out of date.",
    ],
    steps: &[
        &common::SEE_SERVICE_ACCOUNT,
        &CORRECT_EXPECTED_ROLE,
        &NEW_POD_IF_OLDER,
        &ANNOTATE_EXPECTED_ROLE,
        &common::RESTART,
    ],
    beyond: &[],
    confirm: &[],
    repair: &[],
};

pub(crate) const SETTINGS_INVALID: Texts = Texts {
    meaning: "A setting of the AWS SDK has a value that cannot work.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "AWS_ROLE_SESSION_NAME: not 2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ - (a pod name may be longer).",
        "AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL is no URL, or is plain http:// beyond loopback.",
        "AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT where STS has no such host, or beside a configured endpoint.",
        "AWS_CA_BUNDLE names a file that is missing, unreadable or holds no certificate.",
        "A profile, a certificate folder, /etc/hosts or /etc/resolv.conf that the app's user may not read.",
    ],
    confirm: &[SHOW_ENVIRONMENT, PROBE_LOCAL],
    repair: &[
        "# Correct the setting that the report names, or take it out (here the session name):",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_ROLE_SESSION_NAME-",
        "# For a test endpoint without TLS give the probe --allow-http.",
    ],
};

pub(crate) const SHADOWED: Texts = Texts {
    meaning: "Another credential provider wins before the expected one.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Static keys in the environment (AWS_ACCESS_KEY_ID), often from a Secret by envFrom.",
        "A profile with credentials: AWS_PROFILE, a mounted ~/.aws, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE.",
        "Both mechanisms are injected: nearly every SDK takes IRSA, the JavaScript SDK v2 takes Pod Identity.",
        "AWS_ROLE_ARN was left over in a pod that has Pod Identity.",
    ],
    confirm: &[PROBE_CHAIN, SHOW_NAMES],
    repair: &[
        "# Take the other source out of the pod template, after making sure that nothing else needs it:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_ACCESS_KEY_ID- AWS_SECRET_ACCESS_KEY- \
         AWS_SESSION_TOKEN-",
        "# If the other source is meant to win, tell the probe: --tolerate=shadowed.",
    ],
};

pub(crate) const ENDPOINT_DIFFERS: Texts = Texts {
    meaning: "Some SDKs call another STS host than the one judged.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Older SDKs ask the global sts.amazonaws.com unless AWS_STS_REGIONAL_ENDPOINTS=regional is set.",
        "AWS_STS_REGIONAL_ENDPOINTS=legacy, which only some SDKs obey.",
        "AWS_ENDPOINT_URL_STS, FIPS or dual-stack settings that only newer SDKs obey.",
    ],
    confirm: &[PROBE_CHAIN, SHOW_ENVIRONMENT, PROBE_REPORT],
    repair: &[
        "# Judge as the app's SDK acts: --sdk=ID (`credprobe chain` lists the ids). To make SDKs agree:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_STS_REGIONAL_ENDPOINTS=regional",
        "# or for every pod of the service account, from its next start on:",
        "kubectl annotate serviceaccount $SA -n $NS eks.amazonaws.com/sts-regional-endpoints=true",
    ],
};

pub(crate) const PROXY_CAPTURES: Texts = Texts {
    meaning: "SDKs use a proxy where the probe does not, or the reverse.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "HTTP_PROXY is set and NO_PROXY lacks 169.254.170.23 and [fd00:ec2::23]: the Go SDKs then ask the proxy for the \
         Pod Identity agent.",
        "NO_PROXY lists .amazonaws.com, but not the host that is asked (the eks-auth service is under api.aws).",
        "SDKs read different spellings: https_proxy, HTTPS_PROXY, addresses or suffixes in NO_PROXY, or no proxy at all.",
    ],
    confirm: &[
        SHOW_ENVIRONMENT,
        PROBE_CHAIN,
        "# Variables may also come from a ConfigMap or Secret (envFrom):",
        SHOW_NAMES,
    ],
    repair: &[
        "# Add to the present NO_PROXY and no_proxy (do not replace what is there):",
        "#   169.254.170.23,[fd00:ec2::23]     the Pod Identity agent",
        "#   .amazonaws.com                    STS, if the pod reaches it without a proxy",
        REPLACES_PODS,
        EDIT,
    ],
};
