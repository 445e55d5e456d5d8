//! What the agent itself checks of a token before it asks EKS Auth, with the texts of the Go library that it uses. It checks
//! no signature, and the audience only from 0.2 on. Source: golang-jwt v5, `ParseUnverified` and `Validator`.

use base64::{DecodeError, Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::scenario::agent::TokenKind;

type Object = Map<String, Value>;

/// Returns the agent's text if it refuses the token.
pub(super) fn validate(token: &str, now: i64) -> Result<(), String> {
    if token.is_empty() {
        return Err("Service account token cannot be empty".into());
    }
    let claims = parse(token).map_err(|text| format!("Service account token cannot be parsed: {text}"))?;
    let time = |claim: &str| claims.get(claim).and_then(Value::as_f64);
    let now = now as f64;
    let mut failures = Vec::new();
    if time("exp").is_some_and(|exp| now >= exp) {
        failures.push("token is expired");
    }
    if time("nbf").is_some_and(|nbf| now < nbf) {
        failures.push("token is not valid yet");
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!("Service account token failed basic claim validations: {}", failures.join(", ")))
}

/// Checks that the token names its pod. New agents cache credentials by pod.
pub(super) fn pod(token: &str) -> Result<(), &'static str> {
    let claims = parse(token).unwrap_or_default();
    let kubernetes = claims.get("kubernetes.io").filter(|claim| claim.is_object());
    let kubernetes = kubernetes.ok_or("token missing kubernetes.io claims")?;
    let pod = kubernetes.get("pod").filter(|claim| claim.is_object()).ok_or("token missing pod claims")?;
    pod["uid"].as_str().map(|_| ()).ok_or("token missing pod uid")
}

/// The claims that agents from 0.2 on require before they ask anybody. Source: `internal/validation/claims_validation.go`.
pub(super) fn validate_claims(token: &str) -> Result<(), String> {
    let (header, claims) = parts(token)?;
    let refused = |text: String| format!("Service account token failed claim validations: {text}");
    let kid = header.get("kid").and_then(Value::as_str).unwrap_or_default();
    if kid.trim().is_empty() {
        return Err(refused("missing header: kid".into()));
    }
    if kid.len() != 40 || !kid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(refused(format!("invalid header: kid {kid}")));
    }
    kubernetes(&claims).map_err(refused)?;
    let expected = TokenKind::PodIdentity.audience();
    let fits = match claims.get("aud") {
        None => return Err(refused("missing claim: aud".into())),
        Some(Value::Array(list)) => list.iter().any(|audience| audience == expected),
        Some(one) => one == expected,
    };
    if fits { Ok(()) } else { Err(refused(format!("invalid audience: expected {expected}"))) }
}

/// Checks namespace, service account and pod, in the agent's order.
fn kubernetes(claims: &Object) -> Result<(), String> {
    let claim = match claims.get("kubernetes.io") {
        None | Some(Value::Null) => return Err("missing claim: kubernetes.io".into()),
        Some(Value::Object(claim)) => claim,
        Some(_) => return Err("invalid claim: kubernetes.io".into()),
    };
    let required = |object: &Object, name: &str, path: &str| {
        let text = object.get(name).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() { Err(format!("missing or empty claim: {path}")) } else { Ok(()) }
    };
    required(claim, "namespace", "kubernetes.io/namespace")?;
    for kind in ["serviceaccount", "pod"] {
        let path = format!("kubernetes.io/{kind}");
        let object = claim.get(kind).and_then(Value::as_object).ok_or(format!("missing claim: {path}"))?;
        for name in ["name", "uid"] {
            let path = format!("{path}/{name}");
            required(object, name, &path).map_err(|text| format!("error finding claim {path} {text}"))?;
        }
    }
    Ok(())
}

/// The claims of a text that has the form of a JWT.
pub(super) fn parse(token: &str) -> Result<Object, String> {
    parts(token).map(|(_, claims)| claims)
}

/// Header and claims.
fn parts(token: &str) -> Result<(Object, Object), String> {
    let malformed = |text: String| format!("token is malformed: {text}");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, _signature] = parts.as_slice() else {
        return Err(malformed("token contains an invalid number of segments".into()));
    };
    let header = segment(header, "header").map_err(malformed)?;
    let claims = segment(claims, "claim").map_err(malformed)?;
    match header.get("alg").and_then(Value::as_str) {
        None => Err("token is unverifiable: signing method (alg) is unspecified".into()),
        Some(alg) if METHODS.contains(&alg) => Ok((header, claims)),
        Some(_) => Err("token is unverifiable: signing method (alg) is unavailable".into()),
    }
}

const METHODS: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384",
    "PS512", "EdDSA", "none",
];

