//! Refusals that the IAM OIDC provider's side makes: missing, audience, thumbprint, and the text that says no cause. Pure.

use super::quoted;
use crate::catalog::texts::exchange as texts;
use crate::catalog::{Class, Owner};
use crate::evidence::{Origin, StsError};
use crate::judge::facts::{Facts, list, time};
use crate::judge::finding::Finding;
use crate::judge::issuer;
use crate::judge::token::USUAL_AUDIENCE;
use crate::settings::command::Word;
use crate::settings::partition;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::text::plain;

pub(super) fn provider_missing(facts: &Facts<'_>, error: &StsError) -> Finding {
    let values = facts.values();
    let issuer = facts.token().and_then(|token| token.iss.as_deref()).unwrap_or("(none)");
    let finding = Finding::new(
        Class::ProviderMissing,
        values.say("{account} has no OIDC provider for the issuer of this cluster"),
    )
    .presented(format!("issuer {issuer}"))
    .required(
        facts
            .provider_arn()
            .map_or_else(|| "an IAM OIDC provider for it".to_owned(), |arn| format!("{arn} in IAM")),
    )
    .ruled_out(format!("the role's trust policy: STS says {} before it looks at it", quoted(error)))
    .why(format!(
        "STS says {} before it looks at role and trust policy. IRSA needs a provider for the token’s issuer in the account of the role.",
        error.code
    ));
    let issuer_region = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    let (values, other_region) = other_region(facts, values);
    let values = match issuer_region {
        Some(region) => values.with(slot::REGION, region, Word::region(region)),
        None => values,
    };
    let mut steps: Vec<&Template> = Vec::new();
    if issuer_region.is_some() && other_region.is_none() {
        steps.push(&texts::SEE_ITS_ASSOCIATION);
    } else {
        steps.push(&texts::SEE_PROVIDER);
    }
    steps.extend(other_region);
    // A provider for what AWS can never reach would be of no use; `issuer` says what is.
    if issuer::private_issuer(facts).is_none() {
        if issuer_region.is_some() && other_region.is_none() {
            steps.push(&texts::LEFT_FOR_POD_IDENTITY);
        }
        steps.extend([&texts::ACCOUNT_IS_WRONG, &texts::CREATE_PROVIDER]);
    }
    finding.steps(&values, &steps)
}

/// A regional endpoint that the account has not enabled answers as if the provider were missing.
fn other_region(facts: &Facts<'_>, values: Values) -> (Values, Option<&'static Template>) {
    let issuer_region =
        facts.token().and_then(|token| token.iss.as_deref()).and_then(partition::region_of_issuer);
    let asked = facts.route.endpoint.as_ref().map(|endpoint| endpoint.signing_region.as_str());
    match (issuer_region, asked) {
        (Some(cluster), Ok(asked)) if cluster != asked => {
            (values.with_text(slot::VALUE, cluster), Some(&texts::REGION_NOT_ENABLED))
        }
        _ => (values, None),
    }
}

pub(super) fn audience_not_registered(facts: &Facts<'_>, error: &StsError) -> Finding {
    let audience = facts.token().map(|token| list(&token.aud)).unwrap_or_default();
    Finding::new(
        Class::AudienceNotRegistered,
        format!("the OIDC provider does not list the audience {}", plain(&audience)),
    )
    .presented(format!("audience {audience}"))
    .required("that audience among the provider's client ids, without a blank before or behind it")
    .ruled_out(format!("a missing provider: STS found it and says {}", quoted(error)))
    .why(format!(
        "STS found the provider and says {}: {}. The client id list must have the token’s audience, without a space at either end.",
        error.code,
        plain(error.message.trim_end_matches('.'))
    ))
    .steps(&facts.values(), &[&texts::SEE_PROVIDER, &texts::USUAL_AUDIENCE, &texts::ADD_AUDIENCE])
}

