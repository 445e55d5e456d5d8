//! Runs a command and prints to stderr its peak memory and its time: `peak COMMAND ARGUMENTS`.
//! It is as small as possible, because its own memory counts until the child has become the command.

#![expect(clippy::disallowed_methods, reason = "it times what it runs")]

use nix::sys::resource::{UsageWho, getrusage};
use std::{
    env,
    error::Error,
    io::{self, Write as _},
    process::{Command, ExitCode},
    time::Instant,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().ok_or("name a command")?;
    let start = Instant::now();
    let status = Command::new(program).args(arguments).status()?;
    let took = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    writeln!(io::stderr(), "peak {} KiB in {} ms", usage.max_rss(), took.as_millis())?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
