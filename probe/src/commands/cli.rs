//! Turns the command line and its environment twins `CREDPROBE_*` into typed options. Each value is parsed once.
//! Runs nothing; `commands` does.

use crate::collect::CREDENTIALS;
use crate::collect::subject::SubjectSelector;
use crate::collect::target::TargetPid;
use crate::serve::options::Serve;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, builder::PossibleValuesParser};
use credprobe_judge::access_calls;
use credprobe_judge::options::{ExpectedSubject, Mechanism, Options, Output, SdkName};
use credprobe_judge::report::trust_policy::Asked;
use credprobe_judge::sdks;
use credprobe_judge::settings::arn::RoleArn;
use credprobe_judge::text::redactor::Redactor;
use credprobe_judge::text::shown;
use credprobe_judge::verdict::Tolerate;
use credprobe_judge::verdict::retry_policy::RetryPolicy;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

mod cluster;
mod completion;
mod flags;
mod help;
mod serving;
mod usage;

use flags::Flag;
pub(crate) use usage::UsageError;
pub use usage::misspelt_twins;

/// A command with its options.
pub(crate) enum Command {
    Access(AccessArgs),
    Chain(Chain),
    Check(Box<Check>),
    Explain(Explain),
    Judge {
        report: PathBuf,
        output: Output,
    },
    Serve(Box<Serve>),
    /// The loopback address of the `serve` to query.
    Status(SocketAddr),
    Trust(Box<TrustArgs>),
}

/// `credprobe access`. A file named `-` is stdin.
pub(crate) struct AccessArgs {
    /// `None`: the role that `role` contains, else `AWS_ROLE_ARN`.
    pub principal: Option<String>,
    pub aws_auth: Option<PathBuf>,
    pub access_entries: Option<PathBuf>,
    pub role: Option<PathBuf>,
    pub output: Output,
    pub log_level: tracing::Level,
}

/// `credprobe chain`.
pub(crate) struct Chain {
    pub whose: SubjectSelector,
    /// The one SDK to show in detail; `None`: all.
    pub sdk: Option<&'static sdks::Sdk>,
    pub output: Output,
    pub log_level: tracing::Level,
}

/// `credprobe explain`.
pub(crate) struct Explain {
    /// A class, a code or an error text; `-` is stdin; `None`: the table of all classes.
    pub text: Option<String>,
    /// The role that the caller expects to have.
    pub expect_role: Option<String>,
    pub output: Output,
}

/// `credprobe trust`.
pub(crate) struct TrustArgs {
    pub settings: Options,
    pub asked: Asked,
    /// A saved report to use instead of the pod; `-` is stdin.
    pub report: Option<PathBuf>,
    /// `-` is stdin; `None`: print the statement that would match.
    pub policy: Option<PathBuf>,
    pub log_level: tracing::Level,
}

/// `credprobe check`.
pub(crate) struct Check {
    pub settings: Options,
    pub whose: SubjectSelector,
    /// The limit for one attempt with all its phases.
    pub timeout: Duration,
    pub retry_policy: RetryPolicy,
    /// The longest random delay before the first attempt.
    pub start_jitter: Duration,
    pub output: Output,
    /// Written only if the file exists already.
    pub termination_log: PathBuf,
    pub log_level: tracing::Level,
    pub tolerate: Tolerate,
    pub report_only: bool,
}

/// The outcome of parsing.
pub(crate) enum Parsed {
    Run(Command),
    /// Help, version or a completion script: printed to stdout, exit 0.
    Print(String),
}

