//! Observes the variables and profile settings that matter, by an allowlist of names.
//! Credentials are recorded as `set`, and the redactor knows them from then on. URLs lose user info, query and fragment.

use crate::collect;
use crate::collect::subject::Subject;
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::{Env, Fs};
pub(crate) use credprobe_judge::evidence::kept::CREDENTIALS;
use credprobe_judge::evidence::kept::{PLAIN, URLS, kept as kept_variable};
use credprobe_judge::evidence::{Environment, Profile, Unseen};
use credprobe_judge::options::Options;
use credprobe_judge::settings::{IRSA_MOUNT, POD_IDENTITY_MOUNT};
use credprobe_judge::text::redactor::Redactor;
use credprobe_judge::text::shown;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Profile settings whose values are secrets.
const PROFILE_CREDENTIALS: &[&str] = &["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// Profile settings that are kept with their values.
const PROFILE_SETTINGS: &[&str] = &[
    "credential_source",
    // The owner of the other account chooses it, and it is not a secret (IAM user guide).
    "external_id",
    "ignore_configured_endpoint_urls",
    "mfa_serial",
    "region",
    "role_arn",
    "role_session_name",
    "sts_regional_endpoints",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "web_identity_token_file",
];

/// Profile settings that are kept by name only. Each makes the profile a provider of credentials.
const PROFILE_PROVIDERS: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "credential_process",
    "login_session",
    "source_profile",
    "sso_account_id",
    "sso_session",
];

/// The variables that name the active profile.
const PROFILE_VARIABLES: &[&str] = &["AWS_DEFAULT_PROFILE", "AWS_PROFILE"];

/// How many `source_profile` links are followed. AWS assumes fewer roles in a row than that.
const CHAIN_LIMIT: usize = 8;

/// The longest profile file that is read, in bytes. Real files have a few kilobytes.
const PROFILE_FILE_LIMIT: u64 = 256 * 1024;

/// Observes the subject's settings. Adds its credentials to `redactor`.
pub async fn environment(subject: &Subject, stated: Options, redactor: &mut Redactor) -> Environment {
    let mut unseen = Vec::new();
    let mut is_dir = |path: &str| {
        collect::noted(subject.root().is_dir(path), || path.to_owned(), &mut unseen).unwrap_or_default()
    };
    let (irsa_mount, pod_identity_mount) = (is_dir(IRSA_MOUNT), is_dir(POD_IDENTITY_MOUNT));
    let mut environment =
        Environment { irsa_mount, pod_identity_mount, options: stated, ..Environment::default() };
    for name in PLAIN.iter().chain(URLS) {
        let Some(value) = subject.variable(name) else { continue };
        let text = value.to_string_lossy();
        if value.to_str().is_none() {
            environment.not_utf8.push((*name).to_owned());
        }
        if let Some((user_info, _)) = text.rsplit_once('@').filter(|_| URLS.contains(name)) {
            add(redactor, user_info.split_once("://").map_or(user_info, |(_, user_info)| user_info));
        }
        let kept = kept_variable(name, &text).unwrap_or_default();
        environment.variables.insert((*name).to_owned(), kept);
    }
    for name in CREDENTIALS {
        let value = subject.variable(name).map(|value| value.to_string_lossy());
        add(redactor, value.as_deref().unwrap_or_default());
        let state = value.and_then(|value| kept_variable(name, &value)).unwrap_or_else(|| "unset".to_owned());
        environment.variables.insert((*name).to_owned(), state);
    }
    profile(subject, redactor, &mut unseen, &mut environment).await;
    environment.unseen = unseen;
    if subject.is_seen() {
        environment.unreadable = collect::unreadable(subject);
    }
    // Without a known secret there is nothing to redact yet; the end of the run redacts everything once.
    if redactor.is_empty() { environment } else { environment.redacted(redactor) }
}

/// Adds a credential to `redactor`. A path or an ARN there is a mistake, and it is not a secret elsewhere in the report.
fn add(redactor: &mut Redactor, value: &str) {
    if !value.starts_with("arn:") && !value.starts_with("/var/run/secrets/") {
        redactor.add(value.as_bytes());
    }
}

