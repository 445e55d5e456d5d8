//! Answers of STS, and of the signed call after it.
//! Evidence by hand, findings by class.

use super::*;
use crate::steps::Step;

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
            !finding.presented.is_empty() && !finding.required.is_empty() && !finding.steps.is_empty(),
            "{finding:?}"
        );
    }
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
fn no_provider_is_registered_for_an_issuer_that_aws_can_never_reach() {
    for (issuer, registered) in [
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC", true),
        ("https://oidc.example.com", true),
        ("https://oidc.identity.svc.cluster.local", false),
        ("https://kubernetes.default.svc", false),
        ("https://keycloak.corp.internal/realms/prod", false),
        ("https://10.0.0.1:6443", false),
        ("https://issuer", false),
    ] {
        for message in ["No OpenIDConnect provider found in your account for x", "it could not be validated"]
        {
            let mut evidence = refused(400, "InvalidIdentityToken", message);
            evidence.token.as_mut().unwrap().iss = Some(issuer.to_owned());
            let commands = commands(&evidence);
            let creates = commands.iter().any(|it| it.contains("create-open-id-connect-provider"));
            assert_eq!(creates, registered, "{issuer}: {commands:#?}");
        }
    }
}
