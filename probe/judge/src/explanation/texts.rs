//! Texts that people paste: what STS, the SDKs, the agent, EKS and the API server say, each with the class it means.
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
    /// All of them stand in the line.
    parts: &'static [&'static str],
    /// `None`: it is about something beside the chain, and the answer says what.
    pub class: Option<Class>,
    /// Where it is not the class's own.
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
    /// The text, as it is searched for.
    pub heading: &'static str,
    /// Who says it.
    pub by: &'static str,
    /// Where it was seen, and when.
    pub source: &'static str,
    /// The page, where no class says it.
    pub stage: &'static str,
}

impl Text {
    pub(super) fn sentences(&self) -> (&'static str, &'static str) {
        self.answer.split_once(". ").unwrap_or((self.answer, ""))
    }
}

/// A page's rows: `class "heading" [parts]? by "who" answer source;`. Without parts the heading is what is looked for.
macro_rules! texts {
    (@class none) => { None };
    (@class $class:ident) => { Some($crate::catalog::Class::$class) };
    (@owner) => { None };
    (@owner $owner:ident) => { Some($crate::catalog::Owner::$owner) };
    (@parts $heading:literal) => { &[$heading] };
    (@parts $heading:literal $($part:literal)+) => { &[$($part),+] };
    ($stage:literal $($class:ident $(of $owner:ident)? $heading:literal $(in $($part:literal)+)?, $by:literal, $answer:expr, $source:literal;)*) => {
        pub(super) static TEXTS: &[super::Text] = &[$(super::Text {
            parts: texts!(@parts $heading $($($part)+)?),
            class: texts!(@class $class),
            owner: texts!(@owner $($owner)?),
            answer: $answer,
            #[cfg(test)]
            docs: super::Docs { heading: $heading, by: $by, source: $source, stage: $stage },
        }),*];
    };
}
use texts;

/// What is said in a cause comes before what wraps it: the first that fits is taken.
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

/// The row that knows the line.
pub(super) fn find(line: &str) -> Option<&'static Text> {
    let holds = |text: &&Text| text.parts.iter().all(|part| line.contains(part));
    PAGES.iter().flat_map(|page| page.iter()).find(holds)
}
