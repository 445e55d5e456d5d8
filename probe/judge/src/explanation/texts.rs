//! The texts that people paste, from STS, the SDKs, the agent, EKS and the API server, each with its class.
//! The same rows make `probe/docs/errors/`, where the text is the heading and the answer its first two sentences.

mod access;
mod agent;
mod cluster;
mod environment;
mod exchange;
mod identity;
mod network;
mod token_file;

use crate::catalog::{Class, Owner};

/// One text.
#[derive(Debug)]
pub(super) struct Text {
    /// All of these must be in the line, and none that follows a `!`.
    parts: &'static [&'static str],
    /// Those of the parts, so that most rows need no search.
    pairs: u64,
    /// `None`: it concerns something outside the chain, and the answer says what.
    pub class: Option<Class>,
    /// It says that something failed before and not what. An earlier line that is near has the cause.
    pub wraps: bool,
    /// If it differs from the class's owner.
    pub owner: Option<Owner>,
    /// Two sentences: what it means, and the usual repair.
    pub answer: &'static str,
    #[cfg(test)]
    pub docs: Docs,
}

/// What only the pages need.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct Docs {
    /// The text that people search for.
    pub heading: &'static str,
    /// The source of the text.
    pub by: &'static str,
    /// Where and when it was seen.
    pub source: &'static str,
    /// The page, if no class determines it.
    pub stage: &'static str,
}

impl Text {
    pub(super) fn sentences(&self) -> (&'static str, &'static str) {
        self.answer.split_once(". ").unwrap_or((self.answer, ""))
    }
}

/// A page's rows: `class "heading" [parts]? by "who" answer source;`. Without parts, the heading itself is searched for.
/// In place of the class, `none` and `wrapper` have none.
macro_rules! texts {
    (@class none) => { None };
    (@class wrapper) => { None };
    (@class $class:ident) => { Some($crate::catalog::Class::$class) };
    (@wraps wrapper) => { true };
    (@wraps $class:ident) => { false };
    (@owner) => { None };
    (@owner $owner:ident) => { Some($crate::catalog::Owner::$owner) };
    (@parts $heading:literal) => { &[$heading] };
    (@parts $heading:literal $($part:literal)+) => { &[$($part),+] };
    ($stage:literal $($class:ident $(of $owner:ident)? $heading:literal $(in $($part:literal)+)?, $by:literal, $answer:expr, $source:literal;)*) => {
        pub(super) static TEXTS: &[super::Text] = &[$(super::Text {
            parts: texts!(@parts $heading $($($part)+)?),
            pairs: super::pairs_of(texts!(@parts $heading $($($part)+)?)),
            class: texts!(@class $class),
            wraps: texts!(@wraps $class),
            owner: texts!(@owner $($owner)?),
            answer: $answer,
            #[cfg(test)]
            docs: super::Docs { heading: $heading, by: $by, source: $source, stage: $stage },
        }),*];
    };
}
use texts;

/// Texts of a cause come before texts that wrap a cause, because the first match is used.
pub(super) static PAGES: &[&[Text]] = &[
    cluster::TEXTS,
    agent::TEXTS,
    exchange::TEXTS,
    token_file::TEXTS,
    identity::TEXTS,
    network::TEXTS,
    access::TEXTS,
    environment::TEXTS,
];

/// A bit for each pair of bytes that are beside each other. A text that contains another one has all of its bits.
const fn pairs(text: &[u8]) -> u64 {
    let (mut bits, mut at) = (0, 1);
    while at < text.len() {
        let one = (text[at - 1] as u32).wrapping_mul(0x9e37_79b1);
        bits |= 1 << ((one ^ (text[at] as u32).wrapping_mul(0x85eb_ca6b)) >> 26);
        at += 1;
    }
    bits
}

const fn pairs_of(parts: &[&str]) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < parts.len() {
        if parts[at].as_bytes()[0] != b'!' {
            bits |= pairs(parts[at].as_bytes());
        }
        at += 1;
    }
    bits
}

/// The row that matches the line.
pub(super) fn find(line: &str) -> Option<&'static Text> {
    let missing = !pairs(line.as_bytes());
    let is_so = |part: &&str| {
        part.strip_prefix('!').map_or_else(|| line.contains(*part), |other| !line.contains(other))
    };
    let holds = |text: &&Text| text.pairs & missing == 0 && text.parts.iter().all(is_so);
    PAGES.iter().flat_map(|page| page.iter()).find(holds)
}

/// Whether a part of a row begins at the end of `open` and continues in `next`.
pub(super) fn is_broken_between(open: &str, next: &str) -> bool {
    // The two bytes on both sides say for most rows that it does not.
    let (Some(last), Some(first)) = (open.as_bytes().last_chunk::<2>(), next.as_bytes().first_chunk::<2>())
    else {
        return false;
    };
    let here = pairs(&[last[0], last[1], b' ', first[0], first[1]]);
    let goes_on = |rest: &str| next.starts_with(rest) || rest.starts_with(next);
    let rows = PAGES.iter().flat_map(|page| page.iter()).filter(|text| text.pairs & here == here);
    rows.flat_map(|text| text.parts).any(|part| {
        part.match_indices(' ').any(|(at, _)| open.ends_with(&part[..at]) && goes_on(&part[at + 1..]))
    })
}
