//! The values that a step's text leaves open: the role, the pod, the issuer, and what they stand for.
//! One table. What a report knows of them, `values` holds.

/// A name that stands in braces in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    /// In braces in a template, and the shell variable in `explain`.
    pub(crate) name: &'static str,
    /// In a sentence, where the value is not known.
    pub(crate) unknown: &'static str,
    /// What the reader of `explain` sets the variable to.
    pub(crate) meaning: &'static str,
}

macro_rules! slots {
    ($($constant:ident $name:literal $unknown:literal $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub(crate) const $constant: Slot = Slot { name: $name, unknown: $unknown, meaning: $meaning };
        )*
        /// Every slot, in the order of the documentation.
        pub(crate) const ALL: &[Slot] = &[$($constant),*];
    };
}

slots! {
    NAMESPACE "namespace" "the pod’s namespace" "the pod’s namespace";
    SERVICE_ACCOUNT "service_account" "the pod’s service account" "the name of the pod’s service account";
    SA "sa" "the pod’s service account" "namespace and name of the service account, as in shop/checkout";
    THE_SA "the_sa" "the pod’s service account" "the same, behind the words service account";
    SUBJECT "subject" "the pod’s subject" "the token’s sub, as in system:serviceaccount:shop:checkout";
    POD "pod" "this pod" "the pod’s name";
    CONTAINER "container" "the app’s container" "the name of the app’s container";
    WORKLOAD "workload" "the workload of this pod" "kind and name of what makes the pod, as in deployment/checkout";
    ROLLOUT "rollout" "the workload of this pod" "a Deployment, StatefulSet or DaemonSet, as in deployment/checkout";
    NODE "node" "the node" "the node that the pod runs on";
    CLUSTER "cluster" "the cluster" "the EKS cluster’s name";
    REGION "region" "the region" "the cluster’s region";
    ACCOUNT "account" "the role’s account" "the role’s account, 12 digits";
    PARTITION "partition" "the partition" "the partition: aws, aws-cn, aws-us-gov";
    ROLE "role" "the role" "the role’s name, without its path";
    ROLE_NAME "role_name" "the role’s name" "the role’s name, without its path";
    ROLE_ARN "role_arn" "the role" "the role’s whole ARN, with its path";
    MAPPED_ARN "mapped_arn" "the role’s ARN without its path" "the role’s ARN without its path, as EKS compares it";
    NODE_ROLE "node_role" "the node’s role" "the name of the node’s role";
    ISSUER "issuer" "the issuer" "the token’s issuer without https://";
    ISSUER_URL "issuer_url" "the issuer" "the token’s issuer, with https://";
    ISSUER_ID "issuer_id" "the issuer’s id" "the last part of the token’s issuer";
    ISSUER_HOST "issuer_host" "the issuer’s host" "the host in the token’s issuer";
    PROVIDER_ARN "provider_arn" "the OIDC provider" "arn:aws:iam::ACCOUNT:oidc-provider/ISSUER; in other partitions aws-cn, aws-us-gov";
    AUDIENCE "audience" "the audience" "the token’s audience";
    THUMBPRINT "thumbprint" "the thumbprint" "the thumbprint that the report names";
    STS_HOST "sts_host" "the STS host" "the STS host that the report names";
    HOST "host" "the host" "the host that the report names";
    PORT "port" "443" "the port in the endpoint’s URL";
    PROXY "proxy" "the proxy" "the proxy that the report names";
    ADDRESS "address" "the address" "the address that the report names";
    VARIABLE "variable" "the variable" "the name of the variable";
    SECOND "second" "the second variable" "the name of the second variable";
    NO_PROXY "no_proxy" "NO_PROXY with this host" "NO_PROXY= and its present value with the host added";
    ENDPOINT "endpoint" "the endpoint" "https:// and the regional STS host";
    FILE "file" "the file" "the path that the report names";
    USER "user" "the user" "the uid that reads the file";
    GROUP "group" "the group" "the gid that may read the file";
    PID "pid" "the process" "the process that the report names";
    ASSOCIATION "association" "the association" "the id of the Pod Identity association, a-…";
    ACTION "action" "the action" "the action, as in s3:GetObject";
    RESOURCE "resource" "the resource" "the ARN of the resource";
    STATEMENT "statement" "the statement" "the statement of the policy, as JSON";
    PRINCIPAL "principal" "the principal" "the ARN of the role or user";
    VALUE "value" "the value" "the value that the report names";
}

/// The slot of this name.
pub(crate) fn named(name: &str) -> Option<Slot> {
    ALL.iter().copied().find(|slot| slot.name == name)
}
