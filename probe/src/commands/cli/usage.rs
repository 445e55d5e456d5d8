//! Words a usage error: one line with the flag in question and a likely correction.
//! clap finds the mistake; the wording and the suggestions are made here.

use super::flags::{self, COMMANDS, Command, FLAGS};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use credprobe_judge::catalog::{Class, nearest};
use std::ffi::{OsStr, OsString};

/// A command line that cannot be run. `Display` prints one line.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(pub String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let class = Class::UsageError;
        write!(f, "{} ({}): {}", class.id(), class.code(), credprobe_judge::text::shown::escaped(&self.0))
    }
}

impl std::error::Error for UsageError {}

/// Flags of other tools, and what they are called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("--json", "--output=json"),
    ("--format", "--output"),
    ("--verbose", "--log-level=info"),
    ("-v", "--log-level=info"),
    ("-q", "--log-level=error"),
    ("--quiet", "--log-level=error"),
    ("--retry", "--wait"),
    ("--serviceaccount", "--expect-subject"),
    ("--service-account", "--expect-subject"),
    ("--profile", "AWS_PROFILE"),
];

/// `did you mean …?`, if there is a similar name.
pub(super) fn suggestion(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

fn near<'a>(written: &str, known: impl Iterator<Item = &'a str>, prefix: &str) -> Vec<String> {
    nearest(written, known).into_iter().map(|name| format!("{prefix}{name}")).collect()
}

/// The error for an unknown command.
pub(super) fn no_command(given: &str) -> UsageError {
    let near = near(given, COMMANDS.iter().map(|command| command.name), "credprobe ");
    let hint = suggestion(&near).unwrap_or_else(|| "`credprobe help` lists the commands".to_owned());
    UsageError(format!("`{given}` is not a command; {hint}"))
}

/// The error for a word that `place` does not accept.
pub(super) fn not_allowed(place: &str, given: &str, allowed: &[&str]) -> UsageError {
    let meant = suggestion(&near(given, allowed.iter().copied(), ""));
    let meant = meant.map(|meant| format!(" {meant}")).unwrap_or_default();
    UsageError(format!("{place}: `{given}` is not allowed;{meant} allowed are {}", allowed.join(", ")))
}

/// Words clap's error in one line, for these arguments of `command`.
pub(super) fn in_one_line(
    error: &clap::Error,
    command: &Command,
    args: &[OsString],
    twins: &[(String, OsString)],
) -> UsageError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let invalid = context(ContextKind::InvalidArg).unwrap_or_default();
    let name = command.name;
    let flag = invalid.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let place = twin_of(&flag, args, twins).map_or_else(|| flag.clone(), str::to_owned);
    let choices = || {
        let known = command.flags().find(|known| flag.strip_prefix("--") == Some(known.name))?;
        Some(known.choices().unwrap_or_else(|| vec!["true", "false", "1", "0"])).filter(|_| {
            known.value.is_none_or(|value| value.contains('|') && !value.contains(char::is_uppercase))
        })
    };
    match error.kind() {
        ErrorKind::InvalidValue => {
            match (context(ContextKind::InvalidValue).filter(|value| !value.is_empty()), choices()) {
                (Some(value), Some(choices)) => not_allowed(&place, &value, &choices),
                (Some(value), None) => UsageError(format!("{place}: `{value}` is not allowed")),
                (None, Some(choices)) => UsageError(format!("{place} needs a value: {}", choices.join(", "))),
                (None, None) => UsageError(format!("{place} needs a value")),
            }
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => no_flag(&flag, command),
        ErrorKind::UnknownArgument | ErrorKind::TooManyValues => {
            let takes = match command.argument {
                "" => "only flags".to_owned(),
                argument => format!("flags and one {}", argument.trim_matches(['[', ']'])),
            };
            UsageError(format!("`{invalid}` is one word too many; {name} takes {takes}"))
        }
        ErrorKind::MissingRequiredArgument => UsageError(format!("{name} needs {}", command.argument)),
        ErrorKind::NoEquals => {
            UsageError(format!("{place} takes its value with an equals sign: {place}=true"))
        }
        ErrorKind::InvalidUtf8 => UsageError("an argument is not UTF-8".to_owned()),
        kind => UsageError(format!("{place}: {kind}")),
    }
}

