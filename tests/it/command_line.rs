//! The command line as its callers see it: all help texts, all usage errors, pipes, terminals, arbitrary token files.
//! The golden files are in `golden`. Each run has exactly the environment that its test lists.
#![expect(clippy::disallowed_methods, reason = "a test reads files and environment")]

mod commands;
mod support;
