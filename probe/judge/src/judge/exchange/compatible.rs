//! Judges the refusals of other servers that speak STS's protocol, by their own wordings. Pure.
//! Their codes tell little, and nothing of AWS is in these findings: the server's own message is quoted.

use super::sts_host;
use crate::catalog::texts::{common, exchange as texts_of_server};
use crate::catalog::{Class, Owner, Restart};
use crate::evidence::{Exchange, Signature, StsError};
use crate::judge::facts::{Facts, list, time};
use crate::judge::finding::Finding;
use crate::judge::issuer;
use crate::judge::token::USUAL_AUDIENCE;
use crate::steps::slot;
use crate::text::plain;

/// Parts of messages in lower case; the first that the message has decides.
///
/// SeaweedFS (`weed/iam`), MinIO (`cmd/sts-handlers.go`, `cmd/sts-errors.go`), multistore and fakecloud.
const WORDINGS: &[(&str, Class)] = &[
    ("not found in jwks", Class::IssuerUnusable),
    ("no matching key", Class::IssuerUnusable),
    ("signature", Class::SignatureInvalid),
    ("verification error", Class::SignatureInvalid),
    ("audience", Class::AudienceNotRegistered),
    ("`aud`", Class::AudienceNotRegistered),
    ("client id", Class::AudienceNotRegistered),
    ("no identity provider", Class::ProviderMissing),
    ("no openidconnect provider", Class::ProviderMissing),
    ("untrusted issuer", Class::ProviderMissing),
    ("not valid yet", Class::TokenRejected),
    ("expired", Class::TokenExpiredAtSts),
    ("jwks", Class::IssuerUnavailable),
    ("public key", Class::IssuerUnavailable),
    ("rolearn parameter", Class::RoleArnRejected),
    ("role not found", Class::AccessDenied),
    ("trust policy", Class::AccessDenied),
    ("does not match any condition", Class::AccessDenied),
    ("given policies", Class::AccessDenied),
    ("claim missing", Class::ClaimRejected),
];

/// The class of a message in a server's own words; `None`: the code tells it, as with AWS.
pub(super) fn class(facts: &Facts<'_>, error: &StsError) -> Option<Class> {
    let message = error.message.to_ascii_lowercase();
    let (_, class) = WORDINGS.iter().find(|(part, _)| message.contains(part))?;
    let sources = facts.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    let seen = |what: &[Signature]| sources.clone().any(|source| what.contains(&source.signature));
    // Where credprobe saw the keys itself, its own finding explains the refusal, or contradicts it.
    Some(match class {
        Class::SignatureInvalid
            if seen(&[Signature::Verified, Signature::Refused, Signature::KeyMissing]) =>
        {
            Class::TokenRejected
        }
        Class::IssuerUnusable if !sources.clone().all(|source| source.signature == Signature::Unchecked) => {
            Class::IssuerUnavailable
        }
        class => *class,
    })
}

struct Texts {
    summary: &'static str,
    required: String,
    repair: String,
}

/// One refusal, one finding.
pub(super) fn refusal(facts: &Facts<'_>, exchange: &Exchange, error: &StsError, class: Class) -> Finding {
    let token = facts.token();
    let issuer = token.and_then(|token| token.iss.as_deref()).unwrap_or("(none)");
    let audience = token.map(|token| list(&token.aud)).unwrap_or_default();
    let texts = texts(facts, error, class, issuer, &audience);
    let values = facts.values();
    let finding = Finding::new(class, format!("{} {}", sts_host(facts), texts.summary))
        .presented(presented(facts, exchange, class))
        .why(format!("The server says {}. Required: {}.", said(error), plain(&texts.required)))
        .required(texts.required);
    let finding = hints(facts, class, error, finding);
    let values = values.with_text(slot::VALUE, texts.repair);
    let finding = finding.steps(&values, &[&texts_of_server::AT_SERVER]);
    let mut finding = if class == Class::TokenExpiredAtSts {
        finding
            .about_time(true)
            .restart(Restart::Pod)
            .steps(&values, &[&common::SEE_EVENTS, &common::RESTART])
    } else {
        finding
    };
    if finding.owner == Some(Owner::Aws) {
        // Whoever administers roles and providers there runs the server too.
        finding = finding.owner(Owner::Iam);
    }
    finding
}

/// Whether the message names nothing that was refused: there is none, or it says the code again (seaweedfs/seaweedfs#7917).
fn is_bare(error: &StsError) -> bool {
    let message = error.message.to_ascii_lowercase();
    let words = message.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let mut words = words.filter(|word| *word != error.code.to_ascii_lowercase());
    words.all(|word| {
        matches!(word, "access" | "denied" | "is" | "forbidden" | "unauthorized" | "not" | "authorized")
    })
}

/// Its code and its message, in its own words.
fn said(error: &StsError) -> String {
    let message = plain(error.message.trim_end_matches('.'));
    if message.is_empty() { error.code.clone() } else { format!("{}: {message}", error.code) }
}

