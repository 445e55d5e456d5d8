//! The cluster behind the API server as EKS has it: its name, whom it maps, and what RBAC lets them do.
//! What follows for a token, `eks` works out.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Where the cluster looks for a principal.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Mode {
    Api,
    ConfigMap,
    #[default]
    ApiAndConfigMap,
}

/// What a principal becomes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) groups: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Eks {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    /// Data of the ConfigMap aws-auth, evaluated by `eks::access`.
    pub(crate) aws_auth: BTreeMap<String, String>,
    /// The same of answers of `describe-access-entry`.
    pub(crate) access_entries: Vec<serde_json::Value>,
    /// By access entry: a principal's ARN without its path, and whom it becomes.
    pub(crate) by_entry: BTreeMap<String, User>,
    /// By a line of aws-auth.
    pub(crate) by_line: BTreeMap<String, User>,
    /// By mapAccounts.
    pub(crate) accounts: Vec<String>,
    /// The entries belong to former roles of these names.
    pub(crate) stale: bool,
    /// `VERB:RESOURCE[.GROUP][/SUBRESOURCE][:NAMESPACE]` that RBAC allows to whoever is mapped.
    pub(crate) allows: Vec<String>,
    /// There is no SelfSubjectReview yet.
    pub(crate) before_1_28: bool,
    /// Requests are not answered but with this status.
    pub(crate) status: Option<u16>,
    /// So many of the first tokens are refused: STS throttles the authenticator.
    pub(crate) throttled_times: u32,
}

impl Default for Eks {
    fn default() -> Self {
        Self {
            name: super::CLUSTER.into(),
            mode: Mode::default(),
            aws_auth: BTreeMap::new(),
            access_entries: Vec::new(),
            by_entry: BTreeMap::new(),
            by_line: BTreeMap::new(),
            accounts: Vec::new(),
            stale: false,
            allows: Vec::new(),
            before_1_28: false,
            status: None,
            throttled_times: 0,
        }
    }
}
