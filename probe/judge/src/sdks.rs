//! Which provider each SDK picks in this environment, why, and what it does if that provider fails. Pure.
//! `table` has the SDKs, `sts` whom they call, `proxy` which way they take. `page` and `judge::shadow` present the result.

mod aliases;
mod base;
mod caveat;
mod effective;
mod page;
mod present;
mod proxy;
mod sdk;
mod stop;
mod sts;
mod table;
#[cfg(test)]
mod tests;
mod third_party;
mod view;

use crate::catalog::Class;
use crate::evidence::Environment;
use crate::options::{Mechanism, SdkName};
use aliases::{ALIASES, Alias};
use present::present;
use sdk::OnError;
use serde::Serialize;

pub(crate) use effective::is_same_file;
pub use effective::{EffectiveSettings, route};
pub use page::{Page, text};
pub use proxy::{Way, agent_proxied_by, way};
pub use sdk::Sdk;
pub(crate) use sdk::{Kind, Proxying};
pub use stop::Stop;
pub(crate) use stop::{IPV6_MODE, THE_PROFILE, all as all_stops};
pub use sts::{Call, OWN_DEFAULT, call};
pub use table::SDKS;

/// A provider of credentials in an SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Keys,
    /// A profile of any kind.
    Profile,
    /// A profile that assumes a role.
    ProfileAssumeRole,
    /// A profile with a token file.
    ProfileWebIdentity,
    /// A profile with an SSO session.
    ProfileSso,
    /// A profile with keys.
    ProfileKeys,
    /// A profile with a login session.
    ProfileLogin,
    /// A profile that runs a command.
    ProfileProcess,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`: IRSA.
    WebIdentity,
    /// The container variables: Pod Identity.
    Container,
    /// Instance metadata: the node's role.
    Imds,
}

impl Provider {
    /// The name in JSON.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Profile => "profile",
            Self::ProfileAssumeRole => "profile-assume-role",
            Self::ProfileWebIdentity => "profile-web-identity",
            Self::ProfileSso => "profile-sso",
            Self::ProfileKeys => "profile-keys",
            Self::ProfileLogin => "profile-login",
            Self::ProfileProcess => "profile-process",
            Self::WebIdentity => "web-identity",
            Self::Container => "container",
            Self::Imds => "imds",
        }
    }

    /// The name in a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Keys => "keys in the environment",
            Self::Profile => "a profile",
            Self::ProfileAssumeRole => "a profile that assumes a role",
            Self::ProfileWebIdentity => "a profile's web identity",
            Self::ProfileSso => "a profile's SSO session",
            Self::ProfileKeys => "a profile's keys",
            Self::ProfileLogin => "a profile's login session",
            Self::ProfileProcess => "a profile's credential process",
            Self::WebIdentity => "web identity (IRSA)",
            Self::Container => "the container endpoint (Pod Identity)",
            Self::Imds => "the node's role (IMDS)",
        }
    }

    /// Whether it is a profile of any kind.
    #[must_use]
    pub fn is_profile(self) -> bool {
        matches!(
            self,
            Self::Profile
                | Self::ProfileAssumeRole
                | Self::ProfileWebIdentity
                | Self::ProfileSso
                | Self::ProfileKeys
                | Self::ProfileLogin
                | Self::ProfileProcess
        )
    }

    /// Whether a pod with this mechanism is meant to use it.
    #[must_use]
    pub fn is_of(self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Irsa => matches!(self, Self::WebIdentity | Self::ProfileWebIdentity),
            Mechanism::PodIdentity => self == Self::Container,
            Mechanism::None => false,
        }
    }
}

/// A provider that is configured here, and the names of the variables and settings that configure it, never their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Present {
    /// The step of the SDK's order.
    pub provider: Provider,
    /// The variables or settings that configure it.
    pub because: Vec<&'static str>,
    /// The profile that has these settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Why it cannot work although the SDK picks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

impl Present {
    /// The names in a sentence: `AWS_ROLE_ARN and …`, `credential_process of profile shop`.
    #[must_use]
    pub fn because(&self) -> String {
        let names = joined(&self.because);
        match &self.profile {
            Some(profile) => format!("{names} of profile {profile}"),
            None => names,
        }
    }
}

/// What an SDK does if the provider that it picked fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum OnFailure {
    /// The SDK fails too.
    Stops,
    /// The SDK tries the next one.
    GoesOn {
        /// The next one.
        to: Provider,
    },
    /// There is no other provider to try.
    HasNoOther,
    /// The SDK only warns, and calls without credentials.
    Warns,
}

/// What one SDK does in this environment.
#[derive(Debug)]
pub struct SdkChain {
    /// Which SDK.
    pub sdk: &'static Sdk,
    /// In the SDK's order; the first is picked.
    pub providers: Vec<Present>,
    /// What it does if the provider that it picks fails.
    pub on_failure: OnFailure,
    /// Values at which it stops, before any provider or at the one that it picks.
    pub stops: Vec<&'static Stop>,
}

impl SdkChain {
    /// The provider that it picks. `None`: it finds none, or stops before it looks.
    #[must_use]
    pub fn picks(&self) -> Option<&Present> {
        self.providers.first().filter(|_| !self.stops_early())
    }

    fn stops_early(&self) -> bool {
        self.stops.iter().any(|stop| stop.at.is_none())
    }

    /// The provider whose credentials it has in the end. `None`: it has none.
    fn succeeds_with(&self) -> Option<Provider> {
        let picked = self.picks()?;
        match (&picked.broken, &self.on_failure) {
            (None, _) => Some(picked.provider),
            (Some(_), OnFailure::GoesOn { to }) => Some(*to),
            (Some(_), _) => None,
        }
    }
}

/// All SDKs in this environment, in the table's order.
#[must_use]
pub fn chain(environment: &Environment) -> Vec<SdkChain> {
    SDKS.iter().map(|sdk| chain_of(sdk, environment)).collect()
}

/// One SDK in this environment.
#[must_use]
pub fn chain_of(sdk: &'static Sdk, environment: &Environment) -> SdkChain {
    let view = view::as_read(sdk, environment);
    let mut providers: Vec<Present> = Vec::new();
    for step in sdk.order {
        let Some(found) = present(sdk, *step, environment, &view) else { continue };
        if !providers.iter().any(|known| known.provider == found.provider) {
            providers.push(found);
        }
    }
    if sdk.container_excludes_imds && providers.iter().any(|it| it.provider == Provider::Container) {
        providers.retain(|it| it.provider != Provider::Imds);
    }
    let on_failure = on_failure(sdk, &providers);
    let picked = providers.first().filter(|picked| picked.broken.is_some()).map(|picked| picked.provider);
    let stops = stop::stops(sdk, environment).filter(|stop| stop.at.is_none() || stop.at == picked).collect();
    SdkChain { sdk, providers, on_failure, stops }
}

fn on_failure(sdk: &Sdk, providers: &[Present]) -> OnFailure {
    let Some((picked, others)) = providers.split_first() else { return OnFailure::HasNoOther };
    match (sdk.on_error, others.iter().find(|other| other.broken.is_none())) {
        (OnError::StopsButWarns, _) if picked.provider == Provider::Container => OnFailure::Warns,
        (OnError::Stops | OnError::StopsButWarns, _) => OnFailure::Stops,
        (OnError::GoesOn, Some(next)) => OnFailure::GoesOn { to: next.provider },
        (OnError::GoesOn, None) => OnFailure::HasNoOther,
    }
}

/// The SDK with this id or name, or the SDK of the program with this name.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Sdk> {
    let named = |sdk: &&Sdk| {
        let is_named = |name: &&str| match name.strip_suffix('*') {
            Some(start) => id.starts_with(start),
            None => name.eq_ignore_ascii_case(id),
        };
        sdk.id.eq_ignore_ascii_case(id) || sdk.names.iter().chain(sdk.packages).any(is_named)
    };
    let by_alias = || {
        let alias = ALIASES.iter().find(|alias| alias.name.eq_ignore_ascii_case(id))?;
        SDKS.iter().find(|sdk| sdk.id == alias.sdk)
    };
    SDKS.iter().find(named).or_else(by_alias)
}

/// Similar names, for a name that does not exist.
#[must_use]
pub fn similar(given: &str) -> Vec<&'static str> {
    let given = given.to_ascii_lowercase();
    let is_similar = |name: &&str| {
        let name = name.to_ascii_lowercase();
        distance(&given, &name) <= 2 || (given.len() > 2 && (name.contains(&given) || given.contains(&name)))
    };
    let names = SDKS.iter().map(|sdk| sdk.id).chain(ALIASES.iter().map(|alias| alias.name));
    names.filter(is_similar).take(5).collect()
}

/// The edit distance, in bytes.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in (1..).zip(one.bytes()) {
        let mut diagonal = std::mem::replace(&mut row[0], line);
        for (column, b) in other.bytes().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = change.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

fn programs(sdk: &Sdk) -> impl Iterator<Item = &'static Alias> {
    ALIASES.iter().filter(|alias| alias.sdk == sdk.id)
}

/// The SDK of an application, if its command leaves only one.
#[must_use]
fn by_command(command: &str) -> Option<&'static Sdk> {
    let starts = |prefix: &str| command.starts_with(prefix);
    // `node`, `java`, `dotnet` and `aws` each have two SDKs, and a Go program can have any name.
    if starts("python") || starts("gunicorn") || starts("celery") {
        by_id("botocore")
    } else if starts("ruby") || starts("puma") {
        by_id("ruby")
    } else if starts("php") {
        by_id("php")
    } else {
        None
    }
}

/// Resolves `--sdk=auto` to an id if the command determines it.
#[must_use]
pub fn resolved(asked: Option<SdkName>, command: Option<&str>) -> Option<SdkName> {
    let told = command.filter(|_| asked == Some(SdkName::Auto)).and_then(by_command);
    told.map_or(asked, |sdk| Some(SdkName::Named(sdk.id.to_owned())))
}

/// The SDK that `--sdk` names. `None`: none, or `auto`.
#[must_use]
pub fn stated(environment: &Environment) -> Option<&'static Sdk> {
    named(environment.options.sdk.as_ref()?)
}

/// Since which version the stated SDK takes the mechanism, and what is special about it or about the program that was named.
#[must_use]
pub(crate) fn since(environment: &Environment, mechanism: Mechanism) -> Option<String> {
    let sdk = stated(environment)?;
    let (words, version) = match mechanism {
        Mechanism::Irsa => ("IRSA", sdk.min_version.irsa),
        Mechanism::PodIdentity => ("EKS Pod Identity", sdk.min_version.pod_identity),
        Mechanism::None => return None,
    };
    let since = (!["any", "unknown", "none"].contains(&version))
        .then(|| format!("{} takes {words} since {version}", joined(sdk.names)));
    let program = match &environment.options.sdk {
        Some(SdkName::Named(name)) => ALIASES.iter().find(|alias| alias.name.eq_ignore_ascii_case(name)),
        _ => None,
    };
    let program = program.filter(|alias| !alias.note.is_empty() && alias.note != "not run");
    let program = program.map(|alias| format!("{}: {}", alias.name, alias.note.replace("; ", ", ")));
    let parts: Vec<String> = since.into_iter().chain(program).collect();
    (!parts.is_empty()).then(|| parts.join(". "))
}

/// The SDK with that name. `None`: `auto`, or there is none.
#[must_use]
pub fn named(name: &SdkName) -> Option<&'static Sdk> {
    match name {
        SdkName::Auto => None,
        SdkName::Named(id) => by_id(id),
    }
}

/// Whether the SDK that `--sdk` names reads the variable. Without `--sdk`, any SDK may read it.
#[must_use]
pub(crate) fn is_read(environment: &Environment, variable: &str) -> bool {
    stated(environment).is_none_or(|sdk| !sdk.unread.iter().copied().flatten().any(|name| *name == variable))
}

/// The names of these SDKs in a sentence, or `every SDK except …` if that is shorter.
#[must_use]
pub fn names(sdks: &[&Sdk]) -> String {
    let of = |sdks: &mut dyn Iterator<Item = &Sdk>| -> Vec<&'static str> {
        sdks.flat_map(|sdk| sdk.names).copied().collect()
    };
    enumerate(&of(&mut sdks.iter().copied()), &of(&mut SDKS.iter()))
}

/// A sentence about these SDKs that fits the first line of a report of this class: with their names, else with their number.
pub(crate) fn sentence(class: Class, sdks: &[&Sdk], of: &dyn Fn(&str) -> String) -> String {
    let whole = of(&names(sdks));
    let count = sdks.iter().map(|sdk| sdk.names.len()).sum::<usize>();
    if count == 1 || whole.chars().count() <= room(class) {
        return whole;
    }
    of(&format!("{count} SDKs"))
}

/// How many characters of a first line the mark and the class, or `ready 0, but`, leave.
pub(crate) fn room(class: Class) -> usize {
    96 - "ready 0, but ".len().max(class.id().len() + " 00: ".len())
}

/// The verb after names: singular after one name and after `every`.
pub(crate) fn verb<'v>(names: &str, singular: &'v str, plural: &'v str) -> &'v str {
    let several = names.contains(" and ") || names.ends_with(" SDKs");
    if names.starts_with("every ") || !several { singular } else { plural }
}

fn enumerate(named: &[&str], all: &[&str]) -> String {
    let others: Vec<&str> = all.iter().filter(|name| !named.contains(name)).copied().collect();
    match others.as_slice() {
        [] => "every SDK".to_owned(),
        others if others.len() <= 3 && named.len() > 3 => format!("every SDK except {}", joined(others)),
        _ => joined(named),
    }
}

fn joined(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}
