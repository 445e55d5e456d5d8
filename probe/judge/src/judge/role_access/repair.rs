//! What a person does about a denial: where to look, what to add, and in whose account. Pure.
//! A policy that denies, an organization's and a resource's are told of in words: what else they are for is not known here.

use super::reading::{Kind, Reading};
use crate::access_calls::{SafeCall, Stated};
use crate::judge::agent::see_association;
use crate::judge::facts::Facts;
use crate::judge::finding::Finding;
use crate::settings::arn::RoleArn;
use crate::settings::command::{Aws, Word, words};

/// The role whose credentials were asked with, by who answered.
pub(super) fn acting_role(facts: &Facts<'_>) -> Option<RoleArn> {
    let arn = crate::judge::answered(facts.evidence)?;
    let mut parts = arn.splitn(6, ':').skip(1);
    let (partition, account) = (parts.next()?, parts.nth(2)?);
    let name = parts.next()?.strip_prefix("assumed-role/")?.split('/').next()?;
    let role = RoleArn::parse(&format!("arn:{partition}:iam::{account}:role/{name}")).ok()?;
    // STS leaves the path out; the role that was asked for has it.
    let asked = facts.role.as_ref().filter(|asked| asked.account == role.account && asked.name == role.name);
    Some(asked.cloned().unwrap_or(role))
}

pub(super) fn acting_name(facts: &Facts<'_>) -> String {
    acting_role(facts).map_or_else(|| caller(facts), |role| role.name)
}

pub(super) fn caller(facts: &Facts<'_>) -> String {
    let answered = crate::judge::answered(facts.evidence);
    answered.map_or_else(|| facts.role_text(), str::to_owned)
}

/// `None`: as the class's owner has it.
pub(super) fn who(facts: &Facts<'_>, resource: &str, kind: Option<Kind>) -> Option<String> {
    let account_of =
        |arn: &str| arn.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned);
    let own = || acting_role(facts).map(|role| role.account);
    match kind {
        Some(Kind::ServiceControl | Kind::ResourceControl) => None,
        Some(Kind::VpcEndpoint) => Some("whoever runs the VPC endpoint".to_owned()),
        Some(Kind::Session) => {
            Some("whoever manages the Pod Identity association of this service account".to_owned())
        }
        Some(Kind::Trust) => account_of(resource).map(administrator),
        Some(Kind::Resource) => Some(match account_of(resource) {
            Some(account) => format!("whoever owns {resource} in account {account}"),
            None => format!("whoever owns {resource}"),
        }),
        Some(Kind::Identity | Kind::Boundary) | None => own().map(administrator),
    }
}

pub(super) fn administrator(account: impl std::fmt::Display) -> String {
    format!("whoever administers IAM in account {account}")
}