/// The error for a flag that this command does not have.
fn no_flag(flag: &str, command: &Command) -> UsageError {
    let name = command.name;
    let written = flag.trim_start_matches('-');
    let known = FLAGS.iter().any(|known| known.name == written);
    let others = COMMANDS.iter().filter(|other| known && other.flags().any(|of| of.name == written));
    let others: Vec<&str> = others.map(|command| command.name).collect();
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == flag);
    let near = match elsewhere {
        Some((_, meant)) => vec![(*meant).to_owned()],
        None => near(written, command.flags().map(|flag| flag.name), "--"),
    };
    let hint = match (others.is_empty(), suggestion(&near)) {
        (false, _) => format!("it is a flag of {}", others.join(" and ")),
        (true, Some(hint)) => hint,
        (true, None) => format!("`credprobe help {name}` lists its flags"),
    };
    UsageError(format!("{flag} is not a flag of {name}; {hint}"))
}

/// Names the variable instead of the flag if a bad value came from an environment twin.
pub(super) fn named_by_its_source(
    error: UsageError,
    args: &[OsString],
    twins: &[(String, OsString)],
) -> UsageError {
    let Some((flag, rest)) = error.0.split_once(':') else { return error };
    match twin_of(flag, args, twins) {
        Some(variable) => UsageError(format!("{variable}:{rest}")),
        None => error,
    }
}

/// The variable that gave `flag` its value. `None`: the command line did, because it comes after the variables.
fn twin_of<'t>(flag: &str, args: &[OsString], twins: &'t [(String, OsString)]) -> Option<&'t str> {
    let short = FLAGS.iter().find(|known| flag.strip_prefix("--") == Some(known.name))?.short();
    let gives = |item: &OsStr| {
        item.to_str().is_some_and(|item| {
            let by_letter = short.is_some_and(|short| {
                item.strip_prefix('-').is_some_and(|letters| letters.starts_with(short))
            });
            item.split('=').next() == Some(flag) || by_letter
        })
    };
    let (variable, _) = twins.iter().find(|(_, item)| gives(item))?;
    (!args[1..].iter().any(|arg| gives(arg))).then_some(variable)
}

/// Prefixes of the variables that Kubernetes sets for a Service named credprobe.
const OF_A_SERVICE: [&str; 2] = ["CREDPROBE_PORT", "CREDPROBE_SERVICE_"];
/// A variable that is not the twin of a flag.
const DISABLED: &str = "CREDPROBE_DISABLED";

/// Warnings about variables that resemble a twin but are none, and so have no effect.
pub fn misspelt_twins(variables: impl Iterator<Item = OsString>) -> Vec<String> {
    let known: Vec<String> = FLAGS.iter().map(flags::Flag::twin).chain([DISABLED.to_owned()]).collect();
    let warning = |name: OsString| {
        let name = name.into_string().ok()?;
        let is_other = !name.starts_with("CREDPROBE_")
            || OF_A_SERVICE.iter().any(|prefix| name.starts_with(prefix))
            || known.contains(&name);
        if is_other {
            return None;
        }
        let written = name.trim_start_matches("CREDPROBE_");
        let bare =
            known.iter().map(|name| name.trim_start_matches("CREDPROBE_").to_lowercase().replace('_', "-"));
        let bare: Vec<String> = bare.collect();
        let near = near(written, bare.iter().map(String::as_str), "CREDPROBE_");
        let near: Vec<String> = near.iter().map(|name| name.to_uppercase().replace('-', "_")).collect();
        let mut once = near;
        once.dedup();
        Some(format!("{name} is ignored: no flag has this name; {}", suggestion(&once)?))
    };
    variables.filter_map(warning).collect()
}
