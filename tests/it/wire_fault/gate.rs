//! `serve` with a readiness gate whose PATCH meets the misdeed: it answers probes as before, stays small, and ends when told.
//! One half of this program runs in the pod and drives the probe.

use super::{
    cells::{self, Cell},
    limits::Measured,
    pod::Pods,
};
use crate::support::binary;
use libtest_mimic::{Completion, Failed};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// The word that tells this program that it is the sandbox's command.
pub(crate) const IN_POD: &str = "--in-pod";

const GATE: &str = "--readiness-gate=credprobe.dev/CredentialsUsable";
const POD_UID: &str = "5f1d3c62-8f0e-4f3c-a3f5-0f9c7c1b2d3e";
const PUBLIC: &str = "127.0.0.1:9809";
/// The limit for the first verdict, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the API server misbehaves.
const STAY: Duration = Duration::from_millis(1000);
/// The kubelet's default timeout of a probe.
const ANSWER: Duration = Duration::from_secs(1);
/// What credprobe promises after SIGTERM.
const END: Duration = Duration::from_secs(1);

pub(crate) fn check(
    cell: &Cell,
    told: bool,
    pods: &Pods,
    note: &mut dyn FnMut(Measured),
) -> Result<Completion, Failed> {
    let ran = match pods.drive(&cell.scenario, IN_POD)? {
        Ok(ran) => ran,
        Err(why) => return cells::nowhere(&why),
    };
    let said = ran.stderr.lines().find_map(|line| line.strip_prefix("peak "));
    let said = said.and_then(|said| said.strip_suffix(" KiB")).filter(|_| ran.code == 0);
    let peak_kib = said.ok_or_else(|| ran.to_string())?.parse()?;
    // It has no deadline of its own; the answers were timed in the pod.
    let measured =
        Measured { cell: cell.name.clone(), took: Duration::ZERO, timeout: Duration::ZERO, peak_kib };
    note(measured.clone());
    if measured.is_too_large(binary::shipped().is_some()) {
        return Err(format!("{measured}\n{ran}").into());
    }
    let times = ran.stderr.matches("the condition credprobe.dev/CredentialsUsable of pod").count();
    // The number of times varies: a text with a byte count or a certificate's age is a new text each time.
    if (times > 0) != told {
        return Err(format!("the trouble with the API server is told {times} times\n{ran}").into());
    }
    Ok(Completion::Completed)
}

/// Runs in the pod: starts the probe, looks at it, ends it.
pub(crate) fn drive(probe: &str) -> ExitCode {
    match watch(probe) {
        Ok(peak_kib) => {
            let _ = writeln!(std::io::stderr(), "\npeak {peak_kib} KiB");
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn watch(probe: &str) -> Result<u64, String> {
    let mut command = Command::new(probe);
    command.args(["serve", "--interval=100ms", "--timeout=1500ms", GATE]).env("POD_UID", POD_UID);
    let child = command.stdin(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let mut serve = Serve(child);
    let start = Instant::now();
    while get("/readyz").map_or(0, |(status, _)| status) != 200 {
        if start.elapsed() > PATIENCE {
            return Err(format!("after {PATIENCE:?} it is not ready: {:?}", get("/readyz")));
        }
        sleep(Duration::from_millis(20));
    }
    let ready = Instant::now();
    while ready.elapsed() < STAY {
        for path in ["/livez", "/readyz", "/metrics"] {
            let asked = Instant::now();
            let (status, body) = get(path)?;
            if status != 200 || asked.elapsed() > ANSWER {
                return Err(format!("{path} answers {status} after {:?}: {body}", asked.elapsed()));
            }
            if path == "/metrics" && !body.contains("\ncredprobe_verdict_code 0\n") {
                return Err(format!("the verdict is another one:\n{body}"));
            }
        }
        sleep(Duration::from_millis(50));
    }
    let peak_kib = serve.peak_kib()?;
    serve.stop()?;
    Ok(peak_kib)
}

struct Serve(Child);

impl Serve {
    fn peak_kib(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.0.id());
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        line.and_then(|value| value.parse().ok()).ok_or_else(|| format!("{path} has no VmHWM"))
    }

    fn stop(&mut self) -> Result<(), String> {
        let pid = i32::try_from(self.0.id()).map_err(|error| error.to_string())?;
        let asked = Instant::now();
        kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(|error| error.to_string())?;
        let status = self.0.wait().map_err(|error| error.to_string())?;
        match asked.elapsed() {
            took if status.success() && took < END => Ok(()),
            took => Err(format!("after SIGTERM it ended with {status} in {took:?}")),
        }
    }
}

/// A failed test must not leave it running.
impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(path: &str) -> Result<(u16, String), String> {
    let at: SocketAddr = PUBLIC.parse().map_err(|error| format!("{PUBLIC}: {error}"))?;
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&at, ANSWER)?;
        stream.set_read_timeout(Some(2 * ANSWER))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {PUBLIC}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| format!("{path}: {error}"))?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, answer))
}
