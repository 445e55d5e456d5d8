//! What follows from the evidence before the network: mechanism, role, token file, region, endpoint. Pure.
//! Each value has its source. The judges say whether the values are right.

pub mod agent;
pub mod arn;
pub(crate) mod command;
pub mod partition;

use crate::evidence::{Environment, Process, Profile, Token};
use crate::options::Mechanism;
use crate::settings::arn::RoleArn;
use crate::settings::partition::Partition;

/// Where the webhook mounts the IRSA token (`amazon-eks-pod-identity-webhook`, `main.go`).
pub const IRSA_MOUNT: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
/// Where the webhook mounts the Pod Identity token.
pub const POD_IDENTITY_MOUNT: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
/// The token for the API server, which every pod has unless it opts out. It goes to no other server.
pub const API_SERVER_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A value and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// The value as it was found.
    pub value: String,
    /// A flag, a variable, or a profile and its setting.
    pub source: String,
}

impl Sourced {
    pub(crate) fn new(value: &str, source: impl Into<String>) -> Self {
        Self { value: value.to_owned(), source: source.into() }
    }

    /// Whether it is in a profile file, which the app reads at start, and so not set by a webhook or a pod spec.
    pub(crate) fn is_of_a_file(&self) -> bool {
        self.source.contains(OF_PROFILE)
    }
}

/// What the environment requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// How the pod is meant to get its credentials.
    pub mechanism: Mechanism,
    /// The role that is asked for or expected.
    pub role_arn: Option<Sourced>,
    /// The file that holds the token.
    pub token_file: Option<Sourced>,
}

/// Reads mechanism, role and token file from flags, variables and the profile, in this order.
#[must_use]
pub fn requested(environment: &Environment) -> Requested {
    let stated = &environment.options;
    let pick = |flag: &Option<String>, flag_name: &str, variable: &str| {
        let flag = flag.as_deref().map(|value| Sourced::new(value, flag_name));
        flag.or_else(|| environment.get(variable).map(|value| Sourced::new(value, variable)))
    };
    let mut role_arn = pick(&stated.role_arn, "--role-arn", "AWS_ROLE_ARN");
    let mut token_file = pick(&stated.token_file, "--token-file", "AWS_WEB_IDENTITY_TOKEN_FILE");
    if role_arn.is_none() && token_file.is_none() {
        // Take both from the profile or none: no SDK mixes a variable with a profile setting.
        // A profile with a source profile starts with the identity of the source.
        let first = environment.profile.as_ref().map(Profile::beginning);
        role_arn = first.and_then(|profile| of_profile(profile, "role_arn"));
        token_file = first.and_then(|profile| of_profile(profile, "web_identity_token_file"));
        if role_arn.is_none() || token_file.is_none() {
            (role_arn, token_file) = (None, None);
        }
    }
    let irsa = role_arn.is_some() && token_file.is_some();
    let uri = environment.get(agent::URI_VARIABLE);
    let agents_file = pick(&stated.token_file, "--token-file", agent::TOKEN_FILE_VARIABLE);
    let pod_identity = uri.is_some() && environment.get(agent::TOKEN_FILE_VARIABLE).is_some();
    let mechanism = match stated.mechanism {
        Some(mechanism) => mechanism,
        // Nearly all SDKs prefer IRSA if both are complete (sources.md, “SDKs”).
        _ if irsa => Mechanism::Irsa,
        _ if pod_identity => Mechanism::PodIdentity,
        _ if role_arn.is_some() || token_file.is_some() => Mechanism::Irsa,
        _ if uri.is_some() || agents_file.is_some() => Mechanism::PodIdentity,
        _ if environment.pod_identity_mount && !environment.irsa_mount => Mechanism::PodIdentity,
        _ => Mechanism::None,
    };
    if mechanism == Mechanism::PodIdentity {
        // The association decides the role. The pod requests none; at most a flag expects one.
        role_arn = stated.expect_role.as_deref().map(|role| Sourced::new(role, "--expect-role"));
        token_file = agents_file;
    }
    Requested { mechanism, role_arn, token_file }
}

fn profile_setting(environment: &Environment, key: &str) -> Option<Sourced> {
    of_profile(environment.profile.as_ref()?, key)
}

fn of_profile(profile: &Profile, key: &str) -> Option<Sourced> {
    let value = profile.settings.get(key).filter(|value| !value.is_empty())?;
    Some(Sourced::new(value, format!("{key}{OF_PROFILE}{}", profile.name)))
}

/// Separates a profile's setting from the profile's name.
const OF_PROFILE: &str = " of profile ";

/// Where the exchange goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsRoute {
    /// `None`: nothing names a region.
    pub region: Option<Sourced>,
    /// The host of the exchange, or why there is none.
    pub endpoint: Result<Endpoint, RouteProblem>,
}