pub(super) fn steps(facts: &Facts<'_>, finding: Finding, stated: &Stated, reading: &Reading) -> Finding {
    let Stated { action, resource, .. } = stated;
    let role = acting_role(facts);
    let name = || role.as_ref().map_or(Word::NONE, |role| Word::role_name(&role.name));
    let aws = facts.aws();
    let run = |words: &[Word]| aws.and_then(|aws| aws.run(words));
    let policy = reading.policy.as_deref().map(|arn| format!(" {arn}")).unwrap_or_default();
    match reading.kind {
        Some(Kind::Identity) if !reading.explicit => {
            let finding = finding.confirm_note(
                run(words!["iam", "list-attached-role-policies", "--role-name", name()]),
                "See the policies attached to the role. list-role-policies has the others:",
            );
            let denied = reading.action.as_deref().unwrap_or(action);
            // Services write it in any case, and the policy reads best as it was stated.
            let denied = if denied.eq_ignore_ascii_case(action) { action } else { denied };
            let command = aws.zip(role.as_ref()).and_then(|(aws, role)| add(aws, role, denied, resource));
            finding
                .fix_note(command, "Add it, in Terraform or CDK if that manages the role. This adds an inline policy, or replaces the one of that name:")
        }
        Some(Kind::Identity) => finding
            .confirm_note(
                run(words!["iam", "list-attached-role-policies", "--role-name", name()]),
                "One of the policies of the role denies it. See the attached ones, with credentials of its account:",
            )
            .fix(format!("# In the identity policy{policy}, narrow the Deny so that it does not cover {action} on {resource}. A statement that allows it does not help.")),
        Some(Kind::Boundary) => finding
            .confirm_note(
                run(words!["iam", "get-role", "--role-name", name(), "--query", "Role.PermissionsBoundary"]),
                "See the boundary of the role, with credentials of its account:",
            )
            .fix(format!("# Let the permissions boundary{policy} allow {action} on {resource}. The policies of the role are not the place.")),
        Some(kind @ (Kind::ServiceControl | Kind::ResourceControl)) => organization(facts, finding, kind).fix(format!(
            "# Ask for an exception in the {}{policy}, for {action} on {resource} by role {}.",
            kind.name(),
            acting_name(facts)
        )),
        Some(Kind::VpcEndpoint) => {
            let service = SafeCall::of(action).map_or("", |call| call.service);
            let region = facts.route.endpoint.as_ref().map_or("", |endpoint| &endpoint.signing_region);
            let region = stated.region.as_deref().or(resource.split(':').nth(3).filter(|it| !it.is_empty())).unwrap_or(region);
            let region = Word::region(region);
            let filter = region.clone().after("Name=service-name,Values=com.amazonaws.").before(".").then(service.into());
            finding
                .confirm_note(
                    run(words![
                        "ec2", "describe-vpc-endpoints", "--region", region, "--filters", filter,
                        "--query", "VpcEndpoints[].[VpcEndpointId,PolicyDocument]", "--output", "json",
                    ]),
                    "See the VPC endpoints of that service and their policies:",
                )
                .fix(format!("# Let the policy of the VPC endpoint{policy} allow {action} on {resource} for the role."))
        }
        Some(Kind::Resource) => match resource_policy(aws, resource) {
            Some(shown) => finding.confirm_note(Some(shown), "See the policy of the resource, with credentials of its account:"),
            None => simulate(facts, finding, stated),
        }
        .fix(format!("# Let the policy of {resource} allow {action} for {}.", acting_arn(facts))),
        Some(Kind::Trust) => trust(facts, finding, &acting_arn(facts), resource, reading),
        Some(Kind::Session) => see_association(facts, finding).fix(format!("# Let the policy of the Pod Identity association allow {action} on {resource}. It takes hold with new credentials.")),
        None => simulate(facts, finding, stated).fix("# Look at the policies of the role, its boundary, the policy of the resource, those of the organization and of VPC endpoints: AWS does not say which one refused."),
    }
}

/// The role's own ARN, as policies name it.
pub(super) fn acting_arn(facts: &Facts<'_>) -> String {
    let arn = |role: RoleArn| {
        format!("arn:{}:iam::{}:role{}{}", role.partition, role.account, role.path, role.name)
    };
    acting_role(facts).map_or_else(|| caller(facts), arn)
}

/// Shows which policies of the organization the account is under.
pub(super) fn organization(facts: &Facts<'_>, finding: Finding, kind: Kind) -> Finding {
    let filter =
        if kind == Kind::ServiceControl { "SERVICE_CONTROL_POLICY" } else { "RESOURCE_CONTROL_POLICY" };
    let account = acting_role(facts).map_or(Word::NONE, |role| Word::role_name(&role.account));
    let command = facts.aws().and_then(|aws| {
        aws.run(words![
            "organizations",
            "list-policies-for-target",
            "--target-id",
            account,
            "--filter",
            filter
        ])
    });
    finding.confirm_note(
        command,
        "In the organization, see the account’s policies. Its units and root have more:",
    )
}

