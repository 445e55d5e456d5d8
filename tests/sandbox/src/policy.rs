//! Evaluates trust policies as IAM does, for a web identity, a service or a role that assumes a role; an explicit deny wins.
//! An element that it does not know is an error, so that no policy is half understood.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Doing as _, Error, Result};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";
/// EKS Pod Identity makes both in one call, because it sets session tags.
const ASSUME_AND_TAG: &[&str] = &["sts:AssumeRole", "sts:TagSession"];
const ASSUME: &[&str] = &["sts:AssumeRole"];
const TAG: &[&str] = &["sts:TagSession"];

/// A trust policy of which every element was understood.
#[derive(Debug)]
pub(crate) struct TrustPolicy {
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    denies: bool,
    principals: Vec<Principal>,
    actions: Vec<String>,
    conditions: Vec<Condition>,
}

/// The principal of a statement, or of a caller.
#[derive(Debug, PartialEq)]
enum Principal {
    /// The provider's ARN.
    Federated(String),
    Service(String),
    /// The ARN of a role, or what includes it: its account, or everybody.
    Aws(String),
}

#[derive(Debug)]
struct Condition {
    quantifier: Quantifier,
    comparison: Comparison,
    if_exists: bool,
    /// In lower case, because names of condition keys have no case.
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Quantifier {
    None,
    Any,
    All,
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equals,
    NotEquals,
    EqualsIgnoreCase,
    Like,
    NotLike,
    ArnLike,
}

/// A caller in a policy's terms.
#[derive(Debug)]
pub(crate) struct Caller {
    principal: Principal,
    /// Each action is evaluated separately; all must be allowed.
    actions: &'static [&'static str],
    keys: BTreeMap<String, Vec<String>>,
}

impl Caller {
    pub(crate) fn of(provider_arn: &str) -> Self {
        let principal = Principal::Federated(provider_arn.into());
        Self { principal, actions: &[ACTION], keys: BTreeMap::new() }
    }

    /// A service that assumes the role. It also tags the session if `tags` is set.
    pub(crate) fn service(name: &str, tags: bool) -> Self {
        Self::assuming(Principal::Service(name.into()), tags)
    }

    /// A role that assumes another one.
    pub(crate) fn role(arn: &str, tags: bool) -> Self {
        Self::assuming(Principal::Aws(arn.into()), tags).with("aws:PrincipalArn", [arn])
    }

    /// A role that passes its tags on to the session of another role.
    pub(crate) fn tagging(arn: &str) -> Self {
        Self { actions: TAG, ..Self::role(arn, false) }
    }

    fn assuming(principal: Principal, tags: bool) -> Self {
        Self { principal, actions: if tags { ASSUME_AND_TAG } else { ASSUME }, keys: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.keys.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
        self
    }
}

impl TrustPolicy {
    pub(crate) fn parse(document: &Value) -> Result<Self> {
        let document = Document::deserialize(document).doing(|| "failed to read a trust policy".into())?;
        let statements =
            document.statement.into_vec().into_iter().map(Statement::parse).collect::<Result<_>>()?;
        Ok(Self { statements })
    }

    /// Whether a statement denies explicitly.
    pub(crate) fn denies(&self, caller: &Caller) -> bool {
        let denies = |action: &&str| self.statements.iter().any(|it| it.denies && it.matches(caller, action));
        caller.actions.iter().any(denies)
    }

    /// Whether a statement admits the role itself, and not only its account.
    pub(crate) fn names(&self, role_arn: &str) -> bool {
        let named = |principal: &Principal| matches!(principal, Principal::Aws(name) if name == role_arn || name == "*");
        self.statements.iter().any(|it| !it.denies && it.principals.iter().any(named))
    }

    pub(crate) fn allows(&self, caller: &Caller) -> bool {
        caller.actions.iter().all(|action| {
            let matching = || self.statements.iter().filter(|statement| statement.matches(caller, action));
            matching().any(|statement| !statement.denies) && !matching().any(|statement| statement.denies)
        })
    }
}

impl Statement {
    fn parse(raw: RawStatement) -> Result<Self> {
        let denies = match raw.effect.as_str() {
            "Allow" => false,
            "Deny" => true,
            other => {
                return Err(Error::new(format!("trust policy: unknown Effect `{other}`")));
            }
        };
        let mut principals = Vec::new();
        for (kind, names) in raw.principal {
            match kind.as_str() {
                "Federated" => principals.extend(names.into_vec().into_iter().map(Principal::Federated)),
                "Service" => principals.extend(names.into_vec().into_iter().map(Principal::Service)),
                "AWS" => principals.extend(names.into_vec().into_iter().map(Principal::Aws)),
                // No caller here is of this kind.
                "CanonicalUser" => {}
                other => {
                    return Err(Error::new(format!("trust policy: unknown principal `{other}`")));
                }
            }
        }
        let mut conditions = Vec::new();
        for (operator, keys) in raw.condition {
            for (key, values) in keys {
                conditions.push(Condition::parse(&operator, key, values.into_vec())?);
            }
        }
        Ok(Self { denies, principals, actions: raw.action.into_vec(), conditions })
    }

