//! Judges shape, kind, expectations and times of the token; nothing of its signature. Pure.

use super::exchange::SKEW_LIMIT;
use super::facts::{Facts, list, span, time};
use crate::catalog::texts::{common, token as texts, token_file as texts_of_file};
use crate::catalog::{Class, Owner, Restart, Topic};
use crate::evidence::{Account, Token, TokenShape};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::settings::API_SERVER_TOKEN;
use crate::settings::command::Word;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::text::plain;

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
        TokenShape::ForeignByte { offset, found } => format!("unexpected {found} at byte {offset}"),
        TokenShape::Segments { count: 1 } => "it has no dots, and a JWT has three segments".to_owned(),
        TokenShape::Segments { count } => format!("it has {count} segments, and a JWT has three"),
        TokenShape::Segment { number, problem } => {
            let name = ["header", "claims", "signature"].get(usize::from(*number) - 1).unwrap_or(&"segment");
            format!("its {name} cannot be decoded: {problem}")
        }
        TokenShape::Jwt => {
            return claims_missing(facts, token).or_else(|| trailing_whitespace(facts, token));
        }
    };
    // The byte stands in the reason.
    let short = match &token.shape {
        TokenShape::ForeignByte { found, .. } => format!("it has {found}"),
        TokenShape::Segment { .. } => what.split(": ").next().unwrap_or_default().to_owned(),
        _ => what.clone(),
    };
    let values = facts.values().with_text(slot::FILE, path);
    let finding = Finding::new(class, format!("the token file does not hold a JWT: {}", plain(&short)))
        .presented(format!("{} bytes; {what}", token.length))
        .required("header.claims.signature in base64url, as kubelet writes it, and nothing else")
        .why(format!(
            "{path} has {} bytes: {}. The kubelet writes header, claims and signature in base64url with dots between them, and nothing else.",
            token.length,
            plain(&what)
        ))
        .steps(&values, &[&texts::SEE_TOKEN_VOLUME, &texts::MOUNT_PROJECTED]);
    Some(finding)
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
        .required("RS256, as the API server signs")
        .why(format!(
            "Its header says {alg}. STS verifies tokens with the public keys of their issuer, so somebody else than an API server made this one."
        ));
        return Some(finding.webhook(facts, facts.values(), &[&texts::SEE_TOKEN_VOLUME]));
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
        .required("iss, sub, aud, exp and iat")
        .why(format!(
            "The file holds a JWT without {}, so the kubelet did not get it for a pod.",
            missing.join(", ")
        ));
        finding.webhook(facts, facts.values(), &[&texts::SEE_TOKEN_VOLUME])
    })
}