/// The second role's side.
pub(super) fn trust(
    facts: &Facts<'_>,
    finding: Finding,
    caller: &str,
    role_arn: &str,
    reading: &Reading,
) -> Finding {
    let next = RoleArn::parse(role_arn).ok();
    let name = next.as_ref().map_or(Word::NONE, |next| Word::role_name(&next.name));
    let action = reading.action.as_deref().unwrap_or(crate::access_calls::ASSUME_ROLE);
    let command = facts.aws().and_then(|aws| {
        aws.run(words![
            "iam",
            "get-role",
            "--role-name",
            name,
            "--query",
            "Role.AssumeRolePolicyDocument",
            "--output",
            "json"
        ])
    });
    let account =
        next.as_ref().map_or_else(|| "See".to_owned(), |next| format!("In account {}, see", next.account));
    finding.confirm_note(command, &format!("{account} the trust policy of the next role:")).fix(format!(
        "# Let the trust policy of {} allow {action} for the principal {caller}.",
        next.as_ref().map_or(role_arn, |next| next.name.as_str())
    ))
}

/// `put-role-policy` with exactly the action and the resource, only in the right account.
pub(super) fn add(aws: Aws, role: &RoleArn, action: &str, resource: &str) -> Option<String> {
    if [action, resource].map(Word::grant_part).contains(&Word::NONE) {
        return None;
    }
    let name = format!("allow-{}", action.replace(':', "-"));
    let account = aws.run(words!["sts", "get-caller-identity", "--query", "Account", "--output", "text"]);
    let put = aws.run(words![
        "iam",
        "put-role-policy",
        "--role-name",
        Word::role_name(&role.name),
        "--policy-name",
        Word::role_name(&name),
        "--policy-document",
        Word::permission(action, resource),
    ])?;
    Some(format!(
        "test {} = {} && {put}",
        Word::output_of(account).quoted()?,
        Word::role_name(&role.account).quoted()?
    ))
}

fn resource_policy(aws: Option<Aws>, arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, region, name) = (parts.next()?, parts.next()?, parts.nth(1)?);
    let region = Word::region(region);
    let (aws, key, function) = (aws?, name.strip_prefix("key/"), name.strip_prefix("function:"));
    match (service, key, function) {
        ("s3", ..) => aws.run(words![
            "s3api",
            "get-bucket-policy",
            "--bucket",
            Word::dns(name),
            "--query",
            "Policy",
            "--output",
            "text",
        ]),
        ("kms", Some(key), _) => aws.run(words![
            "kms",
            "get-key-policy",
            "--region",
            region,
            "--key-id",
            Word::cluster(key),
            "--policy-name",
            "default",
            "--output",
            "text",
        ]),
        ("lambda", _, Some(function)) => aws.run(words![
            "lambda",
            "get-policy",
            "--region",
            region,
            "--function-name",
            Word::cluster(function),
            "--output",
            "text",
        ]),
        _ => None,
    }
}

/// Asks IAM's simulator about the role's own side.
fn simulation(facts: &Facts<'_>, stated: &Stated) -> Option<String> {
    let role = acting_arn(facts);
    facts.aws()?.run(words![
        "iam",
        "simulate-principal-policy",
        "--policy-source-arn",
        Word::role_arn(&role, false),
        "--action-names",
        Word::grant_part(&stated.action),
        "--resource-arns",
        Word::grant_part(&stated.resource),
        "--query",
        "EvaluationResults[].[EvalActionName,EvalDecision]",
        "--output",
        "text",
    ])
}

/// The command that asks IAM's simulator, and what that does not see.
pub(super) fn simulate(facts: &Facts<'_>, finding: Finding, stated: &Stated) -> Finding {
    finding.confirm_note(
        simulation(facts, stated),
        "Ask IAM’s simulator. It sees no session, no VPC endpoint and no other account’s policies, and can be wrong under service control policies:",
    )
}
