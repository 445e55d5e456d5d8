//! What a user at a laptop asks about trust policies: where the nearest statement refuses, whom a policy admits
//! beyond one service account, and whether EKS may assume the role for Pod Identity. Pure.

use super::common_mistakes;
use super::condition::{Operator, Test, Truth};
use super::context::Context;
use super::evaluate::{self, ACTION, Element, Outcome, Verdict, provider_of};
use super::pattern::Pattern;
use super::policy::{Condition, Effect, Policy, Principals, Scope, Statement};
use std::collections::BTreeMap;

/// Why a policy does not admit a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Counted from 1. 0: no statement allows this kind of request.
    pub statement: usize,
    /// The statement's `Sid`.
    pub sid: Option<String>,
    /// The statement is a matching `Deny`.
    pub denies: bool,
    /// `Principal`, `Action`, `Condition StringEquals …:sub`.
    pub element: String,
    /// The request's value for it.
    pub presented: String,
    /// The statement's value for it.
    pub required: String,
    /// What it was probably meant to be.
    pub mistake: Option<String>,
}

impl Refusal {
    /// `statement 2, Condition StringEquals …:sub`.
    #[must_use]
    pub fn place(&self) -> String {
        let sid = self.sid.as_ref().map(|sid| format!(" {sid}")).unwrap_or_default();
        match self.statement {
            0 => "no statement".to_owned(),
            number if self.denies => format!("statement {number}{sid}, a Deny"),
            number => format!("statement {number}{sid}, {}", self.element),
        }
    }
}

/// The answer of a policy to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A statement admits it.
    Allows,
    /// No statement admits it, or one denies it.
    Refuses(Refusal),
    /// The result depends on this element, which cannot be decided here.
    Unknown(String),
}

/// Whether the policy admits the web identity of `context`. A refusal names the statement that gets furthest.
#[must_use]
pub fn web_identity(policy: &Policy, context: &Context) -> Answer {
    let evaluation = evaluate::evaluate(policy, context);
    let all = || policy.statements.iter().zip(&evaluation.outcomes).zip(1_usize..);
    match evaluation.verdict {
        Verdict::Allows => Answer::Allows,
        Verdict::Unknown => {
            let element = all().find_map(|((statement, outcome), number)| match outcome {
                Outcome::Unknown(element) => Some(format!("statement {number}, {}", element.name(statement))),
                Outcome::Matches | Outcome::Not { .. } => None,
            });
            Answer::Unknown(element.unwrap_or_default())
        }
        Verdict::Refuses => {
            let denying = all().find(|((statement, outcome), _)| {
                statement.effect == Effect::Deny && **outcome == Outcome::Matches
            });
            if let Some(((statement, _), number)) = denying {
                return Answer::Refuses(denied(statement, number));
            }
            let allows = all().filter(|((statement, _), _)| statement.effect == Effect::Allow);
            let refusing = allows.filter_map(|((statement, outcome), number)| match outcome {
                Outcome::Not { first, then } => Some((statement, *first, then.len(), number)),
                Outcome::Matches | Outcome::Unknown(_) => None,
            });
            // The statement that lacks least; of several, the first.
            let nearest = refusing.min_by_key(|(_, first, then, number)| (rank(*first), *then, *number));
            let Some((statement, element, _, number)) = nearest else {
                return Answer::Refuses(Refusal::default());
            };
            let repair = common_mistakes::of(statement, element, context, policy.variables);
            Answer::Refuses(Refusal {
                statement: number,
                sid: statement.sid.clone(),
                denies: false,
                element: element.name(statement),
                presented: element.presented(statement, context, evaluation.action),
                required: element.required(statement),
                mistake: repair.slip.map(|slip| slip.text),
            })
        }
    }
}

/// A statement for another provider is further away than one whose condition does not hold.
fn rank(element: Element) -> u8 {
    match element {
        Element::Condition(_) => 0,
        Element::Action => 1,
        Element::Principal => 2,
    }
}

fn denied(statement: &Statement, number: usize) -> Refusal {
    Refusal { statement: number, sid: statement.sid.clone(), denies: true, ..Refusal::default() }
}

/// Service accounts that one statement admits by a pattern, or all accounts of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breadth {
    /// Counted from 1.
    pub statement: usize,
    /// The statement's patterns for subjects. Empty: no condition on the subject.
    pub subjects: Vec<String>,
}

impl Breadth {
    /// Whether this statement's condition admits a subject.
    #[must_use]
    pub fn admits(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|it| Pattern::glob(it).matches(subject))
    }
}

