//! Texts of codes 10 to 19: what the webhook injected and what the environment says.
//! Judged before anything is sent.

use super::{Texts, common};
use crate::steps::template::Template;

/// The environment is fixed when the container is made, and the webhook acts when the pod is.
const ENVIRONMENT_STAYS: &str = "a container keeps its environment";

const WEBHOOK_ACTS_ONCE: &str = "the webhook acts only when a pod is created";

pub(crate) const SEE_POD: Template =
    Template::look("See how old the pod is:", "kubectl get pod -n {namespace} {pod}");

pub(crate) const FIND_ACCOUNT: Template = Template::look(
    "See the annotations of the pod’s service account:",
    "account=\"$(kubectl get pod -n {namespace} {pod} -o 'jsonpath={.spec.serviceAccountName}')\" && kubectl get serviceaccount -n {namespace} \"${account:?}\" -o 'jsonpath={.metadata.annotations}'",
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
    "set the shell variable role_arn, add it, then make new pods. Another value stays:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/role-arn=\"${role_arn:?is not set}\"",
    "the annotations of {sa}: one is added",
)
.when("The key eks.amazonaws.com/role-arn is missing");

pub(crate) const MAKE_NEW_PODS: Template =
    Template::change_in_words("make new pods. The webhook missed this one.", "the pods, which are replaced")
        .when("The annotation is right");

pub(crate) const MAKE_NEW_PODS_IF_ASSOCIATED: Template = Template::change_in_words(
    "make new pods, as with kubectl rollout restart. The webhook acts only when a pod is created.",
    "the pods, which are replaced",
)
.when("It is among them, and younger than the pod");

pub(crate) const ASSOCIATE: Template =
    Template::change_in_words("associate it unless it is, then make new pods.", "the cluster’s associations")
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
};

pub(crate) const CORRECT_ARN: Template = Template::change_in_words(
    "Correct the annotation eks.amazonaws.com/role-arn of that service account, exactly as IAM prints the ARN. Then make new \
     pods.",
    "the role annotation of {sa}",
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
};

pub(crate) const OTHER_PARTITION: Template = Template::change_in_words(
    "Annotate the service account with a role of the cluster’s partition. If this role is meant, set AWS_REGION and \
     AWS_DEFAULT_REGION to a region of {partition}, and register this cluster’s issuer as an OIDC provider in the role’s \
     account.",
    "the role annotation of {sa}",
);

pub(crate) const ONE_PARTITION: Template = Template::change_in_words(
    "Correct whichever is wrong, the role’s ARN or the region, so that both are of one partition.",
    "the role annotation of {sa}, or the environment of the workload’s containers",
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
};

pub(crate) const CORRECT_EXPECTED_ROLE: Template =
    Template::change_in_words("correct --expect-role.", "credprobe’s arguments")
        .when("The expectation is out of date");

pub(crate) const NEW_POD_IF_OLDER: Template = common::RESTART.when("The annotation has it already");

/// The whole service account would get another role.
pub(crate) const ANNOTATION_IS_WRONG: Template = Template::change_in_words(
    "annotate {sa} with {role_arn}, then make new pods.",
    "the role annotation of {sa}",
)
.when("The annotation is wrong");

pub(crate) const ROLE_UNEXPECTED: Texts = Texts {
    meaning: "The role asked for is not the one expected.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "The annotation names another role than --expect-role: another stage, account, or an older role.",
        "The annotation was changed after the pod was created, and the pod keeps the old role.",
        "The role’s path is missing in one of the two, as in role/app and role/team/app.",
        "--expect-role itself is out of date.",
    ],
    steps: &[&common::SEE_SERVICE_ACCOUNT, &CORRECT_EXPECTED_ROLE, &ANNOTATION_IS_WRONG, &NEW_POD_IF_OLDER],
    beyond: &[],
};

/// Whoever needs the setting corrects it, and whoever does not removes it.
pub(crate) const CORRECT_TO: Template =
    Template::change_in_words("correct it where it is set. Needed: {value}.", "the setting {variable}")
        .when("{variable} is needed");

pub(crate) const REMOVE_UNNEEDED: Template = common::UNSET_VARIABLE.when("It is not needed");

pub(crate) const OTHER_SDK: Template = Template::change_in_words(
    "An app with one of these SDKs needs {value}. Other apps need no change.",
    "the app, or the environment of the workload’s containers",
);

pub(crate) const CORRECT_OWN: Template = Template::change_in_words(
    "Correct {variable} of credprobe’s own container, or leave it out.",
    "the environment of credprobe’s container",
);

pub(crate) const STATE_ENDPOINT: Template = Template::look(
    "If the endpoint is meant, state it for credprobe too, in the debug container:",
    "env AWS_ENDPOINT_URL_STS={endpoint} credprobe check --target-pid={pid}",
);

