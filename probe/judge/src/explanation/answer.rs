//! What all explanations have: the class of what a line says, its owner and the people behind it, and the answer to a known text.
//! `refusal` answers denials by IAM, `rbac` those by Kubernetes.

use super::forbidden::Forbidden;
use super::steps::{change, check, look};
use super::texts::Text;
use super::{Caller, CallerKind, Explanation, Policy};
use crate::catalog::{Class, Owner};
use crate::denial::{Denial, Effect};
use crate::evidence::StageName;
use crate::settings::command::{Aws, Word, words};
use crate::steps::Step;

const SCHEMA: &str = "credprobe/explanation/v1";

/// The owner of service and resource control policies, which nobody within the account can change.
pub(super) const ORG: &str = "org";

pub(super) fn class(denial: &Denial) -> Option<Class> {
    let action = denial.action.as_deref().unwrap_or_default().to_ascii_lowercase();
    Some(match (action.as_str(), denial.effect) {
        ("sts:assumerolewithwebidentity", _) => Class::AccessDenied,
        ("eks-auth:assumeroleforpodidentity", _) => Class::AgentAccessDenied,
        ("sts:assumerole" | "sts:tagsession" | "sts:setsourceidentity", _) => Class::RoleChainDenied,
        (_, Some(Effect::Explicit)) => Class::PermissionBlocked,
        _ => Class::PermissionMissing,
    })
}

/// Without a token the API server treats everyone as anonymous, so a refusal of `system:anonymous` does not concern this identity.
pub(super) fn class_of_forbidden(forbidden: &Forbidden) -> Option<Class> {
    (forbidden.user != "system:anonymous").then_some(Class::ClusterForbidden)
}

pub(super) fn blank(class: Option<Class>, owner: &'static str, who: &str) -> Explanation {
    Explanation {
        schema: SCHEMA,
        class,
        owner: Some(owner),
        who: who.to_owned(),
        summary: String::new(),
        caller: Caller { arn: None, kind: CallerKind::Unknown },
        action: None,
        resource: None,
        policy: Policy { kind: None, arn: None },
        effect: None,
        steps: Vec::new(),
        headline: String::new(),
        why: None,
        others: Vec::new(),
    }
}

/// The people behind an owner, if no more is known.
pub(super) fn people(owner: &str) -> &'static str {
    match owner {
        "pod" => "whoever deploys this pod",
        "cluster" => "whoever runs the cluster",
        "network" => "whoever runs DNS, egress and VPC endpoints",
        "iam" => "whoever administers IAM in the role’s account",
        ORG => "whoever administers the policies of the AWS organization",
        "aws" => "nobody here; retry",
        _ => "whoever runs credprobe",
    }
}

pub(super) fn of_text(text: &'static Text) -> Explanation {
    let owner = text.owner.or(text.class.and_then(|class| class.info().owner)).unwrap_or(Owner::Pod);
    let (cause, repair) = text.sentences();
    let mut steps = Vec::new();
    let stage = text.class.and_then(|class| class.info().stage);
    if stage == Some(StageName::Cluster) {
        steps.push(entries());
    } else if stage != Some(StageName::Access) {
        steps.push(check());
    }
    let changes = match owner {
        Owner::Pod => "the pod’s specification or its service account",
        Owner::Cluster => "the cluster",
        Owner::Network => "the network",
        Owner::Org => "the organization’s policies",
        Owner::Iam => "IAM in the role’s account",
        Owner::Aws | Owner::Probe => "nothing here",
    };
    let is_look = ["See ", "Repeat ", "Decode "].iter().any(|begin| repair.starts_with(begin));
    steps.push(if is_look { look(repair, None) } else { change(repair, None, changes) });
    let headline = match text.class {
        // A bare refusal states nothing that a policy could allow.
        Some(class) if stage != Some(StageName::Access) => {
            class.info().meaning.trim_end_matches('.').to_owned()
        }
        _ => cause.trim_end_matches('.').to_owned(),
    };
    Explanation {
        summary: text.answer.to_owned(),
        why: Some(cause),
        steps,
        headline,
        ..blank(text.class, owner.id(), people(owner.id()))
    }
}

pub(super) fn named(owner: Owner) -> (&'static str, String) {
    (owner.id(), people(owner.id()).to_owned())
}

fn entries() -> Step {
    let cluster = Word::open_variable("cluster");
    let run = Aws::unless(false)
        .and_then(|aws| aws.run(words!["eks", "list-access-entries", "--cluster-name", &cluster]));
    look("See whom the cluster knows; its name belongs into the variable cluster.", run)
}

pub(super) fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
