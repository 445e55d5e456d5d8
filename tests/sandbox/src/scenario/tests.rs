//! The defaults of a scenario, what is refused, and which of its values are secrets.

use super::*;

#[test]
fn an_empty_case_is_a_healthy_pod() {
    let scenario = Scenario::parse("x", "{}").unwrap();
    assert_eq!(scenario.accounts.len(), 1);
    assert_eq!(scenario.accounts[0].providers[0].client_ids, ["sts.amazonaws.com"]);
    assert_eq!(scenario.sts_families, [Family::Ipv4]);
    assert_eq!(scenario.needs_root(1000, 1000), None);
    assert_eq!(scenario.needs_pod(), None);
}

#[test]
fn the_issuer_is_taken_apart_with_and_without_a_path() {
    let parts = |url: &str| {
        let issuer = Issuer { url: url.into(), ..Issuer::default() };
        (issuer.host().to_owned(), issuer.path().to_owned())
    };
    assert_eq!(parts("https://issuer.example/a/b/"), ("issuer.example".into(), "/a/b".into()));
    assert_eq!(parts("https://issuer.example"), ("issuer.example".into(), String::new()));
}

#[test]
fn a_misspelt_field_is_refused() {
    assert!(Scenario::parse("x", r#"{"tokn": {}}"#).is_err());
    assert!(Scenario::parse("x", r#"{"token_file": {"mode": "0980"}}"#).is_err());
    assert!(Scenario::parse("x", r#"{"issuer": {"statu": 404}}"#).is_err());
    assert!(Scenario::parse("x", r#"{"proxy": "sulks"}"#).is_err());
}

fn refused(text: &str) -> bool {
    Scenario::parse("x", text).is_err()
}

#[test]
fn files_lie_where_nothing_of_the_machine_does() {
    let at = |path: &str| refused(&format!(r#"{{"files": {{"{path}": "x"}}}}"#));
    for path in ["/run/app/.aws/config", "/run/config"] {
        assert!(!at(path), "{path}");
    }
    for path in [
        "/home/app/.aws/config",
        "run/config",
        "/run",
        "/run/",
        "/run/../etc/passwd",
        "/run/app//config",
        "/run/secrets/x",
        "/run/credprobe-sandbox/ca.pem",
        "/var/run/config",
    ] {
        assert!(at(path), "{path}");
    }
    let files = |file: &str| {
        Scenario::parse("x", &format!(r#"{{"files": {{"/run/a": {file}}}}}"#)).map(|it| it.files)
    };
    let files_of = files(r#"{"text": "x", "mode": "0600"}"#).unwrap();
    assert_eq!((files_of["/run/a"].text.as_str(), files_of["/run/a"].mode.as_str()), ("x", "0600"));
    assert_eq!(files(r#""x""#).unwrap()["/run/a"].mode, "0644");
    assert!(files(r#"{"texts": "x"}"#).is_err());
}

#[test]
fn keys_in_any_file_are_secrets_and_other_settings_are_not() {
    let text =
        "[a]\nregion = eu-west-1\naws_secret_access_key = one\naws_access_key_id=two\nrole_arn = three";
    let scenario = serde_json::json!({"files": {"/run/a": text}, "profile": "aws_session_token=four"});
    let scenario = Scenario::of("x", scenario).unwrap();
    assert_eq!(scenario.secrets_in_files().collect::<Vec<_>>(), ["one", "two", "four"]);
}

#[test]
fn an_answer_is_stss_or_somebody_elses_as_a_whole() {
    let answer = |fields: &str| refused(&format!(r#"{{"answer": {{"status": 400 {fields}}}}}"#));
    assert!(!answer(r#", "code": "X", "message": "y""#));
    assert!(!answer(r#", "body": "", "headers": {"server": "AmazonEC2"}"#));
    assert!(answer(""));
    assert!(answer(r#", "code": "X", "body": "y""#));
    assert!(answer(r#", "code": "X", "headers": {"server": "AmazonEC2"}"#));
    assert!(refused(r#"{"answer": {"status": 99, "body": "x"}}"#));
}

#[test]
fn issuers_that_cannot_be_are_refused() {
    for issuer in [
        r#"{"key": "es256", "key_set": "leading-zero"}"#,
        r#"{"key": "rs256-of-1024-bits", "key_set": "x5c-only"}"#,
        r#"{"location": "https://elsewhere.example"}"#,
        r#"{"status": 404, "location": "https://elsewhere.example"}"#,
        r#"{"key": "hs256"}"#,
    ] {
        assert!(refused(&format!(r#"{{"issuer": {issuer}}}"#)), "{issuer}");
    }
    assert!(!refused(r#"{"issuer": {"key": "rs256-of-1024-bits", "key_set": "leading-zero"}}"#));
}
