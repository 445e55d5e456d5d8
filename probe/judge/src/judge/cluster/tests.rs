//! Each answer of the API server, and each failure on the way to it, has its class; nothing of the exchange's explains it.

use crate::catalog::Class;
use crate::evidence::{
    AccessReview, Cluster, Evidence, Exchange, Failure, FailureKind, KubernetesUser, Network, Phase,
    TrustProblem,
};
use crate::judge::finding::Severity;
use crate::judge::fixtures::{NOW, healthy};
use crate::sdks::EffectiveSettings;
use crate::verdict::{Judgement, judge_evidence};

fn evidence(cluster: Cluster) -> Evidence {
    let mut evidence = healthy();
    evidence.environment.options.cluster = Some("prod".to_owned());
    evidence.network = Some(Network::default());
    evidence.exchange = Some(Exchange {
        status: 200,
        from_sts: true,
        issued: true,
        date: Some(NOW),
        received_at: NOW,
        assumed_role_arn: Some("arn:aws:sts::814203749616:assumed-role/checkout-reader/s".to_owned()),
        ..Exchange::default()
    });
    evidence.cluster = Some(cluster);
    evidence
}

fn judged(evidence: &Evidence) -> Judgement {
    judge_evidence(evidence, &EffectiveSettings::from_evidence(evidence), NOW)
}

fn failed(phase: Phase, kind: FailureKind) -> Cluster {
    let failure = Failure { phase, kind, peer: None, errno: None, detail: "x".to_owned() };
    let endpoint = "https://0a1b.gr7.eu-west-1.eks.amazonaws.com".to_owned();
    let network = Network { endpoint, failure: Some(failure), ..Network::default() };
    Cluster { network: Some(network), ..Cluster::default() }
}

#[test]
fn each_failure_on_the_way_has_its_class_and_is_an_error() {
    use FailureKind as Kind;
    for (phase, kind, class) in [
        (Phase::Resolve, Kind::NameserverFailed, Class::DnsFailed),
        (Phase::Resolve, Kind::TimedOut, Class::DnsFailed),
        (Phase::Resolve, Kind::NameNotFound, Class::NameNotFound),
        (Phase::Connect, Kind::Refused, Class::ConnectRefused),
        (Phase::Connect, Kind::TimedOut, Class::ConnectTimeout),
        (Phase::Connect, Kind::Unreachable, Class::Unreachable),
        (Phase::Tls, Kind::TlsUnknownIssuer, Class::TlsFailed),
        (Phase::Tls, Kind::TlsExpired, Class::TlsFailed),
        (Phase::Tls, Kind::TimedOut, Class::ResponseTimeout),
        (Phase::Processing, Kind::TimedOut, Class::ResponseTimeout),
        (Phase::Transfer, Kind::Broken, Class::ConnectionBroken),
        (Phase::Transfer, Kind::NotHttp, Class::Inconclusive),
    ] {
        let judgement = judged(&evidence(failed(phase, kind)));
        assert_eq!(judgement.class, class, "{phase:?} {kind:?}: {:?}", judgement.findings);
    }
}

/// A region that is missing, a broken bundle and a skew explain what happens on the way to STS, and nothing of this.
#[test]
fn nothing_of_the_exchange_explains_it() {
    for (phase, kind, class) in [
        (Phase::Resolve, FailureKind::NameNotFound, Class::NameNotFound),
        (Phase::Tls, FailureKind::TlsExpired, Class::TlsFailed),
    ] {
        let mut evidence = evidence(failed(phase, kind));
        if let Some(exchange) = &mut evidence.exchange {
            exchange.date = Some(NOW + 3_600);
        }
        evidence.environment.trust_idle = vec![TrustProblem {
            source: "AWS_CA_BUNDLE=/ca.pem".to_owned(),
            problem: "the file is empty".to_owned(),
            ..TrustProblem::default()
        }];
        evidence.environment.variables.remove("AWS_REGION");
        evidence.environment.variables.remove("AWS_DEFAULT_REGION");
        let judgement = judged(&evidence);
        for present in [Class::ClockSkew, Class::SettingsInvalid] {
            assert!(judgement.findings.iter().any(|it| it.finding.class == present), "{present}");
        }
        assert_eq!(judgement.class, class, "{:?}", judgement.findings);
        assert_eq!(judgement.findings[0].explained_by, None);
    }
}

#[test]
fn each_answer_has_its_class() {
    let user = KubernetesUser { username: "checkout".to_owned(), ..KubernetesUser::default() };
    let review = |status, allowed| AccessReview {
        asked: "list:pods:shop".to_owned(),
        status: Some(status),
        allowed,
        reason: None,
    };
    for (status, reviews, class) in [
        (201, vec![], Class::Ready),
        (201, vec![review(201, Some(true))], Class::Ready),
        (201, vec![review(201, Some(true)), review(201, Some(false))], Class::ClusterForbidden),
        (201, vec![review(500, None)], Class::Inconclusive),
        (403, vec![], Class::Ready),
        (404, vec![review(201, Some(true))], Class::Ready),
        (404, vec![review(201, Some(false))], Class::ClusterForbidden),
        (401, vec![], Class::ClusterUnauthorized),
        (302, vec![], Class::Inconclusive),
        (429, vec![], Class::Inconclusive),
        (503, vec![], Class::Inconclusive),
    ] {
        let cluster = Cluster {
            status: Some(status),
            user: (status == 201).then(|| user.clone()),
            reviews,
            ..Cluster::default()
        };
        let judgement = judged(&evidence(cluster));
        assert_eq!(judgement.class, class, "{status}: {:?}", judgement.findings);
        assert_eq!(judgement.transient(), matches!(status, 429 | 503), "{status}");
    }
}

