//! Judges values at which SDKs stop, before they look for credentials or at the provider that they pick. Pure.
//! What one SDK refuses another takes: the finding names who stops, and is an error where such a one is stated.

use super::facts::Facts;
use crate::catalog::Class;
use crate::evidence::Environment;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::sdks::{self, Kind, Sdk, Stop};
use crate::settings::agent::URI_VARIABLE;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    // Of one value two may have to say something: it is said once, for all that stop at it.
    let mut findings: Vec<Finding> = Vec::new();
    // What is wrong with a CA bundle, `endpoint` says.
    for stop in sdks::all_stops().iter().filter(|stop| stop.variable != "AWS_CA_BUNDLE") {
        let stops = |chain: &&sdks::SdkChain| chain.stops.iter().any(|other| other.is_as(stop));
        let sdks: Vec<&Sdk> = facts.chains().iter().filter(stops).map(|chain| chain.sdk).collect();
        let finding = (!sdks.is_empty()).then(|| finding(facts, &facts.evidence.environment, stop, &sdks));
        findings
            .extend(finding.filter(|finding| !findings.iter().any(|other| other.summary == finding.summary)));
    }
    findings
}

fn finding(facts: &Facts<'_>, environment: &Environment, stop: &Stop, sdks: &[&Sdk]) -> Finding {
    let Stop { variable, problem, required, .. } = stop;
    let place = stop.place();
    let one = sdks.iter().map(|sdk| sdk.names.len()).sum::<usize>() == 1;
    let stop = if one { "stops" } else { "stop" };
    let finding = Finding::new(
        Class::SettingsInvalid,
        format!("{} {stop} {place}: {variable} {problem}", sdks::names(sdks)),
    )
    .explains_nothing()
    .presented(match environment.variables.get(*variable).map(String::as_str) {
        Some("unset") | None => format!("no {variable}"),
        Some("empty" | "") => format!("{variable}="),
        Some(value) => format!("{variable}={value}"),
    })
    .required(*required);
    let value = environment.variables.get(*variable).map(String::as_str);
    // Others may live by it: without the agent's address, or a server's, nobody has credentials.
    let is_address = *variable == URI_VARIABLE || variable.starts_with("AWS_ENDPOINT_URL");
    let is_removable = value.is_some_and(|value| value.is_empty() || (value != "unset" && !is_address));
    let finding = if is_removable {
        facts.unset_env(finding.fix(format!("# give {variable} {required}, or remove it:")), &[variable])
    } else {
        finding.fix(format!("# required is: {required}; or another SDK"))
    };
    weighed(environment, sdks, finding)
}

/// Without an SDK that was named, all are possible and none is certain.
pub(super) fn weighed(environment: &Environment, stops: &[&Sdk], finding: Finding) -> Finding {
    match sdks::stated(environment) {
        Some(sdk) if stops.iter().any(|other| other.id == sdk.id) => {
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        }
        Some(_) => finding.severity(Severity::Info),
        // Whoever has an old major version has better reasons to leave it.
        None if stops.iter().all(|sdk| sdk.kind == Kind::Superseded) => finding.severity(Severity::Info),
        None => finding.severity(Severity::Warning),
    }
}
