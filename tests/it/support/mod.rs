//! What the end-to-end tests share.
//! It knows nothing about a single test.
#![expect(dead_code, reason = "no target needs all of it")]

pub(crate) mod binary;
pub(crate) mod bug_report;
pub(crate) mod ci;
pub(crate) mod leak;
pub(crate) mod names;
pub(crate) mod pasted;
pub(crate) mod run;
pub(crate) mod snapshot;
pub(crate) mod token;
pub(crate) mod tool;
