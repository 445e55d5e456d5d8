//! Queries the cluster with the user's own kubectl: only GET and LIST.
//! A read that lacks rights is recorded, and the rest continues.

use crate::child::{self, Failed};
use crate::inject::CONFIGURATION;
use crate::objects::{Bare, List, Pod, WebhookConfiguration, Workload};
use crate::world::{AgentPods, Cluster, Seen, Unseen, World};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::process::Command;

/// kubectl with the user's flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kubectl {
    /// `--context=…` and similar flags, placed before every verb.
    pub flags: Vec<String>,
}

/// The part of the cluster to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Namespace(String),
}

impl Scope {
    fn flags(&self) -> Vec<String> {
        match self {
            Self::All => vec!["--all-namespaces".to_owned()],
            Self::Namespace(name) => vec![format!("--namespace={name}")],
        }
    }

    fn of(&self, what: &str) -> String {
        match self {
            Self::All => format!("{what} of all namespaces"),
            Self::Namespace(name) => format!("{what} of namespace {name}"),
        }
    }
}

impl Kubectl {
    pub(crate) fn command<S: AsRef<str>>(&self, words: &[S]) -> Command {
        let mut command = Command::new("kubectl");
        command.args(&self.flags).args(words.iter().map(AsRef::as_ref));
        command
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, Failed> {
        // Some answers are long, so an object is parsed as it arrives.
        let mut command = self.command(&[&["get", "--output=json", "--request-timeout=60s"], words].concat());
        child::reading(&mut command, None, |stdout| {
            let read = serde_json::from_reader(BufReader::with_capacity(1 << 16, stdout));
            read.map_err(|error| Failed::new(format!("what kubectl printed cannot be read: {error}")))
        })
    }

    fn list<T: DeserializeOwned>(&self, scope: &Scope, kind: &str, more: &[&str]) -> Result<Vec<T>, Failed> {
        let flags = scope.flags();
        // kubectl reads in chunks, so an API server with many objects answers in pieces.
        let words: Vec<&str> =
            [kind].into_iter().chain(flags.iter().map(String::as_str)).chain(more.iter().copied()).collect();
        self.get::<List<T>>(&words).map(|list| list.items)
    }

    /// The namespace of the current context.
    pub(crate) fn namespace(&self) -> Result<String, Failed> {
        let view = child::output(&mut self.command(&["config", "view", "--minify", "--output=json"]), None)?;
        let view: Value = serde_json::from_slice(&view).unwrap_or_default();
        let namespace = view.pointer("/contexts/0/context/namespace").and_then(Value::as_str);
        Ok(namespace.filter(|it| !it.is_empty()).unwrap_or("default").to_owned())
    }

    /// The cluster as kubeconfig names it: by an ARN, or by the arguments that make a token.
    pub(crate) fn cluster(&self) -> Cluster {
        let view = child::output(&mut self.command(&["config", "view", "--minify", "--output=json"]), None);
        let view: Value = view.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        of_kubeconfig(&view)
    }
}

/// Reads the cluster from a kubeconfig. Pure.
pub(crate) fn of_kubeconfig(view: &Value) -> Cluster {
    let text = |pointer: &str| view.pointer(pointer).and_then(Value::as_str);
    let names = [text("/contexts/0/context/cluster"), text("/contexts/0/name"), text("/clusters/0/name")];
    if let Some(cluster) = names.into_iter().flatten().find_map(Cluster::of_arn) {
        return cluster;
    }
    let arguments: Vec<&str> = view
        .pointer("/users/0/user/exec/args")
        .and_then(Value::as_array)
        .map(|args| args.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let after = |flags: &[&str]| {
        let at = arguments.iter().position(|it| flags.contains(it))?;
        arguments.get(at + 1).map(|it| (*it).to_owned())
    };
    // The form is https://ID.gr7.eu-west-1.eks.amazonaws.com.
    let server = text("/clusters/0/cluster/server").unwrap_or_default();
    let of_server = server.split(".eks.amazonaws.com").next().filter(|it| it.len() < server.len());
    let region = of_server.and_then(|host| host.rsplit('.').next()).map(str::to_owned);
    Cluster {
        name: after(&["--cluster-name", "-i", "--cluster-id"]),
        region: after(&["--region"]).or(region),
        ..Cluster::default()
    }
}

impl Cluster {
    /// Parses `arn:aws:eks:REGION:ACCOUNT:cluster/NAME`.
    pub(crate) fn of_arn(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let [_, partition, "eks", region, account, resource] = parts.as_slice() else { return None };
        let name = resource.strip_prefix("cluster/")?;
        partition.starts_with("aws").then(|| Self {
            name: Some(name.to_owned()),
            region: Some((*region).to_owned()),
            account: Some((*account).to_owned()),
            arn: Some(arn.to_owned()),
        })
    }
}

/// What to judge in the cluster.
pub(crate) enum Wanted {
    Fleet(Scope),
    /// These pods. If there are none, this workload.
    These {
        pods: Vec<Pod>,
        workloads: Vec<Workload>,
        namespace: String,
    },
}

/// Reads everything in the cluster that credentials depend on, each kind separately.
///
/// # Errors
/// The pods themselves cannot be read.
pub(crate) fn gather(kubectl: &Kubectl, wanted: Wanted) -> Result<World, Failed> {
    let scope = match &wanted {
        Wanted::Fleet(scope) => scope.clone(),
        Wanted::These { namespace, .. } => Scope::Namespace(namespace.clone()),
    };
    let mut world = World::default();
    let fleet = matches!(wanted, Wanted::Fleet(_));
    let nodes_of = match &wanted {
        Wanted::These { pods, .. } => {
            Some(pods.iter().map(|pod| pod.spec.node_name.clone()).collect::<BTreeSet<_>>())
        }
        Wanted::Fleet(_) => None,
    };
    std::thread::scope(|threads| {
        let scope = &scope;
        let accounts =
            threads.spawn(move || kubectl.list::<Bare>(scope, "serviceaccounts", &["--show-managed-fields"]));
        let cluster_wide = threads.spawn(move || {
            let webhook =
                kubectl.get::<WebhookConfiguration>(&["mutatingwebhookconfigurations", CONFIGURATION]);
            let namespaces = namespaces(kubectl, scope);
            (webhook, namespaces, issuer(kubectl))
        });
        let nodes = threads.spawn(move || (nodes(kubectl, nodes_of), agent(kubectl)));
        let workloads = threads.spawn(move || {
            let kinds = "deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch,jobs.batch";
            if fleet { kubectl.list::<Workload>(scope, kinds, &[]) } else { Ok(Vec::new()) }
        });
        match wanted {
            Wanted::Fleet(_) => world.pods = kubectl.list::<Pod>(scope, "pods", &[])?,
            Wanted::These { pods, workloads, .. } => (world.pods, world.workloads) = (pods, workloads),
        }
        let mut note = |what: String, failed: &Failed| {
            world.unseen.push(Unseen { what, why: failed.why.clone() });
        };
        match joined(accounts) {
            Ok(accounts) => world.accounts = Seen::Known(by_name(accounts)),
            Err(failed) => note(scope.of("service accounts"), &failed),
        }
        if let Ok((webhook, namespaces, issuer)) = cluster_wide.join() {
            match webhook {
                Ok(webhook) => world.webhook = Seen::Known(Some(webhook)),
                Err(failed) if failed.is_missing() => world.webhook = Seen::Known(None),
                Err(failed) => note(format!("MutatingWebhookConfiguration {CONFIGURATION}"), &failed),
            }
            match namespaces {
                Ok(namespaces) => world.namespaces = Seen::Known(namespaces),
                Err(failed) => note(scope.of("labels"), &failed),
            }
            match issuer {
                Ok(issuer) => world.issuer = issuer,
                Err(failed) => note("the issuer, /.well-known/openid-configuration".to_owned(), &failed),
            }
        }
        if let Ok((nodes, agent)) = nodes.join() {
            match nodes {
                Ok(nodes) => world.nodes = Seen::Known(nodes),
                Err(failed) => note("nodes".to_owned(), &failed),
            }
            match agent {
                Ok(agent) => world.agent = Seen::Known(agent),
                Err(failed) => {
                    note("the Pod Identity agent’s daemonset and pods in kube-system".to_owned(), &failed)
                }
            }
        }
        match joined(workloads) {
            Ok(workloads) => world.workloads.extend(workloads),
            Err(failed) => note(scope.of("workloads without pods"), &failed),
        }
        Ok(())
    })?;
    Ok(world)
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, Result<T, Failed>>) -> Result<T, Failed> {
    thread.join().unwrap_or_else(|_| Err(Failed::new("a bug in credprobe")))
}

fn by_name(accounts: Vec<Bare>) -> BTreeMap<(String, String), Bare> {
    let key = |it: &Bare| (it.metadata.namespace.clone(), it.metadata.name.clone());
    accounts.into_iter().map(|it| (key(&it), it)).collect()
}

fn namespaces(kubectl: &Kubectl, scope: &Scope) -> Result<BTreeMap<String, crate::objects::Map>, Failed> {
    let all = match scope {
        Scope::All => kubectl.get::<List<Bare>>(&["namespaces"])?.items,
        Scope::Namespace(name) => vec![kubectl.get::<Bare>(&["namespace", name])?],
    };
    Ok(all.into_iter().map(|it| (it.metadata.name, it.metadata.labels)).collect())
}

/// `of`: the nodes of some pods; `None`: all nodes.
fn nodes(
    kubectl: &Kubectl,
    of: Option<BTreeSet<String>>,
) -> Result<BTreeMap<String, crate::objects::Map>, Failed> {
    let one = |name: &String| kubectl.get::<Bare>(&["node", name]);
    let found = match of {
        None => kubectl.get::<List<Bare>>(&["nodes"])?.items,
        Some(names) => names.iter().filter(|name| !name.is_empty()).map(one).collect::<Result<_, _>>()?,
    };
    Ok(found.into_iter().map(|it| (it.metadata.name, it.metadata.labels)).collect())
}

fn agent(kubectl: &Kubectl) -> Result<AgentPods, Failed> {
    let selector = "--selector=app.kubernetes.io/name=eks-pod-identity-agent";
    let system = Scope::Namespace("kube-system".to_owned());
    let daemonsets = kubectl.list::<Bare>(&system, "daemonsets.apps", &[selector])?;
    let pods = kubectl.list::<Pod>(&system, "pods", &[selector])?;
    let running = pods.into_iter().filter(|pod| pod.status.phase == "Running");
    Ok(AgentPods {
        daemonset: !daemonsets.is_empty(),
        nodes: running.map(|pod| pod.spec.node_name).collect(),
    })
}

/// The issuer that the API server names. EKS serves the same to AWS.
fn issuer(kubectl: &Kubectl) -> Result<Option<String>, Failed> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: Option<String>,
    }
    let mut command = kubectl.command(&["get", "--raw", "/.well-known/openid-configuration"]);
    let answer = child::output(&mut command, None)?;
    let discovery: Discovery = serde_json::from_slice(&answer)
        .map_err(|error| Failed::new(format!("what the API server says cannot be read: {error}")))?;
    Ok(discovery.issuer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cluster_is_named_by_its_arn_or_by_the_command_that_makes_its_tokens() {
        let arn = "arn:aws:eks:eu-west-1:814203749616:cluster/prod";
        let by_arn = of_kubeconfig(&json!({"contexts": [{"name": "x", "context": {"cluster": arn}}]}));
        assert_eq!(by_arn.account.as_deref(), Some("814203749616"));
        assert_eq!(by_arn.name.as_deref(), Some("prod"));
        let by_command = of_kubeconfig(&json!({
            "clusters": [{"name": "c", "cluster": {"server": "https://ABC.gr7.eu-west-1.eks.amazonaws.com"}}],
            "users": [{"user": {"exec": {"args": ["eks", "get-token", "--cluster-name", "prod"]}}}],
        }));
        assert_eq!(
            (by_command.name.as_deref(), by_command.region.as_deref()),
            (Some("prod"), Some("eu-west-1"))
        );
        assert_eq!(of_kubeconfig(&json!({})), Cluster::default());
    }
}
