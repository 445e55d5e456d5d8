//! Judges STS's answer: by code and by a part of the message in either wording, never by status or code alone. Pure.
//! Since mid-2026 one generic text covers several causes; what can be told apart here, is (sources.md, “STS answers”).

mod compatible;
mod provider;
mod role;

use super::facts::{Facts, span, time};
use super::token::usual_audience;
use super::{network, statement};
use crate::catalog::{Class, Owner};
use crate::evidence::{Exchange, StsError};
use crate::judge::finding::{Finding, Severity};
use crate::settings::arn::RoleArn;
use crate::settings::command::{Tool, Word, words};
use crate::settings::partition;

/// STS tolerates this much skew between its clock and the one that signs, in seconds.
pub(super) const SKEW_LIMIT: i64 = 300;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(exchange) = &facts.evidence.exchange else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(clock_skew(exchange));
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

fn clock_skew(exchange: &Exchange) -> Option<Finding> {
    let skew = exchange.date?.checked_sub(exchange.received_at)?;
    if skew.abs() <= SKEW_LIMIT {
        return None;
    }
    let direction = if skew > 0 { "behind" } else { "ahead of" };
    Some(
        Finding::new(
            Class::ClockSkew,
            format!(
                "this clock is {} {direction} that of STS; signed calls fail beyond {}",
                span(skew),
                span(SKEW_LIMIT)
            ),
        )
        .about_time(true)
        .presented(format!("this clock {}", time(exchange.received_at)))
        .required(format!("STS's clock {}", time(exchange.date.unwrap_or_default())))
        .set_clock(),
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
        Class::Throttled => throttled(exchange, error),
        Class::StsUnavailable => sts_unavailable(exchange, error),
        Class::ClaimRejected => claim_rejected(facts, error),
        Class::RequestRejected => request_rejected(facts, exchange, error),
        _ => unrecognized(facts, exchange, &quoted(error)),
    }
}

fn expired_at_sts(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let expiry = facts.token().and_then(|token| token.exp);
    let clock = exchange.date.map_or_else(|| "unknown".to_owned(), time);
    let finding =
        Finding::new(Class::TokenExpiredAtSts, format!("STS holds the token for expired: {}", quoted(error)))
            .about_time(true)
            .presented(format!("exp {}", expiry.map_or_else(|| "(none)".to_owned(), time)))
            .required(format!(
                "an expiry after STS's clock, {clock}; this clock says {}",
                time(exchange.received_at)
            ));
    facts.recreate(facts.events(finding))
}

fn issuer_unavailable(facts: &Facts<'_>, error: &StsError) -> Finding {
    let issuer = facts.token().and_then(|token| token.iss.clone()).unwrap_or_default();
    let of_eks = partition::region_of_issuer(&issuer).is_some();
    let finding = Finding::new(
        Class::IssuerUnavailable,
        format!("STS could not fetch the keys of the issuer: {}", quoted(error)),
    )
    .presented(format!("issuer {issuer}"))
    .required(format!("{issuer}/.well-known/openid-configuration and the keys it names, public and in time"))
    .ruled_out("the role and its trust policy: STS had not looked at them yet");
    let finding = finding.confirm_command(discovery(&issuer));
    if of_eks {
        finding.fix_note(Some(WAIT), "retries: for an EKS issuer this passes by itself").owner(Owner::Aws)
    } else {
        finding
            .fix(
                "# make the issuer's discovery document and keys public, and answered within a second; then:",
            )
            .fix_note(Some(WAIT), "retries until STS has fetched them")
            .owner(Owner::Cluster)
    }
}

const WAIT: &str = "credprobe check --wait=5m";

/// Fetches what the issuer says of itself.
pub(super) fn discovery(issuer: &str) -> Option<String> {
    let document = Word::issuer(issuer).before("/.well-known/openid-configuration");
    // A redirect is an answer, too, and none for STS.
    Tool::Curl.run(words!["-sS", "-w", r"\n%{http_code} %{redirect_url}\n", document])
}

fn role_arn_rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let finding =
        Finding::new(Class::RoleArnRejected, format!("STS says of the role's ARN: {}", quoted(error)))
            .presented(facts.role_text())
            .required("the ARN of a role as IAM prints it");
    annotate_with_real_arn(facts, finding)
}

/// Adds the command that annotates the service account with the ARN which IAM has for a role of this name.
fn annotate_with_real_arn(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Some(role) = &facts.role else { return finding };
    let show = get_role(facts, role, "Role.Arn", "text");
    let finding = finding.confirm_command(show.clone());
    let annotation = Word::output_of(show).after("eks.amazonaws.com/role-arn=");
    facts.recreate(facts.annotate(finding, annotation, "overwrites the annotation"))
}

/// Shows what IAM has for the role.
fn get_role(facts: &Facts<'_>, role: &RoleArn, query: &'static str, output: &'static str) -> Option<String> {
    let name = Word::role_name(&role.name);
    facts.aws()?.run(words!["iam", "get-role", "--role-name", name, "--query", query, "--output", output])
}

fn region_disabled(facts: &Facts<'_>, error: &StsError) -> Finding {
    let region =
        facts.route.endpoint.as_ref().map(|endpoint| endpoint.signing_region.clone()).unwrap_or_default();
    let finding = Finding::new(
        Class::RegionDisabled,
        format!("STS is switched off in {region} for the role's account"),
    )
    .presented(format!("{} in {region}: {}", facts.role_text(), quoted(error)))
    .required(format!("STS active in {region}"));
    finding
        .confirm_command(of_region(facts, "get-region-opt-status", &region))
        .fix_note(
            of_region(facts, "enable-region", &region),
            "for an opt-in region; for another, activate STS in the IAM console: Account settings, Security Token Service",
        )
}

