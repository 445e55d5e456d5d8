//! The grammar of Kubernetes RBAC refusals, which kubectl, client libraries, Terraform and Argo CD pass on unchanged.
//! `pods is forbidden: User "NAME" cannot list resource "pods" in API group "" in the namespace "shop"`, or `cannot get path "/"`.

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
    let (verb, object) = named.split_once("\" cannot ")?.1.split_once(' ')?;
    let verb = verb.split('"').next()?;
    // A path is no resource, and before Kubernetes 1.12 the resource stood without a word and quotation marks.
    let resource = quoted(named, " resource ")
        .or_else(|| quoted(object, "path "))
        .or_else(|| object.split([' ', '"', ',']).next().filter(|word| is_resource(word)))?;
    let group = quoted(named, " API group ").unwrap_or_default();
    let group = if group.is_empty() { String::new() } else { format!(".{group}") };
    Some(Forbidden {
        user: secrets::without_secrets(user),
        verb: secrets::without_secrets(verb),
        resource: secrets::without_secrets(&format!("{resource}{group}")),
        namespace: quoted(named, " namespace ").map(secrets::without_secrets),
    })
}

fn is_resource(word: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"./-".contains(&byte);
    !["", "resource", "path"].contains(&word) && word.len() <= 512 && word.bytes().all(is_of_name)
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.strip_prefix('"')?.split('"').next().filter(|word| word.len() <= 512)
}