#[test]
fn a_401_beside_a_skew_is_about_time() {
    let mut evidence = evidence(Cluster { status: Some(401), ..Cluster::default() });
    if let Some(exchange) = &mut evidence.exchange {
        exchange.date = Some(NOW + 1_200);
    }
    let judgement = judged(&evidence);
    assert_eq!(judgement.class, Class::ClockSkew);
    let refused = judgement.findings.iter().find(|it| it.finding.class == Class::ClusterUnauthorized);
    assert_eq!(refused.and_then(|it| it.explained_by), Some(Class::ClockSkew));
}

#[test]
fn what_eks_refuses_in_any_case_is_judged_before_the_token_is_made() {
    for (variable, value, cluster, class) in [
        ("AWS_REGION", "eu-west-1", "prod", None),
        (
            "AWS_REGION",
            "eu-west-1",
            "arn:aws:eks:eu-west-1:814203749616:cluster/prod",
            Some(Class::ClusterTokenRefused),
        ),
        ("AWS_REGION", "eu-west-1", "-prod", Some(Class::ClusterTokenRefused)),
        ("AWS_ENDPOINT_URL_STS", "https://sts.eu-west-1.amazonaws.com", "prod", None),
        ("AWS_ENDPOINT_URL_STS", "https://sts.eu-west-1.amazonaws.com/", "prod", None),
        ("AWS_ENDPOINT_URL_STS", "https://sts.eu-west-1.amazonaws.com/x", "prod", None),
        ("AWS_ENDPOINT_URL_STS", "https://sts.eu-west-1.api.aws", "prod", None),
        ("AWS_ENDPOINT_URL_STS", "https://sts-fips.eu-west-1.amazonaws.com", "prod", None),
        (
            "AWS_ENDPOINT_URL_STS",
            "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com",
            "prod",
            Some(Class::ClusterTokenRefused),
        ),
        ("AWS_ENDPOINT_URL_STS", "https://sts.corp.example", "prod", Some(Class::ClusterTokenRefused)),
        (
            "AWS_ENDPOINT_URL_STS",
            "https://sts.eu-west-1.amazonaws.com:8443",
            "prod",
            Some(Class::ClusterTokenRefused),
        ),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:4566", "prod", Some(Class::ClusterTokenRefused)),
        // The AWS CLI keeps the host as it is written, and signs for the pod’s region.
        (
            "AWS_ENDPOINT_URL",
            "https://sts.eu-west-1.amazonaws.com:443",
            "prod",
            Some(Class::ClusterTokenRefused),
        ),
        (
            "AWS_ENDPOINT_URL_STS",
            "https://sts.eu-west-1.amazonaws.com.",
            "prod",
            Some(Class::ClusterTokenRefused),
        ),
        (
            "AWS_ENDPOINT_URL_STS",
            "https://STS.eu-west-1.amazonaws.com",
            "prod",
            Some(Class::ClusterTokenRefused),
        ),
        (
            "AWS_ENDPOINT_URL_STS",
            "https://sts.us-east-1.amazonaws.com",
            "prod",
            Some(Class::ClusterTokenRefused),
        ),
        ("AWS_ENDPOINT_URL_STS", "https://sts.amazonaws.com", "prod", Some(Class::ClusterTokenRefused)),
    ] {
        let mut evidence = evidence(Cluster::default());
        evidence.environment.options.cluster = Some(cluster.to_owned());
        evidence.environment.variables.insert(variable.to_owned(), value.to_owned());
        let settings = EffectiveSettings::from_evidence(&evidence);
        assert_eq!(
            crate::judge::gate::cluster_refuses(&evidence, &settings, NOW),
            class.is_some(),
            "{value} {cluster}"
        );
        let found = judged(&evidence).findings;
        let refused = found.iter().find(|it| it.finding.class == Class::ClusterTokenRefused);
        assert_eq!(refused.map(|it| it.finding.class), class, "{value} {cluster}");
        assert!(refused.is_none_or(|it| it.finding.severity == Severity::Error));
    }
    let large = Cluster { token_bytes: Some(4_097), ..Cluster::default() };
    assert_eq!(judged(&evidence(large)).class, Class::ClusterTokenRefused);
    let fits = Cluster { token_bytes: Some(4_096), status: Some(401), ..Cluster::default() };
    assert_eq!(judged(&evidence(fits)).class, Class::ClusterUnauthorized);
}

#[test]
fn a_cluster_takes_the_sts_hosts_of_its_partition() {
    for (region, url, server, is_refused) in [
        ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com", "eu-west-1.eks.amazonaws.com", false),
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com", "us-gov-west-1.eks.amazonaws.com", false),
        ("us-east-1", "https://sts.amazonaws.com", "us-gov-west-1.eks.amazonaws.com", true),
        ("us-east-1", "https://sts.amazonaws.com", "us-east-1.eks.amazonaws.com", false),
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com", "cn-north-1.eks.amazonaws.com.cn", true),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1.eks.amazonaws.com.cn", false),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn", "eu-west-1.eks.amazonaws.com", true),
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com", "example.internal", false),
    ] {
        let mut evidence = evidence(Cluster::default());
        evidence.cluster = None;
        evidence.environment.options.cluster_endpoint = Some(format!("https://0a1b.gr7.{server}"));
        for (name, value) in [("AWS_REGION", region), ("AWS_ENDPOINT_URL_STS", url)] {
            evidence.environment.variables.insert(name.to_owned(), value.to_owned());
        }
        let settings = EffectiveSettings::from_evidence(&evidence);
        assert_eq!(
            crate::judge::gate::cluster_refuses(&evidence, &settings, NOW),
            is_refused,
            "{url} {server}"
        );
    }
}