/// A day. A longer duration is a mistake.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Parses a command line. `args` lacks the program's name; `variable` looks up environment twins.
///
/// # Errors
/// A flag, a value or a variable is not allowed.
pub(crate) fn parse(
    args: &[OsString],
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Parsed, UsageError> {
    let redactor = credentials(variable);
    let explains = args.first().is_some_and(|command| command == "explain");
    // A text to explain can be any log. It is read unredacted, because `explain` repeats nothing of it but names.
    let shown_unless_text = |given: OsString| {
        let is_text = explains && !given.as_encoded_bytes().starts_with(b"-");
        if is_text { given } else { shown(given, &redactor) }
    };
    let args: Vec<OsString> = with_default_command(args).into_iter().map(shown_unless_text).collect();
    let word = args[0].to_string_lossy();
    let name = match &*word {
        "-h" | "--help" => "help",
        "-V" | "--version" => "version",
        name => name,
    };
    let command = flags::command_named(name).ok_or_else(|| usage::no_command(name))?;
    if let Some(text) = printed(command, &args[1..])? {
        return Ok(Parsed::Print(text));
    }
    let twins = twins(command, &args[1..], &|name| variable(name).map(|given| shown(given, &redactor)));
    let line = twins.iter().map(|(_, item)| item).chain(&args[1..]);
    let matches = clap_command(command)
        .try_get_matches_from(line)
        .map_err(|error| usage::in_one_line(&error, command, &args, &twins))?;
    let mut parsed = Given(&matches).command(command.name);
    if let Ok(Command::Explain(Explain { expect_role: role @ None, .. })) = &mut parsed {
        *role = variable("AWS_ROLE_ARN").and_then(|role| role.into_string().ok());
    }
    if let Ok(Command::Access(AccessArgs { principal: principal @ None, role: None, .. })) = &mut parsed {
        *principal = variable("AWS_ROLE_ARN").and_then(|arn| arn.into_string().ok());
    }
    parsed.map(Parsed::Run).map_err(|error| usage::named_by_its_source(error, &args, &twins))
}

/// The text of help, version and completion, which are printed whatever the flags are.
fn printed(command: &flags::Command, args: &[OsString]) -> Result<Option<String>, UsageError> {
    let mut before_end = args.iter().take_while(|arg| *arg != "--");
    let asks = |arg: &OsString| arg == "--help" || arg == "-h";
    let argument = args.iter().find(|arg| !asks(arg)).map(|arg| arg.to_string_lossy());
    let text = match command.name {
        "help" => match argument {
            None => help::overview(),
            Some(name) => help::of(flags::command_named(&name).ok_or_else(|| usage::no_command(&name))?),
        },
        _ if before_end.any(asks) => help::of(command),
        "version" => format!("credprobe {}", env!("CARGO_PKG_VERSION")),
        "completion" => {
            let needs = || UsageError(format!("completion needs {}", command.argument));
            let shell = argument.ok_or_else(needs)?;
            let known = completion::script(&shell);
            known.ok_or_else(|| usage::not_allowed("completion", &shell, &completion::SHELLS))?
        }
        _ => return Ok(None),
    };
    Ok(Some(text))
}

/// Whether `--report-only` is given. Does not need a valid command line, because the flag also holds for usage errors.
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

/// Why the probe is switched off: the value of `CREDPROBE_DISABLED`, unless that value means "not disabled".
#[must_use]
pub(crate) fn disabled(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<String> {
    let given = variable("CREDPROBE_DISABLED")?;
    let reason = shown::argument(&given.to_string_lossy(), &credentials(variable));
    let off = ["", "0", "false", "no", "off"];
    (!off.iter().any(|word| reason.eq_ignore_ascii_case(word))).then_some(reason)
}

/// Hides what looks like a token or password. No flag takes one, so not even a usage error repeats it.
fn shown(given: OsString, redactor: &Redactor) -> OsString {
    given.to_str().map(|text| shown::argument(text, redactor).into()).unwrap_or(given)
}

/// A redactor that knows the credentials in the environment.
fn credentials(variable: &dyn Fn(&str) -> Option<OsString>) -> Redactor {
    let mut redactor = Redactor::default();
    for value in CREDENTIALS.iter().filter_map(|name| variable(name)) {
        redactor.add(value.as_encoded_bytes());
    }
    redactor
}

/// Turns `credprobe [FLAGS]` into `credprobe check [FLAGS]`.
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

/// The environment twins that are set and not empty: (variable, `--flag=value`).
fn twins(
    command: &flags::Command,
    args: &[OsString],
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Vec<(String, OsString)> {
    let mut twins = Vec::new();
    for flag in command.flags() {
        let name = flag.twin();
        let Some(value) = variable(&name).filter(|value| !value.is_empty()) else { continue };
        let mut add = |value: &OsStr| {
            let mut item = OsString::from(format!("--{}=", flag.name));
            item.push(value);
            twins.push((name.clone(), item));
        };
        match value.to_str().filter(|_| flag.repeats()) {
            // For a repeatable flag, one use on the command line replaces the variable.
            Some(_) if args.iter().any(|arg| is_flag(arg, flag)) => {}
            Some(values) => values.split_whitespace().for_each(|value| add(value.as_ref())),
            None => add(&value),
        }
    }
    twins
}

fn is_flag(arg: &OsStr, flag: &Flag) -> bool {
    let given = arg.to_str().and_then(|arg| arg.strip_prefix("--"));
    given.is_some_and(|given| given.split('=').next() == Some(flag.name))
}

/// What clap parses: the flags and the argument of one command. Help and suggestions are ours.
fn clap_command(command: &flags::Command) -> Clap {
    let args = command.flags().map(|flag| {
        let action = if flag.repeats() { ArgAction::Append } else { ArgAction::Set };
        let arg = Arg::new(flag.name).long(flag.name).action(action);
        let arg = flag.short().into_iter().fold(arg, Arg::short);
        match (flag.choices(), flag.value) {
            (Some(choices), _) => arg.value_parser(PossibleValuesParser::new(choices)),
            (None, Some(_)) => arg,
            (None, None) => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_parser(PossibleValuesParser::new(["true", "false", "1", "0"])),
        }
    });
    let argument = (!command.argument.is_empty()).then(|| {
        let argument = Arg::new(ARGUMENT).required(!command.argument.starts_with('['));
        if command.argument.contains("TEXT") { argument.num_args(0..) } else { argument }
    });
    Clap::new(command.name)
        .no_binary_name(true)
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(args)
        .args(argument)
}

/// The name of a command's positional argument.
const ARGUMENT: &str = "ARGUMENT";

/// The values given to one command, by flags or twins.
struct Given<'a>(&'a ArgMatches);

impl Given<'_> {
    fn command(&self, name: &str) -> Result<Command, UsageError> {
        Ok(match name {
            "access" => Command::Access(self.access()?),
            "explain" => Command::Explain(self.explain()?),
            "judge" => Command::Judge {
                report: self.text(ARGUMENT).unwrap_or_default().into(),
                output: self.output(),
            },
            "trust" => Command::Trust(Box::new(self.trust()?)),
            "chain" => Command::Chain(self.chain()?),
            "serve" => Command::Serve(Box::new(serving::serve(self)?)),
            "status" => Command::Status(serving::admin_listen(self)?),
            _ => Command::Check(Box::new(self.check()?)),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get_one::<String>(name).filter(|value| !value.is_empty()).cloned()
    }

    /// All values of a repeatable flag.
    fn texts(&self, name: &str) -> impl Iterator<Item = &String> {
        self.0.get_many::<String>(name).into_iter().flatten().filter(|value| !value.is_empty())
    }

    fn is_on(&self, name: &str) -> bool {
        self.0.get_one::<String>(name).is_some_and(|value| value == "true" || value == "1")
    }

    /// The value, parsed into its type.
    fn parsed<T: FromStr<Err = String>>(&self, name: &str) -> Result<Option<T>, UsageError> {
        let parsed = self.text(name).map(|given| given.parse());
        parsed.transpose().map_err(|why| UsageError(format!("--{name}: {why}")))
    }

    fn output(&self) -> Output {
        match self.text("output").as_deref() {
            Some("json") => Output::Json,
            _ => Output::Text,
        }
    }

    fn log_level(&self) -> tracing::Level {
        self.text("log-level").and_then(|level| level.parse().ok()).unwrap_or(tracing::Level::WARN)
    }

    fn termination_log(&self) -> PathBuf {
        self.text("termination-log").unwrap_or_else(|| "/dev/termination-log".to_owned()).into()
    }

    fn timeout(&self) -> Result<Duration, UsageError> {
        self.duration("timeout", "10s", Duration::from_millis(1))
    }

    fn duration(&self, flag: &str, default: &str, least: Duration) -> Result<Duration, UsageError> {
        let given = self.text(flag).unwrap_or_else(|| default.to_owned());
        let parsed = humantime::parse_duration(&given).ok();
        parsed.filter(|duration| (least..=LONGEST).contains(duration)).ok_or_else(|| {
            let least = humantime::format_duration(least);
            // Other tools take seconds without a unit.
            let meant = match given.parse::<u32>() {
                Ok(seconds) if seconds > 0 => format!("did you mean {seconds}s? "),
                _ => String::new(),
            };
            UsageError(format!(
                "--{flag}: `{given}` is not a duration; {meant}allowed are {least} to 1day, as in 250ms, 10s, 2m"
            ))
        })
    }

    fn tolerate(&self) -> Result<Tolerate, UsageError> {
        let given = self.text("tolerate").unwrap_or_default();
        Tolerate::parse(&given).map_err(|why| UsageError(format!("--tolerate: {why}")))
    }

    fn check(&self) -> Result<Check, UsageError> {
        let timeout = self.timeout()?;
        let duration = |flag: &str| self.duration(flag, "0s", Duration::ZERO);
        let (wait, grace, start_jitter) = (duration("wait")?, duration("grace")?, duration("start-jitter")?);
        let mut settings = self.settings(timeout)?;
        settings.deny_warnings = self.is_on("deny-warnings");
        Ok(Check {
            settings,
            whose: self.whose()?,
            timeout,
            retry_policy: RetryPolicy { wait, grace },
            start_jitter,
            output: self.output(),
            termination_log: self.termination_log(),
            log_level: self.log_level(),
            tolerate: self.tolerate()?,
            report_only: self.is_on("report-only"),
        })
    }

    /// The options that `check` and `serve` judge by.
    fn settings(&self, timeout: Duration) -> Result<Options, UsageError> {
        let sts_compatible = self.is_on("sts-compatible");
        self.role_arns(&["expect-role", "role-arn"], sts_compatible)?;
        cluster::server(self)?;
        Ok(Options {
            mechanism: self.text("mechanism").and_then(|id| Mechanism::by_id(&id)),
            role_arn: self.text("role-arn"),
            token_file: self.text("token-file"),
            expect_role: self.text("expect-role"),
            expect_issuer: self.text("expect-issuer"),
            expect_audience: self.text("expect-audience"),
            expect_subject: self.parsed("expect-subject")?,
            expect_access: self.expect_access()?,
            access_with_full_credentials: self.is_on("access-with-full-credentials"),
            region: self.text("region"),
            sdk: self.sdk()?.map(|(name, _)| name),
            workload: self.parsed("workload")?,
            cluster: self.text("cluster"),
            kubeconfig: self.text("kubeconfig"),
            context: self.text("context"),
            cluster_endpoint: self.text("cluster-endpoint"),
            cluster_ca: self.text("cluster-ca"),
            expect_kubernetes_access: cluster::accesses(self)?,
            session_name: self.text("session-name"),
            ca_bundle: self.text("ca-bundle"),
            endpoint: None,
            agent_uri: None,
            no_network: self.is_on("no-network"),
            no_identity: self.is_on("no-identity"),
            allow_http: self.is_on("allow-http"),
            sts_compatible,
            tolerate: self.text("tolerate"),
            deny_warnings: false,
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// The values of `--expect-access`, unchanged. A value that has another form is a usage error.
    fn expect_access(&self) -> Result<Vec<String>, UsageError> {
        let given = self.0.get_many::<String>("expect-access").into_iter().flatten();
        let stated: Vec<String> = given.filter(|value| !value.is_empty()).cloned().collect();
        let bad = |why: String| {
            UsageError(format!(
                "--expect-access: {why}; allowed is ACTION=RESOURCE[@REGION], as in s3:ListBucket=arn:aws:s3:::orders"
            ))
        };
        if stated.len() > access_calls::LIMIT {
            return Err(bad(format!(
                "{} are stated; at most {} are asked",
                stated.len(),
                access_calls::LIMIT
            )));
        }
        stated.iter().try_for_each(|text| access_calls::Stated::parse(text).map(drop)).map_err(bad)?;
        Ok(stated)
    }

    fn explain(&self) -> Result<Explain, UsageError> {
        self.role_arns(&["expect-role"], false)?;
        // An unquoted text arrives word by word.
        let words = self.0.get_many::<String>(ARGUMENT).into_iter().flatten();
        let words = words.map(String::as_str).collect::<Vec<_>>().join(" ");
        Ok(Explain {
            text: Some(words).filter(|words| !words.trim().is_empty()),
            expect_role: self.text("expect-role"),
            output: self.output(),
        })
    }

    fn chain(&self) -> Result<Chain, UsageError> {
        let whose = match self.text("target-pid") {
            None => SubjectSelector::Own,
            Some(given) => target(&given)?,
        };
        let sdk = self.sdk()?.and_then(|(_, sdk)| sdk);
        Ok(Chain { whose, sdk, output: self.output(), log_level: self.log_level() })
    }

    /// The value of `--sdk` and the SDK that it names; `auto` names none.
    fn sdk(&self) -> Result<Option<(SdkName, Option<&'static sdks::Sdk>)>, UsageError> {
        let Some(name) = self.parsed::<SdkName>("sdk")? else { return Ok(None) };
        let sdk = sdks::named(&name);
        if sdk.is_none() && name != SdkName::Auto {
            let ids: Vec<&str> = sdks::SDKS.iter().map(|sdk| sdk.id).collect();
            let similar = sdks::similar(&name.to_string());
            if similar.is_empty() {
                return Err(usage::not_allowed("--sdk", &name.to_string(), &ids));
            }
            return Err(UsageError(format!(
                "--sdk: `{name}` is not an SDK or program that credprobe knows; did you mean {}?",
                similar.join(" or ")
            )));
        }
        Ok(Some((name, sdk)))
    }

    /// Parses `--as-uid`, `--as-gid` and `--target-pid`. Another user and another process exclude each other.
    fn whose(&self) -> Result<SubjectSelector, UsageError> {
        let bad = |flag: &str, given: &str, allowed: &str| {
            UsageError(format!("--{flag}: `{given}` is not allowed; allowed is {allowed}"))
        };
        // User 4294967295 does not exist: the kernel takes it for "unchanged".
        let id = |given: &str| given.parse::<u32>().ok().filter(|id| *id != u32::MAX);
        let one = |flag: &str| match self.text(flag) {
            Some(given) => id(&given).map(Some).ok_or_else(|| bad(flag, &given, "a number, 0 to 4294967294")),
            None => Ok(None),
        };
        let (uid, gid) = (one("as-uid")?, one("as-gid")?);
        let groups = self.text("as-groups").map(|given| {
            let groups: Option<Vec<u32>> =
                if given == "none" { Some(Vec::new()) } else { given.split(',').map(id).collect() };
            groups.ok_or_else(|| bad("as-groups", &given, "none, or numbers as in 1000,2000"))
        });
        let groups = groups.transpose()?;
        let user = uid.is_some() || gid.is_some() || groups.is_some();
        match self.text("target-pid") {
            None if user => Ok(SubjectSelector::User { uid, gid, groups }),
            None => Ok(SubjectSelector::Own),
            Some(_) if user => Err(UsageError(
                "--target-pid: it brings the process's own ids; leave --as-uid, --as-gid and --as-groups out"
                    .to_owned(),
            )),
            Some(given) => target(&given),
        }
    }

    fn trust(&self) -> Result<TrustArgs, UsageError> {
        self.role_arns(&["role-arn"], false)?;
        let token_file = self.text("token-file");
        let path = |flag: &str| self.text(flag).map(PathBuf::from);
        let (policy, report) = (path("policy"), path("report"));
        let subject = self.parsed::<ExpectedSubject>("subject")?;
        let (issuer, expect_issuer) = (self.text("issuer"), self.text("expect-issuer"));
        let fix = self.is_on("fix");
        let both = |one: &str, other: &str| {
            Err(UsageError(format!("--{one}: it takes the place of --{other}; give one of them")))
        };
        match (&subject, &report, &token_file) {
            (Some(_), Some(_), _) => return both("subject", "report"),
            (Some(_), _, Some(_)) => return both("subject", "token-file"),
            (_, Some(_), Some(_)) => return both("report", "token-file"),
            _ => {}
        }
        let is_stdin = |path: &Option<PathBuf>| path.as_deref() == Some("-".as_ref());
        if is_stdin(&policy) && is_stdin(&report) {
            return Err(UsageError("--report: only one of --policy and --report can be stdin".to_owned()));
        }
        if subject.is_none() && self.text("audience").is_some() {
            return Err(UsageError(
                "--audience: it is that of --subject's tokens; name a --subject".to_owned(),
            ));
        }
        if fix && (policy.is_none() || self.text("role-arn").is_none()) {
            return Err(UsageError(
                "--fix: it needs --policy, the policy as it is, and --role-arn, the role whose policy it is"
                    .to_owned(),
            ));
        }
        Ok(TrustArgs {
            report,
            settings: Options {
                // If a token file is named, that token is judged, whatever else the container has.
                mechanism: token_file.as_ref().map(|_| Mechanism::Irsa),
                role_arn: self.text("role-arn"),
                token_file,
                session_name: self.text("session-name"),
                // Without a report the token's issuer is the stated one; there is nothing else to compare a policy with.
                expect_issuer: expect_issuer.clone().or_else(|| issuer.clone()),
                no_network: true,
                ..Options::default()
            },
            asked: Asked {
                subject,
                issuer,
                expect_issuer,
                audience: self.text("audience"),
                fix,
                json: self.output() == Output::Json,
            },
            policy,
            log_level: self.log_level(),
        })
    }

    fn access(&self) -> Result<AccessArgs, UsageError> {
        let path = |name: &str| self.text(name).map(PathBuf::from);
        let (aws_auth, access_entries, role) = (path("aws-auth"), path("access-entries"), path("role"));
        if aws_auth.is_none() && access_entries.is_none() {
            return Err(UsageError(
                "--aws-auth: it is needed, or --access-entries: a file, or - for stdin".to_owned(),
            ));
        }
        let files = [&aws_auth, &access_entries, &role];
        if files.into_iter().flatten().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(UsageError("--aws-auth: only one of the files can be stdin".to_owned()));
        }
        Ok(AccessArgs {
            principal: self.text("principal"),
            aws_auth,
            access_entries,
            role,
            output: self.output(),
            log_level: self.log_level(),
        })
    }

    /// A malformed `AWS_ROLE_ARN` is a finding, but a malformed flag is a usage error.
    fn role_arns(&self, names: &[&str], compatible: bool) -> Result<(), UsageError> {
        for name in names {
            let parsed = self.text(name).map(|value| RoleArn::parse_for(&value, compatible));
            if let Some(Err(malformed)) = parsed {
                let form = match malformed.problem.contains("arn:") {
                    true => "",
                    false => "; allowed is arn:PARTITION:iam::ACCOUNT:role/NAME",
                };
                return Err(UsageError(format!(
                    "--{name}: at byte {}: {}{form}",
                    malformed.offset, malformed.problem
                )));
            }
        }
        Ok(())
    }
}

fn target(given: &str) -> Result<SubjectSelector, UsageError> {
    match given.parse::<u32>() {
        _ if given == "auto" => Ok(SubjectSelector::Process(TargetPid::Auto)),
        Ok(pid) if pid > 0 => Ok(SubjectSelector::Process(TargetPid::Pid(pid))),
        _ => Err(UsageError(format!("--target-pid: `{given}` is not allowed; allowed are auto and a pid"))),
    }
}

#[cfg(test)]
mod tests;
