//! Judges values at which SDKs stop, before they look for credentials or at the provider that they pick. Pure.
//! What one SDK refuses another takes: the finding names who stops, and is an error where such a one is stated.

use super::facts::Facts;
use crate::catalog::texts::{agent as texts_of_agent, common, environment as texts, outcome};
use crate::catalog::{Class, Restart};
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
    let names = sdks::names(sdks);
    let stops = sdks::verb(&names, "stops", "stop");
    let problem = if stops == "stops" { problem.replace("they ", "it ") } else { (*problem).to_owned() };
    let problem = problem.replace("it take ", "it takes ").replace("it do not", "it does not");
    let value = facts.evidence.environment.variables.get(*variable).map(String::as_str);
    let shown = told(facts, sdks);
    let whole = sdks::sentence(Class::SettingsInvalid, &shown, &|sdks| {
        format!("{sdks} {}: {variable} {problem}", sdks::verb(sdks, "stops", "stop"))
    });
    let half =
        [("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
            .into_iter()
            .find(|(missing, _)| variable == missing && value.is_none_or(|value| value == "unset"));
    let whole = match half {
        Some((missing, present)) => sdks::sentence(Class::SettingsInvalid, &shown, &|sdks| {
            format!("{present} is set without {missing}: {sdks} {}", sdks::verb(sdks, "stops", "stop"))
        }),
        None => whole,
    };
    let summary = if half.is_some() || whole.chars().count() <= sdks::room(Class::SettingsInvalid) {
        whole
    } else {
        let at = if value.is_some_and(|value| value != "unset") { "at the value of" } else { "without" };
        sdks::sentence(Class::SettingsInvalid, &shown, &|sdks| {
            format!("{sdks} {} {at} {variable}", sdks::verb(sdks, "stops", "stop"))
        })
    };
    let presented = match value {
        None if *variable == sdks::THE_PROFILE => "half of a pair of keys in a profile".to_owned(),
        Some("unset") | None => format!("no {variable}"),
        Some("empty" | "") => format!("{variable}="),
        Some(value) => format!("{variable}={value}"),
    };
    let subject = if *variable == sdks::THE_PROFILE { "The profile" } else { *variable };
    let finding = Finding::new(Class::SettingsInvalid, plain(&summary))
        .explains_nothing()
        .why(plain(&format!("{names} {stops} {}. {subject} {problem}. Needed: {required}.", stop.place())))
        .presented(presented)
        .required(*required);
    // Others may live by it: without the agent's address, or a server's, nobody has credentials.
    let is_address = *variable == URI_VARIABLE || variable.starts_with("AWS_ENDPOINT_URL");
    let is_removable = value.is_some_and(|value| value.is_empty() || (value != "unset" && !is_address));
    let values = facts.values().with_text(slot::VALUE, *required);
    let finding = if is_removable {
        let values = values.with(slot::VARIABLE, *variable, Word::variable_name(variable));
        finding.steps(&values, &[&common::SEE_VARIABLES, &texts::CORRECT_TO, &texts::REMOVE_UNNEEDED])
    } else if *required == sdks::IPV6_MODE {
        finding.steps(&values, &[&common::SEE_VARIABLES, &texts_of_agent::SET_IPV6_MODE])
    } else if *variable == sdks::THE_PROFILE {
        let profile = facts.evidence.environment.profile.as_ref();
        let name = profile.map_or("default", |profile| profile.name.as_str());
        finding
            .restart(Restart::Container)
            .steps(&values.with_text(slot::VALUE, name), &[&common::SEE_VARIABLES, &outcome::COMPLETE_KEYS])
    } else {
        finding.steps(&values, &[&common::SEE_VARIABLES, &texts::OTHER_SDK])
    };
    // The text of a file that is there is read again by a container that starts again.
    let idle = &facts.evidence.environment.trust_idle;
    let of_a_file = *variable == "SSL_CERT_FILE"
        && idle.iter().any(|it| !it.own && it.errno.is_none() && it.source.starts_with("SSL_CERT_FILE=/"));
    let finding = if of_a_file { finding.restart(Restart::Container) } else { finding };
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

/// Those that a sentence names: the one that is stated, where it is among them.
pub(super) fn told<'s>(facts: &Facts<'_>, sdks: &[&'s Sdk]) -> Vec<&'s Sdk> {
    let stated = sdks::stated(&facts.evidence.environment);
    let of_it: Vec<&Sdk> =
        sdks.iter().copied().filter(|sdk| stated.is_some_and(|stated| stated.id == sdk.id)).collect();
    if of_it.is_empty() { sdks.to_vec() } else { of_it }
}

/// Whoever has an old major version has better reasons to leave it, and few pods have a program that is not AWS's.
pub(super) fn are_rare(sdks: &[&Sdk]) -> bool {
    sdks.iter().all(|sdk| sdk.kind != Kind::Current)
}
