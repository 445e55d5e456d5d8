//! Tests that for any text there is no panic, no secret is repeated, the form is kept, and the time is linear in its length.
#![expect(clippy::disallowed_methods, reason = "it measures")]

use super::super::{LIMIT, Log};
use super::{DENIAL, cases, explained, is_in_form};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const SECRETS: &[&str] = &[
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "wJalrXUtnFEMIK7MDENGbPxRfiCYSANDBOXKEY12",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAQ3EGWJ6ZK2L5XYTB",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL29pZGMuZWtzIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
    "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDxk+7b0u3bVqYd5oPzq0l2nE1mR4tQ8s",
    "FwoGZXIvYXdzEBYaDKs7Yx9w2T1pZk4LbyLIAeV3g5QpXn0j",
];

fn holds_no_part(said: &str, secret: &str) {
    // A key id counts only if it is whole.
    let window = if secret.len() == 20 { 20 } else { 16 };
    for part in secret.as_bytes().windows(window) {
        let part = std::str::from_utf8(part).unwrap();
        assert!(!said.contains(part), "{part} of {secret} in {said}");
    }
}

fn texts() -> impl Strategy<Value = String> {
    let mut all: Vec<String> = cases().into_iter().map(|case| case.text).collect();
    all.extend(
        super::super::texts::PAGES.iter().flat_map(|rows| rows.iter()).map(|row| row.docs.heading.to_owned()),
    );
    proptest::sample::select(all)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC{0,400}", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut log = Log::default();
        log.take(text.as_bytes());
        log.take(&bytes);
        if let Some(said) = log.explain(None) {
            is_in_form(&said.text());
            said.json(false).unwrap();
        }
    }

    #[test]
    fn a_changed_denial_says_no_secret_and_keeps_the_form(
        text in texts(),
        secret in proptest::sample::select(SECRETS),
        place in any::<proptest::sample::Index>(),
        cut in any::<proptest::sample::Index>(),
        between in "[ \"'`\\\\\n:/.=&?-]{0,2}",
        noise in "\\PC{0,6}",
        expected in proptest::option::of(Just("arn:aws:iam::814203749616:role/checkout-reader")),
    ) {
        let boundary = |index: &proptest::sample::Index, text: &str| {
            let mut at = index.index(text.len() + 1);
            while !text.is_char_boundary(at) { at -= 1; }
            at
        };
        // Around the secret and never in it: half of one of these looks like a word.
        let mut changed = text.clone();
        let at = boundary(&cut, &changed);
        changed.insert_str(at, &noise);
        let at = boundary(&place, &changed);
        changed.insert_str(at, &format!("{between}{secret}{between}"));
        if let Some(said) = explained(&changed, expected) {
            let shown = said.text();
            is_in_form(&shown);
            holds_no_part(&shown, secret);
            holds_no_part(&said.json(false).unwrap(), secret);
        }
    }

    #[test]
    fn the_pieces_in_which_it_arrives_do_not_matter(text in texts(), pieces in proptest::collection::vec(1_usize..40, 1..20)) {
        let whole = explained(&text, None).map(|said| said.json(false).unwrap());
        let mut log = Log::default();
        let mut rest = text.as_bytes();
        for length in pieces.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, behind) = rest.split_at((*length).min(rest.len()));
            log.take(piece);
            rest = behind;
        }
        prop_assert_eq!(log.explain(None).map(|said| said.json(false).unwrap()), whole);
    }
}

#[test]
fn values_beside_the_text_are_not_said_again() {
    let url = "https://shop-data.s3.amazonaws.com/a?X-Amz-Credential=ASIAQ3EGWJ6ZK2L5XYTB%2F20251124&X-Amz-Signature=3ce24536fc7e0fb589c5154391c8d2a8997a0646e8914ff47527cc9fbba1fec0";
    let text = format!("GET {url} Authorization: Bearer {} {DENIAL}", SECRETS[4]);
    let said = explained(&text, None).unwrap();
    for shown in [said.text(), said.json(true).unwrap()] {
        assert!(
            !shown.contains("X-Amz") && !shown.contains("3ce24536fc7e0fb5") && !shown.contains("ASIA"),
            "{shown}"
        );
        holds_no_part(&shown, SECRETS[4]);
    }
    let inside = DENIAL.replace("shop-data/a.csv", &url["https://".len()..]);
    let said = explained(&inside, None).unwrap().json(false).unwrap();
    assert!(!said.contains("ASIAQ3EGWJ6ZK2L5XYTB"), "{said}");
}

#[test]
fn sixteen_megabytes_are_read_and_no_more() {
    let filler = format!("{}\n", "User: arn:aws:iam::1:user/a ".repeat(20_000));
    let text = format!("{DENIAL}\n{}", filler.repeat(LIMIT / filler.len() - 1));
    for (behind, is_read) in [(1, true), (LIMIT - text.len() - 1, true), (LIMIT - text.len(), false)] {
        let mut log = Log::default();
        text.as_bytes().chunks(65_536).for_each(|piece| log.take(piece));
        log.take(format!("{}\nRate exceeded\n", " ".repeat(behind - 1)).as_bytes());
        assert_eq!(log.unread().is_some(), behind + 14 > LIMIT - text.len(), "{behind}");
        assert!(log.line.capacity() <= 128 * 1024, "{behind}");
        let said = log.explain(None).unwrap().json(false).unwrap();
        assert_eq!(said.contains("\"throttled\""), is_read && behind == 1, "{behind}: {said}");
    }
}

/// One line of each kind that makes a grammar search far, and many short ones.
#[test]
fn no_text_costs_more_than_its_length() {
    for filler in [
        format!("{}\n", "x".repeat(200)),
        "User: arn:aws:iam::1:user/a authorized to perform ".to_owned(),
        "y".repeat(1024),
        "\\".to_owned(),
        "User: is not\n".to_owned(),
        "\"reason\" 40".to_owned(),
        "User \"a\" cannot b resource \"c\" API group \"".to_owned(),
        "because no explicit deny in ".to_owned(),
    ] {
        let text = filler.repeat(1024 * 1024 / filler.len());
        let watch = Instant::now();
        let _ = explained(&text, None);
        // A debug build on a busy machine reads a megabyte in half a second.
        assert!(watch.elapsed() < Duration::from_secs(20), "{:?}: {}", watch.elapsed(), &text[..20]);
    }
}

#[test]
fn a_long_line_is_read_to_its_end() {
    for before in [0, 60 * 1024, 64 * 1024, 300 * 1024].into_iter().chain(64 * 1024 - DENIAL.len()..64 * 1024)
    {
        for filler in ["x", " x"] {
            let far =
                format!("{} {DENIAL} {}\nend", filler.repeat(before / filler.len()), "y ".repeat(50_000));
            let said = explained(&far, None).unwrap().json(false).unwrap();
            assert_eq!(said, explained(DENIAL, None).unwrap().json(false).unwrap(), "{before}");
        }
    }
}
