//! A JSON Web Token as STS sees it: three base64url segments, RS256 or an elliptic curve, and the check against a key set.
//! `sts::exchange` judges the claims.

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
        EcdsaVerificationAlgorithm, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// A token in its parts; nothing in it is verified yet.
#[derive(Debug)]
pub(crate) struct Jwt<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The result of verifying a signature with a key set.
#[derive(Debug, PartialEq)]
pub(crate) enum Signature {
    Valid,
    Invalid,
    /// No key has the token's `kid`.
    KeyUnknown,
}

impl<'a> Jwt<'a> {
    /// `None` unless it is a signed token of an algorithm that IAM accepts and the sandbox supports.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = object(header)?;
        let alg = header.get("alg").and_then(Value::as_str)?;
        if alg != "RS256" && curve(alg).is_none() {
            return None;
        }
        let signature = segment(signature)?;
        Some(Self { header, claims: object(claims)?, signed, signature })
    }

    /// Verifies with nothing but a key set document.
    pub(crate) fn verify(&self, keys: &Value) -> Signature {
        let kid = self.header.get("kid").and_then(Value::as_str);
        let of_kid = keys["keys"].as_array().into_iter().flatten();
        let of_kid = of_kid.filter(|key| kid.is_some() && key["kid"].as_str() == kid && key["use"] != "enc");
        let verdicts: Vec<bool> = of_kid.filter_map(|key| self.verify_with(key)).collect();
        match verdicts.as_slice() {
            [] => Signature::KeyUnknown,
            verdicts if verdicts.contains(&true) => Signature::Valid,
            _ => Signature::Invalid,
        }
    }

    /// `None`: this is not a key, or it is incomplete.
    fn verify_with(&self, key: &Value) -> Option<bool> {
        let part = |name: &str| key[name].as_str().and_then(segment);
        let alg = self.header.get("alg").and_then(Value::as_str)?;
        match (key["kty"].as_str(), curve(alg)) {
            (Some("EC"), Some((name, how))) if key["crv"] == name => {
                let point = [vec![4], part("x")?, part("y")?].concat();
                Some(
                    UnparsedPublicKey::new(how, point)
                        .verify(self.signed.as_bytes(), &self.signature)
                        .is_ok(),
                )
            }
            (Some("EC"), _) => Some(false),
            (_, how) => {
                let n = part("n")?.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
                let key = PublicKeyComponents { n, e: part("e")? };
                let how_rsa = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                Some(how.is_none() && key.verify(how_rsa, self.signed.as_bytes(), &self.signature).is_ok())
            }
        }
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    pub(crate) fn number(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        // NumericDate may have a fraction.
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// `aud`, which may be one string or a list.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// Name and verifier of an algorithm's curve.
fn curve(alg: &str) -> Option<(&'static str, &'static EcdsaVerificationAlgorithm)> {
    match alg {
        "ES256" => Some(("P-256", &ECDSA_P256_SHA256_FIXED)),
        "ES384" => Some(("P-384", &ECDSA_P384_SHA384_FIXED)),
        "ES512" => Some(("P-521", &ECDSA_P521_SHA512_FIXED)),
        _ => None,
    }
}

/// The part of a token that is signed.
pub(crate) fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Appends the signature.
pub(crate) fn complete(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn segment(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&segment(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use serde_json::json;

    fn token(key: &Key, alg: &str) -> String {
        let input = signing_input(&json!({"alg": alg, "kid": key.kid}), &json!({"sub": "x", "aud": ["a"]}));
        complete(&input, &key.sign(&input).unwrap())
    }

    fn set(kid: &str, key: &Key) -> Value {
        let (n, e) = key.components();
        json!({"keys": [{"kid": kid, "n": n, "e": e}]})
    }

    #[test]
    fn the_issuers_signature_is_valid_and_anothers_is_not() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let text = token(&key, "RS256");
        let jwt = Jwt::parse(&text).unwrap();
        assert_eq!(jwt.verify(&set(&key.kid, &key)), Signature::Valid);
        assert_eq!(jwt.verify(&set(&key.kid, &other)), Signature::Invalid);
        assert_eq!(jwt.verify(&set(&other.kid, &other)), Signature::KeyUnknown);
        assert_eq!(jwt.audiences(), ["a"]);
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let key = Key::generate().unwrap();
        let text = token(&key, "RS256");
        let parts: Vec<&str> = text.split('.').collect();
        let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(r#"{"sub":"y"}"#), parts[2]);
        assert_eq!(Jwt::parse(&forged).unwrap().verify(&set(&key.kid, &key)), Signature::Invalid);
    }

    #[test]
    fn what_is_no_rs256_token_is_none() {
        let key = Key::generate().unwrap();
        let good = token(&key, "RS256");
        for bad in [
            token(&key, "HS256"),
            token(&key, "none"),
            format!("{good} EOF"),
            good.replace('.', "_"),
            "a.b".into(),
        ] {
            assert!(Jwt::parse(&bad).is_none(), "{bad}");
        }
    }
}
