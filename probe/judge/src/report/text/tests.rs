//! Tests the form of a report: a script whose prose is comments, whatever names it contains.

use crate::steps::script::fitted;
use crate::text::shown::prose;
use proptest::prelude::*;

#[test]
fn the_longest_name_is_cut_in_its_middle_and_the_class_never() {
    let role = format!("role {} does not accept service account {}/checkout", "r".repeat(64), "n".repeat(63));
    let line = fitted("access-denied 53:", &role);
    assert!(line.starts_with("access-denied 53: role r") && line.ends_with("checkout"), "{line}");
    assert_eq!(line.matches('…').count(), 2, "{line}");
    assert!((90..=98).contains(&line.chars().count()), "{line}");
    let short = "role a does not accept service account shop/checkout";
    assert_eq!(fitted("access-denied 53:", short), format!("access-denied 53: {short}"));
}

#[test]
fn a_variables_name_is_never_cut() {
    let line = fitted(
        "settings-invalid 15:",
        &format!("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE leads to {}", "x".repeat(90)),
    );
    assert!(line.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE leads to x"), "{line}");
}

#[test]
fn text_from_outside_is_harmless_in_a_comment() {
    assert_eq!(prose("it's \"so\" $(touch x) `y`; z & ! #"), "it’s “so” ··touch x· ·y·· z · · ·");
    assert_eq!(prose("a\nb\u{202e}c\u{9b}"), "a·b·c·");
}

proptest! {
    #[test]
    fn a_first_line_fits_whatever_the_names(words in prop::collection::vec("[a-z:/_A-Z-]{1,90}", 1..12)) {
        let line = fitted("token-file-unreadable 21:", &words.join(" "));
        prop_assert!(line.chars().count() <= 98, "{}", line);
    }

    #[test]
    fn no_text_keeps_a_character_that_a_shell_reads(text in "\\PC{0,80}") {
        let forbidden = ['`', '$', '\'', '"', '\\', ';', '&', '|', '<', '>', '(', ')', '[', ']', '{', '}', '*', '?', '~', '^', '#', '!'];
        prop_assert!(!prose(&text).contains(forbidden));
    }
}

#[test]
fn a_long_label_is_apart_from_its_text() {
    let mut script = crate::steps::script::Script::new(crate::steps::script::Look::default());
    script.row("who", "you");
    script.row("provider_arn", "arn");
    assert_eq!(script.text(), "#   who      you\n#   provider_arn arn\n");
}
