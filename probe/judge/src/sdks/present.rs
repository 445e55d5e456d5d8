//! Whether a step of an SDK's order is configured in an environment, and by which names. Pure.
//! Reads only names and kinds, because the evidence has no value of a credential.

use super::sdk::{MetadataOff, Sdk};
use super::{Present, Provider, stop, sts};
use crate::evidence::{Environment, Profile};
use crate::settings::RouteProblem;

/// The provider of a step, if it is configured. `view`: the environment as this SDK reads it.
pub(super) fn present(
    sdk: &Sdk,
    step: Provider,
    environment: &Environment,
    view: &Environment,
) -> Option<Present> {
    let found = match step {
        Provider::Keys => keys(sdk, view),
        Provider::WebIdentity => web_identity(sdk, view),
        Provider::Container => container(sdk, view),
        Provider::Imds => imds(sdk, view),
        step => profile(sdk, step, view),
    };
    let provider = found.as_ref().map_or(step, |found| found.provider);
    let mut stops = stop::stops(sdk, environment).filter(|stop| stop.at == Some(provider));
    let Some(stop) = stops.find(|stop| found.is_some() || stop.picked) else {
        return found.map(|found| without_region(sdk, view, found));
    };
    let found = found.unwrap_or_else(|| Present { because: vec![stop.variable], ..named(provider, &[]) });
    Some(Present { broken: Some(stop.why()), ..found })
}

fn named(provider: Provider, because: &[&'static str]) -> Present {
    Present { provider, because: because.to_vec(), profile: None, broken: None }
}

/// Marks web identity as broken if no STS host can be chosen: it then fails before it calls any host.
fn without_region(sdk: &Sdk, view: &Environment, mut found: Present) -> Present {
    let asks = matches!(found.provider, Provider::WebIdentity | Provider::ProfileWebIdentity);
    let route = sdk.sts.as_ref().filter(|_| asks).map(|sts| sts::route(sts, view));
    if route.is_some_and(|route| route.endpoint == Err(RouteProblem::NoRegion)) {
        found.broken = Some("nothing names a region".to_owned());
    }
    found
}

fn keys(sdk: &Sdk, view: &Environment) -> Option<Present> {
    if sdk.quirks.profile_hides_keys && view.get("AWS_PROFILE").is_some() {
        return None;
    }
    // Evidence has credentials only as `set`, `empty` and `unset`.
    let one = |name: &'static str, old: &'static str| {
        let old = sdk.quirks.old_key_names.then_some(old);
        std::iter::once(name).chain(old).find(|name| view.get(name) == Some("set"))
    };
    let id = one("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")?;
    let secret = one("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")?;
    Some(named(Provider::Keys, &[id, secret]))
}

fn web_identity(sdk: &Sdk, view: &Environment) -> Option<Present> {
    const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    const ROLE: &str = "AWS_ROLE_ARN";
    match (view.get(FILE), view.get(ROLE)) {
        (Some(_), Some(_)) => Some(named(Provider::WebIdentity, &[FILE, ROLE])),
        _ if sdk.quirks.web_identity_of_profile => profile(sdk, Provider::ProfileWebIdentity, view),
        _ => None,
    }
}

fn container(sdk: &Sdk, view: &Environment) -> Option<Present> {
    const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let is_set = |name: &str| view.get(name).is_some();
    let full = is_set(FULL) && (!sdk.quirks.full_uri_needs_file || is_set(FILE));
    let both = is_set(RELATIVE) && full;
    let uri = match (is_set(RELATIVE), full) {
        (true, _) if !(both && sdk.container.both_uris == "full") => RELATIVE,
        (_, true) => FULL,
        _ => return None,
    };
    let names = [uri, FILE];
    Some(named(Provider::Container, if is_set(FILE) { &names } else { &names[..1] }))
}

fn imds(sdk: &Sdk, view: &Environment) -> Option<Present> {
    let value = view.get("AWS_EC2_METADATA_DISABLED");
    let off = match sdk.quirks.metadata_off {
        MetadataOff::True => value.is_some_and(|value| value.eq_ignore_ascii_case("true")),
        MetadataOff::NotFalse => value.is_some_and(|value| value != "false"),
        MetadataOff::Never => false,
    };
    (!off).then(|| named(Provider::Imds, &[]))
}

fn profile(sdk: &Sdk, step: Provider, view: &Environment) -> Option<Present> {
    let profile = view.profile.as_ref()?;
    let needs_source = sdk.quirks.role_needs_source;
    let has_keys =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].iter().all(|name| view.get(name) == Some("set"));
    let of_nobody =
        !has_keys && profile.settings.get("credential_source").is_some_and(|source| source == "Environment");
    let gives_nothing = |kind: Provider, keys: &[&str]| {
        needs_source && kind == Provider::ProfileAssumeRole && (of_nobody || keys == ["role_arn"])
    };
    let mut kinds = kinds(profile).into_iter().filter(|(kind, keys)| !gives_nothing(*kind, keys));
    let (kind, keys) = kinds.find(|(kind, _)| step == Provider::Profile || step == *kind)?;
    Some(Present { profile: Some(profile.name.clone()), ..named(kind, &keys) })
}

/// The providers that a profile configures, with their settings. Most SDKs look for a role before keys.
fn kinds(profile: &Profile) -> Vec<(Provider, Vec<&'static str>)> {
    let has =
        |key: &str| profile.settings.contains_key(key) || profile.other_keys.iter().any(|other| other == key);
    let kinds: [(Provider, &[&[&'static str]]); 7] = [
        (Provider::ProfileWebIdentity, &[&["role_arn", "web_identity_token_file"]]),
        (Provider::ProfileAssumeRole, &[&["role_arn", "source_profile"], &["role_arn", "credential_source"]]),
        (Provider::ProfileSso, &[&["sso_session"], &["sso_account_id"]]),
        (Provider::ProfileKeys, &[&["aws_access_key_id", "aws_secret_access_key"]]),
        (Provider::ProfileLogin, &[&["login_session"]]),
        (Provider::ProfileProcess, &[&["credential_process"]]),
        // boto3 counts a role without a source, and fails.
        (Provider::ProfileAssumeRole, &[&["role_arn"]]),
    ];
    let complete = |sets: &[&'static [&'static str]]| {
        sets.iter().find(|set| set.iter().all(|key| has(key))).map(|set| set.to_vec())
    };
    let web_identity = has("web_identity_token_file");
    kinds
        .into_iter()
        .filter(|(kind, _)| *kind != Provider::ProfileAssumeRole || !web_identity)
        .filter_map(|(kind, sets)| Some((kind, complete(sets)?)))
        .collect()
}
