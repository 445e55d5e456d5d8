//! Judges STS's answer: by code and by a part of the message in either wording, never by status or code alone. Pure.
//! Since mid-2026 one generic text covers several causes; what can be told apart here, is (facts: irsa-failures 0).

use super::case::{Case, list, span, time};
use super::token::{USUAL_AUDIENCE, usual_audience};
use super::{issuer, shell, trust_policy};
use crate::class::{Class, Owner};
use crate::evidence::{Exchange, Origin, StsError};
use crate::finding::{Finding, Severity};
use crate::partition;

/// STS tolerates this much skew between its clock and the one that signs, in seconds.
pub(super) const SKEW_LIMIT: i64 = 300;

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let Some(exchange) = &case.evidence.exchange else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(clock_skew(exchange));
    if exchange.issued {
        return findings;
    }
    match &exchange.error {
        Some(error) if exchange.from_sts || configured(case) => {
            let finding = refusal(case, exchange, error);
            if matches!(finding.class, Class::TokenRejected | Class::AudienceNotRegistered) {
                findings.extend(usual_audience(case));
            }
            findings.push(finding);
        }
        _ if exchange.from_sts => {
            findings.push(unrecognized(exchange, "an answer without error and without credentials"))
        }
        _ => findings.push(not_sts(case, exchange)),
    }
    findings
}

/// Behind a configured endpoint stands somebody else's STS, which need not mark its answers as AWS does.
fn configured(case: &Case<'_>) -> bool {
    case.route.endpoint.as_ref().is_ok_and(|endpoint| endpoint.configured_by.is_some())
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
        .confirm("chronyc tracking  # on the node")
        .fix("chronyc makestep  # on the node, as root; EC2's time source is 169.254.169.123"),
    )
}

fn quoted(error: &StsError) -> String {
    if error.message.is_empty() {
        format!("`{}`", error.code)
    } else {
        format!("`{}: {}`", error.code, error.message)
    }
}

/// One refusal, one finding.
fn refusal(case: &Case<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let says = |part: &str| error.message.to_ascii_lowercase().contains(part);
    let class = match error.code.as_str() {
        // Their codes tell little: Ceph has AccessDenied for everything, SeaweedFS says the cause in words.
        _ if case.compatible() && says("audience") => Class::AudienceNotRegistered,
        _ if case.compatible() && says("expired") => Class::TokenExpiredAtSts,
        _ if case.compatible() && (says("jwks") || says("public key")) => Class::IssuerUnavailable,
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
    };
    match class {
        Class::AccessDenied => access_denied(case, error),
        Class::ProviderMissing => provider_missing(case, error),
        Class::AudienceNotRegistered => audience_not_registered(case, error),
        Class::ThumbprintMismatch => thumbprint_mismatch(case, error),
        Class::TokenRejected => token_rejected(case, error),
        Class::TokenExpiredAtSts => expired_at_sts(case, exchange, error),
        Class::IssuerUnavailable => issuer_unavailable(case, error),
        Class::RoleArnRejected => role_arn_rejected(case, error),
        Class::RegionDisabled => region_disabled(case, error),
        Class::Throttled => throttled(exchange, error),
        Class::StsUnavailable => sts_unavailable(exchange, error),
        Class::ClaimRejected => claim_rejected(case, error),
        Class::RequestRejected => request_rejected(exchange, error),
        _ => unrecognized(exchange, &quoted(error)),
    }
}

/// A server that says AccessDenied for every cause: they are all listed.
fn denied_by_compatible(case: &Case<'_>, error: &StsError) -> Finding {
    Finding::new(
        Class::AccessDenied,
        format!("the server does not let {} assume {}: {}", case.subject_text(), case.role_text(), quoted(error)),
    )
    .presented(case.identity_text())
    .required("a known issuer with reachable keys, a registered audience, a token that is neither expired nor changed, a role of this name, and a trust policy that allows the subject")
    .fix("# check these in the server's own configuration, in this order; its log usually names the one")
}

