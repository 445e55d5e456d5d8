//! Refusals that the IAM OIDC provider's side makes: missing, audience, thumbprint, and the text that says no cause. Pure.

use super::{of_region, quoted};
use crate::catalog::{Class, Owner};
use crate::evidence::{Origin, StsError};
use crate::judge::facts::{Facts, list, time};
use crate::judge::finding::Finding;
use crate::judge::issuer;
use crate::judge::token::USUAL_AUDIENCE;
use crate::settings::command::{Word, words};
use crate::settings::partition;

/// Commands that show the provider and its client ids in the role's account.
fn show_provider(facts: &Facts<'_>, finding: Finding) -> Finding {
    let account = facts.role.as_ref().map(|role| role.account.as_str()).unwrap_or_default();
    finding.confirm_note(
        of_provider(facts, "get-open-id-connect-provider", &[]),
        &format!("with credentials of account {account}"),
    )
}

/// `aws iam OPERATION --open-id-connect-provider-arn ARN MORE…`
fn of_provider(facts: &Facts<'_>, operation: &'static str, more: &[Word]) -> Option<String> {
    let arn = Word::provider_arn(facts.role.as_ref()?, facts.issuer_path()?);
    let words = words!["iam", operation, "--open-id-connect-provider-arn", arn];
    facts.aws()?.run(&[words, more].concat())
}

fn create_provider(facts: &Facts<'_>, finding: Finding) -> Finding {
    if issuer::private_issuer(facts).is_some() {
        // A provider for what AWS can never reach would be of no use; `issuer` says what is.
        return finding;
    }
    let Some(token) = facts.token() else { return finding };
    let (Some(issuer), Some(role)) = (&token.iss, &facts.role) else { return finding };
    let audience = token.aud.first().map_or(USUAL_AUDIENCE, String::as_str);
    let create = facts.aws().and_then(|aws| {
        aws.run(words![
            "iam",
            "create-open-id-connect-provider",
            "--url",
            Word::issuer(issuer),
            "--client-id-list",
            Word::audience(audience),
        ])
    });
    finding.fix_note(
        create,
        &format!("if there is none yet; with credentials of account {}, the role's", role.account),
    )
}

fn register_audience(facts: &Facts<'_>, finding: Finding) -> Finding {
    let audience = facts.token().and_then(|token| token.aud.first());
    let command = audience.and_then(|audience| {
        let words = words!["--client-id", Word::audience(audience)];
        of_provider(facts, "add-client-id-to-open-id-connect-provider", words)
    });
    finding.fix_note(command, "if its ClientIDList lacks it")
}

pub(super) fn provider_missing(facts: &Facts<'_>, error: &StsError) -> Finding {
    let role_account = facts.role.as_ref().map_or("the role's account", |role| role.account.as_str());
    let issuer = facts.token().and_then(|token| token.iss.as_deref()).unwrap_or("(none)");
    let finding = Finding::new(
        Class::ProviderMissing,
        format!("account {role_account} has no IAM OIDC provider for the issuer of this cluster"),
    )
    .presented(format!("issuer {issuer}"))
    .required(
        facts
            .provider_arn()
            .map_or_else(|| "an IAM OIDC provider for it".to_owned(), |arn| format!("{arn} in IAM")),
    )
    .ruled_out(format!("the role's trust policy: STS says {} before it looks at it", quoted(error)));
    create_provider(facts, show_provider(facts, other_region(facts, finding)))
}

/// A regional endpoint that the account has not enabled answers as if the provider were missing.
fn other_region(facts: &Facts<'_>, finding: Finding) -> Finding {
    let issuer_region =
        facts.token().and_then(|token| token.iss.as_deref()).and_then(partition::region_of_issuer);
    let asked = facts.route.endpoint.as_ref().map(|endpoint| endpoint.signing_region.as_str());
    match (issuer_region, asked) {
        (Some(cluster), Ok(asked)) if cluster != asked => finding.confirm_note(
            of_region(facts, "get-region-opt-status", asked),
            &format!("the exchange went to {asked}, the cluster is in {cluster}: a region that is not enabled answers the same"),
        ),
        _ => finding,
    }
}

