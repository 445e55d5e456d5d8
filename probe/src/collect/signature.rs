//! Verifies the token's RS256 signature against a published key: `jsonwebtoken` with ring doing the arithmetic.
//! Times, audience and issuer are not looked at: the judges do.

use credprobe_judge::evidence::Signature;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// Whether `token` verifies with `key`.
pub(super) fn verify(token: &[u8], key: &Jwk) -> Signature {
    // Installed twice it stays the first; there is no other in this process.
    let _ = PROVIDER.install_default();
    let Ok(key) = DecodingKey::from_jwk(key) else { return Signature::Unchecked };
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    match jsonwebtoken::decode::<serde::de::IgnoredAny>(token, &key, &validation) {
        Ok(_) => Signature::Verified,
        Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => Signature::Refused,
        Err(_) => Signature::Unchecked,
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(unsupported()),
    verifier_factory: |algorithm, key| match (algorithm, key.kind()) {
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Ok(Box::new(Rs256 { modulus: n.clone(), exponent: e.clone() }))
        }
        _ => Err(unsupported()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn unsupported() -> Error {
    new_error(ErrorKind::InvalidAlgorithm)
}

struct Rs256 {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl signature::Verifier<Vec<u8>> for Rs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let key = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        let verified = key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature);
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
