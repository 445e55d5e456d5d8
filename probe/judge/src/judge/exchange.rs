//! Judges STS's answer: by code and by a part of the message in either wording, never by status or code alone. Pure.
//! Since mid-2026 one generic text covers several causes; what can be told apart here, is (sources.md, “STS answers”).

mod compatible;
mod provider;
mod role;

use super::facts::{Facts, span, time};
use super::network;
use super::token::usual_audience;
use crate::catalog::texts::{common, exchange as texts, network as texts_of_network};
use crate::catalog::{Class, Owner, Restart};
use crate::evidence::{Exchange, StsError};
use crate::judge::finding::{Finding, Severity};
use crate::settings::partition;
use crate::steps::slot;
use crate::steps::template::Template;

/// STS tolerates this much skew between its clock and the one that signs, in seconds.
pub(super) const SKEW_LIMIT: i64 = 300;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(exchange) = &facts.evidence.exchange else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(clock_skew(facts, exchange));
    if exchange.issued {
        return findings;
    }
    match &exchange.error {
        // Other servers need not mark their answers as AWS does.
        Some(error) if exchange.from_sts || facts.compatible() => {
            let finding = refusal(facts, exchange, error);
            // Which audiences another server knows is not to be guessed.
            if Class::AudienceMismatch.explains(finding.class).is_some() && !facts.compatible() {
                findings.extend(usual_audience(facts));
            }
            findings.push(finding);
        }
        _ if exchange.from_sts => {
            findings.push(unrecognized(facts, exchange, "an answer without error and without credentials"))
        }
        _ => findings.push(not_sts(facts, exchange)),
    }
    findings
}

fn clock_skew(facts: &Facts<'_>, exchange: &Exchange) -> Option<Finding> {
    let skew = exchange.date?.checked_sub(exchange.received_at)?;
    if skew.abs() <= SKEW_LIMIT {
        return None;
    }
    let direction = if skew > 0 { "behind" } else { "ahead of" };
    Some(
        Finding::new(
            Class::ClockSkew,
            format!("this node’s clock is {} {direction} that of STS", span(skew)),
        )
        .about_time(true)
        .presented(format!("this clock {}", time(exchange.received_at)))
        .required(format!("STS's clock {}", time(exchange.date.unwrap_or_default())))
        .why(format!(
            "This clock says {} and STS’s {}. STS refuses signed calls beyond {}.",
            time(exchange.received_at),
            time(exchange.date.unwrap_or_default()),
            span(SKEW_LIMIT)
        ))
        .steps(&facts.values(), &[&texts::SEE_CLOCK, &common::SET_CLOCK]),
    )
}

fn quoted(error: &StsError) -> String {
    if error.message.is_empty() {
        format!("`{}`", error.code)
    } else {
        format!("`{}: {}`", error.code, error.message)
    }
}

/// What the code and the message of AWS's STS mean; other servers have most of the codes from it.
fn class(exchange: &Exchange, error: &StsError) -> Class {
    let says = |part: &str| error.message.to_ascii_lowercase().contains(part);
    match error.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => Class::AccessDenied,
        "ValidationError" if says("request arn is invalid") => Class::RoleArnRejected,
        "ValidationError" | "PackedPolicyTooLarge" | "MalformedPolicyDocument" => Class::RequestRejected,
        "InvalidIdentityToken" if says("no openidconnect provider found") => Class::ProviderMissing,
        "InvalidIdentityToken" if says("incorrect token audience") => Class::AudienceNotRegistered,
        "InvalidIdentityToken" if says("thumbprint") => Class::ThumbprintMismatch,
        "InvalidIdentityToken" if says("retrieve verification key") => Class::IssuerUnavailable,
        "InvalidIdentityToken" => Class::TokenRejected,
        "ExpiredTokenException" | "ExpiredToken" => Class::TokenExpiredAtSts,
        "IDPCommunicationError" => Class::IssuerUnavailable,
        "IDPRejectedClaim" => Class::ClaimRejected,
        "RegionDisabledException" => Class::RegionDisabled,
        "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown" => Class::Throttled,
        "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Class::StsUnavailable,
        _ if exchange.status >= 500 => Class::StsUnavailable,
        _ => Class::StsUnrecognized,
    }
}

