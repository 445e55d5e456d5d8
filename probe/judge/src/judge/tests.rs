//! Evidence by hand, findings by class: each rule that needs no server. Whole reports are compared in tests/it.

mod exchange;
mod network;
mod node;
mod restart;
mod settings;
mod token;

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
use crate::options::Mechanism;
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

fn failure(phase: Phase, kind: FailureKind, errno: Option<&str>) -> Failure {
    Failure { phase, kind, peer: None, errno: errno.map(str::to_owned), detail: String::new() }
}

fn classes(evidence: &Evidence) -> Vec<Class> {
    findings(evidence, NOW).into_iter().map(|finding| finding.class).collect()
}

fn one(evidence: &Evidence) -> Finding {
    let mut findings = findings(evidence, NOW);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

fn commands(evidence: &Evidence) -> Vec<String> {
    findings(evidence, NOW).into_iter().flat_map(|it| it.steps).filter_map(|step| step.run).collect()
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
    let mut in_words =
        findings.iter().flat_map(|finding| &finding.steps).filter(|step| step.run.is_none()).peekable();
    assert!(in_words.peek().is_some(), "{findings:?}");
    assert!(in_words.all(|step| !step.say.ends_with(':')), "{findings:?}");
}

#[test]
fn a_pod_in_which_everything_fits_has_no_finding() {
    assert_eq!(classes(&healthy()), []);
    assert_eq!(classes(&accepted()), []);
    assert!(issued(&accepted()) && !issued(&healthy()));
}
