//! What follows from the evidence before the network: the mechanism, whose role, which file, which endpoint. Pure.
//! Each value is named with its source. Whether the values are any good, the judges say.

pub mod agent;

use crate::arn::RoleArn;
use crate::chain;
use crate::evidence::{Environment, Evidence, Process, Token};
use crate::partition::{self, Partition};
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

/// Where the webhook mounts the IRSA token (`amazon-eks-pod-identity-webhook`, `main.go`).
pub const IRSA_MOUNT: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
/// Where the webhook mounts the Pod Identity token.
pub const POD_IDENTITY_MOUNT: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
/// The token for the API server, which every pod has unless it opts out; decoded at most, never sent.
pub const API_SERVER_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A value and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    pub value: String,
    /// A flag, a variable, or a profile and its setting.
    pub source: String,
}

impl Sourced {
    fn new(value: &str, source: impl Into<String>) -> Self {
        Self { value: value.to_owned(), source: source.into() }
    }
}

/// How the pod is meant to get its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Irsa,
    PodIdentity,
    /// Nothing points to either.
    None,
}

impl Mechanism {
    /// As the flag and the report spell it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Irsa => "irsa",
            Self::PodIdentity => "pod-identity",
            Self::None => "none",
        }
    }
}

/// What the environment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    pub mechanism: Mechanism,
    pub role_arn: Option<Sourced>,
    pub token_file: Option<Sourced>,
}

/// Reads mechanism, role and token file out of flags, variables and the profile, in this order.
#[must_use]
pub fn requested(environment: &Environment) -> Requested {
    let stated = &environment.stated;
    let pick = |flag: &Option<String>, flag_name: &str, variable: &str| {
        let flag = flag.as_deref().map(|value| Sourced::new(value, flag_name));
        flag.or_else(|| environment.get(variable).map(|value| Sourced::new(value, variable)))
    };
    let mut role_arn = pick(&stated.role_arn, "--role-arn", "AWS_ROLE_ARN");
    let mut token_file = pick(&stated.token_file, "--token-file", "AWS_WEB_IDENTITY_TOKEN_FILE");
    if role_arn.is_none() && token_file.is_none() {
        // A pair or nothing: no SDK mixes one variable with one profile setting.
        role_arn = profile_setting(environment, "role_arn");
        token_file = profile_setting(environment, "web_identity_token_file");
        if role_arn.is_none() || token_file.is_none() {
            (role_arn, token_file) = (None, None);
        }
    }
    let irsa = role_arn.is_some() && token_file.is_some();
    let uri = environment.get(agent::URI_VARIABLE);
    let agents_file = pick(&stated.token_file, "--token-file", agent::TOKEN_FILE_VARIABLE);
    let pod_identity = uri.is_some() && environment.get(agent::TOKEN_FILE_VARIABLE).is_some();
    let mechanism = match stated.mechanism.as_deref() {
        Some("irsa") => Mechanism::Irsa,
        Some("pod-identity") => Mechanism::PodIdentity,
        // Nearly all SDKs prefer IRSA when both are complete (facts: sdks-observed, precedence).
        _ if irsa => Mechanism::Irsa,
        _ if pod_identity => Mechanism::PodIdentity,
        _ if role_arn.is_some() || token_file.is_some() => Mechanism::Irsa,
        _ if uri.is_some() || agents_file.is_some() => Mechanism::PodIdentity,
        _ if environment.pod_identity_mount && !environment.irsa_mount => Mechanism::PodIdentity,
        _ => Mechanism::None,
    };
    if mechanism == Mechanism::PodIdentity {
        // The association decides on the role: nobody asks for one, at most somebody expects one.
        role_arn = stated.expect_role.as_deref().map(|role| Sourced::new(role, "--expect-role"));
        token_file = agents_file;
    }
    Requested { mechanism, role_arn, token_file }
}

fn profile_setting(environment: &Environment, key: &str) -> Option<Sourced> {
    let profile = environment.profile.as_ref()?;
    let value = profile.settings.get(key).filter(|value| !value.is_empty())?;
    Some(Sourced::new(value, format!("{key} of profile {}", profile.name)))
}

