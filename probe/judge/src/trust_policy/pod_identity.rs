//! What EKS presents to the role of a Pod Identity association: its service, both actions, the session's tags, the source. Pure.
//! Source: EKS user guide, "EKS Pod Identity" (sources.md, “The request to the agent”). The pod does not know its cluster's name.

use super::context::{Context, Value, is_of_another_provider};
use crate::evidence::{Account, Token};
use crate::settings::partition::{self, Partition};
use serde_json::{Value as Json, json};

/// The service that assumes the role.
pub(crate) const PRINCIPAL: &str = "pods.eks.amazonaws.com";
/// Each of them must be allowed, because the session has tags.
pub(crate) const ACTIONS: &[&str] = &["sts:AssumeRole", "sts:TagSession"];

/// The names of the session's tags.
const TAGS: &[&str] = &[
    "eks-cluster-arn",
    "eks-cluster-name",
    "kubernetes-namespace",
    "kubernetes-service-account",
    "kubernetes-pod-name",
    "kubernetes-pod-uid",
];

/// Keys that are documented for people, other services or web identities, and so never for a call of EKS.
const NEVER_HERE: &[&str] = &[
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:username",
    "sts:externalid",
];

/// What the pod knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Presented {
    /// The cluster's region, from its issuer.
    region: Option<String>,
    namespace: Option<String>,
    service_account: Option<String>,
    pod_name: Option<String>,
    pod_uid: Option<String>,
}

impl Presented {
    pub(crate) fn of(token: &Token) -> Self {
        let account = token.sub.as_deref().and_then(Account::of_subject);
        let region = token.iss.as_deref().and_then(partition::region_of_issuer);
        Self {
            region: region.map(str::to_owned),
            namespace: account.as_ref().map(|account| account.namespace.to_owned()),
            service_account: account.as_ref().map(|account| account.name.to_owned()),
            pod_name: token.pod_name.clone(),
            pod_uid: token.pod_uid.clone(),
        }
    }

    /// The value of a key, which is in lower case, in the request.
    pub(crate) fn value(&self, key: &str, context: &Context) -> Value {
        let account = context.role.as_ref().map(|role| role.account.as_str());
        if let Some(tag) = key.strip_prefix("aws:requesttag/") {
            return self.tag(tag, context);
        }
        match key {
            "aws:sourcearn" => self.cluster(context),
            // EKS accepts only a role of the cluster's own account.
            "aws:sourceaccount" | "aws:resourceaccount" => {
                Value::of(account, "the role's account is not known")
            }
            "aws:tagkeys" | "sts:transitivetagkeys" => {
                Value::Present(TAGS.iter().map(|&tag| tag.to_owned()).collect())
            }
            "aws:principalservicename" => Value::one(PRINCIPAL),
            "aws:principalisawsservice" => Value::one("true"),
            "sts:rolesessionname" => Value::Begins("eks-".to_owned()),
            "aws:currenttime" => Value::one(&crate::text::rfc3339(context.now)),
            "aws:epochtime" => Value::one(&context.now.to_string()),
            _ if key.starts_with("aws:principaltag/") || key.starts_with("saml:") => Value::Absent,
            _ if NEVER_HERE.contains(&key) || is_of_another_provider(key) => Value::Absent,
            _ => Value::Unknown("what EKS presents for this key is not documented"),
        }
    }

    fn tag(&self, tag: &str, context: &Context) -> Value {
        let known = |value: &Option<String>| Value::of(value.as_deref(), "the token does not say it");
        match tag {
            "eks-cluster-arn" => self.cluster(context),
            "eks-cluster-name" => Value::Unknown("a pod does not know the name of its cluster"),
            "kubernetes-namespace" => known(&self.namespace),
            "kubernetes-service-account" => known(&self.service_account),
            "kubernetes-pod-name" => known(&self.pod_name),
            "kubernetes-pod-uid" => known(&self.pod_uid),
            _ => Value::Absent,
        }
    }

    /// The beginning of the cluster's ARN, without its name, and without the account if that is not known.
    fn cluster(&self, context: &Context) -> Value {
        let partition =
            self.region.as_deref().and_then(|region| Some((region, Partition::of_region(region)?)));
        let Some((region, partition)) = partition else {
            return Value::Unknown("the region of the cluster is not known");
        };
        let account = context.role.as_ref().map_or("*", |role| role.account.as_str());
        Value::Begins(format!("arn:{}:eks:{region}:{account}:cluster/", partition.id))
    }
}

/// The statement that lets EKS assume the role for one service account.
pub(crate) fn matching_statement(namespace: &str, service_account: &str) -> Json {
    json!({
        "Effect": "Allow",
        "Principal": {"Service": PRINCIPAL},
        "Action": ACTIONS,
        "Condition": {"StringEquals": {
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
        }},
    })
}
