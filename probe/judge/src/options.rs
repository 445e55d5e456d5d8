//! The options of the person who runs the probe: flags and their environment twins, in the form that the report keeps.
//! Plain data with one type for each value, so that a flag, its twin and a saved report share one parser.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What was stated by a flag or by `CREDPROBE_*`. `None` or `false`: nothing was stated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// `irsa`, `pod-identity`; `None`: `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub mechanism: Option<Mechanism>,
    /// `--role-arn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// `--token-file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// `--expect-role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_role: Option<String>,
    /// `--expect-issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_issuer: Option<String>,
    /// `--expect-audience`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_audience: Option<String>,
    /// As given: `NS/SA` or the whole `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub expect_subject: Option<ExpectedSubject>,
    /// `--expect-access`, each as `ACTION=RESOURCE[@REGION]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expect_access: Vec<String>,
    /// `--access-with-full-credentials`.
    #[serde(skip_serializing_if = "is_false")]
    pub access_with_full_credentials: bool,
    /// `--region`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The id of an SDK in `credprobe chain`, or `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub sdk: Option<SdkName>,
    /// `--workload`: the object that repairs name. `None`: it is guessed from the pod's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub workload: Option<Workload>,
    /// `--session-name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// `--ca-bundle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// The endpoint in the probe's own environment, if another process is judged. Its token may go there too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The URI of the Pod Identity agent in the probe's own environment, if another process is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_uri: Option<String>,
    /// `--cluster`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// `--kubeconfig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// `--context`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// `--cluster-endpoint`: a URL, or `in-cluster`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_endpoint: Option<String>,
    /// `--cluster-ca`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_ca: Option<String>,
    /// `--expect-kubernetes-access`, each `VERB:RESOURCE[:NAMESPACE]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expect_kubernetes_access: Vec<String>,
    /// `--no-network`.
    #[serde(skip_serializing_if = "is_false")]
    pub no_network: bool,
    /// `--no-identity`.
    #[serde(skip_serializing_if = "is_false")]
    pub no_identity: bool,
    /// `--allow-http`.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_http: bool,
    /// `--sts-compatible`.
    #[serde(skip_serializing_if = "is_false")]
    pub sts_compatible: bool,
    /// `--tolerate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerate: Option<String>,
    /// `--deny-warnings`.
    #[serde(skip_serializing_if = "is_false")]
    pub deny_warnings: bool,
    /// The time limit for one attempt, in milliseconds.
    pub timeout_ms: u64,
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

/// How the pod is meant to get its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// The token goes to STS.
    Irsa,
    /// The token goes to the Pod Identity agent.
    PodIdentity,
    /// Nothing points to either. No flag can state this.
    #[serde(skip)]
    None,
}

impl Mechanism {
    /// The mechanism that a flag states. `None`: `auto`.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        [Self::Irsa, Self::PodIdentity].into_iter().find(|mechanism| mechanism.id() == id)
    }

    /// The spelling of the flag and the report.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Irsa => "irsa",
            Self::PodIdentity => "pod-identity",
            Self::None => "none",
        }
    }
}

/// In JSON, these types are the text that the flag takes.
macro_rules! written_as_text {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}
written_as_text!(SdkName, ExpectedSubject, Workload);

/// `--sdk`. `sdks` knows which SDKs exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SdkName {
    /// The SDK that the application's command indicates.
    Auto,
    /// An id, or a name that its users know.
    Named(String),
}

impl FromStr for SdkName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(if text == "auto" { Self::Auto } else { Self::Named(text.to_owned()) })
    }
}

impl fmt::Display for SdkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Named(name) => name,
        })
    }
}

/// The subject that the token must have, as stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ExpectedSubject {
    /// `NAMESPACE/NAME`.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The whole claim `sub`.
    Whole(String),
}

impl ExpectedSubject {
    /// The claim `sub` that this means.
    #[must_use]
    pub fn sub(&self) -> String {
        match self {
            Self::ServiceAccount { namespace, name } => format!("system:serviceaccount:{namespace}:{name}"),
            Self::Whole(sub) => sub.clone(),
        }
    }
}

impl FromStr for ExpectedSubject {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let of_kubernetes = text.strip_prefix("system:serviceaccount:");
        let parts = match of_kubernetes {
            Some(rest) => rest.split_once(':'),
            None if text.contains(':') => return Ok(Self::Whole(text.to_owned())),
            None => text.split_once('/'),
        };
        // A name may contain dots, a namespace may not.
        let fits = |(namespace, name): &(&str, &str)| {
            is_dns_name(name) && is_dns_name(namespace) && !namespace.contains('.')
        };
        match (parts.filter(fits), of_kubernetes) {
            (Some(_), Some(_)) => Ok(Self::Whole(text.to_owned())),
            (Some((namespace, name)), None) => {
                Ok(Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            (None, _) => Err(format!(
                "`{text}` is not a service account; allowed are NAMESPACE/NAME, as in shop/checkout, and the whole subject, as in system:serviceaccount:shop:checkout"
            )),
        }
    }
}

impl fmt::Display for ExpectedSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAccount { namespace, name } => write!(f, "{namespace}/{name}"),
            Self::Whole(sub) => f.write_str(sub),
        }
    }
}

