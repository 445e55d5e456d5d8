//! `credprobe trust`: checks a role's trust policy against the pod's token, a saved report's token, or a stated one.

use super::Failure;
use super::cli::TrustArgs;
use super::input::{self, read};
use super::look::look;
use super::show::{data, json, unseen};
use crate::collect::subject::SubjectSelector;
use crate::process::{clock, log};
use credprobe_judge::evidence::{Collected, Evidence};
use credprobe_judge::options::Output;
use credprobe_judge::report::rejudge::saved_run;
use credprobe_judge::report::trust_policy::{Answer, answer};
use credprobe_judge::trust_policy::POLICY_LIMIT;
use std::path::Path;

pub(super) fn run(args: &TrustArgs) -> Result<u8, Failure> {
    log::install(args.log_level);
    let policy = args.policy.as_deref().map(of_file).transpose()?;
    let run = match &args.report {
        Some(report) => saved(report, args)?,
        None if args.asked.subject.is_some() => {
            let mut evidence = Evidence::default();
            evidence.environment.options = args.settings.clone();
            Collected { evidence, seen: true, observed_at: clock::now(), timings: Vec::new() }
        }
        None => look(SubjectSelector::Own, args.settings.clone())?,
    };
    if run.evidence.unanswered.is_some() {
        return unseen(run, if args.asked.json { Output::Json } else { Output::Text });
    }
    match answer(run, policy.as_deref(), &args.asked) {
        Answer::Said { text, code } => {
            let shown = if args.asked.json { json(text) } else { data(text.trim_end()) };
            shown.map(|_| code)
        }
        Answer::Usage(problem) => Err(Failure::usage(&problem)),
        Answer::Refused(class, why) => Err(Failure::new(class, &why)),
    }
}

/// The evidence of a saved report. The flags of this call override the report's own.
fn saved(path: &Path, args: &TrustArgs) -> Result<Collected, Failure> {
    let usage = |problem: String| Failure::usage(&format!("--report: {}: {problem}", path.display()));
    let document = input::report(path).map_err(usage)?;
    let mut run = saved_run(&document).map_err(usage)?;
    let (options, stated) = (&mut run.evidence.environment.options, &args.settings);
    for (of_report, of_call) in [
        (&mut options.role_arn, &stated.role_arn),
        (&mut options.session_name, &stated.session_name),
        (&mut options.expect_issuer, &stated.expect_issuer),
    ] {
        if of_call.is_some() {
            of_report.clone_from(of_call);
        }
    }
    Ok(run)
}

fn of_file(path: &Path) -> Result<Vec<u8>, Failure> {
    // One byte more than the limit shows that the file is too long.
    let policy = read(path, POLICY_LIMIT as u64 + 1);
    policy.map_err(|error| Failure::usage(&format!("--policy: {}: {error}", path.display())))
}
