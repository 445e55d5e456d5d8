//! The command line: words, flags, and usage errors in one line.
//! Without a word it is `debug`, which was the only word at first.

use crate::print::Form;
use crate::rows::FailOn;
use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsString;

/// The parsed command line.
pub(crate) enum Asked {
    Why(Why),
    Fleet(Fleet),
    Lint(Lint),
    Debug(Debug),
    /// Printed to stdout, exit 0.
    Print(String),
}

/// The flags that are passed on to kubectl.
#[derive(Debug, Default)]
pub(crate) struct Where {
    pub kubectl: Vec<String>,
    pub namespace: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct AwsFlags {
    pub no_aws: bool,
    pub profile: Option<String>,
    pub cluster: Option<String>,
    pub region: Option<String>,
    pub issuer: Option<String>,
}

pub(crate) struct Why {
    pub subject: String,
    pub container: Option<String>,
    pub place: Where,
    pub aws: AwsFlags,
    pub form: Form,
    pub exchange: bool,
}

pub(crate) struct Fleet {
    pub all: bool,
    pub all_roles: bool,
    pub place: Where,
    pub aws: AwsFlags,
    pub form: Form,
    pub fail_on: FailOn,
}

pub(crate) struct Lint {
    pub files: Vec<String>,
    pub namespace: Option<String>,
    pub aws: AwsFlags,
    pub form: Form,
    pub fail_on: FailOn,
}

#[derive(Debug)]
pub(crate) struct Debug {
    pub pod: String,
    pub container: Option<String>,
    pub image: String,
    pub profile: Option<String>,
    pub custom: Option<String>,
    pub within: u64,
    pub place: Where,
    /// Arguments for `credprobe check`.
    pub check: Vec<String>,
}

const WORDS: &[&str] = &["debug", "why", "fleet", "lint", "completion", "help"];
/// The profiles of `kubectl debug`.
const PROFILES: [&str; 6] = ["general", "baseline", "restricted", "netadmin", "sysadmin", "legacy"];

/// # Errors
/// A flag or value is not allowed. The error is one line.
pub(crate) fn parse(args: &[OsString], variable: &dyn Fn(&str) -> Option<String>) -> Result<Asked, String> {
    let mut line: Vec<OsString> = vec!["kubectl credprobe".into()];
    let first = args.first().map(|first| first.to_string_lossy().into_owned()).unwrap_or_default();
    let is_word =
        WORDS.contains(&first.as_str()) || matches!(first.as_str(), "-h" | "--help" | "-V" | "--version");
    if first.is_empty() {
        return Err(
            "what is to be looked at? A pod, or one of debug, why, fleet, lint; see --help".to_owned()
        );
    }
    if !is_word {
        line.push("debug".into());
    }
    line.extend(args.iter().cloned());
    let matches = match program().try_get_matches_from(line) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Asked::Print(error.to_string()));
        }
        Err(error) => return Err(in_one_line(&error)),
    };
    match matches.subcommand() {
        Some(("why", matches)) => Ok(Asked::Why(Why {
            subject: text(matches, "subject").unwrap_or_default(),
            container: text(matches, "container"),
            place: place(matches)?,
            aws: aws(matches)?,
            form: form(matches),
            exchange: matches.get_flag("exchange"),
        })),
        Some(("fleet", matches)) => Ok(Asked::Fleet(Fleet {
            all: matches.get_flag("all-namespaces"),
            all_roles: matches.get_flag("all-roles"),
            place: place(matches)?,
            aws: aws(matches)?,
            form: form(matches),
            fail_on: FailOn::parse(&text(matches, "fail-on").unwrap_or_default())?,
        })),
        Some(("lint", matches)) => Ok(Asked::Lint(Lint {
            files: matches.get_many::<String>("filename").into_iter().flatten().cloned().collect(),
            namespace: text(matches, "namespace"),
            aws: AwsFlags { cluster: None, no_aws: true, profile: None, ..regional(matches)? },
            form: form(matches),
            fail_on: FailOn::parse(&text(matches, "fail-on").unwrap_or_default())?,
        })),
        Some(("completion", matches)) => Ok(Asked::Print(crate::completion::script(
            &text(matches, "shell").unwrap_or_default(),
            &program(),
        ))),
        Some(("debug", matches)) => debug(matches, variable).map(Asked::Debug),
        _ => Err("what is to be looked at? A pod, or one of debug, why, fleet, lint; see --help".to_owned()),
    }
}

