//! The environment as one SDK reads it: with the profile that it considers active, without what it does not read. Pure.
//! Removes what `Sdk::unread` lists, so that the rules that follow are the same for all SDKs.

use super::sdk::{Files, Sdk};
use crate::evidence::{Environment, Profile};
use std::borrow::Cow;

pub(super) fn as_read<'e>(sdk: &Sdk, environment: &'e Environment) -> Cow<'e, Environment> {
    let mut view = Cow::Borrowed(environment);
    choose_profile(sdk, environment, &mut view);
    let unread = sdk.unread.iter().copied().flatten().filter(|name| is_said(&view, name));
    let other = SWITCHES.iter().filter(|name| {
        sdk.quirks.true_in_lower_case && environment.get(name).is_some_and(|value| value != "true")
    });
    let forgotten: Vec<&str> = unread.chain(other).copied().collect();
    for name in forgotten {
        let view = view.to_mut();
        view.variables.remove(name);
        if let Some(profile) = &mut view.profile {
            profile.settings.remove(name);
        }
    }
    view
}

/// The variable that names the profile, among those that this SDK reads.
pub(super) fn profile_variable(sdk: &Sdk, environment: &Environment) -> Option<&'static str> {
    sdk.profile_variables.iter().copied().find(|name| environment.get(name).is_some())
}

const SWITCHES: &[&str] =
    &["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"];

fn is_said(environment: &Environment, name: &str) -> bool {
    environment.variables.contains_key(name)
        || environment.profile.as_ref().is_some_and(|profile| profile.settings.contains_key(name))
}

fn choose_profile<'e>(sdk: &Sdk, environment: &'e Environment, view: &mut Cow<'e, Environment>) {
    let named = profile_variable(sdk, environment);
    if named == Some("AWS_DEFAULT_PROFILE") {
        view.to_mut().profile.clone_from(&environment.default_profile);
    }
    let is_set = |name: &str| environment.get(name).is_some();
    let empty = environment.variables.get("AWS_PROFILE").is_some_and(String::is_empty);
    let loaded = is_set("AWS_SDK_LOAD_CONFIG");
    let none = match sdk.files {
        Files::Neither => true,
        Files::AllIfLoaded => !loaded && is_set("AWS_SHARED_CREDENTIALS_FILE"),
        _ => sdk.quirks.empty_profile_is_none && empty && named.is_none(),
    };
    let credentials_alone = match sdk.files {
        Files::ConfigIfLoaded | Files::AllIfLoaded => !loaded,
        Files::CredentialsOnly => true,
        Files::Both | Files::Neither => false,
    };
    if view.profile.is_some() && (none || credentials_alone) {
        reduce(&mut view.to_mut().profile, none);
    }
}

/// Keeps what the credentials file has, or nothing with `none`. Always keeps the switches of the config file, which are read anyway.
fn reduce(profile: &mut Option<Profile>, none: bool) {
    let Some(kept) = profile else { return };
    let Profile { settings, other_keys, in_credentials, source, .. } = kept;
    let is_kept = |key: &str| !none && in_credentials.iter().any(|other| other == key);
    settings.retain(|key, _| is_kept(key) || key.starts_with("use_"));
    other_keys.retain(|key| is_kept(key));
    if !is_kept("source_profile") {
        *source = None;
    }
}
