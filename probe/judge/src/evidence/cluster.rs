//! What the API server of the stated cluster answered to a token of this identity. The token itself is not kept.
//! The judge says what follows.

use super::network::Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One SelfSubjectReview and the stated SelfSubjectAccessReviews, or why they were not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The flag that states the server, or the kubeconfig and its context.
    pub source: String,
    /// `https://host[:port]`; `None`: there is none.
    pub endpoint: Option<String>,
    /// The cluster in the kubeconfig's `exec`, if that makes tokens for EKS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_cluster: Option<String>,
    /// Why the flags do not result in a server or a CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The length of the token in bytes. `None`: none was made.
    pub token_bytes: Option<usize>,
    /// The way there; `None`: nothing was sent.
    pub network: Option<Network>,
    /// HTTP status of the SelfSubjectReview; `None`: no answer.
    pub status: Option<u16>,
    /// The API server's message for a status other than 201.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The identity in Kubernetes.
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
    /// Includes `system:authenticated`.
    pub groups: Vec<String>,
    /// What EKS adds, without key ids.
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
