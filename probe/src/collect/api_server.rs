//! How the pod reaches its API server: address and CA from the cluster, the service account's token, no proxy.
//! The caller makes the requests.

use crate::collect::subject::Subject;
use crate::transport::{self, AddressPolicy, Config, Proxies, ResolverConfig, RootStore, Wire};
use credprobe_judge::evidence::Process;
use credprobe_judge::text::redactor::Redactor;
use http::header::HeaderValue;
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;

/// Where the kubelet mounts the files that a pod needs for the API server.
const SERVICE_ACCOUNT_MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// In bytes. A bundle of a cluster's CAs has a few kilobytes.
const CA_LIMIT: u64 = 256 * 1024;

/// Access to the API server as this pod. Read again each time, because the token rotates.
pub struct ApiServer {
    /// `https://ADDRESS:PORT`.
    pub base: String,
    /// `Bearer …`, marked sensitive.
    pub authorization: HeaderValue,
    /// Knows the token. Whatever the API server says is passed through it.
    pub redactor: Redactor,
    trust: RootStore,
}

/// What is missing to reach the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoApiServer {
    /// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set.
    Variables,
    /// The path of a file in the mount that cannot be read or used.
    File(String),
}

/// The API server at its in-cluster address, trusted by the in-cluster CA alone, never through a proxy. Address, CA and token are
/// the probe's own, because files that another process has mounted prove nothing.
///
/// # Errors
/// The probe has no address, CA or token for it.
pub fn api_server(subject: &Subject, process: &Process) -> Result<ApiServer, NoApiServer> {
    let subject = subject.own();
    let of_cluster = |name| subject.text(name).ok_or(NoApiServer::Variables);
    let host = of_cluster("KUBERNETES_SERVICE_HOST")?;
    let port = of_cluster("KUBERNETES_SERVICE_PORT")?;
    let file = |name: &str| format!("{SERVICE_ACCOUNT_MOUNT}/{name}");
    let unusable = |name: &str| NoApiServer::File(file(name));
    let ca = subject.read(&file("ca.crt"), CA_LIMIT).map_err(|_| unusable("ca.crt"))?;
    let trust =
        transport::root_store(Some(("the cluster's ca.crt", &ca)), &[]).map_err(|_| unusable("ca.crt"))?;
    let (_, token) = super::open_token_file(subject.root(), &file("token"), process).read(false);
    let token = token.ok_or_else(|| unusable("token"))?;
    let mut redactor = Redactor::default();
    redactor.add(token.expose());
    let token = std::str::from_utf8(token.expose()).map_err(|_| unusable("token"))?;
    let authorization = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
    let mut authorization = authorization.map_err(|_| unusable("token"))?;
    authorization.set_sensitive(true);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Ok(ApiServer { base: format!("https://{host}:{port}"), authorization, redactor, trust })
}

impl ApiServer {
    /// A wire for one attempt.
    #[must_use]
    pub fn wire(&self, resolver: Arc<ResolverConfig>, deadline: Instant, body_limit: usize) -> Wire {
        Wire::new(Config {
            trust: self.trust.clone(),
            of_target: None,
            proxies: Proxies::none(),
            deadline,
            body_limit,
            resolver,
            allow_http: false,
            peers: AddressPolicy::DenyMetadata,
        })
    }
}

impl fmt::Display for NoApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variables => {
                f.write_str("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, is this a pod?")
            }
            Self::File(path) => write!(
                f,
                "{path} cannot be used; the pod needs its service account's token for the API server (automountServiceAccountToken)"
            ),
        }
    }
}
