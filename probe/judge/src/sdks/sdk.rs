//! What is known of one SDK: its order of providers, what it does when one fails, where and how it calls STS.
//! The rows are in `table`; what follows from them in an environment, `chain` says.

use super::Provider;

/// One SDK, or a family that behaves alike.
#[derive(Debug)]
pub struct Sdk {
    /// As `--sdk` takes it.
    pub id: &'static str,
    /// As people call them, in sentences.
    pub(crate) names: &'static [&'static str],
    /// As registries and imports have them.
    pub(crate) packages: &'static [&'static str],
    pub(crate) order: &'static [Provider],
    /// What comes before all of `order` and cannot be seen from outside of the process.
    pub(crate) unseen: Option<&'static str>,
    pub(crate) on_error: OnError,
    /// With a container variable set, instance metadata is never asked.
    pub(crate) container_excludes_imds: bool,
    pub(crate) half: Half,
    pub(crate) quirks: Quirks,
    /// How it calls STS for a web identity; `None`: not observed.
    pub(crate) sts: Option<Sts>,
    pub(crate) proxy: Proxying,
    pub(crate) container: Container,
    /// A regular expression for the session that it names itself, as CloudTrail shows it.
    pub(crate) session_name: Option<&'static str>,
    pub(crate) min_version: MinVersion,
    pub(crate) note: Option<&'static str>,
    pub(crate) source: &'static str,
}

/// What it does when the provider that it picked fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The first configured provider that fails ends the search, or it was chosen once by configuration alone.
    Stops,
    /// The next one is asked, whatever the error.
    GoesOn,
    /// As `Stops`; but a container that fails leaves the SDK without credentials and only a warning.
    StopsButWarns,
}

/// `AWS_WEB_IDENTITY_TOKEN_FILE` without `AWS_ROLE_ARN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Stops,
    GoesOn,
    Unknown,
}

/// What few SDKs do.
#[derive(Debug, Default)]
pub(crate) struct Quirks {
    /// Keys in the environment are left out where `AWS_PROFILE` is set.
    pub(crate) profile_hides_keys: bool,
    /// `AWS_ACCESS_KEY_ID` without the secret ends the search.
    pub(crate) half_keys_stop: bool,
    /// The web identity provider takes the profile's settings where the variables are missing.
    pub(crate) web_identity_of_profile: bool,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` counts only with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub(crate) full_uri_needs_file: bool,
    /// `AWS_EC2_METADATA_DISABLED` is not read.
    pub(crate) metadata_always: bool,
    /// Not AWS's own: it is named by `chain`, and by `check` only where it is asked for or credentials are at stake.
    pub(crate) third_party: bool,
}

/// How it finds STS.
#[derive(Debug)]
pub(crate) struct Sts {
    /// The variables that name the region, the first that is set wins; the profile's `region` comes after.
    pub(crate) regions: &'static [&'static str],
    pub(crate) profile_region: bool,
    pub(crate) without_region: WithoutRegion,
    /// Honours `AWS_STS_REGIONAL_ENDPOINTS`.
    pub(crate) regional_endpoints: bool,
    /// Honours `AWS_ENDPOINT_URL` beside `AWS_ENDPOINT_URL_STS`.
    pub(crate) endpoint_url: bool,
    pub(crate) ignore_endpoint_urls: bool,
    pub(crate) fips_and_dual_stack: bool,
    pub(crate) source: &'static str,
}

/// Whom it calls where nothing names a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutRegion {
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
pub(crate) struct Container {
    /// Which URI wins where both are set.
    pub(crate) both_uris: &'static str,
    /// Which authorization wins where both are set.
    pub(crate) both_tokens: &'static str,
    pub(crate) ipv6: Ipv6,
    pub(crate) proxy: AgentProxy,
    pub(crate) timeout: Option<&'static str>,
    /// Its error does not quote what the agent said.
    pub(crate) drops_agent_body: bool,
}

/// Whether `http://[fd00:ec2::23]` is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ipv6 {
    Yes,
    No,
    /// Only with `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6`, and then IPv4 is refused.
    WithMode,
    Unknown,
}

/// How `http://169.254.170.23` is reached where `HTTP_PROXY` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentProxy {
    Bypass,
    /// As any other address, through `HTTP_PROXY` unless `NO_PROXY` has it.
    Environment,
    InCode,
    Unknown,
}

/// The documented minimum, which need not be the first that works.
#[derive(Debug)]
pub(crate) struct MinVersion {
    pub(crate) irsa: &'static str,
    pub(crate) pod_identity: &'static str,
}
