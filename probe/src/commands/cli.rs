//! Flags, their environment twins `CREDPROBE_*`, and usage errors as one line that says what is allowed.
//! Runs nothing; `main` does.

use crate::collect::CREDENTIALS;
use crate::collect::subject::SubjectSelector;
use crate::collect::target::TargetPid;
use crate::serve::options::Serve;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, builder::PossibleValuesParser};
use credprobe_judge::catalog::{Class, explain};
use credprobe_judge::options::{Options, Output};
use credprobe_judge::sdks;
use credprobe_judge::settings::arn::RoleArn;
use credprobe_judge::text::redactor::Redactor;
use credprobe_judge::text::shown;
use credprobe_judge::verdict::Tolerate;
use credprobe_judge::verdict::retry_policy::RetryPolicy;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod flags;
mod serving;

use flags::Flag;

/// What was asked for.
pub(crate) enum Command {
    Chain(Chain),
    Check(Box<Check>),
    Explain {
        argument: Option<String>,
        output: Output,
    },
    Judge {
        report: PathBuf,
        output: Output,
    },
    Serve(Box<Serve>),
    /// Asks this address on loopback.
    Status(SocketAddr),
    Trust(Box<TrustArgs>),
}

/// `credprobe chain`.
pub(crate) struct Chain {
    pub whose: SubjectSelector,
    /// One SDK, told at length; `None`: all.
    pub sdk: Option<&'static sdks::Sdk>,
    pub output: Output,
    pub log_level: tracing::Level,
}

/// `credprobe trust`.
pub(crate) struct TrustArgs {
    pub settings: Options,
    /// `-` is stdin; `None`: print the statement that would match.
    pub policy: Option<PathBuf>,
    pub output: Output,
    pub log_level: tracing::Level,
}

/// `credprobe check`.
pub(crate) struct Check {
    pub settings: Options,
    pub whose: SubjectSelector,
    /// One attempt, all phases together.
    pub timeout: Duration,
    pub retry_policy: RetryPolicy,
    /// At most this long before the first attempt.
    pub start_jitter: Duration,
    pub output: Output,
    /// Written only where the file exists already.
    pub termination_log: PathBuf,
    pub log_level: tracing::Level,
    pub tolerate: Tolerate,
    pub report_only: bool,
}

/// The outcome of parsing.
pub(crate) enum Parsed {
    Run(Command),
    /// `--help`, `--version`: to stdout, exit 0.
    Print(String),
}

/// A call that cannot be run; `Display` is one line.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(pub String);

const COMMANDS: &str = "chain, check, explain, judge, serve, status, trust";

/// A day: what is longer is a mistake.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Parses a command line, `args` without the program's name; `variable` looks environment twins up.
///
/// # Errors
/// A flag, value or variable that is not allowed.
pub(crate) fn parse(
    args: &[OsString],
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Parsed, UsageError> {
    let redactor = credentials(variable);
    let args: Vec<OsString> =
        with_default_command(args).into_iter().map(|given| shown(given, &redactor)).collect();
    let twins = twins(&args, &|name| variable(name).map(|given| shown(given, &redactor)));
    let mut line = vec![OsString::from("credprobe"), args[0].clone()];
    line.extend(twins.iter().map(|(_, item)| item.clone()));
    line.extend(args[1..].iter().cloned());
    let mut program = program();
    if args[0].to_string_lossy().starts_with('-') {
        program = program.after_help(explain::exit_codes_help());
    }
    let matches = match program.try_get_matches_from(&line) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Parsed::Print(error.to_string()));
        }
        Err(error) => return Err(in_one_line(&error, &args, &twins)),
    };
    let named = |error| named_by_its_source(error, &args, &twins);
    match matches.subcommand() {
        Some(("explain", matches)) => {
            Ok(Parsed::Run(Command::Explain { argument: text(matches, "class"), output: output(matches) }))
        }
        Some(("judge", matches)) => Ok(Parsed::Run(Command::Judge {
            report: text(matches, "report").unwrap_or_default().into(),
            output: output(matches),
        })),
        Some(("trust", matches)) => {
            trust(matches).map_err(named).map(|trust| Parsed::Run(Command::Trust(Box::new(trust))))
        }
        Some(("chain", matches)) => {
            asked_chain(matches).map_err(named).map(|chain| Parsed::Run(Command::Chain(chain)))
        }
        Some(("serve", matches)) => {
            serving::serve(matches).map_err(named).map(|serve| Parsed::Run(Command::Serve(Box::new(serve))))
        }
        Some(("status", matches)) => {
            serving::admin_listen(matches).map_err(named).map(|address| Parsed::Run(Command::Status(address)))
        }
        Some((_, matches)) => {
            check(matches).map_err(named).map(|check| Parsed::Run(Command::Check(Box::new(check))))
        }
        None => Err(UsageError(format!("name a command: {COMMANDS}"))),
    }
}

