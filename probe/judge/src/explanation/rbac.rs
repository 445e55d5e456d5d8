//! What a refusal by Kubernetes's RBAC means: who acts, and what the caller is to be bound to.
//! `forbidden` reads the sentence.

use super::answer::{blank, class_of_forbidden, people};
use super::caller::caller;
use super::forbidden::Forbidden;
use super::steps::{change, look, when};
use super::{CallerKind, Explanation};
use crate::catalog::Owner;
use crate::settings::command::{Tool, words};
use crate::steps::Step;

pub(super) fn of_forbidden(forbidden: Forbidden) -> Explanation {
    let Forbidden { user, verb, resource, namespace } = &forbidden;
    let place = namespace
        .as_ref()
        .map_or_else(|| "in the whole cluster".to_owned(), |name| format!("in namespace {name}"));
    let class = class_of_forbidden(&forbidden);
    let mut explanation = if class.is_none() {
        let headline = "the request reached the API server without credentials";
        let summary = format!(
            "The API server took the caller for system:anonymous, so the request carried no token, or one that no \
             authenticator looks at. Nothing is refused to an IAM identity here: {verb} {resource} {place} was asked for by nobody."
        );
        let mut explanation = blank(None, Owner::Pod.id(), people("pod"));
        explanation.headline = headline.to_owned();
        explanation.summary = summary;
        explanation.steps = vec![
            look(
                "See how the kubeconfig or the provider gets its token: exec of aws eks get-token, or a fixed one.",
                None,
            ),
            change(
                "Give the client the credentials, for Terraform in the provider’s own exec block.",
                None,
                "the client’s configuration",
            ),
        ];
        explanation
    } else {
        let mut explanation = blank(class, Owner::Cluster.id(), people("cluster"));
        let account = user.strip_prefix("system:serviceaccount:").and_then(|names| names.split_once(':'));
        let subject = match account {
            Some((namespace, name)) => format!("service account {namespace}/{name}"),
            None => user.clone(),
        };
        explanation.headline = format!("RBAC does not let {subject} {verb} {resource}");
        let mapping = if user.starts_with("system:") { "" } else { ", so the mapping works" };
        explanation.summary = format!(
            "The cluster knows the caller as user {user}{mapping}. No role that is bound to that user or to \
             one of its groups allows to {verb} {resource} {place}."
        );
        let bindings =
            Tool::Kubectl.run(words!["get", "rolebindings,clusterrolebindings", "-A", "-o", "wide"]);
        explanation.steps = vec![look("See which roles are bound to whom.", bindings)];
        explanation.steps.extend(bind(&forbidden, account, &subject));
        explanation
    };
    let arn = user.starts_with("arn:").then_some(user.as_str());
    explanation.caller = caller(arn, None);
    if arn.is_none() {
        explanation.caller.kind = CallerKind::Other;
    }
    explanation.action = Some(verb.clone());
    explanation.resource = Some(match namespace {
        Some(name) => format!("{resource} in namespace {name}"),
        None => resource.clone(),
    });
    explanation
}

/// The steps for a caller whom the cluster knows. IAM concerns only users that an access entry or aws-auth maps.
fn bind(forbidden: &Forbidden, account: Option<(&str, &str)>, subject: &str) -> Vec<Step> {
    let Forbidden { user, verb, resource, namespace } = forbidden;
    if let Some((_, name)) = account {
        let kind = if namespace.is_some() { "RoleBinding in that namespace" } else { "ClusterRoleBinding" };
        let own = match name {
            "default" => {
                "Give the workload a service account of its own, as all others share this one. Then bind to it"
            }
            _ => "Bind to it",
        };
        let say = format!(
            "{own}, with a {kind}, a role that allows {verb} on {resource}. Charts have values for it, such as rbac.create."
        );
        return vec![change(&say, None, "what this service account may do in the cluster")];
    }
    if user.starts_with("system:node:") {
        return vec![change(
            "A node may read only what concerns itself and its pods. If it misses that, give its access entry the type \
             EC2_LINUX, EC2_WINDOWS, FARGATE_LINUX or EC2, as its kind is, or its line in aws-auth the groups system:bootstrappers and system:nodes.",
            None,
            "what this node may do in the cluster",
        )];
    }
    if user.starts_with("system:") {
        let say = format!(
            "Restore the bindings that Kubernetes has for {subject}. The API server does so when it starts, unless their \
             annotation rbac.authorization.kubernetes.io/autoupdate is false."
        );
        return vec![change(&say, None, "what this part of Kubernetes may do")];
    }
    vec![
        when(
            "An access entry maps it",
            change(
                "associate an access policy with the entry, or bind a role to the entry’s group.",
                None,
                "what this identity may do in the cluster",
            ),
        ),
        when(
            "A line of aws-auth maps it",
            change(
                "bind a role to one of the groups of that line.",
                None,
                "what this identity may do in the cluster",
            ),
        ),
    ]
}
