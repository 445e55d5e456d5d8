//! `credprobe access`: whether EKS maps a principal to a Kubernetes user, from aws-auth and access entries in files.

use super::Failure;
use super::cli::AccessArgs;
use super::input::read;
use crate::process::log;
use crate::process::output::print;
use credprobe_judge::cluster_access::{AWS_AUTH_LIMIT, ENTRIES_LIMIT};
use credprobe_judge::report::access::{Given, answer};
use std::path::PathBuf;

pub(super) fn run(asked: &AccessArgs) -> Result<u8, Failure> {
    log::install(asked.log_level);
    let of_file = |flag: &'static str, path: &Option<PathBuf>, limit: usize| {
        let bytes = path.as_deref().map(|path| {
            // One byte more than the limit shows that the file is too long.
            let bytes = read(path, limit as u64 + 1);
            bytes.map_err(|error| Failure::usage(&format!("--{flag}: {}: {error}", path.display())))
        });
        bytes.transpose()
    };
    let aws_auth = of_file("aws-auth", &asked.aws_auth, AWS_AUTH_LIMIT)?;
    let entries = of_file("access-entries", &asked.access_entries, ENTRIES_LIMIT)?;
    let role = of_file("role", &asked.role, ENTRIES_LIMIT)?;
    let given = Given {
        principal: asked.principal.as_deref(),
        aws_auth: aws_auth.as_deref(),
        access_entries: entries.as_deref(),
        role: role.as_deref(),
    };
    let said = answer(given, asked.output).map_err(|problem| Failure::usage(&problem))?;
    print(said.text.trim_end());
    Ok(said.code)
}
