//! What the classes mean, what brings them about, and which commands show and repair them: prose for a person at 3 a.m.
//! Steps are templates, which reports and `explain` fill in. Nothing is replaced or deleted that was not read before.

pub(crate) mod access;
pub(crate) mod agent;
pub(crate) mod cluster;
pub(crate) mod common;
pub(crate) mod environment;
pub(crate) mod exchange;
pub(crate) mod identity;
pub(crate) mod network;
pub(crate) mod outcome;
#[cfg(test)]
mod tests;
pub(crate) mod token;
pub(crate) mod token_file;

use crate::steps::template::Template;

/// The prose of one class.
pub(crate) struct Texts {
    /// One sentence.
    pub(crate) meaning: &'static str,
    /// Why only a new pod heals it, for `restart`; empty where that is not so.
    pub(crate) restart: &'static str,
    /// What usually brings it about, the most likely first.
    pub(crate) causes: &'static [&'static str],
    /// What to do, in the order of doing: look, then change.
    pub(crate) steps: &'static [&'static Template],
    /// What helps and changes more than this pod.
    pub(crate) beyond: &'static [&'static Template],
}