/// Where the exchange goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `None`: nothing names one.
    pub region: Option<Sourced>,
    pub endpoint: Result<Endpoint, RouteProblem>,
}

/// An STS endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `scheme://host[:port][/path]`.
    pub url: String,
    pub host: String,
    /// The region that the signed call is scoped to.
    pub signing_region: String,
    /// The variable that names the URL; `None`: it follows from the region.
    pub configured_by: Option<&'static str>,
    /// `sts.amazonaws.com`, because no region is known.
    pub global: bool,
}

/// Why no endpoint follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteProblem {
    /// No region, and the role's partition has no global endpoint.
    NoRegion,
    /// The value is no region's name.
    RegionForm(Sourced),
    /// An endpoint variable or a combination that no SDK accepts.
    Setting { name: &'static str, problem: String },
    /// Another process names a host that is not AWS's: its token is not for it, unless the probe's own environment says so.
    Untrusted { name: &'static str, url: String, host: String },
}

/// Chooses region and endpoint as an SDK would with this environment, and the issuer's region where it has none.
#[must_use]
pub fn route(environment: &Environment, token: Option<&Token>) -> Route {
    // `--sdk`: as that one reads the variables, where it is known how.
    if let Some(sts) = chain::stated(environment).and_then(|sdk| sdk.sts.as_ref()) {
        return chain::route(sts, environment);
    }
    let region = region(environment, token);
    let endpoint = endpoint(environment, region.as_ref());
    Route { region, endpoint }
}

fn region(environment: &Environment, token: Option<&Token>) -> Option<Sourced> {
    let flag = environment.stated.region.as_deref().map(|value| Sourced::new(value, "--region"));
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
    let fips = environment.is_true("AWS_USE_FIPS_ENDPOINT");
    let dual_stack = environment.is_true("AWS_USE_DUALSTACK_ENDPOINT");
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
    if Partition::of_region(&region.value).is_none() {
        return Err(RouteProblem::RegionForm(region.clone()));
    }
    let url = resolve(&region.value, fips, dual_stack).map_err(|problem| RouteProblem::Setting {
        name: if fips { "AWS_USE_FIPS_ENDPOINT" } else { "AWS_USE_DUALSTACK_ENDPOINT" },
        problem,
    })?;
    let host = partition::host_of(&url).unwrap_or_default().to_owned();
    Ok(Endpoint { url, host, signing_region: region.value.clone(), configured_by: None, global: false })
}

/// STS in the region of an EKS issuer, if that is another one of the same partition; never beside a configured endpoint.
#[must_use]
pub fn endpoint_of_issuer(asked: &Endpoint, issuer: &str) -> Option<Endpoint> {
    let region = partition::region_of_issuer(issuer)?;
    let same_partition = Partition::of_region(region) == Partition::of_region(&asked.signing_region);
    if asked.configured_by.is_some() || region == asked.signing_region || !same_partition {
        return None;
    }
    let url = resolve(region, false, false).ok()?;
    let host = partition::host_of(&url)?.to_owned();
    Some(Endpoint { url, host, signing_region: region.to_owned(), configured_by: None, global: false })
}

/// Only `aws` has a global endpoint that answers for every role of the partition.
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

/// `stated`: the endpoint of the probe's own environment.
fn trusted(endpoint: Endpoint, stated: Option<&str>) -> Result<Endpoint, RouteProblem> {
    if partition::is_sts_url(&endpoint.url) || stated == Some(endpoint.url.as_str()) {
        return Ok(endpoint);
    }
    let name = endpoint.configured_by.unwrap_or("AWS_REGION");
    Err(RouteProblem::Untrusted { name, url: endpoint.url, host: endpoint.host })
}

/// `AWS_ENDPOINT_URL_STS` before `AWS_ENDPOINT_URL`, unless both are switched off (SDK reference guide).
pub(crate) fn configured_endpoint(environment: &Environment) -> Option<(&'static str, &str)> {
    if environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return None;
    }
    ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"]
        .into_iter()
        .find_map(|name| environment.get(name).map(|url| (name, url)))
}

