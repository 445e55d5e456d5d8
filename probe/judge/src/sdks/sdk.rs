//! What is known of one SDK: its order of providers, what it does when one fails, where and how it calls STS.
//! The rows are in `table`; what follows from them in an environment, `chain` says.

use super::Provider;
use serde::Serialize;

/// One SDK, or a family that behaves alike.
#[derive(Debug)]
pub struct Sdk {
    /// As `--sdk` takes it.
    pub id: &'static str,
    /// As people call them, in sentences.
    pub(crate) names: &'static [&'static str],
    /// As registries and imports have them; a last `*` stands for any rest.
    pub(crate) packages: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) order: &'static [Provider],
    /// What comes before all of `order` and cannot be seen from outside of the process.
    pub(crate) unseen: Option<&'static str>,
    pub(crate) on_error: OnError,
    /// With a container variable set, instance metadata is never asked.
    pub(crate) container_excludes_imds: bool,
    pub(crate) half: Half,
    pub(crate) quirks: Quirks,
    /// The variables that name the active profile, the first that is set wins.
    pub(crate) profile_variables: &'static [&'static str],
    pub(crate) files: Files,
    /// Variables, and settings of a profile, that it does not read and most others do.
    pub(crate) unread: &'static [&'static [&'static str]],
    /// How it calls STS for a web identity; `None`: not observed.
    pub(crate) sts: Option<Sts>,
    pub(crate) proxy: Proxying,
    pub(crate) container: Container,
    /// A regular expression for the session that it names itself, as CloudTrail shows it.
    pub(crate) session_name: Option<&'static str>,
    pub(crate) min_version: MinVersion,
    pub(crate) note: Option<&'static str>,
    pub(crate) facts: &'static [Fact],
}

/// Where some of a row is from.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Fact {
    /// What of the row.
    pub(crate) about: &'static str,
    /// The day or month of the run or reading.
    pub(crate) as_of: &'static str,
    pub(crate) source: &'static str,
}

/// Whose it is, and whether people still begin with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AWS's own, in its current major version.
    Current,
    /// AWS's own; a later major version is there.
    Superseded,
    /// Not AWS's own: alone it is no reason to warn, unless it is asked for or credentials are at stake.
    ThirdParty,
}

/// Which profile files it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    Both,
    /// The config file only with `AWS_SDK_LOAD_CONFIG`.
    ConfigIfLoaded,
    /// As `ConfigIfLoaded`; and `AWS_SHARED_CREDENTIALS_FILE` is read only with it, too.
    AllIfLoaded,
    CredentialsOnly,
    Neither,
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
    /// `AWS_ACCESS_KEY` and `AWS_SECRET_KEY` count as well.
    pub(crate) old_key_names: bool,
    /// The web identity provider takes the profile's settings where the variables are missing.
    pub(crate) web_identity_of_profile: bool,
    /// A profile's `role_arn` counts only with a source that gives something.
    pub(crate) role_needs_source: bool,
    /// An empty `AWS_PROFILE` names a profile that does not exist, and `[default]` is not read.
    pub(crate) empty_profile_is_none: bool,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` counts only with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub(crate) full_uri_needs_file: bool,
    /// Of switches it takes `true` in lower case alone.
    pub(crate) true_in_lower_case: bool,
    pub(crate) metadata_off: MetadataOff,
}

/// At which `AWS_EC2_METADATA_DISABLED` it leaves instance metadata alone.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataOff {
    #[default]
    True,
    /// At any text but `false`.
    NotFalse,
    /// It does not read the variable.
    Never,
}

/// How it finds STS.
#[derive(Debug)]
pub(crate) struct Sts {
    /// The variables that name the region, the first that is set wins; the profile's `region` comes after.
    pub(crate) regions: &'static [&'static str],
    pub(crate) without_region: WithoutRegion,
    pub(crate) legacy: Legacy,
    pub(crate) global_region: GlobalRegion,
    /// The end of its hosts in every partition, where it knows no partitions.
    pub(crate) suffix: Option<&'static str>,
}

/// What it makes of `AWS_STS_REGIONAL_ENDPOINTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Legacy {
    Ignored,
    /// `legacy` leads to the global endpoint.
    Honoured,
    /// All but `regional` does.
    ByDefault,
}

/// Whom it calls for the pseudo region `aws-global`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GlobalRegion {
    Global,
    Region(&'static str),
    /// A host of that name, which does not exist.
    Literal,
}

/// Whom it calls where nothing names a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutRegion {
    /// `sts.amazonaws.com`.
    Global,
    Region(&'static str),
    Fails,
}

/// Which proxy variables it reads for `https://`, and how it reads `NO_PROXY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxying {
    /// CPython's `urllib`: lower case wins, even when empty; `NO_PROXY` knows no ranges and no `*.`.
    Python,
    /// Go's `net/http`: upper case wins; `NO_PROXY` knows ranges, `*.` and ports.
    Go,
    /// Rust's clients: as Go, and `ALL_PROXY`; `NO_PROXY` knows neither `*.` nor ports.
    Rust,
    /// libcurl: as Rust, and lower case wins.
    Curl,
    /// Ruby's `net/http`: `HTTP_PROXY`, for `https://` too.
    Ruby,
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
    Unknown,
}

/// The documented minimum, which need not be the first that works.
#[derive(Debug)]
pub(crate) struct MinVersion {
    pub(crate) irsa: &'static str,
    pub(crate) pod_identity: &'static str,
}