pub(crate) const SEE_FILE: Template =
    Template::look("In the app’s container, see owner and mode of the file:", "ls -ldL {file}");

pub(crate) const LET_READ: Template = Template::change_in_words(
    "Let {user} read it: by defaultMode of the volume, or by securityContext.fsGroup.",
    "the pod’s volumes or its securityContext",
);

pub(crate) const LET_READ_IF: Template = Template {
    say: "let {user} read it: by defaultMode of the volume, or by securityContext.fsGroup.",
    ..LET_READ
}
.when("The file is needed");

pub(crate) const SEE_MOUNTS: Template = Template::look(
    "See what is mounted over the kubelet’s own file, which every user may read:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.spec.containers[*].volumeMounts}'",
);

pub(crate) const SETTINGS_INVALID: Texts = Texts {
    meaning: "A setting of the AWS SDK has a value that cannot work.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "AWS_CA_BUNDLE names a file that is missing, that the app’s user may not read, or that holds no certificate.",
        "AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL is not a URL, or is plain http:// beyond loopback.",
        "AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT where STS has no such host, or beside a configured endpoint.",
        "AWS_ROLE_SESSION_NAME is not 2 to 64 letters, digits or _+=,.@- and a pod’s name may be longer.",
        "A value that some SDKs do not know, as in AWS_RETRY_MODE, or a profile that no file has.",
        "A profile, a certificate folder, /etc/hosts or /etc/resolv.conf that the app’s user may not read.",
    ],
    steps: &[&common::SEE_VARIABLES, &CORRECT_TO, &REMOVE_UNNEEDED],
    beyond: &[],
};

pub(crate) const KEYS_IN_SECRET: Template = Template::change_in_words(
    "remove them there, then make new pods.",
    "a Secret or a ConfigMap, and the pods, which are replaced",
)
.when("The keys come from envFrom");

pub(crate) const UNSET_KEYS: Template = Template::change(
    "remove them. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_ACCESS_KEY_ID- AWS_SECRET_ACCESS_KEY-",
    "the environment of all containers of {workload}, whose pods are replaced",
)
.when("They are in env");

/// A variable that is not there is passed by.
pub(crate) const UNSET_ALL_KEYS: Template = Template {
    run: "kubectl set env -n {namespace} {workload} AWS_ACCESS_KEY_ID- AWS_SECRET_ACCESS_KEY- AWS_SESSION_TOKEN- AWS_ACCESS_KEY- AWS_SECRET_KEY-",
    ..UNSET_KEYS
};

pub(crate) const IRSA_IS_MEANT: Template = Template::change_in_words(
    "let whoever runs the cluster delete the association, then make new pods.",
    "the association of {sa}, and the pods",
)
.when("IRSA is meant");

pub(crate) const UNSET_IRSA: Template = Template::change(
    "remove the variables of IRSA. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_ROLE_ARN- AWS_WEB_IDENTITY_TOKEN_FILE-",
    "the environment of all containers of {workload}, whose pods are replaced",
)
.when("EKS Pod Identity is meant");

pub(crate) const POD_IDENTITY_IS_MEANT: Template = Template::change_in_words(
    "remove AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE where they stand.",
    "the environment of the workload’s containers",
)
.when("EKS Pod Identity is meant");

/// The webhook adds neither of the pair where the pod has one of it (`pkg/handler`).
pub(crate) const LEAVE_OUT_AGENT: Template = Template::change(
    "an empty variable keeps the webhook from adding Pod Identity. This replaces the pods of {workload}. If Argo CD, Flux or \
     Helm manages it, change it there:",
    "kubectl set env -n {namespace} {workload} AWS_CONTAINER_CREDENTIALS_FULL_URI=",
    "the environment of all containers of {workload}, whose pods are replaced",
)
.when("IRSA is meant");

pub(crate) const CORRECT_HOP: Template = Template::change_in_words(
    "Correct role_arn in the profile, or AWS_ROLE_ARN, whichever is not meant.",
    "the profile, or the environment of the workload’s containers",
);

/// Files that are emptied would take regions, endpoints and other profiles from the app.
pub(crate) const TAKE_OUT_OF_PROFILE: Template = Template::change_in_words(
    "If {value} is not meant, take its keys, its role or its process out of its file, and leave the rest of the file.",
    "the profile",
);

pub(crate) const CORRECT_PROFILE_FILE: Template = Template::change_in_words(
    "take the keys, the role or the process of {value} out of its file, and leave the rest of the file.",
    "the profile",
)
.when("The profile’s other settings are needed");

pub(crate) const UNSET_PROFILE: Template = common::UNSET_VARIABLE.when("The app needs no profile by name");

