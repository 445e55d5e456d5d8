//! Judges whose credentials the agent gave: the role of the association, against the one that is stated. Pure.
//! Without a statement every role is right: only the association knows it.

use super::commands::{Cluster, restart_agent};
use crate::catalog::{Class, Owner};
use crate::evidence::{Identity, StsError};
use crate::judge::facts::Facts;
use crate::judge::finding::{Basis, Finding};
use crate::judge::identity::{clock_skew, is_about_time, is_refusal, is_session_of};
use crate::judge::profile;
use crate::settings::command::{Tool, Word, words};

pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let answer = facts.evidence.agent.as_ref()?.answer.as_ref().filter(|answer| answer.issued)?;
    if profile::expects_next_hop(facts) {
        // The stated role is not the association's, and `profile` says so.
        return None;
    }
    let role = facts.role.as_ref();
    let identity = facts.evidence.identity.as_ref();
    if let Some(arn) = identity.and_then(|identity| identity.arn.as_deref()) {
        return role.filter(|role| !is_session_of(arn, role)).map(|_| mismatch(facts, arn));
    }
    // The agent names the account, whoever cannot be asked.
    let foreign = role.zip(answer.account.as_deref()).filter(|(role, account)| role.account != *account);
    if let Some((_, account)) = foreign {
        return Some(mismatch(facts, &format!("a role of account {account}")));
    }
    match identity {
        Some(identity) => Some(refused(facts, identity)),
        // Whether it is the stated role had to be seen, and was not.
        None => role.map(|_| unconfirmed(facts, "GetCallerIdentity was not asked")),
    }
}

fn mismatch(facts: &Facts<'_>, answered: &str) -> Finding {
    let finding = Finding::new(
        Class::IdentityMismatch,
        "the association of this pod's service account gives another role than the one expected",
    )
    .owner(Owner::Cluster)
    .expectation(Basis::Explicit)
    .presented(answered.to_owned())
    .required(format!("{} (--expect-role)", facts.role_text()))
    .confirm("# the agent may answer from its cache: up to 3 hours after the association was changed");
    let Some(cluster) = Cluster::of(facts) else {
        return finding
            .fix_note(restart_agent(facts), "restarts the agent on this node, whose cache is then gone");
    };
    let role = facts.requested.role_arn.as_ref().map(|role| Word::role_arn(&role.value, false));
    let update = |option: &'static str| {
        let words = words![option, role.clone()?, "--association-id", cluster.association_id(facts)];
        cluster.command("update-pod-identity-association", words)
    };
    let finding = finding.confirm_note(
        cluster.show_association(facts),
        "roleArn, which EKS assumes first, and targetRoleArn, which it assumes with it and which then answers",
    );
    // EKS takes a role of another account as the target only, and the association's own role stays what it is.
    let finding = if of_answering_account(facts, answered) {
        finding
            .fix_note(
                update("--role-arn"),
                "only where targetRoleArn above is null: overwrites the association's role, for every pod of this service account",
            )
            .fix("# where it is a role, that one answers: change it with --target-role-arn, and leave roleArn")
    } else {
        finding
            .fix("# where targetRoleArn above is a role and roleArn is the stated one: the target answers, as the association says; state the target, or take it away with --target-role-arn ''")
            .fix_note(
                update("--target-role-arn"),
                "else: overwrites the association's target, for every pod of this service account; its roleArn stays, for EKS takes no role of another account there",
            )
            .fix(TWO_ROLES)
    };
    finding
        .fix_note(restart_agent(facts), "restarts the agent on this node, whose cache is then gone")
        .find_cluster(&cluster)
}

/// Whether the stated role is of the account whose role has answered.
fn of_answering_account(facts: &Facts<'_>, answered: &str) -> bool {
    let agent = facts.evidence.agent.as_ref().and_then(|agent| agent.answer.as_ref());
    let by_agent = agent.and_then(|answer| answer.account.as_deref());
    let account = answered.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(3)).or(by_agent);
    facts.role.as_ref().zip(account).is_some_and(|(role, account)| role.account == account)
}