/// An STS endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `scheme://host[:port][/path]`.
    pub url: String,
    /// The host in that URL, without port.
    pub host: String,
    /// The region that calls are signed for.
    pub signing_region: String,
    /// The variable that names the URL. `None`: the URL follows from the region.
    pub configured_by: Option<&'static str>,
    /// It is `sts.amazonaws.com`, because no region is known.
    pub global: bool,
}

/// Why no endpoint could be derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteProblem {
    /// No region is known, and the role's partition has no global endpoint.
    NoRegion,
    /// The value is not the name of a region.
    RegionForm(Sourced),
    /// An endpoint variable or a combination that no SDK accepts.
    Setting {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process names a host that is not AWS's. Its token must not go there, unless the probe's own environment says so.
    Untrusted {
        /// The variable.
        name: &'static str,
        /// Its value.
        url: String,
        /// The host in it.
        host: String,
    },
}

pub(crate) fn region(environment: &Environment, token: Option<&Token>) -> Option<Sourced> {
    let flag = environment.options.region.as_deref().map(|value| Sourced::new(value, "--region"));
    let variable = |name: &str| environment.get(name).map(|value| Sourced::new(value, name));
    flag.or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(|| profile_setting(environment, "region"))
        .or_else(|| {
            let region = partition::region_of_issuer(token?.iss.as_deref()?)?;
            Some(Sourced::new(region, ISSUER_SOURCE))
        })
}

/// The source of a region that no variable names.
pub const ISSUER_SOURCE: &str = "the token's issuer";

pub(crate) fn endpoint(
    environment: &Environment,
    region: Option<&Sourced>,
) -> Result<Endpoint, RouteProblem> {
    let fips = environment.is_on("AWS_USE_FIPS_ENDPOINT");
    let dual_stack = environment.is_on("AWS_USE_DUALSTACK_ENDPOINT");
    if let Some((name, url)) = configured_endpoint(environment) {
        let setting = |problem: String| RouteProblem::Setting { name, problem };
        let host = check_endpoint_url(url).map_err(setting)?;
        let blocker = match (fips, dual_stack) {
            (true, _) => Some("AWS_USE_FIPS_ENDPOINT"),
            (_, true) => Some("AWS_USE_DUALSTACK_ENDPOINT"),
            _ => None,
        };
        if let Some(blocker) = blocker {
            return Err(setting(format!(
                "{blocker}=true and a configured endpoint exclude each other in every SDK"
            )));
        }
        let signing_region = partition::region_of_sts_host(&host)
            .map(str::to_owned)
            .or_else(|| region.map(|region| region.value.clone()))
            .unwrap_or_else(|| "us-east-1".to_owned());
        return Ok(Endpoint {
            url: url.to_owned(),
            host,
            signing_region,
            configured_by: Some(name),
            global: false,
        });
    }
    let Some(region) = region else {
        return global_endpoint(environment);
    };
    let (name, fips_by_name) = partition::without_fips(&region.value);
    let fips = fips || fips_by_name;
    if !partition::is_host_label(name) {
        return Err(RouteProblem::RegionForm(region.clone()));
    }
    if name == partition::GLOBAL_REGION && !fips && !dual_stack {
        return Ok(Endpoint { global: false, ..global() });
    }
    let url = partition::sts_url(name, fips, dual_stack).map_err(|problem| RouteProblem::Setting {
        name: if fips { "AWS_USE_FIPS_ENDPOINT" } else { "AWS_USE_DUALSTACK_ENDPOINT" },
        problem,
    })?;
    let host = partition::host_of(&url).unwrap_or_default().to_owned();
    Ok(Endpoint { url, host, signing_region: name.to_owned(), configured_by: None, global: false })
}

/// STS in the region of an EKS issuer. `None`: it is the same region or another partition, or an endpoint is configured.
#[must_use]
pub fn endpoint_of_issuer(asked: &Endpoint, issuer: &str) -> Option<Endpoint> {
    let region = partition::region_of_issuer(issuer)?;
    let same_partition = Partition::of_region(region) == Partition::of_region(&asked.signing_region);
    if asked.configured_by.is_some() || region == asked.signing_region || !same_partition {
        return None;
    }
    let url = partition::sts_url(region, false, false).ok()?;
    let host = partition::host_of(&url)?.to_owned();
    Some(Endpoint { url, host, signing_region: region.to_owned(), configured_by: None, global: false })
}

/// The global endpoint, if the role is in `aws`: only there it answers for every role of the partition.
fn global_endpoint(environment: &Environment) -> Result<Endpoint, RouteProblem> {
    let role = requested(environment).role_arn;
    let role = role.and_then(|role| RoleArn::parse(&role.value).ok());
    match role {
        Some(role) if role.partition == "aws" => Ok(global()),
        _ => Err(RouteProblem::NoRegion),
    }
}

