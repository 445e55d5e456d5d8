//! Values at which SDKs stop, or at which the provider that they pick fails: which SDKs, and in which words. Data and its evaluation, pure.
//! `chain` prints them in its rows; `judge::values` makes findings of them.

use super::Provider::{self, Container, Keys, Profile, ProfileAssumeRole, ProfileKeys, WebIdentity};
use super::sdk::Sdk;
use super::view::profile_variable;
use crate::evidence::Environment;
use crate::settings::agent::URI_VARIABLE;

/// A value, what it should be, and which SDKs stop at it.
#[derive(Debug)]
pub struct Stop {
    /// The variable that has it.
    pub variable: &'static str,
    /// What is wrong with it; follows the variable's name.
    pub problem: &'static str,
    /// What it should be.
    pub required: &'static str,
    when: When,
    sdks: &'static [&'static str],
    /// The provider that fails. `None`: the SDK stops before it asks any provider.
    pub(super) at: Option<Provider>,
    /// The provider is picked because of this value alone, although it is incomplete.
    pub(super) picked: bool,
}

#[derive(Debug, Clone, Copy)]
enum When {
    Empty,
    /// The variable is set, but no profile file has that profile.
    NoProfile,
    /// The variable is set, but to none of these words, in any case.
    NotOneOf(&'static [&'static str]),
    /// The same for SDKs to which capitals make another word.
    NotExactly(&'static [&'static str]),
    /// The file adds nothing to what is trusted.
    Idle,
    Holds(fn(&Environment) -> bool),
}

impl Stop {
    const fn at(self, provider: Provider) -> Self {
        Self { at: Some(provider), ..self }
    }

    const fn picked(self) -> Self {
        Self { picked: true, ..self }
    }

    /// Where they stop, in a sentence.
    #[must_use]
    pub fn place(&self) -> String {
        self.at
            .map_or_else(|| "before any provider".to_owned(), |provider| format!("at {}", provider.words()))
    }

    /// Whether both are about the same value, whichever SDKs stop at it.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        (self.variable, self.problem, self.at) == (other.variable, other.problem, other.at)
    }

    /// The reason why a provider fails.
    pub(super) fn why(&self) -> String {
        format!("{} {}", self.variable, self.problem)
    }

    fn holds(&self, sdk: &Sdk, environment: &Environment) -> bool {
        if !self.sdks.contains(&sdk.id) {
            return false;
        }
        let value = environment.variables.get(self.variable).map(String::as_str);
        // Evidence has credentials only as `set`, `empty` and `unset`.
        let is_empty = matches!(value, Some("" | "empty"));
        match self.when {
            When::Empty => is_empty,
            When::NoProfile => {
                profile_variable(sdk, environment) == Some(self.variable)
                    && environment.profile_missing.iter().any(|name| name == self.variable)
            }
            When::NotOneOf(known) => {
                value.is_some_and(|value| !is_empty && !known.iter().any(|it| value.eq_ignore_ascii_case(it)))
            }
            When::NotExactly(known) => value.is_some_and(|value| !is_empty && !known.contains(&value)),
            When::Idle => environment.trust_idle.iter().any(|idle| {
                !idle.own && idle.source.strip_prefix(self.variable).is_some_and(|rest| rest.starts_with('='))
            }),
            When::Holds(holds) => holds(environment),
        }
    }
}

/// The values at which this SDK stops here.
pub(super) fn stops(sdk: &Sdk, environment: &Environment) -> impl Iterator<Item = &'static Stop> {
    STOPS.iter().filter(move |stop| stop.holds(sdk, environment))
}

/// Every value at which any SDK stops.
pub(crate) fn all() -> &'static [Stop] {
    STOPS
}

const fn stop(
    variable: &'static str,
    when: When,
    sdks: &'static [&'static str],
    problem: &'static str,
    required: &'static str,
) -> Stop {
    Stop { variable, problem, required, when, sdks, at: None, picked: false }
}