fn access_denied(case: &Case<'_>, error: &StsError) -> Finding {
    if case.compatible() {
        return denied_by_compatible(case, error);
    }
    let mut finding = Finding::new(
        Class::AccessDenied,
        format!("STS does not let {} assume {}", case.subject_text(), case.role_text()),
    )
    .presented(case.identity_text())
    .required(format!(
        "that {} exists with exactly this ARN, and its trust policy allows this provider, subject and audience",
        case.role_text()
    ))
    .ruled_out(format!(
        "the token: STS checks signature, expiry, IAM OIDC provider and audience first, and says {} only after them",
        quoted(error)
    ));
    for hint in hints(case) {
        finding = finding.confirm(format!("# {hint}"));
    }
    let Some(role) = &case.role else { return finding };
    if role.path == "/" {
        finding = finding.confirm_note(
            shell::command(&[
                "aws",
                "iam",
                "get-role",
                "--role-name",
                &role.name,
                "--query",
                "Role.Arn",
                "--output",
                "text",
            ]),
            &format!(
                "in account {}: must print {}; a role with a path needs it in the ARN",
                role.account,
                case.role_text()
            ),
        );
    } else {
        finding = finding.confirm_command(&[
            "aws",
            "iam",
            "get-role",
            "--role-name",
            &role.name,
            "--query",
            "Role.Arn",
            "--output",
            "text",
        ]);
    }
    finding = finding.confirm_command(&[
        "aws",
        "iam",
        "get-role",
        "--role-name",
        &role.name,
        "--query",
        "Role.AssumeRolePolicyDocument",
        "--output",
        "json",
    ]);
    finding = finding.confirm("# saved as trust.json: credprobe trust --policy=trust.json, run in this pod, names the element that refuses");
    if let Some(statement) = trust_policy::statement(case) {
        finding.fix.extend(trust_policy::add_statement(&role.name, &statement));
    }
    finding
}

/// Accounts of AWS's documentation: nobody's role is there.
const DOCUMENTATION_ACCOUNTS: &[&str] = &["111122223333", "123456789012", "444455556666"];

/// What a reader of this refusal should look at first.
fn hints(case: &Case<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(account) = case.account() {
        if account.name == "default" {
            hints.push(format!(
                "the pod runs as service account {}/default: is spec.serviceAccountName missing?",
                account.namespace
            ));
        }
        let suffix = account.name.rsplit_once('-').map_or("", |(_, suffix)| suffix);
        if suffix.len() >= 8 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            hints.push(format!(
                "the name {} looks generated: a policy with a wildcard for it needs StringLike, StringEquals compares the asterisk itself",
                account.name
            ));
        }
    }
    if let Some(role) =
        case.role.as_ref().filter(|role| DOCUMENTATION_ACCOUNTS.contains(&role.account.as_str()))
    {
        hints.push(format!(
            "account {} is one of AWS's documentation, in which no role of yours is",
            role.account
        ));
    }
    hints
}

/// Commands that show the provider and its client ids in the role's account.
fn show_provider(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(arn) = case.provider_arn() else { return finding };
    let account = case.role.as_ref().map(|role| role.account.as_str()).unwrap_or_default();
    finding.confirm_note(
        shell::command(&[
            "aws",
            "iam",
            "get-open-id-connect-provider",
            "--open-id-connect-provider-arn",
            &arn,
        ]),
        &format!("with credentials of account {account}"),
    )
}

fn create_provider(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(token) = case.token() else { return finding };
    let (Some(issuer), Some(role)) = (&token.iss, &case.role) else { return finding };
    let audience = token.aud.first().map_or(USUAL_AUDIENCE, String::as_str);
    finding.fix_note(
        shell::command(&[
            "aws",
            "iam",
            "create-open-id-connect-provider",
            "--url",
            issuer,
            "--client-id-list",
            audience,
        ]),
        &format!("if there is none yet; with credentials of account {}, the role's", role.account),
    )
}

