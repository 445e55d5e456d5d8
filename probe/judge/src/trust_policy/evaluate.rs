//! Evaluates a trust policy for one request: what each statement says, and the first element that refuses. Pure.
//! Source: IAM user guide, "Policy evaluation logic": a matching Deny wins, then one Allow is enough.

use super::condition::{Operator, Truth};
use super::context::{Context, Value};
use super::pattern::Pattern;
use super::pod_identity;
use super::policy::{Effect, Policy, Principals, Scope, Statement};

/// The judged call if the pod presents its token itself.
pub(crate) const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// The result of the whole policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A statement admits the token.
    Allows,
    /// No statement admits it, or one denies it.
    Refuses,
    /// The result depends on something that cannot be seen here.
    Unknown,
}

/// The policy's verdict with the outcomes of its statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The result of all statements.
    pub verdict: Verdict,
    pub(crate) outcomes: Vec<Outcome>,
    /// The action that the outcomes are about. Of several actions it is the refused one.
    pub(crate) action: &'static str,
}

/// Whether a statement applies to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Matches,
    /// The first element that does not match, and the later ones that do not.
    Not {
        first: Element,
        then: Vec<Element>,
    },
    /// Everything that can be decided matches. This is the first element that cannot.
    Unknown(Element),
}

/// An element of a statement, in the order of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Principal,
    Action,
    /// Counted from 0.
    Condition(usize),
}

/// Evaluates a policy for one request. Each of its actions must be allowed, by any statement.
#[must_use]
pub fn evaluate(policy: &Policy, context: &Context) -> Evaluation {
    let mut all = context.actions().iter().map(|action| of_action(policy, context, action));
    let Some(mut decisive) = all.next() else { return of_action(policy, context, ACTION) };
    for evaluation in all {
        match (decisive.verdict, evaluation.verdict) {
            (Verdict::Allows, Verdict::Allows) => {
                let pairs = decisive.outcomes.iter_mut().zip(evaluation.outcomes);
                pairs.filter(|(_, other)| *other == Outcome::Matches).for_each(|(one, other)| *one = other);
            }
            (Verdict::Allows, _) | (Verdict::Unknown, Verdict::Refuses) => decisive = evaluation,
            _ => {}
        }
    }
    decisive
}

fn of_action(policy: &Policy, context: &Context, action: &'static str) -> Evaluation {
    let outcomes: Vec<Outcome> = policy
        .statements
        .iter()
        .map(|statement| outcome(statement, context, policy.variables, action))
        .collect();
    let applies = |effect: Effect| {
        let of_effect = policy.statements.iter().zip(&outcomes).filter(|(it, _)| it.effect == effect);
        Truth::any(of_effect.map(|(_, outcome)| match outcome {
            Outcome::Matches => Truth::Yes,
            Outcome::Not { .. } => Truth::No,
            Outcome::Unknown(_) => Truth::Unknown,
        }))
    };
    let verdict = match (applies(Effect::Deny), applies(Effect::Allow)) {
        (Truth::Yes, _) | (_, Truth::No) => Verdict::Refuses,
        (Truth::No, Truth::Yes) => Verdict::Allows,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Verdict::Unknown,
    };
    Evaluation { verdict, outcomes, action }
}

fn outcome(statement: &Statement, context: &Context, variables: bool, action: &str) -> Outcome {
    let conditions = (0..statement.conditions.len()).map(Element::Condition);
    let elements: Vec<(Element, Truth)> = [Element::Principal, Element::Action]
        .into_iter()
        .chain(conditions)
        .map(|element| (element, element.matches(statement, context, variables, action)))
        .collect();
    let all = |truth| elements.iter().filter(move |(_, it)| *it == truth).map(|(element, _)| *element);
    let mut refusing = all(Truth::No);
    match (refusing.next(), all(Truth::Unknown).next()) {
        (Some(first), _) => Outcome::Not { first, then: refusing.collect() },
        (None, Some(unknown)) => Outcome::Unknown(unknown),
        (None, None) => Outcome::Matches,
    }
}

impl Element {
    fn matches(self, statement: &Statement, context: &Context, variables: bool, action: &str) -> Truth {
        match self {
            Self::Principal => match &statement.principal {
                Scope::Of(principals) => includes(principals, context),
                Scope::Except(principals) => includes(principals, context).not(),
            },
            Self::Action => Truth::from(match &statement.action {
                Scope::Of(patterns) => names(patterns, action),
                Scope::Except(patterns) => !names(patterns, action),
            }),
            Self::Condition(index) => match statement.conditions.get(index) {
                Some(condition) => match Operator::parse(&condition.operator) {
                    Some(operator) => operator.holds(&condition.key, &condition.values, context, variables),
                    None => Truth::Unknown,
                },
                None => Truth::Yes,
            },
        }
    }

