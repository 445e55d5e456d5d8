//! Judges shape, kind, expectations and times of the token; nothing of its signature. Pure.

use super::exchange::SKEW_LIMIT;
use super::facts::{Facts, list, span, time};
use crate::catalog::{Class, Topic};
use crate::evidence::{Account, Token, TokenShape};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::settings::API_SERVER_TOKEN;
use crate::settings::command::{Tool, Word, words};

/// The audience that the webhook asks for unless told otherwise; in every partition (eksctl `pkg/iam/oidc/api.go`).
pub(super) const USUAL_AUDIENCE: &str = "sts.amazonaws.com";
/// The issuer of legacy Secret tokens (kubernetes `pkg/serviceaccount/legacy.go`).
const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";
/// A token issued later than this many seconds from now shows a clock that is wrong.
const FUTURE_TOLERANCE: i64 = 60;
/// Kubelet refreshes at 80 % of the life or after 24 h, seen on its next sync (`token_manager.go`); this much later it is not doing it.
const ROTATION_MARGIN: i64 = 300;
const DAY: i64 = 86_400;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(token) = &facts.evidence.token else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(malformed(facts, token));
    if token.shape == TokenShape::Jwt {
        findings.extend(kind(facts, token));
        findings.extend(foreign(facts, token));
        findings.extend(expectations(facts, token));
        findings.extend(times(facts, token));
    }
    findings
}

fn malformed(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    let class = Class::TokenMalformed;
    let path = facts.evidence.token_file.as_ref().map_or("the token file", |file| &file.path);
    let what = match &token.shape {
        TokenShape::Empty => return None,
        TokenShape::ForeignByte { offset, found } => format!("at byte {offset} stands {found}"),
        TokenShape::Segments { count: 1 } => "it has no dots; a JWT has three segments".to_owned(),
        TokenShape::Segments { count } => format!("it has {count} segments; a JWT has three"),
        TokenShape::Segment { number, problem } => {
            let name = ["header", "claims", "signature"].get(usize::from(*number) - 1).unwrap_or(&"segment");
            format!("its {name} cannot be decoded: {problem}")
        }
        TokenShape::Jwt => {
            return claims_missing(facts, token).or_else(|| trailing_whitespace(facts, token));
        }
    };
    let finding = Finding::new(class, format!("{path} holds no JWT: {what}"))
        .presented(format!("{} bytes; {what}", token.length))
        .required("header.claims.signature in base64url, as kubelet writes it, and nothing else");
    Some(facts.recreate(finding.fix(format!(
        "# find what writes to {path} besides kubelet; mount the projected volume itself, not a copy"
    ))))
}

fn claims_missing(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    // Whose kind is wrong lacks claims for that reason.
    if is_legacy(token) {
        return None;
    }
    let unsigned =
        token.alg.as_deref().filter(|alg| alg.eq_ignore_ascii_case("none") || alg.starts_with("HS"));
    if let Some(alg) = unsigned {
        let finding = Finding::new(
            Class::TokenMalformed,
            format!("the token's algorithm is {alg}, which no published key verifies"),
        )
        .presented(format!("alg {alg}"))
        .required("RS256, as the API server signs");
        return Some(facts.let_webhook_inject(finding));
    }
    let present = [
        ("iss", token.iss.is_some()),
        ("sub", token.sub.is_some()),
        ("aud", !token.aud.is_empty()),
        ("exp", token.exp.is_some()),
        ("iat", token.iat.is_some()),
    ];
    let missing: Vec<&str> = present.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    (!missing.is_empty()).then(|| {
        let finding = Finding::new(
            Class::TokenMalformed,
            format!(
                "the token lacks claims that {} needs: {}",
                facts.defaults().recipient,
                missing.join(", ")
            ),
        )
        .presented(format!("a JWT without {}, so not one that kubelet got for a pod", missing.join(", ")))
        .required("iss, sub, aud, exp and iat");
        facts.let_webhook_inject(finding)
    })
}