fn trailing_whitespace(facts: &Facts<'_>, token: &Token) -> Option<Finding> {
    let unsendable = facts.evidence.agent.as_ref().is_some_and(|agent| agent.unsendable);
    let (summary, presented, severity) = if unsendable {
        let summary = "a line break follows the token, which boto3 and the Rust SDK cannot send";
        (summary.to_owned(), "a token and a line break", Severity::Error)
    } else if token.trailing_whitespace > 0 {
        let summary = format!(
            "{} bytes of white space follow the token, and SDKs send them with it",
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
        .why("The kubelet writes the bare token. SDKs do not trim the file: what follows the token goes to the server with it.");
    Some(finding.steps(&facts.values(), &[&texts::SEE_TOKEN_VOLUME, &texts::WRITE_BARE]))
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
        legacy = format!("a legacy Secret token, not one for {}", usual.recipient);
        &legacy
    } else if token.aud.iter().any(|aud| aud == others) && !expected(others) && !is_usual {
        other
    } else if token.warnafter.is_some() || path == Some(API_SERVER_TOKEN) || is_for_api_server(token) {
        "the token for the API server"
    } else {
        return None;
    };
    let source = facts.requested.token_file.as_ref().map_or("the token file", |file| &file.source);
    let finding = Finding::new(Class::TokenKindWrong, format!("{source} names {what}"))
        .presented(format!(
            "audience {}, issuer {}",
            list(&token.aud),
            token.iss.as_deref().unwrap_or("(none)")
        ))
        .required(format!(
            "the projected token for {}, at {}/{} when the webhook mounts it",
            usual.audience, usual.mount, usual.file
        ))
        .why(format!(
            "The token’s audience is {}. {} takes the projected token for {}, which the webhook mounts at {}/{}.",
            plain(&list(&token.aud)),
            usual.recipient,
            usual.audience,
            usual.mount,
            usual.file
        ));
    let is_stated = is_for_api_server(token) && token.warnafter.is_none() && path != Some(API_SERVER_TOKEN);
    if is_stated && token.aud.iter().any(|audience| expected(audience)) {
        let values = facts.values();
        return Some(finding.severity(Severity::Warning).steps(&values, &[&texts::KEEP_ON_PURPOSE]));
    }
    Some(finding.webhook(facts, facts.values(), &[&common::SEE_VARIABLES]))
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
            if process.pod_name.as_deref() == Some(pod) {
                "the token belongs to an earlier pod of this name, and is never renewed".to_owned()
            } else {
                format!("the token is a copy of another pod’s, {pod}, and nothing renews it")
            },
        )
        .presented(format!("pod uid {theirs}"))
        .required(format!("pod uid {ours} (POD_UID)"))
        .why(format!(
            "The token was issued to pod {pod} with uid {theirs}. This pod has uid {ours}, as POD_UID says."
        ))
        .steps(&facts.values().with_text(slot::VALUE, theirs), &[&texts::SEE_POD_UID, &texts::MOUNT_OWN]);

        if facts.by_agent() {
            // EKS tags the session with the token's pod, so that policies take this pod for the other one; the downward
            // API states which is right.
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        } else {
            finding
        }
    })
}

fn expectations(facts: &Facts<'_>, token: &Token) -> Vec<Finding> {
    let stated = &facts.evidence.environment.options;
    let mut findings = Vec::new();
    let stated_finding = |class, what: &str, presented: String, required: String| {
        Finding::new(class, what).expectation(Basis::Explicit).presented(presented).required(required)
    };
    let issuer = token.iss.as_deref().unwrap_or("(none)");
    if let Some(expected) = &stated.expect_issuer {
        let matches = match expected.strip_suffix('*') {
            Some(prefix) => issuer.starts_with(prefix),
            None => issuer == expected,
        };
        if !matches {
            findings.push(
                stated_finding(Class::IssuerMismatch, "the token’s issuer is not the stated one", format!("issuer {issuer}"), format!("{expected} (--expect-issuer)"))
                    .why(format!(
                        "The token’s issuer is {issuer}, and --expect-issuer states {expected}. Each cluster has an issuer of its own, so this pod runs in another cluster, or the expectation is out of date."
                    ))
                    .steps(&facts.values(), &[&texts::SEE_CLUSTER_ISSUER, &texts::OTHER_CLUSTER, &texts::CORRECT_ISSUER]),
            );
        }
    }
    if let Some(expected) = &stated.expect_audience
        && !token.aud.contains(expected)
    {
        let finding = stated_finding(
            Class::AudienceMismatch,
            &format!(
                "the token’s audience is {}, --expect-audience states {expected}",
                plain(&list(&token.aud))
            ),
            format!("audience {}", list(&token.aud)),
            format!("{expected} (--expect-audience)"),
        )
        .why(format!(
            "The token’s audience is {}, and --expect-audience states {expected}.",
            plain(&list(&token.aud))
        ));
        findings.push(audience_fix(facts, finding, expected));
    }
    if let Some(expected) = &stated.expect_subject {
        let subject = token.sub.as_deref().unwrap_or("(none)");
        let whole = expected.sub();
        if subject != whole {
            let finding = stated_finding(
                Class::SubjectMismatch,
                &match (Account::of_subject(subject), Account::of_subject(&whole)) {
                    (Some(has), Some(stated)) => format!(
                        "the pod runs as {}/{}, --expect-subject states {}/{}",
                        has.namespace, has.name, stated.namespace, stated.name
                    ),
                    _ => "the token’s subject is not the stated one".to_owned(),
                },
                format!("subject {subject}"),
                format!("{whole} (--expect-subject)"),
            );
            let finding = finding
                .why(format!("The token’s subject is {subject}, and --expect-subject states {whole}."));
            let mut values = facts.values();
            let here = facts.account().map(|account| account.namespace);
            let (mut steps, meant): (Vec<&Template>, _) =
                (vec![&texts::CORRECT_SUBJECT], Account::of_subject(&whole));
            if let Some(account) = &meant {
                values = values.with(slot::VALUE, account.name, Word::dns(account.name));
                let same = here == Some(account.namespace);
                if same {
                    steps.insert(0, &texts::SEE_STATED_ACCOUNT);
                    steps.push(&texts::SET_ACCOUNT);
                } else {
                    steps.push(&texts::OTHER_NAMESPACE);
                }
            }
            findings.push(finding.steps(&values, &steps));
        }
    }
    findings
}

