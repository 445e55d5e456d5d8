//! The EKS cluster behind the API server: its name, the principals that it maps, and what RBAC allows them.
//! `eks` works out what follows for a token.

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

/// The user that a principal becomes.
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
    /// The data of the ConfigMap aws-auth; `eks::access` evaluates it.
    pub(crate) aws_auth: BTreeMap<String, String>,
    /// Answers of `describe-access-entry`; `eks::access` evaluates them too.
    pub(crate) access_entries: Vec<serde_json::Value>,
    /// The users by access entry. The key is the principal's ARN without its path.
    pub(crate) by_entry: BTreeMap<String, User>,
    /// The users by line of aws-auth.
    pub(crate) by_line: BTreeMap<String, User>,
    /// The accounts of mapAccounts.
    pub(crate) accounts: Vec<String>,
    /// The entries belong to earlier roles of the same names.
    pub(crate) stale: bool,
    /// `VERB:RESOURCE[.GROUP][/SUBRESOURCE][:NAMESPACE]` that RBAC allows to every mapped user.
    pub(crate) allows: Vec<String>,
    /// The cluster is too old for SelfSubjectReview.
    pub(crate) before_1_28: bool,
    /// Every request gets this status.
    pub(crate) status: Option<u16>,
    /// This many of the first tokens are refused, because STS throttles the authenticator.
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
