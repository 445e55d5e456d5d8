//! What was observed of the cluster and IAM, as plain data. The judges look at nothing else.
//! What could not be observed is recorded once, with the reason.

use crate::objects::{Bare, Map, Pod, WebhookConfiguration, Workload};
use credprobe_judge::evidence::Exchange;
use std::collections::{BTreeMap, BTreeSet};

/// The result of a read.
#[derive(Debug, Clone, Default)]
pub(crate) enum Seen<T> {
    Known(T),
    /// The read was not made, or not allowed.
    #[default]
    Unseen,
}

impl<T> Seen<T> {
    pub(crate) fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unseen => None,
        }
    }
}

/// A read that lacked rights, or was not made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unseen {
    pub what: String,
    pub why: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub pods: Vec<Pod>,
    /// A workload that has no pods now is judged by its template.
    pub workloads: Vec<Workload>,
    /// By namespace and name.
    pub accounts: Seen<BTreeMap<(String, String), Bare>>,
    /// Labels by name.
    pub namespaces: Seen<BTreeMap<String, Map>>,
    /// Labels by name.
    pub nodes: Seen<BTreeMap<String, Map>>,
    /// `Known(None)`: there is no such webhook.
    pub webhook: Seen<Option<WebhookConfiguration>>,
    pub agent: Seen<AgentPods>,
    /// `https://…`
    pub issuer: Option<String>,
    pub cluster: Cluster,
    pub iam: Iam,
    /// The answer of STS to a token that was made here, with `--exchange`.
    pub tried: Option<Tried>,
    /// The manifests are not applied yet, so no cluster was observed.
    pub from_manifests: bool,
    pub unseen: Vec<Unseen>,
}

/// An exchange that was made from here.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub namespace: String,
    pub account: String,
    pub role: String,
    pub exchange: Exchange,
}

/// The cluster, as far as kubeconfig, flags or EKS name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub name: Option<String>,
    pub region: Option<String>,
    pub account: Option<String>,
    pub arn: Option<String>,
}

/// The Pod Identity agent's daemonset and its running pods.
#[derive(Debug, Clone, Default)]
pub(crate) struct AgentPods {
    pub daemonset: bool,
    /// The nodes on which an agent runs.
    pub nodes: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Iam {
    /// `false` with `--no-aws`, or if there is no `aws` program here.
    pub asked: bool,
    /// The account of the caller.
    pub account: Option<String>,
    /// By the ARN that the pod has.
    pub roles: BTreeMap<String, Found<Role>>,
    /// By ARN.
    pub providers: BTreeMap<String, Found<Provider>>,
    /// By namespace and service account.
    pub associations: Seen<BTreeMap<(String, String), Association>>,
    /// Roles that no workload asks for. Only with `--all-roles`.
    pub others: Vec<Role>,
    /// The number of calls of `aws`, by operation.
    pub calls: BTreeMap<&'static str, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found<T> {
    There(T),
    /// AWS says that it does not exist.
    Missing,
    Unseen,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Role {
    /// The ARN that IAM has.
    pub arn: String,
    /// The output of `aws iam get-role`.
    pub answer: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Provider {
    pub client_ids: Vec<String>,
    pub thumbprints: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Association {
    pub id: String,
    /// Empty: the association was listed but could not be described.
    pub role: String,
    pub target_role: Option<String>,
    pub external_id: Option<String>,
    pub tags_disabled: bool,
    pub policy: bool,
    /// In seconds since the epoch.
    pub created: Option<i64>,
}

impl World {
    pub(crate) fn account(&self, namespace: &str, name: &str) -> Option<&Bare> {
        self.accounts.known()?.get(&(namespace.to_owned(), name.to_owned()))
    }

    pub(crate) fn association(&self, namespace: &str, name: &str) -> Option<&Association> {
        self.iam.associations.known()?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The issuer in the form that IAM uses, without `https://`.
    pub(crate) fn issuer_path(&self) -> Option<&str> {
        let issuer = self.issuer.as_deref()?;
        Some(issuer.strip_prefix("https://").unwrap_or(issuer))
    }
}
