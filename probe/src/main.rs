//! Parse, run, exit. Data goes to stdout, talk to stderr, and the verdict is the exit code.
#![expect(
    clippy::disallowed_methods,
    reason = "the program reads its own arguments, environment and report files"
)]

use credprobe::collect::observer::{self, Observer};
use credprobe::collect::subject::SubjectSelector;
use credprobe::commands::cli::{self, Command, Parsed};
use credprobe::commands::retry::check_with_retries;
use credprobe::commands::status;
use credprobe::process::output::{self, print, say};
use credprobe::process::signals::Interrupt;
use credprobe::process::{clock, guard, log};
use credprobe::serve::{self, options};
use credprobe_judge::catalog::{Class, explain};
use credprobe_judge::options::{Options, Output};
use credprobe_judge::report::{self, Report, rejudge, trust_policy};
use credprobe_judge::text::shown;
use credprobe_judge::{evidence, sdks};
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
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
    let code = started();
    output::finish();
    ExitCode::from(code)
}

/// Apart from `main`, so that the guard stands before any large frame is on the stack.
#[inline(never)]
fn started() -> u8 {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let variable = |name: &str| std::env::var_os(name);
    let report_only = cli::is_report_only(&args, &variable);
    if report_only {
        guard::exit_zero_on_panic();
    }
    let disabled = cli::disabled(&variable);
    // A sidecar that ended would be started again and again: `serve` stays, and says why.
    let serves = args.first().is_some_and(|command| command == "serve");
    if let Some(reason) = disabled.as_ref().filter(|_| !serves) {
        say(&format!("credprobe is switched off by CREDPROBE_DISABLED: {}", shown::escaped(reason)));
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

fn run_serve(asked: &options::Serve, disabled: Option<String>) -> u8 {
    log::install(asked.log_level);
    let Some(runtime) = runtime() else { return Class::Inconclusive.code() };
    if let Some(reason) = &disabled {
        say(&format!("credprobe is switched off by CREDPROBE_DISABLED: {}", shown::escaped(reason)));
    }
    runtime.block_on(async {
        let code = match serve::serve(asked, disabled).await {
            Ok(()) => 0,
            Err(serve::Refused { class, why }) => {
                let line = format!("{} ({}): {}", class.id(), class.code(), shown::escaped(&why));
                output::terminate(asked.termination_log.clone(), line.clone());
                say(&line);
                class.code()
            }
        };
        output::written(clock::deadline(output::LAST_WORDS)).await;
        output::give_up();
        code
    })
}

fn run_status(address: SocketAddr) -> u8 {
    let Some(runtime) = runtime() else { return Class::Inconclusive.code() };
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
        guard::exit_zero_on_panic();
    }
    let unseen = Class::Inconclusive;
    let unseen = if check.tolerate.covers(unseen, unseen.info().owner, true) { 0 } else { unseen.code() };
    let Some(runtime) = runtime() else { return unseen };
    let time_is_up = clock::deadline(check.timeout);
    runtime.block_on(async {
        let mut interrupt = Interrupt::new();
        let code = match check_with_retries(check, &mut interrupt).await {
            Ok(Some(report)) => {
                output::terminate(check.termination_log.clone(), report::termination::line(&report));
                // What was said on the way stands before the report.
                output::settle();
                show(&report, check.output);
                report.exit_code
            }
            Ok(None) => {
                let class = Class::Inconclusive;
                say(&format!("{} ({}): a signal came before there was a verdict", class.id(), class.code()));
                class.code()
            }
            Err(why) => {
                cannot_look(&why);
                unseen
            }
        };
        let last_words = clock::deadline(output::LAST_WORDS);
        let until = if interrupt.came() { last_words } else { last_words.max(time_is_up) };
        tokio::select! {
            () = interrupt.received() => {}
            () = output::written(until) => {}
        }
        output::give_up();
        code
    })
}

/// One look without the network; `Err`: the code to exit with.
fn look(whose: SubjectSelector, settings: Options) -> Result<evidence::Collected, u8> {
    let looked = observer::runtime().and_then(|runtime| {
        let observer = Observer::new(whose, Options { no_network: true, ..settings })?;
        runtime.block_on(observer.attempt(LOOK))
    });
    looked.map_err(|why| {
        cannot_look(&why);
        Class::Inconclusive.code()
    })
}

/// As long as an attempt of `check` by default.
const LOOK: Duration = Duration::from_secs(10);

fn runtime() -> Option<tokio::runtime::Runtime> {
    observer::runtime().map_err(|why| cannot_look(&why)).ok()
}

/// Descriptors, memory or threads are used up: that is no bug, and says nothing about the pod.
fn cannot_look(why: &str) {
    let class = Class::Inconclusive;
    say(&format!("{} ({}): {why}", class.id(), class.code()));
}

fn run_trust(asked: &cli::TrustArgs) -> u8 {
    log::install(asked.log_level);
    let class = Class::UsageError;
    let usage = |problem: &str| {
        say(&format!("{} ({}): {}", class.id(), class.code(), shown::escaped(problem)));
        class.code()
    };
    // One byte more shows that it is too long.
    let policy = match asked
        .policy
        .as_deref()
        .map(|path| read(path, credprobe_judge::trust_policy::POLICY_LIMIT as u64 + 1))
    {
        Some(Err(error)) => {
            let path = asked.policy.as_deref().unwrap_or(Path::new("-"));
            return usage(&format!("--policy: {}: {error}", path.display()));
        }
        Some(Ok(policy)) => Some(policy),
        None => None,
    };
    let run = match look(SubjectSelector::Own, asked.settings.clone()) {
        Ok(run) if run.evidence.unanswered.is_none() => run,
        Ok(run) => return unseen(run, asked.output),
        Err(code) => return code,
    };
    match trust_policy::answer(run, policy.as_deref(), asked.output) {
        trust_policy::Answer::Said { text, code } => {
            print(text.trim_end());
            code
        }
        trust_policy::Answer::Usage(problem) => usage(&problem),
    }
}

fn run_chain(asked: &cli::Chain) -> u8 {
    log::install(asked.log_level);
    let run = match look(asked.whose.clone(), Options::default()) {
        Ok(run) if run.seen => run,
        Ok(run) => return unseen(run, asked.output),
        Err(code) => return code,
    };
    let page = sdks::Page::new(&run.evidence.environment, &run.evidence.process, asked.sdk);
    match asked.output {
        Output::Text => print(sdks::text(&page).trim_end()),
        Output::Json => match page.json() {
            Ok(json) => print(&json),
            Err(problem) => say(&problem),
        },
    }
    0
}

/// Why nothing was seen, and how to let it, the local report tells.
fn unseen(run: evidence::Collected, output: Output) -> u8 {
    let report = credprobe_judge::assess_without_options(run);
    show(&report, output);
    report.exit_code
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
    match rejudge::rejudge(&document) {
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
                shown::escaped(&problem)
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
        Output::Json => match report.json() {
            Ok(json) => print(&json),
            Err(problem) => say(&problem),
        },
    }
}