/// Whether `--report-only` is asked for, read without parsing: it holds for usage errors too.
#[must_use]
pub fn is_report_only(args: &[OsString], variable: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let mut given = variable("CREDPROBE_REPORT_ONLY").filter(|value| !value.is_empty());
    for arg in args {
        match arg.to_str().and_then(|arg| arg.strip_prefix("--report-only")) {
            Some("") => given = Some("true".into()),
            Some(value) if value.starts_with('=') => given = Some(value[1..].into()),
            _ => {}
        }
    }
    given.is_some_and(|value| value == "1" || value == "true")
}

/// Why the probe is switched off: the value of `CREDPROBE_DISABLED`, unless it says that it is not.
#[must_use]
pub(crate) fn disabled(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<String> {
    let given = variable("CREDPROBE_DISABLED")?;
    let reason = shown::argument(&given.to_string_lossy(), &credentials(variable));
    let off = ["", "0", "false", "no", "off"];
    (!off.iter().any(|word| reason.eq_ignore_ascii_case(word))).then_some(reason)
}

/// No flag takes a token, and none a password: what looks like one is not even repeated in a usage error.
fn shown(given: OsString, redactor: &Redactor) -> OsString {
    given.to_str().map(|text| shown::argument(text, redactor).into()).unwrap_or(given)
}

/// Knows the credentials of the environment.
fn credentials(variable: &dyn Fn(&str) -> Option<OsString>) -> Redactor {
    let mut redactor = Redactor::default();
    for value in CREDENTIALS.iter().filter_map(|name| variable(name)) {
        redactor.add(value.as_encoded_bytes());
    }
    redactor
}

/// `credprobe [FLAGS]` is `credprobe check [FLAGS]`.
fn with_default_command(args: &[OsString]) -> Vec<OsString> {
    let own = ["-h", "--help", "-V", "--version"];
    let is_check = match args.first().and_then(|first| first.to_str()) {
        None => args.is_empty(),
        Some(first) => first.starts_with('-') && !own.contains(&first),
    };
    let mut all: Vec<OsString> = if is_check { vec!["check".into()] } else { Vec::new() };
    all.extend_from_slice(args);
    all
}

/// The environment twins that are set and not empty, as flags: (variable, `--flag=value`).
fn twins(args: &[OsString], variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<(String, OsString)> {
    let flags = args[0].to_str().map(flags::of).unwrap_or_default();
    let twin = |flag: &Flag| {
        let name = format!("CREDPROBE_{}", flag.name.to_ascii_uppercase().replace('-', "_"));
        let value = variable(&name).filter(|value| !value.is_empty())?;
        let mut item = OsString::from(format!("--{}=", flag.name));
        item.push(value);
        Some((name, item))
    };
    flags.iter().filter_map(twin).collect()
}

const TWINS: &str = "Each flag has an environment twin: --expect-role is CREDPROBE_EXPECT_ROLE. The flag wins; empty counts as unset.";

fn program() -> Clap {
    let check = command("check", "Judge once, print the report, exit with the class's code (the default)")
        .after_help(TWINS.to_owned() + "\nCREDPROBE_DISABLED=\"why\" prints the reason and exits 0 at once.");
    let chain = command(
        "chain",
        "Which provider each AWS SDK would pick in this container, and what it does when that provider fails",
    );
    let explain = command(
        "explain",
        "What a class means, who owns it, how to confirm and repair it; the table of all without one",
    )
    .arg(Arg::new("class").value_name("CLASS|CODE"));
    let judge =
        command("judge", "Judge the evidence of a saved JSON report again, with its own time as the clock")
            .arg(Arg::new("report").value_name("REPORT.json").required(true));
    let trust = command(
        "trust",
        "Hold a role's trust policy against the token and say which element refuses; without one, print the statement that would match",
    );
    let serve = command(
        "serve",
        "Judge again and again; answer probes, Prometheus and people over HTTP; keep a readiness gate",
    )
    .after_help(TWINS.to_owned() + "\nCREDPROBE_DISABLED=\"why\" and --report-only keep /readyz at 200.\nSIGTERM ends it, exit 0. Each change of the verdict is printed.");
    let status = command(
        "status",
        "Ask the `serve` of this pod, for exec probes: exit 0 while it is ready, else its class's code",
    );
    Clap::new("credprobe")
        .about("Will the AWS SDK in this container get the credentials that it is meant to get; if not, which link is broken, who owns it, and what repairs it?")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .subcommands([check, serve, status, chain, explain, judge, trust])
}

/// Its flags are put together when it is the command that is called.
fn command(name: &'static str, about: &'static str) -> Clap {
    Clap::new(name).about(about).args_override_self(true).defer(with_flags)
}

fn with_flags(command: Clap) -> Clap {
    let args = flags::of(command.get_name()).into_iter().map(|flag| {
        let arg = Arg::new(flag.name).long(flag.name).help(flag.help()).action(ArgAction::Set);
        match flag.value {
            // `FILE|-` and `N|auto` are no choice of words.
            Some(value) if value.contains('|') && !value.contains(char::is_uppercase) => arg
                .value_name(value)
                .value_parser(PossibleValuesParser::new(value.split('|').collect::<Vec<_>>()))
                .hide_possible_values(true),
            Some(value) => arg.value_name(value),
            None => arg
                .value_name("BOOL")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_parser(PossibleValuesParser::new(["true", "false", "1", "0"]))
                .hide_possible_values(true),
        }
    });
    command.args(args)
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).filter(|value| !value.is_empty()).cloned()
}

fn is_on(matches: &ArgMatches, name: &str) -> bool {
    matches.get_one::<String>(name).is_some_and(|value| value == "true" || value == "1")
}

fn output(matches: &ArgMatches) -> Output {
    match text(matches, "output").as_deref() {
        Some("json") => Output::Json,
        _ => Output::Text,
    }
}

fn check(matches: &ArgMatches) -> Result<Check, UsageError> {
    let timeout = timeout(matches)?;
    let duration = |flag: &str| duration(matches, flag, "0s", Duration::ZERO);
    let (wait, grace, start_jitter) = (duration("wait")?, duration("grace")?, duration("start-jitter")?);
    let mut settings = settings(matches, timeout)?;
    settings.deny_warnings = is_on(matches, "deny-warnings");
    Ok(Check {
        settings,
        whose: whose(matches)?,
        timeout,
        retry_policy: RetryPolicy { wait, grace },
        start_jitter,
        output: output(matches),
        termination_log: termination_log(matches),
        log_level: log_level(matches),
        tolerate: tolerate(matches)?,
        report_only: is_on(matches, "report-only"),
    })
}

fn timeout(matches: &ArgMatches) -> Result<Duration, UsageError> {
    duration(matches, "timeout", "10s", Duration::from_millis(1))
}

fn duration(
    matches: &ArgMatches,
    flag: &str,
    default: &str,
    least: Duration,
) -> Result<Duration, UsageError> {
    let given = text(matches, flag).unwrap_or_else(|| default.to_owned());
    let parsed = humantime::parse_duration(&given).ok();
    parsed.filter(|duration| (least..=LONGEST).contains(duration)).ok_or_else(|| {
        let least = humantime::format_duration(least);
        UsageError(format!(
            "--{flag}: `{given}` is no duration; allowed are {least} to 1day, as in 250ms, 10s, 2m"
        ))
    })
}

fn tolerate(matches: &ArgMatches) -> Result<Tolerate, UsageError> {
    let given = text(matches, "tolerate").unwrap_or_default();
    Tolerate::parse(&given).map_err(|why| UsageError(format!("--tolerate: {why}")))
}

fn termination_log(matches: &ArgMatches) -> PathBuf {
    text(matches, "termination-log").unwrap_or_else(|| "/dev/termination-log".to_owned()).into()
}

/// What `check` and `serve` judge by.
fn settings(matches: &ArgMatches, timeout: Duration) -> Result<Options, UsageError> {
    let text = |name: &str| text(matches, name);
    let sts_compatible = is_on(matches, "sts-compatible");
    role_arns(matches, &["expect-role", "role-arn"], sts_compatible)?;
    sdk(matches)?;
    Ok(Options {
        mechanism: text("mechanism").filter(|mechanism| mechanism != "auto"),
        role_arn: text("role-arn"),
        token_file: text("token-file"),
        expect_role: text("expect-role"),
        expect_issuer: text("expect-issuer"),
        expect_audience: text("expect-audience"),
        expect_subject: text("expect-subject"),
        region: text("region"),
        sdk: text("sdk"),
        session_name: text("session-name"),
        ca_bundle: text("ca-bundle"),
        endpoint: None,
        agent_uri: None,
        no_network: is_on(matches, "no-network"),
        no_identity: is_on(matches, "no-identity"),
        allow_http: is_on(matches, "allow-http"),
        sts_compatible,
        tolerate: text("tolerate"),
        deny_warnings: false,
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
    })
}

fn asked_chain(matches: &ArgMatches) -> Result<Chain, UsageError> {
    let whose = match text(matches, "target-pid") {
        None => SubjectSelector::Own,
        Some(given) => target(&given)?,
    };
    Ok(Chain { whose, sdk: sdk(matches)?, output: output(matches), log_level: log_level(matches) })
}

/// The SDK of `--sdk`; `None`: none, or `auto`.
fn sdk(matches: &ArgMatches) -> Result<Option<&'static sdks::Sdk>, UsageError> {
    let Some(given) = text(matches, "sdk").filter(|given| given != "auto") else { return Ok(None) };
    let ids: Vec<&str> = sdks::SDKS.iter().map(|sdk| sdk.id).collect();
    sdks::by_id(&given).map(Some).ok_or_else(|| {
        UsageError(format!("--sdk: `{given}` is no SDK that credprobe knows; allowed are {}", ids.join(", ")))
    })
}