fn trailing_whitespace(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    let unsendable = facts.evidence.agent.as_ref().is_some_and(|agent| agent.unsendable);
    let (summary, presented, severity) = if unsendable {
        let summary =
            "a line break follows the token: boto3, Rust's SDK and others cannot send that in a header";
        (summary.to_owned(), "a token and a line break", Severity::Error)
    } else if token.trailing_whitespace > 0 {
        let summary = format!(
            "{} bytes of white space follow the token; SDKs send them with it",
            token.trailing_whitespace
        );
        (summary, "a token and white space", Severity::Warning)
    } else {
        return None;
    };
    let finding = Finding::new(Class::TokenMalformed, summary)
        .about(Topic::WhiteSpace)
        .severity(severity)
        .presented(presented)
        .required("the token alone, as kubelet writes it")
        .fix("# make whatever copies the token write it without a line break, or mount the projected volume itself");
    Some(facts.let_webhook_inject(finding))
}

fn is_legacy(token: &Token) -> bool {
    token.iss.as_deref() == Some(LEGACY_ISSUER) || token.secret_name.is_some()
}

fn kind(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    let path = facts.evidence.token_file.as_ref().map(|file| file.path.as_str());
    let stated = facts.evidence.environment.options.expect_audience.as_ref();
    let expected = |audience: &str| stated.is_some_and(|stated| stated == audience);
    let usual = facts.defaults();
    let (others, other) = facts.other_token();
    // The agent takes a token that has its audience, whatever others it has.
    let is_usual = facts.by_agent() && token.aud.iter().any(|aud| aud == usual.audience);
    let legacy;
    let what = if is_legacy(token) {
        legacy = format!(
            "a legacy Secret token: it has no audience and never expires, and {} takes none of its kind",
            usual.recipient
        );
        &legacy
    } else if token.aud.iter().any(|aud| aud == others) && !expected(others) && !is_usual {
        other
    } else if token.warnafter.is_some() || path == Some(API_SERVER_TOKEN) || is_for_api_server(token) {
        "the token for the API server"
    } else {
        return None;
    };
    let source = facts.requested.token_file.as_ref().map_or("the token file", |file| &file.source);
    let finding = Finding::new(Class::TokenKindWrong, format!("{source} points to {what}"))
        .presented(format!(
            "audience {}, issuer {}",
            list(&token.aud),
            token.iss.as_deref().unwrap_or("(none)")
        ))
        .required(format!(
            "the projected token for {}, at {}/{} when the webhook mounts it",
            usual.audience, usual.mount, usual.file
        ));
    let is_stated = is_for_api_server(token) && token.warnafter.is_none() && path != Some(API_SERVER_TOKEN);
    if is_stated && token.aud.iter().any(|audience| expected(audience)) {
        return Some(finding.severity(Severity::Warning).fix("# nothing, where the IAM OIDC provider has this audience on purpose: whoever gets the token may use it at the API server, too"));
    }
    Some(facts.let_webhook_inject(finding))
}

/// Whether every audience is one that an API server takes: its own name, in the forms that clusters have, or the issuer.
fn is_for_api_server(token: &Token) -> bool {
    const NAMES: &[&str] = &["kubernetes.default", "kubernetes.default.svc"];
    let is_name = |audience: &str| {
        let host = audience.strip_prefix("https://").unwrap_or_default().trim_end_matches('/');
        NAMES.contains(&host)
            || host.strip_prefix("kubernetes.default.svc.").is_some_and(|zone| !zone.is_empty())
    };
    let takes = |audience: &String| is_name(audience) || token.iss.as_ref() == Some(audience);
    !token.aud.is_empty() && token.aud.iter().all(takes)
}

fn foreign(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    let process = &facts.evidence.process;
    let (theirs, ours) = (token.pod_uid.as_deref()?, process.pod_uid.as_deref()?);
    (theirs != ours).then(|| {
        let pod = token.pod_name.as_deref().unwrap_or("unknown");
        let finding = Finding::new(
            Class::TokenForeign,
            format!("the token is that of another pod ({pod}): a copy, which nobody rotates"),
        )
        .presented(format!("pod uid {theirs}"))
        .required(format!("pod uid {ours} (POD_UID)"))
        .fix("# mount the projected volume itself, not a copy of another pod's token");
        let finding = if facts.by_agent() {
            // EKS tags the session with the token's pod, so that policies take this pod for the other one; the downward
            // API states which is right.
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        } else {
            finding
        };
        facts.recreate(finding)
    })
}