/// Whether STS refused because it had no key for the token.
pub(super) fn found_no_key(facts: &Facts<'_>) -> bool {
    let error =
        facts.evidence.exchange.as_ref().and_then(|exchange| Some((exchange, exchange.error.as_ref()?)));
    error.is_some_and(|(exchange, error)| refusal(facts, exchange, error).class == Class::IssuerUnavailable)
}

/// One refusal, one finding.
fn refusal(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    if facts.compatible() {
        let class = compatible::class(facts, error).unwrap_or_else(|| class(exchange, error));
        return compatible::refusal(facts, exchange, error, class);
    }
    match class(exchange, error) {
        Class::AccessDenied => role::access_denied(facts, error),
        Class::ProviderMissing => provider::provider_missing(facts, error),
        Class::AudienceNotRegistered => provider::audience_not_registered(facts, error),
        Class::ThumbprintMismatch => provider::thumbprint_mismatch(facts, error),
        Class::TokenRejected => provider::token_rejected(facts, error),
        Class::TokenExpiredAtSts => expired_at_sts(facts, exchange, error),
        Class::IssuerUnavailable => issuer_unavailable(facts, error),
        Class::RoleArnRejected => role_arn_rejected(facts, error),
        Class::RegionDisabled => region_disabled(facts, error),
        Class::Throttled => throttled(facts, exchange, error),
        Class::StsUnavailable => sts_unavailable(facts, exchange, error),
        Class::ClaimRejected => claim_rejected(facts, error),
        Class::RequestRejected => request_rejected(facts, exchange, error),
        _ => unrecognized(facts, exchange, &quoted(error)),
    }
}

/// What STS says, as part of a sentence.
fn says(error: &StsError) -> String {
    if error.message.is_empty() {
        return format!("STS says {}", error.code);
    }
    format!("STS says {}: {}", error.code, error.message.trim_end_matches('.'))
}

fn expired_at_sts(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let expiry = facts.token().and_then(|token| token.exp);
    let clock = exchange.date.map_or_else(|| "unknown".to_owned(), time);
    Finding::new(Class::TokenExpiredAtSts, "by STS’s clock the token has expired")
        .about_time(true)
        .presented(format!("exp {}", expiry.map_or_else(|| "(none)".to_owned(), time)))
        .required(format!(
            "an expiry after STS's clock, {clock}; this clock says {}",
            time(exchange.received_at)
        ))
        .why(format!(
            "{}. The token expires {}, STS’s clock says {clock}, and this clock {}.",
            says(error),
            expiry.map_or_else(|| "never".to_owned(), time),
            time(exchange.received_at)
        ))
        .steps(&facts.values(), &[&common::SEE_EVENTS, &texts::SEE_CLOCK, &common::RESTART])
}

fn issuer_unavailable(facts: &Facts<'_>, error: &StsError) -> Finding {
    let issuer = facts.token().and_then(|token| token.iss.clone()).unwrap_or_default();
    let of_eks = partition::region_of_issuer(&issuer).is_some();
    let finding = Finding::new(Class::IssuerUnavailable, "STS could not fetch the keys of the issuer")
        .presented(format!("issuer {issuer}"))
        .required(format!(
            "{issuer}/.well-known/openid-configuration and the keys it names, public and in time"
        ))
        .ruled_out("the role and its trust policy: STS had not looked at them yet");
    let values = facts.values();
    if of_eks {
        finding
            .owner(Owner::Aws)
            .why(format!("{}. The issuer {issuer} is one of EKS, whose keys AWS publishes.", says(error)))
            .steps(&values, &[&texts::SEE_DISCOVERY, &texts::PASSES_BY_ITSELF])
    } else {
        finding
            .owner(Owner::Cluster)
            .why(format!("{}. STS fetches discovery document and keys of {issuer} over the internet and waits a few seconds.", says(error)))
            .steps(&values, &[&texts::SEE_DISCOVERY, &texts::MAKE_PUBLIC])
    }
}

fn role_arn_rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    Finding::new(Class::RoleArnRejected, "STS does not take the role’s ARN")
        .presented(facts.role_text())
        .required("the ARN of a role as IAM prints it")
        .why(format!("{}. The ARN is {}.", says(error), facts.role_text()))
        .steps(&facts.values(), ANNOTATE_WITH_REAL_ARN)
}