fn target(given: &str) -> Result<SubjectSelector, UsageError> {
    match given.parse::<u32>() {
        _ if given == "auto" => Ok(SubjectSelector::Process(TargetPid::Auto)),
        Ok(pid) if pid > 0 => Ok(SubjectSelector::Process(TargetPid::Pid(pid))),
        _ => Err(UsageError(format!("--target-pid: `{given}` is not allowed; allowed is auto or a pid"))),
    }
}

/// Whom the flags name; another user and another process exclude each other.
fn whose(matches: &ArgMatches) -> Result<SubjectSelector, UsageError> {
    let bad = |flag: &str, given: &str, allowed: &str| {
        UsageError(format!("--{flag}: `{given}` is not allowed; allowed is {allowed}"))
    };
    // The kernel has no user 4294967295: it means "unchanged".
    let id = |given: &str| given.parse::<u32>().ok().filter(|id| *id != u32::MAX);
    let one = |flag: &str| match text(matches, flag) {
        Some(given) => id(&given).map(Some).ok_or_else(|| bad(flag, &given, "a number, 0 to 4294967294")),
        None => Ok(None),
    };
    let (uid, gid) = (one("as-uid")?, one("as-gid")?);
    let groups = text(matches, "as-groups").map(|given| {
        let groups: Option<Vec<u32>> =
            if given == "none" { Some(Vec::new()) } else { given.split(',').map(id).collect() };
        groups.ok_or_else(|| bad("as-groups", &given, "none, or numbers as in 1000,2000"))
    });
    let groups = groups.transpose()?;
    let user = uid.is_some() || gid.is_some() || groups.is_some();
    match text(matches, "target-pid") {
        None if user => Ok(SubjectSelector::User { uid, gid, groups }),
        None => Ok(SubjectSelector::Own),
        Some(_) if user => Err(UsageError(
            "--target-pid: it brings the process's own ids; leave --as-uid, --as-gid and --as-groups out"
                .to_owned(),
        )),
        Some(given) => target(&given),
    }
}