const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const PYTHON: &[&str] = &["botocore", "aws-cli-v2"];
const PROFILES: &[&str] = &["botocore", "aws-cli-v2", "go-v2"];
/// For these SDKs an empty text counts as a value.
const EMPTY_COUNTS: &[&str] = &["rust", "deltalake", "rust-object-store", "ruby"];
const STOP_WITHOUT_ROLE: &[&str] = &["botocore", "aws-cli-v2", "go-v1", "go-v2", "minio-go", "minio-py"];
const EMPTY_NAME: &str = "is set and empty, which they take for a name";
const NO_SUCH_PROFILE: &str = "names a profile that no profile file has";
const A_PROFILE: &str = "the name of a profile, or no such variable";
const EMPTY: &str = "is set and empty, which they take for a value";
const A_REGION: &str = "the name of a region, or no such variable";
const A_URL: &str = "a URL, or no such variable";
const IS_HOST: &str = "is a URL, and they take all of it for a host's name";
const NO_URL: &str = "no such variable, or the endpoint in code";
const BOTH_KEYS: &str = "both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither";
const UNKNOWN: &str = "has a value that they do not know";
const BOTH: &str = "both of the pair, or neither";

/// Observed (sources.md, “SDKs”). The AWS CLI reads its own settings like boto3.
const STOPS: &[Stop] = &[
    stop("AWS_PROFILE", When::NoProfile, PROFILES, NO_SUCH_PROFILE, A_PROFILE),
    stop("AWS_DEFAULT_PROFILE", When::NoProfile, PROFILES, NO_SUCH_PROFILE, A_PROFILE),
    // Other SDKs ignore an empty name.
    stop("AWS_PROFILE", When::Empty, PYTHON, EMPTY_NAME, A_PROFILE),
    stop("AWS_DEFAULT_PROFILE", When::Empty, PYTHON, EMPTY_NAME, A_PROFILE),
    stop(
        "AWS_REGION",
        When::Empty,
        &["aws-cli-v2", "ruby", "js-v3", "rust", "deltalake", "rust-object-store", "s3cmd"],
        EMPTY,
        A_REGION,
    ),
    stop("AWS_CA_BUNDLE", When::Empty, PYTHON, EMPTY, "a PEM file, or no such variable"),
    stop("AWS_DEFAULT_REGION", When::Empty, &["botocore"], EMPTY, A_REGION),
    stop("AWS_REGION", When::Holds(is_global_region), &["js-v3", "ruby"], UNKNOWN, A_REGION),
    stop(
        "AWS_STS_REGIONAL_ENDPOINTS",
        When::NotExactly(&["regional", "legacy"]),
        &["botocore"],
        UNKNOWN,
        "regional or legacy",
    ),
    stop(
        "AWS_STS_REGIONAL_ENDPOINTS",
        When::NotOneOf(&["regional", "legacy"]),
        &["js-v2", "go-v1"],
        UNKNOWN,
        "regional or legacy",
    ),
    stop(
        "AWS_STS_REGIONAL_ENDPOINTS",
        When::Holds(is_legacy),
        &["ruby"],
        "is legacy, and they cannot sign for the global endpoint",
        "regional",
    )
    .at(WebIdentity),
    stop(
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        When::NotOneOf(&["true", "false"]),
        &["go-v2"],
        UNKNOWN,
        "true or false",
    ),
    stop(
        "AWS_RETRY_MODE",
        When::Holds(has_unknown_retry_mode),
        PYTHON,
        UNKNOWN,
        "legacy, standard or adaptive",
    ),
    stop("AWS_MAX_ATTEMPTS", When::Holds(has_no_number), PYTHON, UNKNOWN, "a number from 1"),
    stop(
        "SSL_CERT_FILE",
        When::Idle,
        &["rust", "rust-object-store", "ruby", "s3cmd"],
        "names no certificates, and they have no others",
        "a PEM file with at least one certificate, or no such variable",
    ),
    stop("AWS_ACCESS_KEY_ID", When::Empty, &["deltalake", "rust-object-store", "reqsign"], EMPTY, BOTH_KEYS)
        .at(Keys)
        .picked(),
    stop(
        "AWS_SECRET_ACCESS_KEY",
        When::Holds(has_id_alone),
        &["botocore", "aws-cli-v2", "rust-object-store", "minio-go", "s3cmd"],
        "is not set: PartialCredentialsError in boto3",
        BOTH_KEYS,
    )
    .at(Keys)
    .picked(),
    stop(
        "AWS_ACCESS_KEY_ID",
        When::Holds(has_secret_alone),
        &["rust-object-store", "minio-go"],
        "is not set",
        BOTH_KEYS,
    )
    .at(Keys)
    .picked(),
    stop("AWS_ROLE_ARN", When::Holds(has_empty_role), EMPTY_COUNTS, EMPTY, BOTH).at(WebIdentity).picked(),
    stop("AWS_ROLE_ARN", When::Holds(has_empty_role), &["reqsign"], EMPTY, BOTH).at(WebIdentity).picked(),
    stop(
        "AWS_ROLE_ARN",
        When::Holds(has_no_role),
        STOP_WITHOUT_ROLE,
        "is not set beside the token file",
        BOTH,
    )
    .at(WebIdentity)
    .picked(),
    stop(FILE, When::Holds(has_empty_file), EMPTY_COUNTS, EMPTY, BOTH).at(WebIdentity).picked(),
    stop(
        "AWS_ROLE_SESSION_NAME",
        When::Empty,
        &["js-v3", "ruby", "rust", "deltalake", "rust-object-store", "reqsign"],
        "is set and empty, which they send and STS refuses",
        "a name of 2 characters or more, or no such variable",
    )
    .at(WebIdentity),
    stop("AWS_ENDPOINT_URL_STS", When::Empty, EMPTY_COUNTS, EMPTY, A_URL).at(WebIdentity),
    stop("AWS_ENDPOINT_URL", When::Empty, &["rust", "ruby"], EMPTY, A_URL).at(WebIdentity),
    stop(
        "AWS_ENDPOINT_URL_STS",
        When::Holds(|it| has_scheme(it, "AWS_ENDPOINT_URL_STS")),
        CPP,
        IS_HOST,
        NO_URL,
    )
    .at(WebIdentity),
    stop("AWS_ENDPOINT_URL", When::Holds(|it| has_scheme(it, "AWS_ENDPOINT_URL")), CPP, IS_HOST, NO_URL)
        .at(WebIdentity),
    stop(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        When::Holds(is_ipv6),
        &["js-v2"],
        "has an IPv6 address, which they refuse",
        "http://169.254.170.23/v1/credentials, in an IPv4 cluster",
    )
    .at(Container),
    stop(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        When::Holds(|it| is_ipv6(it) && !is_mode_ipv6(it)),
        WITH_MODE,
        "has an IPv6 address, and AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is not IPv6",
        IPV6_MODE,
    )
    .at(Container),
    stop(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        When::Holds(|it| it.get(URI_VARIABLE).is_some() && !is_ipv6(it) && is_mode_ipv6(it)),
        WITH_MODE,
        "is IPv6, and they then refuse the agent’s IPv4 address",
        "IPv4, or no such variable",
    )
    .at(Container),
    stop(THE_PROFILE, When::Holds(is_refused_half), &["go-v2"], HALF_OF_KEYS, BOTH_IN_FILE),
    stop(THE_PROFILE, When::Holds(has_half_alone), &["rust", "deltalake"], HALF_OF_KEYS, BOTH_IN_FILE)
        .at(Profile)
        .picked(),
    stop(THE_PROFILE, When::Holds(has_key_id_alone), PYTHON, HALF_OF_KEYS, BOTH_IN_FILE)
        .at(ProfileKeys)
        .picked(),
    stop(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        When::Holds(is_container_without_relative_uri),
        &["go-v2"],
        "is not set, and credential_source = EcsContainer knows no other",
        "a profile without credential_source beside AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )
    .at(ProfileAssumeRole),
];

const CPP: &[&str] = &["cpp", "crt"];
/// An address of one family only, by this variable.
const WITH_MODE: &[&str] = &["java-v1", "java-v2", "hadoop-s3a"];
/// What they need for the agent's IPv6 address.
pub(crate) const IPV6_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6";
/// In place of a variable: a fault of the active profile.
pub(crate) const THE_PROFILE: &str = "the profile";
const HALF_OF_KEYS: &str = "has half of a pair of keys";
const BOTH_IN_FILE: &str = "both aws_access_key_id and aws_secret_access_key in one file, or neither";

fn is_mode_ipv6(environment: &Environment) -> bool {
    let mode = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    mode.is_some_and(|mode| mode.eq_ignore_ascii_case("IPv6"))
}

/// The key id and the secret: whether the active profile has them.
fn profile_keys(environment: &Environment) -> (bool, bool) {
    let keys = environment.profile.as_ref().map(|profile| profile.other_keys.as_slice()).unwrap_or_default();
    let has = |name: &str| keys.iter().any(|key| key == name);
    (has("aws_access_key_id"), has("aws_secret_access_key"))
}

/// As Go v2 merges the files (`config/shared_config.go`, `mergeSections`): half of a pair in the credentials file is never
/// completed by the config file, and one in the config file counts where the other file has no such profile.
fn is_refused_half(environment: &Environment) -> bool {
    let Some(profile) = &environment.profile else { return false };
    let in_credentials = |name: &str| profile.in_credentials.iter().any(|key| key == name);
    let (id, secret) = profile_keys(environment);
    in_credentials("aws_access_key_id") != in_credentials("aws_secret_access_key")
        || (profile.in_credentials.is_empty() && id != secret)
}

/// Nothing else in the profile gives credentials.
fn has_half_alone(environment: &Environment) -> bool {
    let (id, secret) = profile_keys(environment);
    let other = |profile: &crate::evidence::Profile| {
        ["role_arn", "credential_process", "sso_session", "sso_account_id"].iter().any(|key| {
            profile.settings.contains_key(*key) || profile.other_keys.iter().any(|other| other == key)
        })
    };
    id != secret && !environment.profile.as_ref().is_some_and(other)
}

fn has_key_id_alone(environment: &Environment) -> bool {
    profile_keys(environment) == (true, false)
}

fn has_scheme(environment: &Environment, name: &str) -> bool {
    environment.get(name).is_some_and(|value| value.contains("://"))
}

/// Whether the agent's address is IPv6.
pub(super) fn is_ipv6(environment: &Environment) -> bool {
    environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some_and(|uri| uri.contains("://["))
}

fn is_global_region(environment: &Environment) -> bool {
    environment.get("AWS_REGION") == Some("aws-global")
}

fn is_legacy(environment: &Environment) -> bool {
    environment.said("AWS_STS_REGIONAL_ENDPOINTS").is_some_and(|value| value.eq_ignore_ascii_case("legacy"))
}

fn has_unknown_retry_mode(environment: &Environment) -> bool {
    environment
        .get("AWS_RETRY_MODE")
        .is_some_and(|value| !["legacy", "standard", "adaptive"].contains(&value))
}

fn has_no_number(environment: &Environment) -> bool {
    let value = environment.get("AWS_MAX_ATTEMPTS");
    value.is_some_and(|value| !value.trim().parse::<u32>().is_ok_and(|number| number > 0))
}

fn is_set(environment: &Environment, name: &str) -> bool {
    environment.get(name) == Some("set")
}

fn has_id_alone(environment: &Environment) -> bool {
    is_set(environment, "AWS_ACCESS_KEY_ID") && !is_set(environment, "AWS_SECRET_ACCESS_KEY")
}

fn has_secret_alone(environment: &Environment) -> bool {
    is_set(environment, "AWS_SECRET_ACCESS_KEY") && !is_set(environment, "AWS_ACCESS_KEY_ID")
}

fn is_empty(environment: &Environment, name: &str) -> bool {
    environment.variables.get(name).is_some_and(String::is_empty)
}

fn has_empty_role(environment: &Environment) -> bool {
    is_empty(environment, "AWS_ROLE_ARN") && environment.get(FILE).is_some()
}

fn has_no_role(environment: &Environment) -> bool {
    environment.get("AWS_ROLE_ARN").is_none() && environment.get(FILE).is_some()
}

fn has_empty_file(environment: &Environment) -> bool {
    is_empty(environment, FILE) && environment.get("AWS_ROLE_ARN").is_some()
}

fn is_container_without_relative_uri(environment: &Environment) -> bool {
    let profile = environment.profile.as_ref();
    let source = profile.and_then(|profile| profile.settings.get("credential_source"));
    source.is_some_and(|source| source == "EcsContainer")
        && environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_none()
}