fn register_audience(case: &Case<'_>, finding: Finding) -> Finding {
    match (case.provider_arn(), case.token().and_then(|token| token.aud.first())) {
        (Some(arn), Some(audience)) => finding.fix_note(
            shell::command(&[
                "aws",
                "iam",
                "add-client-id-to-open-id-connect-provider",
                "--open-id-connect-provider-arn",
                &arn,
                "--client-id",
                audience,
            ]),
            "if its ClientIDList lacks it",
        ),
        _ => finding,
    }
}

fn provider_missing(case: &Case<'_>, error: &StsError) -> Finding {
    let role_account = case.role.as_ref().map_or("the role's account", |role| role.account.as_str());
    let issuer = case.token().and_then(|token| token.iss.as_deref()).unwrap_or("(none)");
    let finding = Finding::new(
        Class::ProviderMissing,
        format!("account {role_account} has no IAM OIDC provider for the issuer of this cluster"),
    )
    .presented(format!("issuer {issuer}"))
    .required(
        case.provider_arn()
            .map_or_else(|| "an IAM OIDC provider for it".to_owned(), |arn| format!("{arn} in IAM")),
    )
    .ruled_out(format!("the role's trust policy: STS says {} before it looks at it", quoted(error)));
    create_provider(case, show_provider(case, other_region(case, finding)))
}

/// A regional endpoint that the account has not enabled answers as if the provider were missing.
fn other_region(case: &Case<'_>, finding: Finding) -> Finding {
    let issuer_region =
        case.token().and_then(|token| token.iss.as_deref()).and_then(partition::region_of_issuer);
    let asked = case.route.endpoint.as_ref().map(|endpoint| endpoint.signing_region.as_str());
    match (issuer_region, asked) {
        (Some(cluster), Ok(asked)) if cluster != asked => finding.confirm_note(
            shell::command(&["aws", "account", "get-region-opt-status", "--region-name", asked]),
            &format!("the exchange went to {asked}, the cluster is in {cluster}: a region that is not enabled answers the same"),
        ),
        _ => finding,
    }
}

fn audience_not_registered(case: &Case<'_>, error: &StsError) -> Finding {
    let audience = case.token().map(|token| list(&token.aud)).unwrap_or_default();
    let finding = Finding::new(
        Class::AudienceNotRegistered,
        format!("the IAM OIDC provider's client id list lacks the token's audience {audience}"),
    )
    .presented(format!("audience {audience}"))
    .required("that audience among the provider's client ids, without a blank before or behind it")
    .ruled_out(format!("a missing provider: STS found it and says {}", quoted(error)));
    register_audience(case, show_provider(case, finding))
}

fn thumbprint_mismatch(case: &Case<'_>, error: &StsError) -> Finding {
    let finding = Finding::new(
        Class::ThumbprintMismatch,
        "IAM does not trust the certificate of the issuer: it matches none of the provider's thumbprints",
    )
    .presented(format!("the certificate chain of {}", case.issuer_path().unwrap_or("the issuer")))
    .required(
        "a chain to a public root, or the SHA-1 of its last certificate among the provider's thumbprints",
    )
    .ruled_out(format!("a missing provider: STS found it and says {}", quoted(error)));
    let sources = case.evidence.issuer.iter().flat_map(|issuer| &issuer.sources);
    let last = sources
        .filter(|source| source.origin == Origin::Public)
        .find_map(|source| source.discovery.last_certificate.as_ref());
    let finding = show_provider(case, finding);
    match (case.provider_arn(), last) {
        (Some(arn), Some((sha1, expiry))) => finding
            .presented(format!("a chain that ends in the certificate {sha1} (SHA-1), valid until {}", time(*expiry)))
            .fix_note(
                shell::command(&[
                    "aws", "iam", "update-open-id-connect-provider-thumbprint",
                    "--open-id-connect-provider-arn", &arn, "--thumbprint-list", sha1,
                ]),
                "overwrites the list: add the thumbprints that the first command shows and that are still needed",
            ),
        _ => finding.fix(format!(
            "# run from where the issuer can be reached: this pod cannot, so the SHA-1 of its last certificate is not known; issuer {}",
            case.issuer_path().unwrap_or("(none)")
        )),
    }
}

