//! The wordings of other servers, each with its class, its owner and words that are not AWS's.

use crate::catalog::{Class, Owner};
use crate::evidence::{Document, Evidence, Issuer, KeySource, Origin, Signature};
use crate::judge::finding::Finding;
use crate::judge::fixtures::{NOW, findings};
use crate::judge::gate::follow_ups_needed;
use crate::judge::tests::refused;
use crate::sdks::EffectiveSettings;
use crate::steps::StepKind;

fn refused_by_another(status: u16, code: &str, message: &str) -> Evidence {
    let mut evidence = refused(status, code, message);
    evidence.environment.options.sts_compatible = true;
    evidence
}

fn of_refusal(evidence: &Evidence, class: Class) -> Finding {
    let all = findings(evidence, NOW);
    let found = all.iter().find(|finding| finding.class == class);
    found.unwrap_or_else(|| panic!("{class:?} is not among {all:#?}")).clone()
}

fn published(signature: Signature) -> Issuer {
    let url = "https://issuer.example/.well-known/openid-configuration".to_owned();
    let discovery = Document { url, status: Some(200), ..Document::default() };
    let source = KeySource {
        origin: Origin::Public,
        keys: Some(discovery.clone()),
        discovery,
        issuer: None,
        jwks_uri: None,
        missing: Vec::new(),
        kids: Vec::new(),
        signature,
    };
    Issuer { sources: vec![source] }
}

const WORDINGS: &[(u16, &str, &str, Class)] = &[
    // SeaweedFS
    (
        400,
        "InvalidParameterValue",
        "invalid web identity token: token signature is invalid: crypto/rsa: verification error",
        Class::SignatureInvalid,
    ),
    (
        403,
        "AccessDenied",
        "invalid web identity token: failed to get public key: key with ID nope not found in JWKS after refresh",
        Class::IssuerUnusable,
    ),
    (
        403,
        "AccessDenied",
        "invalid web identity token: failed to fetch JWKS: connection refused",
        Class::IssuerUnavailable,
    ),
    (
        400,
        "InvalidParameterValue",
        "invalid web identity token: token is not valid yet",
        Class::TokenRejected,
    ),
    (
        400,
        "InvalidParameterValue",
        "invalid web identity token: audience [checkout] does not match any of the configured client IDs",
        Class::AudienceNotRegistered,
    ),
    (403, "AccessDenied", "role not found: no-such-role", Class::AccessDenied),
    (
        403,
        "AccessDenied",
        "trust policy denies access to principal: system:serviceaccount:shop:checkout",
        Class::AccessDenied,
    ),
    (400, "ExpiredToken", "invalid web identity token: token has expired", Class::TokenExpiredAtSts),
    // Ceph
    (403, "AccessDenied", "", Class::AccessDenied),
    // MinIO
    (
        400,
        "InvalidParameterValue",
        "STS JWT Token has `aud` claim invalid, `aud` must match configured OpenID Client ID",
        Class::AudienceNotRegistered,
    ),
    (
        400,
        "InvalidParameterValue",
        "policy claim missing from the JWT token, credentials will not be generated",
        Class::ClaimRejected,
    ),
    (
        400,
        "InvalidParameterValue",
        "None of the given policies (`readwrite`) are defined, credentials will not be generated",
        Class::AccessDenied,
    ),
    (
        400,
        "InvalidParameterValue",
        "Error processing RoleArn parameter: role ARN does not exist",
        Class::RoleArnRejected,
    ),
    (400, "InvalidParameterValue", "crypto/rsa: verification error", Class::SignatureInvalid),
    (503, "STSNotInitialized", "STS API not initialized, please try again.", Class::StsUnavailable),
    (400, "ExpiredToken", "The Token is expired or is not valid", Class::TokenExpiredAtSts),
    // multistore and fakecloud
    (
        400,
        "InvalidIdentityToken",
        "subject system:serviceaccount:shop:checkout does not match any conditions",
        Class::AccessDenied,
    ),
    (400, "InvalidIdentityToken", "untrusted issuer: https://issuer.example", Class::ProviderMissing),
    (
        400,
        "InvalidIdentityToken",
        "JWT signature verification failed: InvalidSignature",
        Class::SignatureInvalid,
    ),
    (400, "MalformedPolicyDocument", "role not found: checkout-reader", Class::AccessDenied),
    (
        400,
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://issuer.example",
        Class::ProviderMissing,
    ),
    // Codes of AWS's that others have too
    (400, "InvalidIdentityToken", "", Class::TokenRejected),
    (400, "ValidationError", "Value at 'roleArn'", Class::RequestRejected),
    (400, "ValidationError", "Value at 'durationSeconds'", Class::RequestRejected),
    (400, "InvalidIdentityToken", "thumbprint", Class::ThumbprintMismatch),
    (403, "RegionDisabledException", "", Class::RegionDisabled),
    (503, "SlowDown", "", Class::Throttled),
    (400, "Unheard", "", Class::StsUnrecognized),
];

