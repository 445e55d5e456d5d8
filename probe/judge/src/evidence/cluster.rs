//! What the API server of the stated cluster answered to a token of this identity; the token itself is kept nowhere.
//! What follows from it, the judge says.

use super::network::Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One SelfSubjectReview and the stated SelfSubjectAccessReviews, or why they were not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The flag, or the kubeconfig and its context, that states the server.
    pub source: String,
    /// `https://host[:port]`; `None`: there is none.
    pub endpoint: Option<String>,
    /// The cluster that the kubeconfig's `exec` names, where it makes tokens for EKS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_cluster: Option<String>,
    /// Why no server or no CA follows from what is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How many bytes the token has; `None`: none was made.
    pub token_bytes: Option<usize>,
    /// The way there; `None`: nothing was sent.
    pub network: Option<Network>,
    /// HTTP status of the SelfSubjectReview; `None`: no answer.
    pub status: Option<u16>,
    /// What the API server says to another status than 201.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who the identity is in Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<KubernetesUser>,
    /// In the order in which they were stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<AccessReview>,
}

/// `status.userInfo` of the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KubernetesUser {
    /// As the cluster names it.
    pub username: String,
    /// `system:authenticated` among them.
    pub groups: Vec<String>,
    /// What EKS adds; key ids are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Vec<String>>,
}

/// One SelfSubjectAccessReview.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessReview {
    /// `VERB:RESOURCE[:NAMESPACE]`, as stated.
    pub asked: String,
    /// HTTP status; `None`: no answer.
    pub status: Option<u16>,
    /// `status.allowed`.
    pub allowed: Option<bool>,
    /// `status.reason`, or why there is no such answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
