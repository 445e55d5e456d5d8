//! Tests what is cut, what is shown, and that a document keeps its values.

use super::*;
use proptest::prelude::*;

const JWT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjA3MyJ9.eyJpc3MiOiJodHRwczovL2lzc3VlciIsInN1YiI6ImEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ";

/// Whether any sixteen bytes of the secret are left.
fn tells(text: &str, secret: &str) -> bool {
    secret.as_bytes().windows(16).any(|part| text.as_bytes().windows(16).any(|seen| seen == part))
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_token_is_cut_wherever_it_stands() {
    use base64::Engine as _;
    let again = base64::engine::general_purpose::STANDARD.encode(JWT);
    let secrets = [JWT, &encoded(JWT), &again];
    let [header, claims, signature] = JWT.split('.').collect::<Vec<_>>()[..] else { panic!() };
    for text in [
        JWT.to_owned(),
        format!("Bearer {JWT}"),
        format!("/var/run/{JWT}/token"),
        format!("--token-file={JWT}"),
        format!("prefix{JWT}suffix"),
        format!("\"{JWT}\""),
        format!("{header}\".\"{claims}\".\"{signature}"),
        format!("{header}.\n{claims}.\n{signature}"),
        format!("https://{JWT}.example/?a"),
        format!("https://host/?token={JWT}"),
        encoded(JWT),
        JWT.replace('.', "%2E"),
        again.clone(),
    ] {
        for shown in [value(&text), url(&text), escaped(&text)] {
            assert!(!secrets.iter().any(|secret| tells(&shown, secret)), "{text}\n{shown}");
        }
        let document = serde_json::json!({"a": [text], "b": 1}).to_string();
        for shown in [json(&document), super::document(&document).into_owned()] {
            assert!(!tells(&shown, JWT), "{shown}");
            assert!(serde_json::from_str::<serde_json::Value>(&shown).is_ok(), "{shown}");
        }
    }
}

#[test]
fn what_is_no_token_stays() {
    for text in [
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "arn:aws:iam::814203749616:role/me@corp-with-a-long-name.and-another-long-one",
        "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
        "sts.eu-west-1.amazonaws.com",
        "100 % of it",
        "keyJ-of-sixteen-or-more-characters",
        "AROAPCGMMHEPJKKRN4OWX:session",
    ] {
        assert_eq!(value(text), text);
        assert_eq!(escaped(text), text);
    }
}

#[test]
fn a_key_id_is_cut_and_the_rest_stays() {
    assert_eq!(escaped("key ASIAPCGMMHEPJKKRN4OW is unknown"), "key [a key id] is unknown");
    assert_eq!(value("AKIAIOSFODNN7EXAMPLE"), "[a key id]");
}

#[test]
fn a_url_loses_user_info_query_and_fragment() {
    for (given, kept) in [
        ("http://user:password@proxy:3128/", "http://proxy:3128/"),
        ("https://host/path?X-Amz-Signature=1#f", "https://host/path"),
        ("user:password@proxy:3128", "proxy:3128"),
        ("http://a@b@host", "http://host"),
        ("socks5h://user:pass word@host:1", "socks5h://host:1"),
        ("http://user:pass/word@host:1", "http://[not shown]"),
        ("http://user:pass?word@host:1", "http://[not shown]"),
        ("http://user:pass#word@host:1", "http://[not shown]"),
        ("http://user:pass://word@host:1", "http://[not shown]"),
        ("user:pass/word@host:1", "[not shown]"),
        ("user:pass://word@host:1", "[not shown]"),
        ("S3cret://word@host", "[not shown]"),
        ("https://host/path?signature=a@b", "https://[not shown]"),
        ("http://[::1]:9809/x", "http://[::1]:9809/x"),
        ("not a url", "not a url"),
        ("", ""),
    ] {
        assert_eq!(url(given), kept, "{given}");
    }
    assert_eq!(value("--expect-issuer=https://user:pass@host/id"), "--expect-issuer=https://host/id");
    let said = kept("see `https://user:pass@host/a` and http://b/c?d=e now", &Redactor::default());
    assert_eq!(said.as_deref(), Some("see `https://host/a` and http://b/c now"));
}

#[test]
fn what_hides_is_shown_in_text_and_escaped_in_json() {
    assert_eq!(
        escaped("a\nb\u{1b}[31m\u{202e}\u{200b}\u{2028}"),
        r"a\u{a}b\u{1b}[31m\u{202e}\u{200b}\u{2028}"
    );
    assert_eq!(
        json("{\n \"é\": \"\u{9b}\u{7f}\u{2028}\u{e0041}\"}"),
        "{\n \"é\": \"\\u009b\\u007f\\u2028\\udb40\\udc41\"}"
    );
}

#[test]
fn what_was_seen_is_kept_without_what_is_known_whatever_field_it_stands_in() {
    let mut redactor = Redactor::default();
    redactor.add(b"7luhNPNyq1PUglWIH9p9kZOHX4+SA3ogbWOixqjT");
    let before: Vec<Option<String>> =
        vec![Some("x 7luhNPNyq1PUglWIH9p9\"kZOHX4".to_owned()), None, Some("\u{1}a".to_owned())];
    let after = seen(before, &redactor).unwrap();
    assert_eq!(after, [Some("x [secret]\"kZOHX4".to_owned()), None, Some("\u{1}a".to_owned())]);
}

#[test]
fn what_may_have_to_go_is_not_clean() {
    let mut redactor = Redactor::default();
    redactor.add(b"7luhNPNyq1PUglWIH9p9kZOHX4+SA3ogbWOixqjT");
    let is_clean = |text: &str| is_clean(&serde_json::json!({"a": [text], "b": 1}).to_string(), &redactor);
    assert!(is_clean("arn:aws:iam::814203749616:role/checkout-reader"));
    assert!(is_clean("https://oidc.eks.eu-west-1.amazonaws.com/id/9F3C1A7B52E64D08"));
    for text in [
        JWT,
        &JWT.replace('.', "\"."),
        &encoded(JWT),
        "ASIAIOSFODNN7EXAMPLE",
        "Rev. eyes of 7luhNPNyq1PUglWI",
        "proxy:password@host",
        "https://host/?X-Amz-Credential",
    ] {
        assert!(!is_clean(text), "{text}");
    }
}

proptest! {
    #[test]
    fn a_document_stays_one_and_says_the_same(text in "(\\\\|\"|\u{9b}|\u{202e}|[ -~é]|\n|eyJ[a-z]{0,20}\\.?){0,30}") {
        let before = serde_json::json!({"a": text, "b": {"c": [text, 1.5, null]}});
        let after: serde_json::Value = serde_json::from_str(&json(&serde_json::to_string_pretty(&before).unwrap())).unwrap();
        let cut = without_secrets(&text).into_owned();
        prop_assert_eq!(after, serde_json::json!({"a": cut, "b": {"c": [cut, 1.5, null]}}));
    }

    #[test]
    fn what_is_clean_loses_nothing(texts in prop::collection::vec(
        "(A|AKIA|ASIA|IOSFODNN7EXAMPLE|ZX|ZXlK|e|ey|eyJ|ew|\\.|[a-zA-Z0-9]{1,9}|7luhNPNyq1PU|glWIH9p9kZOHX4|%65|https://|:|@|\\?|#|/|\"|\n| ){0,9}", 1..4))
    {
        let mut redactor = Redactor::default();
        redactor.add(b"7luhNPNyq1PUglWIH9p9kZOHX4+SA3ogbWOixqjT");
        let document = serde_json::to_string(&texts).unwrap();
        if is_clean(&document, &redactor) {
            prop_assert_eq!(each_string(&document, &|text| kept(text, &redactor)), None);
        }
    }

    #[test]
    fn no_password_is_shown(user in "[a-z:/?#@]{0,8}", pass in "[ -~]{16,40}", scheme in "(https?://|socks5://)?") {
        let shown = url(&format!("{scheme}{user}:{pass}@host:3128"));
        prop_assert!(!tells(&shown, &pass), "{}", shown);
    }
}

#[test]
fn control_and_bidirectional_characters_are_shown() {
    assert_eq!(escaped("a\nb\u{1b}[31m\u{202e}"), r"a\u{a}b\u{1b}[31m\u{202e}");
}
