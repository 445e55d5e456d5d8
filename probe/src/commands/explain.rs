//! `credprobe explain`: the meaning of a class, of an error text, or of a whole log that contains one.
//! A log is read piece by piece. Of its lines only their classes and the names in them are kept.

use super::Failure;
use super::cli::Explain;
use super::show::{data, json};
use crate::process::output;
use credprobe_judge::catalog::{Class, explain};
use credprobe_judge::explanation::{LIMIT, Log};
use credprobe_judge::options::Output;
use std::io::{self, Read as _};

pub(super) fn run(asked: &Explain) -> Result<u8, Failure> {
    let Some(text) = asked.text.as_deref() else { return class(None, asked.output) };
    if text == "-" {
        let log = stdin().map_err(|error| Failure::cannot_look(&format!("stdin: {error}")))?;
        return say(log, asked);
    }
    match explain::find(text) {
        Ok(_) => class(Some(text), asked.output),
        // The text is a number or one word that resembles a class.
        Err(problem) if problem.is_slip() => Err(Failure::usage(&problem.to_string())),
        Err(_) => {
            let mut log = Log::default();
            log.take(text.as_bytes());
            say(log, asked)
        }
    }
}

fn class(argument: Option<&str>, output: Output) -> Result<u8, Failure> {
    let usage = |problem: String| Failure::usage(&problem);
    match output {
        Output::Text => data(explain::explain(argument).map_err(usage)?.trim_end()),
        Output::Json => json(explain::explain_json(argument).map_err(usage)?.to_string()),
    }
}

fn say(log: Log, asked: &Explain) -> Result<u8, Failure> {
    let unread = log.unread();
    let Some(explanation) = log.explain(asked.expect_role.as_deref()) else {
        let unread = unread.map(|unread| format!("{unread}; ")).unwrap_or_default();
        let why = format!("nothing in this text is known; {unread}`credprobe explain` lists the classes");
        return Err(Failure::new(Class::Inconclusive, &why));
    };
    if let Some(unread) = unread {
        output::say(unread);
    }
    match asked.output {
        Output::Text => data(explanation.text().trim_end()),
        Output::Json => json(explanation.json(false).map_err(Failure::bug)?),
    }
}

/// Reads on a separate thread, so that a signal still works while a pipe stays open.
fn stdin() -> io::Result<Log> {
    let reader = std::thread::Builder::new().spawn(|| {
        let mut log = Log::default();
        let mut piece = vec![0; 64 * 1024];
        let mut source = io::stdin().lock().take(LIMIT as u64 + 1);
        loop {
            match source.read(&mut piece) {
                Ok(0) => return Ok(log),
                Ok(length) => log.take(&piece[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
        }
    })?;
    reader.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
}
