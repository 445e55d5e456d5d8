//! Whether a step of an SDK's order is configured in an environment, and by which names. Pure.
//! Reads names and kinds only: the evidence has no credential's value.

use super::sdk::{Half, Sdk};
use super::{Present, Provider};
use crate::evidence::{Environment, Profile};

/// What the step finds.
pub(super) fn present(sdk: &Sdk, step: Provider, environment: &Environment) -> Option<Present> {
    match step {
        Provider::Keys => keys(sdk, environment),
        Provider::WebIdentity => web_identity(sdk, environment),
        Provider::Container => container(sdk, environment),
        Provider::Imds => {
            let off = environment.is_true("AWS_EC2_METADATA_DISABLED") && !sdk.quirks.metadata_always;
            (!off).then(|| found(Provider::Imds, &[]))
        }
        step => profile(step, environment.profile.as_ref()?),
    }
}

fn found(provider: Provider, because: &[&'static str]) -> Present {
    Present { provider, because: because.to_vec(), profile: None, broken: None }
}

fn keys(sdk: &Sdk, environment: &Environment) -> Option<Present> {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
    if sdk.quirks.profile_hides_keys && environment.get("AWS_PROFILE").is_some() {
        return None;
    }
    // Credentials are kept as `set` and `unset`.
    let is_set = |name: &str| environment.get(name) == Some("set");
    match (is_set(ID), is_set(SECRET)) {
        (true, true) => Some(found(Provider::Keys, &[ID, SECRET])),
        (true, false) if sdk.quirks.half_keys_stop => Some(Present {
            broken: Some("AWS_SECRET_ACCESS_KEY is not set: PartialCredentialsError"),
            ..found(Provider::Keys, &[ID])
        }),
        _ => None,
    }
}

fn web_identity(sdk: &Sdk, environment: &Environment) -> Option<Present> {
    const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    const ROLE: &str = "AWS_ROLE_ARN";
    let file = environment.get(FILE).is_some();
    match environment.get(ROLE) {
        Some(_) if file => Some(found(Provider::WebIdentity, &[FILE, ROLE])),
        None if file && sdk.half == Half::Stops => Some(Present {
            broken: Some("AWS_ROLE_ARN is not set: InvalidConfigError"),
            ..found(Provider::WebIdentity, &[FILE])
        }),
        _ if sdk.quirks.web_identity_of_profile => {
            profile(Provider::ProfileWebIdentity, environment.profile.as_ref()?)
        }
        _ => None,
    }
}

fn container(sdk: &Sdk, environment: &Environment) -> Option<Present> {
    const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let is_set = |name: &str| environment.get(name).is_some();
    let full = is_set(FULL) && (!sdk.quirks.full_uri_needs_file || is_set(FILE));
    let both = is_set(RELATIVE) && full;
    let uri = match (is_set(RELATIVE), full) {
        (true, _) if !(both && sdk.container.both_uris == "full") => RELATIVE,
        (_, true) => FULL,
        _ => return None,
    };
    let names = [uri, FILE];
    Some(found(Provider::Container, if is_set(FILE) { &names } else { &names[..1] }))
}

fn profile(step: Provider, profile: &Profile) -> Option<Present> {
    let kinds = kinds(profile);
    let (kind, keys) = kinds.into_iter().find(|(kind, _)| step == Provider::Profile || step == *kind)?;
    Some(Present { profile: Some(profile.name.clone()), ..found(kind, &keys) })
}

/// What a profile can give, and by which settings; most SDKs look for a role before keys.
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
        // Of boto3 a role without a source counts, and fails.
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
