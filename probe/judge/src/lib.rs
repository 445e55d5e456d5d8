//! What credprobe's evidence means: classes, findings, the verdict and the report, as pure functions.
//! Nothing here touches files, the clock, the network or the process, so a report can be judged anywhere.
//!
//! Data flows one way: evidence → findings → verdict → report. A saved report keeps its evidence, so it can be judged
//! again by the rules of another version:
//!
//! ```
//! use credprobe_judge::report::{rejudge, text};
//!
//! # fn main() -> Result<(), String> {
//! # let saved = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/saved/not-injected.json"));
//! // `saved` is what `credprobe check --output=json` printed.
//! let report = rejudge::rejudge(saved)?;
//! assert_eq!(report.verdict.class.id(), "not-injected");
//! assert_eq!(report.exit_code, 10);
//! println!("{}", text::render(&report, false));
//! # Ok(())
//! # }
//! ```
//!
//! | room | what it holds |
//! |---|---|
//! | [`access_calls`] | which stated access can be asked about without harm, and how |
//! | [`catalog`] | the classes: id, code, owner and prose |
//! | [`cluster_access`] | aws-auth and access entries against an IAM principal |
//! | [`evidence`] | what was seen, as plain data |
//! | [`options`] | what the person who runs the probe asked for |
//! | [`settings`] | what follows from the environment: mechanism, role, region, endpoint |
//! | [`steps`] | what a person does next, and the templates that it is written in |
//! | [`sdks`] | the AWS SDKs, and what each would do in this environment |
//! | [`judge`] | evidence in, findings out |
//! | [`verdict`] | which finding decides, what is tolerated, when to try again |
//! | [`trust_policy`] | IAM trust policies against the claims of a token |
//! | [`explanation`] | what a line of an SDK, of STS, EKS or kubectl means |
//! | [`report`] | the report as data, text, page and termination message |
//! | [`text`] | times, escaping, quoting for a shell |
//! | [`yaml`] | YAML as a tree with lines |

#![warn(missing_docs)]

pub mod access_calls;
pub mod catalog;
pub mod cluster_access;
mod denial;
pub mod evidence;
pub mod explanation;
#[cfg(test)]
mod generated;
pub mod judge;
pub mod options;
pub mod report;
pub mod sdks;
pub mod settings;
pub mod steps;
pub mod text;
pub mod trust_policy;
pub mod verdict;
pub mod yaml;

/// Makes the report from what was collected: settings, judges and verdict, each once.
#[must_use]
pub fn assess(collected: evidence::Collected, options: &report::ReportOptions<'_>) -> report::Report {
    let settings = sdks::EffectiveSettings::from_evidence(&collected.evidence);
    let judgement = verdict::judge_evidence(&collected.evidence, &settings, collected.observed_at);
    report::build(collected, &settings, judgement, options)
}

/// Makes the report of a single run with nothing tolerated.
#[must_use]
pub fn assess_without_options(collected: evidence::Collected) -> report::Report {
    let settings = sdks::EffectiveSettings::from_evidence(&collected.evidence);
    let judgement = verdict::judge_evidence(&collected.evidence, &settings, collected.observed_at);
    report::build_without_options(collected, &settings, judgement)
}
