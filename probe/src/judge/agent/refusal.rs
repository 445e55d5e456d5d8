//! Refusals with a cause in the cluster or in IAM: the token, the association, the role's trust, the node's role. Pure.
//! EKS Auth names neither role nor missing action: what it leaves open is listed, and shown by commands.

use super::answer::{presented, quoted};
use super::commands::{AGENT_LOGS, Cluster, role_arn};
use crate::arn::RoleArn;
use crate::class::Class;
use crate::evidence::{AgentAnswer, SaidBy};
use crate::finding::Finding;
use crate::judge::case::{Case, time};
use crate::judge::{shell, trust_policy};

pub(super) fn token(case: &Case<'_>, answer: &AgentAnswer, about_time: bool) -> Finding {
    let who = if answer.said_by == SaidBy::EksAuth { "EKS Auth" } else { "the agent itself" };
    let token = case.token();
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
            .required(format!("a token that is valid by the clock of {who}; this clock says {}", time(answer.received_at)))
            .confirm("chronyc tracking  # on the node")
            .fix("chronyc makestep  # on the node, as root, where its clock is wrong; EC2's time source is 169.254.169.123");
        return case.recreate(case.events(finding));
    }
    let finding = finding.presented(format!("{}; {}", case.identity_text(), presented(answer))).required(
        "a token that this cluster's API server issued for pods.eks.amazonaws.com and bound to a living pod",
    );
    let finding = match token {
        Some(token) if token.pod_uid.is_none() => {
            finding.ruled_out("a token of kubelet's: it is bound to no pod (no kubernetes.io/pod claim)")
        }
        _ => finding,
    };
    let finding = match Cluster::of(case) {
        Some(cluster) => {
            let mut finding = finding;
            finding.confirm.extend(cluster.find.iter().map(|find| {
                format!("{find}; echo \"$cluster\"  # a cluster of this account with the token's issuer; none: the token is another cluster's")
            }));
            finding
        }
        None => finding,
    };
    case.let_webhook_inject(finding.confirm(AGENT_LOGS))
}

pub(super) fn association_missing(case: &Case<'_>, answer: &AgentAnswer) -> Finding {
    let subject = match case.account() {
        Some(account) => format!("service account {}/{}", account.namespace, account.name),
        None => "this pod's service account".to_owned(),
    };
    let mut finding = Finding::new(
        Class::AssociationMissing,
        format!("EKS has no association for {subject}: {}", quoted(answer)),
    )
    .presented(format!("{}; {}", case.identity_text(), presented(answer)))
    .required(format!("a Pod Identity association of {subject} with a role, in this pod's cluster"))
    .ruled_out("the token: EKS Auth takes it")
    .ruled_out("the agent's cache: it keeps no refusals");
    let Some((cluster, account)) = Cluster::of(case).zip(case.account()) else {
        return finding.fix("credprobe check --grace=1m  # where the association was made seconds ago");
    };
    finding.confirm.extend(cluster.list_associations(case, &[]));
    finding = finding.confirm_note(
        cluster.command("list-pod-identity-associations", &["--namespace", account.namespace]),
        "those of the namespace: another service account?",
    );
    let words = ["--namespace", account.namespace, "--service-account", account.name];
    finding = match role_arn(case) {
        Some(role) => {
            let words = [&words[..], &["--role-arn", role]].concat();
            finding.fix_note(
                cluster.command("create-pod-identity-association", &words),
                "for every pod of this service account",
            )
        }
        None => {
            let create = cluster.command("create-pod-identity-association", &words);
            finding.fix_note(
                create.map(|create| {
                    format!("printf 'ARN of the role: '; read -r role; {create} --role-arn \"$role\"")
                }),
                "asks for the role, which the pod cannot know; --expect-role tells credprobe",
            )
        }
    };
    finding
        .fix("credprobe check --grace=1m  # a new association takes seconds to be known everywhere")
        .find_cluster(&cluster)
}

