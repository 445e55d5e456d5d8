//! Common mistakes: what a refusing element was probably meant to be, and its corrected form. Pure.
//! They are guesses about a certain refusal and never decide one. All are from public threads (sources.md, “Mistakes in trust policies”).

mod condition;
mod issuer;
mod pod_identity;

use super::context::Context;
use super::evaluate::{ACTION, Element, provider_of};
use super::policy::{Condition, Principals, Scope, Statement};
use serde_json::{Map, Value, json};

/// A mistake that others have made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slip {
    /// The id for machines, in kebab-case.
    pub(crate) id: &'static str,
    pub(crate) text: String,
}

impl Slip {
    fn new(id: &'static str, text: impl Into<String>) -> Self {
        Self { id, text: text.into() }
    }
}

/// What to do about a refusing element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Repair {
    pub(crate) slip: Option<Slip>,
    /// The element in a form that would admit the token. `None`: a separate statement is better.
    pub(crate) corrected: Option<Value>,
}

impl Repair {
    fn slip(id: &'static str, text: impl Into<String>) -> Self {
        Self { slip: Some(Slip::new(id, text)), corrected: None }
    }
}

/// Examines the refusing element of an Allow statement.
pub(crate) fn of(statement: &Statement, element: Element, context: &Context, variables: bool) -> Repair {
    if context.by_eks.is_some() {
        return pod_identity::of(statement, element, context);
    }
    match element {
        Element::Principal => match &statement.principal {
            Scope::Of(Principals::Named(kinds)) => principal(kinds, context),
            _ => Repair::default(),
        },
        Element::Action => match &statement.action {
            Scope::Of(patterns) => action(patterns),
            Scope::Except(_) => Repair::default(),
        },
        Element::Condition(index) => match statement.conditions.get(index) {
            Some(it) => {
                let found = condition::look_at(it, context, variables);
                let corrected =
                    found.corrected.and_then(|it| conditions_with(&statement.conditions, index, it));
                Repair { slip: found.slip, corrected }
            }
            None => Repair::default(),
        },
    }
}

/// A single value alone, several values as a list, which is how people write them.
fn one_or_list(values: &[String]) -> Value {
    match values {
        [one] => json!(one),
        several => json!(several),
    }
}

/// The whole element, because a reader who pastes a part in its place would lose the rest.
///
/// `None`: the same operator already has the corrected key.
fn conditions_with(conditions: &[Condition], index: usize, corrected: Condition) -> Option<Value> {
    let mut blocks: Map<String, Value> = Map::new();
    for (at, condition) in conditions.iter().enumerate() {
        let condition = if at == index { &corrected } else { condition };
        let block = blocks.entry(condition.operator.clone()).or_insert_with(|| json!({}));
        let before = block.as_object_mut()?.insert(condition.key.clone(), one_or_list(&condition.values));
        if before.is_some() {
            return None;
        }
    }
    Some(json!({"Condition": blocks}))
}

fn principal(kinds: &[(String, Vec<String>)], context: &Context) -> Repair {
    let of_kind = |kind: &str| {
        let values = kinds.iter().filter(|(it, _)| it == kind).flat_map(|(_, values)| values);
        values.cloned().collect::<Vec<String>>()
    };
    let federated = of_kind("Federated");
    let repairs = federated.iter().map(|value| (value, provider(value, context)));
    // Of several providers, take the one that was nearly right.
    if let Some((wrong, (slip, is_misspelt))) = repairs.min_by_key(|(_, (_, is_misspelt))| !is_misspelt) {
        let right = context.provider_arn().filter(|_| is_misspelt);
        let corrected = right.map(|right| {
            let mut corrected = Map::new();
            for (kind, values) in kinds {
                let values: Vec<String> = values
                    .iter()
                    .map(|value| if value == wrong { right.clone() } else { value.clone() })
                    .collect();
                corrected.insert(kind.clone(), one_or_list(&values));
            }
            json!({"Principal": Value::Object(corrected)})
        });
        return Repair { slip, corrected };
    }
    let services = of_kind("Service");
    if services.iter().any(|service| service == "pods.eks.amazonaws.com") {
        return Repair::slip(
            "for-pod-identity",
            "this statement is for EKS Pod Identity; a pod with a web identity token needs one with the OIDC provider",
        );
    }
    match (services.first(), of_kind("AWS").first()) {
        (Some(service), _) => Repair::slip(
            "for-a-service",
            format!("this statement lets the service {service} in, not a web identity"),
        ),
        (None, Some(_)) => Repair::slip(
            "for-assume-role",
            "this statement is for sts:AssumeRole by an AWS principal; a web identity token is none",
        ),
        (None, None) => Repair::default(),
    }
}

/// The mistake in one `Federated` value, and whether the right provider was meant.
fn provider(value: &str, context: &Context) -> (Option<Slip>, bool) {
    let trimmed = value.trim();
    if context.provider_arn().is_some_and(|arn| arn == trimmed) {
        return (Some(Slip::new("white-space", "white space stands around the provider's ARN")), true);
    }
    let Some((partition, account, written)) = provider_of(trimmed) else {
        if trimmed.starts_with("arn:") {
            return (None, false);
        }
        let text = "Federated takes the provider's ARN, not its URL or host";
        let is_meant = issuer::is_meant(trimmed, &context.issuer);
        return (is_meant.then(|| Slip::new("federated-is-no-arn", text)), is_meant);
    };
    if written != context.issuer {
        let (slip, is_misspelt) = issuer::slip(written, &context.issuer);
        return (Some(slip), is_misspelt);
    }
    let Some(role) = &context.role else { return (None, false) };
    let slip = if account == role.account {
        let text = format!(
            "the provider's partition is {partition}, the role's is {}: an ARN in {} begins with arn:{}:",
            role.partition, role.partition, role.partition
        );
        Slip::new("provider-partition", text)
    } else {
        let text = format!(
            "the provider is looked up in the role's account {}, whatever account the cluster is in; here stands {account}",
            role.account
        );
        Slip::new("provider-account", text)
    };
    (Some(slip), true)
}

fn action(patterns: &[String]) -> Repair {
    let slip_in = |pattern: &String| {
        let lower = pattern.trim().to_lowercase();
        Some(match lower.as_str() {
            "sts:assumerole" => Slip::new(
                "action-assume-role",
                format!("sts:AssumeRole is another call; the one for tokens is {ACTION}"),
            ),
            "sts:assumerolewithsaml" => Slip::new(
                "action-saml",
                format!("sts:AssumeRoleWithSAML takes assertions, not tokens; {ACTION} does"),
            ),
            "assumerolewithwebidentity" => {
                Slip::new("action-without-service", format!("an action begins with its service: {ACTION}"))
            }
            _ if lower == ACTION.to_lowercase() => {
                Slip::new("white-space", "white space stands around the action")
            }
            _ if lower.starts_with("sts:assumerolewith") || lower.contains("webidentity") => {
                Slip::new("action-misspelt", format!("the action is {ACTION}"))
            }
            _ => return None,
        })
    };
    let Some((wrong, slip)) = patterns.iter().find_map(|it| Some((it, slip_in(it)?))) else {
        return Repair::default();
    };
    let right: Vec<String> =
        patterns.iter().map(|it| if it == wrong { ACTION.to_owned() } else { it.clone() }).collect();
    Repair { slip: Some(slip), corrected: Some(json!({"Action": one_or_list(&right)})) }
}