/// A bad value of an environment twin is named by its variable.
fn named_by_its_source(error: UsageError, args: &[OsString], twins: &[(String, OsString)]) -> UsageError {
    let Some((flag, rest)) = error.0.split_once(':') else { return error };
    match twin_of(flag, args, twins) {
        Some(variable) => UsageError(format!("{variable}:{rest}")),
        None => error,
    }
}

/// The variable that gave `flag` its value; `None`: the command line did, for it comes last.
fn twin_of<'t>(flag: &str, args: &[OsString], twins: &'t [(String, OsString)]) -> Option<&'t str> {
    let gives = |item: &OsStr| item.to_str().is_some_and(|item| item.split('=').next() == Some(flag));
    let (variable, _) = twins.iter().find(|(_, item)| gives(item))?;
    (!args[1..].iter().any(|arg| gives(arg))).then_some(variable)
}

fn trust(matches: &ArgMatches) -> Result<TrustArgs, UsageError> {
    role_arns(matches, &["role-arn"], false)?;
    let token_file = text(matches, "token-file");
    Ok(TrustArgs {
        settings: Options {
            // A token that is named is the one to judge, whatever else the container has.
            mechanism: token_file.as_ref().map(|_| "irsa".to_owned()),
            role_arn: text(matches, "role-arn"),
            token_file,
            session_name: text(matches, "session-name"),
            no_network: true,
            ..Options::default()
        },
        policy: text(matches, "policy").map(PathBuf::from),
        output: output(matches),
        log_level: log_level(matches),
    })
}

