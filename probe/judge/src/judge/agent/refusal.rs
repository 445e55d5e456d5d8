//! Refusals with a cause in the cluster or in IAM: the token, the association, the role's trust, the node's role. Pure.
//! EKS Auth names neither role nor missing action: what it leaves open is listed, and shown by commands.

use super::answer::{presented, quoted};
use super::commands::{Cluster, role_arn, service_account, show_logs};
use super::identity::TWO_ROLES;
use crate::catalog::Class;
use crate::evidence::{AgentAnswer, ErrorSource};
use crate::judge::denying_policy::DenyingPolicy;
use crate::judge::facts::{Facts, time};
use crate::judge::finding::Finding;
use crate::settings::command::{Tool, Word, words};
use crate::trust_policy::pod_identity::matching_statement;

pub(super) fn token(facts: &Facts<'_>, answer: &AgentAnswer, about_time: bool) -> Finding {
    let who = if answer.said_by == ErrorSource::EksAuth { "EKS Auth" } else { "the agent itself" };
    let token = facts.token();
    let at = |seconds: Option<i64>| seconds.map_or_else(|| "(none)".to_owned(), time);
    let finding =
        Finding::new(Class::AgentTokenRejected, format!("{who} refuses the token: {}", quoted(answer)))
            .about_time(about_time);
    if about_time {
        let finding = finding
            .presented(format!(
                "nbf {}, exp {}; {}",
                at(token.and_then(|token| token.nbf)),
                at(token.and_then(|token| token.exp)),
                presented(answer)
            ))
            .required(format!(
                "a token that is valid by the clock of {who}; this clock says {}",
                time(answer.received_at)
            ));
        return facts.recreate(facts.events(finding.set_clock()));
    }
    let finding = finding.presented(format!("{}; {}", facts.identity_text(), presented(answer))).required(
        "a token that this cluster's API server issued for pods.eks.amazonaws.com and bound to a living pod",
    );
    let finding = match token {
        Some(token) if token.pod_uid.is_none() => {
            finding.ruled_out("a token of kubelet's: it is bound to no pod (no kubernetes.io/pod claim)")
        }
        _ => finding,
    };
    let find = Cluster::of(facts).and_then(|cluster| cluster.find);
    let finding = finding.confirm_note(
        find.map(|find| format!("{find}; echo \"$cluster\"")),
        "a cluster of this account with the token's issuer; none: the token is another cluster's",
    );
    facts.let_webhook_inject(show_logs(facts, finding))
}

pub(super) fn association_missing(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let subject = match facts.account() {
        Some(account) => format!("service account {}/{}", account.namespace, account.name),
        None => "this pod's service account".to_owned(),
    };
    let mut finding = Finding::new(
        Class::AssociationMissing,
        format!("EKS has no association for {subject}: {}", quoted(answer)),
    )
    .presented(format!("{}; {}", facts.identity_text(), presented(answer)))
    .required(format!("a Pod Identity association of {subject} with a role, in this pod's cluster"))
    .ruled_out("the token: EKS Auth takes it")
    .ruled_out("the agent's cache: it keeps no refusals");
    let Some((cluster, account)) = Cluster::of(facts).zip(service_account(facts)) else {
        return finding.fix_note(Some(RETRY), "where the association was made seconds ago");
    };
    finding = finding.confirm_command(cluster.list_associations(facts, &[])).confirm_note(
        cluster.command("list-pod-identity-associations", &account[..2]),
        "those of the namespace: another service account?",
    );
    finding = match role_arn(facts) {
        Some(role) => {
            let words = [&account[..], words!["--role-arn", Word::role_arn(role, false)]].concat();
            finding
                .fix_note(
                    cluster.command("create-pod-identity-association", &words),
                    "where the role is of the cluster's own account: for every pod of this service account",
                )
                .fix("# a role of another account goes into --target-role-arn, beside a --role-arn of the cluster's account that may assume it")
        }
        None => {
            let create = cluster.command(
                "create-pod-identity-association",
                &[&account[..], words!["--role-arn", Word::variable("role")]].concat(),
            );
            finding.fix_note(
                create.map(|create| format!("printf 'ARN of the role: '; read -r role; {create}")),
                "asks for the role, which the pod cannot know; --expect-role tells credprobe",
            )
        }
    };
    finding
        .fix_note(Some(RETRY), "a new association takes seconds to be known everywhere")
        .find_cluster(&cluster)
}