#[test]
fn each_wording_has_its_class_and_its_owner() {
    for (status, code, message, class) in WORDINGS {
        let finding = of_refusal(&refused_by_another(*status, code, message), *class);
        let message_in_prose = crate::text::plain(message.trim_end_matches('.'));
        assert!(finding.why.contains(code) && finding.why.contains(&message_in_prose), "{finding:#?}");
        let told = !finding.presented.is_empty() && !finding.required.is_empty() && !finding.steps.is_empty();
        assert!(told, "{finding:#?}");
        let of_class = class.info().owner;
        let expected = if of_class == Some(Owner::Aws) { Some(Owner::Iam) } else { of_class };
        assert_eq!(finding.owner, expected, "{code}: {message}");
    }
}

#[test]
fn nothing_of_aws_is_in_a_report_about_another_server() {
    const OF_AWS: &[&str] = &["aws", "iam", "eks", "webhook", "annotation", "annotate", "irsa", "amazonaws"];
    for (status, code, message, _) in WORDINGS {
        let mut evidence = refused_by_another(*status, code, message);
        let token = evidence.token.as_mut().unwrap();
        token.iss = Some("https://issuer.example".to_owned());
        token.aud = vec!["checkout".to_owned()];
        token.trailing_whitespace = 1;
        for signature in
            [Signature::Refused, Signature::KeyMissing, Signature::KeyNotChecked, Signature::Verified]
        {
            evidence.issuer = Some(published(signature));
            for finding in findings(&evidence, NOW) {
                let texts = [&finding.presented, &finding.required, &finding.summary];
                let steps = [finding.lines(StepKind::Change), finding.lines(StepKind::Look)].concat();
                let lines = texts.into_iter().chain(&steps).chain(&finding.ruled_out);
                for line in lines {
                    // Codes and messages are quoted, and this test's endpoint is a host of AWS's.
                    let quoted = [*code, *message, "sts.eu-west-1.amazonaws.com"];
                    let line = quoted.iter().fold(line.clone(), |line, part| line.replace(part, ""));
                    let line = line.to_ascii_lowercase();
                    // An ARN or a variable's name is one word.
                    let mut words =
                        line.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
                    assert!(words.all(|word| !OF_AWS.contains(&word)), "{line}: {finding:#?}");
                }
            }
        }
    }
}

#[test]
fn what_credprobe_saw_of_the_keys_explains_what_the_server_says() {
    let signature = "token signature is invalid: crypto/rsa: verification error";
    let mut evidence = refused_by_another(400, "InvalidParameterValue", signature);
    let classes = |evidence: &Evidence| -> Vec<Class> {
        findings(evidence, NOW).into_iter().map(|finding| finding.class).collect()
    };
    for (seen, expected) in [
        (None, vec![Class::SignatureInvalid]),
        (Some(Signature::Unchecked), vec![Class::SignatureInvalid]),
        (Some(Signature::KeyNotChecked), vec![Class::SignatureInvalid]),
        (Some(Signature::Refused), vec![Class::TokenRejected, Class::SignatureInvalid]),
        (Some(Signature::Verified), vec![Class::TokenRejected]),
    ] {
        evidence.issuer = seen.map(published);
        // The documents of this test name no issuer, which is a finding of its own.
        let found: Vec<Class> =
            classes(&evidence).into_iter().filter(|class| *class != Class::IssuerUnusable).collect();
        assert_eq!(found.len(), expected.len(), "{seen:?}: {found:?}");
        assert!(expected.iter().all(|class| found.contains(class)), "{seen:?}: {found:?}");
    }
    evidence.issuer = None;
    let settings = EffectiveSettings::from_evidence(&evidence);
    let follow_ups = follow_ups_needed(&evidence, &settings, NOW);
    assert!(follow_ups.issuer && !follow_ups.other_region);
}