pub(super) fn role_trust(case: &Case<'_>, answer: &AgentAnswer) -> Finding {
    let required = "a role that exists and whose trust policy lets pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession, under conditions that hold for this pod";
    let finding = Finding::new(
        Class::AgentAccessDenied,
        format!("EKS may not assume the associated role: {}", quoted(answer)),
    )
    .presented(format!("{}; {}", case.identity_text(), presented(answer)))
    .required(required)
    .ruled_out("the token and the association: EKS Auth looks at both before it assumes the role")
    .ruled_out(
        "which of role, actions and conditions it is: EKS Auth does not say, and tells this pod no more",
    );
    let stated = role_arn(case).and_then(|role| RoleArn::parse(role).ok());
    let cluster = Cluster::of(case);
    let statement = serde_json::json!({
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    })
    .to_string();
    let hint = "# EKS Auth does not say whether role, action or condition is at fault: a policy that has both actions refuses by a condition (aws:SourceArn, aws:SourceAccount, aws:RequestTag): correct that instead";
    let network = "# a pod with hostNetwork has been seen to end like this too";
    let mut finding = finding;
    if let Some(cluster) = &cluster {
        finding.confirm.extend(cluster.list_associations(case, &[]));
    }
    match (stated, &cluster) {
        (Some(role), _) => {
            finding = finding
                .confirm_command(&[
                    "aws",
                    "iam",
                    "get-role",
                    "--role-name",
                    &role.name,
                    "--query",
                    "Role.AssumeRolePolicyDocument",
                    "--output",
                    "json",
                ])
                .confirm(hint)
                .confirm(network);
            finding.fix.extend(trust_policy::add_statement(&role.name, &statement));
        }
        (None, Some(cluster)) => {
            let find = associated_role(case, cluster);
            let note = "the associated role's name";
            finding.confirm.extend(find.iter().map(|find| format!("{find}  # {note}")));
            finding = finding
                .confirm("aws iam get-role --role-name \"$role\" --query Role.AssumeRolePolicyDocument --output json")
                .confirm(hint)
                .confirm(network);
            if let Some(find) = find {
                finding.fix.push(format!("{find}  # {note}"));
                finding.fix.extend(trust_policy::add_statement_to_variable(&statement));
            }
        }
        (None, None) => finding = finding.confirm(hint).confirm(network),
    }
    let finding = finding
        .fix("credprobe check --grace=1m  # a change of a policy takes seconds to be known everywhere");
    match &cluster {
        Some(cluster) => finding.find_cluster(cluster),
        None => finding,
    }
}

/// Sets `role` to the name of the role that the association names.
fn associated_role(case: &Case<'_>, cluster: &Cluster<'_>) -> Option<String> {
    let words = ["--query", "association.roleArn", "--output", "text"];
    let describe = cluster.command("describe-pod-identity-association", &words)?;
    let id = cluster.association_id(case)?;
    Some(format!("role=\"$({describe} --association-id \"$({id})\" | sed 's#.*/##')\""))
}

pub(super) fn node_role(case: &Case<'_>, answer: &AgentAnswer) -> Finding {
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
        let finding = match case.node() {
            Some(node) => finding.confirm_command(&[
                "kubectl",
                "get",
                "node",
                node,
                "-o",
                "jsonpath={.spec.providerID}",
            ]),
            None => finding,
        };
        return finding
            .fix(
                "# attach AmazonEKSWorkerNodeMinimalPolicy to the role of the node's instance profile; then:",
            )
            .fix("credprobe check --grace=1m");
    };
    let policy = format!("arn:{partition}:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy");
    finding
        .confirm_command(&["aws", "iam", "list-attached-role-policies", "--role-name", name])
        .fix_note(
            shell::command(&[
                "aws",
                "iam",
                "attach-role-policy",
                "--role-name",
                name,
                "--policy-arn",
                &policy,
            ]),
            "adds a policy to the role of all nodes of this group",
        )
        .fix("credprobe check --grace=1m  # a change of a policy takes seconds to be known everywhere")
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