fn debug(matches: &ArgMatches, variable: &dyn Fn(&str) -> Option<String>) -> Result<Debug, String> {
    let pod = text(matches, "pod").ok_or("which pod?")?;
    let pod = pod.strip_prefix("pod/").unwrap_or(&pod).to_owned();
    let ok = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-' || it == b'.';
    if pod.is_empty() || pod.starts_with('-') || !pod.bytes().all(ok) {
        return Err(format!("`{}` is not the name of a pod", shown(&pod)));
    }
    let image = text(matches, "image").or_else(|| variable("CREDPROBE_IMAGE")).unwrap_or_default();
    if image.is_empty() {
        return Err(
            "which image? --image=IMAGE or CREDPROBE_IMAGE names one with credprobe as its entrypoint"
                .to_owned(),
        );
    }
    let within = text(matches, "within").unwrap_or_default();
    let seconds = within.parse::<u64>().ok().filter(|it| *it > 0 && !within.starts_with(['0', '+']));
    let within = seconds.ok_or_else(|| format!("--within is in whole seconds, not `{}`", shown(&within)))?;
    let custom = text(matches, "custom");
    if let Some(file) = &custom {
        std::fs::File::open(file).map_err(|_| format!("`{}` cannot be read", shown(file)))?;
    }
    Ok(Debug {
        pod,
        container: text(matches, "container"),
        image,
        profile: text(matches, "profile"),
        custom,
        within,
        place: place(matches)?,
        check: matches.get_many::<String>("check").into_iter().flatten().cloned().collect(),
    })
}

fn shown(text: &str) -> String {
    credprobe_judge::text::shown::escaped(text)
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

/// An empty value comes from an unset variable in a script. It is an error, because another namespace would be wrong.
fn place(matches: &ArgMatches) -> Result<Where, String> {
    let mut place = Where { namespace: text(matches, "namespace"), ..Where::default() };
    for name in ["context", "kubeconfig", "as"] {
        if let Some(value) = text(matches, name) {
            place.kubectl.push(format!("--{name}={value}"));
        }
    }
    for name in ["namespace", "context", "container", "image", "profile", "custom"] {
        if text(matches, name).is_some_and(|value| value.is_empty()) {
            return Err(format!("--{name} is empty"));
        }
    }
    Ok(place)
}

fn aws(matches: &ArgMatches) -> Result<AwsFlags, String> {
    Ok(AwsFlags {
        no_aws: matches.get_flag("no-aws"),
        profile: text(matches, "aws-profile"),
        cluster: text(matches, "cluster"),
        ..regional(matches)?
    })
}

fn regional(matches: &ArgMatches) -> Result<AwsFlags, String> {
    let issuer = text(matches, "issuer");
    if issuer.as_ref().is_some_and(|it| !it.starts_with("https://")) {
        return Err("--issuer is a URL that begins with https://".to_owned());
    }
    Ok(AwsFlags { region: text(matches, "region"), issuer, ..AwsFlags::default() })
}

fn form(matches: &ArgMatches) -> Form {
    text(matches, "output").and_then(|name| Form::parse(&name)).unwrap_or(Form::Text)
}

/// Reduces clap's error, which has several lines, to one line.
fn in_one_line(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(shown(text)),
        Some(ContextValue::Strings(texts)) => texts.first().map(|text| shown(text)),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("`{argument}` is unknown; flags of `credprobe check` go behind --")
        }
        ErrorKind::UnknownArgument => format!("one at a time: `{argument}` is one too many"),
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} lacks its value"),
        ErrorKind::InvalidValue => {
            let valid = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(all)) => format!("; it takes {}", all.join(", ")),
                _ => String::new(),
            };
            format!("`{value}` is no value of {argument}{valid}")
        }
        ErrorKind::MissingRequiredArgument => format!("{argument} is missing"),
        _ => {
            let whole = error.to_string();
            let line = whole.lines().next().unwrap_or_default();
            shown(line.strip_prefix("error: ").unwrap_or(line))
        }
    }
}

fn flag(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Set)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn of_cluster(command: Command) -> Command {
    command
        .arg(flag("namespace", "NAME", "The namespace (default: the one of kubectl’s context)").short('n'))
        .arg(flag("context", "NAME", "The context of kubeconfig (default: kubectl’s)"))
        .arg(flag("kubeconfig", "FILE", "The kubeconfig (default: kubectl’s)"))
        .arg(flag("as", "USER", "Ask the cluster as this user (impersonation)"))
}

fn of_aws(command: Command) -> Command {
    command
        .arg(switch("no-aws", "The cluster’s half only: IAM and EKS are not asked"))
        .arg(flag("aws-profile", "NAME", "The profile of the AWS CLI (default: the AWS CLI’s)"))
        .arg(flag("cluster", "NAME", "The cluster’s name in EKS (default: from kubeconfig)"))
        .arg(flag("region", "NAME", "The cluster’s region (default: from kubeconfig)"))
        .arg(flag("issuer", "URL", "The cluster’s issuer (default: as the API server or EKS says)"))
}

fn with_output(command: Command) -> Command {
    command.arg(
        flag("output", "FORM", "text, wide, json, junit or csv")
            .short('o')
            .value_parser(PossibleValuesParser::new(Form::NAMES))
            .hide_possible_values(true)
            .default_value("text"),
    )
}

fn with_fail_on(command: Command) -> Command {
    command.arg(flag(
        "fail-on",
        "LIST",
        "Exit with a class’s code: ids of classes, owners (pod, iam …), error, warning; separated by commas",
    ))
}

