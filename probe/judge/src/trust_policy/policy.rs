//! A role's trust policy as text: the bare document, or the output of `aws iam get-role`, each possibly URL-encoded.
//! Parses it or says where it cannot; `evaluate` says what it means. Pure.
//!
//! Grammar: IAM user guide, "Grammar of the IAM JSON policy language".

use super::one_or_many::{Encodable, Many, Pairs, Texts};
use serde::de::{Deserializer, Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};

/// The longest text that is read, in bytes. IAM keeps 4,096 characters of a trust policy, and `get-role` adds a few kilobytes.
pub const POLICY_LIMIT: usize = 128 * 1024;
/// More statements than fit into 4,096 characters.
const STATEMENT_LIMIT: usize = 200;
/// Shells and Terraform nest a document in a string in a string. Deeper nesting is not meant seriously.
const NESTING_LIMIT: u8 = 4;

/// A trust policy, and its role if the text names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `Role.Arn` of `get-role`.
    pub role_arn: Option<String>,
    /// `${…}` in a value is a variable (Version 2012-10-17).
    pub(crate) variables: bool,
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    pub(crate) principal: Scope<Principals>,
    pub(crate) action: Scope<Vec<String>>,
    /// In the order of the document.
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope<T> {
    Of(T),
    Except(T),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principals {
    /// `"*"`.
    Anyone,
    /// Kind (`Federated`, `AWS`, `Service`) and values.
    Named(Vec<(String, Vec<String>)>),
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) operator: String,
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

impl Policy {
    /// Reads a policy in any of its wrappings.
    ///
    /// # Errors
    /// One line: where the text is not a policy, or what IAM would refuse.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > POLICY_LIMIT {
            return Err(format!("it is longer than {POLICY_LIMIT} bytes; a trust policy has 4,096 at most"));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))?;
        unwrapped(text, 0)
    }
}

/// Removes the wrappings one after the other.
fn unwrapped(text: &str, depth: u8) -> Result<Policy, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let inside = if depth == 0 { "" } else { "inside the encoded document: " };
    if text.is_empty() {
        return Err(format!("{inside}it is empty"));
    }
    if depth > NESTING_LIMIT {
        return Err("it is encoded too many times".to_owned());
    }
    if text.starts_with('%') {
        // IAM encodes by RFC 3986, so a plus is a plus.
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
        let decoded = decoded.map_err(|_| format!("{inside}its URL encoding is not of UTF-8"))?;
        if decoded.starts_with('%') && decoded == text {
            return Err(format!("{inside}it begins with %, and is not URL-encoded"));
        }
        return unwrapped(&decoded, depth + 1);
    }
    let outer: Encodable<Outer> = serde_json::from_slice(text.as_bytes())
        .map_err(|error| format!("{inside}{}", json_problem(&error)))?;
    let outer = match outer {
        Encodable::Text(text) => return unwrapped(&text, depth + 1),
        Encodable::Parsed(outer) => outer,
    };
    let (role_arn, document) = match outer.role {
        Some(role) => (role.arn, role.document),
        None => (outer.arn, outer.document),
    };
    match (document, outer.statement) {
        (Some(Encodable::Parsed(document)), _) => {
            policy(role_arn, document.version.as_deref(), document.statement)
        }
        (Some(Encodable::Text(text)), _) => {
            unwrapped(&text, depth + 1).map(|policy| Policy { role_arn, ..policy })
        }
        (None, statement) => policy(role_arn, outer.version.as_deref(), statement),
    }
}

/// serde's message with line and column. It is truncated, because it quotes values.
fn json_problem(error: &serde_json::Error) -> String {
    let mut problem = match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("it is not JSON: {error}"),
    };
    crate::text::truncate(&mut problem, 300);
    problem
}

fn policy(
    role_arn: Option<String>,
    version: Option<&str>,
    statements: Option<Many<RawStatement>>,
) -> Result<Policy, String> {
    let variables = match version {
        Some("2012-10-17") => true,
        // The default if the document has no version.
        None | Some("2008-10-17") => false,
        Some(other) => {
            return Err(format!("its Version is `{other}`; IAM takes 2012-10-17 and 2008-10-17"));
        }
    };
    let Some(Many(raw)) = statements else {
        return Err(
            "there is no Statement in it; give the trust policy or the output of aws iam get-role".to_owned()
        );
    };
    if raw.len() > STATEMENT_LIMIT {
        return Err(format!("it has {} statements; no role has {STATEMENT_LIMIT}", raw.len()));
    }
    let numbered = raw.into_iter().zip(1_usize..);
    let statements = numbered.map(|(raw, number)| {
        raw.statement().map_err(|problem| format!("statement {number} {problem}; IAM does not take that"))
    });
    Ok(Policy { role_arn, variables, statements: statements.collect::<Result<_, _>>()? })
}

/// The document itself, the output of `get-role`, or the role in it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outer {
    role: Option<RawRole>,
    arn: Option<String>,
    #[serde(rename = "AssumeRolePolicyDocument")]
    document: Option<Encodable<RawDocument>>,
    version: Option<String>,
    statement: Option<Many<RawStatement>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRole {
    arn: Option<String>,
    #[serde(rename = "AssumeRolePolicyDocument")]
    document: Option<Encodable<RawDocument>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawDocument {
    version: Option<String>,
    statement: Option<Many<RawStatement>>,
}

/// An unknown element might refuse, so it is an error and not ignored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawStatement {
    sid: Option<String>,
    effect: Effect,
    principal: Option<Principals>,
    not_principal: Option<Principals>,
    action: Option<Texts>,
    not_action: Option<Texts>,
    condition: Option<Pairs<Pairs<Texts>>>,
    resource: Option<IgnoredAny>,
    not_resource: Option<IgnoredAny>,
}

impl RawStatement {
    fn statement(self) -> Result<Statement, String> {
        if self.resource.is_some() || self.not_resource.is_some() {
            return Err("has a Resource; a trust policy's resource is the role".to_owned());
        }
        let action = one_of("Action", self.action, self.not_action)?;
        let blocks = self.condition.unwrap_or_default().0.into_iter();
        let conditions = blocks.flat_map(|(operator, keys)| {
            keys.0.into_iter().map(move |(key, Texts(values))| Condition {
                operator: operator.clone(),
                key,
                values,
            })
        });
        Ok(Statement {
            sid: self.sid,
            effect: self.effect,
            principal: one_of("Principal", self.principal, self.not_principal)?,
            action: match action {
                Scope::Of(Texts(patterns)) => Scope::Of(patterns),
                Scope::Except(Texts(patterns)) => Scope::Except(patterns),
            },
            conditions: conditions.collect(),
        })
    }
}

fn one_of<T>(name: &str, of: Option<T>, all_but: Option<T>) -> Result<Scope<T>, String> {
    match (of, all_but) {
        (Some(of), None) => Ok(Scope::Of(of)),
        (None, Some(all_but)) => Ok(Scope::Except(all_but)),
        (Some(_), Some(_)) => Err(format!("has both {name} and Not{name}")),
        (None, None) => Err(format!("has neither {name} nor Not{name}")),
    }
}

impl<'de> Deserialize<'de> for Principals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Encodable::<Pairs<Texts>>::deserialize(deserializer)? {
            Encodable::Text(text) if text == "*" => Self::Anyone,
            Encodable::Text(text) => {
                return Err(D::Error::custom(format!(
                    "Principal is the string `{text}`; only `*` can be one"
                )));
            }
            Encodable::Parsed(Pairs(kinds)) => {
                Self::Named(kinds.into_iter().map(|(kind, Texts(values))| (kind, values)).collect())
            }
        })
    }
}