pub(crate) fn global() -> Endpoint {
    Endpoint {
        url: format!("https://{}", partition::GLOBAL_STS),
        host: partition::GLOBAL_STS.to_owned(),
        signing_region: "us-east-1".to_owned(),
        configured_by: None,
        global: true,
    }
}

/// `AWS_ENDPOINT_URL_STS`, then `AWS_ENDPOINT_URL`, then the profile's settings, unless all are switched off (SDK reference guide).
pub(crate) fn configured_endpoint(environment: &Environment) -> Option<(&'static str, &str)> {
    if environment.is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return None;
    }
    let variable = |name: &'static str| environment.get(name).map(|url| (name, url));
    let setting = |key: &str, name: &'static str| {
        let url = environment.profile.as_ref()?.settings.get(key)?.as_str();
        (!url.is_empty()).then_some((name, url))
    };
    variable("AWS_ENDPOINT_URL_STS")
        .or_else(|| variable("AWS_ENDPOINT_URL"))
        .or_else(|| setting("endpoint_url_sts", SERVICES_SETTING))
        .or_else(|| setting("endpoint_url", PROFILE_SETTING))
}

/// The settings in the config file that name an endpoint, in words.
pub(crate) const SERVICES_SETTING: &str = "endpoint_url of sts in the profile's services";
pub(crate) const PROFILE_SETTING: &str = "endpoint_url of the profile";

/// Whether the endpoint is in a file, so that no variable can be removed.
pub(crate) fn is_in_file(configured_by: &str) -> bool {
    [SERVICES_SETTING, PROFILE_SETTING].contains(&configured_by)
}

/// Checks the URL before the SDK sees it, because the SDK's own error would print the request with the token.
fn check_endpoint_url(url: &str) -> Result<String, String> {
    let uri: http::Uri = url.parse().map_err(|_| "it is no URL".to_owned())?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err("it begins with neither https:// nor http://".to_owned()),
    }
    match uri.host() {
        Some(host) if !host.is_empty() => {
            // A trailing dot only means that no search list applies, and case has no meaning.
            let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
            Ok(host.to_ascii_lowercase())
        }
        _ => Err("it names no host".to_owned()),
    }
}

/// The longest session name that STS accepts, in characters.
const SESSION_NAME_LIMIT: usize = 64;

/// The name of the session. Trust policies may check it (`sts:RoleSessionName`).
#[must_use]
pub fn session_name(environment: &Environment, process: &Process, token: Option<&Token>) -> Sourced {
    if let Some(name) = &environment.options.session_name {
        return Sourced::new(name, "--session-name");
    }
    if let Some(name) = environment.get("AWS_ROLE_SESSION_NAME") {
        return Sourced::new(name, "AWS_ROLE_SESSION_NAME");
    }
    let pod = process.pod_name.as_deref().or_else(|| token?.pod_name.as_deref());
    let mut name = pod.map_or_else(|| "credprobe".to_owned(), |pod| format!("credprobe-{pod}"));
    name = name.chars().map(|c| if is_session_name_char(c) { c } else { '-' }).collect();
    name.truncate(SESSION_NAME_LIMIT);
    Sourced::new(&name, OWN_SOURCE)
}

/// The source of a session name that nobody set.
pub const OWN_SOURCE: &str = "credprobe";

/// Whether STS allows the character: `[\w+=,.@-]` (STS API, RoleSessionName).
pub(crate) fn is_session_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Environment::default()
        }
    }

    const ROLE: (&str, &str) = ("AWS_ROLE_ARN", "arn:aws:iam::814203749616:role/checkout-reader");
    const FILE: (&str, &str) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
    const URI: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
    const AUTH: (&str, &str) = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod-identity-token");

    #[test]
    fn the_mechanism_is_what_is_completely_injected() {
        for (variables, mechanism) in [
            (&[ROLE, FILE][..], Mechanism::Irsa),
            (&[URI, AUTH], Mechanism::PodIdentity),
            (&[ROLE, FILE, URI, AUTH], Mechanism::Irsa),
            (&[ROLE, URI, AUTH], Mechanism::PodIdentity),
            (&[ROLE], Mechanism::Irsa),
            (&[URI], Mechanism::PodIdentity),
            (&[AUTH], Mechanism::PodIdentity),
            (&[ROLE, URI], Mechanism::Irsa),
            (&[], Mechanism::None),
            (&[("AWS_ROLE_ARN", "")], Mechanism::None),
        ] {
            assert_eq!(requested(&environment(variables)).mechanism, mechanism, "{variables:?}");
        }
    }

    #[test]
    fn a_session_name_of_ours_is_one_that_sts_takes() {
        let process = Process { pod_name: Some("a/b:c".repeat(30)), ..Process::default() };
        let name = session_name(&Environment::default(), &process, None).value;
        assert!(name.starts_with("credprobe-a-b-c") && name.len() == 64, "{name}");
    }
}
