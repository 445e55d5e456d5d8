//! Judges the refusals of other servers that speak STS's protocol, by their own wordings. Pure.
//! Their codes tell little, and nothing of AWS is in these findings: the server's own message is quoted.

use super::{quoted, sts_host};
use crate::catalog::{Class, Owner};
use crate::evidence::{Exchange, Signature, StsError};
use crate::judge::facts::{Facts, list, time};
use crate::judge::finding::Finding;
use crate::judge::issuer;
use crate::judge::token::USUAL_AUDIENCE;

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
    let host = sts_host(facts);
    let finding = Finding::new(class, format!("the server at {host} {}: {}", texts.summary, quoted(error)))
        .presented(presented(facts, exchange, class))
        .required(texts.required)
        .fix(format!("# {}", texts.repair));
    let finding = if class == Class::TokenExpiredAtSts {
        facts.recreate(facts.events(finding.about_time(true)))
    } else {
        finding
    };
    let mut finding = hints(facts, class, error, finding);
    if finding.owner == Some(Owner::Aws) {
        // Whoever administers roles and providers there runs the server too.
        finding = finding.owner(Owner::Iam);
    }
    finding
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
            "says that the token's signature does not verify",
            format!("a token signed with a key that {issuer} publishes"),
            "the token was changed after it was signed, two clusters share the issuer, or the server has other keys of it than it publishes now".to_owned(),
        ),
        Class::IssuerUnusable => of(
            "says that the issuer's keys lack the one that signed the token",
            format!("that kid among the keys of {issuer}"),
            format!("publish the API server's keys again under {issuer}; compare with: kubectl get --raw /openid/v1/jwks"),
        ),
        Class::IssuerUnavailable => of(
            "could not fetch the keys of the issuer",
            format!("{issuer}/.well-known/openid-configuration and the keys it names, within the server's reach"),
            "let the server reach the issuer: its DNS, its way out and the certificates that it trusts".to_owned(),
        ),
        Class::ProviderMissing => of(
            "has no provider for the issuer of this cluster",
            format!("an OpenID Connect provider for {issuer} in the server's configuration"),
            format!("add {issuer} to the server's OpenID Connect providers"),
        ),
        Class::AudienceNotRegistered => of(
            "does not know the token's audience",
            format!("audience {audience} among the client ids that the server has for {issuer}"),
            format!("add {audience} to the server's client ids, or let the pod's projected volume ask for one that it has"),
        ),
        Class::TokenExpiredAtSts => of(
            "holds the token for expired",
            "an expiry after the server's clock".to_owned(),
            "compare the server's clock with the node's; a token that has really expired comes with another pod:".to_owned(),
        ),
        Class::TokenRejected => of(
            "refuses the token",
            format!("a token of an issuer that the server knows, with a signature, an audience and times that it takes; this one is of {issuer}"),
            "the server says why; its log usually says more".to_owned(),
        ),
        Class::AccessDenied if error.message.is_empty() => of(
            "does not let this token assume the role and does not say why",
            format!("a known issuer with reachable keys, a registered audience, a token that is neither expired nor changed, {role}, and a trust policy that allows {}", facts.subject_text()),
            "check these in the server's own configuration, in this order; its log usually names the one".to_owned(),
        ),
        Class::AccessDenied => of(
            "does not let this token assume the role",
            format!("{role}, with policies that exist and a trust policy that allows {}", facts.subject_text()),
            format!("in the server's own configuration, what its message names: {role} itself, its trust policy or its policies"),
        ),
        Class::RoleArnRejected => of(
            "does not take the role's ARN",
            "the ARN of a role as the server prints it".to_owned(),
            format!("correct AWS_ROLE_ARN in the container's env, or make {role} at the server"),
        ),
        Class::ClaimRejected => of(
            "does not find in the token the claim that it needs",
            "the claim by which the server finds policies, or a role that has them".to_owned(),
            "a service account's token takes no claims of one's own: let the server find policies by RoleArn instead".to_owned(),
        ),
        Class::Throttled => of(
            "throttles",
            "fewer calls a second".to_owned(),
            "pods that start together should not ask together: --start-jitter=10s".to_owned(),
        ),
        Class::StsUnavailable => of(
            "failed",
            "a server that answers".to_owned(),
            "see the server's own state and log; a later try may pass by itself".to_owned(),
        ),
        Class::RequestRejected => of(
            "refuses the request itself",
            "parameters that the server takes".to_owned(),
            "see which parameters the server takes; its log usually names the one".to_owned(),
        ),
        _ => of(
            "gave an answer that this version does not know",
            "credentials, or an error that is known".to_owned(),
            "look the message up in the server's documentation and log".to_owned(),
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
    let bare = class == Class::AccessDenied && error.message.is_empty();
    if bare && !token.aud.iter().any(|aud| aud == USUAL_AUDIENCE) {
        finding = finding.confirm(format!(
            "# the token's audience is {}: is it registered at the server?",
            list(&token.aud)
        ));
    }
    if (bare || class == Class::TokenRejected) && token.trailing_whitespace > 0 {
        finding = finding
            .fix("# first: make whatever writes the token file leave out the white space behind the token");
    }
    finding
}

#[cfg(test)]
mod tests;
