//! The variables and profile settings that decide, by an allowlist of names.
//! Credentials are noted as `set`; URLs lose user info, query and fragment here.

use crate::evidence::{Environment, Profile, Settings};
use crate::plan::{IRSA_MOUNT, POD_IDENTITY_MOUNT};
use crate::subject::Subject;
use aws_types::os_shim_internal::{Env, Fs};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Kept as they are.
const PLAIN: &[&str] = &[
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "NO_PROXY",
    "SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "no_proxy",
];

/// Kept without user info, query and fragment.
const URLS: &[&str] = &[
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "http_proxy",
    "https_proxy",
];

/// Kept as `set`.
const CREDENTIALS: &[&str] =
    &["AWS_ACCESS_KEY_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Settings of a profile that are kept with their values.
const PROFILE_SETTINGS: &[&str] =
    &["region", "role_arn", "role_session_name", "sts_regional_endpoints", "web_identity_token_file"];

/// Settings of a profile that are kept by name: each makes it a provider of credentials.
const PROFILE_PROVIDERS: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "credential_process",
    "credential_source",
    "login_session",
    "source_profile",
    "sso_account_id",
    "sso_session",
];

/// The longest profile file that is read, in bytes: real ones have a few kilobytes.
const PROFILE_FILE_LIMIT: u64 = 256 * 1024;

/// Observes the subject's settings.
pub async fn environment(subject: &Subject, stated: Settings) -> Environment {
    let mut environment = Environment {
        irsa_mount: subject.root().is_dir(IRSA_MOUNT),
        pod_identity_mount: subject.root().is_dir(POD_IDENTITY_MOUNT),
        stated,
        ..Environment::default()
    };
    for name in PLAIN.iter().chain(URLS) {
        let Some(value) = subject.variable(name) else { continue };
        let text = value.to_string_lossy();
        if value.to_str().is_none() {
            environment.not_utf8.push((*name).to_owned());
        }
        let kept = if looks_like_a_token(&text) {
            "[a token]".to_owned()
        } else if URLS.contains(name) {
            without_secrets(&text)
        } else {
            text.into_owned()
        };
        environment.variables.insert((*name).to_owned(), kept);
    }
    for name in CREDENTIALS {
        let state =
            if subject.variable(name).is_some_and(|value| !value.is_empty()) { "set" } else { "unset" };
        environment.variables.insert((*name).to_owned(), state.to_owned());
    }
    environment.profile = profile(subject).await;
    environment
}

/// People put the token itself where its path belongs; it must not be printed for that.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    text.len() > 64 && text.contains("eyJ") && text.matches('.').count() >= 2
}

/// A URL without user info, query and fragment: proxies carry passwords in the first, presigned URLs keys in the second.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let path = path.map(|path| format!("/{path}")).unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.rsplit_once('@').map_or(url, |(_, host)| host).to_owned(),
    }
}

/// The active profile as aws-config reads it, over the subject's files and none of the ambient ones.
async fn profile(subject: &Subject) -> Option<Profile> {
    let home = subject.text("HOME");
    let path = |variable: &str, name: &str| {
        subject
            .text(variable)
            .map(PathBuf::from)
            .or_else(|| home.map(|home| Path::new(home).join(".aws").join(name)))
    };
    let files = [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    let mut contents: HashMap<OsString, Vec<u8>> = HashMap::new();
    for path in files.into_iter().flatten() {
        if let Some(bytes) = path.to_str().and_then(|path| subject.read(path, PROFILE_FILE_LIMIT).ok()) {
            contents.insert(path.into_os_string(), bytes);
        }
    }
    if contents.is_empty() {
        return None;
    }
    let names = ["HOME", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
    let variables: Vec<(&str, &str)> =
        names.into_iter().filter_map(|name| Some((name, subject.text(name)?))).collect();
    of_files(contents, &variables).await
}

/// Pure: the files' contents by their paths, and the variables that choose among them.
pub(crate) async fn of_files(
    contents: HashMap<OsString, Vec<u8>>,
    variables: &[(&str, &str)],
) -> Option<Profile> {
    let fs = Fs::from_raw_map(contents);
    let env = Env::from_slice(variables);
    let profiles = aws_config::profile::load(&fs, &env, &Default::default(), None).await.ok()?;
    let name = profiles.selected_profile();
    let profile = profiles.get_profile(name)?;
    let given =
        PROFILE_SETTINGS.iter().filter_map(|key| Some(((*key).to_owned(), profile.get(key)?.to_owned())));
    // Not collected, here as elsewhere: that sorts first, which is 4 kB of code for each type.
    let mut settings = BTreeMap::new();
    settings.extend(given);
    let present = PROFILE_PROVIDERS.iter().filter(|key| profile.get(key).is_some());
    Some(Profile {
        name: name.to_owned(),
        settings,
        other_keys: present.map(|key| (*key).to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{looks_like_a_token, without_secrets};

    #[test]
    fn a_token_in_place_of_its_path_is_recognised() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "e30".repeat(30));
        assert!(looks_like_a_token(&token));
        assert!(!looks_like_a_token("/var/run/secrets/eks.amazonaws.com/serviceaccount/token"));
    }

    #[test]
    fn a_url_loses_user_info_query_and_fragment() {
        for (url, kept) in [
            ("http://user:password@proxy:3128/", "http://proxy:3128/"),
            ("https://host/path?X-Amz-Signature=1#f", "https://host/path"),
            ("user:password@proxy:3128", "proxy:3128"),
            ("http://a@b@host", "http://host"),
            ("not a url", "not a url"),
        ] {
            assert_eq!(without_secrets(url), kept);
        }
    }
}