pub(super) fn thumbprint_mismatch(facts: &Facts<'_>, error: &StsError) -> Finding {
    let finding = Finding::new(
        Class::ThumbprintMismatch,
        "the issuer’s certificate matches none of the OIDC provider’s thumbprints",
    )
    .presented(format!("the certificate chain of {}", facts.issuer_path().unwrap_or("the issuer")))
    .required(
        "a chain to a public root, or the SHA-1 of its last certificate among the provider's thumbprints",
    )
    .ruled_out(format!("a missing provider: STS found it and says {}", quoted(error)));
    let sources = facts.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    let last = sources
        .filter(|source| source.origin == Origin::Public)
        .find_map(|source| source.discovery.last_certificate.as_ref());
    let values = facts.values();
    match last {
        Some((sha1, expiry)) if facts.role.is_some() => finding
            .presented(format!("a chain that ends in the certificate {sha1} (SHA-1), valid until {}", time(*expiry)))
            .why(format!(
                "STS found the provider. The issuer’s chain ends in the certificate with SHA-1 {sha1}, valid until {}, which is neither a public root nor in the provider’s list.",
                time(*expiry)
            ))
            .steps(&values.with(slot::THUMBPRINT, sha1, Word::sha1(sha1)), &[&texts::SEE_PUBLIC_ROOT, &texts::ONLY_SEEN_HERE, &texts::ADD_THUMBPRINT]),
        _ => finding
            .why("STS found the provider. IAM looks at thumbprints only where the issuer’s authority is not a public one.")
            .steps(&values, &[&texts::SEE_PROVIDER, &texts::LOOK_FROM_ELSEWHERE]),
    }
}

pub(super) fn token_rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let values = facts.values();
    let mut finding = Finding::new(
        Class::TokenRejected,
        values.say("most likely {account} has no OIDC provider for this cluster"),
    )
    .presented(facts.identity_text())
    .required(match facts.provider_arn() {
        Some(arn) => format!("{arn} in IAM with the token's audience among its client ids, and keys at the issuer that verify the token"),
        None => "an IAM OIDC provider in the role's account for this issuer and audience".to_owned(),
    })
    .ruled_out(format!("the role's trust policy: STS says {} before it looks at it", quoted(error)));
    let (values, other_region) = other_region(facts, values);
    let mut first: Vec<&Template> = Vec::new();
    let mut right: Vec<String> = Vec::new();
    if let Some(token) = facts.token() {
        if token.aud.len() > 1 && token.azp.is_none() {
            // STS's old wording said so: several audiences need an authorized party that says which counts.
            finding.summary =
                format!("the token has several audiences, {}, and no azp", plain(&list(&token.aud)));
            finding = finding.owner(Owner::Pod);
            first.push(&texts::ONE_AUDIENCE);
        }
        if token.trailing_whitespace > 0 {
            // STS does not say so in any wording, but nothing else here differs from a token of kubelet's.
            finding.summary =
                "most likely the white space behind the token, which every SDK sends too".to_owned();
            first.push(&texts::NO_WHITE_SPACE);
        }
        if token.exp.is_some_and(|expiry| expiry > facts.now) {
            finding = finding.ruled_out("an expired token, by this clock");
            right.push("expiry".to_owned());
        }
        if token.aud.iter().any(|aud| aud == USUAL_AUDIENCE) {
            finding = finding.ruled_out(format!("a wrong audience in the token: it has {USUAL_AUDIENCE}"));
            right.push("audience".to_owned());
        }
    }
    let looked = issuer::ruled_out(facts);
    if looked.iter().any(|text| text.starts_with("the signature")) {
        right.push("signature".to_owned());
    }
    finding.ruled_out.extend(looked);
    let right = match right.as_slice() {
        [] => String::new(),
        [one] => format!(" Its {one} is right."),
        [most @ .., last] => format!(" Its {} and {last} are right.", most.join(", ")),
    };
    let unreached = if issuer::is_out_of_reach(facts) {
        " STS reaches the issuer itself, so this pod need not."
    } else {
        ""
    };
    finding = finding.why(format!(
        "STS rejects the token and does not say why.{right} The remaining causes are the provider, its audiences, the region and the issuer’s keys.{unreached}"
    ));
    if let Some(role) = facts.role.as_ref().filter(|_| first.is_empty()) {
        // The account stands in an annotation, which somebody else wrote.
        finding = finding.acts(format!("whoever administers IAM in {}, or deploys this pod", role.account));
    }
    finding = issuer::not_checked(facts, finding);
    let mut steps = first;
    steps.push(&texts::SEE_PROVIDER);
    if steps.len() == 1 {
        steps.push(&texts::ACCOUNT_IS_WRONG);
    }
    steps.extend(other_region);
    steps.push(&texts::LISTED_WITHOUT);
    if issuer::private_issuer(facts).is_none() {
        steps.push(&texts::CREATE_PROVIDER);
    }
    finding.steps(&values, &steps)
}
