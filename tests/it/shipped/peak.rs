//! Runs a command and says on stderr how much memory it took at its peak: `peak COMMAND ARGUMENTS`.
//! As small as can be, for its own memory counts until the child has become the command.

use nix::sys::resource::{UsageWho, getrusage};
use std::{
    env,
    error::Error,
    io::{self, Write as _},
    process::{Command, ExitCode},
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().ok_or("name a command")?;
    let status = Command::new(program).args(arguments).status()?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    writeln!(io::stderr(), "peak {} KiB", usage.max_rss())?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
