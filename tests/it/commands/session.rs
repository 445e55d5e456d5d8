//! A session for a golden file: each command, its exit code, and everything that it prints.
//! It reads like a terminal's log, so that a reviewer sees what a user would see.

use crate::support::{
    binary,
    run::{Ran, run},
    snapshot,
};
use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
};

#[derive(Default)]
pub(super) struct Session {
    log: String,
}

impl Session {
    /// Runs `credprobe` with these words and variables only.
    pub(super) fn run(&mut self, words: &[&str], variables: &[(&str, &str)]) -> Result<Ran, String> {
        let mut command = Command::new(binary::probe());
        command.env_clear().envs(variables.iter().copied()).args(words);
        command.current_dir(env!("CARGO_TARGET_TMPDIR"));
        let ran = run(&mut command, Stdio::piped())?;
        let variables = variables.iter().map(|(name, value)| format!("{name}='{value}'"));
        let words = words.iter().map(|word| (*word).to_owned());
        let line: Vec<String> = variables.chain(["credprobe".to_owned()]).chain(words).collect();
        let _ = writeln!(self.log, "$ {}\nexit code: {}", visible(&line.join(" ")), ran.code);
        for (name, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            let _ = match text.as_str() {
                "" => writeln!(self.log, "{name}: nothing"),
                text => writeln!(self.log, "{name}:\n{}", text.trim_end_matches('\n')),
            };
        }
        self.log.push('\n');
        Ok(ran)
    }

    /// Runs a command that must be refused: nothing on stdout, exit code 2, and one line on stderr, which is returned.
    pub(super) fn refused(&mut self, words: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
        let ran = self.run(words, variables)?;
        let line = ran.stderr.strip_suffix('\n').unwrap_or_default();
        if ran.code == 2
            && ran.stdout.is_empty()
            && line.starts_with("usage-error (2): ")
            && !line.contains('\n')
        {
            return Ok(line.to_owned());
        }
        Err(format!("this is not one line and exit code 2: {ran}"))
    }

    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        snapshot::check(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/golden").join(name),
            &self.log,
        )
    }
}

/// Escapes control characters: a golden file must not do to its reader's terminal what the test tries on the probe.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c.into() } else { c.escape_unicode().to_string() })
        .collect()
}
