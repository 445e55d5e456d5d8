//! Evidence by hand, findings by class: each rule that needs no server. Whole reports are compared in tests/it.

use super::fixtures::findings;
use super::issued;
use crate::catalog::{Class, Owner, Topic};
use crate::evidence::{
    AddressAttempt, AddressOutcome, Certificate, ControlName, Evidence, Exchange, Failure, FailureKind,
    Identity, Mount, Network, OtherRegion, Phase, Question, Resolution, StsError, Tls, Token, TrustProblem,
    Unseen,
};
use crate::judge::finding::{Finding, Severity};
use crate::judge::fixtures::{NOW, directory, healthy};
use crate::judge::step::{Heading, Step};
use crate::verdict;

fn answered(exchange: Exchange) -> Evidence {
    let mut evidence = healthy();
    evidence.environment.options.no_network = false;
    evidence.network =
        Some(Network { endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(), ..Network::default() });
    evidence.exchange = Some(exchange);
    evidence
}

pub(super) fn refused(status: u16, code: &str, message: &str) -> Evidence {
    answered(Exchange {
        status,
        error: Some(StsError { code: code.to_owned(), message: message.to_owned() }),
        from_sts: true,
        received_at: NOW,
        date: Some(NOW),
        ..Exchange::default()
    })
}

fn accepted() -> Evidence {
    answered(Exchange {
        status: 200,
        from_sts: true,
        issued: true,
        received_at: NOW,
        date: Some(NOW),
        assumed_role_arn: Some("arn:aws:sts::814203749616:assumed-role/checkout-reader/s".to_owned()),
        ..Exchange::default()
    })
}

fn failed(phase: Phase, kind: FailureKind) -> Evidence {
    let mut evidence = healthy();
    evidence.environment.options.no_network = false;
    evidence.network = Some(Network {
        endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(),
        failure: Some(Failure { phase, kind, peer: None, errno: None, detail: "detail".to_owned() }),
        ..Network::default()
    });
    evidence
}

fn classes(evidence: &Evidence) -> Vec<Class> {
    findings(evidence, NOW).into_iter().map(|finding| finding.class).collect()
}

