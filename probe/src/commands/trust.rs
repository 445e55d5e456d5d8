//! `credprobe trust`: a role's trust policy held against the token.

use super::Failure;
use super::cli::TrustArgs;
use super::input::read;
use super::look::look;
use super::show::unseen;
use crate::collect::subject::SubjectSelector;
use crate::process::log;
use crate::process::output::print;
use credprobe_judge::report::trust_policy::{Answer, answer};
use credprobe_judge::trust_policy::POLICY_LIMIT;
use std::path::Path;

pub(super) fn run(asked: &TrustArgs) -> Result<u8, Failure> {
    log::install(asked.log_level);
    let policy = asked.policy.as_deref().map(of_file).transpose()?;
    let run = look(SubjectSelector::Own, asked.settings.clone())?;
    if run.evidence.unanswered.is_some() {
        return unseen(run, asked.output);
    }
    match answer(run, policy.as_deref(), asked.output) {
        Answer::Said { text, code } => {
            print(text.trim_end());
            Ok(code)
        }
        Answer::Usage(problem) => Err(Failure::usage(&problem)),
    }
}

fn of_file(path: &Path) -> Result<Vec<u8>, Failure> {
    // One byte more shows that it is too long.
    let policy = read(path, POLICY_LIMIT as u64 + 1);
    policy.map_err(|error| Failure::usage(&format!("--policy: {}: {error}", path.display())))
}
