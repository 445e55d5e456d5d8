//! Judges whether another provider wins before the expected one, and in which SDKs. Pure.
//! Who picks what, `chain` says.

use super::facts::Facts;
use super::profile::{self, Beginning};
use crate::catalog::{Class, Restart};
use crate::evidence::Environment;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::options::Mechanism;
use crate::sdks::{self, Kind, Present, Provider, Sdk};
use crate::settings::command::words;
use std::collections::BTreeMap;

pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    if let Some(finding) = not_looked_for(facts) {
        return Some(finding);
    }
    let rivals = rivals(facts);
    let affected: Vec<&Sdk> = rivals.values().flat_map(|rival| rival.sdks.iter().copied()).collect();
    let first = rivals.values().next()?;
    let expected = first.expected.provider.words();
    let loses = rivals
        .values()
        .map(|rival| format!("to {} in {}", rival.wins.provider.words(), sdks::names(&rival.sdks)));
    let finding = Finding::new(Class::Shadowed, format!("{expected} loses {}", joined(loses, ", ")))
        .presented(joined(rivals.values().map(|rival| presented(&rival.wins)), "; "))
        .required(format!("{expected} first, by {}", first.expected.because()))
        .confirm("credprobe chain");
    let finding = weigh(environment, &affected, finding);
    Some(rivals.values().fold(finding, |finding, rival| repair(facts, &rival.wins, finding)))
}

/// The stated SDK would never take what the pod is given.
fn not_looked_for(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let sdk = sdks::stated(environment)?;
    let mechanism = facts.requested.mechanism;
    let complete =
        facts.requested.token_file.is_some() && (facts.by_agent() || facts.requested.role_arn.is_some());
    let chain = facts.chains().iter().find(|chain| chain.sdk.id == sdk.id)?;
    let usable = |it: &&Present| it.provider.is_of(mechanism) && it.broken.is_none();
    let is_looked_for = chain.providers.iter().any(|it| usable(&it)) || !chain.stops.is_empty();
    if mechanism == Mechanism::None || !complete || is_looked_for {
        return None;
    }
    let expected = if facts.by_agent() { Provider::Container } else { Provider::WebIdentity };
    let other = chain.providers.iter().find(|it| it.broken.is_none());
    let takes = other.map_or("nothing".to_owned(), |other| other.provider.words().to_owned());
    Some(
        Finding::new(
            Class::Shadowed,
            format!("{} does not take {}: it takes {takes}", sdks::names(&[sdk]), expected.words()),
        )
        .severity(Severity::Error)
        .expectation(Basis::Explicit)
        .presented(format!(
            "--sdk={}",
            environment.options.sdk.as_ref().map_or_else(String::new, ToString::to_string)
        ))
        .required(format!("an SDK that looks for {}", expected.words()))
        .fix("# give the application the other mechanism, or an SDK that knows this one")
        .confirm("credprobe chain"),
    )
}

/// A provider that is picked although the expected one is configured too.
struct Rival {
    wins: Present,
    expected: Present,
    sdks: Vec<&'static Sdk>,
}

fn rivals(facts: &Facts<'_>) -> BTreeMap<Provider, Rival> {
    let chains = facts.chains();
    let mechanism = facts.requested.mechanism;
    // A profile that begins with the identity under test uses it; one that begins with nobody's fails, and says so itself.
    let beginning = profile::beginning(facts);
    let is_own = |provider: Provider| {
        provider.is_profile() && matches!(beginning, Some(Beginning::Own | Beginning::Nobody))
    };
    let mut rivals: BTreeMap<Provider, Rival> = BTreeMap::new();
    for chain in chains {
        // A profile's web identity is another's where the pod has its own in variables.
        let injected = |it: &&Present| it.provider == Provider::WebIdentity && it.provider.is_of(mechanism);
        let expected = chain.providers.iter().find(injected);
        let expected = expected.or_else(|| chain.providers.iter().find(|it| it.provider.is_of(mechanism)));
        let (Some(wins), Some(expected)) = (chain.picks(), expected) else { continue };
        if wins.provider != expected.provider && !is_own(wins.provider) {
            let rival = || Rival { wins: wins.clone(), expected: expected.clone(), sdks: Vec::new() };
            rivals.entry(wins.provider).or_insert_with(rival).sdks.push(chain.sdk);
        }
    }
    rivals
}

/// Without an SDK that was named, all are possible and none is certain.
fn weigh(environment: &Environment, affected: &[&Sdk], finding: Finding) -> Finding {
    let stated = sdks::stated(environment);
    let is_affected = stated.map(|sdk| affected.iter().any(|other| other.id == sdk.id));
    // Old major versions and other programs may not be there at all.
    let current = || sdks::SDKS.iter().filter(|sdk| sdk.kind == Kind::Current);
    let all_lose = || current().all(|sdk| affected.iter().any(|other| other.id == sdk.id));
    match is_affected {
        Some(false) => finding.severity(Severity::Info),
        Some(true) => finding.severity(Severity::Error).expectation(Basis::Explicit),
        None if environment.options.mechanism.is_some() && all_lose() => {
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        }
        None => finding,
    }
}

fn presented(wins: &Present) -> String {
    let broken = wins.broken.as_deref().map(|why| format!(", which fails: {why}")).unwrap_or_default();
    format!("{} by {}{broken}", wins.provider.words(), wins.because())
}

fn repair(facts: &Facts<'_>, wins: &Present, finding: Finding) -> Finding {
    let environment = &facts.evidence.environment;
    match wins.provider {
        Provider::Keys => {
            let names = ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"];
            let set: Vec<&str> =
                names.into_iter().filter(|name| environment.get(name) == Some("set")).collect();
            let finding = finding.fix(format!(
                "# take {} out of the container's env, and out of what envFrom names, unless they are meant:",
                set.join(", ")
            ));
            facts.unset_env(finding, &set)
        }
        Provider::WebIdentity => facts.unset_env(
            finding.fix("# take IRSA's variables out of the container's env, where Pod Identity is meant:"),
            &["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"],
        ),
        // The webhook adds neither of the pair where the pod spec has one of it (`pkg/handler`).
        Provider::Container => facts.set_env(
            finding.fix("# leave Pod Identity out of this pod, where IRSA is meant: an empty variable keeps the webhook from adding its pair:"),
            words!["AWS_CONTAINER_CREDENTIALS_FULL_URI="],
        ),
        _ if profile::beginning(facts) == Some(Beginning::OtherRole) => finding.restart(Restart::Container).fix(
            "# the profile takes the pod's own token to another role: correct its role_arn, or AWS_ROLE_ARN, whichever is not meant",
        ),
        // Files that are emptied would take regions, endpoints and other profiles from the app.
        _ => {
            let profile = environment.profile.as_ref().map_or("the profile", |profile| profile.name.as_str());
            let finding = finding.fix(format!(
                "# where profile {profile} is not meant: take its keys, its role or its process out of its file, and leave the rest of the file"
            ));
            let named: Vec<&str> = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]
                .into_iter()
                .filter(|name| environment.get(name).is_some())
                .collect();
            if named.is_empty() {
                return finding;
            }
            facts.unset_env(
                finding.fix("# where the app needs no profile by name, and the profile named default has no credentials:"),
                &named,
            )
        }
    }
}

fn joined(texts: impl Iterator<Item = String>, between: &str) -> String {
    texts.collect::<Vec<String>>().join(between)
}
