//! Texts of codes 10 to 19: what the webhook injected and what the environment says.
//! Judged before anything is sent.

use super::{
    EDIT, LIST_ASSOCIATIONS, OVERWRITE_ROLE, OVERWRITES_ROLE, PROBE_CHAIN, PROBE_LOCAL, PROBE_REPORT,
    RECREATE, REMARK_RECREATE, REPLACES_PODS, SHOW_ACCOUNT, SHOW_ENVIRONMENT, SHOW_NAMES, Texts,
};

pub(crate) const NOT_INJECTED: Texts = Texts {
    meaning: "The container has neither mechanism's variables nor mount.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The service account has no annotation eks.amazonaws.com/role-arn (or a misspelt one) and no Pod Identity \
         association.",
        "The pod runs under another service account than meant; without serviceAccountName that is `default`.",
        "Annotation or association came after the pod: both take effect only when a pod is created.",
        "The webhook missed the pod: it was down, or account and pod were created in the same moment. It fails open, \
         without an error.",
        "The pod opts out: label eks.amazonaws.com/skip-pod-identity-webhook, or this container is in the annotation \
         eks.amazonaws.com/skip-containers.",
        "It is a kubectl debug container: the webhook never sees those.",
    ],
    confirm: &[
        "kubectl get pod $POD -n $NS -o jsonpath='{.spec.serviceAccountName} {.metadata.creationTimestamp}{\"\\n\"}'",
        SHOW_ACCOUNT,
        LIST_ASSOCIATIONS,
        "kubectl get mutatingwebhookconfigurations pod-identity-webhook -o yaml",
    ],
    repair: &[
        "# IRSA: say which role, if the annotation shown above is missing:",
        "kubectl annotate serviceaccount $SA -n $NS eks.amazonaws.com/role-arn=$ROLE_ARN",
        "# or Pod Identity (the association then wins over the annotation for every new pod):",
        "aws eks create-pod-identity-association --cluster-name $CLUSTER --region $REGION \
         --namespace $NS --service-account $SA --role-arn $ROLE_ARN",
        REMARK_RECREATE,
        RECREATE,
    ],
};

pub(crate) const PARTLY_INJECTED: Texts = Texts {
    meaning: "Half of a pair of variables, or a mount without them.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The pod's own env sets one variable of the pair: then the webhook adds neither, though it still mounts the token.",
        "The variables were copied into another container or chart without the volume and its mount.",
        "A debug container got the mount but not the variables.",
    ],
    confirm: &[SHOW_ENVIRONMENT, PROBE_LOCAL],
    repair: &[
        "# Best: remove the variable that the pod template sets by hand, so that the webhook sets both:",
        REPLACES_PODS,
        EDIT,
        "# Otherwise set both of one pair:",
        "#   AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, or",
        "#   AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.",
    ],
};

pub(crate) const ROLE_ARN_MALFORMED: Texts = Texts {
    meaning: "AWS_ROLE_ARN cannot be the ARN of an IAM role.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "`role:name` instead of `role/name`, or a colon too many or too few (arn:aws:iam::ACCOUNT:role/NAME).",
        "The ARN of something else: policy, instance profile, OIDC provider, assumed-role session.",
        "A template was not filled in: empty account, `${…}`, `{{…}}`, `<ACCOUNT_ID>`.",
        "Quotation marks, blanks or a line end belong to the value.",
        "Only the name of the role; the webhook injects it as it stands.",
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

pub(crate) const REGION_MISSING: Texts = Texts {
    meaning: "No usable region is set; SDKs do not know which STS to ask.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Neither AWS_REGION nor AWS_DEFAULT_REGION: the webhook adds them only where it was told a region, and adds \
         neither when the pod sets one of them.",
        "The value is not a region: a zone (us-east-1a), a blank, an unfilled template.",
        "The pod relied on instance metadata for its region, which is out of reach.",
    ],
    confirm: &[SHOW_ENVIRONMENT, PROBE_LOCAL],
    repair: &[
        "# Adds the variable to all containers:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_REGION=$REGION",
    ],
};

pub(crate) const PARTITION_MISMATCH: Texts = Texts {
    meaning: "Role and STS endpoint belong to different partitions.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "`arn:aws:` in a role ARN of China or GovCloud, where it must be `arn:aws-cn:` or `arn:aws-us-gov:`.",
        "AWS_REGION is missing or of another partition, so that the commercial STS is asked.",
        "A configured endpoint (AWS_ENDPOINT_URL_STS) was copied from another partition.",
    ],
    confirm: &[SHOW_ENVIRONMENT, "aws iam get-role --role-name $ROLE --query Role.Arn --output text"],
    repair: &[
        "# If the region is wrong:",
        REPLACES_PODS,
        "kubectl set env deployment/$DEPLOYMENT -n $NS AWS_REGION=$REGION",
        "# If the ARN is wrong, first see what is there:",
        SHOW_ACCOUNT,
        OVERWRITES_ROLE,
        OVERWRITE_ROLE,
        REPLACES_PODS,
        RECREATE,
    ],
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

pub(crate) const ROLE_UNEXPECTED: Texts = Texts {
    meaning: "The role asked for is not the one expected.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The annotation names another role than --expect-role: another stage, account, or an older role.",
        "The annotation was changed after the pod was created; the pod keeps the old role.",
        "The role's path is missing in one of the two (role/app, role/team/app).",
        "--expect-role itself is out of date.",
    ],
    confirm: &[SHOW_ENVIRONMENT, SHOW_ACCOUNT],
    repair: &[
        "# If the annotation shown above is wrong:",
        OVERWRITES_ROLE,
        OVERWRITE_ROLE,
        REMARK_RECREATE,
        RECREATE,
        "# If the expectation is wrong, correct --expect-role or CREDPROBE_EXPECT_ROLE.",
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