    /// The element as a person would name it: `Principal`, `Condition StringEquals oidc…:sub`.
    pub(crate) fn name(self, statement: &Statement) -> String {
        match (self, &statement.principal, &statement.action) {
            (Self::Principal, Scope::Of(_), _) => "Principal".to_owned(),
            (Self::Principal, Scope::Except(_), _) => "NotPrincipal".to_owned(),
            (Self::Action, _, Scope::Of(_)) => "Action".to_owned(),
            (Self::Action, _, Scope::Except(_)) => "NotAction".to_owned(),
            (Self::Condition(index), ..) => statement
                .conditions
                .get(index)
                .map(|condition| format!("Condition {} {}", condition.operator, condition.key))
                .unwrap_or_default(),
        }
    }

    /// The request's value for it.
    pub(crate) fn presented(self, statement: &Statement, context: &Context, action: &str) -> String {
        match self {
            Self::Principal if context.by_eks.is_some() => format!("Service {}", pod_identity::PRINCIPAL),
            Self::Principal => context.provider_arn().map_or_else(
                || format!("the provider of {} in the role's account, which is not known", context.issuer),
                |arn| format!("Federated {arn}"),
            ),
            Self::Action => action.to_owned(),
            Self::Condition(index) => {
                let key = statement.conditions.get(index).map(|condition| condition.key.as_str());
                match key.map(|key| context.value(key)) {
                    Some(Value::Present(values)) => values.join(" and "),
                    Some(Value::Begins(begin)) => format!("{begin}…, whose end the pod does not know"),
                    Some(Value::Absent) | None => "nothing: this request has no such key".to_owned(),
                    Some(Value::Unknown(why)) => format!("not known: {why}"),
                }
            }
        }
    }

    /// The statement's value for it.
    pub(crate) fn required(self, statement: &Statement) -> String {
        match self {
            Self::Principal => match &statement.principal {
                Scope::Of(principals) => principals.text(),
                Scope::Except(principals) => format!("none of {}", principals.text()),
            },
            Self::Action => match &statement.action {
                Scope::Of(patterns) => list(patterns, " or "),
                Scope::Except(patterns) => format!("none of {}", list(patterns, ", ")),
            },
            Self::Condition(index) => statement.conditions.get(index).map_or_else(String::new, |condition| {
                if Operator::parse(&condition.operator).is_none() {
                    return format!(
                        "{}, which is not an operator that this version knows",
                        condition.operator
                    );
                }
                format!("{} {}", condition.operator, list(&condition.values, " or "))
            }),
        }
    }
}

impl Principals {
    fn text(&self) -> String {
        match self {
            Self::Anyone => "*".to_owned(),
            Self::Named(kinds) => {
                let kinds: Vec<String> =
                    kinds.iter().map(|(kind, values)| format!("{kind} {}", list(values, " or "))).collect();
                list(&kinds, ", or ")
            }
        }
    }
}

fn list(values: &[String], between: &str) -> String {
    if values.is_empty() { "nothing at all".to_owned() } else { values.join(between) }
}

/// `{"AWS": "*"}` is the long form of `"*"`. No other AWS or service principal is a web identity. EKS is one service.
fn includes(principals: &Principals, context: &Context) -> Truth {
    let kinds = match principals {
        Principals::Anyone => return Truth::Yes,
        Principals::Named(kinds) => kinds,
    };
    let values = kinds.iter().flat_map(|(kind, values)| values.iter().map(move |value| (kind, value)));
    Truth::any(values.map(|(kind, value)| match (kind.as_str(), value.as_str()) {
        ("AWS", "*") => Truth::Yes,
        ("Service", service) if context.by_eks.is_some() => Truth::from(service == pod_identity::PRINCIPAL),
        _ if context.by_eks.is_some() => Truth::No,
        // It is not documented whether this means every provider.
        ("Federated", "*") => Truth::Unknown,
        ("Federated", arn) => match context.provider_arn() {
            Some(provider) => Truth::from(arn == provider),
            None if provider_of(arn).is_some_and(|(.., issuer)| issuer == context.issuer) => Truth::Unknown,
            None => Truth::No,
        },
        _ => Truth::No,
    }))
}

/// Partition, account and issuer of `arn:PARTITION:iam::ACCOUNT:oidc-provider/ISSUER`.
pub(crate) fn provider_of(arn: &str) -> Option<(&str, &str, &str)> {
    let (partition, rest) = arn.strip_prefix("arn:")?.split_once(":iam::")?;
    let (account, issuer) = rest.split_once(":oidc-provider/")?;
    Some((partition, account, issuer))
}

/// Whether a pattern names the action. Actions have wildcards and no case.
fn names(patterns: &[String], action: &str) -> bool {
    patterns.iter().any(|pattern| Pattern::glob(pattern).matches_ignoring_case(action))
}