/// Statements that admit more than the service accounts that they name. `issuer` is without `https://`.
#[must_use]
pub fn breadth(policy: &Policy, issuer: &str) -> Vec<Breadth> {
    let numbered = policy.statements.iter().zip(1_usize..);
    numbered
        .filter_map(|(statement, number)| {
            let subjects = subjects(statement, issuer)?;
            let wide = subjects.is_empty() || subjects.iter().any(|it| it.contains(['*', '?']));
            wide.then_some(Breadth { statement: number, subjects })
        })
        .collect()
}

/// Whom a policy admits for the issuer: exact subjects and patterns of all its statements.
#[must_use]
pub fn admitted(policy: &Policy, issuer: &str) -> Vec<Breadth> {
    let numbered = policy.statements.iter().zip(1_usize..);
    let subjects = numbered.filter_map(|(statement, number)| Some((number, subjects(statement, issuer)?)));
    subjects.map(|(statement, subjects)| Breadth { statement, subjects }).collect()
}

/// The patterns in the condition on `sub`. Empty: there is none. `None`: the statement admits nobody of this issuer.
fn subjects(statement: &Statement, issuer: &str) -> Option<Vec<String>> {
    let Scope::Of(Principals::Named(kinds)) = &statement.principal else { return None };
    let of_issuer = |arn: &String| provider_of(arn).is_some_and(|(.., of)| of == issuer);
    let federated = kinds.iter().any(|(kind, values)| kind == "Federated" && values.iter().any(of_issuer));
    let named = match &statement.action {
        Scope::Of(patterns) => patterns.iter().any(|it| Pattern::glob(it).matches_ignoring_case(ACTION)),
        Scope::Except(_) => false,
    };
    if statement.effect != Effect::Allow || !federated || !named {
        return None;
    }
    let key = format!("{issuer}:sub");
    let about_subject = |condition: &&Condition| condition.key.eq_ignore_ascii_case(&key);
    let mut patterns: Option<Vec<String>> = None;
    for condition in statement.conditions.iter().filter(about_subject) {
        let Some(operator) = Operator::parse(&condition.operator).filter(|it| !it.negated) else { continue };
        let literal = operator.test != Test::Like;
        let values = condition.values.iter().map(|value| {
            // In StringEquals an asterisk is literal, and no service account has one in its name.
            if literal { value.replace(['*', '?'], "\u{0}") } else { value.clone() }
        });
        let values: Vec<String> = values.filter(|value| !value.contains('\u{0}')).collect();
        patterns = Some(values);
    }
    match patterns {
        Some(patterns) if patterns.is_empty() => None,
        patterns => Some(patterns.unwrap_or_default()),
    }
}

/// A request of a service or a role for `sts:AssumeRole`, as EKS Auth makes it for Pod Identity.
#[derive(Debug, Clone, Default)]
pub struct AssumeRole {
    /// `pods.eks.amazonaws.com`, or the ARN of the role that assumes this one.
    pub principal: String,
    /// Whether session tags are passed, which needs `sts:TagSession`.
    pub tags: bool,
    /// Condition keys of the request, in lower case. A key that is neither here nor in `absent` is unknown.
    pub keys: BTreeMap<String, String>,
    /// Keys that the request does not have, in lower case. If one ends in `/`, it is a prefix.
    pub absent: Vec<&'static str>,
}

/// Whether the policy admits that request: both actions, each allowed by some statement and denied by none.
#[must_use]
pub fn assume_role(policy: &Policy, request: &AssumeRole) -> Answer {
    let actions: &[&str] =
        if request.tags { &["sts:AssumeRole", "sts:TagSession"] } else { &["sts:AssumeRole"] };
    for action in actions {
        match one_action(policy, request, action) {
            Answer::Allows => {}
            other => return other,
        }
    }
    Answer::Allows
}

fn one_action(policy: &Policy, request: &AssumeRole, action: &str) -> Answer {
    let mut nearest: Option<(usize, Refusal)> = None;
    let mut unknown = None;
    let mut allowed = false;
    for (statement, number) in policy.statements.iter().zip(1_usize..) {
        let tests = tests(statement, request, action);
        let refusing = tests.iter().position(|(truth, ..)| *truth == Truth::No);
        let open = tests.iter().find(|(truth, ..)| *truth == Truth::Unknown);
        match (statement.effect, refusing, open) {
            (Effect::Deny, None, None) => return Answer::Refuses(denied(statement, number)),
            (_, None, Some((_, element, ..))) => unknown = Some(format!("statement {number}, {element}")),
            (Effect::Allow, None, None) => allowed = true,
            (Effect::Deny, Some(_), _) => {}
            (Effect::Allow, Some(at), _) => {
                let (_, element, presented, required) = tests[at].clone();
                let refusal = Refusal {
                    statement: number,
                    sid: statement.sid.clone(),
                    element,
                    presented,
                    required,
                    ..Refusal::default()
                };
                if nearest.as_ref().is_none_or(|(before, _)| *before < at) {
                    nearest = Some((at, refusal));
                }
            }
        }
    }
    match (allowed, unknown, nearest) {
        (_, Some(element), _) => Answer::Unknown(element),
        (true, None, _) => Answer::Allows,
        (false, None, Some((_, refusal))) => Answer::Refuses(refusal),
        (false, None, None) => Answer::Refuses(Refusal {
            presented: format!("{action} by {}", request.principal),
            ..Refusal::default()
        }),
    }
}

