//! Refusals with a cause in the cluster or in IAM: the token, the association, the role's trust, the node's role. Pure.
//! EKS Auth names neither role nor missing action: what it leaves open is listed, and shown by commands.

use super::answer::{presented, quoted, says};
use super::commands::{role_arn, values};
use crate::catalog::texts::{agent as texts, common, token as texts_of_token};
use crate::catalog::{Class, Owner};
use crate::evidence::{AgentAnswer, ErrorSource};
use crate::judge::denying_policy::DenyingPolicy;
use crate::judge::facts::{Facts, time};
use crate::judge::finding::Finding;
use crate::settings::command::Word;
use crate::steps::slot;

pub(super) fn token(facts: &Facts<'_>, answer: &AgentAnswer, about_time: bool) -> Finding {
    let who = if answer.said_by == ErrorSource::EksAuth { "EKS Auth" } else { "the agent itself" };
    let token = facts.token();
    let at = |seconds: Option<i64>| seconds.map_or_else(|| "none".to_owned(), time);
    let finding =
        Finding::new(Class::AgentTokenRejected, format!("{who} refuses the token")).about_time(about_time);
    if about_time {
        let times = format!(
            "nbf {}, exp {}",
            at(token.and_then(|token| token.nbf)),
            at(token.and_then(|token| token.exp))
        );
        return finding
            .presented(format!("{times}; {}", presented(answer)))
            .required(format!(
                "a token that is valid by the clock of {who}; this clock says {}",
                time(answer.received_at)
            ))
            .why(format!(
                "{}. It expires {}, and this clock says {}.",
                says(answer),
                at(token.and_then(|token| token.exp)),
                time(answer.received_at)
            ))
            .steps(
                &values(facts),
                &[&common::SEE_EVENTS, &texts_of_token::SEE_CLOCK, &common::SET_CLOCK, &common::RESTART],
            );
    }
    let unbound = token.is_some_and(|token| token.pod_uid.is_none());
    let finding = finding.presented(format!("{}; {}", facts.identity_text(), presented(answer))).required(
        "a token that this cluster's API server issued for pods.eks.amazonaws.com and bound to a living pod",
    );
    let finding = if unbound {
        finding.ruled_out("a token of kubelet's: it is bound to no pod (no kubernetes.io/pod claim)")
    } else {
        finding
    };
    let bound = if unbound { " This token is bound to no pod, so the kubelet did not get it." } else { "" };
    finding
        .why(format!(
            "{}. It needs a token that this cluster issued for pods.eks.amazonaws.com and bound to a living pod.{bound}",
            says(answer)
        ))
        .webhook(facts, values(facts), &[&common::SEE_VARIABLES])
}

pub(super) fn association_missing(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let subject = match facts.account() {
        Some(account) => format!("service account {}/{}", account.namespace, account.name),
        None => "this pod's service account".to_owned(),
    };
    let role = role_arn(facts);
    let values = match role {
        Some(role) => values(facts).with(slot::ROLE_ARN, role, Word::role_arn(role, false)),
        None => values(facts),
    };
    let create = if role.is_some() { &texts::CREATE_ASSOCIATION } else { &texts::CREATE_ASSOCIATION_UNKNOWN };
    Finding::new(Class::AssociationMissing, format!("EKS has no association for {subject}"))
        .presented(format!("{}; {}", facts.identity_text(), presented(answer)))
        .required(format!("a Pod Identity association of {subject} with a role, in this pod's cluster"))
        .ruled_out("the token: EKS Auth takes it")
        .ruled_out("the agent's cache: it keeps no refusals")
        .why(format!("{}. EKS Auth accepts the token.", says(answer)))
        .cluster_steps(
            facts,
            &values,
            &[&texts::SEE_ASSOCIATIONS, &texts::TOO_FRESH, &texts::OTHER_ACCOUNT, create],
        )
}

