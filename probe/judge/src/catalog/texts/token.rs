//! Texts of codes 30 to 39: what the token says, and its issuer's documents.
//! The file around it is elsewhere.

use super::{
    EDIT, LIST_PROVIDERS, PROBE_LOCAL, RECREATE, REMARK_RECREATE, REPLACES_PODS, SHOW_ACCOUNT,
    SHOW_ENVIRONMENT, SHOW_ISSUER, SHOW_PROVIDER, Texts,
};

const SHOW_DISCOVERY: &str = "curl -sS https://$ISSUER/.well-known/openid-configuration";

const SHOW_CLUSTER_DISCOVERY: &str = "kubectl get --raw /.well-known/openid-configuration";

const SHOW_CLUSTER_KEYS: &str = "kubectl get --raw /openid/v1/jwks";

const SHOW_PROJECTION: &str = "kubectl get pod $POD -n $NS \
     -o jsonpath='{.spec.volumes[*].projected.sources[*].serviceAccountToken}'";

pub(crate) const MALFORMED: Texts = Texts {
    meaning: "The token file does not hold a JWT.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Something was written into the file after the token: a log line, an error text.",
        "The file holds an error page or JSON of whoever was asked for a token.",
        "The token was cut off, put into quotation marks, or base64-encoded once more.",
        "Somebody wrote the file by hand: the kubelet writes the bare token without a line end.",
    ],
    confirm: &[PROBE_LOCAL, SHOW_PROJECTION],
    repair: &[
        "# Let the kubelet make the file: a projected serviceAccountToken volume, mounted read-only.",
        "# If another program makes it, repair that program; then take a new pod:",
        REPLACES_PODS,
        RECREATE,
    ],
};

pub(crate) const KIND_WRONG: Texts = Texts {
    meaning: "The token is of a kind that this exchange never accepts.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The variable points at /var/run/secrets/kubernetes.io/serviceaccount/token: that one is for the API server.",
        "The token comes from a Secret of type kubernetes.io/service-account-token: no audience, no expiry.",
        "The Pod Identity token was given to STS or the IRSA token to the agent.",
    ],
    confirm: &[SHOW_ENVIRONMENT, SHOW_PROJECTION],
    repair: &[
        "# Remove the hand-made variable, so that the webhook sets variable and token together, or point it at the",
        "# projected token: audience sts.amazonaws.com for IRSA, pods.eks.amazonaws.com for Pod Identity.",
        REPLACES_PODS,
        EDIT,
    ],
};

pub(crate) const FOREIGN: Texts = Texts {
    meaning: "The token was issued to another pod.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The token was copied: baked into an image, put into a Secret, on a shared or host volume.",
        "A snapshot or a restored volume holds the token of an earlier pod.",
        "POD_UID, POD_NAMESPACE or POD_NAME of the probe do not come from the downward API.",
    ],
    confirm: &[
        PROBE_LOCAL,
        "kubectl get pod $POD -n $NS -o jsonpath='{.metadata.uid} {.spec.serviceAccountName}{\"\\n\"}'",
        SHOW_PROJECTION,
    ],
    repair: &[
        "# Mount the pod's own projected token and drop the copy. STS takes the copy until it expires, at most a day;",
        "# the Pod Identity agent does not take it at all.",
        REPLACES_PODS,
        EDIT,
    ],
};

pub(crate) const EXPIRED: Texts = Texts {
    meaning: "The token in the file has expired.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The kubelet no longer renews it: it does not reach the API server, or was stopped.",
        "The file is not the kubelet's (a copy, a subPath mount) and nobody renews it.",
        "The node was suspended or the pod was restored from a snapshot.",
        "This machine's clock is ahead.",
    ],
    confirm: &[
        PROBE_LOCAL,
        "# Condition Ready and its last heartbeat:",
        "kubectl describe node $NODE",
        "date -u",
    ],
    repair: &[
        "# A new pod gets a new token at once:",
        REPLACES_PODS,
        RECREATE,
        "# If the new one expires as well, the node's kubelet is to blame: move the pods away from it and repair it.",
        "kubectl cordon $NODE",
    ],
};

pub(crate) const NOT_YET_VALID: Texts = Texts {
    meaning: "The token's time of validity has not begun.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "This machine's clock is behind that of the API server, which dates the token.",
        "The API server's clock is ahead (self-hosted control planes).",
    ],
    confirm: &[PROBE_LOCAL, "date -u", "# On the node:", "chronyc tracking"],
    repair: &[
        "# A small difference passes by itself:",
        "credprobe check --wait=5m",
        "# else correct the clock on the node; EC2's time source is 169.254.169.123:",
        "# On the node; sets the clock at once, which running programs may notice:",
        "chronyc makestep",
    ],
};

