//! What variables, profile and bundle do: other providers that win, and additions that add nothing.
//! Evidence by hand, findings by class.

use super::*;
use crate::sdks;

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
        .map(|it| it.steps.iter().any(|step| step.say.contains("credprobe’s own container")))
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
    assert_eq!(summary, "not used: EKS Pod Identity comes first in JavaScript v2");
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

/// Beside a failure, what SDKs would do that nobody stated is a note: the report is about the failure.
#[test]
fn what_unstated_sdks_would_do_warns_only_beside_credentials() {
    let values: &[(&str, &str, Class, &str)] = &[
        ("AWS_MAX_ATTEMPTS", "many", Class::SettingsInvalid, "boto3"),
        ("AWS_DEFAULT_REGION", "us-east-1", Class::EndpointDiffers, "boto3"),
        ("HTTPS_PROXY", "http://proxy.corp.internal:3128", Class::ProxyCaptures, "boto3"),
    ];
    let denied = || refused(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let severities = |evidence: &Evidence, class: Class| -> Vec<Severity> {
        findings(evidence, NOW).iter().filter(|it| it.class == class).map(|it| it.severity).collect()
    };
    for (name, value, class, sdk) in values {
        for (evidence, sdk, severity) in [
            (accepted(), None, Severity::Warning),
            (denied(), None, Severity::Info),
            (
                denied(),
                Some(sdk),
                if *class == Class::SettingsInvalid { Severity::Error } else { Severity::Warning },
            ),
        ] {
            // A run with --sdk asks the host of that SDK.
            if sdk.is_some() && *class == Class::EndpointDiffers {
                continue;
            }
            let mut evidence = evidence;
            evidence.network.get_or_insert_default();
            let environment = &mut evidence.environment;
            environment.variables.insert("AWS_REGION".to_owned(), "eu-west-1".to_owned());
            environment.variables.insert((*name).to_owned(), (*value).to_owned());
            // boto3 knows no such pattern.
            environment.variables.insert("NO_PROXY".to_owned(), "*.amazonaws.com".to_owned());
            environment.options.sdk = sdk.and_then(|sdk| sdk.parse().ok());
            let found = severities(&evidence, *class);
            assert!(found.contains(&severity), "{name} {sdk:?}: {found:?}");
            assert!(severity != Severity::Info || found.iter().all(|it| *it == Severity::Info), "{name}");
        }
    }
    // A run without network has nothing that could have failed.
    let mut local = healthy();
    local.environment.variables.insert("AWS_MAX_ATTEMPTS".to_owned(), "many".to_owned());
    local.environment.options.no_network = true;
    assert_eq!(severities(&local, Class::SettingsInvalid), [Severity::Warning]);
}

#[test]
fn another_host_of_sdks_that_few_pods_have_is_a_note() {
    let mut evidence = accepted();
    // Every SDK of today goes to the region's host; old major versions and other programs do not.
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        evidence.environment.variables.insert(name.to_owned(), "eu-west-1".to_owned());
    }
    evidence.environment.options.sdk = None;
    let rare: Vec<&sdks::Sdk> = sdks::SDKS.iter().filter(|sdk| sdk.kind != sdks::Kind::Current).collect();
    assert!(rare.iter().any(|sdk| sdk.kind == sdks::Kind::Superseded), "the table has both kinds");
    assert!(crate::judge::values::are_rare(&rare));
    let boto3 = sdks::SDKS.iter().find(|sdk| sdk.id == "botocore").unwrap();
    assert!(!crate::judge::values::are_rare(&[rare.as_slice(), &[boto3]].concat()));
    evidence.environment.variables.insert("AWS_STS_REGIONAL_ENDPOINTS".to_owned(), "legacy".to_owned());
    let differing = |evidence: &Evidence| -> Vec<Severity> {
        let all = findings(evidence, NOW);
        all.iter().filter(|it| it.class == Class::EndpointDiffers).map(|it| it.severity).collect()
    };
    assert_eq!(differing(&evidence), [Severity::Warning], "boto3 is among them");
    evidence.environment.variables.remove("AWS_STS_REGIONAL_ENDPOINTS");
    assert!(differing(&evidence).iter().all(|severity| *severity == Severity::Info));
    evidence.environment.options.sdk = "go-v1".parse().ok();
    assert!(differing(&evidence).iter().all(|severity| *severity == Severity::Warning));
}
