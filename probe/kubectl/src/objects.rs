//! Kubernetes objects with only the fields that credentials depend on. Other fields are ignored.
//! Read from JSON or, in manifests, from YAML. Draws no conclusions.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) type Map = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub generate_name: String,
    #[serde(deserialize_with = "or_default")]
    pub namespace: String,
    #[serde(deserialize_with = "or_default")]
    pub uid: String,
    #[serde(deserialize_with = "texts")]
    pub labels: Map,
    #[serde(deserialize_with = "texts")]
    pub annotations: Map,
    pub creation_timestamp: Option<String>,
    pub deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub owner_references: Vec<OwnerReference>,
    #[serde(deserialize_with = "or_default")]
    pub managed_fields: Vec<ManagedFields>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OwnerReference {
    pub kind: String,
    pub name: String,
    pub controller: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ManagedFields {
    pub time: Option<String>,
    pub fields_v1: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pod {
    pub metadata: Meta,
    pub spec: PodSpec,
    #[serde(deserialize_with = "or_default")]
    pub status: PodStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodSpec {
    #[serde(deserialize_with = "or_default")]
    pub service_account_name: String,
    /// The deprecated name of `service_account_name`.
    #[serde(deserialize_with = "or_default")]
    pub service_account: String,
    #[serde(deserialize_with = "or_default")]
    pub node_name: String,
    pub host_network: Option<bool>,
    pub automount_service_account_token: Option<bool>,
    #[serde(deserialize_with = "texts")]
    pub node_selector: Map,
    pub os: Option<Os>,
    #[serde(deserialize_with = "or_default")]
    pub security_context: SecurityContext,
    #[serde(deserialize_with = "or_default")]
    pub containers: Vec<Container>,
    #[serde(deserialize_with = "or_default")]
    pub init_containers: Vec<Container>,
    #[serde(deserialize_with = "or_default")]
    pub ephemeral_containers: Vec<Container>,
    #[serde(deserialize_with = "or_default")]
    pub volumes: Vec<Volume>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Os {
    pub name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecurityContext {
    pub run_as_user: Option<i64>,
    pub run_as_group: Option<i64>,
    pub fs_group: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    pub supplemental_groups: Vec<i64>,
    pub privileged: Option<bool>,
    pub capabilities: Option<Capabilities>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Capabilities {
    #[serde(deserialize_with = "or_default")]
    pub add: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub drop: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Container {
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<EnvVar>,
    #[serde(deserialize_with = "or_default")]
    pub env_from: Vec<EnvFrom>,
    #[serde(deserialize_with = "or_default")]
    pub volume_mounts: Vec<VolumeMount>,
    #[serde(deserialize_with = "or_default")]
    pub security_context: SecurityContext,
    pub restart_policy: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EnvVar {
    pub name: String,
    pub value: Option<String>,
    pub value_from: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EnvFrom {
    #[serde(deserialize_with = "or_default")]
    pub prefix: String,
    pub config_map_ref: Option<Named>,
    pub secret_ref: Option<Named>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VolumeMount {
    pub name: String,
    pub mount_path: String,
    #[serde(deserialize_with = "or_default")]
    pub sub_path: String,
    #[serde(deserialize_with = "or_default")]
    pub sub_path_expr: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Volume {
    pub name: String,
    pub projected: Option<Projected>,
    pub secret: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Projected {
    pub default_mode: Option<u32>,
    #[serde(deserialize_with = "or_default")]
    pub sources: Vec<Source>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Source {
    pub service_account_token: Option<TokenSource>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TokenSource {
    #[serde(deserialize_with = "or_default")]
    pub audience: String,
    pub expiration_seconds: Option<i64>,
    pub path: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodStatus {
    #[serde(deserialize_with = "or_default")]
    pub phase: String,
    #[serde(deserialize_with = "or_default")]
    pub container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "or_default")]
    pub init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ContainerStatus {
    pub name: String,
    pub user: Option<User>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub linux: Option<LinuxUser>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LinuxUser {
    pub uid: i64,
    pub gid: i64,
    #[serde(deserialize_with = "or_default")]
    pub supplemental_groups: Vec<i64>,
}

/// A service account, a namespace or a node. Only its metadata matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Bare {
    pub kind: String,
    pub metadata: Meta,
}

/// A Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob, or a manifest of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Workload {
    pub kind: String,
    pub metadata: Meta,
    #[serde(deserialize_with = "or_default")]
    pub spec: WorkloadSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WorkloadSpec {
    pub replicas: Option<i64>,
    pub selector: Option<Value>,
    pub template: Option<Pod>,
    pub job_template: Option<Box<JobTemplate>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JobTemplate {
    pub spec: WorkloadSpec,
}

impl Workload {
    /// The template of its pods.
    pub(crate) fn template(&self) -> Option<&Pod> {
        self.spec.template.as_ref().or_else(|| self.spec.job_template.as_ref()?.spec.template.as_ref())
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WebhookConfiguration {
    pub metadata: Meta,
    #[serde(deserialize_with = "or_default")]
    pub webhooks: Vec<Webhook>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Webhook {
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub failure_policy: String,
    #[serde(deserialize_with = "or_default")]
    pub reinvocation_policy: String,
    #[serde(deserialize_with = "or_default")]
    pub namespace_selector: Selector,
    #[serde(deserialize_with = "or_default")]
    pub object_selector: Selector,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Selector {
    #[serde(deserialize_with = "texts")]
    pub match_labels: Map,
    #[serde(deserialize_with = "or_default")]
    pub match_expressions: Vec<Expression>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Expression {
    pub key: String,
    pub operator: String,
    #[serde(deserialize_with = "or_default")]
    pub values: Vec<String>,
}

impl Selector {
    /// The first requirement that the labels do not meet, in kubectl's notation. `None`: they meet all.
    pub(crate) fn refuses(&self, labels: &Map) -> Option<String> {
        let unequal = self.match_labels.iter().find(|(key, value)| labels.get(*key) != Some(value));
        if let Some((key, value)) = unequal {
            return Some(format!("{key}={value}"));
        }
        let unmet = |it: &&Expression| {
            let present = labels.get(&it.key);
            let among = present.is_some_and(|value| it.values.contains(value));
            match it.operator.as_str() {
                "In" => !among,
                "NotIn" => among,
                "Exists" => present.is_none(),
                "DoesNotExist" => present.is_some(),
                _ => false,
            }
        };
        let unmet = self.match_expressions.iter().find(unmet)?;
        Some(match unmet.values.as_slice() {
            [] => format!("{} {}", unmet.key, unmet.operator),
            values => format!("{} {} ({})", unmet.key, unmet.operator, values.join(", ")),
        })
    }
}

/// The form in which kubectl prints several objects.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct List<T> {
    pub items: Vec<T>,
}

/// Treats `null` as missing: a template leaves it where a value is empty.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// Names and texts. A manifest may have numbers and booleans there, which the API server would refuse.
/// Long values, such as the last applied configuration, are dropped because nothing reads them.
fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
    let raw = Option::<BTreeMap<String, Value>>::deserialize(from)?.unwrap_or_default();
    let short = |value: Value| match value {
        Value::String(text) if text.len() > 4096 => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    Ok(raw.into_iter().filter_map(|(key, value)| Some((key, short(value)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_nothing_and_what_is_unknown_is_passed_over() {
        let pod: Pod = serde_json::from_str(
            r#"{"metadata": {"name": "a", "annotations": null, "labels": {"x": 1}},
                "spec": {"containers": [{"name": "app", "env": null, "lifecycle": {}}], "volumes": null}}"#,
        )
        .unwrap();
        assert_eq!(pod.spec.containers[0].name, "app");
        assert_eq!(pod.metadata.labels["x"], "1");
    }

    #[test]
    fn a_selector_names_what_refuses() {
        let selector: Selector = serde_json::from_str(
            r#"{"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["off"]}]}"#,
        )
        .unwrap();
        let labels =
            |of: &[(&str, &str)]| of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(selector.refuses(&labels(&[("a", "b")])), None);
        assert_eq!(selector.refuses(&labels(&[])).as_deref(), Some("a=b"));
        assert_eq!(selector.refuses(&labels(&[("a", "b"), ("k", "off")])).as_deref(), Some("k NotIn (off)"));
    }
}
