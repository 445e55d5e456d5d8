//! Validates the flags about a cluster: which server they state, and which access is expected there.
//! A token goes only to a server that a flag names, so an incomplete statement is a usage error.

use super::{Given, UsageError, flags};

/// The most accesses to check. Each one is a request.
const MOST: usize = 8;

/// Checks that `--cluster` comes with exactly one server, and that no server is given without it.
pub(super) fn server(matches: &Given<'_>) -> Result<(), UsageError> {
    let given = |flag: &str| matches.text(flag);
    let error = |text: &str| Err(UsageError(text.to_owned()));
    let others = ["kubeconfig", "context", "cluster-endpoint", "cluster-ca", flags::EXPECT_KUBERNETES_ACCESS];
    if given("cluster").is_none() {
        let lost = others.into_iter().find(|flag| matches.texts(flag).next().is_some());
        return lost.map_or(Ok(()), |flag| Err(UsageError(format!("--{flag}: it needs --cluster=NAME"))));
    }
    match (given("kubeconfig"), given("cluster-endpoint"), given("cluster-ca"), given("context")) {
        (Some(_), Some(_), ..) => {
            error("--cluster-endpoint: --kubeconfig states the server already; leave one of them out")
        }
        (Some(_), None, Some(_), _) => {
            error("--cluster-ca: --kubeconfig states the CA already; leave one of them out")
        }
        (Some(_), None, None, _) => Ok(()),
        (None, _, _, Some(_)) => error("--context: it needs --kubeconfig=FILE"),
        (None, None, ..) => error(
            "--cluster: no server is stated; give --kubeconfig=FILE, or --cluster-endpoint=URL with --cluster-ca=FILE, or --cluster-endpoint=in-cluster",
        ),
        (None, Some(endpoint), ca, None)
            if endpoint == "in-cluster" || (is_url(&endpoint) && ca.is_some()) =>
        {
            Ok(())
        }
        (None, Some(endpoint), None, None) if is_url(&endpoint) => {
            error("--cluster-endpoint: it needs --cluster-ca=FILE, the CA of that cluster alone")
        }
        (None, Some(_), ..) => {
            error("--cluster-endpoint: it is not allowed; allowed are in-cluster and https://HOST[:PORT]")
        }
    }
}

/// Whether this is an https URL without user info, query or fragment.
fn is_url(endpoint: &str) -> bool {
    let uri = endpoint.parse::<http::Uri>().ok();
    let is_plain = |uri: &http::Uri| {
        uri.scheme_str() == Some("https")
            && uri.query().is_none()
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())
    };
    uri.as_ref().is_some_and(is_plain) && !endpoint.contains('#')
}

/// The values of `--expect-kubernetes-access`: `VERB:RESOURCE[:NAMESPACE]`, separated by white space.
pub(super) fn accesses(matches: &Given<'_>) -> Result<Vec<String>, UsageError> {
    let flag = flags::EXPECT_KUBERNETES_ACCESS;
    let given = matches.texts(flag);
    let all: Vec<String> = given.flat_map(|value| value.split_whitespace()).map(str::to_owned).collect();
    if all.len() > MOST {
        return Err(UsageError(format!("--{flag}: there are {}, and {MOST} at most are asked", all.len())));
    }
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*/".contains(&byte))
    };
    let is_access = |access: &&String| {
        let parts: Vec<&str> = access.split(':').collect();
        !(matches!(parts.len(), 2 | 3) && parts.into_iter().all(is_part))
    };
    match all.iter().find(is_access) {
        Some(other) => Err(UsageError(format!(
            "--{flag}: `{other}` is not allowed; allowed is VERB:RESOURCE[:NAMESPACE], as in list:pods:shop or create:deployments.apps"
        ))),
        None => Ok(all),
    }
}
