//! Judges whether another provider wins before the expected one, and in which SDKs. Pure.
//! Who picks what, `chain` says.

use super::facts::Facts;
use super::profile::{self, Beginning};
use super::values::told;
use crate::catalog::texts::{common, environment as texts};
use crate::catalog::{Class, Restart};
use crate::evidence::Environment;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::options::Mechanism;
use crate::sdks::{self, Kind, Present, Provider, Sdk};
use crate::settings::command::Word;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::text::plain;
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
    let whose = named(facts, &first.wins);
    let finding = Finding::new(
        Class::Shadowed,
        sdks::sentence(Class::Shadowed, &told(facts, &first.sdks), &|sdks| {
            format!("not used: {whose} comes first in {sdks}")
        }),
    )
    .presented(joined(rivals.values().map(|rival| presented(&rival.wins)), "; "))
    .required(format!("{expected} first, by {}", first.expected.because()))
    .why(why(facts, &rivals));
    let finding = weigh(environment, &affected, finding);
    let finding = repair(facts, &first.wins, finding);
    let others = joined(rivals.values().skip(1).map(|rival| named(facts, &rival.wins)), " and ");
    let values = facts.values().with_text(slot::VALUE, &others);
    let also: &[&Template] = if others.is_empty() { &[] } else { &[&texts::ALSO_TAKE_OUT] };
    Some(finding.steps(&values, also))
}

/// A provider by what names it, as the person knows it who wrote it.
fn named(facts: &Facts<'_>, wins: &Present) -> String {
    match wins.provider {
        Provider::Keys => "AWS_ACCESS_KEY_ID".to_owned(),
        Provider::WebIdentity => "IRSA".to_owned(),
        Provider::Container => "EKS Pod Identity".to_owned(),
        _ => format!("profile {}", profile_name(facts)),
    }
}

fn profile_name<'f>(facts: &Facts<'f>) -> &'f str {
    facts.evidence.environment.profile.as_ref().map_or("default", |profile| profile.name.as_str())
}

fn mechanism_words(facts: &Facts<'_>) -> &'static str {
    if facts.by_agent() { "EKS Pod Identity" } else { "IRSA" }
}

fn why(facts: &Facts<'_>, rivals: &BTreeMap<Provider, Rival>) -> String {
    let expected = match (crate::judge::issued(facts.evidence), facts.role, facts.account()) {
        (true, Some(role), Some(account)) => format!(
            "{} works: role {} answers to {}/{}.",
            mechanism_words(facts),
            role.name,
            account.namespace,
            account.name
        ),
        (true, ..) => format!("{} works.", mechanism_words(facts)),
        (false, ..) => format!("{} is expected.", mechanism_words(facts)),
    };
    let first = rivals.values().map(|rival| {
        let names = sdks::names(&rival.sdks);
        let broken = match rival.wins.broken.as_deref() {
            Some(why) => format!(", and {}: {}", sdks::verb(&names, "fails", "fail"), plain(why)),
            None => String::new(),
        };
        format!("{names} {} {} first{broken}", sdks::verb(&names, "takes", "take"), plain(&by(&rival.wins)))
    });
    let keys = rivals.get(&Provider::Keys).is_some_and(|rival| rival.wins.broken.is_none());
    let then = if keys { " The app then runs with the permissions of these keys." } else { "" };
    format!("{expected} But {}.{then}", joined(first, ", "))
}

/// A provider and what names it.
fn by(wins: &Present) -> String {
    match wins.provider {
        Provider::Keys if wins.broken.is_some() => "keys of the environment".to_owned(),
        Provider::Keys => format!("the keys in {}", wins.because()),
        provider => format!("{}, from {}", provider.words(), wins.because()),
    }
}

/// The stated SDK would never take what the pod is given.
fn not_looked_for(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let sdk = sdks::stated(environment)?;
    let mechanism = facts.requested.mechanism;
    let complete =
        facts.requested.token_file.is_some() && (facts.by_agent() || facts.requested.role_arn.is_some());
    let chain = facts.chains().iter().find(|chain| chain.sdk.id == sdk.id)?;
    // One that fails is looked for all the same: why it fails is told elsewhere.
    let is_looked_for =
        chain.providers.iter().any(|it| it.provider.is_of(mechanism)) || !chain.stops.is_empty();
    if mechanism == Mechanism::None || !complete || is_looked_for {
        return None;
    }
    let expected = if facts.by_agent() { Provider::Container } else { Provider::WebIdentity };
    let other = chain.providers.iter().find(|it| it.broken.is_none());
    let takes = other.map_or("nothing".to_owned(), |other| other.provider.words().to_owned());
    let name = sdks::names(&[sdk]);
    let values = facts.values().with_text(slot::VALUE, mechanism_words(facts));
    Some(
        Finding::new(Class::Shadowed, format!("not used: {name} does not take {}", mechanism_words(facts)))
            .severity(Severity::Error)
            .expectation(Basis::Explicit)
            .presented(format!(
                "--sdk={}",
                environment.options.sdk.as_ref().map_or_else(String::new, ToString::to_string)
            ))
            .required(format!("an SDK that looks for {}", expected.words()))
            .why(format!(
                "The pod is given {}. {name}, which --sdk states, does not look for it and takes {}.",
                mechanism_words(facts),
                plain(&takes)
            ))
            .steps(&values, &[&texts::SEE_CHAIN, &texts::GIVE_OTHER_MECHANISM]),
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
    let values = facts.values();
    let see = &common::SEE_VARIABLES;
    match wins.provider {
        Provider::Keys => {
            let is_set = |name: &&str| environment.get(name) == Some("set");
            let more = ["AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"].iter().any(is_set);
            let unset = if more { &texts::UNSET_ALL_KEYS } else { &texts::UNSET_KEYS };
            finding.restart(Restart::Pod).steps(&values, &[see, &texts::KEYS_IN_SECRET, unset])
        }
        Provider::WebIdentity => {
            finding.restart(Restart::Pod).steps(&values, &[see, &texts::IRSA_IS_MEANT, &texts::UNSET_IRSA])
        }
        Provider::Container => finding
            .restart(Restart::Pod)
            .steps(&values, &[see, &texts::POD_IDENTITY_IS_MEANT, &texts::LEAVE_OUT_AGENT]),
        _ if profile::beginning(facts) == Some(Beginning::OtherRole) => {
            finding.restart(Restart::Container).steps(&values, &[&texts::CORRECT_HOP])
        }
        _ => {
            let values = values.with_text(slot::VALUE, format!("profile {}", profile_name(facts)));
            let names = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
            match names.into_iter().find(|name| environment.get(name).is_some()) {
                Some(name) => finding.steps(
                    &values.with(slot::VARIABLE, name, Word::variable_name(name)),
                    &[see, &texts::CORRECT_PROFILE_FILE, &texts::UNSET_PROFILE],
                ),
                None => {
                    finding.restart(Restart::Container).steps(&values, &[see, &texts::TAKE_OUT_OF_PROFILE])
                }
            }
        }
    }
}

fn joined(texts: impl Iterator<Item = String>, between: &str) -> String {
    texts.collect::<Vec<String>>().join(between)
}