pub(super) fn audience_not_registered(facts: &Facts<'_>, error: &StsError) -> Finding {
    let audience = facts.token().map(|token| list(&token.aud)).unwrap_or_default();
    let finding = Finding::new(
        Class::AudienceNotRegistered,
        format!("the IAM OIDC provider's client id list lacks the token's audience {audience}"),
    )
    .presented(format!("audience {audience}"))
    .required("that audience among the provider's client ids, without a blank before or behind it")
    .ruled_out(format!("a missing provider: STS found it and says {}", quoted(error)));
    register_audience(facts, show_provider(facts, finding))
}

pub(super) fn thumbprint_mismatch(facts: &Facts<'_>, error: &StsError) -> Finding {
    let finding = Finding::new(
        Class::ThumbprintMismatch,
        "IAM does not trust the certificate of the issuer: it matches none of the provider's thumbprints",
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
    let finding = show_provider(facts, finding);
    match last {
        Some((sha1, expiry)) if facts.role.is_some() => finding
            .presented(format!("a chain that ends in the certificate {sha1} (SHA-1), valid until {}", time(*expiry)))
            .fix_note(
                of_provider(
                    facts,
                    "update-open-id-connect-provider-thumbprint",
                    words!["--thumbprint-list", Word::sha1(sha1)],
                ),
                "overwrites the list: add the thumbprints that the first command shows and that are still needed",
            ),
        _ => finding.fix(format!(
            "# run from where the issuer can be reached: this pod cannot, so the SHA-1 of its last certificate is not known; issuer {}",
            facts.issuer_path().unwrap_or("(none)")
        )),
    }
}

pub(super) fn token_rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let mut finding = Finding::new(
        Class::TokenRejected,
        "STS could not validate the token and does not say why",
    )
    .presented(facts.identity_text())
    .required(match facts.provider_arn() {
        Some(arn) => format!("{arn} in IAM with the token's audience among its client ids, and keys at the issuer that verify the token"),
        None => "an IAM OIDC provider in the role's account for this issuer and audience".to_owned(),
    })
    .ruled_out(format!("the role's trust policy: STS says {} before it looks at it", quoted(error)));
    if let Some(token) = facts.token() {
        if token.aud.len() > 1 && token.azp.is_none() {
            // STS's old wording said so: several audiences need an authorized party that says which counts.
            finding.summary = format!(
                "STS could not validate the token; it has several audiences, {}, and no azp that says which counts",
                list(&token.aud)
            );
            finding =
                finding.owner(Owner::Pod).fix("# first: let the projected volume ask for one audience only");
        }
        if token.trailing_whitespace > 0 {
            // STS does not say so in any wording, but nothing else here differs from a token of kubelet's.
            finding.summary = "STS could not validate the token; white space follows it in the file, and every SDK sends that too".to_owned();
            finding = finding.fix("# first: make whatever writes the file leave out the line break, or mount kubelet's volume itself");
        }
        if token.exp.is_some_and(|expiry| expiry > facts.now) {
            finding = finding.ruled_out("an expired token, by this clock");
        }
        if token.aud.iter().any(|aud| aud == USUAL_AUDIENCE) {
            finding = finding.ruled_out(format!("a wrong audience in the token: it has {USUAL_AUDIENCE}"));
        }
    }
    finding.ruled_out.extend(issuer::ruled_out(facts));
    finding = issuer::not_checked(facts, finding);
    if issuer::is_out_of_reach(facts) {
        finding = finding.confirm("# the issuer's documents are out of this pod's reach, which is no fault: STS fetches them itself");
    }
    let finding = show_provider(facts, other_region(facts, finding));
    register_audience(facts, create_provider(facts, finding))
}
