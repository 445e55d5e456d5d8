//! Runs a command in the sandbox's pod, in a scenario that is written here.
//! Nothing that it prints may contain a secret, and nobody may ask for the node's role.

use super::limits::Measured;
use crate::support::{
    binary,
    leak::Secrets,
    run::{Ran, run},
    tool,
};
use libtest_mimic::Failed;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

const SANDBOX_ERROR: i32 = 125;

/// What every run needs.
pub(crate) struct Pods {
    sandbox: PathBuf,
    peak: PathBuf,
    /// The probe, at a path where the pod's user may start it, and the issuer's keys; both made once.
    folder: tempfile::TempDir,
    probe: PathBuf,
}

impl Pods {
    pub(crate) fn prepare() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("credprobe-faults-").tempdir();
        let folder = folder.map_err(|error| error.to_string())?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        let place = |name: &str, source: PathBuf| {
            let target = folder.path().join(name);
            binary::place(&source, &target)?;
            Ok::<_, String>(target)
        };
        Ok(Self {
            sandbox: tool::find("credprobe-sandbox", "CREDPROBE_SANDBOX_BIN")?,
            peak: place("peak", tool::find("peak", "CREDPROBE_PEAK_BIN")?)?,
            probe: place("credprobe", binary::probe())?,
            folder,
        })
    }

    /// Runs `check` with these flags and measures it. The inner error says why there is no such pod here.
    pub(crate) fn check(
        &self,
        cell: &str,
        scenario: &Value,
        timeout: Duration,
    ) -> Result<Result<(Ran, Measured, Secrets), String>, Failed> {
        let timeout_flag = format!("--timeout={}ms", timeout.as_millis());
        let words =
            [&self.probe.display().to_string(), "check", "--output=json", "--log-level=trace", &timeout_flag];
        let Ok((ran, secrets)) = self.run(scenario, &self.peak, &words)? else {
            return Ok(Err("no pod can be built on this machine".to_owned()));
        };
        let said = ran.stderr.lines().find_map(|line| line.strip_prefix("peak "));
        let (peak, took) = said.and_then(|said| said.split_once(" KiB in ")).ok_or("nothing was measured")?;
        let took = took.strip_suffix(" ms").ok_or("nothing was measured")?.parse()?;
        let took = Duration::from_millis(took);
        let measured = Measured { cell: cell.to_owned(), took, timeout, peak_kib: peak.parse()? };
        Ok(Ok((ran, measured, secrets)))
    }

    /// `judge` must be able to read whatever `check` writes, and its text must not contain a secret either.
    pub(crate) fn judge(&self, checked: &Ran, secrets: &Secrets) -> Result<(), Failed> {
        let report = tempfile::NamedTempFile::new_in(self.folder.path())?;
        fs::write(report.path(), &checked.stdout)?;
        let again = run(Command::new(&self.probe).arg("judge").arg(report.path()), Stdio::piped())?;
        if let Some(leak) = secrets.find(again.stdout.as_bytes()) {
            return Err(format!("a secret is in the report judged again: {leak}").into());
        }
        if again.code == checked.code {
            return Ok(());
        }
        Err(format!("a report of {} bytes is not judged again\n{again}", checked.stdout.len()).into())
    }

    /// Runs this same program in the pod, with a probe to drive.
    pub(crate) fn drive(&self, scenario: &Value, word: &str) -> Result<Result<Ran, String>, Failed> {
        let myself = std::env::current_exe()?;
        let ran = self.run(scenario, &myself, &[word, &self.probe.display().to_string()])?;
        Ok(ran.map(|(ran, _)| ran))
    }

    fn run(
        &self,
        scenario: &Value,
        program: &Path,
        words: &[&str],
    ) -> Result<Result<(Ran, Secrets), String>, Failed> {
        let file = tempfile::Builder::new().suffix(".json").tempfile_in(self.folder.path())?;
        fs::write(file.path(), scenario.to_string())?;
        let record = tempfile::Builder::new().prefix("record-").tempfile_in(self.folder.path())?;
        let mut command = Command::new(&self.sandbox);
        command.arg(format!("--scenario={}", file.path().display())).arg("--pod=always");
        command.arg(format!("--record={}", record.path().display()));
        command.arg(format!("--keys={}", env!("CARGO_TARGET_TMPDIR"))).arg("--");
        command.arg(program).args(words);
        let ran = run(&mut command, Stdio::piped())?;
        if ran.code == SANDBOX_ERROR {
            return Ok(Err(ran.stderr.trim().to_owned()));
        }
        let record: Value = serde_json::from_str(&fs::read_to_string(record.path())?)?;
        let mut secrets = Secrets::default();
        let listed = record["secrets"].as_array().ok_or("the record lists no secrets")?;
        for secret in listed.iter().filter_map(Value::as_str) {
            secrets.add(secret.as_bytes());
        }
        let termination = record["termination_log"].as_str().unwrap_or_default();
        for (place, text) in [
            ("stdout", ran.stdout.as_str()),
            ("stderr", &ran.stderr),
            ("the termination message", termination),
        ] {
            if let Some(leak) = secrets.find(text.as_bytes()) {
                return Err(format!("a secret is in {place}: {leak}").into());
            }
        }
        if record["imds_connections"] != 0 {
            return Err(format!("something was asked of instance metadata\n{ran}").into());
        }
        Ok(Ok((ran, secrets)))
    }
}
