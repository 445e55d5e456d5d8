//! Judges what the issuer publishes against the token, and what STS says in the issuer's region. Pure.
//! Only what explains a refusal is here; an issuer out of the pod's reach is no finding.

use super::exchange::{self, discovery, of_region};
use super::facts::Facts;
use super::network;
use crate::catalog::Class;
use crate::evidence::{Issuer, KeySource, Origin, Signature, Token};
use crate::judge::finding::Finding;
use crate::settings::partition;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(region_disabled(facts));
    if let Some(issuer) = &facts.evidence.issuer {
        findings.extend(signature_invalid(facts, issuer));
        findings.extend(issuer_unusable(facts, issuer));
    }
    if !findings.iter().any(|finding| finding.class == Class::IssuerUnusable) {
        findings.extend(never_reachable(facts));
    }
    findings
}

fn region_disabled(facts: &Facts<'_>) -> Option<Finding> {
    let other = facts.evidence.other_region.as_ref().filter(|other| other.status == Some(200))?;
    let endpoint = facts.route.endpoint.as_ref().ok()?;
    let asked = &endpoint.signing_region;
    let account = facts.role.as_ref().map_or("the role's account", |role| role.account.as_str());
    let finding = Finding::new(
        Class::RegionDisabled,
        format!("account {account} has not enabled {asked}: STS takes the same token in {}", other.region),
    )
    .presented(format!("{} in {asked}", facts.identity_text()))
    .required(format!("{asked} enabled for account {account}, or the exchange in {}", other.region))
    .ruled_out(
        "the IAM OIDC provider, its audience, the role and its trust policy: they serve in the other region",
    )
    .confirm_command(of_region(facts, "get-region-opt-status", asked));
    let finding = finding.fix_note(
        of_region(facts, "enable-region", asked),
        &format!("with credentials of account {account}; takes some minutes"),
    );
    Some(finding.fix(format!(
        "# or set AWS_REGION and AWS_DEFAULT_REGION to {} in the container's env",
        other.region
    )))
}

fn signature_invalid(facts: &Facts<'_>, issuer: &Issuer) -> Option<Finding> {
    let source = issuer.sources.iter().find(|source| source.signature == Signature::Refused)?;
    let token = facts.token()?;
    let kid = token.kid.as_deref();
    let summary = if kid.is_some() {
        "the issuer publishes the token's key, and the token's signature does not verify with it"
    } else {
        "the token names no key, and its signature verifies with none that the issuer publishes"
    };
    let finding = Finding::new(Class::SignatureInvalid, summary)
        .presented(format!(
            "a token with kid {} of issuer {}",
            kid.unwrap_or("(none)"),
            token.iss.as_deref().unwrap_or("(none)")
        ))
        .required(format!(
            "a token signed with {}, which {} publishes",
            if kid.is_some() { "that key" } else { "a key" },
            keys_url(source)
        ))
        .ruled_out("the OIDC provider and the role: no issuer's key makes this token good");
    let finding = finding.fix("# the token was changed after it was signed, or two clusters share the issuer: mount kubelet's volume itself, and give each cluster an issuer of its own");
    Some(facts.recreate(finding))
}

fn issuer_unusable(facts: &Facts<'_>, issuer: &Issuer) -> Option<Finding> {
    let public = issuer.sources.iter().find(|source| source.origin == Origin::Public)?;
    let url = facts.token()?.iss.as_deref()?;
    let (summary, presented, required) = problem(facts, public)?;
    let finding = Finding::new(Class::IssuerUnusable, summary)
        .presented(presented)
        .required(required)
        .ruled_out("the role and its trust policy: STS had not looked at them yet");
    Some(
        finding
            .confirm_command(discovery(url))
            .fix("kubectl get --raw /.well-known/openid-configuration > openid-configuration")
            .fix("kubectl get --raw /openid/v1/jwks > keys.json")
            .fix(format!("# publish these two again under {url}, readable for everyone, with jwks_uri pointing to the second")),
    )
}

