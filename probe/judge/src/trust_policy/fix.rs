//! Adds one statement to a trust policy and changes nothing else: the text of all others stays the same, character by character.
//! The caller decides whether the statement should be added. Pure.

use super::context::Context;
use super::evaluate::provider_of;
use super::policy::{Policy, Principals, Scope};
use super::statement::matching_statement;
use crate::evidence::Account;
use crate::text::indented;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Checks that a statement which nobody reviews admits only one service account, by its exact name.
///
/// # Errors
/// Why it must not be added, as a sentence.
pub(crate) fn may_admit(context: &Context, policy: &Policy, stated: &[&str]) -> Result<(), String> {
    let exact = [("subject", &context.subject), ("audience", &context.audience), ("issuer", &context.iss)];
    // A variable is a wildcard whose value others choose.
    if let Some((what, value)) = exact.iter().find(|(_, value)| value.contains(['*', '?', '$'])) {
        return Err(format!("the {what} `{value}` has a wildcard; only an exact {what} is admitted"));
    }
    if Account::of_subject(&context.subject).is_some_and(|account| account.name == "default") {
        return Err(format!(
            "{} is the service account of every pod in its namespace that names none; give this pod a service account of its own, and admit that",
            context.subject
        ));
    }
    let is_stated = stated.iter().any(|issuer| without_scheme(issuer) == context.issuer);
    if !is_stated && !issuers(policy).any(|issuer| issuer == context.issuer) {
        return Err(format!(
            "the policy does not name the issuer {}; if it is the right one, say so with --issuer={}",
            context.issuer, context.iss
        ));
    }
    Ok(())
}

/// The issuers that the policy names, in providers and before condition keys.
pub(crate) fn issuers(policy: &Policy) -> impl Iterator<Item = &str> {
    policy.statements.iter().flat_map(|statement| {
        let kinds = match &statement.principal {
            Scope::Of(Principals::Named(kinds)) => kinds.as_slice(),
            _ => &[],
        };
        let providers = kinds.iter().filter(|(kind, _)| kind == "Federated").flat_map(|(_, arns)| arns);
        let keys = statement.conditions.iter().filter_map(|condition| {
            let (issuer, claim) = condition.key.rsplit_once(':')?;
            (matches!(claim, "sub" | "aud") && issuer.contains('.')).then_some(issuer)
        });
        providers.filter_map(|arn| Some(provider_of(arn)?.2)).chain(keys)
    })
}

pub(crate) fn without_scheme(issuer: &str) -> &str {
    issuer.strip_prefix("https://").unwrap_or(issuer)
}

/// The policy's document without its wrappings. `None`: [`Policy::parse`] does not accept it.
pub(crate) fn document(text: &[u8]) -> Option<String> {
    let mut text = std::str::from_utf8(text).ok()?.to_owned();
    // `Policy::parse` limits how often it is wrapped.
    for _ in 0..16 {
        let inner = text.trim_start_matches('\u{feff}').trim();
        if inner.starts_with('%') {
            text = percent_encoding::percent_decode_str(inner).decode_utf8().ok()?.into_owned();
        } else if inner.starts_with('"') {
            text = serde_json::from_str(inner).ok()?;
        } else {
            let outer: Outer<'_> = serde_json::from_str(inner).ok()?;
            let of_role =
                outer.role.map(|role| serde_json::from_str::<Outer<'_>>(role.get())).transpose().ok()?;
            match of_role.and_then(|role| role.document).or(outer.document) {
                Some(document) => text = document.get().to_owned(),
                None => return outer.statement.map(|_| indented(inner)),
            }
        }
    }
    None
}

/// `document` with the statement for the context's subject after the others.
pub(crate) fn with_statement(document: &str, context: &Context) -> Option<String> {
    let provider = context.provider_arn()?;
    let added =
        matching_statement(&provider, &context.issuer, &context.audience, &context.subject).to_string();
    let outer: Outer<'_> = serde_json::from_str(document).ok()?;
    let statement = outer.statement?.get();
    // The position of the statements in the document.
    let from = (statement.as_ptr() as usize).checked_sub(document.as_ptr() as usize)?;
    let (before, after) = (document.get(..from)?, document.get(from + statement.len()..)?);
    let inside = match statement.strip_prefix('[') {
        Some(list) => list.strip_suffix(']')?.trim(),
        None => statement,
    };
    let comma = if inside.is_empty() { "" } else { "," };
    Some(indented(&format!("{before}[{inside}{comma}{added}]{after}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outer<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow, rename = "AssumeRolePolicyDocument")]
    document: Option<&'a RawValue>,
    #[serde(borrow)]
    statement: Option<&'a RawValue>,
}
