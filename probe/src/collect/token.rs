//! Parses a token, whatever its algorithm. Its shape is parsed by hand, so that a wrong byte has an offset.
//! Verifies nothing and does not keep the signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credprobe_judge::evidence::{Token, TokenShape};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Decodes the bytes of a token file.
#[must_use]
pub fn token(bytes: &[u8]) -> Token {
    let end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let mut token = Token { length: bytes.len(), trailing_whitespace: bytes.len() - end, ..Token::default() };
    token.shape = match shape(&bytes[..end]) {
        Ok((header, claims)) => {
            let member = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
            token.alg = member("alg");
            token.kid = member("kid");
            // A claim of the wrong type counts as absent. If a claim occurs twice, all claims do.
            if let Ok(claims) = serde_json::from_slice::<Claims>(&claims) {
                claims.fill(&mut token);
            }
            TokenShape::Jwt
        }
        Err(shape) => shape,
    };
    token
}

type ClaimsJson = zeroize::Zeroizing<Vec<u8>>;

/// Header and claims, if three base64url segments hold two JSON objects and a signature.
fn shape(bytes: &[u8]) -> Result<(Map<String, Value>, ClaimsJson), TokenShape> {
    if bytes.is_empty() {
        return Err(TokenShape::Empty);
    }
    let in_jwt = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    if let Some(offset) = bytes.iter().position(|byte| !in_jwt(byte)) {
        let found = found(bytes, offset);
        return Err(TokenShape::ForeignByte { offset, found });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| TokenShape::ForeignByte {
        offset: error.valid_up_to(),
        found: "a byte that is no text".to_owned(),
    })?;
    let segments: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = segments[..] else {
        return Err(TokenShape::Segments { count: segments.len() });
    };
    let header = object(1, &decoded(1, header)?)?;
    let claims = decoded(2, claims)?;
    object(2, &claims)?;
    decoded(3, signature)?;
    Ok((header, claims))
}

/// Describes the first foreign byte in words, because the bytes around it may belong to the token.
fn found(bytes: &[u8], offset: usize) -> String {
    match bytes[offset] {
        b'{' | b'[' if offset == 0 => "JSON, not a token".to_owned(),
        b'<' if offset == 0 => "HTML or XML, not a token".to_owned(),
        b'"' | b'\'' => "a quotation mark".to_owned(),
        b'+' | b'/' | b'=' => "base64, not base64url".to_owned(),
        b'\n' => "a line break".to_owned(),
        byte if byte.is_ascii_whitespace() => "white space".to_owned(),
        0xef if bytes[offset..].starts_with(b"\xef\xbb\xbf") => "a byte order mark".to_owned(),
        byte => format!("byte 0x{byte:02x}"),
    }
}

fn decoded(number: u8, segment: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, TokenShape> {
    if segment.is_empty() {
        return Err(TokenShape::Segment { number, problem: "it is empty".to_owned() });
    }
    URL_SAFE_NO_PAD
        .decode(segment)
        .map(zeroize::Zeroizing::new)
        .map_err(|_| TokenShape::Segment { number, problem: "it is not base64url".to_owned() })
}

fn object(number: u8, bytes: &[u8]) -> Result<Map<String, Value>, TokenShape> {
    serde_json::from_slice(bytes)
        .map_err(|_| TokenShape::Segment { number, problem: "it is not a JSON object".to_owned() })
}

/// The claims of kubernetes `pkg/serviceaccount/claims.go` and, flat, `legacy.go`. A claim of the wrong type counts as absent.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    iss: Value,
    sub: Value,
    aud: Value,
    azp: Value,
    exp: Value,
    iat: Value,
    nbf: Value,
    jti: Value,
    #[serde(rename = "kubernetes.io")]
    kubernetes: Value,
    #[serde(rename = "kubernetes.io/serviceaccount/namespace")]
    legacy_namespace: Value,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.name")]
    legacy_service_account: Value,
    #[serde(rename = "kubernetes.io/serviceaccount/secret.name")]
    legacy_secret: Value,
}

