//! Judges values at which SDKs stop before they look for credentials. Pure.
//! What one SDK refuses another takes: the finding names who stops, and is an error where such a one is stated.

use super::facts::Facts;
use crate::catalog::Class;
use crate::evidence::Environment;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::sdks::{self, SDKS, Sdk};

/// A value, what it would have to be, and who stops at it.
struct Stop {
    variable: &'static str,
    problem: &'static str,
    required: &'static str,
    sdks: &'static [&'static str],
}

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let environment = &facts.evidence.environment;
    stops(environment).into_iter().map(|stop| finding(facts, environment, &stop)).collect()
}

/// boto3 and what is made of it, as observed; the AWS CLI reads its own settings as boto3 does.
const PYTHON: &[&str] = &["botocore", "aws-cli-v2"];
const PROFILES: &[&str] = &["botocore", "aws-cli-v2", "go-v2"];

fn stops(environment: &Environment) -> Vec<Stop> {
    let mut stops = Vec::new();
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        if environment.profile_missing.iter().any(|name| name == variable) {
            let empty = environment.get(variable).is_none();
            stops.push(Stop {
                variable,
                problem: if empty {
                    "is set and empty, which they take for a name"
                } else {
                    "names a profile that no profile file has"
                },
                required: "the name of a profile, or no such variable",
                // Others take an empty name for none.
                sdks: if empty { PYTHON } else { PROFILES },
            });
        }
    }
    let mut value = |variable, required, sdks, valid: &dyn Fn(&str) -> bool| {
        if environment.get(variable).is_some_and(|value| !valid(value)) {
            stops.push(Stop { variable, problem: "has a value that they do not know", required, sdks });
        }
    };
    let regional = |value: &str| ["regional", "legacy"].iter().any(|known| value.eq_ignore_ascii_case(known));
    value("AWS_STS_REGIONAL_ENDPOINTS", "regional or legacy", &["botocore"], &regional);
    value("AWS_RETRY_MODE", "legacy, standard or adaptive", PYTHON, &|value| {
        ["legacy", "standard", "adaptive"].contains(&value)
    });
    value("AWS_MAX_ATTEMPTS", "a number from 1", PYTHON, &|value| {
        value.trim().parse::<u32>().is_ok_and(|number| number > 0)
    });
    stops
}

fn finding(facts: &Facts<'_>, environment: &Environment, stop: &Stop) -> Finding {
    let sdks: Vec<&Sdk> = SDKS.iter().filter(|sdk| stop.sdks.contains(&sdk.id)).collect();
    let Stop { variable, problem, required, .. } = stop;
    let finding = Finding::new(
        Class::SettingsInvalid,
        format!("{} stop before any provider: {variable} {problem}", sdks::names(&sdks)),
    )
    .explains_nothing()
    .presented(format!("{variable}={}", environment.get(variable).unwrap_or_default()))
    .required(*required);
    let finding = finding.fix(format!("# give {variable} {required}, or remove it:"));
    weighed(environment, &sdks, facts.unset_env(finding, &[variable]))
}

/// Without an SDK that was named, all are possible and none is certain.
pub(super) fn weighed(environment: &Environment, stops: &[&Sdk], finding: Finding) -> Finding {
    match sdks::stated(environment) {
        Some(sdk) if stops.iter().any(|other| other.id == sdk.id) => {
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        }
        Some(_) => finding.severity(Severity::Info),
        None => finding.severity(Severity::Warning),
    }
}
