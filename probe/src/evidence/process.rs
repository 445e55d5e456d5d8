//! Who is judged: ids and groups of the subject.

use serde::{Deserialize, Serialize};

/// The ids that decide what the subject may open.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Process {
    /// `self`; other sources come with `--as-uid` and `--target-pid`.
    pub source: String,
    pub pid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// `POD_NAME`, `POD_NAMESPACE`, `POD_UID`, `NODE_NAME` of the probe's own environment (downward API).
    pub pod_name: Option<String>,
    pub pod_namespace: Option<String>,
    pub pod_uid: Option<String>,
    pub node_name: Option<String>,
    /// `sub` of the token for the API server, decoded and never sent: it names the service account
    /// even where nothing else is injected.
    pub api_server_subject: Option<String>,
}
