//! A refusal in which AWS names the kind of policy that denies, besides the role's trust policy: whose it is, and what shows it. Pure.
//! Nothing is to be changed on the role then; the sentences are those of IAM's access-denied messages.

use super::facts::Facts;
use crate::catalog::{Class, Owner};
use crate::judge::finding::Finding;
use crate::settings::command::{Word, words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DenyingPolicy {
    /// As AWS's sentence has it, in lower case.
    pub(super) name: &'static str,
    owner: Owner,
    who: &'static str,
}

const ORGANIZATION: &str = "whoever administers the AWS Organization's policies";

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
        Finding::new(class, format!("a {name} refuses {resource} for {}", facts.subject_text()))
            .owner(owner)
            .required(format!("a {name}{arn} that lets {action} on {resource} through"))
            .fix_note(self.show(facts), &format!("for {who}: shows policies of that kind"))
            .fix(format!(
                "# ask {who} to let it through in the {name}{arn}; the role's trust policy needs no change"
            ))
    }

    /// Shows the policies of the kind, where they can be listed.
    fn show(self, facts: &Facts<'_>) -> Option<String> {
        let aws = facts.aws()?;
        match self.name {
            "resource control policy" => {
                aws.run(words!["organizations", "list-policies", "--filter", "RESOURCE_CONTROL_POLICY"])
            }
            "service control policy" => {
                aws.run(words!["organizations", "list-policies", "--filter", "SERVICE_CONTROL_POLICY"])
            }
            "vpc endpoint policy" => {
                let query = "VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]";
                let region = facts.signing_region()?;
                aws.run(words!["ec2", "describe-vpc-endpoints", "--region", region, "--query", query])
            }
            _ => {
                let name = Word::role_name(&facts.role.as_ref()?.name);
                let query = ["--query", "Role.PermissionsBoundary", "--output", "json"].map(Word::from);
                aws.run(&[words!["iam", "get-role", "--role-name", name], &query].concat())
            }
        }
    }
}
