//! Keys that EKS's issuer never has but others do: elliptic curves of external signers, and RSA keys too short for most
//! libraries. Everybody who reads this file knows the short keys, so they sign nothing except the sandbox's tokens.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use ring::digest;
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    key::sha256_hex,
    scenario::SigningKey,
};

#[derive(Debug)]
pub(crate) struct ExternalKey {
    /// 40 hex digits, like the sandbox's other keys.
    pub(crate) kid: String,
    pub(crate) alg: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Curve { name: &'static str, pair: EcdsaKeyPair },
    ShortRsa { modulus: BigUint, private_exponent: BigUint },
}

/// An RSA key in hexadecimal digits.
struct ShortRsa {
    modulus: &'static str,
    private_exponent: &'static str,
}

const EXPONENT: [u8; 3] = [1, 0, 1];

const OF_1024_BITS: ShortRsa = ShortRsa {
    modulus: "b78adf5bdb5329c5470039b46675905f4ac92b78ef471e8242c68e685bfefbe36ed694f191b8b2d33d889e72d2b33844\
              bb0086cd723ed99b91c3824b9ac8caa185eafad68c54d6c313f4fa3a34bbd786a8921eb4daf0c6d215bfd6fb56c00229\
              218d5dba7c18f8378547d47d987e5946e5423c841f0ae132976141ac0ebbeff5",
    private_exponent: "251806ee2c945123d2a6a402e69629f86847e1e64e0d8487f4f0e605075ab01395e9fe2e183248c9d26cd301\
                       07be3ac8013729074a689358128c7dbfc3e782b3ec6b5ea64bf89bd42afa0f6f43ad2965cb64b5661799a1a9\
                       6104a144d8ee5b2cc70a8dc5934663d31f5a1b2cff65ae56672714a2b53a287e6c8e93d120991481",
};

const OF_1536_BITS: ShortRsa = ShortRsa {
    modulus: "c21c6a380d76e1a489472aa0ba9120610507938bfc72e5a2a7a666ea6bead012461170f0a4fc2a13404d0b97f4f758fc\
              2f4ff44b976f22eb1b88b466636ce34b7723a9fbd9bf9c59f1451b64409eafdfe80259016b4fa51d8ec1904579ef2064\
              52762736bc09aa21344ccfacea720962b65f9017a31b16718f365c7f0a3f00ec3ddaa442490b3b6280b0fd31a92b70fb\
              638e0aa6b88737e74bb784a94e98b23ddc17b062905207e2e94bfaa36034a369216a3d8f4334557dde81c9e4bd8e791d",
    private_exponent: "6114a7071bacce53651903b7d93746135fd9973096f4bbe6aaa46daa6688ccc1a6eb8829c2ca1f1cfbb6ccca\
                       9608b327855e1e9743c8a09527732a8e5ec191b82780ddbe08fc6ced0adefe41189484ef9df0b6a5200f784c\
                       1d1eafd21f96ba02b24f9216de9eacd60dbfdd2f0c6147ce4053d80a5ec25728cc221bd17690ab3a420f0638\
                       8c702aa8a0529bd800c4161f965728f0246e8d8f232f3bf3d81d266192ba862eaa928cb98e521db34c8bf536\
                       dfc2a8c1984f13cf6a3543d8514170fd",
};

/// The prefix of a SHA-256 digest in PKCS #1 (RFC 8017, 9.2).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 4, 32,
];

