//! Reads from a kubeconfig what a token for EKS needs: the server, its CA, and the cluster whose tokens its `exec` makes. Pure.
//! Executes nothing in it and ignores its credentials.

use crate::yaml::{self, Node};

/// The longest kubeconfig that is read, in bytes. It may contain CAs.
pub const KUBECONFIG_LIMIT: u64 = 1024 * 1024;

/// The server that a context names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubeconfig {
    /// The context that was used.
    pub context: String,
    /// `https://…`.
    pub server: String,
    /// The CA of the server.
    pub ca: Ca,
    /// The cluster's name in the arguments of `aws eks get-token` or `aws-iam-authenticator token`.
    pub exec_cluster: Option<String>,
}

/// A CA in a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ca {
    /// PEM, in base64.
    Data(String),
    /// A path, relative to the kubeconfig's folder.
    File(String),
}

impl Kubeconfig {
    /// The server of `context`, or of the current context.
    ///
    /// # Errors
    /// One line: what is missing.
    pub fn parse(bytes: &[u8], context: Option<&str>) -> Result<Self, String> {
        if bytes.len() as u64 > KUBECONFIG_LIMIT {
            return Err(format!("it is longer than {KUBECONFIG_LIMIT} bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let root = yaml::first_document(text)
            .map_err(|problem| format!("it is not YAML: line {}: {}", problem.line, problem.what))?;
        let of = |node: &'_ Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let named = |list: &str, name: &str, inner: &str| {
            let nodes = root.get(list).map(Node::list).unwrap_or_default();
            let found = nodes.iter().find(|node| node.get("name").and_then(Node::text) == Some(name));
            found.and_then(|node| node.get(inner)).cloned()
        };
        let context = context.map(str::to_owned).or_else(|| of(&root, "current-context"));
        let context = context
            .filter(|name| !name.is_empty())
            .ok_or("it has no current-context, so --context is needed")?;
        let chosen =
            named("contexts", &context, "context").ok_or_else(|| format!("it has no context {context}"))?;
        let cluster = of(&chosen, "cluster").and_then(|name| named("clusters", &name, "cluster"));
        let cluster = cluster.ok_or_else(|| format!("it has no cluster for context {context}"))?;
        let server = of(&cluster, "server")
            .ok_or_else(|| format!("the cluster of context {context} has no server"))?;
        let data = of(&cluster, "certificate-authority-data").map(Ca::Data);
        let ca = data.or_else(|| of(&cluster, "certificate-authority").map(Ca::File));
        let ca = ca.ok_or_else(|| {
            format!("the cluster of context {context} states no CA, and without one the token is not sent")
        })?;
        let exec = of(&chosen, "user").and_then(|name| named("users", &name, "user"));
        let exec_cluster = exec.and_then(|user| user.get("exec").and_then(cluster_of));
        Ok(Self { context, server, ca, exec_cluster })
    }
}

/// `NAME` of `aws eks get-token --cluster-name NAME` or `aws-iam-authenticator token -i NAME`.
fn cluster_of(exec: &Node) -> Option<String> {
    let command = exec.get("command").and_then(Node::text)?;
    let program = command.rsplit('/').next()?;
    let args: Vec<&str> = exec.get("args").map(Node::list)?.iter().filter_map(Node::text).collect();
    let names: &[&str] = match program {
        "aws" if args.contains(&"eks") && args.contains(&"get-token") => &["--cluster-name", "--cluster-id"],
        "aws-iam-authenticator" | "heptio-authenticator-aws" => &["-i", "--cluster-id"],
        _ => return None,
    };
    let value = |at: usize, arg: &&str| match arg.split_once('=') {
        Some((name, value)) if names.contains(&name) => Some(value.to_owned()),
        None if names.contains(arg) => args.get(at + 1).map(|value| (*value).to_owned()),
        _ => None,
    };
    args.iter().enumerate().find_map(|(at, arg)| value(at, arg))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: shop
clusters:
- name: a
  cluster:
    server: https://ABC.gr7.eu-west-1.eks.amazonaws.com
    certificate-authority-data: LS0t
- name: b
  cluster: {server: https://b, insecure-skip-tls-verify: true}
- name: c
  cluster: {server: https://c, certificate-authority: ca.crt}
contexts:
- name: shop
  context: {cluster: a, user: me}
- name: insecure
  context: {cluster: b, user: me}
- name: file
  context: {cluster: c, user: other}
- name: lost
  context: {cluster: z}
users:
- name: me
  user:
    client-key-data: secret
    exec:
      command: /usr/local/bin/aws
      args: [--region, eu-west-1, eks, get-token, --cluster-name, shop, --output, json]
- name: other
  user: {exec: {command: aws-iam-authenticator, args: [token, --cluster-id=other]}}
";

    #[test]
    fn the_contexts_server_and_ca_are_taken_and_the_cluster_of_exec() {
        let shop = Kubeconfig::parse(CONFIG.as_bytes(), None).unwrap();
        assert_eq!(
            shop,
            Kubeconfig {
                context: "shop".to_owned(),
                server: "https://ABC.gr7.eu-west-1.eks.amazonaws.com".to_owned(),
                ca: Ca::Data("LS0t".to_owned()),
                exec_cluster: Some("shop".to_owned()),
            }
        );
        let file = Kubeconfig::parse(CONFIG.as_bytes(), Some("file")).unwrap();
        assert_eq!((file.ca, file.exec_cluster.as_deref()), (Ca::File("ca.crt".to_owned()), Some("other")));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, context, problem) in [
            (CONFIG, Some("insecure"), "states no CA"),
            (CONFIG, Some("lost"), "no cluster for context lost"),
            (CONFIG, Some("nowhere"), "no context nowhere"),
            ("a: b", None, "no current-context"),
            ("a: [", None, "not YAML"),
            ("", None, "no current-context"),
        ] {
            let said = Kubeconfig::parse(text.as_bytes(), context).unwrap_err();
            assert!(said.contains(problem), "{said}");
        }
    }
}
