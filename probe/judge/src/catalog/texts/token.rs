//! Texts of codes 30 to 39: what is in the token, and what its issuer publishes.
//! The file that holds it has texts of its own.

use super::{Texts, common};
use crate::steps::template::Template;

/// Kubernetes mounts volumes when the pod starts.
const VOLUMES_STAY: &str = "a running pod keeps its volumes";

const ENVIRONMENT_STAYS: &str = "a container keeps its environment";

pub(crate) const SEE_TOKEN_VOLUME: Template = Template::look(
    "See which projected tokens the pod has:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.spec.volumes[*].projected.sources[*].serviceAccountToken}'",
);

pub(crate) const MOUNT_PROJECTED: Template = Template::change_in_words(
    "Find what writes to {file} besides the kubelet. Mount the projected volume itself, read-only, and no copy of it. Then \
     make new pods.",
    "the pod’s volumes",
);

pub(crate) const WRITE_BARE: Template = Template::change_in_words(
    "Let whatever copies the token write it without a line break, or mount the projected volume itself.",
    "the program that copies the token, or the pod’s volumes",
);

pub(crate) const MALFORMED: Texts = Texts {
    meaning: "The token file does not hold a JWT.",
    restart: VOLUMES_STAY,
    causes: &[
        "Something wrote into the file after the token: a log line, an error text.",
        "The file holds an error page or JSON of whoever was asked for a token.",
        "The token was cut off, put into quotation marks, or encoded in base64 once more.",
        "Somebody wrote the file by hand: the kubelet writes the bare token without a line end.",
    ],
    steps: &[&SEE_TOKEN_VOLUME, &MOUNT_PROJECTED, &common::RESTART],
    beyond: &[],
};

pub(crate) const KEEP_ON_PURPOSE: Template = Template::words(
    "Nothing, if the OIDC provider lists this audience on purpose. Whoever gets this token may use it at the API server as well.",
);

pub(crate) const KIND_WRONG: Texts = Texts {
    meaning: "The token is of a kind that this exchange never accepts.",
    restart: ENVIRONMENT_STAYS,
    causes: &[
        "The variable names /var/run/secrets/kubernetes.io/serviceaccount/token, the token for the API server.",
        "The token comes from a Secret of type kubernetes.io/service-account-token, which has no audience and no expiry.",
        "The Pod Identity token was given to STS, or the IRSA token to the agent.",
    ],
    steps: &[&common::SEE_VARIABLES, &SEE_TOKEN_VOLUME, &common::LET_WEBHOOK_SET_BOTH],
    beyond: &[],
};

pub(crate) const SEE_POD_UID: Template = Template::look(
    "See this pod’s uid. If it is {value}, POD_UID is wrong:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.metadata.uid}{\" \"}{.spec.serviceAccountName}{\"\\n\"}'",
);

pub(crate) const MOUNT_OWN: Template = Template::change_in_words(
    "Else mount the pod’s own projected token in place of the copy. Then make new pods.",
    "the pod’s volumes",
);

pub(crate) const FOREIGN: Texts = Texts {
    meaning: "The token was issued to another pod.",
    restart: VOLUMES_STAY,
    causes: &[
        "The token was copied: into an image, a Secret, a shared or a host volume.",
        "A snapshot or a restored volume holds the token of an earlier pod.",
        "POD_UID of credprobe does not come from the downward API.",
    ],
    steps: &[&SEE_POD_UID, &MOUNT_OWN],
    beyond: &[],
};

pub(crate) const SEE_ACCOUNT_AND_NODE: Template = Template::look(
    "See whether the service account is still there, and whether the node is ready:",
    "kubectl get serviceaccount -n {namespace} {service_account}; kubectl get node {node}",
);

pub(crate) const REMOVE_VOLUME: Template = Template::change_in_words(
    "Remove the volume that holds it, and its mount, from the pod specification.",
    "the pod’s volumes",
);

pub(crate) const LEAVE_NODE: Template = Template::change_in_words(
    "If the new token is not renewed either, repair the kubelet of this node.",
    "the node",
);

pub(crate) const EXPIRED: Texts = Texts {
    meaning: "The token in the file has expired.",
    restart: "",
    causes: &[
        "The kubelet no longer renews it: it does not reach the API server, was stopped, or the service account is gone.",
        "The file is not the kubelet’s but a copy or a subPath mount, and nothing renews it.",
        "The node was suspended, or the pod was restored from a snapshot.",
        "This node’s clock is ahead.",
    ],
    steps: &[&common::SEE_EVENTS, &SEE_ACCOUNT_AND_NODE, &common::RESTART],
    beyond: &[],
};

pub(crate) const SEE_CLOCK: Template =
    Template::look("On {node}, see whether its clock is right:", "chronyc tracking");

pub(crate) const SET_CONTROL_PLANE_CLOCK: Template = Template::change_in_words(
    "Let whoever runs the control plane set its clock first.",
    "the clock of the control plane’s nodes",
);