/// Checked before the SDK sees it: it would print the request, token included, with its own error.
fn check_endpoint_url(url: &str) -> Result<String, String> {
    let uri: http::Uri = url.parse().map_err(|_| "it is no URL".to_owned())?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err("it begins with neither https:// nor http://".to_owned()),
    }
    match uri.host() {
        Some(host) if !host.is_empty() => {
            // The last dot only says that no search list applies, and case says nothing.
            let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
            Ok(host.to_ascii_lowercase())
        }
        _ => Err("it names no host".to_owned()),
    }
}

fn resolve(region: &str, fips: bool, dual_stack: bool) -> Result<String, String> {
    let is_host_label = region.len() < 64 && !region.contains('_');
    match Partition::of_region(region) {
        // As the SDK's rules have it (a test compares), without its table: to parse that was a third of a local run.
        Some(partition) if is_host_label && !fips && !dual_stack => {
            Ok(format!("https://sts.{region}.{}", partition.dns_suffix()))
        }
        _ => resolve_by_sdk(region, fips, dual_stack),
    }
}

/// The endpoint rules of the SDK; they answer at once.
fn resolve_by_sdk(region: &str, fips: bool, dual_stack: bool) -> Result<String, String> {
    let params = Params::builder().region(region).use_fips(fips).use_dual_stack(dual_stack);
    let params = params.build().map_err(|error| error.to_string())?;
    let resolver = DefaultResolver::new();
    let future = std::pin::pin!(resolver.resolve_endpoint(&params));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(Ok(endpoint)) => Ok(endpoint.url().to_owned()),
        std::task::Poll::Ready(Err(error)) => Err(error.to_string()),
        std::task::Poll::Pending => Err("the endpoint rules gave no answer".to_owned()),
    }
}

/// The longest session name that STS takes.
const SESSION_NAME_LIMIT: usize = 64;