const ANNOTATE_WITH_REAL_ARN: &[&Template] =
    &[&common::SEE_SERVICE_ACCOUNT, &texts::REAL_ARN, &texts::ANNOTATE_REAL_ARN, &common::RESTART];

fn region_disabled(facts: &Facts<'_>, error: &StsError) -> Finding {
    let values = facts.values();
    let region =
        facts.route.endpoint.as_ref().map(|endpoint| endpoint.signing_region.clone()).unwrap_or_default();
    Finding::new(Class::RegionDisabled, values.say("STS is switched off in {region} for {account}"))
        .presented(format!("{} in {region}: {}", facts.role_text(), quoted(error)))
        .required(format!("STS active in {region}"))
        .why(format!("{}.", says(error)))
        .steps(&values, &[&texts::SEE_REGION, &texts::OTHER_REGION_MEANT, &texts::ACTIVATE_STS])
}

fn throttled(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let after =
        exchange.retry_after.map_or_else(String::new, |seconds| format!(" STS asks to wait {seconds} s."));
    Finding::new(Class::Throttled, "STS throttles this account’s calls")
        .presented(format!("HTTP {}", exchange.status))
        .required("fewer calls a second in this account and region")
        .why(format!("{}.{after}", says(error)))
        .steps(&facts.values(), &[&texts::SEE_CALLS, &texts::WAIT])
}

fn sts_unavailable(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let request = exchange.request_id.as_deref().unwrap_or("without id");
    Finding::new(Class::StsUnavailable, format!("STS failed with HTTP {}", exchange.status))
        .presented(format!("request {request}"))
        .required("an STS that answers")
        .why(format!("{}. The request is {request}.", says(error)))
        .steps(&facts.values(), &[&texts::SEE_HEALTH])
}

fn claim_rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    Finding::new(Class::ClaimRejected, "the identity provider rejected a claim of the token")
        .presented(facts.identity_text())
        .required("claims that the provider accepts")
        .why(format!("{}. The token has {}.", says(error), facts.identity_text()))
        .steps(&facts.values(), &[&texts::SEE_PROVIDER, &common::RESTART, &texts::ASK_ISSUER])
}

fn request_rejected(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let message = error.message.to_ascii_lowercase();
    let about = |part: &str| message.contains(part);
    let finding = |summary: &str| {
        Finding::new(Class::RequestRejected, summary)
            .presented(format!(
                "role {}, session {}, 900 seconds, a deny-all session policy",
                exchange.role_arn, exchange.session_name
            ))
            .required("parameters that STS takes")
            .why(format!("{}.", says(error)))
    };
    let values = facts.values().with(slot::VARIABLE, "AWS_ROLE_SESSION_NAME", "AWS_ROLE_SESSION_NAME");
    match () {
        () if about("durationseconds") => {
            finding("something between this pod and STS asks for longer sessions")
                .steps(&values, &[&common::SEE_VARIABLES, &texts::SEE_BETWEEN])
        }
        () if about("tags") => {
            finding("the token brings session tags, which the trust policy does not allow")
                .steps(&values, &[&common::SEE_ROLE, &texts::ALLOW_TAGS])
        }
        () if about("rolesessionname") => {
            finding("STS does not take the session name in AWS_ROLE_SESSION_NAME")
                .steps(&values, &[&common::SEE_VARIABLES, &common::UNSET_VARIABLE])
        }
        () if about("rolearn") => {
            finding("STS does not take the role’s ARN").steps(&values, ANNOTATE_WITH_REAL_ARN)
        }
        // The only policy in the request is the probe's own.
        () if error.code == "MalformedPolicyDocument" || error.code == "PackedPolicyTooLarge" => {
            finding("STS refuses the session policy that credprobe itself sends")
                .owner(Owner::Probe)
                .steps(&values, &[&texts::ADD_STATE, &texts::REPORT_IT])
        }
        () => finding("STS refuses a parameter that is not this pod’s")
            .steps(&values, &[&texts::SEE_BETWEEN, &texts::REPORT_IT]),
    }
}