fn expectations(facts: &Facts<'_>, token: &Token) -> Vec<Finding> {
    let stated = &facts.evidence.environment.options;
    let mut findings = Vec::new();
    let stated_finding = |class, what: &str, presented: String, required: String| {
        Finding::new(class, format!("the token's {what} is not the one expected"))
            .expectation(Basis::Explicit)
            .presented(presented)
            .required(required)
    };
    let issuer = token.iss.as_deref().unwrap_or("(none)");
    if let Some(expected) = &stated.expect_issuer {
        let matches = match expected.strip_suffix('*') {
            Some(prefix) => issuer.starts_with(prefix),
            None => issuer == expected,
        };
        if !matches {
            findings.push(
                stated_finding(Class::IssuerMismatch, "issuer", format!("issuer {issuer}"), format!("{expected} (--expect-issuer)"))
                    .fix("# this pod runs in another cluster than expected: deploy it there; if this cluster is meant:")
                    .fix_note(
                        Tool::Credprobe.run(words!["check", Word::issuer(issuer).after("--expect-issuer=")]),
                        "the expectation corrected",
                    ),
            );
        }
    }
    if let Some(expected) = &stated.expect_audience
        && !token.aud.contains(expected)
    {
        let finding = stated_finding(
            Class::AudienceMismatch,
            "audience",
            format!("audience {}", list(&token.aud)),
            format!("{expected} (--expect-audience)"),
        );
        findings.push(audience_fix(facts, finding, expected));
    }
    if let Some(expected) = &stated.expect_subject {
        let subject = token.sub.as_deref().unwrap_or("(none)");
        let whole = match expected.split_once('/') {
            Some((namespace, name)) if !expected.contains(':') => {
                format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => expected.clone(),
        };
        if subject != whole {
            let finding = stated_finding(
                Class::SubjectMismatch,
                "subject",
                format!("subject {subject}"),
                format!("{whole} (--expect-subject)"),
            );
            findings.push(match Account::of_subject(&whole) {
                Some(account) => facts.recreate(finding.fix(format!(
                    "# set spec.serviceAccountName: {} in the pod spec, in namespace {}",
                    account.name, account.namespace
                ))),
                None => finding.fix("# set spec.serviceAccountName in the pod spec"),
            });
        }
    }
    findings
}

/// The repair of a token whose audience is not `required`.
fn audience_fix(facts: &Facts<'_>, finding: Finding, required: &str) -> Finding {
    if facts.by_agent() {
        // No annotation changes it: the webhook mounts a volume of its own where the pod spec has none.
        return facts.let_webhook_inject(finding);
    }
    let finding = facts.annotate(
        finding,
        Word::audience(required).after("eks.amazonaws.com/audience="),
        "overwrites the annotation; where the pod spec has a projected volume of its own, correct its audience instead",
    );
    facts.recreate(finding)
}

/// After a refusal that an unusual audience would explain: the guess at it.
pub(super) fn usual_audience(facts: &Facts<'_>) -> Option<Finding> {
    let token = facts.token()?;
    let usual = facts.defaults().audience;
    if token.aud.is_empty() || token.aud.iter().any(|aud| aud == usual) {
        return None;
    }
    let finding = Finding::new(
        Class::AudienceMismatch,
        if facts.by_agent() {
            format!("the token's audience is {}, which is not Pod Identity's", list(&token.aud))
        } else {
            format!(
                "the token's audience is {}, which the IAM OIDC provider does not usually know",
                list(&token.aud)
            )
        },
    )
    .severity(Severity::Warning)
    .expectation(Basis::Inferred)
    .presented(format!("audience {}", list(&token.aud)))
    .required(if facts.by_agent() {
        usual.to_owned()
    } else {
        format!("{usual}, or a provider that has this audience in its client id list")
    });
    Some(audience_fix(facts, finding, usual))
}

fn times(facts: &Facts<'_>, token: &Token) -> Vec<Finding> {
    let now = facts.now;
    let mut findings = Vec::new();
    if let Some(issued) = token.iat
        && issued > now + FUTURE_TOLERANCE
        && !agrees_with_sts(facts)
    {
        findings.push(
            Finding::new(
                Class::ClockSkew,
                format!("the token was issued {} in the future of this clock", span(issued - now)),
            )
            .about_time(true)
            .presented(format!("this clock {}", time(now)))
            .required(format!("{} or later, when the token was issued", time(issued)))
            .fix_note(Some("chronyc tracking"), "on the node: its clock is behind"),
        );
    }
    if let Some(expiry) = token.exp
        && expiry <= now
    {
        let finding = Finding::new(
            Class::TokenExpired,
            format!("the token expired {} ago and was not rotated", span(now - expiry)),
        )
        .about_time(true)
        .presented(format!("exp {}", time(expiry)))
        .required(format!("an expiry after {}", time(now)));
        findings.push(facts.recreate(facts.account_may_be_gone(facts.events(finding))));
    }
    if let Some(begin) = token.nbf
        && begin > now
    {
        findings.push(not_yet_valid(facts, begin));
    }
    findings.extend(clock_at_rotation(facts, token));
    findings.extend(stale(facts, token));
    findings
}

/// Whether STS has told its clock, and this one is near it.
fn agrees_with_sts(facts: &Facts<'_>) -> bool {
    facts.evidence.exchange.as_ref().is_some_and(|exchange| {
        let skew = exchange.date.and_then(|date| date.checked_sub(exchange.received_at));
        skew.is_some_and(|skew| skew.abs() <= SKEW_LIMIT)
    })
}

fn not_yet_valid(facts: &Facts<'_>, begin: i64) -> Finding {
    let now = facts.now;
    let finding =
        Finding::new(Class::TokenNotYetValid, format!("the token is valid in {} only", span(begin - now)))
            .about_time(true)
            .presented(format!("nbf {}", time(begin)))
            .required(format!("{} or earlier", time(now)));
    if !agrees_with_sts(facts) {
        return finding.fix_note(Some("chronyc tracking"), "on the node: its clock is behind");
    }
    // STS's clock and ours agree: it was the API server's that was wrong when it signed.
    let finding =
        finding.transient(begin - now <= SKEW_LIMIT).ruled_out("this node's clock: STS's agrees with it");
    let finding = finding.fix("# the API server's clock was ahead when it signed this token, and the kubelet keeps the token: set the clock of the control plane's nodes first, then:");
    facts.recreate(finding)
}

/// Kubelet names `..data`'s directory by the node's clock when it writes a token that the API server has just dated by its own
/// (`atomic_writer.go`). STS's `Date`, where there is one, says more.
fn clock_at_rotation(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    let issued = token.iat?;
    // Beside other sources kubelet writes the token again whenever one of those changes.
    let file = facts.evidence.token_file.as_ref().filter(|file| file.alone == Some(true))?;
    let written = directory_time(file.data_link.as_ref()?)?;
    let told_by_sts = facts.evidence.exchange.as_ref().is_some_and(|exchange| exchange.date.is_some());
    let apart = written.checked_sub(issued)?;
    (apart.abs() > SKEW_LIMIT && !told_by_sts).then(|| {
        let direction = if apart > 0 { "ahead of" } else { "behind" };
        Finding::new(
            Class::ClockSkew,
            format!(
                "the node's clock was {} {direction} the API server's when kubelet wrote this token",
                span(apart)
            ),
        )
        .about_time(true)
        // The clock was wrong then; what it is now, the times that are judged now show.
        .explains_nothing()
        .presented(format!("written {} by the node's clock", time(written)))
        .required(format!("{}, when the API server issued it", time(issued)))
        .set_clock()
    })
}

/// Seconds since the epoch of `..2026_08_24_09_15_04.123456789`, UTC.
fn directory_time(name: &str) -> Option<i64> {
    let (stamp, _) = name.strip_prefix("..")?.split_once('.')?;
    let parts: Vec<&str> = stamp.split('_').collect();
    let [year, month, day, hour, minute, second] = parts.as_slice() else { return None };
    crate::text::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// Only where kubelet projects the file: nobody rotates a file that somebody wrote by hand.
fn stale(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    facts.evidence.token_file.as_ref()?.data_link.as_ref()?;
    let (issued, expiry) = (token.iat?, token.exp?);
    let age = facts.now.checked_sub(issued)?;
    let life = expiry.checked_sub(issued)?;
    let due = (life / 5).checked_mul(4)?.min(DAY);
    (age > due.checked_add(ROTATION_MARGIN)?).then(|| {
        let finding = Finding::new(
            Class::TokenFileStale,
            format!("the token is {} old; kubelet rotates it after {}", span(age), span(due)),
        )
        .about_time(true)
        .presented(format!("iat {}", time(issued)))
        .required(format!("a token issued after {}", time(facts.now - due)));
        facts.recreate(facts.account_may_be_gone(facts.events(finding)))
    })
}