/// Observes the active profile as aws-config reads it, from the subject's files only.
async fn profile(
    subject: &Subject,
    redactor: &mut Redactor,
    unseen: &mut Vec<Unseen>,
    environment: &mut Environment,
) {
    let home = subject.text("HOME");
    let path = |variable: &str, name: &str| {
        subject
            .text(variable)
            .map(PathBuf::from)
            .or_else(|| home.map(|home| Path::new(home).join(".aws").join(name)))
    };
    let files = [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    let credentials_path = files[1].clone().map(PathBuf::into_os_string);
    let mut contents: HashMap<OsString, Vec<u8>> = HashMap::new();
    let read = subject.with_rights(|rights| {
        let bytes = |path: &PathBuf| Some(rights.read(path.to_str()?, PROFILE_FILE_LIMIT));
        files.each_ref().map(|path| path.as_ref().and_then(bytes))
    });
    let already_unseen = unseen.len();
    for (path, read) in files.into_iter().zip(read).filter_map(|(path, read)| path.zip(read)) {
        let bytes = collect::noted(read, || path.display().to_string(), unseen);
        contents.extend(bytes.map(|bytes| (path.into_os_string(), bytes)));
    }
    let named = PROFILE_VARIABLES.iter().filter_map(|name| Some((*name, subject.variable(name)?.to_str()?)));
    let named: Vec<(&str, &str)> = named.collect();
    // A file that could not be read may contain any profile.
    let seen = unseen.len() == already_unseen;
    if contents.is_empty() {
        environment.profile_missing.extend(named.iter().filter(|_| seen).map(|(name, _)| (*name).to_owned()));
        return;
    }
    let names = ["HOME", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
    let variables: Vec<(&str, &str)> =
        names.into_iter().filter_map(|name| Some((name, subject.text(name)?))).collect();
    let credentials = contents.iter().filter(|(path, _)| credentials_path.as_ref() == Some(*path));
    let credentials = credentials.map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
    let Some(profiles) = load(contents, &variables, redactor).await else { return };
    let credentials = load(credentials, &variables, redactor).await;
    let kept = |name: &str| kept(&profiles, credentials.as_ref(), name, CHAIN_LIMIT);
    let missing = named.iter().filter(|(_, profile)| seen && profiles.get_profile(profile).is_none());
    environment.profile_missing.extend(missing.map(|(name, _)| (*name).to_owned()));
    environment.profile = kept(profiles.selected_profile());
    environment.default_profile = subject.text("AWS_DEFAULT_PROFILE").and_then(kept);
}

/// The active profile from file contents by path, and from the variables that choose among them. Pure.
#[cfg(fuzzing)]
pub(crate) async fn of_files(
    contents: HashMap<OsString, Vec<u8>>,
    variables: &[(&str, &str)],
    redactor: &mut Redactor,
) -> Option<Profile> {
    let profiles = load(contents, variables, redactor).await?;
    kept(&profiles, None, profiles.selected_profile(), CHAIN_LIMIT)
}

/// Loads all profiles and adds their secrets to `redactor`.
async fn load(
    contents: HashMap<OsString, Vec<u8>>,
    variables: &[(&str, &str)],
    redactor: &mut Redactor,
) -> Option<ProfileSet> {
    let fs = Fs::from_raw_map(contents);
    let env = Env::from_slice(variables);
    let profiles = aws_config::profile::load(&fs, &env, &Default::default(), None).await.ok()?;
    for profile in profiles.profiles().filter_map(|name| profiles.get_profile(name)) {
        for value in PROFILE_CREDENTIALS.iter().filter_map(|key| profile.get(key)) {
            add(redactor, value);
        }
    }
    Some(profiles)
}

/// The kept part of a profile and of at most `left` of its sources. `credentials`: the profiles of the credentials file alone.
fn kept(profiles: &ProfileSet, credentials: Option<&ProfileSet>, name: &str, left: usize) -> Option<Profile> {
    let profile = profiles.get_profile(name)?;
    let given =
        PROFILE_SETTINGS.iter().filter_map(|key| Some(((*key).to_owned(), shown::value(profile.get(key)?))));
    // `extend`, here as elsewhere: `collect` would sort first, which costs 4 kB of code for each type.
    let mut settings = BTreeMap::new();
    settings.extend(given);
    let of_service = profile.get("services").and_then(|services| {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(services)
            .property_name("sts")
            .sub_property_name("endpoint_url");
        profiles.other_sections().get(&key.build().ok()?)
    });
    let endpoints =
        [("endpoint_url", profile.get("endpoint_url")), ("endpoint_url_sts", of_service.map(String::as_str))];
    let endpoints = endpoints.into_iter().filter_map(|(key, url)| Some((key.to_owned(), shown::url(url?))));
    settings.extend(endpoints);
    let present = PROFILE_PROVIDERS.iter().filter(|key| profile.get(key).is_some());
    let alone = credentials.and_then(|credentials| credentials.get_profile(name));
    let shared = PROFILE_PROVIDERS.iter().chain(PROFILE_SETTINGS);
    let shared = shared.filter(|key| alone.is_some_and(|alone| alone.get(key).is_some()));
    Some(Profile {
        name: shown::value(name),
        settings,
        other_keys: present.map(|key| (*key).to_owned()).collect(),
        in_credentials: shared.map(|key| (*key).to_owned()).collect(),
        source: profile
            .get("source_profile")
            // A profile with keys may name itself as its source, and a token file takes precedence over a source.
            .filter(|source| left > 0 && *source != name && profile.get("web_identity_token_file").is_none())
            .and_then(|source| kept(profiles, credentials, source, left - 1))
            .map(Box::new),
    })
}