pub(crate) const ALSO_TAKE_OUT: Template = Template::change_in_words(
    "Then take {value} out as well, and run credprobe again.",
    "the environment or the files of the workload’s containers",
);

pub(crate) const GIVE_OTHER_MECHANISM: Template = Template::change_in_words(
    "Give the app the other mechanism, or a version of its SDK that looks for {value}.",
    "the app, or what its service account is given",
);

pub(crate) const SEE_CHAIN: Template =
    Template::look("See what each SDK does, and which ids --sdk takes:", "credprobe chain");

pub(crate) const SHADOWED: Texts = Texts {
    meaning: "Another credential provider wins before the expected one.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "Static keys in the environment, AWS_ACCESS_KEY_ID, often from a Secret by envFrom.",
        "A profile with credentials: AWS_PROFILE, a mounted .aws folder, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE.",
        "Both mechanisms are injected: nearly every SDK takes IRSA, the JavaScript SDK v2 takes Pod Identity.",
        "AWS_ROLE_ARN was left over in a pod that has Pod Identity.",
        "The other source is meant to win. Then add --tolerate=shadowed to credprobe’s arguments.",
    ],
    steps: &[&common::SEE_VARIABLES, &KEYS_IN_SECRET, &UNSET_KEYS],
    beyond: &[],
};

pub(crate) const SET_REGIONAL_THERE: Template =
    Template::change_in_words("set it to regional there.", "the environment of the workload’s containers")
        .when("The pod sets AWS_STS_REGIONAL_ENDPOINTS itself");

/// The webhook sets the variable by it.
pub(crate) const ANNOTATE_REGIONAL: Template = Template::change(
    "annotate {sa}. This overwrites the annotation’s value. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/sts-regional-endpoints=true --overwrite",
    "an annotation of {sa}, which is overwritten",
)
.when("It does not");

pub(crate) const SET_REGIONAL: Template = Template::change(
    "Set AWS_STS_REGIONAL_ENDPOINTS to regional. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, \
     change it there:",
    "kubectl set env -n {namespace} {workload} AWS_STS_REGIONAL_ENDPOINTS=regional",
    "the environment of all containers of {workload}, whose pods are replaced",
);

pub(crate) const SET_IN_CODE: Template = Template::change_in_words(
    "in apps with these SDKs, set {sts_host} as the endpoint of STS in the code.",
    "the code of the app",
)
.when("{variable} is needed");

pub(crate) const SET_HOST_IN_CODE: Template = Template::change_in_words(
    "In apps with these SDKs, set {sts_host} as the endpoint of STS in the code, or use an SDK that knows {variable}.",
    "the code of the app",
);

pub(crate) const ENDPOINT_DIFFERS: Texts = Texts {
    meaning: "Some SDKs call another STS host than the one judged.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "Only one of AWS_REGION and AWS_DEFAULT_REGION is set. boto3 reads the second, JavaScript v3 the first.",
        "Older SDKs ask the global sts.amazonaws.com unless AWS_STS_REGIONAL_ENDPOINTS is regional.",
        "AWS_STS_REGIONAL_ENDPOINTS is legacy, which only some SDKs obey.",
        "AWS_ENDPOINT_URL_STS, FIPS or dual-stack settings that only newer SDKs obey.",
        "credprobe judges one SDK alone where --sdk states its id.",
    ],
    steps: &[
        &SEE_CHAIN,
        &common::SEE_VARIABLES,
        &common::SET_REGION,
        &SET_REGIONAL_THERE,
        &ANNOTATE_REGIONAL,
        &common::RESTART,
    ],
    beyond: &[],
};

pub(crate) const MAKE_ALIKE: Template = Template::change_in_words(
    "give both spellings the same value.",
    "the environment of the workload’s containers",
)
.when("Something needs {variable}");

pub(crate) const UNSET_SPELLING: Template = common::UNSET_VARIABLE.when("Nothing needs it");

pub(crate) const PASS_AGENT: Template = Template::change_in_words(
    "In the app’s code, give its clients an HTTPS agent for the proxy: requestHandler with httpsAgent. Nothing, if {host} can \
     be reached without the proxy.",
    "the code of the app",
);

pub(crate) const PROXY_CAPTURES: Texts = Texts {
    meaning: "SDKs use a proxy where the probe does not, or the reverse.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "HTTP_PROXY is set and NO_PROXY lacks 169.254.170.23 and fd00:ec2::23: the Go SDKs then ask the proxy for the \
         Pod Identity agent.",
        "NO_PROXY lists .amazonaws.com, but not the host that is asked. The eks-auth service is under api.aws.",
        "SDKs read different spellings: https_proxy, HTTPS_PROXY, addresses or suffixes in NO_PROXY, or no proxy at all.",
    ],
    steps: &[&common::SEE_VARIABLES, &common::ADD_NO_PROXY],
    beyond: &[],
};
