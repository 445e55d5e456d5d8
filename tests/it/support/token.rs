//! A token without a valid signature: locally it is a good one, and as long as EKS's.
//! For tests without an issuer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::sync::LazyLock;

pub(crate) const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";

const HEADER: &str = r#"{"alg":"RS256","kid":"073895fd1a2c6bf116077e16528d7eafd23204bb","typ":"JWT"}"#;
const CLAIMS: &str = r#"{"aud":["sts.amazonaws.com"],"exp":4102444800,"iat":4102358400,"iss":"https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE","sub":"system:serviceaccount:shop:checkout"}"#;

/// Header, claims, and 256 bytes in place of a signature.
pub(crate) static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let signature: Vec<u8> = (0..256_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    [HEADER.as_bytes(), CLAIMS.as_bytes(), &signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
});