/// A name or an address that is the cluster's or the company's own: STS asks from outside. Only where STS has refused the
/// token for its issuer, and by the name alone: what it resolves to here says nothing of there.
fn never_reachable(facts: &Facts<'_>) -> Option<Finding> {
    facts.evidence.exchange.as_ref()?.error.as_ref()?;
    let refused = super::exchange::judge(facts);
    let about_issuer =
        |class| matches!(class, Class::IssuerUnavailable | Class::TokenRejected | Class::ProviderMissing);
    if facts.compatible() || !refused.iter().any(|finding| about_issuer(finding.class)) {
        return None;
    }
    let url = facts.token()?.iss.as_deref()?;
    let host = partition::host_of(url)?;
    let why = private(host)?;
    Some(
        Finding::new(Class::IssuerUnusable, format!("AWS can never reach the issuer {url}: {why}"))
            .presented(format!("issuer {url}"))
            .required("an issuer under a public name, from which STS can fetch discovery document and keys over the internet")
            .ruled_out("the role and its trust policy: STS had not looked at them yet")
            .fix("# publish the two documents of the API server where everybody can read them, for instance in an S3 bucket behind CloudFront:")
            .fix("kubectl get --raw /.well-known/openid-configuration > openid-configuration")
            .fix("kubectl get --raw /openid/v1/jwks > keys.json")
            .fix("# then give the API server that name as --service-account-issuer, and register it as an IAM OIDC provider; tokens of the old issuer stay valid while both are stated"),
    )
}

fn private(host: &str) -> Option<&'static str> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if let Ok(address) = host.parse::<std::net::IpAddr>() {
        return network::is_private(address).then_some("its address is a private one");
    }
    let ends = |ending: &str| host.ends_with(ending);
    match () {
        () if host == "localhost" || ends(".localhost") => Some("localhost is each machine itself"),
        () if !host.contains('.') => Some("a name without a dot is known inside one network only"),
        () if ends(".svc") || ends(".cluster.local") => Some("it is the name of a Service of the cluster"),
        () if ends(".local") || ends(".internal") => {
            Some("names under .local and .internal are never public")
        }
        () => None,
    }
}

fn problem(facts: &Facts<'_>, public: &KeySource) -> Option<(String, String, String)> {
    let token = facts.token()?;
    let wanted = token.iss.as_deref()?;
    let document = |text: String| {
        (text.clone(), text, "a document as OpenID Connect Discovery has it, public".to_owned())
    };
    let redirected = |status: &Option<u16>| status.filter(|status| (300..400).contains(status));
    if let Some(status) = redirected(&public.discovery.status) {
        return Some(document(format!(
            "the discovery document at {} is answered with HTTP {status}: STS follows no redirect",
            public.discovery.url
        )));
    }
    if let Some(status) =
        public.discovery.status.filter(|status| *status >= 400 && *status < 500 && *status != 429)
    {
        return Some(document(format!(
            "{} answers HTTP {status}: STS cannot fetch it",
            public.discovery.url
        )));
    }
    if let Some(problem) = &public.discovery.problem {
        return Some(document(format!("{} cannot be used: {problem}", public.discovery.url)));
    }
    // What answers 429 or 5xx is busy or broken for now: no document was seen to be judged.
    public.discovery.status.filter(|status| (200..300).contains(status))?;
    if !public.missing.is_empty() {
        return Some((
            format!("the issuer's discovery document lacks {}", public.missing.join(", ")),
            format!("{} without {}", public.discovery.url, public.missing.join(", ")),
            "issuer, jwks_uri, response_types_supported, subject_types_supported, id_token_signing_alg_values_supported".to_owned(),
        ));
    }
    if public.issuer.as_deref() != Some(wanted) {
        let named = public.issuer.as_deref().unwrap_or("(none)");
        return Some((
            format!("the discovery document names another issuer, {named}"),
            format!("issuer {named} in {}", public.discovery.url),
            format!("{wanted}, byte for byte, as the token has it"),
        ));
    }
    let keys = public.keys.as_ref()?;
    if let Some(status) = redirected(&keys.status) {
        return Some(document(format!(
            "the keys at {} are answered with HTTP {status}: STS follows no redirect",
            keys.url
        )));
    }
    if let Some(status) = keys.status.filter(|status| *status >= 400 && *status < 500 && *status != 429) {
        return Some(document(format!("{} answers HTTP {status}: STS cannot fetch the keys", keys.url)));
    }
    if let Some(problem) = &keys.problem {
        return Some(document(format!("{} cannot be used: {problem}", keys.url)));
    }
    let kid = token.kid.as_deref().unwrap_or("(none)");
    match public.signature {
        Signature::KeyMissing => Some((
            format!("the issuer's keys lack the one that signed the token, {kid}"),
            format!("a token with kid {kid}"),
            format!("that kid among the keys at {}, which has {}", keys.url, list(&public.kids)),
        )),
        // Only where STS says that it found no key: whether it can use this one is its own matter.
        Signature::KeyUnusable if exchange::found_no_key(facts) => Some((
            format!("the issuer's key {kid} is not one with which the token's signature can be verified"),
            format!("at {} {}", keys.url, unusable_key(token)),
            "a key with that kid, the type of the token's algorithm and its numbers: n and e, or x and y"
                .to_owned(),
        )),
        _ => None,
    }
}

