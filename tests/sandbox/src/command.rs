//! The command line: which command to run in which scenario, and where to write the record.
//! Exit codes: the command's own; 2 for a usage error, 125 for a failure of the sandbox itself.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};

use crate::{
    eks::access::cases::{self, ACCESS_CASES},
    error::{Doing as _, Error, Result},
    in_cluster::{self, STS},
    launch::Order,
    list, loopback,
    pod::{
        self,
        enter::{self, ENTER},
        namespace::{Privilege, TRIAL},
        target::{self, APPLICATION, TARGET},
    },
    registry::Registry,
    scenario::Scenario,
};

const USAGE_ERROR: u8 = 2;
/// The code that `docker run` and `chroot` use too.
const SANDBOX_ERROR: u8 = 125;

/// Simulates AWS and Kubernetes: runs a command in a pod with its own STS, issuer and DNS.
///
/// `credprobe-sandbox sts --help`: STS alone, for the pods of a real cluster. `credprobe-sandbox access-cases`: random aws-auth
/// maps, access entries and principals, and the Kubernetes user to which EKS maps each principal.
#[derive(Debug, Parser)]
#[command(name = "credprobe-sandbox", version, disable_help_subcommand = true)]
struct Flags {
    /// The situation; `--list` shows all. Or a file with one scenario, by a path with a slash
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "list")]
    scenario: Option<String>,
    /// List the scenarios, or those with this text in name, family, class or description
    #[arg(long, value_name = "TEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    list: Option<String>,
    /// Namespaces with the real names and addresses, or servers on loopback
    #[arg(long, value_enum, default_value = "auto")]
    pod: PodMode,
    /// Write what happened to this file, as JSON
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Keep the issuer's keys in this folder: saves making them in each run
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Let the command change the world, at the URL in CREDPROBE_SANDBOX_CONTROL: POST /world (a scenario), POST
    /// /token (`token` and `token_file` of one), GET /record
    #[arg(long)]
    control: bool,
    /// What to run, and its arguments
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "list")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum PodMode {
    Auto,
    Always,
    Never,
}

/// Runs the whole program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match arguments.get(1).and_then(|argument| argument.to_str()) {
        // These steps need a process of their own.
        Some(TRIAL) => return trial(arguments.get(2)),
        Some(ENTER) => {
            return failed(&enter::become_command(arguments.get(2..).unwrap_or_default()));
        }
        Some(TARGET) => return target::become_target(arguments.get(2..).unwrap_or_default()),
        Some(APPLICATION) => return target::be_application(arguments.get(2..).unwrap_or_default()),
        Some(ACCESS_CASES) => return printed(&cases::text()),
        Some(STS) => return of_sts(arguments.get(1..).unwrap_or_default()),
        _ => {}
    }
    let flags = match parsed::<Flags>(&arguments) {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    if let Some(text) = &flags.list {
        return match list::list(text, io::stdout().is_terminal()) {
            Ok(Some(text)) => printed(&text),
            Ok(None) => usage_error(&format!(
                "no scenario has `{text}` in its name, family, class or description{}",
                list::suggestion(text)
            )),
            Err(error) => failed(&error),
        };
    }
    let name = flags.scenario.clone().unwrap_or_default();
    if !name.contains('/') && !Scenario::exists(&name) {
        return usage_error(&format!(
            "there is no scenario `{name}`{}; `--list` shows them",
            list::suggestion(&name)
        ));
    }
    match run(flags) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(SANDBOX_ERROR)),
        Err(error) => failed(&error),
    }
}

/// Runs STS without a command, until it is told to end.
fn of_sts(arguments: &[OsString]) -> ExitCode {
    match parsed(arguments).map(in_cluster::run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(code) => code,
    }
}

/// The parsed flags, or the exit code to end with.
fn parsed<F: Parser>(arguments: &[OsString]) -> std::result::Result<F, ExitCode> {
    F::try_parse_from(arguments).map_err(|error| {
        if error.use_stderr() { usage_error(&error.to_string()) } else { printed(&error.to_string()) }
    })
}

/// clap's message in one line: what is wrong, without usage and tips.
fn usage_error(text: &str) -> ExitCode {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    say(line.trim_start_matches("error: "));
    ExitCode::from(USAGE_ERROR)
}

fn trial(name: Option<&OsString>) -> ExitCode {
    let privilege = name.and_then(|name| Privilege::by_name(name.to_str()?));
    match privilege.map(pod::try_isolation) {
        Some(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn run(flags: Flags) -> Result<i32> {
    let name = flags.scenario.unwrap_or_default();
    let mut command = flags.command.into_iter();
    let program = command.next().ok_or_else(|| Error::new("there is no command to run"))?;
    let scenario = match name.contains('/') {
        true => {
            let text = std::fs::read_to_string(&name).doing(|| format!("failed to read {name}"))?;
            Scenario::parse(&name, &text)?
        }
        false => Scenario::by_name(&name)?,
    };
    let create = |path: &PathBuf| File::create(path).doing(|| format!("failed to make {}", path.display()));
    let order = Order {
        registry: Registry::of(&scenario).doing(|| format!("scenario {name}"))?,
        record: flags.record.as_ref().map(create).transpose()?,
        keys: flags.keys,
        control: flags.control,
        program: find(&program)?,
        arguments: command.collect(),
        scenario,
        name,
    };
    let privilege = match flags.pod {
        PodMode::Never => None,
        PodMode::Auto | PodMode::Always => Privilege::available(),
    };
    match (privilege, flags.pod) {
        (Some(privilege), _) => pod::run(order, privilege),
        (None, PodMode::Always) => {
            Err(Error::new("this machine grants neither namespaces nor user namespaces, which a pod needs"))
        }
        (None, PodMode::Auto) => {
            say("no namespaces to be had here: serving on loopback instead of building a pod");
            loopback::run(order)
        }
        (None, PodMode::Never) => loopback::run(order),
    }
}

/// The file that a shell would start for this name.
fn find(program: &OsStr) -> Result<PathBuf> {
    let named = Path::new(program);
    let startable = |path: &PathBuf| {
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
    };
    let missing = || Error::new(format!("there is no command `{}`", named.display()));
    if named.components().count() > 1 {
        let path = std::path::absolute(named).doing(|| format!("failed to find {}", named.display()))?;
        return Some(path).filter(startable).ok_or_else(missing);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(named)).find(startable).ok_or_else(missing)
}

fn failed(error: &Error) -> ExitCode {
    say(&error.line());
    ExitCode::from(SANDBOX_ERROR)
}

fn say(line: &str) {
    // If stderr is closed, the error cannot be reported anywhere.
    let _ = writeln!(io::stderr().lock(), "credprobe-sandbox: {line}");
}

fn printed(text: &str) -> ExitCode {
    match write!(io::stdout().lock(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(SANDBOX_ERROR),
    }
}
