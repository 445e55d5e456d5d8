//! What variables, profile and bundle do: other providers that win, and additions that add nothing.
//! Evidence by hand, findings by class.

use super::*;

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
    assert_eq!(own, [true, false]);
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
        // Not every SDK of today takes the profile.
        (None, Some(Mechanism::Irsa), Severity::Warning),
        (Some("rust"), None, Severity::Error),
        (Some("boto3"), None, Severity::Info),
        (Some("boto3"), Some(Mechanism::Irsa), Severity::Info),
    ] {
        evidence.environment.options.sdk = sdk.and_then(|sdk| sdk.parse().ok());
        evidence.environment.options.mechanism = mechanism;
        assert_eq!(one(&evidence).severity, severity, "{sdk:?} {mechanism:?}");
    }
}

#[test]
fn a_profile_that_comes_first_is_never_emptied() {
    for profile in ["default", "prod"] {
        let mut evidence = healthy();
        let settings = [("aws_access_key_id", "set"), ("aws_secret_access_key", "set")];
        evidence.environment.profile = Some(crate::evidence::Profile {
            name: profile.to_owned(),
            settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..crate::evidence::Profile::default()
        });
        if profile != "default" {
            evidence.environment.variables.insert("AWS_PROFILE".to_owned(), profile.to_owned());
        }
        let found = findings(&evidence, NOW);
        assert!(found.iter().any(|it| it.class == Class::Shadowed), "{found:#?}");
        assert!(!commands(&evidence).iter().any(|it| it.contains("/dev/null")), "{found:#?}");
    }
}
