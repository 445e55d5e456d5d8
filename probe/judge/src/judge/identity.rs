//! Judges who answered: the role behind the credentials against the role asked for. Pure.

use super::exchange::SKEW_LIMIT;
use super::facts::{Facts, span, time};
use super::token::agrees_with_sts;
use crate::catalog::texts::{common, exchange as texts_of_exchange, identity as texts};
use crate::catalog::{Class, Owner, Restart};
use crate::evidence::{Identity, StsError};
use crate::judge::finding::{Finding, Severity};
use crate::settings::arn::RoleArn;
use crate::settings::partition;
use crate::steps::values::Values;
use crate::text::plain;

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
    let role = facts.role_text();
    let asked = facts.role.as_ref().map_or(role.as_str(), |role| role.name.as_str());
    let parts = arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    let got = match parts {
        Some(name) if name == asked => "a role of that name in another account".to_owned(),
        Some(name) => format!("role {name}"),
        None => "another identity".to_owned(),
    };
    // STS gives the credentials of the role that it is asked for.
    Finding::new(Class::IdentityMismatch, format!("asked for role {asked}, got {got}"))
        .owner(Owner::Network)
        .presented(arn.to_owned())
        .required(role.clone())
        .why(format!(
            "{role} was asked for, and {arn} answered. STS gives credentials of the role that it is asked for, so another server answers in its place{}."
        , answerer(facts)))
        .steps(&facts.values(), &[&texts::KEEP_POD, &common::SEE_COREDNS])
}

/// Where the answer came from.
fn answerer(facts: &Facts<'_>) -> String {
    let Some(network) = &facts.evidence.network else { return String::new() };
    let at = network.addresses.last().map(|attempt| attempt.address.ip().to_string());
    let issuer = network.tls.as_ref().and_then(|tls| tls.chain.first()).map(|leaf| leaf.issuer.as_str());
    let at = at.map_or_else(String::new, |at| format!(", at {at}"));
    issuer.map_or_else(|| at.clone(), |issuer| format!("{at} with a certificate of {}", plain(issuer)))
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
    let ahead = identity.date.and_then(|date| date.checked_sub(identity.received_at));
    let summary = match ahead {
        Some(skew) if skew.abs() > SKEW_LIMIT => {
            let direction = if skew > 0 { "behind" } else { "ahead of" };
            format!("this node’s clock is {} {direction} that of STS", span(skew))
        }
        _ => "STS refused a signed call for its time, so this node’s clock is wrong".to_owned(),
    };
    Finding::new(Class::ClockSkew, summary)
        .severity(Severity::Error)
        .about_time(true)
        .presented(format!("this clock {}", time(identity.received_at)))
        .required(format!(
            "STS's clock {}, give or take {} minutes",
            identity.date.map_or_else(|| "(not told)".to_owned(), time),
            SKEW_LIMIT / 60
        ))
        .ruled_out("the exchange: it is not signed, and it succeeded")
        .why(format!(
            "The exchange succeeded, because it is not signed. The signed call after it was refused: {}.",
            plain(&error.message).trim_end_matches('.')
        ))
        .steps(&Values::default(), &[&texts_of_exchange::SEE_CLOCK, &common::SET_CLOCK])
}

fn rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let endpoint = facts.route.endpoint.as_ref().map_or("the endpoint", |endpoint| endpoint.host.as_str());
    let expired = matches!(error.code.as_str(), "ExpiredToken" | "RequestExpired");
    let summary = if expired {
        "STS issued credentials and refuses them at once as expired".to_owned()
    } else {
        format!("STS refuses credentials that it just issued: {}", error.code)
    };
    let finding = Finding::new(Class::CredentialsRejected, summary)
        .presented(format!("credentials issued by {endpoint}"))
        .required(format!("credentials that {endpoint} accepts"))
        .why(plain(&format!(
            "{endpoint} issued them and says {}: {}.",
            error.code,
            error.message.trim_end_matches('.')
        )));
    if facts.compatible() {
        return finding.steps(&facts.values(), &[&texts::NOT_REVOKED]);
    }
    if expired {
        if agrees_with_sts(facts) {
            return finding
                .owner(Owner::Cluster)
                .acts(Owner::Aws.people())
                .ruled_out("this node's clock: STS's agrees with it")
                .steps(
                    &facts.values(),
                    &[&texts_of_exchange::SEE_ANSWER_TO_OTHERS, &texts::REPEATED_ANSWERS],
                );
        }
        return finding.owner(Owner::Cluster).steps(
            &facts.values(),
            &[&texts_of_exchange::SEE_CLOCK, &common::SET_CLOCK, &texts::NOT_THE_CLOCK],
        );
    }
    if error.message.contains("scoped to") {
        return finding
            .owner(Owner::Pod)
            .restart(Restart::Pod)
            .steps(&facts.values(), &[&common::SEE_VARIABLES, &texts::SIGN_FOR_HOST]);
    }
    if endpoint == partition::GLOBAL_STS {
        let values = facts.values_to(endpoint);
        return finding
            .owner(Owner::Pod)
            .restart(Restart::Pod)
            .steps(&values, &[&common::SEE_VARIABLES, &common::GIVE_STS_ITS_ENDPOINT]);
    }
    finding.steps(&facts.values(), &[&texts::SEE_ROLE_CHANGES, &texts::NOT_REVOKED])
}

fn unconfirmed(facts: &Facts<'_>, why: &str) -> Finding {
    let denied = why.starts_with("AccessDenied");
    let finding = Finding::new(
        Class::IdentityUnconfirmed,
        if denied {
            "GetCallerIdentity is denied, so the role is not confirmed"
        } else {
            "STS did not say whose the credentials are"
        },
    )
    .presented("no answer to GetCallerIdentity")
    .required(format!("an answer that names {}", facts.role_text()))
    .ruled_out("a refusal of the exchange: the role's credentials were issued")
    .why(format!(
        "Credentials of {} were issued. GetCallerIdentity did not confirm it: {}.",
        facts.role_text(),
        plain(why.trim_end_matches('.'))
    ));
    let values = facts.values();
    if denied {
        return finding.steps(&values, &[&common::SEE_ENDPOINT_POLICY, &texts::NOT_NEEDED, &texts::ALLOW_IT]);
    }
    finding.steps(&values, &[&texts::RUN_AGAIN])
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
