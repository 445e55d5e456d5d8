//! One SDK as data: its order of providers, what it does if one fails, where and how it calls STS.
//! `table` has the rows; `chain` says what follows from them in an environment.

use super::Provider;
use serde::Serialize;

/// One SDK, or a family that behaves alike.
#[derive(Debug)]
pub struct Sdk {
    /// The id that `--sdk` accepts.
    pub id: &'static str,
    /// What people call them, in sentences.
    pub(crate) names: &'static [&'static str],
    /// The names in registries and imports. A trailing `*` matches any rest.
    pub(crate) packages: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) order: &'static [Provider],
    /// What takes precedence over all of `order` and cannot be seen from outside the process.
    pub(crate) unseen: Option<&'static str>,
    pub(crate) on_error: OnError,
    /// If a container variable is set, instance metadata is never asked.
    pub(crate) container_excludes_imds: bool,
    pub(crate) half: Half,
    pub(crate) quirks: Quirks,
    /// The variables that name the active profile. The first one that is set wins.
    pub(crate) profile_variables: &'static [&'static str],
    pub(crate) files: Files,
    /// Variables and profile settings that most other SDKs read, but not this one.
    pub(crate) unread: &'static [&'static [&'static str]],
    /// How it calls STS for a web identity. `None`: not observed.
    pub(crate) sts: Option<Sts>,
    pub(crate) proxy: Proxying,
    pub(crate) container: Container,
    /// A regular expression for the session name that it makes, as CloudTrail shows it.
    pub(crate) session_name: Option<&'static str>,
    pub(crate) min_version: MinVersion,
    pub(crate) note: Option<&'static str>,
    pub(crate) facts: &'static [Fact],
}

/// The source of some facts in a row.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Fact {
    /// What it is about.
    pub(crate) about: &'static str,
    /// The day or month of the run or reading.
    pub(crate) as_of: &'static str,
    pub(crate) source: &'static str,
}

/// Who maintains the SDK, and whether new projects still use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AWS's own, in its current major version.
    Current,
    /// AWS's own, with a later major version.
    Superseded,
    /// Not AWS's own. Alone it is no reason to warn, unless `--sdk` names it or credentials are at stake.
    ThirdParty,
}

/// Which profile files it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    Both,
    /// Reads the config file only with `AWS_SDK_LOAD_CONFIG`.
    ConfigIfLoaded,
    /// Like `ConfigIfLoaded`, but it also needs that variable to read `AWS_SHARED_CREDENTIALS_FILE`.
    AllIfLoaded,
    CredentialsOnly,
    Neither,
}

/// What it does if the provider that it picked fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The first configured provider that fails ends the search, or the provider was chosen once by configuration alone.
    Stops,
    /// It asks the next provider, whatever the error is.
    GoesOn,
    /// Like `Stops`, but if the container provider fails, the SDK only warns and has no credentials.
    StopsButWarns,
}

/// What it does with `AWS_WEB_IDENTITY_TOKEN_FILE` and no `AWS_ROLE_ARN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Stops,
    GoesOn,
    Unknown,
}

/// Behaviour that only few SDKs have.
#[derive(Debug, Default)]
pub(crate) struct Quirks {
    /// If `AWS_PROFILE` is set, keys in the environment are ignored.
    pub(crate) profile_hides_keys: bool,
    /// `AWS_ACCESS_KEY` and `AWS_SECRET_KEY` also count.
    pub(crate) old_key_names: bool,
    /// The web identity provider uses the profile's settings if the variables are missing.
    pub(crate) web_identity_of_profile: bool,
    /// A profile's `role_arn` counts only with a source that gives credentials.
    pub(crate) role_needs_source: bool,
    /// An empty `AWS_PROFILE` names a profile that does not exist, and `[default]` is not read.
    pub(crate) empty_profile_is_none: bool,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` counts only with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub(crate) full_uri_needs_file: bool,
    /// Switches count only if they are `true` in lower case.
    pub(crate) true_in_lower_case: bool,
    pub(crate) metadata_off: MetadataOff,
}

/// Which values of `AWS_EC2_METADATA_DISABLED` turn instance metadata off.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetadataOff {
    #[default]
    True,
    /// Any text except `false`.
    NotFalse,
    /// It does not read the variable.
    Never,
}

/// How it finds STS.
#[derive(Debug)]
pub(crate) struct Sts {
    /// The variables that name the region. The first one that is set wins; the profile's `region` comes after them.
    pub(crate) regions: &'static [&'static str],
    pub(crate) without_region: WithoutRegion,
    pub(crate) legacy: Legacy,
    pub(crate) global_region: GlobalRegion,
    /// The suffix of its hosts in every partition, if it does not know partitions.
    pub(crate) suffix: Option<&'static str>,
}

/// How it treats `AWS_STS_REGIONAL_ENDPOINTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Legacy {
    Ignored,
    /// `legacy` selects the global endpoint.
    Honoured,
    /// Every value except `regional` does.
    ByDefault,
    /// The same, in every region of the partition `aws`, not only in the older ones.
    Everywhere,
}

/// The host that it calls for the pseudo region `aws-global`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GlobalRegion {
    Global,
    Region(&'static str),
    /// A host with that name, which does not exist.
    Literal,
}

/// The host that it calls if nothing names a region.
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
    /// CPython's `urllib`: lower case wins, even if empty. `NO_PROXY` supports no ranges and no `*.`.
    Python,
    /// Go's `net/http`: upper case wins. `NO_PROXY` supports ranges, `*.` and ports.
    Go,
    /// Rust's clients: like Go, and `ALL_PROXY`. `NO_PROXY` supports neither `*.` nor ports.
    Rust,
    /// libcurl: like Rust, but lower case wins.
    Curl,
    /// Ruby's `net/http`: `HTTP_PROXY`, for `https://` too.
    Ruby,
    /// None, unless the application passes an agent in code.
    Never,
    /// The variables are read, but its rules for `NO_PROXY` are not known.
    Reads,
    Unknown,
}

/// How it calls the endpoint of the container variables.
#[derive(Debug)]
pub(crate) struct Container {
    /// Which URI wins if both are set.
    pub(crate) both_uris: &'static str,
    /// Which authorization wins if both are set.
    pub(crate) both_tokens: &'static str,
    pub(crate) ipv6: Ipv6,
    pub(crate) proxy: AgentProxy,
    pub(crate) timeout: Option<&'static str>,
    /// Its error does not quote the agent's text.
    pub(crate) drops_agent_body: bool,
}

/// Whether it accepts `http://[fd00:ec2::23]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ipv6 {
    Yes,
    No,
    /// Only with `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6`. IPv4 is then refused.
    WithMode,
    Unknown,
}

/// How it reaches `http://169.254.170.23` if `HTTP_PROXY` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentProxy {
    Bypass,
    /// Like any other address, through `HTTP_PROXY` unless `NO_PROXY` covers it.
    Environment,
    Unknown,
}

/// The documented minimum version. An earlier one may work too.
#[derive(Debug)]
pub(crate) struct MinVersion {
    pub(crate) irsa: &'static str,
    pub(crate) pod_identity: &'static str,
}
