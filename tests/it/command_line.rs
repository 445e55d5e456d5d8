//! The command line as its callers know it: every word of help, every usage error, pipes, terminals, any token file.
//! Golden files are in `golden`; the environment of every run is exactly what the test lists.
#![expect(clippy::disallowed_methods, reason = "a test reads files and environment")]

mod commands;
mod support;