/// Principal, action and conditions, in this order: whether each holds, its name, what is presented, what is required.
fn tests(statement: &Statement, request: &AssumeRole, action: &str) -> Vec<(Truth, String, String, String)> {
    let list = |values: &[String]| values.join(" or ");
    let (principal, theirs) = match &statement.principal {
        Scope::Of(principals) => (is_principal(principals, &request.principal), names(principals)),
        Scope::Except(principals) => {
            (is_principal(principals, &request.principal).not(), format!("none of {}", names(principals)))
        }
    };
    let named =
        |patterns: &[String]| patterns.iter().any(|it| Pattern::glob(it).matches_ignoring_case(action));
    let (acts, actions) = match &statement.action {
        Scope::Of(patterns) => (named(patterns), list(patterns)),
        Scope::Except(patterns) => (!named(patterns), format!("none of {}", list(patterns))),
    };
    let mut tests = vec![
        (principal, "Principal".to_owned(), request.principal.clone(), theirs),
        (Truth::from(acts), "Action".to_owned(), action.to_owned(), actions),
    ];
    for condition in &statement.conditions {
        let key = condition.key.to_lowercase();
        let presented = match request.keys.get(&key) {
            Some(value) => value.clone(),
            None if request.lacks(&key) => "nothing: the request has no such key".to_owned(),
            None => "not known from here".to_owned(),
        };
        let name = format!("Condition {} {}", condition.operator, condition.key);
        tests.push((request.holds(condition), name, presented, list(&condition.values)));
    }
    tests
}

fn names(principals: &Principals) -> String {
    match principals {
        Principals::Anyone => "*".to_owned(),
        Principals::Named(kinds) => {
            let one = |(kind, values): &(String, Vec<String>)| format!("{kind} {}", values.join(" or "));
            kinds.iter().map(one).collect::<Vec<_>>().join(", or ")
        }
    }
}

fn is_principal(principals: &Principals, principal: &str) -> Truth {
    let kinds = match principals {
        Principals::Anyone => return Truth::Yes,
        Principals::Named(kinds) => kinds,
    };
    let wanted = if principal.starts_with("arn:") { "AWS" } else { "Service" };
    let account = principal.split(':').nth(4).unwrap_or_default();
    let fits = |value: &String| {
        // An account as principal delegates to its own policies, which may or may not allow the role.
        let of_account =
            !account.is_empty() && (value == account || value.ends_with(&format!("::{account}:root")));
        value == principal || (wanted == "AWS" && (value == "*" || of_account))
    };
    Truth::any(kinds.iter().map(|(kind, values)| {
        Truth::from(
            kind == wanted && values.iter().any(fits) || kind == "AWS" && values.iter().any(|it| it == "*"),
        )
    }))
}

impl AssumeRole {
    fn lacks(&self, key: &str) -> bool {
        self.absent.iter().any(|absent| key == *absent || (absent.ends_with('/') && key.starts_with(absent)))
    }