/// Every word and flag. Completion is made from it too.
pub(crate) fn program() -> Command {
    let why = Command::new("why")
        .about("Why will this pod, workload or service account not get its AWS credentials? Reads only")
        .arg(Arg::new("subject").value_name("POD|KIND/NAME|sa/NAME").required(true).help("What to look at"))
        .arg(flag("container", "NAME", "This container only").short('c'))
        .arg(switch("exchange", "Also try the exchange: creates a token of the service account (TokenRequest, 600 s) and hands it to the AWS CLI with a policy that denies everything"))
        .after_help(EXAMPLES_WHY);
    let fleet = Command::new("fleet")
        .about("Which workloads use which role by which mechanism, and which of them will fail? Reads only")
        .arg(switch("all-namespaces", "All namespaces").short('A'))
        .arg(switch(
            "all-roles",
            "Also list all roles of the account, for those that trust this cluster and that nothing uses",
        ))
        .after_help(EXAMPLES_FLEET);
    let lint = Command::new("lint")
        .about("The same of manifests that are not applied yet: no cluster and no AWS is asked")
        .arg(
            Arg::new("filename")
                .short('f')
                .long("filename")
                .value_name("FILE")
                .required(true)
                .action(ArgAction::Append)
                .help("YAML or JSON; - is standard input; may be given several times"),
        )
        .arg(flag("namespace", "NAME", "The namespace of objects that state none").short('n'))
        .arg(flag("region", "NAME", "The region of the cluster that they are for"))
        .arg(flag("issuer", "URL", "Its issuer"))
        .after_help(EXAMPLES_LINT);
    let debug = Command::new("debug")
        .about("Runs `credprobe check` in a debug container beside a pod’s container. Creates that container")
        .override_usage("kubectl credprobe [debug] POD [flags] [-- flags of `credprobe check`]")
        .arg(Arg::new("pod").value_name("POD").help("The pod"))
        .arg(flag("container", "NAME", "The container to judge (default: the only one, or the one that the annotation kubectl.kubernetes.io/default-container names)").short('c'))
        .arg(flag("image", "IMAGE", "An image with credprobe as its entrypoint (default: $CREDPROBE_IMAGE)"))
        .arg(
            flag("profile", "NAME", "general, baseline, restricted, netadmin, sysadmin or legacy, as in `kubectl debug` (default: restricted; baseline when the container runs as root or with added capabilities)")
                .value_parser(PossibleValuesParser::new(PROFILES))
                .hide_possible_values(true),
        )
        .arg(flag("custom", "FILE", "This custom profile instead of the one made from the pod’s specification"))
        .arg(flag("within", "SECONDS", "How long to wait for the debug container’s end").default_value("180"))
        .arg(Arg::new("check").last(true).num_args(0..).value_name("FLAGS").help("Flags of `credprobe check`"))
        .after_help(EXAMPLES_DEBUG);
    let completion = Command::new("completion")
        .about("Prints a script that completes words and flags; kubectl looks for it as kubectl_complete-credprobe")
        .arg(
            Arg::new("shell").required(true).value_name("SHELL").value_parser(PossibleValuesParser::new([
                "bash", "zsh", "fish", "kubectl",
            ])),
        );
    Command::new("kubectl credprobe")
        .about("Why don’t pods get their AWS credentials? Asks the cluster by kubectl and AWS by the AWS CLI, both yours")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(false)
        .disable_help_subcommand(false)
        .after_help(EXAMPLES)
        .subcommand(of_cluster(debug))
        .subcommand(with_output(of_aws(of_cluster(why))))
        .subcommand(with_fail_on(with_output(of_aws(of_cluster(fleet)))))
        .subcommand(with_fail_on(with_output(lint)))
        .subcommand(completion)
}

const EXAMPLES: &str = "\
Examples:
  kubectl credprobe why deployment/checkout -n shop
  kubectl credprobe fleet -A
  helm template . | kubectl credprobe lint -f -
  kubectl credprobe debug checkout-7d9f8b6c5-x2x4q -n shop -c app

Without a word it is debug. Exit codes: that of the class, as `credprobe explain` lists them; 2 for a usage error; 3 when
the cluster could not be read.";
const EXAMPLES_WHY: &str = "\
Examples:
  kubectl credprobe why checkout-7d9f8b6c5-x2x4q -n shop
  kubectl credprobe why deployment/checkout -n shop -c app -o json
  kubectl credprobe why sa/checkout -n shop --no-aws";
const EXAMPLES_FLEET: &str = "\
Examples:
  kubectl credprobe fleet -A
  kubectl credprobe fleet -n shop -o wide
  kubectl credprobe fleet -A -o junit --fail-on=error";
const EXAMPLES_LINT: &str = "\
Examples:
  helm template . | kubectl credprobe lint -f -
  kubectl kustomize overlays/prod | kubectl credprobe lint -f - --fail-on=error,warning";
const EXAMPLES_DEBUG: &str = "\
Exit codes: the probe’s own; 2 for a usage error; 3 when the debug container could not be added, did not start or did not
end in time. The debug container stays in the pod’s specification, ended: nothing can remove it but a new pod.";
