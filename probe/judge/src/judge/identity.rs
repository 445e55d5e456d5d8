//! Judges who answered: the role behind the credentials against the role asked for. Pure.

use super::exchange::SKEW_LIMIT;
use super::facts::{Facts, time};
use crate::catalog::Class;
use crate::evidence::{Identity, StsError};
use crate::judge::finding::{Finding, Severity};
use crate::settings::arn::RoleArn;
use crate::settings::command::words;

pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let exchange = facts.evidence.exchange.as_ref().filter(|exchange| exchange.issued)?;
    let identity = facts.evidence.identity.as_ref();
    if let Some(finding) = identity.and_then(|identity| refused(facts, identity)) {
        return Some(finding);
    }
    let arn =
        identity.and_then(|identity| identity.arn.as_deref()).or(exchange.assumed_role_arn.as_deref())?;
    let role = facts.role.as_ref()?;
    (!is_session_of(arn, role)).then(|| mismatch(facts, arn))
}

/// `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION`: STS leaves the role's path out.
pub(super) fn is_session_of(arn: &str, role: &RoleArn) -> bool {
    let prefix = format!("arn:{}:sts::{}:assumed-role/{}/", role.partition, role.account, role.name);
    arn.strip_prefix(&prefix).is_some_and(|session| !session.is_empty() && !session.contains('/'))
}

fn mismatch(facts: &Facts<'_>, arn: &str) -> Finding {
    let finding = Finding::new(Class::IdentityMismatch, "the credentials belong to another role than the one asked for")
        .presented(arn.to_owned())
        .required(facts.role_text())
        .fix("# STS gives the credentials of the role that it is asked for: something between pod and STS answers with its own");
    let host = facts.route.endpoint.as_ref().map_or("the endpoint", |endpoint| endpoint.host.as_str());
    facts.remove_interception(finding, host)
}

fn refused(facts: &Facts<'_>, identity: &Identity) -> Option<Finding> {
    if let Some(failure) = &identity.failure {
        return Some(unconfirmed(facts, &failure.detail));
    }
    let Some(error) = &identity.error else {
        return identity.arn.is_none().then(|| unconfirmed(facts, "an answer without identity"));
    };
    Some(match error {
        _ if is_about_time(error) => clock_skew(identity, error),
        _ if is_refusal(error) => rejected(facts, error),
        _ => unconfirmed(facts, &format!("{}: {}", error.code, error.message)),
    })
}

/// The signed call was refused for its time.
pub(super) fn is_about_time(error: &StsError) -> bool {
    error.message.contains("Signature expired")
        || error.message.contains("Signature not yet current")
        || error.code == "RequestExpired"
        || error.code == "RequestTimeTooSkewed"
}

/// The credentials themselves were refused.
pub(super) fn is_refusal(error: &StsError) -> bool {
    matches!(
        error.code.as_str(),
        "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "IncompleteSignature"
            | "ExpiredToken"
            | "InvalidToken"
            | "AuthFailure"
    )
}

pub(super) fn clock_skew(identity: &Identity, error: &StsError) -> Finding {
    Finding::new(Class::ClockSkew, format!("the signed call was refused for its time: {}", error.message))
        .severity(Severity::Error)
        .about_time(true)
        .presented(format!("this clock {}", time(identity.received_at)))
        .required(format!(
            "STS's clock {}, give or take {} minutes",
            identity.date.map_or_else(|| "(not told)".to_owned(), time),
            SKEW_LIMIT / 60
        ))
        .ruled_out("the exchange: it is not signed, and it succeeded")
        .set_clock()
}

fn rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let endpoint = facts.route.endpoint.as_ref().map_or("the endpoint", |endpoint| endpoint.host.as_str());
    let finding = Finding::new(
        Class::CredentialsRejected,
        format!("the credentials were issued and are refused: {}: {}", error.code, error.message),
    )
    .presented(format!("credentials issued by {endpoint}"))
    .required(format!("credentials that {endpoint} accepts"));
    finding.fix_note(
        issue_version_2(facts),
        "where an opt-in region refuses tokens of the global endpoint; changes the account's setting",
    )
}

/// Makes the account's global endpoint issue session tokens that every region takes.
pub(super) fn issue_version_2(facts: &Facts<'_>) -> Option<String> {
    facts.aws()?.run(words![
        "iam",
        "set-security-token-service-preferences",
        "--global-endpoint-token-version",
        "v2Token",
    ])
}

fn unconfirmed(facts: &Facts<'_>, why: &str) -> Finding {
    Finding::new(
        Class::IdentityUnconfirmed,
        format!("credentials were issued; who they belong to could not be asked: {why}"),
    )
    .presented("no answer to GetCallerIdentity")
    .required(format!("an answer that names {}", facts.role_text()))
    .ruled_out("a refusal of the exchange: the role's credentials were issued")
    .fix("# nothing to repair in IAM; run it again, or with --no-identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_belongs_to_its_role_without_the_path() {
        let role = RoleArn::parse("arn:aws:iam::814203749616:role/team/checkout-reader").unwrap();
        for (arn, belongs) in [
            ("arn:aws:sts::814203749616:assumed-role/checkout-reader/credprobe-x", true),
            ("arn:aws:sts::814203749616:assumed-role/checkout-reader-2/credprobe-x", false),
            ("arn:aws:sts::814203749617:assumed-role/checkout-reader/credprobe-x", false),
            ("arn:aws-cn:sts::814203749616:assumed-role/checkout-reader/credprobe-x", false),
            ("arn:aws:sts::814203749616:assumed-role/checkout-reader/", false),
            ("arn:aws:iam::814203749616:role/checkout-reader", false),
        ] {
            assert_eq!(is_session_of(arn, &role), belongs, "{arn}");
        }
    }
}