impl Claims {
    fn fill(self, token: &mut Token) {
        token.iss = text(&self.iss);
        token.sub = text(&self.sub);
        token.aud = match &self.aud {
            Value::Array(entries) => entries.iter().filter_map(text).collect(),
            one => text(one).into_iter().collect(),
        };
        token.azp = text(&self.azp);
        token.exp = seconds(&self.exp);
        token.iat = seconds(&self.iat);
        token.nbf = seconds(&self.nbf);
        token.jti = text(&self.jti);
        let bound = |path: &str| self.kubernetes.pointer(path).and_then(text);
        token.namespace = bound("/namespace").or_else(|| text(&self.legacy_namespace));
        token.service_account = bound("/serviceaccount/name").or_else(|| text(&self.legacy_service_account));
        token.pod_name = bound("/pod/name");
        token.pod_uid = bound("/pod/uid");
        token.node_name = bound("/node/name");
        token.secret_name = bound("/secret/name").or_else(|| text(&self.legacy_secret));
        token.warnafter = self.kubernetes.get("warnafter").and_then(seconds);
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A NumericDate may have a fraction (RFC 7519, 2).
#[expect(clippy::cast_possible_truncation, reason = "saturates; no date is near the limits")]
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn jwt(claims: &str) -> String {
        format!("{}.{}.{}", encode(r#"{"alg":"RS256","kid":"45fc"}"#), encode(claims), encode("s"))
    }

    #[test]
    fn a_bound_token_gives_its_claims() {
        let token = token(
            jwt(r#"{"aud":["sts.amazonaws.com"],"exp":1764086400,"iat":1764000000,"iss":"https://oidc.eks.eu-west-1.amazonaws.com/id/A",
                "kubernetes.io":{"namespace":"shop","node":{"name":"ip-10-0-1-2"},"pod":{"name":"checkout-x","uid":"u"},
                "serviceaccount":{"name":"checkout","uid":"v"}},"sub":"system:serviceaccount:shop:checkout"}"#)
                .as_bytes(),
        );
        assert_eq!(token.shape, TokenShape::Jwt);
        assert_eq!(token.aud, ["sts.amazonaws.com"]);
        assert_eq!(token.namespace.as_deref(), Some("shop"));
        assert_eq!(token.pod_name.as_deref(), Some("checkout-x"));
        assert_eq!((token.iat, token.exp), (Some(1_764_000_000), Some(1_764_086_400)));
        assert_eq!(token.kid.as_deref(), Some("45fc"));
    }

    #[test]
    fn claims_behind_a_blank_are_claims() {
        assert_eq!(token(jwt(" {\"aud\":\"a\"}").as_bytes()).aud, ["a"]);
    }

    #[test]
    fn an_audience_may_be_a_string() {
        assert_eq!(token(jwt(r#"{"aud":"a"}"#).as_bytes()).aud, ["a"]);
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_absent() {
        let token = token(jwt(r#"{"aud":[1],"exp":"soon","sub":{}}"#).as_bytes());
        assert_eq!((token.aud.len(), token.exp, token.sub), (0, None, None));
    }

    #[test]
    fn each_broken_shape_says_where() {
        let good = jwt("{}");
        let at = good.len();
        for (bytes, shape) in [
            (String::new(), TokenShape::Empty),
            ("\n".to_owned(), TokenShape::Empty),
            (
                format!("{good} 11:11:49 v3.go:79] EOF"),
                TokenShape::ForeignByte { offset: at, found: "white space".to_owned() },
            ),
            (
                format!("\"{good}\""),
                TokenShape::ForeignByte { offset: 0, found: "a quotation mark".to_owned() },
            ),
            (
                "{\"token\":1}".to_owned(),
                TokenShape::ForeignByte { offset: 0, found: "JSON, not a token".to_owned() },
            ),
            ("abc".to_owned(), TokenShape::Segments { count: 1 }),
            (format!("a.{good}"), TokenShape::Segments { count: 4 }),
            (
                format!("{}..{}", encode("{}"), encode("s")),
                TokenShape::Segment { number: 2, problem: "it is empty".to_owned() },
            ),
            (
                format!("{}.{}.{}", encode(r#"{"alg":"RS256"}"#), encode(" []"), encode("s")),
                TokenShape::Segment { number: 2, problem: "it is not a JSON object".to_owned() },
            ),
            (
                format!("{}.{}.{}", encode(r#"{"alg":"RS256"}"#), encode("[]"), encode("s")),
                TokenShape::Segment { number: 2, problem: "it is not a JSON object".to_owned() },
            ),
            (
                format!("{}.{}.{}", encode("{}"), encode("[]"), encode("s")),
                TokenShape::Segment { number: 2, problem: "it is not a JSON object".to_owned() },
            ),
            (
                format!("{}.{}.A", encode("{}"), encode("{}")),
                TokenShape::Segment { number: 3, problem: "it is not base64url".to_owned() },
            ),
        ] {
            assert_eq!(token(bytes.as_bytes()).shape, shape, "{bytes}");
        }
    }

    #[test]
    fn a_line_break_at_the_end_is_counted_and_no_error_of_shape() {
        let token = token(format!("{}\n", jwt("{}")).as_bytes());
        assert_eq!((token.shape, token.trailing_whitespace), (TokenShape::Jwt, 1));
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        let bytes = format!("{}.{}.{}", encode(r#"{"alg":"none"}"#), encode("{}"), encode("s"));
        assert_eq!(token(bytes.as_bytes()).alg.as_deref(), Some("none"));
    }

    #[test]
    fn claims_are_read_whatever_the_algorithm() {
        for alg in ["ES512", "ML-DSA-65", ""] {
            let header = encode(&format!(r#"{{"alg":"{alg}"}}"#));
            let bytes = format!("{header}.{}.{}", encode(r#"{"aud":"a"}"#), encode("s"));
            assert_eq!(token(bytes.as_bytes()).aud, ["a"], "{alg}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let token = token(&bytes);
            prop_assert!(token.length == bytes.len());
        }
    }
}
