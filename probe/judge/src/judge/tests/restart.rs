//! What must be started anew before a repair is seen: nothing, the container, or the pod.
//! A container keeps its environment as long as the pod lives; what it read from a file it keeps until it starts again.

use super::*;
use crate::catalog::Restart;
use crate::evidence::{Collected, Profile, TargetTrust};
use std::collections::BTreeMap;

fn profile(settings: &[(&str, &str)]) -> Option<Profile> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Some(Profile {
        name: "app".to_owned(),
        settings: settings.iter().map(own).collect(),
        ..Profile::default()
    })
}

/// The pair stands in a profile alone.
fn by_profile(role: &str, file: &str) -> Evidence {
    let mut evidence = healthy();
    for name in ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        evidence.environment.variables.remove(name);
    }
    evidence.environment.profile = profile(&[("role_arn", role), ("web_identity_token_file", file)]);
    evidence
}

fn restarts(evidence: &Evidence) -> BTreeMap<Class, Restart> {
    findings(evidence, NOW).into_iter().map(|finding| (finding.class, finding.restart)).collect()
}

const FILE: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";

#[test]
fn a_value_of_a_profile_needs_the_container_and_one_of_the_environment_the_pod() {
    let missing = |mut evidence: Evidence| {
        evidence.token_file.as_mut().unwrap().open_error = Some("ENOENT".to_owned());
        evidence
    };
    let expecting = |mut evidence: Evidence| {
        evidence.environment.options.expect_role = Some("arn:aws:iam::814203749616:role/other".to_owned());
        evidence
    };
    let in_env = |role: &str| {
        let mut evidence = healthy();
        evidence.environment.variables.insert("AWS_ROLE_ARN".to_owned(), role.to_owned());
        evidence
    };
    let role = crate::judge::fixtures::ROLE;
    let malformed = "arn:aws:iam::814203749616:role:checkout-reader";
    for (class, of_profile, of_env) in [
        (Class::RoleArnMalformed, by_profile(malformed, FILE), in_env(malformed)),
        (Class::RoleUnexpected, expecting(by_profile(role, FILE)), expecting(healthy())),
        (Class::TokenFileMissing, missing(by_profile(role, FILE)), missing(healthy())),
    ] {
        assert_eq!(restarts(&of_profile).get(&class), Some(&Restart::Container), "{class}");
        assert_eq!(restarts(&of_env).get(&class), Some(&Restart::Pod), "{class}");
    }
}

#[test]
fn a_profile_that_begins_with_nobody_is_read_again_by_a_container_that_starts_again() {
    let mut evidence = healthy();
    evidence.environment.profile =
        profile(&[("role_arn", "arn:aws:iam::814203749616:role/next"), ("credential_source", "Environment")]);
    assert_eq!(restarts(&evidence).get(&Class::SettingsInvalid), Some(&Restart::Container));
}

#[test]
fn the_text_of_a_ca_bundle_needs_the_container_and_its_path_the_pod() {
    let cases = [
        ("AWS_CA_BUNDLE=/ca.pem", None, Restart::Container),
        ("SSL_CERT_FILE=/ca.pem", None, Restart::Container),
        ("AWS_CA_BUNDLE=/ca.pem", Some("ENOENT"), Restart::Pod),
        ("AWS_CA_BUNDLE=", None, Restart::Pod),
    ];
    for (source, errno, restart) in cases {
        let problem = TrustProblem {
            source: source.to_owned(),
            problem: "no certificate".to_owned(),
            errno: errno.map(str::to_owned),
            ..TrustProblem::default()
        };
        let mut stops = healthy();
        stops.environment.trust_problem = Some(problem.clone());
        let mut idle = healthy();
        idle.environment.trust_idle = vec![problem];
        for evidence in [stops, idle] {
            assert_eq!(
                restarts(&evidence).get(&Class::SettingsInvalid),
                Some(&restart),
                "{source} {errno:?}"
            );
        }
    }
}

#[test]
fn a_bundle_that_lacks_the_authority_needs_the_container() {
    let mut evidence = accepted();
    let of_target = TargetTrust { accepts: false, roots: "AWS_CA_BUNDLE=/ca.pem".to_owned() };
    evidence.network.as_mut().unwrap().tls = Some(Tls { of_target: Some(of_target), ..Tls::default() });
    assert_eq!(restarts(&evidence).get(&Class::TlsFailed), Some(&Restart::Container));
}

#[test]
fn variables_are_replaced_with_the_pod_whatever_the_class() {
    let mut shadowed = accepted();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        shadowed.environment.variables.insert(name.to_owned(), "set".to_owned());
    }
    assert_eq!(restarts(&shadowed).get(&Class::Shadowed), Some(&Restart::Pod));
    let denied = refused(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    assert_eq!(restarts(&denied).get(&Class::AccessDenied), Some(&Restart::None));
}

#[test]
fn the_verdict_has_the_restart_of_the_finding_that_decides() {
    let malformed = by_profile("arn:aws:iam::814203749616:role:checkout-reader", FILE);
    let collected = Collected { evidence: malformed, seen: true, observed_at: NOW, timings: Vec::new() };
    let verdict = crate::assess_without_options(collected).verdict;
    assert_eq!((verdict.class, verdict.restart), (Class::RoleArnMalformed, Restart::Container));
    assert!(!verdict.recreate_pod);
}