fn token_rejected(case: &Case<'_>, error: &StsError) -> Finding {
    let mut finding = Finding::new(
        Class::TokenRejected,
        "STS could not validate the token and does not say why",
    )
    .presented(case.identity_text())
    .required(match case.provider_arn() {
        Some(arn) => format!("{arn} in IAM with the token's audience among its client ids, and keys at the issuer that verify the token"),
        None => "an IAM OIDC provider in the role's account for this issuer and audience".to_owned(),
    })
    .ruled_out(format!("the role's trust policy: STS says {} before it looks at it", quoted(error)));
    if let Some(token) = case.token() {
        if token.trailing_whitespace > 0 {
            // STS does not say so in any wording, but nothing else here differs from a token of kubelet's.
            finding.summary = "STS could not validate the token; white space follows it in the file, and every SDK sends that too".to_owned();
            finding = finding.fix("# first: make whatever writes the file leave out the line break, or mount kubelet's volume itself");
        }
        if token.exp.is_some_and(|expiry| expiry > case.now) {
            finding = finding.ruled_out("an expired token, by this clock");
        }
        if token.aud.iter().any(|aud| aud == USUAL_AUDIENCE) {
            finding = finding.ruled_out(format!("a wrong audience in the token: it has {USUAL_AUDIENCE}"));
        }
    }
    finding.ruled_out.extend(issuer::ruled_out(case));
    let finding = show_provider(case, other_region(case, finding));
    register_audience(case, create_provider(case, finding))
}

fn expired_at_sts(case: &Case<'_>, exchange: &Exchange, error: &StsError) -> Finding {
    let expiry = case.token().and_then(|token| token.exp);
    let clock = exchange.date.map_or_else(|| "unknown".to_owned(), time);
    let finding =
        Finding::new(Class::TokenExpiredAtSts, format!("STS holds the token for expired: {}", quoted(error)))
            .about_time(true)
            .presented(format!("exp {}", expiry.map_or_else(|| "(none)".to_owned(), time)))
            .required(format!(
                "an expiry after STS's clock, {clock}; this clock says {}",
                time(exchange.received_at)
            ));
    case.recreate(case.events(finding))
}

fn issuer_unavailable(case: &Case<'_>, error: &StsError) -> Finding {
    let issuer = case.token().and_then(|token| token.iss.clone()).unwrap_or_default();
    let of_eks = partition::region_of_issuer(&issuer).is_some();
    let finding = Finding::new(
        Class::IssuerUnavailable,
        format!("STS could not fetch the keys of the issuer: {}", quoted(error)),
    )
    .presented(format!("issuer {issuer}"))
    .required(format!("{issuer}/.well-known/openid-configuration and the keys it names, public and in time"))
    .ruled_out("the role and its trust policy: STS had not looked at them yet");
    let finding =
        match shell::command(&["curl", "-fsS", &format!("{issuer}/.well-known/openid-configuration")]) {
            Some(command) => finding.confirm(command),
            None => finding,
        };
    if of_eks {
        finding
            .fix("# retry: for an EKS issuer this passes by itself (credprobe --wait does it)")
            .owner(Owner::Aws)
    } else {
        finding.fix("# make the issuer's discovery document and keys public and quick").owner(Owner::Cluster)
    }
}

fn role_arn_rejected(case: &Case<'_>, error: &StsError) -> Finding {
    let finding =
        Finding::new(Class::RoleArnRejected, format!("STS says of the role's ARN: {}", quoted(error)))
            .presented(case.role_text())
            .required("the ARN of a role as IAM prints it");
    match &case.role {
        Some(role) => finding
            .confirm_command(&[
                "aws",
                "iam",
                "get-role",
                "--role-name",
                &role.name,
                "--query",
                "Role.Arn",
                "--output",
                "text",
            ])
            .fix("# annotate the service account with the ARN that this prints"),
        None => finding,
    }
}