pub(super) fn role_trust(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let required = "a role that exists and whose trust policy lets pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession, under conditions that hold for this pod";
    Finding::new(
        Class::AgentAccessDenied,
        facts.values().say("EKS cannot assume the role that is associated with {sa}"),
    )
    .presented(format!("{}; {}", facts.identity_text(), presented(answer)))
    .required(required)
    .ruled_out("the token and the association: EKS Auth looks at both before it assumes the role")
    .why(format!(
        "{}. The role may be gone, or its trust policy or that of its target refuses.",
        says(answer)
    ))
    .cluster_steps(
        facts,
        &values(facts),
        &[
            &texts::SEE_ASSOCIATED_ROLE,
            &texts::ROLE_IS_GONE,
            &texts::ADMIT_SERVICE,
            &texts::CONDITION_FAILS,
            &texts::TWO_ROLES,
        ],
    )
}

/// A policy above the roles, which EKS Auth names: neither the node's role nor the association's is at fault.
pub(super) fn denied_by(facts: &Facts<'_>, answer: &AgentAnswer, policy: DenyingPolicy) -> Finding {
    let resource = match answer.message.split_once("on resource: ") {
        Some((_, rest)) => rest.split_whitespace().next().unwrap_or_default().trim_end_matches(','),
        None => "the associated role",
    };
    let finding = policy
        .finding(facts, Class::AgentAccessDenied, &answer.message, resource)
        .presented(format!("{}; {}", facts.identity_text(), presented(answer)))
        .ruled_out(format!(
            "trust policies and the node's role: EKS Auth names the {}: {}",
            policy.name,
            quoted(answer)
        ));
    // The association tells whose boundary or which session policy it is.
    match policy.owner {
        Owner::Iam => finding.cluster_steps(facts, &values(facts), &[&texts::SEE_ASSOCIATION]),
        _ => finding,
    }
}

pub(super) fn node_role(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let role = caller(&answer.message);
    let who = role
        .as_ref()
        .map_or_else(|| "the node’s role".to_owned(), |(_, _, name)| format!("the node’s role {name}"));
    let finding = Finding::new(Class::AgentAccessDenied, format!("{who} may not ask EKS Auth"))
        .presented(format!("{who}, as the agent signs; {}", presented(answer)))
        .required(format!("{who} with eks-auth:AssumeRoleForPodIdentity (in AmazonEKSWorkerNodePolicy and AmazonEKSWorkerNodeMinimalPolicy)"))
        .ruled_out("the pod, its token and its role: EKS Auth had not looked at them yet")
        .why(format!(
            "{}. The agent signs with the node’s role. EKS Auth had not looked at the pod’s token and role yet.",
            says(answer)
        ));
    match role {
        Some((partition, account, name)) => {
            let values = values(facts)
                .with(slot::NODE_ROLE, format!("role {name}"), Word::role_name(name))
                .with(slot::PARTITION, partition, Word::partition(partition))
                .with(slot::ACCOUNT, format!("account {account}"), Word::account(account));
            finding
                .acts(format!("whoever administers IAM in account {account}"))
                .steps(&values, &[&texts::SEE_NODE_POLICIES, &texts::ATTACH_NODE_POLICY])
        }
        None => {
            finding.steps(&values(facts), &[&texts::SEE_PROVIDER_ID, &texts::ATTACH_NODE_POLICY_IN_WORDS])
        }
    }
}

/// Partition, account and role in `User: arn:aws:sts::ACCOUNT:assumed-role/ROLE/INSTANCE is not authorized …`.
fn caller(message: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = message.split_once(":assumed-role/")?;
    let mut parts = before.rsplit_once("arn:")?.1.split(':');
    let (partition, account) = (parts.next()?, parts.nth(2)?);
    let name = rest.split('/').next()?;
    (partition.starts_with("aws") && !name.is_empty()).then_some((partition, account, name))
}

#[cfg(test)]
mod tests {
    use super::caller;

    #[test]
    fn the_nodes_role_is_read_out_of_iams_sentence() {
        let text = "User: arn:aws-cn:sts::814203749616:assumed-role/prod-node/i-0123 is not authorized to perform: eks-auth:AssumeRoleForPodIdentity";
        assert_eq!(caller(text), Some(("aws-cn", "814203749616", "prod-node")));
        assert_eq!(caller("User is not authorized to perform: eks-auth:AssumeRoleForPodIdentity"), None);
    }
}
