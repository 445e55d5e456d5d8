//! What the classes mean, what brings them about, and which commands show and repair them: prose for a person at 3 a.m.
//! A line is a command to paste, or a remark that starts with `# `. Nothing is replaced or deleted that was not read before.

pub(crate) mod access;
pub(crate) mod agent;
pub(crate) mod cluster;
pub(crate) mod common;
pub(crate) mod environment;
pub(crate) mod exchange;
pub(crate) mod identity;
pub(crate) mod network;
pub(crate) mod outcome;
#[cfg(test)]
mod tests;
pub(crate) mod token;
pub(crate) mod token_file;

use crate::steps::template::Template;

/// The prose of one class.
pub(crate) struct Texts {
    /// One sentence.
    pub(crate) meaning: &'static str,
    /// Why only a new pod heals it, for `restart`; empty where that is not so.
    pub(crate) restart: &'static str,
    /// What usually brings it about, the most likely first.
    pub(crate) causes: &'static [&'static str],
    /// What to do, in the order of doing: look, then change.
    pub(crate) steps: &'static [&'static Template],
    /// What helps and changes more than this pod.
    pub(crate) beyond: &'static [&'static Template],
    pub(crate) confirm: &'static [&'static str],
    pub(crate) repair: &'static [&'static str],
}

/// The shell variables that the commands use, and what to put into them.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("NS", "the pod's namespace"),
    ("SA", "its service account"),
    ("POD", "its name"),
    ("CONTAINER", "the app's container"),
    ("DEPLOYMENT", "the Deployment that makes the pod"),
    ("NODE", "the node that it runs on"),
    ("CLUSTER", "the EKS cluster's name"),
    ("REGION", "the cluster's region"),
    ("ROLE", "the role's name, without its path"),
    ("ROLE_ARN", "the role's whole ARN, with its path"),
    ("NODE_ROLE", "the name of the node's role"),
    ("ACCOUNT", "the role's account, 12 digits"),
    ("ISSUER", "the token's `iss` without https://"),
    ("AUDIENCE", "the token's `aud`"),
    ("PROVIDER_ARN", "arn:aws:iam::$ACCOUNT:oidc-provider/$ISSUER (aws-cn, aws-us-gov… in other partitions)"),
    ("THUMBPRINT", "the thumbprint that the report prints"),
    ("ASSOCIATION", "the id of the Pod Identity association, a-…"),
    ("VERSION", "a version of the add-on"),
    ("STS_HOST", "the STS host that the report names"),
    ("ENDPOINT_GROUP", "the security group of the STS interface endpoint"),
    ("POD_GROUP", "the security group that the pod's traffic comes from"),
];

// === Lines that several classes share ===

/// Admission happens once in a pod's life.
const RECREATE: &str = "kubectl rollout restart deployment/$DEPLOYMENT -n $NS";

const REPLACES_PODS: &str = "# Replaces the pods:";

const OVERWRITES_ROLE: &str = "# Overwrites the annotation:";

const OVERWRITES_TRUST: &str = "# Overwrites the trust policy:";

/// For changes that no one-line command can make without replacing what is there.
const EDIT: &str = "kubectl edit deployment/$DEPLOYMENT -n $NS";

const REMARK_RECREATE: &str =
    "# A container restart keeps the old environment; only a new pod gets a new one. Replaces the pods:";

const OVERWRITE_ROLE: &str = "kubectl annotate serviceaccount $SA -n $NS \
     eks.amazonaws.com/role-arn=$ROLE_ARN --overwrite";

const SHOW_ACCOUNT: &str = "kubectl get serviceaccount $SA -n $NS -o yaml";

/// By list: a pod's environment may hold keys, and their values belong on nobody's screen.
const SHOW_ENVIRONMENT: &str = "kubectl get pod $POD -n $NS \
     -o jsonpath='{range .spec.containers[*].env[*]}{.name}={.value}{\"\\n\"}{end}' | \
     grep -E '^(AWS_(ROLE|WEB_ID|REGION|DEFAULT_REGION|PROFILE|CONTAINER|STS|ENDPOINT|USE|CA_)|NO_PROXY|no_proxy)'";

/// Names only, for the same reason.
const SHOW_NAMES: &str = "kubectl get pod $POD -n $NS \
     -o jsonpath='{.spec.containers[*].env[*].name} {.spec.containers[*].envFrom}'";

const SHOW_TRUST: &str = "aws iam get-role --role-name $ROLE --query Role.AssumeRolePolicyDocument";

const SAVE_TRUST: &str =
    "aws iam get-role --role-name $ROLE --query Role.AssumeRolePolicyDocument > trust.json";

const BACK_UP_TRUST: &str = "cp trust.json trust.before.json";

const WRITE_TRUST: &str = "aws iam update-assume-role-policy --role-name $ROLE \
     --policy-document file://trust.json";

const SHOW_PROVIDER: &str =
    "aws iam get-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER_ARN";

const LIST_PROVIDERS: &str = "aws iam list-open-id-connect-providers";

const SHOW_ISSUER: &str = "aws eks describe-cluster --name $CLUSTER --region $REGION \
     --query cluster.identity.oidc.issuer --output text";

const LIST_ASSOCIATIONS: &str = "aws eks list-pod-identity-associations --cluster-name $CLUSTER \
     --region $REGION --namespace $NS --service-account $SA";

const AGENT_PODS: &str = "kubectl get pods -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent \
     -o wide --field-selector spec.nodeName=$NODE";

const AGENT_LOGS: &str =
    "kubectl logs -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent --tail=50";

const SHOW_ENDPOINTS: &str = "aws ec2 describe-vpc-endpoints --region $REGION \
     --filters Name=service-name,Values=com.amazonaws.$REGION.sts";

const NETWORK_POLICIES: &str = "kubectl get networkpolicies -n $NS -o yaml";

const HEALTH: &str = "# Service health: https://health.aws.amazon.com/health/status";

const PROBE_REPORT: &str = "credprobe check --output=json";

const PROBE_LOCAL: &str = "credprobe check --no-network";

const PROBE_CHAIN: &str = "credprobe chain";

const PROBE_WAIT: &str = "credprobe check --wait=2m";