/// What an association with a target needs of its two roles (EKS, `CreatePodIdentityAssociation`).
pub(super) const TWO_ROLES: &str = "# with targetRoleArn: roleArn's own policy must allow sts:AssumeRole and sts:TagSession on the target, and the target's trust policy must let roleArn do both (with disableSessionTags sts:AssumeRole alone), where it names sts:ExternalId with the association's externalId";

fn refused(facts: &Facts<'_>, identity: &Identity) -> Finding {
    if let Some(failure) = &identity.failure {
        return unconfirmed(facts, &failure.detail);
    }
    match &identity.error {
        None => unconfirmed(facts, "an answer without identity"),
        Some(error) if is_about_time(error) => clock_skew(identity, error),
        Some(error) if is_refusal(error) => rejected(facts, error),
        Some(error) => unconfirmed(facts, &format!("{}: {}", error.code, error.message)),
    }
}

fn rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let host = facts.route.endpoint.as_ref().map_or("STS", |endpoint| endpoint.host.as_str());
    let finding = Finding::new(
        Class::CredentialsRejected,
        format!("the agent's credentials are refused: {}: {}", error.code, error.message),
    )
    .presented("credentials of the agent, which may have had them for 3 hours")
    .required(format!("credentials that {host} accepts"));
    finding.fix_note(
        restart_agent(facts),
        "restarts the agent on this node, whose cache is then gone: what has changed since is seen",
    )
}

/// With a stated role the question stays open: the agent's answer names none.
fn unconfirmed(facts: &Facts<'_>, why: &str) -> Finding {
    let summary = format!("the agent gave credentials; whose they are could not be asked: {why}");
    if facts.role.is_none() {
        return Finding::new(Class::IdentityUnconfirmed, summary)
            .presented("no answer to GetCallerIdentity")
            .required("an answer that names the role")
            .ruled_out("a refusal of the exchange: credentials were issued")
            .fix("# nothing to repair in the cluster; run it again, or with --no-identity");
    }
    let host = facts.route.endpoint.as_ref().map_or("sts", |endpoint| endpoint.host.as_str());
    let finding = Finding::new(Class::Inconclusive, summary)
        .expectation(Basis::Explicit)
        .transient(false)
        .presented("no answer to GetCallerIdentity")
        .required(format!("an answer that names {} (--expect-role)", facts.role_text()))
        .ruled_out("a refusal of the exchange: credentials were issued");
    if facts.evidence.environment.options.no_identity {
        let role = Word::role_arn(&facts.role_text(), facts.compatible()).after("--expect-role=");
        return finding.fix_note(
            Tool::Env.run(words!["-u", "CREDPROBE_NO_IDENTITY", "credprobe", "check", role]),
            "asks whose they are, without --no-identity",
        );
    }
    let region =
        facts.token().and_then(|token| crate::settings::partition::region_of_issuer(token.iss.as_deref()?));
    let policy = region.zip(facts.aws()).and_then(|(region, aws)| {
        let region = Word::region(region);
        let service = region.clone().after("Name=service-name,Values=com.amazonaws.").before(".sts");
        aws.run(words![
            "ec2",
            "describe-vpc-endpoints",
            "--region",
            region,
            "--filters",
            service,
            "--query",
            "VpcEndpoints[].PolicyDocument",
            "--output",
            "text",
        ])
    });
    finding
        .confirm_note(policy, "does the endpoint's policy allow sts:GetCallerIdentity?")
        .fix(format!("# let this pod call sts:GetCallerIdentity at {host} (it needs no IAM permission); or without the stated role:"))
        .fix_note(
            Some("env -u CREDPROBE_EXPECT_ROLE credprobe check"),
            "takes whatever role the association gives",
        )
}