fn segment(text: &str, name: &str) -> Result<Object, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| {
        let at = match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
            // Go reports the start of the last, incomplete group.
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => text.len() / 4 * 4,
        };
        format!("could not base64 decode {name}: illegal base64 data at input byte {at}")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        let text = match first {
            _ if error.is_eof() => "unexpected end of JSON input".into(),
            Some(byte) => format!("invalid character '{}' looking for beginning of value", char::from(*byte)),
            None => "unexpected end of JSON input".into(),
        };
        format!("could not JSON decode {name}: {text}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(header: Value, claims: Value) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims))
    }

    fn rs256(claims: Value) -> String {
        token(json!({"alg": "RS256"}), claims)
    }

    #[test]
    fn a_token_is_valid_from_its_first_second_to_its_last() {
        let token = rs256(json!({"nbf": 100, "exp": 200}));
        let failed = "Service account token failed basic claim validations: token is";
        assert_eq!(validate(&token, 99), Err(format!("{failed} not valid yet")));
        assert_eq!(validate(&token, 100), Ok(()));
        assert_eq!(validate(&token, 199), Ok(()));
        assert_eq!(validate(&token, 200), Err(format!("{failed} expired")));
        assert_eq!(validate(&rs256(json!({})), 0), Ok(()));
    }

    #[test]
    fn what_is_no_token_is_named_as_the_go_library_names_it() {
        let good = rs256(json!({}));
        for (token, text) in [
            ("x", "token is malformed: token contains an invalid number of segments"),
            (
                &format!("Bearer {good}"),
                "token is malformed: could not base64 decode header: illegal base64 data at input byte 6",
            ),
            (
                "aGk.e30.c2ln",
                "token is malformed: could not JSON decode header: invalid character 'h' looking for beginning of value",
            ),
            (&token(json!({}), json!({})), "token is unverifiable: signing method (alg) is unspecified"),
            (
                &token(json!({"alg": "x"}), json!({})),
                "token is unverifiable: signing method (alg) is unavailable",
            ),
        ] {
            let expected = format!("Service account token cannot be parsed: {text}");
            assert_eq!(validate(token, 0), Err(expected), "{token}");
        }
        assert_eq!(validate("", 0), Err("Service account token cannot be empty".into()));
    }

    /// The complete texts of `claims_validation.go`.
    #[test]
    fn what_newer_agents_miss_is_named_in_their_order() {
        type Change<'a> = &'a dyn Fn(&mut Value);
        let kid = "0123456789abcdef0123456789abcdef01234567";
        let whole = json!({
            "aud": ["pods.eks.amazonaws.com"],
            "kubernetes.io": {
                "namespace": "shop", "serviceaccount": {"name": "a", "uid": "b"}, "pod": {"name": "c", "uid": "d"},
            },
        });
        let says = |kid: &str, change: Change<'_>| {
            let mut claims = whole.clone();
            change(&mut claims);
            validate_claims(&token(json!({"alg": "RS256", "kid": kid}), claims))
        };
        assert_eq!(says(kid, &|_| ()), Ok(()));
        assert_eq!(says(kid, &|claims| claims["aud"] = json!("pods.eks.amazonaws.com")), Ok(()));
        let k8s = "kubernetes.io";
        let cases: &[(&str, Change<'_>, &str)] = &[
            ("", &|_| (), "missing header: kid"),
            ("A1", &|_| (), "invalid header: kid A1"),
            (kid, &|claims| claims[k8s] = Value::Null, "missing claim: kubernetes.io"),
            (kid, &|claims| claims[k8s] = json!("x"), "invalid claim: kubernetes.io"),
            (
                kid,
                &|claims| claims[k8s]["namespace"] = json!(" "),
                "missing or empty claim: kubernetes.io/namespace",
            ),
            (
                kid,
                &|claims| claims[k8s]["serviceaccount"] = json!(1),
                "missing claim: kubernetes.io/serviceaccount",
            ),
            (kid, &|claims| claims[k8s]["pod"] = Value::Null, "missing claim: kubernetes.io/pod"),
            (
                kid,
                &|claims| claims[k8s]["pod"]["uid"] = json!(""),
                "error finding claim kubernetes.io/pod/uid missing or empty claim: kubernetes.io/pod/uid",
            ),
            (
                kid,
                &|claims| claims["aud"] = json!(["sts.amazonaws.com"]),
                "invalid audience: expected pods.eks.amazonaws.com",
            ),
        ];
        for (kid, change, text) in cases {
            let expected = format!("Service account token failed claim validations: {text}");
            assert_eq!(says(kid, *change), Err(expected));
        }
    }

    #[test]
    fn a_token_that_names_no_pod_is_not_bound_to_one() {
        assert_eq!(pod(&rs256(json!({}))), Err("token missing kubernetes.io claims"));
        assert_eq!(pod(&rs256(json!({"kubernetes.io": {}}))), Err("token missing pod claims"));
        assert_eq!(pod(&rs256(json!({"kubernetes.io": {"pod": {}}}))), Err("token missing pod uid"));
        assert_eq!(pod(&rs256(json!({"kubernetes.io": {"pod": {"uid": "x"}}}))), Ok(()));
    }
}
