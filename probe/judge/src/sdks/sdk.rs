//! What is known of one SDK: its order of providers, what it does when one fails, where and how it calls STS.
//! The rows are in `table`; what follows from them in an environment, `chain` says.

use super::Provider;

/// One SDK, or a family that behaves alike.
#[derive(Debug)]
pub struct Sdk {
    /// As `--sdk` takes it.
    pub id: &'static str,
    /// As people call them, in sentences.
    pub names: &'static [&'static str],
    /// As registries and imports have them.
    pub packages: &'static [&'static str],
    pub order: &'static [Provider],
    /// What comes before all of `order` and cannot be seen from outside of the process.
    pub unseen: Option<&'static str>,
    pub on_error: OnError,
    /// With a container variable set, instance metadata is never asked.
    pub container_excludes_imds: bool,
    pub half: Half,
    pub quirks: Quirks,
    /// How it calls STS for a web identity; `None`: not observed.
    pub sts: Option<Sts>,
    pub proxy: Proxying,
    pub container: Container,
    /// A regular expression for the session that it names itself, as CloudTrail shows it.
    pub session_name: Option<&'static str>,
    pub min_version: MinVersion,
    pub note: Option<&'static str>,
    pub source: &'static str,
}

/// What it does when the provider that it picked fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The first configured provider that fails ends the search, or it was chosen once by configuration alone.
    Stops,
    /// The next one is asked, whatever the error.
    GoesOn,
    /// As `Stops`; but a container that fails leaves the SDK without credentials and only a warning.
    StopsButWarns,
}

/// `AWS_WEB_IDENTITY_TOKEN_FILE` without `AWS_ROLE_ARN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    Stops,
    GoesOn,
    Unknown,
}

/// What few SDKs do.
#[derive(Debug, Default)]
pub struct Quirks {
    /// Keys in the environment are left out where `AWS_PROFILE` is set.
    pub profile_hides_keys: bool,
    /// `AWS_ACCESS_KEY_ID` without the secret ends the search.
    pub half_keys_stop: bool,
    /// The web identity provider takes the profile's settings where the variables are missing.
    pub web_identity_of_profile: bool,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` counts only with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub full_uri_needs_file: bool,
    /// `AWS_EC2_METADATA_DISABLED` is not read.
    pub metadata_always: bool,
    /// Not AWS's own: it is named by `chain`, and by `check` only where it is asked for or credentials are at stake.
    pub third_party: bool,
}

/// How it finds STS.
#[derive(Debug)]
pub struct Sts {
    /// The variables that name the region, the first that is set wins; the profile's `region` comes after.
    pub regions: &'static [&'static str],
    pub profile_region: bool,
    pub without_region: WithoutRegion,
    /// Honours `AWS_STS_REGIONAL_ENDPOINTS`.
    pub regional_endpoints: bool,
    /// Honours `AWS_ENDPOINT_URL` beside `AWS_ENDPOINT_URL_STS`.
    pub endpoint_url: bool,
    pub ignore_endpoint_urls: bool,
    pub fips_and_dual_stack: bool,
    pub source: &'static str,
}

/// Whom it calls where nothing names a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutRegion {
    /// `sts.amazonaws.com`.
    Global,
    Region(&'static str),
    Fails,
}

/// Which proxy variables it reads for `https://`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxying {
    /// CPython's `urllib`: lower case wins, even when empty; `NO_PROXY` knows no ranges and no `*.`.
    Python,
    /// Go's `net/http`: upper case wins; `NO_PROXY` knows ranges, `*.` and ports.
    Go,
    /// None, unless the application passes an agent in code.
    Never,
    /// The variables are read; its rules for `NO_PROXY` are not known here.
    Reads,
    Unknown,
}

/// How it asks the endpoint of the container variables.
#[derive(Debug)]
pub struct Container {
    /// Which URI wins where both are set.
    pub both_uris: &'static str,
    /// Which authorization wins where both are set.
    pub both_tokens: &'static str,
    pub ipv6: Ipv6,
    pub proxy: AgentProxy,
    pub timeout: Option<&'static str>,
    /// Its error does not quote what the agent said.
    pub drops_agent_body: bool,
}

/// Whether `http://[fd00:ec2::23]` is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6 {
    Yes,
    No,
    /// Only with `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6`, and then IPv4 is refused.
    WithMode,
    Unknown,
}

/// How `http://169.254.170.23` is reached where `HTTP_PROXY` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentProxy {
    Bypass,
    /// As any other address, through `HTTP_PROXY` unless `NO_PROXY` has it.
    Environment,
    InCode,
    Unknown,
}

/// The documented minimum, which need not be the first that works.
#[derive(Debug)]
pub struct MinVersion {
    pub irsa: &'static str,
    pub pod_identity: &'static str,
}
