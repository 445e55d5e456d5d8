//! `kubectl credprobe`: diagnoses from a laptop what the cluster and IAM contribute to a pod's credentials.
//! Data flows in one direction: gather → translate → judge → print. kubectl and aws are the user's own.

#[cfg(test)]
mod agreement;
mod aws;
mod child;
mod cli;
mod completion;
mod debug;
mod exchange;
mod inject;
mod kubectl;
mod lint;
mod objects;
mod outside;
mod print;
mod rows;
mod run;
mod translate;
mod unit;
mod verdict;
mod world;

pub use run::run;
