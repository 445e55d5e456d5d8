//! credprobe: will the AWS SDK in this container get the credentials that it is meant to get?
//! Data flows one way: observe → evidence → judge → findings → verdict → report.

pub mod arn;
pub mod aside;
pub mod attempts;
pub mod chain;
pub mod check;
pub mod class;
pub mod cli;
pub mod evidence;
pub mod explain;
pub mod finding;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
#[cfg(test)]
mod generated;
pub mod guard;
pub mod judge;
pub mod judge_again;
pub mod log;
pub mod observe;
pub mod observer;
pub mod output;
pub mod partition;
pub mod plan;
pub mod report;
pub mod secret;
pub mod serve;
pub mod shown;
pub mod signals;
pub mod status;
pub mod subject;
pub mod trust;
pub mod until;
pub mod verdict;
pub mod wire;