/// The repair of a token whose audience is not `required`.
fn audience_fix(facts: &Facts<'_>, finding: Finding, required: &str) -> Finding {
    let values = facts.values();
    if facts.by_agent() {
        // No annotation changes it: the webhook mounts a volume of its own where the pod spec has none.
        return finding.webhook(facts, values, &[&texts::SEE_TOKEN_VOLUME]);
    }
    let values = values.with(slot::AUDIENCE, required, Word::audience(required));
    if facts.compatible() {
        return finding.steps(&values, &[&texts::CORRECT_VOLUME_AUDIENCE]);
    }
    finding.steps(
        &values,
        &[
            &common::SEE_SERVICE_ACCOUNT,
            &texts::CORRECT_VOLUME_AUDIENCE,
            &texts::ANNOTATE_AUDIENCE,
            &common::RESTART,
        ],
    )
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
        format!("the token’s audience is {}, not {usual}", plain(&list(&token.aud))),
    )
    .severity(Severity::Warning)
    .expectation(Basis::Inferred)
    .presented(format!("audience {}", list(&token.aud)))
    .required(if facts.by_agent() {
        usual.to_owned()
    } else {
        format!("{usual}, or a provider that has this audience in its client id list")
    })
    .why(if facts.by_agent() {
        format!("The Pod Identity agent takes tokens for {usual} alone.")
    } else {
        format!("The usual audience is {usual}, in every partition. Another one works only if the provider lists it.")
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
                format!(
                    "this node’s clock is behind: the token was issued {} ahead of it",
                    span(issued - now)
                ),
            )
            .about_time(true)
            .presented(format!("this clock {}", time(now)))
            .required(format!("{} or later, when the token was issued", time(issued)))
            .why(format!(
                "This clock says {}. The API server issued the token at {}.",
                time(now),
                time(issued)
            ))
            .steps(&facts.values(), &[&texts::SEE_CLOCK, &common::SET_CLOCK]),
        );
    }
    if let Some(expiry) = token.exp
        && expiry <= now
    {
        let ago = span(now - expiry);
        let finding = Finding::new(
            Class::TokenExpired,
            if token.pod_uid.is_some() {
                format!("the token expired {ago} ago, and the kubelet did not renew it")
            } else {
                format!("the token expired {ago} ago, and nothing renews it: it is bound to no pod")
            },
        )
        .about_time(true)
        .presented(format!("exp {}", time(expiry)))
        .required(format!("an expiry after {}", time(now)));
        if token.pod_uid.is_none() {
            findings.push(
                finding
                    .acts(Owner::Pod.people())
                    .why(format!("The token was valid until {}. The kubelet binds its tokens to the pod. So somebody made this one, as with kubectl create token, and put it there.", time(expiry)))
                    .webhook(facts, facts.values(), &[&texts_of_file::SEE_MOUNTS, &texts::REMOVE_VOLUME]),
            );
        } else {
            let finding = finding.why(expired_since(token, expiry)).steps(
                &facts.values(),
                &[&common::SEE_EVENTS, account_and_node(facts), &common::RESTART, &texts::LEAVE_NODE],
            );
            findings.push(finding);
        }
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

/// Both must be there for the kubelet to get a new token.
fn account_and_node(facts: &Facts<'_>) -> &'static Template {
    if facts.node().is_some() { &texts::SEE_ACCOUNT_AND_NODE } else { &common::SEE_ACCOUNT_EXISTS }
}

/// Since when, and when the kubelet should have renewed it.
fn expired_since(token: &Token, expiry: i64) -> String {
    let since = format!("The token was valid until {}.", time(expiry));
    let Some(issued) = token.iat.filter(|issued| *issued < expiry) else { return since };
    let due = issued.saturating_add(((expiry - issued) / 5).saturating_mul(4).min(DAY));
    format!(
        "{since} The kubelet should have renewed it from {} on. A copy or a subPath mount is never renewed.",
        time(due)
    )
}

/// Whether STS has told its clock, and this one is near it.
pub(super) fn agrees_with_sts(facts: &Facts<'_>) -> bool {
    facts.evidence.exchange.as_ref().is_some_and(|exchange| {
        let skew = exchange.date.and_then(|date| date.checked_sub(exchange.received_at));
        skew.is_some_and(|skew| skew.abs() <= SKEW_LIMIT)
    })
}

fn not_yet_valid(facts: &Facts<'_>, begin: i64) -> Finding {
    let now = facts.now;
    let finding =
        Finding::new(Class::TokenNotYetValid, format!("the token becomes valid in {}", span(begin - now)))
            .about_time(true)
            .presented(format!("nbf {}", time(begin)))
            .required(format!("{} or earlier", time(now)));
    let values = facts.values();
    let from = format!("The token is valid from {}, and it is {}.", time(begin), time(now));
    if !agrees_with_sts(facts) {
        return finding
            .why(format!(
                "{from} Most likely this node’s clock is behind that of the API server, which dates tokens."
            ))
            .steps(&values, &[&texts::SEE_CLOCK, &common::SET_CLOCK]);
    }
    // STS's clock and ours agree: it was the API server's that was wrong when it signed.
    let passes = begin - now <= SKEW_LIMIT;
    finding
        .transient(passes)
        .restart(if passes { Restart::None } else { Restart::Pod })
        .ruled_out("this node's clock: STS's agrees with it")
        .why(format!("{from} STS’s clock agrees with this node’s, so the API server’s was ahead when it signed. The kubelet keeps the token."))
        .steps(&values, &[&texts::SET_CONTROL_PLANE_CLOCK, &common::RESTART])
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
            format!("the node’s clock was {} {direction} the API server’s at the last rotation", span(apart)),
        )
        .about_time(true)
        // The clock was wrong then; what it is now, the times that are judged now show.
        .explains_nothing()
        .presented(format!("written {} by the node's clock", time(written)))
        .required(format!("{}, when the API server issued it", time(issued)))
        .why(format!(
            "The kubelet wrote it at {} by the node’s clock. The API server issued it at {}.",
            time(written),
            time(issued)
        ))
        .steps(&facts.values(), &[&texts::SEE_CLOCK, &common::SET_CLOCK])
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
        Finding::new(
            Class::TokenFileStale,
            format!("the kubelet has not renewed the token, which is {} old", span(age)),
        )
        .about_time(true)
        .presented(format!("iat {}", time(issued)))
        .required(format!("a token issued after {}", time(facts.now - due)))
        .why(format!(
            "It was issued at {} and is valid until {}. The kubelet renews such a token after {}.",
            time(issued),
            time(expiry),
            span(due)
        ))
        .steps(&facts.values(), &[&common::SEE_EVENTS, account_and_node(facts), &common::RESTART])
    })
}