    fn matches(&self, caller: &Caller, action: &str) -> bool {
        self.principals.iter().any(|principal| principal.stands_for(&caller.principal))
            && self.actions.iter().any(|named| wildcard(&named.to_lowercase(), &action.to_lowercase()))
            && self.conditions.iter().all(|condition| condition.holds(caller))
    }
}

impl Principal {
    /// A policy may name a role itself, its account in either form, or everybody.
    fn stands_for(&self, caller: &Self) -> bool {
        match (self, caller) {
            (Self::Aws(named), Self::Aws(arn)) => {
                let mut parts = arn.split(':');
                let (partition, account) =
                    (parts.nth(1).unwrap_or_default(), parts.nth(2).unwrap_or_default());
                named == arn
                    || named == "*"
                    || named == account
                    || *named == format!("arn:{partition}:iam::{account}:root")
            }
            _ => self == caller,
        }
    }
}

/// What a role may do, limited to assuming other roles.
#[derive(Debug)]
pub(crate) struct IdentityPolicy {
    statements: Vec<Grant>,
}

#[derive(Debug)]
struct Grant {
    denies: bool,
    actions: Vec<String>,
    resources: Vec<String>,
}

impl IdentityPolicy {
    pub(crate) fn parse(document: &Value) -> Result<Self> {
        let document =
            IdentityDocument::deserialize(document).doing(|| "failed to read a role's policy".into())?;
        let statements = document.statement.into_vec().into_iter().map(|raw| match raw.effect.as_str() {
            effect @ ("Allow" | "Deny") => Ok(Grant {
                denies: effect == "Deny",
                actions: raw.action.into_vec(),
                resources: raw.resource.into_vec(),
            }),
            other => Err(Error::new(format!("a role's policy: unknown Effect `{other}`"))),
        });
        Ok(Self { statements: statements.collect::<Result<_>>()? })
    }

    /// Whether all of the caller's actions on that role are allowed.
    pub(crate) fn allows(&self, caller: &Caller, role_arn: &str) -> bool {
        caller.actions.iter().all(|action| self.any(false, action, role_arn))
            && !self.denies(caller, role_arn)
    }

    pub(crate) fn denies(&self, caller: &Caller, role_arn: &str) -> bool {
        caller.actions.iter().any(|action| self.any(true, action, role_arn))
    }

    fn any(&self, denies: bool, action: &str, role_arn: &str) -> bool {
        self.statements.iter().filter(|grant| grant.denies == denies).any(|grant| {
            grant.actions.iter().any(|named| wildcard(&named.to_lowercase(), &action.to_lowercase()))
                && grant.resources.iter().any(|named| wildcard(named, role_arn))
        })
    }
}

impl Condition {
    fn parse(operator: &str, key: String, values: Vec<String>) -> Result<Self> {
        let (quantifier, rest) = match operator.split_once(':') {
            None => (Quantifier::None, operator),
            Some(("ForAnyValue", rest)) => (Quantifier::Any, rest),
            Some(("ForAllValues", rest)) => (Quantifier::All, rest),
            Some(_) => {
                return Err(Error::new(format!("trust policy: unknown operator `{operator}`")));
            }
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let comparison = match name {
            "StringEquals" => Comparison::Equals,
            "StringNotEquals" => Comparison::NotEquals,
            "StringEqualsIgnoreCase" => Comparison::EqualsIgnoreCase,
            "StringLike" => Comparison::Like,
            "StringNotLike" => Comparison::NotLike,
            // The two are the same (IAM user guide).
            "ArnEquals" | "ArnLike" => Comparison::ArnLike,
            _ => {
                return Err(Error::new(format!("trust policy: unknown operator `{operator}`")));
            }
        };
        if values.iter().any(|value| value.contains("${")) {
            return Err(Error::new(format!(
                "trust policy: `{key}` has a policy variable, which is not known here"
            )));
        }
        Ok(Self { quantifier, comparison, if_exists, key: key.to_lowercase(), values })
    }

    fn holds(&self, caller: &Caller) -> bool {
        let present = caller.keys.get(&self.key).filter(|values| !values.is_empty());
        let negated = matches!(self.comparison, Comparison::NotEquals | Comparison::NotLike);
        match (present, self.quantifier) {
            (None, Quantifier::All) => true,
            (None, Quantifier::Any) => self.if_exists,
            // A key that is absent differs from every value.
            (None, Quantifier::None) => self.if_exists || negated,
            (Some(values), Quantifier::All) => values.iter().all(|value| self.accepts(value)),
            (Some(values), Quantifier::Any | Quantifier::None) => {
                values.iter().any(|value| self.accepts(value))
            }
        }
    }

    fn accepts(&self, value: &str) -> bool {
        let any = |equal: fn(&str, &str) -> bool| self.values.iter().any(|wanted| equal(wanted, value));
        match self.comparison {
            Comparison::Equals => any(|wanted, value| wanted == value),
            Comparison::NotEquals => !any(|wanted, value| wanted == value),
            Comparison::EqualsIgnoreCase => {
                any(|wanted, value| wanted.to_lowercase() == value.to_lowercase())
            }
            Comparison::Like => any(wildcard),
            Comparison::NotLike => !any(wildcard),
            Comparison::ArnLike => any(arn_like),
        }
    }
}

/// Compares part by part: a `*` does not match a colon.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, arn) = (parts(pattern), parts(arn));
    pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(pattern, part)| wildcard(pattern, part))
}

/// `*` matches any run of characters, `?` any one.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| wildcard(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut left = text.chars();
            left.next().is_some_and(|found| wanted == '?' || wanted == found)
                && wildcard(rest.as_str(), left.as_str())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "Version")]
    _version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawStatement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: String,
    principal: BTreeMap<String, OneOrMany<String>>,
    action: OneOrMany<String>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct IdentityDocument {
    #[serde(rename = "Version")]
    _version: Option<String>,
    statement: OneOrMany<RawGrant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawGrant {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: String,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests;
