//! The statement of a trust policy that matches this token, and the commands that add it. Pure.
//! Nothing here replaces a policy unread: the present one is saved first, then the statement is added to it.

use super::facts::Facts;
use crate::settings::command::Word;
use crate::trust_policy::statement::matching_statement;
use serde_json::json;

/// The only kind of statement that can let this token in: provider, subject and audience as the token has them.
pub(super) fn statement(facts: &Facts<'_>) -> Option<Word> {
    statement_for(facts, None)
}

/// The same with other actions than the exchange alone.
pub(super) fn statement_for(facts: &Facts<'_>, actions: Option<&[&str]>) -> Option<Word> {
    let token = facts.token()?;
    let issuer = facts.issuer_path()?;
    let subject = token.sub.as_deref()?;
    // With several audiences STS compares `azp` (IAM user guide, OIDC condition keys).
    let audience = token.azp.as_deref().or_else(|| token.aud.first().map(String::as_str))?;
    let mut statement = matching_statement(&facts.provider_arn()?, issuer, audience, subject);
    if let Some(actions) = actions {
        statement["Action"] = json!(actions);
    }
    Some(Word::statement(&statement, facts.role.as_ref()?, issuer, audience, subject))
}