fn unusable_key(token: &Token) -> String {
    format!(
        "a key with kid {} that is not for signing with {}, or without its numbers, as one in a certificate alone",
        token.kid.as_deref().unwrap_or("(none)"),
        token.alg.as_deref().unwrap_or("(none)")
    )
}

/// Adds why the signature was not checked although the issuer's keys were there, for a refusal that says nothing.
pub(super) fn not_checked(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Some(token) = facts.token() else { return finding };
    let sources = facts.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    let why = sources.rev().find_map(|source| match source.signature {
        Signature::KeyNotChecked => Some(
            "the issuer's RSA key has fewer than 2,048 or more than 8,192 bits, or a rare exponent"
                .to_owned(),
        ),
        Signature::AlgorithmNotChecked => {
            Some(format!("credprobe does not know {}", token.alg.as_deref().unwrap_or("its algorithm")))
        }
        Signature::KeyUnusable => Some(format!("the issuer publishes {}", unusable_key(token))),
        _ => None,
    });
    match why {
        Some(why) => finding.confirm(format!("# the token's signature was not checked: {why}")),
        None => finding,
    }
}

/// What was looked at and found good, for a refusal that says nothing.
pub(super) fn ruled_out(facts: &Facts<'_>) -> Vec<String> {
    let sources = facts.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    let mut texts = Vec::new();
    for source in sources {
        if source.signature == Signature::Verified {
            texts
                .push(format!("the signature: it verifies with the key that {} publishes", keys_url(source)));
        }
    }
    if let Some(other) =
        facts.evidence.other_region.as_ref().filter(|other| other.status.is_some_and(|status| status != 200))
    {
        texts.push(format!("a region that is not enabled: STS in {} refuses the token too", other.region));
    }
    texts
}

/// Whether the issuer's own documents are out of this pod's reach, which is no fault of anything.
pub(super) fn is_out_of_reach(facts: &Facts<'_>) -> bool {
    let mut sources = facts.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    sources.any(|source| source.origin == Origin::Public && source.discovery.status.is_none())
}

fn keys_url(source: &KeySource) -> &str {
    source.keys.as_ref().map_or(&source.discovery.url, |keys| &keys.url)
}

fn list(kids: &[String]) -> String {
    if kids.is_empty() { "none".to_owned() } else { kids.join(", ") }
}
