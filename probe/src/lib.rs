//! credprobe: will the AWS SDK in this container get the credentials that it is meant to get?
//! This program around `credprobe-judge` collects the evidence, and prints or serves the result.

pub mod collect;
pub mod commands;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
pub mod process;
pub mod serve;
mod transport;