/// The name of the session: trust policies may look at it (`sts:RoleSessionName`).
#[must_use]
pub fn session_name(environment: &Environment, process: &Process, token: Option<&Token>) -> Sourced {
    if let Some(name) = &environment.stated.session_name {
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

/// `[\w+=,.@-]` (STS API, RoleSessionName).
pub(crate) fn is_session_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// The whole of it, from one run's evidence.
#[must_use]
pub fn of(evidence: &Evidence) -> (Requested, Route) {
    let requested = requested(&evidence.environment);
    let mut route = route(&evidence.environment, evidence.token.as_ref());
    if evidence.target.is_some() {
        let stated = evidence.environment.stated.endpoint.as_deref();
        route.endpoint = route.endpoint.and_then(|endpoint| trusted(endpoint, stated));
    }
    (requested, route)
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

    proptest::proptest! {
        #[test]
        fn a_regions_endpoint_is_the_one_of_the_sdks_rules(
            region in "(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc-de)-[a-zA-Z0-9_]{1,62}-[0-9]{1,2}"
        ) {
            proptest::prop_assert!(Partition::of_region(&region).is_some());
            proptest::prop_assert_eq!(resolve(&region, false, false), resolve_by_sdk(&region, false, false));
        }
    }

    #[test]
    fn a_token_of_another_process_goes_to_sts_or_where_the_probe_says_too() {
        for (url, stated, sent) in [
            ("https://sts.eu-west-1.amazonaws.com", None, true),
            ("https://vpce-0a1b.sts.eu-west-1.vpce.amazonaws.com", None, true),
            ("HTTPS://STS.eu-west-1.amazonaws.com.:443/", None, true),
            ("http://sts.eu-west-1.amazonaws.com", None, false),
            ("https://sts.eu-west-1.amazonaws.com:8443", None, false),
            ("https://sts.eu-west-1.amazonaws.com/path", None, false),
            ("https://sts.s3.amazonaws.com", None, false),
            ("https://sts.c1abc.us-east-1.rds.amazonaws.com:5432", None, false),
            ("https://a.sts.b.s3.amazonaws.com", None, false),
            ("https://sts.lambda-url.eu-west-1.on.aws", None, false),
            ("https://sts.internal.example", None, false),
            ("https://sts.s3.amazonaws.com.example", None, false),
            ("https://loot.s3.amazonaws.com", None, false),
            ("http://127.0.0.1:4566", None, false),
            ("http://127.0.0.1:4566", Some("http://127.0.0.1:4566"), true),
        ] {
            let mut environment = environment(&[ROLE, FILE, ("AWS_ENDPOINT_URL_STS", url)]);
            environment.stated.endpoint = stated.map(str::to_owned);
            let own = Evidence { environment, ..Evidence::default() };
            let of_target = Evidence { target: Some(Default::default()), ..own.clone() };
            assert!(of(&own).1.endpoint.is_ok(), "its own: {url}");
            assert_eq!(of(&of_target).1.endpoint.is_ok(), sent, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_region_leads_to_is_sts(
            region in "(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc-de)-[a-z]{1,12}-[0-9]{1,2}",
            fips: bool,
            dual_stack: bool,
        ) {
            // A partition may lack the one or the other.
            if let Ok(url) = resolve(&region, fips, dual_stack) {
                proptest::prop_assert!(partition::is_sts_url(&url), "{url}");
            }
        }
    }

    #[test]
    fn the_endpoint_follows_region_fips_and_dual_stack() {
        for (variables, url) in [
            (&[("AWS_REGION", "eu-west-1")][..], "https://sts.eu-west-1.amazonaws.com"),
            (
                &[("AWS_REGION", "us-east-1"), ("AWS_USE_FIPS_ENDPOINT", "true")],
                "https://sts-fips.us-east-1.amazonaws.com",
            ),
            (
                &[("AWS_REGION", "us-east-1"), ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")],
                "https://sts.us-east-1.api.aws",
            ),
            (&[("AWS_REGION", "cn-north-1")], "https://sts.cn-north-1.amazonaws.com.cn"),
            (&[("AWS_DEFAULT_REGION", "us-gov-west-1")], "https://sts.us-gov-west-1.amazonaws.com"),
            (&[ROLE], "https://sts.amazonaws.com"),
            (
                &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "https://localhost:8443")],
                "https://localhost:8443",
            ),
            (
                &[
                    ("AWS_REGION", "eu-west-1"),
                    ("AWS_ENDPOINT_URL", "https://localhost:8443"),
                    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
                ],
                "https://sts.eu-west-1.amazonaws.com",
            ),
        ] {
            let route = route(&environment(variables), None);
            assert_eq!(route.endpoint.map(|e| e.url).as_deref(), Ok(url), "{variables:?}");
        }
    }

    #[test]
    fn what_no_sdk_accepts_gives_no_endpoint() {
        for variables in [
            &[("AWS_REGION", "moon-1")][..],
            &[("AWS_REGION", "eu-west-1 ")],
            &[],
            &[("AWS_ROLE_ARN", "arn:aws-cn:iam::814203749616:role/x")],
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "not a url")],
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "sts.example.com")],
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "ftp://sts.example.com")],
            &[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ENDPOINT_URL_STS", "https://localhost"),
                ("AWS_USE_FIPS_ENDPOINT", "true"),
            ],
        ] {
            assert!(route(&environment(variables), None).endpoint.is_err(), "{variables:?}");
        }
    }

    #[test]
    fn without_a_region_the_exchange_goes_to_the_issuers() {
        let token = Token {
            iss: Some("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC".to_owned()),
            ..Token::default()
        };
        let route = route(&environment(&[ROLE]), Some(&token));
        assert_eq!(route.region.map(|region| region.source).as_deref(), Some(ISSUER_SOURCE));
        assert_eq!(route.endpoint.unwrap().url, "https://sts.eu-west-1.amazonaws.com");
    }

    #[test]
    fn a_session_name_of_ours_is_one_that_sts_takes() {
        let process = Process { pod_name: Some("a/b:c".repeat(30)), ..Process::default() };
        let name = session_name(&Environment::default(), &process, None).value;
        assert!(name.starts_with("credprobe-a-b-c") && name.len() == 64, "{name}");
    }
}