/// The object that makes the pod: `KIND/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Workload {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
}

/// The kinds of object that make pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// `deployment`
    Deployment,
    /// `statefulset`
    StatefulSet,
    /// `daemonset`
    DaemonSet,
    /// `job`
    Job,
    /// `cronjob`
    CronJob,
    /// `replicaset`
    ReplicaSet,
    /// `pod`: no controller recreates it.
    Pod,
}

impl WorkloadKind {
    /// Each kind with its name for kubectl and kubectl's short name.
    const NAMES: [(Self, &str, &str); 7] = [
        (Self::Deployment, "deployment", "deploy"),
        (Self::StatefulSet, "statefulset", "sts"),
        (Self::DaemonSet, "daemonset", "ds"),
        (Self::Job, "job", "job"),
        (Self::CronJob, "cronjob", "cj"),
        (Self::ReplicaSet, "replicaset", "rs"),
        (Self::Pod, "pod", "po"),
    ];

    /// The name that `kubectl get` takes.
    #[must_use]
    pub fn id(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

impl FromStr for Workload {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').filter(|(_, name)| is_dns_name(name));
        let known = parts.and_then(|(kind, name)| {
            // `kubectl get -o name` appends the API group to the kind.
            let kind = kind.strip_suffix(".apps").or_else(|| kind.strip_suffix(".batch")).unwrap_or(kind);
            let same = |of: &str| kind.eq_ignore_ascii_case(of);
            let mut all = WorkloadKind::NAMES.iter();
            let (kind, ..) = all.find(|(_, long, short)| same(long) || same(short))?;
            Some(Self { kind: *kind, name: name.to_owned() })
        });
        known.ok_or_else(|| {
            let kinds = WorkloadKind::NAMES.map(|(_, name, _)| name).join(", ");
            format!(
                "`{text}` is not a workload; allowed is KIND/NAME, as in statefulset/db, with one of {kinds}"
            )
        })
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.id(), self.name)
    }
}

/// Whether the text is a DNS-1123 subdomain, which is how Kubernetes names objects.
fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(allowed) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// The form of the report on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_is_a_namespace_and_a_name() {
        let sub = |text: &str| text.parse::<ExpectedSubject>().map(|subject| subject.sub());
        let whole = "system:serviceaccount:shop:checkout.v2";
        for text in ["shop/checkout.v2", whole] {
            assert_eq!(sub(text).as_deref(), Ok(whole));
            assert_eq!(text.parse::<ExpectedSubject>().unwrap().to_string(), text);
        }
        assert_eq!(sub("repo:shop/checkout:ref:main").as_deref(), Ok("repo:shop/checkout:ref:main"));
        for slip in [
            "checkout",
            "",
            "/checkout",
            "shop/",
            "shop/a/b",
            "Shop/checkout",
            "system:serviceaccount:checkout",
            "system:serviceaccount:shop/checkout",
            "system:serviceaccount:shop:",
            "a.b/checkout",
        ] {
            let error = sub(slip).unwrap_err();
            assert!(error.contains("NAMESPACE/NAME") && error.contains("system:serviceaccount:"), "{error}");
        }
    }

    #[test]
    fn a_workload_is_read_as_kubectl_reads_and_prints_it() {
        for (text, read) in [
            ("deployment/checkout", "deployment/checkout"),
            ("sts/db", "statefulset/db"),
            ("statefulset.apps/db", "statefulset/db"),
            ("CronJob/report", "cronjob/report"),
            ("po/one.two", "pod/one.two"),
        ] {
            let workload: Workload = text.parse().unwrap();
            assert_eq!(workload.to_string(), read);
            let json = serde_json::to_string(&workload).unwrap();
            assert_eq!(serde_json::from_str::<Workload>(&json).unwrap(), workload);
        }
        for slip in ["checkout", "deployment/", "service/checkout", "deployment/a/b", "pod/$(x)", "pod/-x"] {
            let error = slip.parse::<Workload>().unwrap_err();
            assert!(error.contains("KIND/NAME") && error.contains("cronjob"), "{error}");
        }
    }

    #[test]
    fn a_saved_report_states_a_mechanism_that_can_be_stated() {
        let read = |json: &str| serde_json::from_str::<Options>(json);
        let options = read(r#"{"mechanism":"pod-identity","sdk":"auto","timeout_ms":1}"#).unwrap();
        assert_eq!((options.mechanism, options.sdk), (Some(Mechanism::PodIdentity), Some(SdkName::Auto)));
        for refused in [r#"{"mechanism":"none"}"#, r#"{"mechanism":"IRSA"}"#, r#"{"workload":"db"}"#] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }
}
