//! Runs kubectl and aws as child processes: an argument list, no shell, and output read from pipes.
//! No secret is in an argument. Their stderr becomes one line.

use credprobe_judge::text::shown::escaped;
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use zeroize::Zeroizing;

/// Why a child process gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// One line, safe for a terminal.
    pub why: String,
    /// The program does not exist.
    pub not_found: bool,
}

impl Failed {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), not_found: false }
    }

    /// Whether the API server or AWS says that the object does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        ["(NotFound)", "(NoSuchEntity)", "(ResourceNotFoundException)"].iter().any(|it| self.why.contains(it))
    }
}

/// The longest line of stderr that is passed on.
const LINE_LIMIT: usize = 400;

/// Runs the command to its end. Its stdout is wiped when it is dropped.
pub(crate) fn output(command: &mut Command, input: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Failed> {
    reading(command, input, |stdout| {
        let mut bytes = Zeroizing::new(Vec::new());
        stdout.read_to_end(&mut bytes).map_err(|error| Failed::new(error.to_string()))?;
        Ok(bytes)
    })
}

/// Runs the command while `read` reads its stdout.
pub(crate) fn reading<T>(
    command: &mut Command,
    input: Option<&[u8]>,
    read: impl FnOnce(&mut dyn Read) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| Failed {
        why: format!("cannot run {name}: {error}"),
        not_found: error.kind() == std::io::ErrorKind::NotFound,
    })?;
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (answer, said) = std::thread::scope(|scope| {
        // Read stderr on a second thread, because the child may block on either pipe.
        let said = scope.spawn(move || {
            let mut said = Vec::new();
            // An error here is ignored: stderr only adds an explanation, and the exit code decides.
            let _ = stderr.as_mut().map(|stderr| stderr.take(64 * 1024).read_to_end(&mut said));
            // Read the rest too, so that the child does not block.
            let _ = stderr.as_mut().map(|stderr| std::io::copy(stderr, &mut std::io::sink()));
            said
        });
        if let (Some(stdin), Some(input)) = (stdin.as_mut(), input) {
            // Ignore an error: a child that ends early says why itself.
            let _ = stdin.write_all(input);
        }
        drop(stdin);
        let answer = match stdout.as_mut() {
            Some(stdout) => read(stdout),
            None => Err(Failed::new(format!("{name} has no output"))),
        };
        drop(stdout);
        (answer, said.join().unwrap_or_default())
    });
    let status = child.wait().map_err(|error| Failed::new(format!("{name}: {error}")))?;
    if status.success() { answer } else { Err(Failed::new(reason(&name, status, &said))) }
}

/// The last line with an error, or the last line: both programs end with their reason.
fn reason(name: &str, status: ExitStatus, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = lines.iter().rev().find(|line| line.contains("rror")).or(lines.last());
    let mut line = line.map_or_else(|| format!("{name} ended with {status}"), |line| escaped(line));
    credprobe_judge::text::truncate(&mut line, LINE_LIMIT);
    line
}
