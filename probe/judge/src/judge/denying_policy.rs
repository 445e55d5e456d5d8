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
            .fix_note(self.show(facts, message), &format!("for {who}: shows policies of that kind"))
            .fix(format!(
                "# ask {who} to let it through in the {name}{arn}; the role's trust policy needs no change"
            ))
    }

    /// Shows the policies of the kind, where they can be listed.
    fn show(self, facts: &Facts<'_>, message: &str) -> Option<String> {
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
                // Whose call it was, where AWS names a role: its boundary counts.
                let caller =
                    message.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
                let asked = || facts.role.as_ref().map(|role| role.name.as_str());
                let name = Word::role_name(caller.or_else(asked)?);
                let query = ["--query", "Role.PermissionsBoundary", "--output", "json"].map(Word::from);
                aws.run(&[words!["iam", "get-role", "--role-name", name], &query].concat())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Agent, AgentAnswer, ErrorSource, Evidence, Network};
    use crate::judge::fixtures::{NOW, findings};
    use crate::judge::step::Step;
    use crate::judge::tests::refused;

    fn asked(message: &str) -> Evidence {
        let mut evidence = refused(403, "AccessDenied", message);
        evidence.environment.options.no_network = false;
        evidence
    }

    /// The same of EKS Auth, through the agent.
    fn asked_by_eks(message: &str) -> Evidence {
        let mut evidence = crate::judge::fixtures::healthy();
        let variables = &mut evidence.environment.variables;
        variables.remove("AWS_ROLE_ARN");
        variables.remove("AWS_WEB_IDENTITY_TOKEN_FILE");
        for (name, value) in [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
            (
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
            ),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        evidence.environment.options.no_network = false;
        evidence.token.as_mut().unwrap().aud = vec!["pods.eks.amazonaws.com".to_owned()];
        evidence.network = Some(Network::default());
        evidence.agent = Some(Agent {
            answer: Some(AgentAnswer {
                status: 400,
                said_by: ErrorSource::EksAuth,
                code: Some("AccessDeniedException".to_owned()),
                message: message.to_owned(),
                ..AgentAnswer::default()
            }),
            ..Agent::default()
        });
        evidence
    }

    #[test]
    fn the_policy_that_aws_names_is_told_with_its_owner_and_the_role_is_left_alone() {
        let role = "arn:aws:iam::814203749616:role/checkout-reader";
        let kinds = [
            ("resource control policy", Owner::Org),
            ("service control policy", Owner::Org),
            ("VPC endpoint policy", Owner::Network),
            ("permissions boundary", Owner::Iam),
            ("session policy", Owner::Iam),
        ];
        for (kind, owner) in kinds {
            let plural = kind.replace("policy", "policies").replace("boundary", "boundaries");
            for ending in [
                format!("with an explicit deny in a {kind}"),
                format!(
                    "with an explicit deny in a {kind}: arn:aws:organizations::111122223333:policy/o-a1/x/p-0a1b2c3d"
                ),
                format!("because no {kind} allows the action"),
                format!("because of the {plural}"),
            ] {
                let sts = format!(
                    "User: anonymous is not authorized to perform: sts:AssumeRoleWithWebIdentity on resource: {role} {ending}"
                );
                let node = "arn:aws:sts::814203749616:assumed-role/node/i-0123456789abcdef0";
                let eks = format!(
                    "User: {node} is not authorized to perform: eks-auth:AssumeRoleForPodIdentity on resource: arn:aws:eks:eu-west-1:814203749616:cluster/prod {ending}"
                );
                for evidence in [asked(&sts), asked_by_eks(&eks)] {
                    let found = findings(&evidence, NOW);
                    let [finding] = found.as_slice() else { panic!("{ending}: {found:#?}") };
                    assert_eq!(finding.owner, Some(owner), "{finding:#?}");
                    let lines: Vec<String> = finding.steps.iter().flat_map(Step::lines).collect();
                    let lines = lines.join("\n");
                    for harm in
                        ["update-assume-role-policy", "attach-role-policy", "update-policy", "delete-"]
                    {
                        assert!(!lines.contains(harm), "{harm} for {ending}:\n{lines}");
                    }
                    assert_eq!(ending.contains("p-0a1b2c3d"), lines.contains("p-0a1b2c3d"), "{lines}");
                }
            }
        }
    }

    /// The role's own policies are no policy above it.
    #[test]
    fn what_names_no_other_policy_stays_with_the_role() {
        for ending in [
            "",
            " because no resource-based policy allows the action",
            " because no identity-based policy allows it",
        ] {
            assert_eq!(DenyingPolicy::named(&format!("Not authorized to perform: sts:x{ending}")), None);
        }
    }
}
