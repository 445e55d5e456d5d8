//! Verifies the token's signature against the keys that its issuer publishes: `jsonwebtoken` reads the header, ring does
//! the arithmetic.
//! ring reports a key outside its limits like a bad signature, so the limits are checked first.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use credprobe_judge::evidence::Signature;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;
use zeroize::Zeroizing;

/// Whether `token` verifies with a key of `keys` that has its `kid`, or with any key if the token names none.
///
/// An issuer may publish several keys under one `kid`. The token is good if one of them verifies it, and refused only
/// if all of them could be tried and none does.
pub(super) fn verify(token: &[u8], kid: Option<&str>, keys: &[Value]) -> Signature {
    let named = |key: &&Value| kid.is_none_or(|kid| key.get("kid").and_then(Value::as_str) == Some(kid));
    let mut named = keys.iter().filter(named).peekable();
    if named.peek().is_none() {
        return Signature::KeyMissing;
    }
    let Some(token) = SignedToken::parse(token) else { return Signature::Unchecked };
    let Some(algorithm) = token.algorithm.and_then(Algorithm::of) else {
        return Signature::AlgorithmNotChecked;
    };
    named.filter_map(|key| token.verify(algorithm, key)).max().unwrap_or(Signature::KeyUnusable)
}

struct SignedToken<'a> {
    /// `None`: an algorithm that `jsonwebtoken` does not know, such as ES512.
    algorithm: Option<jsonwebtoken::Algorithm>,
    /// Header and claims as they were signed.
    message: &'a [u8],
    signature: Zeroizing<Vec<u8>>,
}

impl<'a> SignedToken<'a> {
    fn parse(token: &'a [u8]) -> Option<Self> {
        let token = token.trim_ascii_end();
        let (message, signature) = token.split_at(token.iter().rposition(|byte| *byte == b'.')?);
        let algorithm = jsonwebtoken::decode_header(token).ok().map(|header| header.alg);
        Some(Self {
            algorithm,
            message,
            signature: Zeroizing::new(BASE64URL.decode(signature.get(1..)?).ok()?),
        })
    }

    /// `None`: the key is not meant for such a signature, which says nothing about the token.
    fn verify(&self, algorithm: Algorithm, key: &Value) -> Option<Signature> {
        if !is_for_signing(key) || !algorithm.fits(key) {
            return None;
        }
        let member = |name| BASE64URL.decode(key.get(name)?.as_str()?).ok();
        let verified = match algorithm {
            Algorithm::Rsa(parameters) => {
                let (Some(n), Some(e)) = (member("n"), member("e")) else {
                    return Some(Signature::KeyUnusable);
                };
                // Java's BigInteger writes a zero byte before a modulus whose first bit is set.
                let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
                if !(2048 / 8..=8192 / 8).contains(&n.len()) || !is_usual_exponent(e) {
                    return Some(Signature::KeyNotChecked);
                }
                RsaPublicKeyComponents { n, e }.verify(parameters, self.message, &self.signature)
            }
            Algorithm::Curve { verifier, size, .. } => {
                let (Some(x), Some(y)) = (member("x"), member("y")) else {
                    return Some(Signature::KeyUnusable);
                };
                let (Some(x), Some(y)) = (with_leading_zeros(&x, size), with_leading_zeros(&y, size)) else {
                    return Some(Signature::KeyUnusable);
                };
                let point = [&[UNCOMPRESSED_POINT], &x[..], &y].concat();
                UnparsedPublicKey::new(verifier, point).verify(self.message, &self.signature)
            }
            Algorithm::Edwards => {
                let Some(x) = member("x") else { return Some(Signature::KeyUnusable) };
                UnparsedPublicKey::new(&ED25519, x).verify(self.message, &self.signature)
            }
        };
        Some(if verified.is_ok() { Signature::Verified } else { Signature::Refused })
    }
}

#[derive(Clone, Copy)]
enum Algorithm {
    Rsa(&'static RsaParameters),
    Curve {
        verifier: &'static dyn VerificationAlgorithm,
        name: &'static str,
        /// The length of a coordinate, in bytes.
        size: usize,
    },
    Edwards,
}

impl Algorithm {
    /// `None`: a shared secret (HS256), which no issuer publishes.
    fn of(algorithm: jsonwebtoken::Algorithm) -> Option<Self> {
        use jsonwebtoken::Algorithm as Known;
        Some(match algorithm {
            Known::RS256 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            Known::RS384 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            Known::RS512 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            Known::PS256 => Self::Rsa(&RSA_PSS_2048_8192_SHA256),
            Known::PS384 => Self::Rsa(&RSA_PSS_2048_8192_SHA384),
            Known::PS512 => Self::Rsa(&RSA_PSS_2048_8192_SHA512),
            Known::ES256 => Self::Curve { verifier: &ECDSA_P256_SHA256_FIXED, name: "P-256", size: 32 },
            Known::ES384 => Self::Curve { verifier: &ECDSA_P384_SHA384_FIXED, name: "P-384", size: 48 },
            Known::EdDSA => Self::Edwards,
            _ => return None,
        })
    }

    /// Whether the key has this algorithm's type and curve. A key without a type is tried.
    fn fits(self, key: &Value) -> bool {
        let says = |name, expected: &str| {
            key.get(name).and_then(Value::as_str).is_none_or(|it| it.eq_ignore_ascii_case(expected))
        };
        match self {
            Self::Rsa(_) => says("kty", "RSA"),
            Self::Curve { name, .. } => says("kty", "EC") && says("crv", name),
            Self::Edwards => says("kty", "OKP") && says("crv", "Ed25519"),
        }
    }
}

/// The first byte of a point that is given by both coordinates (SEC 1, 2.3.3).
const UNCOMPRESSED_POINT: u8 = 4;

/// Accepts padding: some issuers pad, against RFC 7515.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decides by `use` and `key_ops`, either of which may be absent. A word that RFC 7517 does not define excludes nothing.
fn is_for_signing(key: &Value) -> bool {
    let is_for_encryption = key.get("use").and_then(Value::as_str) == Some("enc");
    let operations = key.get("key_ops").and_then(Value::as_array);
    let signs = |it: &Value| matches!(it.as_str(), Some("verify" | "sign"));
    !is_for_encryption && operations.is_none_or(|it| it.is_empty() || it.iter().any(signs))
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// A coordinate in its full length; `None`: it is too long.
fn with_leading_zeros(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let number = without_leading_zeros(number);
    let mut full = vec![0; size.checked_sub(number.len())?];
    full.extend_from_slice(number);
    Some(full)
}

/// Whether ring accepts the exponent: odd, at least 3, less than 2^33.
fn is_usual_exponent(exponent: &[u8]) -> bool {
    if exponent.len() > 5 {
        return false;
    }
    let value = exponent.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    value % 2 == 1 && (3..1 << 33).contains(&value)
}

#[cfg(test)]
mod tests;