pub(super) fn role_trust(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let required = "a role that exists and whose trust policy lets pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession, under conditions that hold for this pod";
    let finding = Finding::new(
        Class::AgentAccessDenied,
        format!("EKS may not assume the associated role: {}", quoted(answer)),
    )
    .presented(format!("{}; {}", facts.identity_text(), presented(answer)))
    .required(required)
    .ruled_out("the token and the association: EKS Auth looks at both before it assumes the role")
    .ruled_out(
        "which of role, actions and conditions it is: EKS Auth does not say, and tells this pod no more",
    );
    let cluster = Cluster::of(facts);
    // Words of the pod enter no policy but as names of their kinds.
    let statement = facts.account().filter(|account| {
        Word::label(account.namespace) != Word::NONE && Word::dns(account.name) != Word::NONE
    });
    let statement = statement.map_or(Word::NONE, |account| {
        Word::literal_json(&matching_statement(account.namespace, account.name))
    });
    let hint = "# EKS Auth does not say whether role, action or condition is at fault: a policy that has both actions refuses by a condition: correct that, and add no statement. EKS presents aws:SourceArn with the cluster's ARN and not the association's, aws:SourceAccount with the cluster's account, and, unless disableSessionTags is true, the tags aws:RequestTag/kubernetes-namespace, /kubernetes-service-account, /kubernetes-pod-name, /kubernetes-pod-uid, /eks-cluster-arn and /eks-cluster-name";
    let network = "# a pod with hostNetwork has been seen to end like this too";
    let show = |role: Word| {
        let document = ["--query", "Role.AssumeRolePolicyDocument", "--output", "json"].map(Word::from);
        facts.aws()?.run(&[words!["iam", "get-role", "--role-name", role], &document].concat())
    };
    let finding = match &cluster {
        Some(cluster) => finding.confirm_note(
            cluster.show_association(facts),
            "roleArn, targetRoleArn, externalId, disableSessionTags, policy",
        ),
        None => finding,
    };
    // The service assumes the association's own role only. The stated one may be its target, which must never let it in.
    let finding = match cluster.as_ref().and_then(|cluster| associated_role(facts, cluster)) {
        Some(find) => {
            let note = "the name of roleArn, the association's own role";
            finding
                .confirm_note(Some(find.as_str()), note)
                .confirm_command(show(Word::variable("role")))
                .confirm(hint)
                .confirm(network)
                .fix(TWO_ROLES)
                .fix("# a statement of roleArn's trust policy that has both actions: correct its condition. With disableSessionTags no tag is presented, and no condition on one can hold")
                .fix_note(Some(find), note)
                .fix_commands(crate::trust_policy::statement::add_statement_to_variable(
                    facts.aws(),
                    statement,
                ))
        }
        None => finding.confirm(hint).confirm(network).fix(TWO_ROLES),
    };
    let finding = finding.fix_note(Some(RETRY), "a change of a policy takes seconds to be known everywhere");
    match &cluster {
        Some(cluster) => finding.find_cluster(cluster),
        None => finding,
    }
}

/// A policy above the roles, which EKS Auth names: neither the node's role nor the association's is at fault.
pub(super) fn denied_by(facts: &Facts<'_>, answer: &AgentAnswer, policy: DenyingPolicy) -> Finding {
    let resource = match answer.message.split_once("on resource: ") {
        Some((_, rest)) => rest.split_whitespace().next().unwrap_or_default().trim_end_matches(','),
        None => "the associated role",
    };
    policy
        .finding(facts, Class::AgentAccessDenied, &answer.message, resource)
        .presented(format!("{}; {}", facts.identity_text(), presented(answer)))
        .ruled_out(format!(
            "trust policies and the node's role: EKS Auth names the {}: {}",
            policy.name,
            quoted(answer)
        ))
}

/// Sets `role` to the name of the role that the association names.
fn associated_role(facts: &Facts<'_>, cluster: &Cluster) -> Option<String> {
    Some(format!("role=\"$({} | sed 's#.*/##')\"", cluster.associated_role_arn(facts)?))
}

const RETRY: &str = "credprobe check --grace=1m";

pub(super) fn node_role(facts: &Facts<'_>, answer: &AgentAnswer) -> Finding {
    let role = caller(&answer.message);
    let who = role
        .as_ref()
        .map_or_else(|| "the node's role".to_owned(), |(_, name)| format!("the node's role {name}"));
    let finding = Finding::new(
        Class::AgentAccessDenied,
        format!("{who} may not ask EKS Auth: {}", quoted(answer)),
    )
    .presented(format!("{who}, as the agent signs; {}", presented(answer)))
    .required(format!("{who} with eks-auth:AssumeRoleForPodIdentity (in AmazonEKSWorkerNodePolicy and AmazonEKSWorkerNodeMinimalPolicy)"))
    .ruled_out("the pod, its token and its role: EKS Auth had not looked at them yet");
    let Some((partition, name)) = role else {
        let node = facts.node().and_then(|node| {
            Tool::Kubectl.run(words!["get", "node", Word::dns(node), "-o", "jsonpath={.spec.providerID}"])
        });
        return finding
            .confirm_command(node)
            .fix(
                "# attach AmazonEKSWorkerNodeMinimalPolicy to the role of the node's instance profile; then:",
            )
            .fix(RETRY);
    };
    let (partition, name) = (Word::partition(partition), Word::role_name(name));
    let policy = partition.after("arn:").before(":iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy");
    let run = |words: &[Word]| facts.aws()?.run(words);
    let attach = words!["iam", "attach-role-policy", "--role-name", &name, "--policy-arn", policy];
    finding
        .confirm_command(run(words!["iam", "list-attached-role-policies", "--role-name", &name]))
        .fix_note(run(attach), "adds a policy to the role of all nodes of this group")
        .fix_note(Some(RETRY), "a change of a policy takes seconds to be known everywhere")
}

/// Partition and role in `User: arn:aws:sts::ACCOUNT:assumed-role/ROLE/INSTANCE is not authorized …`.
fn caller(message: &str) -> Option<(&str, &str)> {
    let (before, rest) = message.split_once(":assumed-role/")?;
    let partition = before.rsplit_once("arn:")?.1.split(':').next()?;
    let name = rest.split('/').next()?;
    (partition.starts_with("aws") && !name.is_empty()).then_some((partition, name))
}

#[cfg(test)]
mod tests {
    use super::caller;

    #[test]
    fn the_nodes_role_is_read_out_of_iams_sentence() {
        let text = "User: arn:aws-cn:sts::814203749616:assumed-role/prod-node/i-0123 is not authorized to perform: eks-auth:AssumeRoleForPodIdentity";
        assert_eq!(caller(text), Some(("aws-cn", "prod-node")));
        assert_eq!(caller("User is not authorized to perform: eks-auth:AssumeRoleForPodIdentity"), None);
    }
}