fn one(evidence: &Evidence) -> Finding {
    let mut findings = findings(evidence, NOW);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

fn token(change: impl FnOnce(&mut Token)) -> Evidence {
    let mut evidence = healthy();
    change(evidence.token.as_mut().unwrap());
    if let Some(issued) = evidence.token.as_ref().and_then(|token| token.iat) {
        evidence.token_file.as_mut().unwrap().data_link = Some(directory(issued));
    }
    evidence
}

#[test]
fn kubelets_directory_tells_the_nodes_clock() {
    let written_in = |at, alone| {
        let mut evidence = healthy();
        let file = evidence.token_file.as_mut().unwrap();
        (file.data_link, file.alone) = (Some(directory(at)), alone);
        classes(&evidence)
    };
    let written = |at| written_in(at, Some(true));
    let issued = NOW - 300;
    assert_eq!(written(issued + 300), []);
    assert_eq!(written(issued + 301), [Class::ClockSkew]);
    assert_eq!(written(issued - 301), [Class::ClockSkew]);
    for alone in [None, Some(false)] {
        assert_eq!(written_in(issued + 372, alone), [], "kubelet writes for another source too: {alone:?}");
    }
    let mut told = accepted();
    told.token_file.as_mut().unwrap().alone = Some(true);
    told.token_file.as_mut().unwrap().data_link = Some(directory(issued - 301));
    assert_eq!(classes(&told), [], "STS's own clock says more");
    told.exchange = None;
    told.token_file.as_mut().unwrap().data_link = Some("..no_date".to_owned());
    assert!(!classes(&told).contains(&Class::ClockSkew), "a name without time");
}

/// A volume that was written late does not say that the clock is wrong now.
#[test]
fn the_clock_at_rotation_explains_nothing() {
    let mut evidence = healthy();
    let token = evidence.token.as_mut().unwrap();
    (token.iat, token.nbf, token.exp) = (Some(NOW - 900), Some(NOW - 900), Some(NOW - 100));
    let file = evidence.token_file.as_mut().unwrap();
    (file.data_link, file.alone) = (Some(directory(NOW - 300)), Some(true));
    let judgement = verdict::decide(findings(&evidence, NOW), &verdict::Situation::default());
    assert_eq!(judgement.class, Class::TokenExpired);
    let skew = judgement.findings.iter().find(|it| it.finding.class == Class::ClockSkew).unwrap();
    assert_eq!(skew.finding.severity, Severity::Warning);
    assert!(judgement.findings.iter().all(|it| it.explained_by != Some(Class::ClockSkew)));
}

/// Errors of the system that say nothing about what was looked at.
const FAULTS: [&str; 8] = ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EIO", "ESTALE", "EINTR", "EAGAIN"];

#[test]
fn an_error_of_the_node_is_held_against_nobody() {
    type Change = fn(&mut Evidence, &str);
    let places: [(&str, Change); 9] = [
        ("open", |it, errno| it.token_file.as_mut().unwrap().open_error = Some(errno.to_owned())),
        ("read", |it, errno| it.token_file.as_mut().unwrap().read_error = Some(errno.to_owned())),
        ("fuse", |it, _| it.token_file.as_mut().unwrap().open_error = Some("ENOTCONN".to_owned())),
        ("profile", |it, errno| {
            it.environment.variables.clear();
            it.environment.unseen =
                vec![Unseen { what: "/root/.aws/config".to_owned(), error: errno.to_owned() }];
        }),
        ("mount", |it, errno| {
            it.environment.variables.remove("AWS_WEB_IDENTITY_TOKEN_FILE");
            it.environment.unseen = vec![Unseen { what: "/var/run".to_owned(), error: errno.to_owned() }];
        }),
        ("bundle", |it, errno| {
            let (source, errno) = ("AWS_CA_BUNDLE=/ca.pem".to_owned(), Some(errno.to_owned()));
            it.environment.trust_problem = Some(TrustProblem { source, errno, ..TrustProblem::default() });
        }),
        ("connect", |it, errno| {
            let failure = failure(Phase::Connect, FailureKind::Unreachable, Some(errno));
            it.network = Some(Network { failure: Some(failure), ..Network::default() });
        }),
        ("proxy", |it, errno| {
            let failure = failure(Phase::Connect, FailureKind::ProxyRefused, Some(errno));
            it.network = Some(Network { failure: Some(failure), ..Network::default() });
        }),
        ("nameserver", |it, errno| {
            let question = Question {
                name: "sts".to_owned(),
                record_type: "A".to_owned(),
                nameserver: "10.100.0.10:53".to_owned(),
                outcome: errno.to_owned(),
                answers: 0,
            };
            let resolution = Some(Resolution { questions: vec![question], ..Resolution::default() });
            let failure = Some(failure(Phase::Resolve, FailureKind::NameserverFailed, None));
            it.network = Some(Network { resolution, failure, ..Network::default() });
        }),
    ];
    for (place, change) in places {
        for errno in FAULTS {
            let mut evidence = healthy();
            change(&mut evidence, errno);
            let judgement = verdict::decide(findings(&evidence, NOW), &verdict::Situation::default());
            assert_eq!(judgement.class, Class::Inconclusive, "{place} {errno}: {:?}", judgement.findings);
            assert!(judgement.transient() && judgement.owner() == Some(Owner::Probe), "{place} {errno}");
        }
    }
}

#[test]
fn what_the_trust_lacks_by_the_nodes_fault_is_not_the_networks() {
    let mut evidence = healthy();
    let failure = failure(Phase::Tls, FailureKind::TlsUnknownIssuer, None);
    evidence.network = Some(Network { failure: Some(failure), ..Network::default() });
    assert_eq!(classes(&evidence), [Class::TlsFailed]);
    evidence.environment.unseen =
        vec![Unseen { what: "SSL_CERT_FILE=/ca.pem".to_owned(), error: "EIO".to_owned() }];
    assert!(!classes(&evidence).contains(&Class::TlsFailed));
}

#[test]
fn a_ca_addition_that_adds_nothing_is_a_warning_and_names_whose_it_is() {
    let mut evidence = accepted();
    let addition = TrustProblem {
        source: "SSL_CERT_FILE=/ca.pem".to_owned(),
        problem: "holds no certificate".to_owned(),
        ..TrustProblem::default()
    };
    evidence.environment.trust_idle = vec![addition.clone(), TrustProblem { own: true, ..addition }];
    let idle = findings(&evidence, NOW);
    let severities: Vec<_> = idle.iter().map(|finding| (finding.class, finding.severity)).collect();
    assert_eq!(severities, [(Class::SettingsInvalid, Severity::Warning); 2]);
    let own: Vec<bool> = idle
        .iter()
        .map(|it| it.lines(Heading::Fix).join(" ").contains("credprobe's own container"))
        .collect();
    assert_eq!(own, [false, true]);
}

#[test]
fn a_layout_that_could_not_be_seen_is_no_copy() {
    let mut evidence = healthy();
    evidence.token_file.as_mut().unwrap().data_link = None;
    assert_eq!(classes(&evidence), [Class::TokenFileFrozen]);
    evidence.token_file.as_mut().unwrap().data_link_error = Some("EMFILE".to_owned());
    assert_eq!(classes(&evidence), []);
}

/// Where the names for a command are not known, no sentence leads to one.
#[test]
fn no_repair_ends_with_a_colon_and_nothing_after_it() {
    let mut evidence = healthy();
    evidence.token = None;
    let file = evidence.token_file.as_mut().unwrap();
    file.open_error = Some("EACCES".to_owned());
    evidence.environment.variables.insert("AWS_ENDPOINT_URL_STS".to_owned(), "moon".to_owned());
    let findings = findings(&evidence, NOW);
    assert!(findings.iter().any(|finding| finding.lines(Heading::Fix).len() == 1), "{findings:?}");
    for line in findings.iter().filter_map(|finding| finding.lines(Heading::Fix).pop()) {
        assert!(!line.ends_with(':'), "{line}");
    }
}

fn failure(phase: Phase, kind: FailureKind, errno: Option<&str>) -> Failure {
    Failure { phase, kind, peer: None, errno: errno.map(str::to_owned), detail: String::new() }
}

#[test]
fn a_pod_in_which_everything_fits_has_no_finding() {
    assert_eq!(classes(&healthy()), []);
    assert_eq!(classes(&accepted()), []);
    assert!(issued(&accepted()) && !issued(&healthy()));
}

/// The catalogue's codes and texts, old and new wording (sources.md, “STS answers”).
#[test]
fn each_answer_of_sts_has_its_class() {
    let generic = "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";
    for (status, code, message, class) in [
        (400, "ValidationError", "Request ARN is invalid", Class::RoleArnRejected),
        (
            400,
            "ValidationError",
            "1 validation error detected: Value at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
            Class::RequestRejected,
        ),
        (
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            Class::RequestRejected,
        ),
        (400, "ValidationError", "Unable to validate tags", Class::RequestRejected),
        (400, "PackedPolicyTooLarge", "", Class::RequestRejected),
        (400, "MalformedPolicyDocument", "", Class::RequestRejected),
        (400, "InvalidIdentityToken", generic, Class::TokenRejected),
        (
            400,
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://oidc.eks.eu-west-1.amazonaws.com/id/ABC",
            Class::ProviderMissing,
        ),
        (400, "InvalidIdentityToken", "Incorrect token audience", Class::AudienceNotRegistered),
        (
            400,
            "InvalidIdentityToken",
            "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
            Class::ThumbprintMismatch,
        ),
        (
            400,
            "InvalidIdentityToken",
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
            Class::IssuerUnavailable,
        ),
        (
            400,
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            Class::TokenRejected,
        ),
        (
            400,
            "InvalidIdentityToken",
            "Provided Token is not a Login With Amazon token",
            Class::TokenRejected,
        ),
        (400, "InvalidIdentityToken", "Missing a required claim: aud", Class::TokenRejected),
        (
            400,
            "ExpiredTokenException",
            "Token expired: current date/time 1626271164 must be before the expiration date/time1626191469",
            Class::TokenExpiredAtSts,
        ),
        (400, "ExpiredTokenException", "Token too old: 441398", Class::TokenExpiredAtSts),
        (400, "IDPCommunicationError", "", Class::IssuerUnavailable),
        (403, "IDPRejectedClaim", "", Class::ClaimRejected),
        (
            403,
            "RegionDisabledException",
            "STS is not activated in this region for account:814203749616.",
            Class::RegionDisabled,
        ),
        (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", Class::AccessDenied),
        (400, "Throttling", "Rate exceeded", Class::Throttled),
        (400, "ThrottlingException", "Rate exceeded", Class::Throttled),
        (503, "RequestLimitExceeded", "", Class::Throttled),
        (500, "InternalFailure", "", Class::StsUnavailable),
        (503, "ServiceUnavailable", "", Class::StsUnavailable),
        (500, "SomethingNew", "Unknown error validating third-party token", Class::StsUnavailable),
        (400, "SomethingNew", "", Class::StsUnrecognized),
    ] {
        let finding = one(&refused(status, code, message));
        assert_eq!(finding.class, class, "{code}: {message}");
        assert!(
            !finding.presented.is_empty() && !finding.required.is_empty() && finding.has_fix(),
            "{finding:?}"
        );
    }
}

#[test]
fn each_failure_of_the_way_has_its_class() {
    for (phase, kind, class, transient) in [
        (Phase::Resolve, FailureKind::NameserverFailed, Class::DnsFailed, true),
        (Phase::Resolve, FailureKind::TimedOut, Class::DnsFailed, true),
        (Phase::Resolve, FailureKind::NameNotFound, Class::NameNotFound, false),
        (Phase::Resolve, FailureKind::NameWithoutAddress, Class::NameNotFound, false),
        (Phase::Connect, FailureKind::Refused, Class::ConnectRefused, true),
        (Phase::Connect, FailureKind::TimedOut, Class::ConnectTimeout, true),
        (Phase::Connect, FailureKind::Unreachable, Class::Unreachable, false),
        (Phase::Tls, FailureKind::TimedOut, Class::ResponseTimeout, true),
        (Phase::Processing, FailureKind::TimedOut, Class::ResponseTimeout, true),
        (Phase::Tls, FailureKind::TlsUnknownIssuer, Class::TlsFailed, false),
        (Phase::Tls, FailureKind::TlsNotTls, Class::TlsFailed, false),
        (Phase::Connect, FailureKind::ProxyRefused, Class::ProxyFailed, true),
        (Phase::Transfer, FailureKind::Broken, Class::ConnectionBroken, true),
        (Phase::Transfer, FailureKind::TooLong, Class::NotSts, false),
        (Phase::Processing, FailureKind::NotHttp, Class::NotSts, false),
    ] {
        let finding = one(&failed(phase, kind));
        assert_eq!((finding.class, finding.transient), (class, transient), "{phase:?} {kind:?}");
    }
}

#[test]
fn a_private_address_points_to_the_endpoints_security_group_and_a_public_one_to_egress() {
    for (address, part) in [
        ("10.0.12.31:443", "security group"),
        ("52.46.134.192:443", "egress"),
        ("[fd00::1]:443", "security group"),
    ] {
        let mut evidence = failed(Phase::Connect, FailureKind::TimedOut);
        evidence.network.as_mut().unwrap().addresses = vec![AddressAttempt {
            address: address.parse().unwrap(),
            outcome: AddressOutcome::TimedOut,
            errno: None,
            took_ms: 1.0,
        }];
        let finding = one(&evidence);
        assert!(finding.required.contains(part), "{address}: {}", finding.required);
    }
}

#[test]
fn a_proxy_that_refuses_by_policy_is_not_transient() {
    for (status, transient) in [(403, false), (407, false), (502, true)] {
        let mut evidence = failed(Phase::Connect, FailureKind::ProxyRefused);
        let network = evidence.network.as_mut().unwrap();
        network.proxy = Some("http://proxy:3128".to_owned());
        network.proxy_status = Some(status);
        assert_eq!(one(&evidence).transient, transient, "{status}");
    }
}

#[test]
fn what_dns_says_of_a_name_counts_only_if_it_knows_the_clusters_own() {
    for (failure, class) in [(None, Class::NameNotFound), (Some(FailureKind::NameNotFound), Class::DnsFailed)]
    {
        let mut evidence = failed(Phase::Resolve, FailureKind::NameNotFound);
        evidence.control_name = Some(ControlName { name: "kubernetes.default.svc".to_owned(), failure });
        assert_eq!(one(&evidence).class, class);
    }
}

#[test]
fn an_expired_certificate_is_about_time_and_a_wrong_name_is_not() {
    for (kind, about_time) in [(FailureKind::TlsExpired, true), (FailureKind::TlsWrongName, false)] {
        let mut evidence = failed(Phase::Tls, kind);
        evidence.network.as_mut().unwrap().tls = Some(Tls {
            server_name: "sts.eu-west-1.amazonaws.com".to_owned(),
            chain: vec![Certificate {
                names: vec!["other.example".to_owned()],
                issuer: "CN=Corp".to_owned(),
                ..Certificate::default()
            }],
            ..Tls::default()
        });
        let finding = one(&evidence);
        assert_eq!(finding.about == Some(Topic::Time), about_time);
        assert!(finding.presented.contains("other.example") && finding.presented.contains("CN=Corp"));
    }
}

#[test]
fn times_are_held_against_the_given_clock_to_the_second() {
    let expired = |expiry| classes(&token(|token| token.exp = Some(expiry)));
    assert_eq!(expired(NOW), [Class::TokenExpired]);
    assert_eq!(expired(NOW + 1), []);
    let begins = |begin| classes(&token(|token| token.nbf = Some(begin)));
    assert_eq!(begins(NOW + 1), [Class::TokenNotYetValid]);
    assert_eq!(begins(NOW), []);
    let issued = |at| classes(&token(|token| token.iat = Some(at)));
    assert_eq!(issued(NOW + 61), [Class::ClockSkew]);
    assert_eq!(issued(NOW + 60), []);
}

#[test]
fn a_token_is_stale_when_kubelet_should_have_rotated_it() {
    let aged = |age: i64, life: i64| {
        let mut evidence = token(|token| {
            token.iat = Some(NOW - age);
            token.nbf = token.iat;
            token.exp = Some(NOW - age + life);
        });
        let projected = classes(&evidence);
        evidence.token.as_mut().unwrap().pod_uid = None;
        evidence.token_file.as_mut().unwrap().data_link = None;
        assert!(!classes(&evidence).contains(&Class::TokenFileStale), "nobody rotates a file made by hand");
        projected
    };
    assert_eq!(aged(69_120 + 301, 86_400), [Class::TokenFileStale]);
    assert_eq!(aged(69_120 + 299, 86_400), []);
    assert_eq!(aged(86_400 + 301, 31_536_000), [Class::TokenFileStale]);
    assert_eq!(aged(480 + 301, 600).last(), Some(&Class::TokenFileStale));
}

#[test]
fn a_file_that_kubelet_does_not_rotate_is_frozen() {
    let mut evidence = healthy();
    let file = evidence.token_file.as_mut().unwrap();
    file.file_mount = Some(Mount {
        point: file.path.clone(),
        root: "/..2025/token".to_owned(),
        file_system: "tmpfs".to_owned(),
    });
    assert_eq!(classes(&evidence), [Class::TokenFileFrozen]);
    let mut copied = healthy();
    copied.token_file.as_mut().unwrap().data_link = None;
    assert_eq!(classes(&copied), [Class::TokenFileFrozen]);
    copied.token.as_mut().unwrap().pod_uid = None;
    assert_eq!(classes(&copied), [], "a token that was not made for a pod");
}

#[test]
fn each_kind_of_foreign_token_is_told() {
    for (change, class) in [
        (
            Box::new(|token: &mut Token| token.iss = Some("kubernetes/serviceaccount".to_owned()))
                as Box<dyn FnOnce(&mut Token)>,
            Class::TokenKindWrong,
        ),
        (
            Box::new(|token: &mut Token| token.aud = vec!["pods.eks.amazonaws.com".to_owned()]),
            Class::TokenKindWrong,
        ),
        (Box::new(|token: &mut Token| token.warnafter = Some(NOW)), Class::TokenKindWrong),
        (Box::new(|token: &mut Token| token.alg = Some("none".to_owned())), Class::TokenMalformed),
        (Box::new(|token: &mut Token| token.aud.clear()), Class::TokenMalformed),
    ] {
        assert_eq!(classes(&token(change)), [class]);
    }
    let mut evidence = healthy();
    evidence.process.pod_uid = Some("uid-2".to_owned());
    assert_eq!(classes(&evidence), [Class::TokenForeign]);
}

#[test]
fn expectations_are_held_against_the_claims() {
    let expect = |change: fn(&mut crate::options::Options)| {
        let mut evidence = healthy();
        change(&mut evidence.environment.options);
        classes(&evidence)
    };
    assert_eq!(expect(|stated| stated.expect_subject = Some("shop/checkout".to_owned())), []);
    assert_eq!(
        expect(|stated| stated.expect_subject = Some("shop/other".to_owned())),
        [Class::SubjectMismatch]
    );
    assert_eq!(expect(|stated| stated.expect_issuer = Some("https://oidc.eks.eu-west-1.*".to_owned())), []);
    assert_eq!(
        expect(|stated| stated.expect_issuer = Some("https://oidc.eks.eu-west-1.".to_owned())),
        [Class::IssuerMismatch]
    );
    assert_eq!(expect(|stated| stated.expect_audience = Some("other".to_owned())), [Class::AudienceMismatch]);
    assert_eq!(
        expect(|stated| stated.expect_role = Some("arn:aws:iam::814203749616:role/x".to_owned())),
        [Class::RoleUnexpected]
    );
}

#[test]
fn a_guess_explains_a_refusal_and_makes_none() {
    let generic =
        refused(400, "InvalidIdentityToken", "The web identity token provided could not be validated.");
    let mut unusual = generic.clone();
    unusual.token.as_mut().unwrap().aud = vec!["sts.amazon.com".to_owned()];
    assert_eq!(classes(&unusual), [Class::AudienceMismatch, Class::TokenRejected]);
    let mut issued = accepted();
    issued.token.as_mut().unwrap().aud = vec!["sts.amazon.com".to_owned()];
    assert_eq!(classes(&issued), [], "what the issuer of the credentials accepted is good");
    let mut several = generic;
    several.token.as_mut().unwrap().aud.push("second".to_owned());
    assert!(one(&several).summary.contains("several audiences"));
}

#[test]
fn a_token_that_is_taken_in_the_issuers_region_shows_a_region_that_is_not_enabled() {
    let mut evidence =
        refused(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for x");
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        evidence.environment.variables.insert(name.to_owned(), "eu-central-2".to_owned());
    }
    let other =
        |status| Some(OtherRegion { region: "eu-west-1".to_owned(), endpoint: String::new(), status });
    evidence.other_region = other(Some(200));
    assert_eq!(classes(&evidence), [Class::ProviderMissing, Class::RegionDisabled]);
    evidence.other_region = other(Some(400));
    assert_eq!(classes(&evidence), [Class::ProviderMissing]);
    evidence.other_region = other(None);
    assert_eq!(classes(&evidence), [Class::ProviderMissing]);
}

#[test]
fn the_signed_calls_refusal_is_told_apart() {
    let identified = |code: &str, message: &str| {
        let mut evidence = accepted();
        evidence.identity = Some(Identity {
            status: Some(403),
            error: Some(StsError { code: code.to_owned(), message: message.to_owned() }),
            ..Identity::default()
        });
        let finding = one(&evidence);
        (finding.class, finding.severity)
    };
    let expired = "Signature expired: 20261122T005008Z is now earlier than 20261122T014508Z (20261122T015008Z - 5 min.)";
    assert_eq!(identified("SignatureDoesNotMatch", expired), (Class::ClockSkew, Severity::Error));
    assert_eq!(
        identified("SignatureDoesNotMatch", "Credential should be scoped to a valid region"),
        (Class::CredentialsRejected, Severity::Error)
    );
    assert_eq!(identified("InvalidClientTokenId", ""), (Class::CredentialsRejected, Severity::Error));
    assert_eq!(identified("Throttling", "Rate exceeded"), (Class::IdentityUnconfirmed, Severity::Warning));
}

#[test]
fn a_skew_counts_from_the_sixth_minute_and_is_said_once() {
    let skewed = |seconds| {
        let mut evidence = accepted();
        evidence.exchange.as_mut().unwrap().date = Some(NOW + seconds);
        classes(&evidence)
    };
    assert_eq!(skewed(300), []);
    assert_eq!(skewed(301), [Class::ClockSkew]);
    assert_eq!(skewed(-301), [Class::ClockSkew]);
    let mut twice = accepted();
    twice.exchange.as_mut().unwrap().date = Some(NOW + 3_600);
    twice.token.as_mut().unwrap().iat = Some(NOW + 3_600);
    assert_eq!(classes(&twice), [Class::ClockSkew]);
}

#[test]
fn an_attempt_without_answer_and_without_failure_is_never_ready() {
    let mut evidence = healthy();
    evidence.environment.options.no_network = false;
    assert_eq!(classes(&evidence), [Class::Inconclusive]);
}

#[test]
fn beside_another_sts_no_command_of_aws_is_printed() {
    for (code, message) in [
        ("AccessDenied", ""),
        ("ValidationError", "Request ARN is invalid"),
        ("ValidationError", "1 validation error detected: Value at 'durationSeconds'"),
        ("ValidationError", "Value at 'tags'"),
        ("ValidationError", "Value at 'roleArn'"),
        ("InvalidIdentityToken", "No OpenIDConnect provider found"),
        ("InvalidIdentityToken", "Incorrect token audience"),
        ("InvalidIdentityToken", "thumbprint"),
        ("InvalidIdentityToken", ""),
        ("RegionDisabledException", ""),
        ("Unheard", ""),
    ] {
        let mut evidence = refused(400, code, message);
        evidence.environment.options.sts_compatible = true;
        for finding in findings(&evidence, NOW) {
            let mut lines = finding.steps.iter().flat_map(Step::lines);
            assert!(
                lines.all(|line| !line.contains("aws ") && !line.contains("eks.amazonaws.com/")),
                "{finding:#?}"
            );
        }
    }
}

#[test]
fn a_pair_that_only_flags_name_has_no_rival_in_the_environment() {
    let mut evidence = healthy();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        evidence.environment.variables.insert(name.to_owned(), "set".to_owned());
    }
    assert_eq!(classes(&evidence), [Class::Shadowed]);
    for (name, flag) in [
        ("AWS_ROLE_ARN", &mut evidence.environment.options.role_arn),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &mut evidence.environment.options.token_file),
    ] {
        *flag = evidence.environment.variables.remove(name);
    }
    assert_eq!(classes(&evidence), []);
}

