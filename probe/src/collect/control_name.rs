//! Resolves a name of the cluster itself, to distinguish a DNS failure from a problem with the name of STS.

use crate::collect::subject::Subject;
use crate::transport::Wire;
use credprobe_judge::evidence::ControlName;

/// Every cluster's DNS resolves it through the search list (kubernetes DNS specification).
const NAME: &str = "kubernetes.default.svc";

/// `None` outside a cluster.
pub async fn control_name(subject: &Subject, wire: &Wire) -> Option<ControlName> {
    subject.own_text("KUBERNETES_SERVICE_HOST")?;
    let network = wire.lookup(NAME).await;
    Some(ControlName { name: NAME.to_owned(), failure: network.failure.map(|failure| failure.kind) })
}
