//! The subcommands: flags in, an exit code and text out. A file each; `serve` has a room of its own.
//! What a verdict means, `credprobe-judge` says.

pub mod cli;
pub mod retry;
pub mod status;
