//! Evidence by hand of a pod in which everything fits, for tests here and in the program.

use super::finding::Finding;
use crate::evidence::{Evidence, FileKind, Opener, Proof, Token, TokenFile, TokenShape};
use crate::sdks::EffectiveSettings;

pub(crate) const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";

/// The clock of every judgement of it.
pub const NOW: i64 = 1_764_000_000;

/// A pod in which everything fits, up to the network.
pub fn healthy() -> Evidence {
    let mut evidence = Evidence::default();
    for (name, value) in [
        ("AWS_ROLE_ARN", ROLE),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
    ] {
        evidence.environment.variables.insert(name.to_owned(), value.to_owned());
    }
    evidence.environment.options.no_network = true;
    evidence.token_file = Some(TokenFile {
        path: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token".to_owned(),
        kind: Some(FileKind::Regular),
        size: Some(900),
        proof: Some(Proof { by: Opener::OwnIds, error: None }),
        data_link: Some("..2025_11_24_15_55_00.1".to_owned()),
        ..TokenFile::default()
    });
    evidence.token = Some(Token {
        shape: TokenShape::Jwt,
        length: 900,
        alg: Some("RS256".to_owned()),
        iss: Some("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC".to_owned()),
        sub: Some("system:serviceaccount:shop:checkout".to_owned()),
        aud: vec!["sts.amazonaws.com".to_owned()],
        iat: Some(NOW - 300),
        nbf: Some(NOW - 300),
        exp: Some(NOW - 300 + 86_400),
        pod_uid: Some("uid-1".to_owned()),
        ..Token::default()
    });
    evidence
}

/// As kubelet names the directory that it writes at that time.
pub fn directory(written: i64) -> String {
    let stamp = crate::text::rfc3339(written).replace(['-', 'T', ':'], "_");
    format!("..{}.123456789", stamp.trim_end_matches('Z'))
}

/// What the judges find, with the settings that follow from the evidence.
#[must_use]
pub fn findings(evidence: &Evidence, now: i64) -> Vec<Finding> {
    super::findings(evidence, &EffectiveSettings::from_evidence(evidence), now)
}
