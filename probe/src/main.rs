//! Parse, run, exit. Data goes to stdout, talk to stderr, and the verdict is the exit code.
#![expect(
    clippy::disallowed_methods,
    reason = "the program reads its own arguments, environment and report files"
)]

use credprobe::class::Class;
use credprobe::cli::{self, Command, Output, Parsed};
use credprobe::evidence::Settings;
use credprobe::report::{self, Report};
use credprobe::subject::{Subject, Whose};
use credprobe::until::until_verdict;
use credprobe::{chain, check, explain, guard, judge_again, log, serve, status, trust};
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Makes it true that buffers which held a secret are wiped, those of the SDK and of hyper included.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    guard::install();
    ExitCode::from(started())
}

/// Apart from `main`, so that the guard stands before any large frame is on the stack.
#[inline(never)]
fn started() -> u8 {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let variable = |name: &str| std::env::var_os(name);
    let report_only = cli::is_report_only(&args, &variable);
    if report_only {
        guard::only_report();
    }
    let disabled = cli::disabled(&variable);
    // A sidecar that ended would be started again and again: `serve` stays, and says why.
    let serves = args.first().is_some_and(|command| command == "serve");
    if let Some(reason) = disabled.as_ref().filter(|_| !serves) {
        say(&format!("credprobe is switched off by CREDPROBE_DISABLED: {}", report::escaped(reason)));
        return 0;
    }
    let code = match cli::parse(&args, &variable) {
        Ok(Parsed::Print(text)) => {
            print(text.trim_end());
            0
        }
        Ok(Parsed::Run(command)) => run(command, disabled),
        Err(error) => {
            say(&error.to_string());
            match (disabled, cli::parse(&["serve".into()], &|_: &str| None)) {
                // Whatever is wrong with the flags may be why somebody switched it off.
                (Some(reason), Ok(Parsed::Run(command))) => run(command, Some(reason)),
                _ => Class::UsageError.code(),
            }
        }
    };
    if report_only { 0 } else { code }
}

fn run(command: Command, disabled: Option<String>) -> u8 {
    match command {
        Command::Chain(asked) => run_chain(&asked),
        Command::Check(check) => run_check(&check),
        Command::Explain { argument, output } => run_explain(argument.as_deref(), output),
        Command::Judge { report, output } => run_judge(&report, output),
        Command::Serve(asked) => run_serve(&asked, disabled),
        Command::Status(address) => run_status(address),
        Command::Trust(trust) => run_trust(&trust),
    }
}

fn run_serve(asked: &cli::Serve, disabled: Option<String>) -> u8 {
    log::install(asked.log_level);
    let Some(runtime) = runtime() else { return Class::InternalError.code() };
    let Some(subject) = subject(Whose::Own) else { return Class::InternalError.code() };
    if let Some(reason) = &disabled {
        say(&format!("credprobe is switched off by CREDPROBE_DISABLED: {}", report::escaped(reason)));
    }
    match runtime.block_on(serve::serve(&subject, asked, disabled)) {
        Ok(()) => 0,
        Err(serve::Refused(why)) => {
            let class = Class::UsageError;
            let line = format!("{} ({}): {}", class.id(), class.code(), report::escaped(&why));
            report::termination::write(&asked.termination_log, &line);
            say(&line);
            class.code()
        }
    }
}

fn run_status(address: SocketAddr) -> u8 {
    let Some(runtime) = runtime() else { return Class::InternalError.code() };
    let (line, code) = runtime.block_on(status::ask(address));
    print(&line);
    code
}

fn run_check(check: &cli::Check) -> u8 {
    log::install(check.log_level);
    let broken = Class::InternalError;
    // A bug that ends the process is tolerated as one that is reported.
    let tolerated = check.tolerate.covers(broken, broken.info().owner, false);
    if tolerated {
        guard::only_report();
    }
    let broken = if tolerated { 0 } else { broken.code() };
    let Some(runtime) = runtime() else { return broken };
    let Some(subject) = subject(check.whose.clone()) else { return broken };
    let Some(report) = runtime.block_on(until_verdict(&subject, check)) else {
        let class = Class::Inconclusive;
        say(&format!("{} ({}): a signal came before there was a verdict", class.id(), class.code()));
        return class.code();
    };
    report::termination::write(&check.termination_log, &report::termination::line(&report));
    show(&report, check.output);
    report.exit_code
}

fn subject(whose: Whose) -> Option<Subject> {
    let broken = |error| say(&guard::line(&format!("the root directory cannot be opened ({error})")));
    Subject::new(whose).map_err(broken).ok()
}

fn runtime() -> Option<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let broken = |error| say(&guard::line(&format!("the event loop does not start ({error})")));
    runtime.map_err(broken).ok()
}

