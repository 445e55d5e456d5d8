//! credprobe: will the AWS SDK in this container get the credentials that it is meant to get?
//! The program around `credprobe-judge`: it collects the evidence, and prints or serves what follows from it.

pub mod collect;
pub mod commands;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
pub mod process;
pub mod serve;
mod transport;