#[test]
fn pod_identity_wins_before_irsa_in_javascript_v2_alone() {
    let mut evidence = healthy();
    for (name, value) in [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/eks-pod-identity-token"),
    ] {
        evidence.environment.variables.insert(name.to_owned(), value.to_owned());
    }
    let summary = one(&evidence).summary;
    assert_eq!(
        summary,
        "web identity (IRSA) loses to the container endpoint (Pod Identity) in JavaScript v2"
    );
}

#[test]
fn another_sdk_than_the_stated_one_is_no_error() {
    let mut evidence = healthy();
    let profile = crate::evidence::Profile {
        name: "default".to_owned(),
        other_keys: vec!["aws_access_key_id".to_owned(), "aws_secret_access_key".to_owned()],
        source: None,
        ..Default::default()
    };
    evidence.environment.profile = Some(profile);
    for (sdk, mechanism, severity) in [
        (None, None, Severity::Warning),
        (None, Some("irsa"), Severity::Error),
        (Some("rust"), None, Severity::Error),
        (Some("boto3"), None, Severity::Info),
        (Some("boto3"), Some("irsa"), Severity::Info),
    ] {
        evidence.environment.options.sdk = sdk.map(str::to_owned);
        evidence.environment.options.mechanism = mechanism.map(str::to_owned);
        assert_eq!(one(&evidence).severity, severity, "{sdk:?} {mechanism:?}");
    }
}