    fn holds(&self, condition: &Condition) -> Truth {
        let Some(operator) = Operator::parse(&condition.operator) else { return Truth::Unknown };
        let key = condition.key.to_lowercase();
        let lacks = self.lacks(&key);
        let Some(presented) = self.keys.get(&key) else {
            return match operator.test {
                Test::Null if lacks => {
                    Truth::from(condition.values.iter().any(|value| value.eq_ignore_ascii_case("true")))
                }
                _ if lacks => Truth::from(operator.negated || condition.operator.ends_with("IfExists")),
                _ => Truth::Unknown,
            };
        };
        if condition.values.iter().any(|value| value.contains("${")) {
            return Truth::Unknown;
        }
        let hit = |value: &String| match operator.test {
            Test::Equals => Truth::from(value == presented),
            Test::EqualsIgnoreCase => Truth::from(value.eq_ignore_ascii_case(presented)),
            Test::Like => Truth::from(Pattern::glob(value).matches(presented)),
            Test::Arn => Truth::from(Pattern::glob(value).matches_arn(presented)),
            Test::Null => Truth::from(value.eq_ignore_ascii_case("false")),
            Test::Bool | Test::Number(_) | Test::Date(_) | Test::Foreign => Truth::Unknown,
        };
        let any = Truth::any(condition.values.iter().map(hit));
        if operator.negated { any.not() } else { any }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/ABC";

    fn policy(statement: &str) -> Policy {
        Policy::parse(format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#).as_bytes()).unwrap()
    }

    fn federated(condition: &str) -> Policy {
        policy(&format!(
            r#"[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::814203749616:oidc-provider/{ISSUER}"}},
                "Action":"sts:AssumeRoleWithWebIdentity"{condition}}}]"#
        ))
    }

    #[test]
    fn a_policy_without_a_subject_or_with_wildcards_is_wide() {
        let sub = |operator: &str, value: &str| {
            federated(&format!(r#","Condition":{{"{operator}":{{"{ISSUER}:sub":"{value}"}}}}"#))
        };
        let wide = |policy: &Policy| breadth(policy, ISSUER);
        assert!(wide(&federated(""))[0].admits("system:serviceaccount:any:thing"));
        let like = wide(&sub("StringLike", "system:serviceaccount:shop:*"));
        assert!(like[0].admits("system:serviceaccount:shop:cart"));
        assert!(!like[0].admits("system:serviceaccount:bank:cart"));
        assert_eq!(wide(&sub("StringEquals", "system:serviceaccount:shop:checkout")), []);
        assert_eq!(wide(&sub("StringEquals", "system:serviceaccount:shop:*")), []);
        assert_eq!(breadth(&federated(""), "another/issuer"), []);
        let exact = admitted(&sub("StringEquals", "system:serviceaccount:shop:checkout"), ISSUER);
        assert_eq!(exact[0].subjects, ["system:serviceaccount:shop:checkout"]);
    }

    #[test]
    fn eks_needs_both_actions_and_conditions_that_hold() {
        let request = AssumeRole {
            principal: "pods.eks.amazonaws.com".to_owned(),
            tags: true,
            keys: [("aws:requesttag/kubernetes-namespace".to_owned(), "shop".to_owned())].into(),
            absent: vec!["sts:externalid"],
        };
        let statement = |principal: &str, actions: &str, condition: &str| {
            policy(&format!(
                r#"[{{"Effect":"Allow","Principal":{principal},"Action":{actions}{condition}}}]"#
            ))
        };
        const EKS: &str = r#"{"Service":"pods.eks.amazonaws.com"}"#;
        const BOTH: &str = r#"["sts:AssumeRole","sts:TagSession"]"#;
        let tag = |value: &str| {
            format!(r#","Condition":{{"StringEquals":{{"aws:RequestTag/kubernetes-namespace":"{value}"}}}}"#)
        };
        assert_eq!(assume_role(&statement(EKS, BOTH, ""), &request), Answer::Allows);
        assert_eq!(assume_role(&statement(EKS, BOTH, &tag("shop")), &request), Answer::Allows);
        let element = |policy: &Policy| match assume_role(policy, &request) {
            Answer::Refuses(refusal) => refusal.element,
            other => format!("{other:?}"),
        };
        assert_eq!(element(&statement(EKS, r#""sts:AssumeRole""#, "")), "Action");
        assert_eq!(element(&statement(r#"{"Service":"ec2.amazonaws.com"}"#, BOTH, "")), "Principal");
        assert!(element(&statement(EKS, BOTH, &tag("bank"))).starts_with("Condition"));
        let unknown = statement(EKS, BOTH, r#","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#);
        assert!(matches!(assume_role(&unknown, &request), Answer::Unknown(_)));
    }

    #[test]
    fn a_target_role_trusts_the_source_role_or_its_account() {
        let request = AssumeRole {
            principal: "arn:aws:iam::814203749616:role/source".to_owned(),
            absent: vec!["sts:externalid"],
            ..AssumeRole::default()
        };
        let statement = |principal: &str, more: &str| {
            policy(&format!(
                r#"[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"{more}}}]"#
            ))
        };
        let allows = |policy: Policy| assume_role(&policy, &request) == Answer::Allows;
        assert!(allows(statement("arn:aws:iam::814203749616:role/source", "")));
        assert!(allows(statement("arn:aws:iam::814203749616:root", "")));
        assert!(!allows(statement("arn:aws:iam::814203749616:role/other", "")));
        let external = r#","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#;
        assert!(!allows(statement("arn:aws:iam::814203749616:root", external)));
    }
}