pub(crate) const ISSUER_MISMATCH: Texts = Texts {
    meaning: "The token's issuer is not the stated one.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The cluster was recreated or replaced: each has an issuer of its own.",
        "--expect-issuer names another cluster, lacks https://, or ends with a slash that the issuer has not.",
        "The dual-stack name (oidc-eks.REGION.api.aws) was stated; tokens always carry oidc.eks.REGION.amazonaws.com.",
    ],
    confirm: &[PROBE_LOCAL, SHOW_ISSUER],
    repair: &[
        "# If the expectation is out of date, correct --expect-issuer or CREDPROBE_EXPECT_ISSUER.",
        "# If the pod is in the wrong cluster, deploy it to the right one. If the cluster is new, the role's account",
        "# needs a provider for its issuer and the role a statement for it:",
        LIST_PROVIDERS,
        "credprobe trust",
    ],
};

pub(crate) const AUDIENCE_MISMATCH: Texts = Texts {
    meaning: "The token's audience is not the required one.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The annotation eks.amazonaws.com/audience asks for another audience.",
        "A hand-made projected volume has no audience (then it is the API server's) or a misspelt one.",
        "China: the audience is sts.amazonaws.com there too, not sts.amazonaws.com.cn.",
        "The token is the other mechanism's: Pod Identity uses pods.eks.amazonaws.com.",
        "--expect-audience is wrong for this cluster.",
    ],
    confirm: &[PROBE_LOCAL, SHOW_ACCOUNT, SHOW_PROJECTION],
    repair: &[
        "# If the annotation shown above is wrong (removes it, new pods get the default again):",
        "kubectl annotate serviceaccount $SA -n $NS eks.amazonaws.com/audience-",
        REMARK_RECREATE,
        RECREATE,
        "# If the audience is meant, the provider must list it (adds it, takes nothing away):",
        SHOW_PROVIDER,
        "aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER_ARN \
         --client-id $AUDIENCE",
    ],
};

pub(crate) const SUBJECT_MISMATCH: Texts = Texts {
    meaning: "The token's subject is not the stated one.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The pod runs under another service account: serviceAccountName is missing or was overridden by a chart.",
        "The pod was deployed into another namespace.",
        "--expect-subject is out of date.",
    ],
    confirm: &[
        "kubectl get pod $POD -n $NS -o jsonpath='{.metadata.namespace}/{.spec.serviceAccountName}{\"\\n\"}'",
        PROBE_LOCAL,
    ],
    repair: &[
        "# If the account is wrong:",
        REPLACES_PODS,
        "kubectl set serviceaccount deployment $DEPLOYMENT $SA -n $NS",
        "# If the expectation is wrong, correct --expect-subject or CREDPROBE_EXPECT_SUBJECT.",
    ],
};

pub(crate) const SIGNATURE_INVALID: Texts = Texts {
    meaning: "The token does not verify with its issuer's key.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "The cluster signs with another key than the one published under the same key id.",
        "Two clusters share one issuer URL but not the signing key (self-hosted).",
        "The token was altered on its way.",
    ],
    confirm: &[
        "# Keys that the API server signs with, and those that the issuer publishes (compare kid and n):",
        SHOW_CLUSTER_KEYS,
        SHOW_DISCOVERY,
    ],
    repair: &[
        "# Self-hosted: save what is published, then publish the API server's keys at the jwks_uri.",
        "kubectl get --raw /openid/v1/jwks > keys.json",
        "# STS keeps fetched keys for some minutes; wait before judging again. On EKS open a case with AWS Support.",
        "credprobe check",
    ],
};

pub(crate) const ISSUER_UNUSABLE: Texts = Texts {
    meaning: "The issuer's public documents lack what STS needs.",
    restart: "",
    steps: &[],
    beyond: &[],
    causes: &[
        "Discovery document or keys are not public: private bucket, firewall, login page.",
        "The document's issuer is not byte for byte the token's `iss`.",
        "The keys lack the token's `kid` (rotated, but not published), or have no `kid` at all.",
        "The document lacks response_types_supported, subject_types_supported or id_token_signing_alg_values_supported.",
        "The issuer's certificate is expired or not trusted.",
    ],
    confirm: &[
        "# From outside the cluster's network, as STS would:",
        SHOW_DISCOVERY,
        SHOW_CLUSTER_DISCOVERY,
        SHOW_CLUSTER_KEYS,
    ],
    repair: &[
        "# Self-hosted: save what is published, then publish what the API server says and make it readable for everybody.",
        "kubectl get --raw /.well-known/openid-configuration > openid-configuration.json",
        "kubectl get --raw /openid/v1/jwks > keys.json",
        "# EKS publishes both itself: if they are wrong there, open a case with AWS Support.",
    ],
};