fn presented(facts: &Facts<'_>, exchange: &Exchange, class: Class) -> String {
    let token = facts.token();
    match class {
        Class::TokenExpiredAtSts => format!(
            "exp {}; the server's clock says {}, this clock {}",
            token.and_then(|token| token.exp).map_or_else(|| "(none)".to_owned(), time),
            exchange.date.map_or_else(|| "(unknown)".to_owned(), time),
            time(exchange.received_at)
        ),
        Class::SignatureInvalid | Class::IssuerUnusable => format!(
            "a token with kid {} of issuer {}",
            token.and_then(|token| token.kid.as_deref()).unwrap_or("(none)"),
            token.and_then(|token| token.iss.as_deref()).unwrap_or("(none)")
        ),
        Class::RoleArnRejected => facts.role_text(),
        Class::Throttled | Class::StsUnavailable | Class::StsUnrecognized => {
            format!(
                "HTTP {}, request {}",
                exchange.status,
                exchange.request_id.as_deref().unwrap_or("without id")
            )
        }
        Class::RequestRejected => format!(
            "role {}, session {}, 900 seconds, a deny-all session policy",
            exchange.role_arn, exchange.session_name
        ),
        _ => facts.identity_text(),
    }
}

fn texts(facts: &Facts<'_>, error: &StsError, class: Class, issuer: &str, audience: &str) -> Texts {
    let role = facts.role_text();
    let of = |summary, required: String, repair: String| Texts { summary, required, repair };
    match class {
        Class::SignatureInvalid => of(
            "says that the token’s signature does not verify",
            format!("a token signed with a key that {issuer} publishes"),
            "See whether the token was changed after it was signed, two clusters share the issuer, or the server still has the issuer’s former keys.".to_owned(),
        ),
        Class::IssuerUnusable => of(
            "says that the issuer’s keys lack the token’s key",
            format!("that kid among the keys of {issuer}"),
            format!("Publish the API server’s keys again under {issuer}. The API server shows them at /openid/v1/jwks."),
        ),
        Class::IssuerUnavailable => of(
            "could not fetch the keys of the issuer",
            format!("{issuer}/.well-known/openid-configuration and the keys it names, within the server's reach"),
            "Let the server reach the issuer. See its DNS, its way out and the certificates that it trusts.".to_owned(),
        ),
        Class::ProviderMissing => of(
            "has no provider for this cluster’s issuer",
            format!("an OpenID Connect provider for {issuer} in the server's configuration"),
            format!("Add {issuer} to the server’s OpenID Connect providers."),
        ),
        Class::AudienceNotRegistered => of(
            "does not know the token’s audience",
            format!("audience {audience} among the client ids that the server has for {issuer}"),
            format!("Add {audience} to the server’s client ids, or let the pod’s projected volume ask for one that it has."),
        ),
        Class::TokenExpiredAtSts => of(
            "takes the token for expired",
            "an expiry after the server's clock".to_owned(),
            "Compare the server’s clock with the node’s. If they agree, the kubelet does not renew the token.".to_owned(),
        ),
        Class::TokenRejected => of(
            "refuses the token",
            format!("a token of an issuer that the server knows, with a signature, an audience and times that it takes; this one is of {issuer}"),
            "See the server’s log, which usually says more.".to_owned(),
        ),
        Class::AccessDenied if is_bare(error) => of(
            "does not let this token assume the role",
            format!("a known issuer with reachable keys, here {issuer}, a registered audience, here {audience}, a token that is neither expired nor changed, {role}, and a trust policy that allows {}", facts.subject_text()),
            "See the server’s log, which usually says which of these it is.".to_owned(),
        ),
        Class::AccessDenied => of(
            "does not let this token assume the role",
            format!("{role}, with policies that exist and a trust policy that allows {}", facts.subject_text()),
            format!("In the server’s own configuration, correct what its message names: {role} itself, its trust policy or its policies."),
        ),
        Class::RoleArnRejected => of(
            "does not take the role’s ARN",
            "the ARN of a role as the server prints it".to_owned(),
            format!("Correct AWS_ROLE_ARN in the container’s environment, or make {role} at the server."),
        ),
        Class::ClaimRejected => of(
            "misses a claim in the token",
            "the claim by which the server finds policies, or a role that has them".to_owned(),
            "A service account’s token takes no claims of one’s own. Let the server find policies by RoleArn.".to_owned(),
        ),
        Class::Throttled => of(
            "throttles this pod",
            "fewer calls a second".to_owned(),
            "If many pods start together, add --start-jitter=10s to credprobe’s arguments.".to_owned(),
        ),
        Class::StsUnavailable => of(
            "fails",
            "a server that answers".to_owned(),
            "See the server’s own state and log. A later try may pass by itself.".to_owned(),
        ),
        Class::RequestRejected => of(
            "refuses the request itself",
            "parameters that the server takes".to_owned(),
            "See which parameters the server takes. Its log usually names the one that it refuses.".to_owned(),
        ),
        _ => of(
            "gives an answer that credprobe does not know",
            "credentials, or an error that is known".to_owned(),
            "Look the message up in the server’s documentation and log.".to_owned(),
        ),
    }
}

/// What a refusal that tells little leaves to look at.
fn hints(facts: &Facts<'_>, class: Class, error: &StsError, mut finding: Finding) -> Finding {
    if matches!(class, Class::TokenRejected | Class::SignatureInvalid) {
        finding.ruled_out.extend(issuer::ruled_out(facts));
        finding = issuer::not_checked(facts, finding);
    }
    let Some(token) = facts.token() else { return finding };
    let bare = class == Class::AccessDenied && is_bare(error);
    if bare && !token.aud.iter().any(|aud| aud == USUAL_AUDIENCE) {
        let values = facts.values().with_text(slot::AUDIENCE, list(&token.aud));
        finding = finding.steps(&values, &[&texts_of_server::SEE_AUDIENCE]);
    }
    if (bare || class == Class::TokenRejected) && token.trailing_whitespace > 0 {
        finding = finding.steps(&facts.values(), &[&texts_of_server::NO_WHITE_SPACE]);
    }
    finding
}

#[cfg(test)]
mod tests;