fn run_trust(asked: &cli::Trust) -> u8 {
    log::install(asked.log_level);
    let class = Class::UsageError;
    let usage = |problem: &str| {
        say(&format!("{} ({}): {}", class.id(), class.code(), report::escaped(problem)));
        class.code()
    };
    // One byte more shows that it is too long.
    let policy = match asked.policy.as_deref().map(|path| read(path, trust::POLICY_LIMIT as u64 + 1)) {
        Some(Err(error)) => {
            let path = asked.policy.as_deref().unwrap_or(Path::new("-"));
            return usage(&format!("--policy: {}: {error}", path.display()));
        }
        Some(Ok(policy)) => Some(policy),
        None => None,
    };
    // Nothing is sent, so that nothing can time out.
    let Some(runtime) = runtime() else { return Class::InternalError.code() };
    let Some(subject) = subject(Whose::Own) else { return Class::InternalError.code() };
    let run = runtime.block_on(check::run(&subject, asked.settings.clone(), Duration::ZERO));
    match trust::answer(run, policy.as_deref(), asked.output) {
        trust::Answer::Said { text, code } => {
            print(text.trim_end());
            code
        }
        trust::Answer::Usage(problem) => usage(&problem),
    }
}

fn run_chain(asked: &cli::Chain) -> u8 {
    log::install(asked.log_level);
    let Some(runtime) = runtime() else { return Class::InternalError.code() };
    let Some(subject) = subject(asked.whose.clone()) else { return Class::InternalError.code() };
    let settings = Settings { no_network: true, ..Settings::default() };
    let run = runtime.block_on(check::run(&subject, settings, Duration::ZERO));
    if !subject.is_seen() {
        // Why, and how to let it, the local report tells.
        let report = report::local(run);
        show(&report, asked.output);
        return report.exit_code;
    }
    let page = chain::Page::new(&run.evidence.environment, &run.evidence.process, asked.sdk);
    match asked.output {
        Output::Text => print(chain::text(&page).trim_end()),
        Output::Json => match serde_json::to_string_pretty(&page) {
            Ok(json) => print(&json),
            Err(error) => say(&guard::line(&format!("the answer does not serialise ({error})"))),
        },
    }
    0
}

fn run_explain(argument: Option<&str>, output: Output) -> u8 {
    let text = match output {
        Output::Text => explain::explain(argument),
        Output::Json => explain::explain_json(argument).map(|json| format!("{json:#}")),
    };
    match text {
        Ok(text) => {
            print(text.trim_end());
            0
        }
        Err(problem) => {
            say(&format!("{} ({}): {problem}", Class::UsageError.id(), Class::UsageError.code()));
            Class::UsageError.code()
        }
    }
}

fn run_judge(path: &Path, output: Output) -> u8 {
    // One byte more shows that it is too long.
    let document = match read(path, REPORT_LIMIT + 1) {
        Ok(document) if document.len() as u64 > REPORT_LIMIT => {
            let class = Class::UsageError;
            say(&format!(
                "{} ({}): {}: over {REPORT_LIMIT} bytes, no report",
                class.id(),
                class.code(),
                path.display()
            ));
            return class.code();
        }
        Ok(document) => document,
        Err(error) => {
            say(&format!(
                "{} ({}): {}: {error}",
                Class::UsageError.id(),
                Class::UsageError.code(),
                path.display()
            ));
            return Class::UsageError.code();
        }
    };
    match judge_again::judge_again(&document) {
        Ok(report) => {
            show(&report, output);
            report.exit_code
        }
        Err(problem) => {
            let class = Class::UsageError;
            say(&format!(
                "{} ({}): {}: {}",
                class.id(),
                class.code(),
                path.display(),
                report::escaped(&problem)
            ));
            class.code()
        }
    }
}

/// The largest report that is read: real ones have 20 kB.
const REPORT_LIMIT: u64 = 4 * 1024 * 1024;

fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let limited = |source: &mut dyn io::Read, bytes: &mut Vec<u8>| source.take(limit).read_to_end(bytes);
    if path == Path::new("-") {
        limited(&mut io::stdin().lock(), &mut bytes)?;
    } else {
        limited(&mut std::fs::File::open(path)?, &mut bytes)?;
    }
    Ok(bytes)
}

fn show(report: &Report, output: Output) {
    match output {
        Output::Text => {
            let colour = io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            print(report::text::render(report, colour).trim_end());
        }
        Output::Json => match serde_json::to_string_pretty(report) {
            Ok(json) => print(&json),
            Err(error) => say(&guard::line(&format!("the report does not serialise ({error})"))),
        },
    }
}

/// A reader that went away is no fault of the verdict: the code stays the class's.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
