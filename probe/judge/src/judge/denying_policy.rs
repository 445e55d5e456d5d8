//! A refusal in which AWS names the kind of policy that denies, besides the role's trust policy: whose it is, and what shows it. Pure.
//! Nothing is to be changed on the role then; the sentences are those of IAM's access-denied messages.

use super::facts::Facts;
use crate::catalog::texts::common;
use crate::catalog::{Class, Owner};
use crate::judge::finding::Finding;
use crate::steps::slot;
use crate::steps::template::Template;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DenyingPolicy {
    /// As AWS's sentence has it, in lower case.
    pub(super) name: &'static str,
    pub(super) owner: Owner,
    who: &'static str,
}

const ORGANIZATION: &str = "whoever administers the organization’s policies";

impl DenyingPolicy {
    const ALL: &[Self] = &[
        Self { name: "resource control policy", owner: Owner::Org, who: ORGANIZATION },
        Self { name: "service control policy", owner: Owner::Org, who: ORGANIZATION },
        Self {
            name: "vpc endpoint policy",
            owner: Owner::Network,
            who: "whoever administers the VPC endpoint",
        },
        Self {
            name: "permissions boundary",
            owner: Owner::Iam,
            who: "whoever administers permissions boundaries in the account",
        },
        Self { name: "session policy", owner: Owner::Iam, who: "whoever wrote the session's policy" },
    ];

    pub(super) fn named(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        let plural = |name: &str| match name.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => name.to_owned(),
        };
        let names = |policy: &&Self| message.contains(policy.name) || message.contains(&plural(policy.name));
        Self::ALL.iter().find(names).copied()
    }

    /// `message` is AWS's, about an action on `resource`.
    pub(super) fn finding(self, facts: &Facts<'_>, class: Class, message: &str, resource: &str) -> Finding {
        let Self { name, owner, who } = self;
        // From 2026 on AWS names the policy itself, where it may be known.
        let arn = message
            .split(|c: char| c.is_whitespace() || c == ',')
            .find(|word| word.starts_with("arn:") && word.contains(":policy/"));
        let arn = arn.map(|arn| format!(" {}", arn.trim_end_matches('.'))).unwrap_or_default();
        let action = message.split_once("to perform: ").and_then(|(_, rest)| rest.split_whitespace().next());
        let action = action.unwrap_or("the call");
        let values = facts
            .values()
            .with_text(slot::PRINCIPAL, who)
            .with_text(slot::ACTION, action)
            .with_text(slot::RESOURCE, resource)
            .with_text(slot::VALUE, format!("the {name}{arn}"));
        let refused = match resource.split_once(":role/") {
            Some((_, role)) => format!("role {}", role.rsplit_once('/').map_or(role, |(_, name)| name)),
            None => action.to_owned(),
        };
        Finding::new(class, format!("a {name} refuses {refused}"))
            .owner(owner)
            .required(format!("a {name}{arn} that lets {action} on {resource} through"))
            .why(format!(
                "AWS names the policy: a {name}{arn} does not let {action} on {resource} through for {}. The role’s trust policy is not the reason.",
                facts.subject_text()
            ))
            .steps(&values, &[self.show(), &common::ALLOW_IN_POLICY])
    }

    /// Shows the policies of the kind.
    fn show(self) -> &'static Template {
        match self.name {
            "resource control policy" => &common::SEE_RCP,
            "service control policy" => &common::SEE_SCP,
            "vpc endpoint policy" => &common::SEE_ENDPOINT_POLICY,
            _ => &common::SEE_BOUNDARY,
        }
    }
}
