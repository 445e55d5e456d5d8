//! Tests the tree, its lines, and input that exceeds the limits.

use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Node {
    first_document(text).unwrap()
}

#[test]
fn each_node_has_its_line_and_a_literal_block_the_line_on_which_it_begins() {
    let node =
        one("kind: ConfigMap\ndata:\n  mapRoles: |\n    - rolearn: a\n      username: b\n  other: 'x'\n");
    let data = node.get("data").unwrap();
    let Value::Text { text, literal } = &data.get("mapRoles").unwrap().value else { panic!("no text") };
    assert_eq!((text.as_str(), *literal), ("- rolearn: a\n  username: b\n", Some(4)));
    assert_eq!(data.get("other").unwrap().value, Value::Text { text: "x".to_owned(), literal: None });
    assert_eq!(data.get("other").unwrap().line, 6);
    for (text, first) in [("a: |\n\n\n  x\n", 2), ("a: |2-  # why\n  x\n", 2), ("a:\n  |\n  x\n", 3)] {
        let Value::Text { literal, .. } = one(text).get("a").unwrap().value else { panic!("{text}") };
        assert_eq!(literal, Some(first), "{text:?}");
    }
    let list = one("- rolearn: a\n- rolearn: b\n");
    assert_eq!(list.list().iter().map(|node| node.line).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn plain_scalars_are_what_the_go_library_takes_them_for() {
    for text in [
        "yes", "No", "ON", "off", "y", "true", "False", "1", "-1", "0x1f", "1_000", "1.5", ".5", "1e3",
        ".inf", "0b11", "+1",
    ] {
        assert_eq!(
            one(&format!("a: {text}")).get("a").unwrap().value,
            Value::Other(text.to_owned()),
            "{text}"
        );
    }
    for text in ["~", "null", "Null", "NULL", ""] {
        assert_eq!(one(&format!("a: {text}")).get("a").unwrap().value, Value::Null, "{text}");
    }
    for text in [
        "nULL",
        "yEs",
        "inf",
        "nan",
        "e3",
        "1a",
        "1:20",
        "2024-01-01",
        "arn:aws:iam::1:role/x",
        ".",
        "-",
        "0x",
        "é",
    ] {
        if text != "-" {
            assert_eq!(one(&format!("a: {text}")).get("a").unwrap().text(), Some(text), "{text}");
        }
    }
    assert_eq!(one("a: !!str 1").get("a").unwrap().text(), Some("1"));
    assert_eq!(one("a: '1'").get("a").unwrap().text(), Some("1"));
}

#[test]
fn equal_keys_and_merge_keys_count_as_in_go() {
    assert_eq!(one("a: b\na: c").get("a").unwrap().text(), Some("c"));
    let node = one("base: &base\n  a: b\n  c: d\nuse:\n  <<: *base\n  a: e\n");
    let used = node.get("use").unwrap();
    assert_eq!((used.get("a").unwrap().text(), used.get("c").unwrap().text()), (Some("e"), Some("d")));
}

#[test]
fn json_is_read_too() {
    let node = one("{\"kind\": \"ConfigMap\", \"data\": {\"mapRoles\": \"- rolearn: a\\n\"}}");
    assert_eq!(node.get("data").unwrap().get("mapRoles").unwrap().text(), Some("- rolearn: a\n"));
}

#[test]
fn a_problem_says_its_line() {
    for (text, line) in
        [("a: b\n\tc: d\n", 2), ("a: b\n  c: d\n", 2), ("- a\nb\n", 2), ("a: b\n\nc: \u{1}\n", 3)]
    {
        let problem = first_document(text).unwrap_err();
        assert!(problem.line.abs_diff(line) <= 1, "{text:?}: {problem:?}");
    }
    assert_eq!(one("a: b\n---\n: : [\n").get("a").unwrap().text(), Some("b"));
    // The Go library stops before the text after the document.
    for behind in ["- [\n", "oops\n", "-\n"] {
        assert_eq!(one(&format!("  - a: b\n{behind}")).list()[0].get("a").unwrap().text(), Some("b"));
    }
    assert_eq!(one("").value, Value::Null);
    assert_eq!(documents("a: b\n---\nc: d\n").count(), 2);
}

#[test]
fn what_wants_to_be_too_much_is_refused() {
    assert!(first_document(&"[".repeat(100_000)).is_err());
    assert!(
        first_document(&format!("{}{}", "[".repeat(70), "]".repeat(70))).unwrap_err().what.contains("levels")
    );
    assert!(first_document(&"- ".repeat(100_000)).unwrap_err().what.contains("levels"));
    let mut laughs = "a0: &a0 [lol]\n".to_owned();
    for level in 1..40 {
        let last = level - 1;
        laughs.push_str(&format!("a{level}: &a{level} [*a{last}, *a{last}, *a{last}, *a{last}]\n"));
    }
    assert!(first_document(&laughs).unwrap_err().what.contains("nodes"));
    assert!(first_document("a: &a [*a]").is_err());
    assert!(first_document("a: *nothing").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_has_an_answer(text in "[-a:{}\\[\\],&*!|>'\"%@`#? \\t\\n\\r0<~.\u{e9}\\\\]{0,60}") {
        for document in documents(&text) {
            if let Err(problem) = document {
                prop_assert!(!problem.what.is_empty());
            }
        }
    }
}
