//! The judged process: its user ids, groups and capabilities.
//! They come from the kernel, or from flags that name another user.

use serde::{Deserialize, Serialize};

/// The ids that decide what the subject may open.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// `self`, `as-uid` (flags name another user) or `target-pid`.
    pub source: String,
    /// Its process id.
    pub pid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Those of `gid` and `groups` that are the probe's own and were lent to the subject, because no flag states its groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lent: Vec<u32>,
    /// Effective capabilities, by name (`CAP_DAC_OVERRIDE`).
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The effective user id of the probe itself.
    #[serde(default)]
    pub probe_uid: u32,
    /// The effective group id of the probe itself, if another user is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_gid: Option<u32>,
    /// From uname(2). It is the pod's name, unless the pod shares the node's network.
    #[serde(default)]
    pub hostname: Option<String>,
    /// The namespace in the kubelet's DNS search list.
    #[serde(default)]
    pub dns_namespace: Option<String>,
    /// `POD_NAME`, `POD_NAMESPACE`, `POD_UID`, `NODE_NAME` of the probe's own environment (downward API).
    pub pod_name: Option<String>,
    /// From the downward API.
    pub pod_namespace: Option<String>,
    /// From the downward API.
    pub pod_uid: Option<String>,
    /// From the downward API.
    pub node_name: Option<String>,
    /// `sub` of the token for the API server, which was only decoded. It names the service account even if nothing else is
    /// injected.
    pub api_server_subject: Option<String>,
    /// `iss` of the same token: the issuer of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_server_issuer: Option<String>,
}

impl Process {
    /// The namespace of the probe's pod, from the downward API, else from the DNS search list.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.pod_namespace.as_deref().or(self.dns_namespace.as_deref())
    }

    /// The name of the probe's pod, from the downward API, else the hostname if that can be a pod's name. A pod that shares
    /// the node's network has the node's hostname, on EKS `ip-10-0-3-41.eu-west-1.compute.internal`.
    #[must_use]
    pub fn pod(&self) -> Option<&str> {
        let by_host =
            || self.hostname.as_deref().filter(|name| !name.contains('.') && !name.starts_with("ip-"));
        self.pod_name.as_deref().or_else(by_host)
    }
}