pub(crate) const NOT_YET_VALID: Texts = Texts {
    meaning: "The token’s time of validity has not begun.",
    restart: "",
    causes: &[
        "This node’s clock is behind that of the API server, which dates the token.",
        "The API server’s clock was ahead when it signed, as on a self-hosted control plane.",
    ],
    steps: &[&SEE_CLOCK, &common::SET_CLOCK],
    beyond: &[],
};

pub(crate) const OTHER_CLUSTER: Template =
    Template::change_in_words("deploy it to the cluster that is meant.", "where the pod is deployed")
        .when("The pod is in the wrong cluster");

pub(crate) const CORRECT_ISSUER: Template = Template::change_in_words(
    "correct --expect-issuer or CREDPROBE_EXPECT_ISSUER to {issuer_url}.",
    "credprobe’s arguments",
)
.when("This cluster is meant");

pub(crate) const SEE_CLUSTER_ISSUER: Template = Template::look(
    "See the issuer of the cluster that is meant:",
    "aws eks describe-cluster --region {region} --name \"${cluster:?is not set}\" --query cluster.identity.oidc.issuer --output text",
);

pub(crate) const ISSUER_MISMATCH: Texts = Texts {
    meaning: "The token’s issuer is not the stated one.",
    restart: VOLUMES_STAY,
    causes: &[
        "The cluster was recreated or replaced: each has an issuer of its own.",
        "--expect-issuer names another cluster, lacks https://, or ends with a slash that the issuer does not have.",
        "The dual-stack name oidc-eks.REGION.api.aws was stated. Tokens always carry oidc.eks.REGION.amazonaws.com.",
    ],
    steps: &[&SEE_CLUSTER_ISSUER, &OTHER_CLUSTER, &CORRECT_ISSUER],
    beyond: &[],
};

pub(crate) const ANNOTATE_AUDIENCE: Template = Template::change(
    "Set the audience that is required. This overwrites the annotation of {sa}. If Argo CD, Flux or Helm \
     manages it, change it there:",
    "kubectl annotate serviceaccount -n {namespace} {service_account} eks.amazonaws.com/audience={audience} --overwrite",
    "the audience annotation of {sa}, which is overwritten",
)
.when("The webhook mounts the token");

pub(crate) const CORRECT_VOLUME_AUDIENCE: Template = Template::change_in_words(
    "correct the audience of its serviceAccountToken to {audience}.",
    "the pod’s volumes",
)
.when("The pod has a projected volume of its own");

pub(crate) const REGISTER_AUDIENCE: Template = Template::change(
    "If the token’s audience is meant, let the provider list it. This adds it and takes nothing away:",
    "aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {provider_arn} --client-id {audience}",
    "the audiences of the OIDC provider: one is added",
);

pub(crate) const AUDIENCE_MISMATCH: Texts = Texts {
    meaning: "The token’s audience is not the required one.",
    restart: VOLUMES_STAY,
    causes: &[
        "The annotation eks.amazonaws.com/audience asks for another audience.",
        "A projected volume of the pod’s own has no audience, which makes it the API server’s, or a misspelt one.",
        "In China the audience is sts.amazonaws.com as well, not sts.amazonaws.com.cn.",
        "The token is the other mechanism’s: Pod Identity uses pods.eks.amazonaws.com.",
        "--expect-audience is wrong for this cluster.",
    ],
    steps: &[
        &common::SEE_SERVICE_ACCOUNT,
        &SEE_TOKEN_VOLUME,
        &CORRECT_VOLUME_AUDIENCE,
        &ANNOTATE_AUDIENCE,
        &common::RESTART,
    ],
    beyond: &[&REGISTER_AUDIENCE],
};

pub(crate) const SEE_POD_ACCOUNT: Template = Template::look(
    "See under which service account the pod runs:",
    "kubectl get pod -n {namespace} {pod} -o 'jsonpath={.metadata.namespace}{\"/\"}{.spec.serviceAccountName}{\"\\n\"}'",
);

pub(crate) const SEE_STATED_ACCOUNT: Template = Template::look(
    "See whether the stated service account exists, and which role it has:",
    "kubectl get serviceaccount -n {namespace} {value} -o 'jsonpath={.metadata.annotations}'",
);

pub(crate) const SET_ACCOUNT: Template = Template::change(
    "set it. This replaces the pods of {workload}. If Argo CD, Flux or Helm manages it, change it there:",
    "kubectl set serviceaccount -n {namespace} {workload} {value}",
    "the service account of {workload}, whose pods are replaced",
)
.when("The service account is wrong");

pub(crate) const OTHER_NAMESPACE: Template =
    Template::change_in_words("deploy it to the namespace that is meant.", "where the pod is deployed")
        .when("The namespace is wrong");

pub(crate) const CORRECT_SUBJECT: Template = Template::change_in_words(
    "correct --expect-subject or CREDPROBE_EXPECT_SUBJECT.",
    "credprobe’s arguments",
)
.when("The expectation is wrong");

