//! Refusals that the role's side makes: role, trust policy, and what denies above them. Pure.

use super::{get_role, quoted};
use crate::catalog::texts::{common, exchange};
use crate::catalog::{Class, Owner};
use crate::evidence::StsError;
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::settings::command::words;

pub(super) fn access_denied(facts: &Facts<'_>, error: &StsError) -> Finding {
    if let Some(policy) = DenyingPolicy::named(&error.message) {
        return denied_by(facts, error, policy);
    }
    let values = facts.values();
    let mut steps = vec![&common::SEE_ROLE, &exchange::OTHER_ARN, &exchange::STATEMENT_WITH_A_MISTAKE];
    // The service account `default` is every pod's that names none: no statement admits it.
    if facts.account().is_some_and(|account| account.name != "default") {
        steps.push(&exchange::ADD_STATEMENT);
    }
    let why = format!(
        "STS says {} after it has checked the token. So no role has exactly this ARN, or its trust policy does not admit subject {}.",
        error.code,
        facts.subject_text()
    );
    Finding::new(Class::AccessDenied, values.say("{role} does not accept service account {sa}"))
        .presented(facts.identity_text())
        .required(format!(
            "that {} exists with exactly this ARN, and its trust policy allows this provider, subject and audience",
            facts.role_text()
        ))
        .ruled_out(format!(
            "the token: STS checks signature, expiry, IAM OIDC provider and audience first, and says {} only after them",
            quoted(error)
        ))
        .why(std::iter::once(why).chain(hints(facts)).collect::<Vec<_>>().join(" "))
        .steps(&values, &steps)
}

/// A kind of policy that STS names besides the trust policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DenyingPolicy {
    /// As AWS's sentence has it, in lower case.
    name: &'static str,
    owner: Owner,
    who: &'static str,
}

impl DenyingPolicy {
    const ALL: &[Self] = &[
        Self {
            name: "resource control policy",
            owner: Owner::Iam,
            who: "whoever administers the AWS organization",
        },
        Self {
            name: "service control policy",
            owner: Owner::Iam,
            who: "whoever administers the AWS organization",
        },
        Self {
            name: "vpc endpoint policy",
            owner: Owner::Network,
            who: "whoever administers the VPC endpoint for STS",
        },
        Self {
            name: "permissions boundary",
            owner: Owner::Iam,
            who: "whoever administers the account's boundaries",
        },
        Self { name: "session policy", owner: Owner::Iam, who: "whoever made the session's policy" },
    ];

    fn named(message: &str) -> Option<Self> {
        let message = message.to_ascii_lowercase();
        Self::ALL
            .iter()
            .find(|policy| {
                message.contains(policy.name) || message.contains(&policy.name.replace("policy", "policies"))
            })
            .copied()
    }
}

/// STS names the policy, and it is not the role's: nothing is to be changed on the role.
fn denied_by(facts: &Facts<'_>, error: &StsError, policy: DenyingPolicy) -> Finding {
    let DenyingPolicy { name, owner, who } = policy;
    // From 2026 on AWS names the policy itself, where it may be known.
    let arn = error
        .message
        .split(|c: char| c.is_whitespace() || c == ',')
        .find(|word| word.starts_with("arn:") && word.contains(":policy/"));
    let arn = arn.map(|arn| format!(" {}", arn.trim_end_matches('.'))).unwrap_or_default();
    Finding::new(
        Class::AccessDenied,
        format!("a {name} refuses {} for {}", facts.role_text(), facts.subject_text()),
    )
    .owner(owner)
    .presented(facts.identity_text())
    .required(format!(
        "a {name}{arn} that lets sts:AssumeRoleWithWebIdentity on {} through",
        facts.role_text()
    ))
    .ruled_out(format!("the role's trust policy: STS names the {name}: {}", quoted(error)))
    .fix_note(show(facts, policy), &format!("for {who}: shows policies of that kind"))
    .fix(format!("# ask {who} to let it through in the {name}{arn}; the role's trust policy needs no change"))
}

/// Shows the policies of the kind, where they can be listed.
fn show(facts: &Facts<'_>, policy: DenyingPolicy) -> Option<String> {
    let aws = facts.aws()?;
    match policy.name {
        "resource control policy" => {
            aws.run(words!["organizations", "list-policies", "--filter", "RESOURCE_CONTROL_POLICY"])
        }
        "service control policy" => {
            aws.run(words!["organizations", "list-policies", "--filter", "SERVICE_CONTROL_POLICY"])
        }
        "vpc endpoint policy" => {
            let query = "VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]";
            aws.run(words![
                "ec2",
                "describe-vpc-endpoints",
                "--region",
                facts.signing_region()?,
                "--query",
                query
            ])
        }
        _ => get_role(facts, facts.role.as_ref()?, "Role.PermissionsBoundary", "json"),
    }
}

/// Accounts of AWS's documentation: nobody's role is there.
const DOCUMENTATION_ACCOUNTS: &[&str] = &["111122223333", "123456789012", "444455556666"];

/// What a reader of this refusal should look at first.
fn hints(facts: &Facts<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(account) = facts.account() {
        if account.name == "default" {
            hints.push(format!(
                "the pod runs as service account {}/default: is spec.serviceAccountName missing?",
                account.namespace
            ));
        }
        let suffix = account.name.rsplit_once('-').map_or("", |(_, suffix)| suffix);
        if suffix.len() >= 8 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            hints.push(format!(
                "the name {} looks generated: a policy with a wildcard for it needs StringLike, StringEquals compares the asterisk itself",
                account.name
            ));
        }
    }
    if let Some(role) =
        facts.role.as_ref().filter(|role| DOCUMENTATION_ACCOUNTS.contains(&role.account.as_str()))
    {
        hints.push(format!(
            "account {} is one of AWS's documentation, in which no role of yours is",
            role.account
        ));
    }
    hints
}