fn sts_host<'c>(facts: &'c Facts<'_>) -> &'c str {
    facts.route.endpoint.as_ref().map_or("the endpoint", |endpoint| endpoint.host.as_str())
}

fn unrecognized(facts: &Facts<'_>, exchange: &Exchange, quoted: &str) -> Finding {
    let request = exchange.request_id.as_deref().unwrap_or("without id");
    Finding::new(
        Class::StsUnrecognized,
        format!(
            "STS answers HTTP {} {}, which this version does not know",
            exchange.status,
            quoted.trim_matches('`').split(':').next().unwrap_or_default()
        ),
    )
    .presented(format!("HTTP {}, request {request}: {quoted}", exchange.status))
    .required("credentials, or an error that is known")
    .why(format!(
        "HTTP {}: {}. The request is {request}.",
        exchange.status,
        quoted.trim_matches('`').trim_end_matches('.')
    ))
    .acts(Owner::Probe.people())
    .steps(&facts.values(), &[&texts::SEE_ANSWER_TO_OTHERS, &texts::LOOK_UP, &texts::REPORT_IT])
}

/// Where the answer came from.
fn at(facts: &Facts<'_>) -> String {
    let network = facts.evidence.network.as_ref().filter(|network| network.proxy.is_none());
    let last = network.and_then(|network| network.addresses.last());
    last.map_or_else(String::new, |attempt| format!(" from {}", attempt.address.ip()))
}

fn not_sts(facts: &Facts<'_>, exchange: &Exchange) -> Finding {
    let host = sts_host(facts);
    let redirect = (300..400).contains(&exchange.status);
    let what = if redirect {
        format!("HTTP {}, a redirect, which is never followed with a token", exchange.status)
    } else {
        format!("HTTP {}, {}", exchange.status, exchange.content_type.as_deref().unwrap_or("no content type"))
    };
    let said = exchange.error.as_ref().map(quoted);
    let excerpt = exchange.excerpt.as_deref().or(said.as_deref()).unwrap_or_default();
    // AWS's host, and not of STS: its first label is the service's name.
    let service = host.split('.').next().filter(|_| {
        partition::Partition::of_host(host).is_some() && partition::region_of_sts_host(host).is_none()
    });
    let other = facts.leads_to_another_server();
    let summary = match service {
        Some(service) => format!("{host} is AWS’s endpoint of {service}, not of STS"),
        None if other => format!("{host} is not AWS’s STS, and does not answer as it does"),
        None => format!("a web filter or proxy answers in place of {host}"),
    };
    let words = in_words(excerpt.trim_matches('`'));
    let quote = if words.is_empty() { String::new() } else { format!(" It says: {words}.") };
    let form = match said {
        Some(_) if other => " Servers such as Ceph, MinIO and SeaweedFS answer in S3’s form.",
        _ => "",
    };
    let finding = Finding::new(Class::NotSts, summary)
        .severity(Severity::Error)
        .transient(exchange.status == 429 || exchange.status >= 500)
        .presented(if excerpt.is_empty() { what.clone() } else { excerpt.to_owned() })
        .required("an answer in STS's form: its XML namespace, or an ErrorResponse")
        .why(format!("The answer{} is {what}.{quote}{form}", at(facts)));
    let (values, steps) = facts.out_of_the_way(facts.values_to(host));
    if facts.chose_wrong_host() {
        return finding.owner(Owner::Pod).restart(Restart::Pod).steps(&values, &network::refs(&steps));
    }
    let finding = match &facts.evidence.network {
        Some(network) => network::searched(network, finding),
        None => finding,
    };
    if !steps.is_empty() {
        return finding.steps(&values, &network::refs(&steps));
    }
    finding.steps(&values, &[&common::SEE_COREDNS, &texts_of_network::ALLOW_AT_FILTER])
}

/// What a page says without its markup, in at most 120 characters.
fn in_words(excerpt: &str) -> String {
    let (mut out, mut in_tag) = (String::new(), false);
    for c in excerpt.chars() {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                out.push(' ');
            }
            c if !in_tag => out.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = out.split_whitespace().collect();
    words.join(" ").chars().take(120).collect::<String>().trim_end_matches('.').to_owned()
}
