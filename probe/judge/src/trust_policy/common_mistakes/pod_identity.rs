//! Mistakes in the trust policy of a role that EKS Pod Identity should assume. Pure.
//! The statement of another mechanism, one of both actions, the association's ARN in place of the cluster's, another account.

use super::{Repair, Slip, conditions_with, one_or_list};
use crate::trust_policy::condition::{Operator, Test, Truth};
use crate::trust_policy::context::{Context, Value};
use crate::trust_policy::evaluate::Element;
use crate::trust_policy::pod_identity::{ACTIONS, PRINCIPAL};
use crate::trust_policy::policy::{Condition, Principals, Scope, Statement};
use serde_json::json;

pub(super) fn of(statement: &Statement, element: Element, context: &Context) -> Repair {
    match element {
        Element::Principal => principal(statement),
        Element::Action => action(statement),
        Element::Condition(index) => statement
            .conditions
            .get(index)
            .map(|condition| {
                let (slip, corrected) = look_at(condition, context);
                let corrected = corrected.and_then(|it| conditions_with(&statement.conditions, index, it));
                Repair { slip, corrected }
            })
            .unwrap_or_default(),
    }
}

fn principal(statement: &Statement) -> Repair {
    let Scope::Of(Principals::Named(kinds)) = &statement.principal else { return Repair::default() };
    let of_kind = |kind: &str| kinds.iter().filter(|(it, _)| it == kind).flat_map(|(_, it)| it).next();
    if of_kind("Federated").is_some() {
        return Repair::slip(
            "for-irsa",
            format!("this statement is for IRSA; EKS Pod Identity needs one for the service {PRINCIPAL}"),
        );
    }
    if of_kind("AWS").is_some() {
        return Repair::slip(
            "for-assume-role",
            "this statement lets a role in, as the target of an association needs it; EKS itself assumes the association's own role, roleArn",
        );
    }
    match of_kind("Service") {
        Some(service) if service.contains("eks") => Repair {
            slip: Some(Slip::new("service-misspelt", format!("the service is {PRINCIPAL}, not {service}"))),
            corrected: Some(json!({"Principal": {"Service": PRINCIPAL}})),
        },
        Some(service) => {
            Repair::slip("for-a-service", format!("this statement lets the service {service} in, not EKS"))
        }
        None => Repair::default(),
    }
}

fn action(statement: &Statement) -> Repair {
    let Scope::Of(patterns) = &statement.action else { return Repair::default() };
    let has = |action: &str| patterns.iter().any(|pattern| pattern.trim().eq_ignore_ascii_case(action));
    let (id, text) = match ACTIONS {
        [assume, tag] if has(assume) && !has(tag) => (
            "tag-session-missing",
            format!("the session has tags, so that {tag} is needed beside {assume}; not where the association has disableSessionTags"),
        ),
        [assume, tag] if has(tag) && !has(assume) => {
            ("assume-role-missing", format!("{assume} is needed beside {tag}"))
        }
        _ if patterns.iter().any(|pattern| pattern.to_lowercase().contains("webidentity")) => (
            "action-of-irsa",
            "sts:AssumeRoleWithWebIdentity is IRSA's call; EKS Pod Identity makes sts:AssumeRole and sts:TagSession".to_owned(),
        ),
        _ => return Repair::default(),
    };
    let missing = ACTIONS.iter().filter(|action| !has(action)).map(|&action| action.to_owned());
    let all: Vec<String> = patterns.iter().cloned().chain(missing).collect();
    Repair { slip: Some(Slip::new(id, text)), corrected: Some(json!({"Action": one_or_list(&all)})) }
}

fn look_at(condition: &Condition, context: &Context) -> (Option<Slip>, Option<Condition>) {
    let Some(operator) = Operator::parse(&condition.operator).filter(|operator| !operator.negated) else {
        return (None, None);
    };
    let key = &condition.key;
    let with = |value: String| {
        let values = condition.values.iter().cloned().chain([value]).collect();
        Condition { values, ..condition.clone() }
    };
    match context.value(key) {
        Value::Absent => {
            let text = format!("EKS presents no {key}, so that this condition never holds");
            (Some(Slip::new("never-in-this-call", text)), None)
        }
        Value::Begins(begin) => {
            let of_association =
                condition.values.iter().find(|value| value.contains(":podidentityassociation/"));
            let Some(value) = of_association else {
                let another = begin.contains(":cluster/").then(|| {
                    let text = format!("{key} has the ARN of this pod's cluster, which begins with {begin}");
                    Slip::new("another-cluster", text)
                });
                return (another, None);
            };
            // The association's ARN contains the cluster's name: podidentityassociation/CLUSTER/ID.
            let right = value.split_once(":podidentityassociation/").and_then(|(before, rest)| {
                let name = rest.split('/').next().filter(|name| !name.is_empty())?;
                Some(Condition { values: vec![format!("{before}:cluster/{name}")], ..condition.clone() })
            });
            let corrected =
                right.filter(|it| operator.holds(&it.key, &it.values, context, false) != Truth::No);
            let text = format!("{key} has the ARN of the cluster, not that of the association");
            (Some(Slip::new("source-arn-of-association", text)), corrected)
        }
        Value::Present(presented) if matches!(operator.test, Test::Equals | Test::Like) => {
            let [presented] = presented.as_slice() else { return (None, None) };
            let tag = key.to_lowercase();
            let (id, text) = match tag.strip_prefix("aws:requesttag/kubernetes-") {
                Some("namespace") => ("another-namespace", format!("the pod is in namespace `{presented}`")),
                Some("service-account") => {
                    ("another-service-account", format!("the pod runs as service account `{presented}`"))
                }
                Some(_) => {
                    ("another-pod", format!("{key} is `{presented}` for this pod, and another for each pod"))
                }
                None => return (None, None),
            };
            let corrected = (id != "another-pod").then(|| with(presented.clone()));
            (Some(Slip::new(id, text)), corrected)
        }
        Value::Present(_) | Value::Unknown(_) => (None, None),
    }
}
