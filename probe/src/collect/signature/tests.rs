//! Tests with tokens of discarded RSA keys, from rsa.json, and of elliptic curves, signed here.

use super::*;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use serde_json::{Map, json};
use std::sync::LazyLock;

static RSA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("rsa.json")).expect("the file is JSON"));

const KID: &str = "a";

fn text(pointer: &str) -> &'static str {
    RSA.pointer(pointer).and_then(Value::as_str).expect("the file has it")
}

/// A key of the file with these members added or replaced. `null` removes a member.
fn key(pointer: &str, with: Value) -> Value {
    let mut key = RSA.pointer(pointer).and_then(Value::as_object).expect("the file has it").clone();
    key.insert("kid".to_owned(), json!(KID));
    key.extend(with.as_object().cloned().unwrap_or_default());
    Value::Object(key.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

fn changed(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a token has dots");
    let mut signature = BASE64URL.decode(signature).expect("a signature is base64url");
    let middle = signature.len() / 2;
    signature[middle] ^= 1;
    format!("{signed}.{}", BASE64URL.encode(signature))
}

fn said(token: &str, keys: &[Value]) -> Signature {
    verify(token.as_bytes(), Some(KID), keys)
}

fn signed(alg: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = [format!(r#"{{"alg":"{alg}"}}"#), "{}".to_owned()].map(|it| BASE64URL.encode(it)).join(".");
    let signature = BASE64URL.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token and its key on a curve that ring has.
fn by_curve(alg: &str) -> (String, Value) {
    let random = SystemRandom::new();
    if alg == "EdDSA" {
        let pair = Ed25519KeyPair::generate_pkcs8(&random).expect("ring makes keys");
        let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).expect("its own key");
        let x = BASE64URL.encode(pair.public_key());
        let token = signed(alg, |message| pair.sign(message).as_ref().to_vec());
        return (token, json!({"kty": "OKP", "crv": "Ed25519", "kid": KID, "x": x}));
    }
    let (kind, curve) = match alg {
        "ES256" => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        _ => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
    };
    let pair = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("ring makes keys");
    let pair = EcdsaKeyPair::from_pkcs8(kind, pair.as_ref(), &random).expect("its own key");
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    // Some issuers write coordinates as numbers, without leading zeros.
    let [x, y] = [x, y].map(|it| BASE64URL.encode(without_leading_zeros(it)));
    let token = signed(alg, |message| pair.sign(&random, message).expect("ring signs").as_ref().to_vec());
    (token, json!({"kty": "EC", "crv": curve, "kid": KID, "x": x, "y": y}))
}

#[test]
fn each_algorithm_of_rsa_is_decided() {
    for index in 0..6 {
        let token = text(&format!("/tokens/{index}"));
        assert_eq!(said(token, &[key("/key", json!({}))]), Signature::Verified, "{index}");
        assert_eq!(said(&changed(token), &[key("/key", json!({}))]), Signature::Refused, "{index}");
        assert_eq!(said(token, &[key("/other", json!({}))]), Signature::Refused, "{index}");
    }
    let token = text("/exponent_3/token");
    assert_eq!(said(token, &[key("/exponent_3/key", json!({}))]), Signature::Verified);
}

#[test]
fn each_curve_is_decided() {
    for alg in ["ES256", "ES384", "EdDSA"] {
        // About one key in 128 has a coordinate that begins with a zero byte.
        for _ in 0..if alg == "ES256" { 600 } else { 4 } {
            let ((token, key), (_, other)) = (by_curve(alg), by_curve(alg));
            assert_eq!(said(&token, std::slice::from_ref(&key)), Signature::Verified, "{token} {key}");
            assert_eq!(said(&token, std::slice::from_ref(&other)), Signature::Refused, "{alg}");
            assert_eq!(said(&changed(&token), &[key]), Signature::Refused, "{alg}");
        }
    }
}

#[test]
fn numbers_are_read_as_issuers_write_them() {
    let (n, e) = (text("/key/n"), text("/key/e"));
    let zeros = |text: &str| BASE64URL.encode([&[0, 0], &BASE64URL.decode(text).unwrap()[..]].concat());
    for written in [
        json!({"n": zeros(n)}),
        json!({"e": zeros(e)}),
        json!({"n": format!("{n}==")}),
        json!({"alg": "rs256", "use": "signature"}),
        json!({"kty": null, "key_ops": ["verify"]}),
        json!({"use": "sig", "key_ops": [], "x5c": [7], "alg": 256}),
    ] {
        assert_eq!(
            said(text("/tokens/0"), &[key("/key", written.clone())]),
            Signature::Verified,
            "{written}"
        );
    }
}

#[test]
fn what_is_not_checked_has_its_own_word() {
    let small = text("/small/token");
    for token in [small, &changed(small)] {
        assert_eq!(said(token, &[key("/small/key", json!({}))]), Signature::KeyNotChecked);
    }
    for exponent in ["AQ", "Ag", "AgAAAAE", "AQAAAAAAAAAB"] {
        let key = key("/key", json!({"e": exponent}));
        assert_eq!(said(text("/tokens/0"), &[key]), Signature::KeyNotChecked, "{exponent}");
    }
    let long = key("/key", json!({"n": BASE64URL.encode([0xff; 1025])}));
    assert_eq!(said(text("/tokens/0"), &[long]), Signature::KeyNotChecked);
    let es512 = signed("ES512", |_| vec![1; 132]);
    assert_eq!(said(&es512, &[key("/key", json!({}))]), Signature::AlgorithmNotChecked);
    assert_eq!(said(&es512, &[]), Signature::KeyMissing);
}

#[test]
fn a_key_that_cannot_be_used_does_not_refuse() {
    for unusable in [
        json!({"n": null, "x5c": ["MIIB"]}),
        json!({"e": null}),
        json!({"n": "!"}),
        json!({"n": 7}),
        json!({"use": "enc"}),
        json!({"key_ops": ["encrypt"]}),
        json!({"kty": "EC"}),
    ] {
        let keys = [key("/key", unusable.clone())];
        assert_eq!(said(text("/tokens/0"), &keys), Signature::KeyUnusable, "{unusable}");
    }
    let (token, mut key) = by_curve("ES256");
    key["x"] = json!(BASE64URL.encode([1; 33]));
    assert_eq!(said(&token, &[key]), Signature::KeyUnusable);
}

#[test]
fn a_token_without_kid_is_tried_with_each_key() {
    let keys = [key("/other", json!({})), key("/key", json!({"kid": null}))];
    let token = text("/tokens/0").as_bytes();
    assert_eq!(verify(token, None, &keys), Signature::Verified);
    assert_eq!(verify(token, None, &keys[..1]), Signature::Refused);
    assert_eq!(verify(token, None, &[]), Signature::KeyMissing);
}

/// A member of a key set, and what it alone would say about a good token.
fn member() -> impl Strategy<Value = (Value, Option<Signature>)> {
    let zero = BASE64URL.encode([&[0], &BASE64URL.decode(text("/key/n")).unwrap()[..]].concat());
    prop::sample::select(vec![
        (key("/key", json!({})), Some(Signature::Verified)),
        (key("/key", json!({"n": zero})), Some(Signature::Verified)),
        (key("/other", json!({})), Some(Signature::Refused)),
        (key("/other", json!({"use": "sig"})), Some(Signature::Refused)),
        (key("/other", json!({"use": "enc"})), Some(Signature::KeyUnusable)),
        (key("/small/key", json!({})), Some(Signature::KeyNotChecked)),
        (key("/key", json!({"kid": "b"})), None),
        (key("/key", json!({"kid": 7})), None),
        (json!({"kty": "AKP", "kid": "b"}), None),
        (json!("a"), None),
        (json!(null), None),
    ])
}

proptest! {
    #[test]
    fn no_set_of_keys_makes_a_good_token_bad_or_a_bad_one_good(
        members in prop::collection::vec(member(), 0..6),
        good: bool,
    ) {
        let (keys, alone): (Vec<Value>, Vec<Option<Signature>>) = members.into_iter().unzip();
        let token = text("/tokens/0");
        let token = if good { token.to_owned() } else { changed(token) };
        let has = |it| alone.contains(&Some(it));
        let expected = match () {
            () if good && has(Signature::Verified) => Signature::Verified,
            () if has(Signature::KeyNotChecked) => Signature::KeyNotChecked,
            () if has(Signature::Refused) || has(Signature::Verified) => Signature::Refused,
            () if has(Signature::KeyUnusable) => Signature::KeyUnusable,
            () => Signature::KeyMissing,
        };
        prop_assert_eq!(said(&token, &keys), expected);
    }

    #[test]
    fn any_key_and_token_have_an_answer(token in prop::collection::vec(any::<u8>(), 0..80), n in "[A-Za-z0-9_=-]{0,9}", alg in "(RS|PS|ES)(256|384|512)|EdDSA") {
        let keys = [json!({"kid": KID, "n": n, "e": n, "x": n, "y": n})];
        let said = [verify(&token, Some(KID), &keys), said(&signed(&alg, |_| token.clone()), &keys)];
        prop_assert!(!said.contains(&Signature::Verified));
    }
}
