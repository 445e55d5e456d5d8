//! The grammar of Kubernetes RBAC refusals, which kubectl, client libraries, Terraform and Argo CD pass on unchanged.
//! `pods is forbidden: User "NAME" cannot list resource "pods" in API group "" in the namespace "shop"`.

use crate::denial::secrets;

/// A refusal of the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forbidden {
    pub user: String,
    pub verb: String,
    /// In kubectl's form: `deployments.apps`.
    pub resource: String,
    /// `None`: cluster scope.
    pub namespace: Option<String>,
}

/// The last refusal of the line.
pub(super) fn read(line: &str) -> Option<Forbidden> {
    let named = &line[line.rfind("User \"")?..];
    let user = quoted(named, "User ")?;
    let verb = named.split_once("\" cannot ")?.1.split([' ', '"']).next()?;
    let resource = quoted(named, " resource ")?;
    let group = quoted(named, " API group ").unwrap_or_default();
    let group = if group.is_empty() { String::new() } else { format!(".{group}") };
    Some(Forbidden {
        user: secrets::without_secrets(user),
        verb: secrets::without_secrets(verb),
        resource: secrets::without_secrets(&format!("{resource}{group}")),
        namespace: quoted(named, " namespace ").map(secrets::without_secrets),
    })
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.strip_prefix('"')?.split('"').next().filter(|word| word.len() <= 512)
}