fn region_disabled(case: &Case<'_>, error: &StsError) -> Finding {
    let region =
        case.route.endpoint.as_ref().map(|endpoint| endpoint.signing_region.clone()).unwrap_or_default();
    let finding = Finding::new(
        Class::RegionDisabled,
        format!("STS is switched off in {region} for the role's account"),
    )
    .presented(format!("{} in {region}: {}", case.role_text(), quoted(error)))
    .required(format!("STS active in {region}"));
    finding
        .confirm_command(&["aws", "account", "get-region-opt-status", "--region-name", &region])
        .fix_note(
            shell::command(&["aws", "account", "enable-region", "--region-name", &region]),
            "for an opt-in region; for another, activate STS in the IAM console: Account settings, Security Token Service",
        )
}

fn throttled(exchange: &Exchange, error: &StsError) -> Finding {
    let finding = Finding::new(Class::Throttled, format!("STS throttles: {}", quoted(error)))
        .presented(format!("HTTP {}", exchange.status))
        .required("fewer calls a second in this account and region");
    match exchange.retry_after {
        Some(seconds) => finding.fix(format!("# retry in {seconds} s, as STS asks")),
        None => finding.fix("# retry with growing pauses; pods that start together should not ask together"),
    }
}

fn sts_unavailable(exchange: &Exchange, error: &StsError) -> Finding {
    Finding::new(Class::StsUnavailable, format!("STS failed: HTTP {}, {}", exchange.status, quoted(error)))
        .presented(format!("request {}", exchange.request_id.as_deref().unwrap_or("without id")))
        .required("an STS that answers")
        .fix("# retry; if it lasts, see health.aws.amazon.com and name the request id to AWS support")
}

fn claim_rejected(case: &Case<'_>, error: &StsError) -> Finding {
    Finding::new(Class::ClaimRejected, format!("the identity provider rejected a claim: {}", quoted(error)))
        .presented(case.identity_text())
        .required("claims that the provider accepts")
        .fix("# use a fresh token of the cluster's own issuer")
}

fn request_rejected(exchange: &Exchange, error: &StsError) -> Finding {
    Finding::new(Class::RequestRejected, format!("STS refuses the request itself: {}", quoted(error)))
        .presented(format!(
            "role {}, session {}, 900 seconds, a deny-all session policy",
            exchange.role_arn, exchange.session_name
        ))
        .required("parameters that STS takes")
        .fix("# correct what the message names")
}

fn unrecognized(exchange: &Exchange, quoted: &str) -> Finding {
    Finding::new(
        Class::StsUnrecognized,
        format!("STS gave an answer that this version does not know: {quoted}"),
    )
    .presented(format!(
        "HTTP {}, request {}",
        exchange.status,
        exchange.request_id.as_deref().unwrap_or("without id")
    ))
    .required("credentials, or an error that is known")
    .fix("# look the code up in the STS API reference; report it to credprobe, please")
}

fn not_sts(case: &Case<'_>, exchange: &Exchange) -> Finding {
    let host = case.route.endpoint.as_ref().map_or("the endpoint", |endpoint| endpoint.host.as_str());
    let redirect = (300..400).contains(&exchange.status);
    let what = if redirect {
        format!("HTTP {}, a redirect, which is never followed with a token", exchange.status)
    } else {
        format!("HTTP {}, {}", exchange.status, exchange.content_type.as_deref().unwrap_or("no content type"))
    };
    let excerpt = exchange.excerpt.as_deref().unwrap_or_default();
    Finding::new(Class::NotSts, format!("what answered at {host} is not STS: {what}"))
        .severity(Severity::Error)
        .transient(exchange.status == 429 || exchange.status >= 500)
        .presented(if excerpt.is_empty() { what } else { excerpt.to_owned() })
        .required("an answer with STS's XML namespace or a request id of AWS")
        .fix(format!("# look for a proxy, a mesh or a hosts entry that answers for {host}; a proxy needs {host} in NO_PROXY"))
}
