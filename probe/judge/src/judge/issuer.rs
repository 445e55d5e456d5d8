//! Judges what the issuer publishes against the token, and what STS says in the issuer's region. Pure.
//! Only what explains a refusal is here; an issuer out of the pod's reach is no finding.

use super::exchange;
use super::facts::Facts;
use super::network;
use crate::catalog::texts::{exchange as texts, token as texts_of_token};
use crate::catalog::{Class, Owner};
use crate::evidence::{Issuer, KeySource, Origin, Signature, Token};
use crate::judge::finding::Finding;
use crate::settings::command::Word;
use crate::settings::partition;
use crate::steps::slot;
use crate::text::plain;

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
        format!("account {account} has not enabled {asked}"),
    )
    .presented(format!("{} in {asked}", facts.identity_text()))
    .required(format!("{asked} enabled for account {account}, or the exchange in {}", other.region))
    .ruled_out(
        "the IAM OIDC provider, its audience, the role and its trust policy: they serve in the other region",
    )
    .why(format!(
        "STS in {} takes the same token, and STS in {asked} refuses it. So provider, audience, role and trust policy are right.",
        other.region
    ));
    let values = facts.values().with(slot::REGION, asked, Word::region(asked)).with(
        slot::VALUE,
        &other.region,
        Word::region(&other.region),
    );
    Some(finding.steps(&values, &[&texts::SEE_REGION, &texts::ENABLE_REGION, &texts::USE_OTHER_REGION]))
}