/// `aws account OPERATION --region-name REGION`
pub(super) fn of_region(facts: &Facts<'_>, operation: &'static str, region: &str) -> Option<String> {
    facts.aws()?.run(words!["account", operation, "--region-name", Word::region(region)])
}

fn throttled(exchange: &Exchange, error: &StsError) -> Finding {
    let finding = Finding::new(Class::Throttled, format!("STS throttles: {}", quoted(error)))
        .presented(format!("HTTP {}", exchange.status))
        .required("fewer calls a second in this account and region");
    match exchange.retry_after {
        Some(seconds) => finding.fix(format!("# retry in {seconds} s, as STS asks")),
        None => finding.fix_note(
            Some("credprobe check --wait=2m --start-jitter=10s"),
            "retries with growing pauses; pods that start together should not ask together",
        ),
    }
}

fn sts_unavailable(exchange: &Exchange, error: &StsError) -> Finding {
    Finding::new(Class::StsUnavailable, format!("STS failed: HTTP {}, {}", exchange.status, quoted(error)))
        .presented(format!("request {}", exchange.request_id.as_deref().unwrap_or("without id")))
        .required("an STS that answers")
        .fix_note(
            Some(WAIT),
            "retries; if it lasts, see health.aws.amazon.com and name the request id to AWS support",
        )
}

fn claim_rejected(facts: &Facts<'_>, error: &StsError) -> Finding {
    let finding = Finding::new(
        Class::ClaimRejected,
        format!("the identity provider rejected a claim: {}", quoted(error)),
    )
    .presented(facts.identity_text())
    .required("claims that the provider accepts")
    .fix("# use a fresh token of the cluster's own issuer");
    facts.recreate(finding)
}

fn request_rejected(facts: &Facts<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let finding =
        Finding::new(Class::RequestRejected, format!("STS refuses the request itself: {}", quoted(error)))
            .presented(format!(
                "role {}, session {}, 900 seconds, a deny-all session policy",
                exchange.role_arn, exchange.session_name
            ))
            .required("parameters that STS takes");
    let says = |part: &str| error.message.to_ascii_lowercase().contains(part);
    let role = facts.role.as_ref();
    match role {
        Some(role) if says("durationseconds") => facts.remove_interception(
            finding
                .confirm_note(
                    get_role(facts, role, "Role.MaxSessionDuration", "text"),
                    "never under 3600, and 900 seconds were asked for: somebody changed the request",
                )
                .fix("# something between pod and STS asks for longer sessions:"),
            sts_host(facts),
        ),
        Some(role) if says("tags") => {
            let finding = finding.fix("# the token brings session tags; the trust policy must allow them:");
            let actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"];
            match statement::statement_for(facts, Some(&actions)) {
                Some(statement) => {
                    finding.fix_commands(crate::trust_policy::statement::add_statement(facts.aws(), role, statement))
                }
                None => finding,
            }
        }
        _ if says("rolesessionname") => facts.unset_env(
            finding.fix("# correct AWS_ROLE_SESSION_NAME in the container's env, or remove it:"),
            &["AWS_ROLE_SESSION_NAME"],
        ),
        _ if says("rolearn") => annotate_with_real_arn(facts, finding),
        _ => facts.remove_interception(
            finding.fix("# nothing of the pod's is in the rest of the request: something between pod and STS changed it"),
            sts_host(facts),
        ),
    }
}

fn sts_host<'c>(facts: &'c Facts<'_>) -> &'c str {
    facts.route.endpoint.as_ref().map_or("the endpoint", |endpoint| endpoint.host.as_str())
}

fn unrecognized(facts: &Facts<'_>, exchange: &Exchange, quoted: &str) -> Finding {
    let finding = Finding::new(
        Class::StsUnrecognized,
        format!("STS gave an answer that this version does not know: {quoted}"),
    )
    .presented(format!(
        "HTTP {}, request {}",
        exchange.status,
        exchange.request_id.as_deref().unwrap_or("without id")
    ))
    .required("credentials, or an error that is known")
    .fix("# look the code up in the STS API reference, and report it to credprobe, please, with what this prints:")
    .fix_note(Some("credprobe check --output=json"), "names account, role and issuer, holds no secret");
    let event = "AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity";
    let events = facts.aws().zip(facts.signing_region()).and_then(|(aws, region)| {
        let events = ["--lookup-attributes", event, "--max-results", "5"].map(Word::from);
        aws.run(&[words!["cloudtrail", "lookup-events", "--region", region], &events].concat())
    });
    finding.confirm_command(events)
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
    let summary = match service {
        Some(service) => {
            format!("{host} is an endpoint of AWS, of the service {service} and not of STS: {what}")
        }
        None => format!("what answered at {host} is not STS: {what}"),
    };
    let finding = Finding::new(Class::NotSts, summary)
        .severity(Severity::Error)
        .transient(exchange.status == 429 || exchange.status >= 500)
        .presented(if excerpt.is_empty() { what } else { excerpt.to_owned() })
        .required("an answer in STS's form: its XML namespace, or an ErrorResponse");
    if facts.chose_wrong_host() {
        return facts.remove_interception(finding.owner(Owner::Pod), host);
    }
    let finding = finding.fix(format!("# a proxy, a mesh or a hosts entry answers for {host}"));
    let finding = match &facts.evidence.network {
        Some(network) => network::searched(network, finding),
        None => finding,
    };
    facts.remove_interception(finding, host)
}