impl ExternalKey {
    /// `None`: the issuer's own key is of that kind.
    pub(crate) fn of(key: SigningKey) -> Result<Option<Self>> {
        Ok(Some(match key {
            SigningKey::Rs256 => return Ok(None),
            SigningKey::Rs256Of1024 => Self::short(&OF_1024_BITS)?,
            SigningKey::Rs256Of1536 => Self::short(&OF_1536_BITS)?,
            SigningKey::Es256 => Self::curve("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)?,
            SigningKey::Es384 => Self::curve("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)?,
            SigningKey::Es512 => Self::curve("ES512", "P-521", &ECDSA_P521_SHA512_FIXED_SIGNING)?,
        }))
    }

    fn curve(alg: &'static str, name: &'static str, how: &'static EcdsaSigningAlgorithm) -> Result<Self> {
        let pair = EcdsaKeyPair::generate(how)
            .map_err(|_| Error::new(format!("failed to make a key of the curve {name}")))?;
        Ok(Self { kid: kid(pair.public_key().as_ref()), alg, kind: Kind::Curve { name, pair } })
    }

    fn short(digits: &ShortRsa) -> Result<Self> {
        let (modulus, private_exponent) = (number(digits.modulus)?, number(digits.private_exponent)?);
        let kid = kid(&modulus.to_bytes_be());
        Ok(Self { kid, alg: "RS256", kind: Kind::ShortRsa { modulus, private_exponent } })
    }

    pub(crate) fn sign(&self, text: &str) -> Result<Vec<u8>> {
        match &self.kind {
            Kind::Curve { name, pair } => {
                let signature = pair.sign(&SystemRandom::new(), text.as_bytes());
                let signature = signature.map_err(|_| Error::new(format!("failed to sign with {name}")))?;
                Ok(signature.as_ref().to_vec())
            }
            Kind::ShortRsa { modulus, private_exponent } => {
                let length = modulus.to_bytes_be().len();
                let digest = digest::digest(&digest::SHA256, text.as_bytes());
                let end = [&[0][..], &DIGEST_INFO, digest.as_ref()].concat();
                let padding = vec![0xff; length - 2 - end.len()];
                let block = BigUint::from_bytes_be(&[&[0, 1][..], &padding, &end].concat());
                let signature = block.modpow(private_exponent, modulus).to_bytes_be();
                Ok([vec![0; length - signature.len()], signature].concat())
            }
        }
    }

    /// The key as the issuer publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = json!({"kid": self.kid, "use": "sig", "alg": self.alg});
        match &self.kind {
            Kind::Curve { name, pair } => {
                // The byte 4, then the two coordinates.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                jwk["kty"] = json!("EC");
                jwk["crv"] = json!(name);
                jwk["x"] = json!(URL_SAFE_NO_PAD.encode(x));
                jwk["y"] = json!(URL_SAFE_NO_PAD.encode(y));
            }
            Kind::ShortRsa { modulus, .. } => {
                jwk["kty"] = json!("RSA");
                jwk["n"] = json!(URL_SAFE_NO_PAD.encode(modulus.to_bytes_be()));
                jwk["e"] = json!(URL_SAFE_NO_PAD.encode(EXPONENT));
            }
        }
        jwk
    }
}

fn number(digits: &str) -> Result<BigUint> {
    BigUint::parse_bytes(digits.as_bytes(), 16).ok_or_else(|| Error::new("a key of the sandbox is no number"))
}

fn kid(public: &[u8]) -> String {
    sha256_hex(public).chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{self, Jwt, Signature};

    const ALL: &[(SigningKey, &str, usize)] = &[
        (SigningKey::Rs256Of1024, "RS256", 128),
        (SigningKey::Rs256Of1536, "RS256", 192),
        (SigningKey::Es256, "ES256", 64),
        (SigningKey::Es384, "ES384", 96),
        (SigningKey::Es512, "ES512", 132),
    ];

    /// aws-lc verifies, and shares no code with the signing of the short keys.
    #[test]
    fn each_kind_signs_what_its_public_half_verifies_and_nothing_else() {
        for (kind, alg, length) in ALL {
            let key = ExternalKey::of(*kind).unwrap().unwrap();
            assert_eq!(key.alg, *alg);
            let input = jwt::signing_input(&json!({"alg": alg, "kid": key.kid}), &json!({"sub": "x"}));
            let signature = key.sign(&input).unwrap();
            assert_eq!(signature.len(), *length, "{alg}");
            let token = jwt::complete(&input, &signature);
            let keys = json!({"keys": [key.jwk()]});
            assert_eq!(Jwt::parse(&token).unwrap().verify(&keys), Signature::Valid, "{kind:?}");
            let mut broken = signature;
            broken[length / 2] ^= 1;
            let token = jwt::complete(&input, &broken);
            assert_eq!(Jwt::parse(&token).unwrap().verify(&keys), Signature::Invalid, "{kind:?}");
        }
        assert!(ExternalKey::of(SigningKey::Rs256).unwrap().is_none());
    }
}
