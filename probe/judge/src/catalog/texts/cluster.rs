//! Texts of codes 90 to 92: whether an EKS cluster accepts the identity.
//! How the API server's answers are told apart, the judge says.

use super::Texts;
use crate::steps::template::Template;

pub(crate) const SEE_CLUSTER: Template = Template::look(
    "See endpoint and mode. API reads access entries, CONFIG_MAP reads aws-auth:",
    "aws eks describe-cluster --name {cluster} --region {region} --query 'cluster.[endpoint,accessConfig]'",
);

pub(crate) const SEE_AWS_AUTH: Template = Template::look(
    "See whether a line of aws-auth maps {role}, or nearly does:",
    "kubectl get configmap -n kube-system aws-auth -o yaml | credprobe access --aws-auth=- --principal={role_arn}",
);

pub(crate) const SEE_ENTRY: Template = Template::look(
    "See when access entry and role were made. An older entry maps nobody:",
    "aws eks describe-access-entry --cluster-name {cluster} --region {region} --principal-arn {role_arn} --query accessEntry.createdAt && aws iam get-role --role-name {role} --query Role.CreateDate",
);

pub(crate) const SEE_LOG: Template = Template::look(
    "See what EKS itself says, where the authenticator’s log is enabled:",
    "aws logs filter-log-events --log-group-name /aws/eks/{cluster}/cluster --region {region} --log-stream-name-prefix authenticator --filter-pattern '\"access denied\"' --max-items 5",
);

/// It fails where there is one already.
pub(crate) const CREATE_ENTRY: Template = Template::change(
    "add one. It gives no rights by itself:",
    "aws eks create-access-entry --cluster-name {cluster} --region {region} --principal-arn {role_arn}",
    "the access entries of {cluster}: one is added",
)
.when("API, and no entry");

pub(crate) const STALE_ENTRY: Template = Template::change_in_words(
    "delete it, and make it again with its groups and policies.",
    "the access entry of {role}, which is made again",
)
.when("An older entry");

pub(crate) const ADD_LINE: Template = Template::change_in_words(
    "add to mapRoles: - rolearn: {mapped_arn}, username: {role_name}, and groups.",
    "aws-auth in kube-system: one entry is added",
)
.when("CONFIG_MAP");

pub(crate) const UNAUTHORIZED: Texts = Texts {
    meaning: "The API server answers 401 to this identity.",
    restart: "",
    causes: &[
        "The cluster has no access entry for this role, and aws-auth no line.",
        "aws-auth has a line with the role’s path, or with the ARN of a session. EKS compares the ARN without path.",
        "The authentication mode leaves out the place in which the role stands.",
        "The role was deleted and made again. Its access entry belongs to the former role.",
        "The name in --cluster is not the name of the cluster behind this endpoint.",
        "The YAML of mapRoles is broken, and EKS drops the section. Or STS throttled the cluster’s authenticator, which passes.",
    ],
    steps: &[&SEE_CLUSTER, &SEE_AWS_AUTH, &SEE_ENTRY, &SEE_LOG, &CREATE_ENTRY, &STALE_ENTRY, &ADD_LINE],
    beyond: &[],
};

pub(crate) const SEE_CLUSTERS: Template = Template::look(
    "See the names of the clusters in this account and region:",
    "aws eks list-clusters --region {region} --output text",
);

pub(crate) const SEE_HOSTS: Template =
    Template::look("See which STS host each SDK would ask in this container:", "credprobe chain");

pub(crate) const STATE_SERVER: Template = Template::change_in_words(
    "State a server that answers, with the CA of that cluster.",
    "the flags of credprobe",
);

pub(crate) const RESOLVE: Template = Template::change_in_words(
    "Let the name resolve here. Without a public endpoint it is known in the cluster’s VPC, and where that is peered with DNS.",
    "DNS of this pod’s VPC",
);

pub(crate) const STATE_CA: Template = Template::change_in_words(
    "State the CA of this cluster, as aws eks describe-cluster has it in certificateAuthority. If it is stated already, something else answers there.",
    "the flags of credprobe",
);

pub(crate) const LET_IN: Template = Template::change_in_words(
    "Let this pod’s addresses in on port 443 in the cluster’s security group, and route to its VPC.",
    "the security group of the cluster",
);

pub(crate) const LET_OUT: Template = Template::change_in_words(
    "Let this pod out on port 443, and its public address in by the cluster’s publicAccessCidrs.",
    "egress of the pod, or access to the cluster’s endpoint",
);

pub(crate) const IN_BETWEEN: Template = Template::change_in_words(
    "Ask who runs the network what accepts this connection and breaks it. It may be a firewall, a mesh or a path with a smaller MTU.",
    "the way from the pod to the cluster",
);

pub(crate) const CORRECT_NAME: Template = Template::change_in_words(
    "Give the cluster’s name, as aws eks list-clusters prints it.",
    "the value of --cluster",
);

pub(crate) const REMOVE_ENDPOINT: Template = Template::change_in_words(
    "Let the tools that make tokens for the cluster use the STS of their region: remove the endpoint setting from their environment.",
    "the endpoint setting of the container",
);

pub(crate) const SMALLER_SESSION: Template = Template::change_in_words(
    "Make the session smaller: fewer or shorter session tags and session policies.",
    "the session’s tags and policies",
);

pub(crate) const TOKEN_REFUSED: Texts = Texts {
    meaning: "EKS cannot accept the token that this setup makes.",
    restart: "",
    causes: &[
        "The presigned request names a host that is not one of AWS’s STS hosts: AWS_ENDPOINT_URL_STS with a port or a final dot, or the own name of an interface endpoint.",
        "AWS_ENDPOINT_URL_STS names the STS of another region than the pod’s, or of another partition than the cluster’s.",
        "The token has more than 4096 bytes.",
        "The value of --cluster is an ARN or has another form than a cluster’s name.",
    ],
    steps: &[&SEE_HOSTS, &REMOVE_ENDPOINT, &SMALLER_SESSION, &SEE_CLUSTERS, &CORRECT_NAME],
    beyond: &[],
};

pub(crate) const SEE_BINDINGS: Template = Template::look(
    "See what the user and its groups are bound to, with an identity that may read it:",
    "kubectl get rolebindings,clusterrolebindings -A -o 'custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,ROLE:.roleRef.name,SUBJECTS:.subjects[*].name'",
);

pub(crate) const SEE_POLICIES: Template = Template::look(
    "See which access policies the entry has:",
    "aws eks list-associated-access-policies --cluster-name {cluster} --region {region} --principal-arn {role_arn} --output json",
);

pub(crate) const BIND: Template = Template::change_in_words(
    "Bind a Role or ClusterRole with the stated access to that user or to one of its groups, or associate an access policy with its entry.",
    "the rights of that user in the cluster",
);

pub(crate) const FORBIDDEN: Texts = Texts {
    meaning: "The user is mapped, but RBAC refuses the stated access.",
    restart: "",
    causes: &[
        "No Role or ClusterRole is bound to the user or to one of its groups.",
        "The access entry has no access policy, or one for another namespace.",
        "groups in aws-auth is not a list, so that the user has none.",
    ],
    steps: &[&SEE_BINDINGS, &SEE_POLICIES, &BIND],
    beyond: &[],
};