/// AWS_ROLE_ARN may be wrong, that is news; a flag that is wrong is a mistake in the call.
fn role_arns(matches: &ArgMatches, names: &[&str], compatible: bool) -> Result<(), UsageError> {
    for name in names {
        if let Some(Err(malformed)) = text(matches, name).map(|value| RoleArn::parse_for(&value, compatible))
        {
            return Err(UsageError(format!(
                "--{name}: at byte {}: {}; allowed is arn:PARTITION:iam::ACCOUNT:role/NAME",
                malformed.offset, malformed.problem
            )));
        }
    }
    Ok(())
}

fn log_level(matches: &ArgMatches) -> tracing::Level {
    text(matches, "log-level").and_then(|level| level.parse().ok()).unwrap_or(tracing::Level::WARN)
}

/// clap's errors have four lines; one says all: what was wrong and what is allowed.
fn in_one_line(error: &clap::Error, args: &[OsString], twins: &[(String, OsString)]) -> UsageError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let invalid = context(ContextKind::InvalidArg).unwrap_or_default();
    let command = args[0].to_string_lossy();
    let flag = invalid.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let value = context(ContextKind::InvalidValue);
    let place = twin_of(&flag, args, twins).map_or_else(|| flag.clone(), str::to_owned);
    UsageError(match error.kind() {
        ErrorKind::InvalidValue => {
            let allowed = context(ContextKind::ValidValue).filter(|allowed| !allowed.is_empty());
            let allowed = allowed.unwrap_or_else(|| "a value".to_owned());
            match value.filter(|value| !value.is_empty()) {
                Some(value) => format!("{place}: `{value}` is not allowed; allowed are {allowed}"),
                None if allowed == "a value" => format!("{place} needs a value"),
                None => format!("{place} needs a value: {allowed}"),
            }
        }
        ErrorKind::UnknownArgument => format!("{invalid} is unknown; {command} takes {}", flags_of(&command)),
        ErrorKind::InvalidSubcommand => format!(
            "`{}` is no command; commands are {COMMANDS}",
            context(ContextKind::InvalidSubcommand).unwrap_or_default()
        ),
        ErrorKind::MissingRequiredArgument => format!("{command} needs {invalid}"),
        ErrorKind::NoEquals => format!("{place} takes its value with an equals sign: {place}=true"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        kind => format!("{place}: {kind}"),
    })
}

fn flags_of(command: &str) -> String {
    let names: Vec<String> = flags::of(command).iter().map(|flag| format!("--{}", flag.name)).collect();
    names.join(" ")
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let class = Class::UsageError;
        write!(f, "{} ({}): {}", class.id(), class.code(), credprobe_judge::text::shown::escaped(&self.0))
    }
}

impl std::error::Error for UsageError {}

#[cfg(test)]
mod tests;
