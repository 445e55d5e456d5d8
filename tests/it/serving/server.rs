//! A `serve` that runs beside the test in the pod, and HTTP to it, written by hand so that the test controls the bytes.
//! Everything that it answers is printed, for the leak scan outside.

use super::Told;
use std::{
    fmt,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

pub(super) const PUBLIC: &str = "127.0.0.1:9809";
pub(super) const ADMIN: &str = "127.0.0.1:9810";

/// Nothing in a story takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(super) struct Server {
    child: Child,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.head, self.body)
    }
}

impl Server {
    pub(super) fn start(probe: &str, args: &[&str]) -> Result<Self, String> {
        Self::start_with(Command::new(probe).arg("serve").args(args))
    }

    /// Its output goes where the test's own output goes, and is searched for secrets outside.
    pub(super) fn start_with(command: &mut Command) -> Result<Self, String> {
        let child = command.stdin(Stdio::null()).spawn();
        let server = Self::of(child.map_err(|error| format!("failed to start: {error}"))?);
        until("it listens", || Ok(get(PUBLIC, "/livez").is_ok_and(|answer| answer.status == 200)))?;
        Ok(server)
    }

    pub(super) fn of(child: Child) -> Self {
        Self { child }
    }

    /// SIGTERM ends it with exit code 0 within a second.
    pub(super) fn stop(mut self) -> Told {
        let pid = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        let asked = Instant::now();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)
            .map_err(|error| error.to_string())?;
        let status: ExitStatus = self.child.wait().map_err(|error| error.to_string())?;
        super::must(status.code() == Some(0) && asked.elapsed() < Duration::from_secs(1), || {
            format!("after SIGTERM it ended with {status} in {:?}", asked.elapsed())
        })
    }

    /// A line of `/proc/PID/status`, in kilobytes.
    pub(super) fn kilobytes(&self, line: &str) -> Result<u64, String> {
        let value = self.status(line)?;
        value.strip_suffix(" kB").and_then(|value| value.parse().ok()).ok_or(value)
    }

    /// How often it went to sleep: once after each verdict, and once for each request.
    pub(super) fn sleeps(&self) -> Result<u64, String> {
        let value = self.status("voluntary_ctxt_switches")?;
        value.parse().map_err(|_| value)
    }

    /// Limits new descriptors; open ones stay.
    pub(super) fn limit_descriptors(&self, soft: &str) -> Told {
        let mut command = Command::new("prlimit");
        command.args([format!("--pid={}", self.child.id()), format!("--nofile={soft}:")]);
        let ended = command.status().map_err(|error| format!("prlimit: {error}"))?;
        super::must(ended.success(), || format!("prlimit: {ended}"))
    }

    fn status(&self, line: &str) -> Result<String, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let value = text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':'));
        value.map(|value| value.trim().to_owned()).ok_or_else(|| format!("{path} has no {line}"))
    }
}

/// A failed story must not leave it running.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries again until it holds.
pub(super) fn until(what: &str, mut holds: impl FnMut() -> Result<bool, String>) -> Told {
    let start = Instant::now();
    while !holds()? {
        if start.elapsed() > PATIENCE {
            return Err(format!("after {PATIENCE:?} this still does not hold: {what}"));
        }
        sleep(LOOK_AGAIN);
    }
    Ok(())
}

pub(super) fn get(at: &str, path: &str) -> Result<Answer, String> {
    ask(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n"))
}

/// Sends these bytes over a new connection.
pub(super) fn ask(at: &str, request: &str) -> Result<Answer, String> {
    let mut stream = connect(at)?;
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // The server may close before it has read the whole request. Its answer counts.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {answer}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
    let _ = writeln!(std::io::stdout(), "{answer}");
    Ok(answer)
}

/// A connection for several requests.
pub(super) struct Kept {
    stream: TcpStream,
}

impl Kept {
    pub(super) fn open() -> Result<Self, String> {
        Ok(Self { stream: connect(PUBLIC)? })
    }

    /// Status and body of the answer.
    pub(super) fn get(&mut self, path: &str) -> Result<(u16, String), String> {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: {PUBLIC}\r\n\r\n");
        self.stream.write_all(asked.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        let (head, body) = loop {
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).map_err(|error| error.to_string())?;
            super::must(count > 0, || "the connection was closed".to_owned())?;
            answer.push_str(&String::from_utf8_lossy(&bytes[..count]));
            let Some((head, body)) = answer.split_once("\r\n\r\n") else { continue };
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if length.and_then(|length| length.parse().ok()).is_none_or(|length: usize| body.len() >= length)
            {
                break (head, body);
            }
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Ok((status, body.to_owned()))
    }
}

pub(super) fn connect(at: &str) -> Result<TcpStream, String> {
    let address: SocketAddr = at.parse().map_err(|error| format!("{at}: {error}"))?;
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2));
    let stream = stream.map_err(|error| format!("{at}: {error}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(|error| error.to_string())?;
    Ok(stream)
}

/// A sample of `/metrics`, by name and labels.
pub(super) fn metric(sample: &str) -> Result<f64, String> {
    let answer = get(PUBLIC, "/metrics")?;
    let value = answer.body.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).ok_or_else(|| format!("no {sample} in\n{answer}"))
}

pub(super) fn is_ready() -> Result<bool, String> {
    Ok(get(PUBLIC, "/readyz")?.status == 200)
}

/// Waits until the metrics show exactly this verdict's code.
pub(super) fn until_code(code: u32) -> Told {
    until(&format!("the verdict's code is {code}"), || {
        Ok(metric("credprobe_verdict_code").is_ok_and(|seen| seen == f64::from(code)))
    })
}