fn signature_invalid(facts: &Facts<'_>, issuer: &Issuer) -> Option<Finding> {
    let source = issuer.sources.iter().find(|source| source.signature == Signature::Refused)?;
    let token = facts.token()?;
    let kid = token.kid.as_deref();
    let summary = if kid.is_some() {
        "the token is not signed with the key that its issuer publishes"
    } else {
        "the token is signed with none of the keys that its issuer publishes"
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
    Some(
        finding
            .why(format!(
                "The token’s kid is {}, and {} publishes keys with which the signature does not verify. Somebody altered the token, or two clusters share this issuer.",
                kid.unwrap_or("missing"),
                keys_url(source)
            ))
            .acts("whoever deploys this pod. If nobody copied the token, tell security")
            .steps(&facts.values().with(slot::VALUE, keys_url(source), Word::url(keys_url(source))), &[
                &texts_of_token::SEE_ISSUER_KEYS,
                &texts_of_token::SEE_API_KEYS,
                &texts_of_token::MOUNT_OWN_IF,
                if facts.token()?.iss.as_deref().and_then(partition::region_of_issuer).is_some() {
                    &texts_of_token::ASK_AWS_KEYS
                } else {
                    &texts_of_token::PUBLISH_KEYS_IF
                },
            ]),
    )
}

fn issuer_unusable(facts: &Facts<'_>, issuer: &Issuer) -> Option<Finding> {
    let public = issuer.sources.iter().find(|source| source.origin == Origin::Public)?;
    let url = facts.token()?.iss.as_deref()?;
    let what = problem(facts, public)?;
    let (summary, presented, required) = what.clone();
    let gone = partition::region_of_issuer(url).is_some()
        && public.discovery.status.is_some_and(|status| (400..500).contains(&status));
    let about_keys = summary.contains("key");
    let summary = if gone {
        "the token names an EKS cluster whose OIDC documents are gone".to_owned()
    } else {
        summary
    };
    let finding = Finding::new(Class::IssuerUnusable, summary)
        .presented(presented)
        .required(required)
        .ruled_out("the role and its trust policy: STS had not looked at them yet");
    let of_eks = partition::region_of_issuer(url).is_some();
    let values = facts.values().with(slot::ISSUER_URL, url, Word::issuer(url));
    if of_eks {
        return Some(
            finding
                .acts(if gone { Owner::Pod } else { Owner::Cluster }.people())
                .why(if gone {
                    format!("The token’s issuer is {url}. AWS publishes its documents as long as the cluster exists. So the token is of a deleted or of another cluster.")
                } else {
                    format!("{} The issuer answers, so its cluster exists. Its keys were changed after this token was issued, or another cluster signed it.", sentence(&what))
                })
                .steps(&values, &[
                    &texts_of_token::SEE_THIS_ISSUER,
                    &texts_of_token::NEW_TOKEN_IF,
                    if gone { &texts_of_token::ASK_AWS_IF } else { &texts_of_token::TRY_NEW_TOKEN_IF },
                ]),
        );
    }
    Some(
        finding
            .why(format!("{} It fetches discovery document and keys over the internet.", sentence(&what)))
            .steps(
                &values,
                &[
                    &texts_of_token::SEE_DISCOVERY,
                    if about_keys {
                        &texts_of_token::SEE_CLUSTER_KEYS
                    } else {
                        &texts_of_token::SEE_CLUSTER_DISCOVERY
                    },
                    &texts_of_token::PUBLISH_DOCUMENTS,
                ],
            ),
    )
}

/// Both sides, as one sentence.
fn sentence(what: &(String, String, String)) -> String {
    let (summary, presented, required) = what;
    if summary == presented {
        return format!("{}. STS needs {}.", plain(presented), plain(required));
    }
    format!("This is {}. STS needs {}.", plain(presented), plain(required))
}

/// A name or an address that is the cluster's or the company's own: STS asks from outside. Only where STS has refused the
/// token for its issuer.
fn never_reachable(facts: &Facts<'_>) -> Option<Finding> {
    facts.evidence.exchange.as_ref()?.error.as_ref()?;
    let refused = super::exchange::judge(facts);
    let about_issuer =
        |class| matches!(class, Class::IssuerUnavailable | Class::TokenRejected | Class::ProviderMissing);
    if facts.compatible() || !refused.iter().any(|finding| about_issuer(finding.class)) {
        return None;
    }
    let url = facts.token()?.iss.as_deref()?;
    let (why, likely) = match (private_issuer(facts), private_here(facts)) {
        (Some(why), _) => (why.to_owned(), "can never"),
        (None, Some(address)) => {
            (format!("here it has the private address {address}, and does not answer"), "most likely cannot")
        }
        (None, None) => return None,
    };
    Some(
        Finding::new(Class::IssuerUnusable, format!("AWS {likely} reach the issuer {url}"))
            .presented(format!("issuer {url}"))
            .required("an issuer under a public name, from which STS can fetch discovery document and keys over the internet")
            .ruled_out("the role and its trust policy: STS had not looked at them yet")
            .why(format!(
                "The issuer is {url}: {why}. STS fetches discovery document and keys over the internet, and the API server’s own tokens name this issuer."
            ))
            .steps(&facts.values(), &[
                &texts_of_token::SEE_CLUSTER_DISCOVERY,
                &texts_of_token::SEE_CLUSTER_KEYS,
                &texts_of_token::PUBLISH_ELSEWHERE,
            ]),
    )
}

/// The issuer's address, where it is a private one at which not even this pod gets its documents. That it has such an address here
/// says little alone: a public name may have another one inside of the VPC.
fn private_here(facts: &Facts<'_>) -> Option<std::net::IpAddr> {
    let host = partition::host_of(facts.token()?.iss.as_deref()?)?;
    // AWS's own hosts have private addresses behind an interface endpoint, and public ones outside.
    if partition::Partition::of_host(host).is_some() {
        return None;
    }
    let proxied = facts.evidence.network.as_ref().is_some_and(|network| network.proxy.is_some());
    let mut sources = facts.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    let public = sources.find(|source| source.origin == Origin::Public && !proxied)?;
    let address = public.discovery.failure.as_ref()?.peer?.ip();
    network::is_private(address).then_some(address)
}

/// Why AWS can never reach the token's issuer, by its name alone.
pub(super) fn private_issuer(facts: &Facts<'_>) -> Option<&'static str> {
    private(partition::host_of(facts.token()?.iss.as_deref()?)?)
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
        // kops gives its API server this name, and the DNS zone private addresses for it (kubernetes/kops#15429).
        () if host.starts_with("api.internal.") => {
            Some("it is the API server’s internal name, as kops makes it")
        }
        () if ends(".local") || ends(".internal") => {
            Some("names under .local and .internal are never public")
        }
        () => None,
    }
}

fn problem(facts: &Facts<'_>, public: &KeySource) -> Option<(String, String, String)> {
    let token = facts.token()?;
    let wanted = token.iss.as_deref()?;
    let document =
        |text: String| (text.clone(), text, "a public document of OpenID Connect Discovery".to_owned());
    let redirected = |status: &Option<u16>| status.filter(|status| (300..400).contains(status));
    if let Some(status) = redirected(&public.discovery.status) {
        return Some(document(format!(
            "the issuer answers with a redirect, HTTP {status}, which STS does not follow"
        )));
    }
    if let Some(status) =
        public.discovery.status.filter(|status| *status >= 400 && *status < 500 && *status != 429)
    {
        return Some(document(format!("the issuer’s discovery document is not public: HTTP {status}")));
    }
    if let Some(problem) = &public.discovery.problem {
        return Some(document(format!("the issuer’s discovery document cannot be used: {problem}")));
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
            format!("issuer {named}"),
            format!("{wanted}, byte for byte"),
        ));
    }
    let keys = public.keys.as_ref()?;
    if let Some(status) = redirected(&keys.status) {
        return Some(document(format!(
            "the issuer’s keys are behind a redirect, HTTP {status}, which STS does not follow"
        )));
    }
    if let Some(status) = keys.status.filter(|status| *status >= 400 && *status < 500 && *status != 429) {
        return Some(document(format!("the issuer’s keys are not public: HTTP {status}")));
    }
    if let Some(problem) = &keys.problem {
        return Some(document(format!("the issuer’s keys cannot be used: {problem}")));
    }
    let kid = token.kid.as_deref().unwrap_or("(none)");
    match public.signature {
        Signature::KeyMissing => Some((
            "the issuer does not publish the key that signed this token".to_owned(),
            format!("a token with kid {kid}"),
            format!("that kid among the keys at {}, which has {}", keys.url, list(&public.kids)),
        )),
        // Only where STS says that it found no key: whether it can use this one is its own matter.
        Signature::KeyUnusable if exchange::found_no_key(facts) => Some((
            "the issuer’s key cannot verify the token’s signature".to_owned(),
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
        Signature::KeyNotChecked => Some("the issuer's RSA key has an unusual size or exponent".to_owned()),
        Signature::AlgorithmNotChecked => {
            Some(format!("credprobe does not check {}", token.alg.as_deref().unwrap_or("its algorithm")))
        }
        Signature::KeyUnusable => Some(format!("the issuer publishes {}", unusable_key(token))),
        _ => None,
    });
    match why {
        Some(why) => {
            let before = finding.why.clone();
            finding
                .why(format!("{before} The token’s signature was not checked: {}.", plain(&why)).trim_start())
        }
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
