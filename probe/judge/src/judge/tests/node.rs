//! What the node shows: its clock by the kubelet's directory, and errors that are nobody's in the pod.
//! Evidence by hand, findings by class.

use super::*;

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
