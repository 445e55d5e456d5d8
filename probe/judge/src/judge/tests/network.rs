//! Failures of the way to STS, from the name to TLS.
//! Evidence by hand, findings by class.

use super::*;

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
fn an_attempt_without_answer_and_without_failure_is_never_ready() {
    let mut evidence = healthy();
    evidence.environment.options.no_network = false;
    assert_eq!(classes(&evidence), [Class::Inconclusive]);
}