pub(crate) const SUBJECT_MISMATCH: Texts = Texts {
    meaning: "The token’s subject is not the stated one.",
    restart: "a pod keeps its service account",
    causes: &[
        "The pod runs under another service account: serviceAccountName is missing, or a chart overrode it.",
        "The pod was deployed into another namespace.",
        "--expect-subject is out of date.",
    ],
    steps: &[&SEE_POD_ACCOUNT, &CORRECT_SUBJECT, &OTHER_NAMESPACE, &SET_ACCOUNT],
    beyond: &[],
};

pub(crate) const SEE_CLUSTER_KEYS: Template = Template::look(
    "See the keys that the API server signs with. Compare kid and n:",
    "kubectl get --raw /openid/v1/jwks",
);

pub(crate) const SEE_DISCOVERY: Template = Template::look(
    "See what the issuer publishes, from outside of the cluster as STS does:",
    "curl -sS {issuer_url}/.well-known/openid-configuration",
);

pub(crate) const SEE_ISSUER_KEYS: Template = Template::look(
    "See the keys of the issuer, kid and the start of n:",
    "curl -sS {value} | jq -r '.keys[]|.kid+\" \"+.n[0:20]'",
);

pub(crate) const SEE_API_KEYS: Template = Template::look(
    "See those of the API server:",
    "kubectl get --raw /openid/v1/jwks | jq -r '.keys[]|.kid+\" \"+.n[0:20]'",
);

pub(crate) const MOUNT_OWN_IF: Template = Template::change_in_words(
    "somebody altered the token, or it is of another cluster. Mount the pod’s own projected token, then make new pods.",
    "the pod’s volumes",
)
.when("They are equal");

pub(crate) const ASK_AWS_KEYS: Template = Template::words(
    "the API server signs with a key that AWS does not publish. Open a case with AWS Support.",
)
.when("They differ");

pub(crate) const PUBLISH_KEYS_IF: Template = Template::change_in_words(
    "publish the API server’s keys at the issuer’s jwks_uri, and give each cluster its own issuer.",
    "the issuer’s published keys",
)
.when("They differ");

pub(crate) const SEE_THIS_ISSUER: Template = Template::look(
    "See the issuer of this cluster, and compare it with the token’s:",
    "kubectl get --raw /.well-known/openid-configuration | jq -r .issuer",
);

pub(crate) const NEW_TOKEN_IF: Template =
    Template::change_in_words(
        "make new pods. If the token comes from a Secret or an image, mount the pod’s own projected token instead.",
        "the pods, which are replaced",
    )
    .when("It is another one than the token’s");

pub(crate) const ASK_AWS_IF: Template =
    Template::words("let whoever runs the cluster open a case with AWS Support.").when("It is the same");

pub(crate) const TRY_NEW_TOKEN_IF: Template = Template::change_in_words(
    "make new pods once. If that does not help, open a case with AWS Support.",
    "the pods, which are replaced",
)
.when("It is the same");

pub(crate) const PUBLISH_ELSEWHERE: Template = Template::change_in_words(
    "Publish both where everybody can read them, as in an S3 bucket. Give that name to the API server as \
     --service-account-issuer, and register it as an OIDC provider: kops does all with serviceAccountIssuerDiscovery. Roll the \
     control plane, then make new pods. Old tokens stay valid while both issuers are stated.",
    "the API server’s issuer",
);

pub(crate) const ASK_AWS: Template = Template::words(
    "If the cluster is an EKS cluster, open a case with AWS Support: EKS publishes keys and documents itself.",
);

pub(crate) const SIGNATURE_INVALID: Texts = Texts {
    meaning: "The token does not verify with its issuer’s key.",
    restart: "",
    causes: &[
        "The cluster signs with another key than the one published under the same key id.",
        "Two clusters share one issuer URL but not the signing key, as self-hosted clusters may.",
        "The token was altered on its way.",
    ],
    steps: &[&SEE_CLUSTER_KEYS, &SEE_DISCOVERY, &PUBLISH_KEYS_IF, &ASK_AWS],
    beyond: &[],
};

pub(crate) const SEE_CLUSTER_DISCOVERY: Template = Template::look(
    "See what the API server says of itself:",
    "kubectl get --raw /.well-known/openid-configuration",
);

pub(crate) const PUBLISH_DOCUMENTS: Template = Template::change_in_words(
    "Publish document and keys under the issuer’s URL, readable for everybody, with jwks_uri pointing to the keys.",
    "the issuer’s published documents",
);

pub(crate) const ISSUER_UNUSABLE: Texts = Texts {
    meaning: "The issuer’s public documents lack what STS needs.",
    restart: "",
    causes: &[
        "Discovery document or keys are not public: a private bucket, a firewall, a login page.",
        "The issuer names a host that AWS can never reach, such as kubernetes.default.svc.",
        "The document’s issuer is not byte for byte the token’s iss.",
        "The keys lack the token’s kid, because they were rotated and not published, or have no kid at all.",
        "The document lacks response_types_supported, subject_types_supported or id_token_signing_alg_values_supported.",
        "The EKS cluster of this issuer was deleted, or the token is of another cluster.",
    ],
    steps: &[&SEE_DISCOVERY, &SEE_CLUSTER_DISCOVERY, &PUBLISH_DOCUMENTS, &ASK_AWS],
    beyond: &[],
};
