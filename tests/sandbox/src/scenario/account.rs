//! The AWS accounts of a scenario with their OIDC providers and roles. The defaults are the healthy ones.

use serde::Deserialize;
use serde_json::Value;

use super::{ACCOUNT, ROLE, one};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) partition: String,
    pub(crate) providers: Vec<Provider>,
    pub(crate) roles: Vec<Role>,
    /// All of them must allow a request; an `Id` is the policy's ARN.
    pub(crate) service_control: Vec<Value>,
    /// They can only deny.
    pub(crate) resource_control: Vec<Value>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id: ACCOUNT.into(),
            partition: "aws".into(),
            providers: one(),
            roles: one(),
            service_control: Vec::new(),
            resource_control: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Provider {
    /// The issuer's URL by default.
    pub(crate) url: Option<String>,
    pub(crate) client_ids: Vec<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self { url: None, client_ids: vec!["sts.amazonaws.com".into()] }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    /// The trust policy; by default the one that AWS's guide tells users to write for the healthy service account.
    pub(crate) trust_policy: Option<Value>,
    /// What the role may do; by default everything.
    pub(crate) policy: Option<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) max_session_seconds: i64,
}

impl Default for Role {
    fn default() -> Self {
        Self {
            name: ROLE.into(),
            path: "/".into(),
            trust_policy: None,
            policy: None,
            boundary: None,
            max_session_seconds: 3600,
        }
    }
}

/// A resource of one of AWS's services.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resource {
    pub(crate) policy: Option<Value>,
    /// The account that owns it, if its ARN does not say.
    pub(crate) account: Option<String>,
    /// The region of a bucket.
    pub(crate) region: Option<String>,
    pub(crate) missing: bool,
}
