//! Judges values at which SDKs stop, before they look for credentials or at the provider that they pick. Pure.
//! What one SDK refuses another takes: the finding names who stops, and is an error where such a one is stated.

use super::facts::Facts;
use crate::catalog::Class;
use crate::catalog::texts::{common, environment as texts};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::sdks::{self, Kind, Sdk, Stop};
use crate::settings::agent::URI_VARIABLE;
use crate::settings::command::Word;
use crate::steps::slot;
use crate::text::plain;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    // Of one value two may have to say something: it is said once, for all that stop at it.
    let mut findings: Vec<Finding> = Vec::new();
    // What is wrong with a CA bundle, `endpoint` says.
    for stop in sdks::all_stops().iter().filter(|stop| stop.variable != "AWS_CA_BUNDLE") {
        let stops = |chain: &&sdks::SdkChain| chain.stops.iter().any(|other| other.is_as(stop));
        let sdks: Vec<&Sdk> = facts.chains().iter().filter(stops).map(|chain| chain.sdk).collect();
        let finding = (!sdks.is_empty()).then(|| finding(facts, stop, &sdks));
        findings.extend(finding.filter(|finding| !findings.iter().any(|other| other.why == finding.why)));
    }
    findings
}

fn finding(facts: &Facts<'_>, stop: &Stop, sdks: &[&Sdk]) -> Finding {
    let Stop { variable, problem, required, .. } = stop;
    let place = stop.place();
    let stops = if sdks::is_one(sdks) { "stops" } else { "stop" };
    let summary = sdks::sentence(sdks, &|sdks| format!("{sdks} {stops}: {variable} {problem}"));
    let value = facts.evidence.environment.variables.get(*variable).map(String::as_str);
    let presented = match value {
        Some("unset") | None => format!("no {variable}"),
        Some("empty" | "") => format!("{variable}="),
        Some(value) => format!("{variable}={value}"),
    };
    let finding = Finding::new(Class::SettingsInvalid, plain(&summary))
        .explains_nothing()
        .why(plain(&format!(
            "{} {stops} {place}. {variable} {problem}. Required is {required}.",
            sdks::names(sdks)
        )))
        .presented(presented)
        .required(*required);
    // Others may live by it: without the agent's address, or a server's, nobody has credentials.
    let is_address = *variable == URI_VARIABLE || variable.starts_with("AWS_ENDPOINT_URL");
    let is_removable = value.is_some_and(|value| value.is_empty() || (value != "unset" && !is_address));
    let values = facts.values().with_text(slot::VALUE, *required);
    let finding = if is_removable {
        let values = values.with(slot::VARIABLE, *variable, Word::variable_name(variable));
        finding.steps(&values, &[&common::SEE_VARIABLES, &texts::CORRECT_TO, &texts::REMOVE_UNNEEDED])
    } else {
        finding.steps(&values, &[&common::SEE_VARIABLES, &texts::OTHER_SDK])
    };
    weighed(facts, sdks, finding)
}

/// Without an SDK that was named, all are possible and none is certain: where nobody has credentials, what some SDKs would
/// do besides is a note.
pub(super) fn weighed(facts: &Facts<'_>, stops: &[&Sdk], finding: Finding) -> Finding {
    match sdks::stated(&facts.evidence.environment) {
        Some(sdk) if stops.iter().any(|other| other.id == sdk.id) => {
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        }
        Some(_) => finding.severity(Severity::Info),
        None if facts.is_refused() || are_rare(stops) => finding.severity(Severity::Info),
        None => finding.severity(Severity::Warning),
    }
}

/// Whoever has an old major version has better reasons to leave it, and few pods have a program that is not AWS's.
pub(super) fn are_rare(sdks: &[&Sdk]) -> bool {
    sdks.iter().all(|sdk| sdk.kind != Kind::Current)
}
