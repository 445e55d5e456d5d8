//! What most SDKs do, the lists that rows share, and the dates of runs and readings.
//! A row of `table` or `third_party` says what differs from `BASE`, or from another row.

use super::Provider::{Container as FromContainer, Imds, Keys, Profile, WebIdentity};
use super::sdk::{
    AgentProxy, Container, Fact, Files, GlobalRegion, Half, Ipv6, Kind, Legacy, MetadataOff, MinVersion,
    OnError, Proxying, Quirks, Sdk, Sts, WithoutRegion,
};

/// The first run of real SDKs in a network of our own.
pub(super) const FIRST_RUN: &str = "2026-11-21";

pub(super) const SECOND_RUN: &str = "2026-11";

pub(super) const RUN: &str = "2026-11-26";

pub(super) const fn read(about: &'static str, source: &'static str) -> Fact {
    Fact { about, as_of: "2026-08", source }
}

/// A fact from a run. `source` names the versions that were run.
pub(super) const fn ran(about: &'static str, as_of: &'static str, source: &'static str) -> Fact {
    Fact { about, as_of, source }
}

pub(super) const BOTH: &[&str] = &["AWS_REGION", "AWS_DEFAULT_REGION"];

pub(super) const DEFAULT_FIRST: &[&str] = &["AWS_DEFAULT_PROFILE", "AWS_PROFILE"];

pub(super) const DEFAULT_LAST: &[&str] = &["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

pub(super) const IN_CODE: Option<&str> = Some("a profile named in code");

/// The last one is `endpoint_url` below `sts =` in the profile's `services`.
pub(super) const ENDPOINTS: &[&str] =
    &["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL", "endpoint_url", "endpoint_url_sts"];

pub(super) const IGNORE: &[&str] =
    &["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"];

/// For SDKs that have their own roots, or use the machine's.
pub(super) const BUNDLE: &[&str] = &["AWS_CA_BUNDLE"];
pub(super) const FIPS: &[&str] =
    &["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "use_fips_endpoint", "use_dualstack_endpoint"];

pub(super) const NO_QUIRKS: Quirks = Quirks {
    profile_hides_keys: false,
    old_key_names: false,
    web_identity_of_profile: false,
    role_needs_source: false,
    empty_profile_is_none: false,
    full_uri_needs_file: false,
    true_in_lower_case: false,
    metadata_off: MetadataOff::True,
};

/// What most SDKs do. The rows name only the differences.
pub(super) const BASE: Sdk = Sdk {
    id: "",
    names: &[],
    packages: &[],
    kind: Kind::Current,
    order: &[Keys, WebIdentity, Profile, FromContainer, Imds],
    unseen: None,
    on_error: OnError::Stops,
    container_excludes_imds: true,
    half: Half::Unknown,
    quirks: NO_QUIRKS,
    profile_variables: &["AWS_PROFILE"],
    files: Files::Both,
    unread: &[],
    sts: None,
    proxy: Proxying::Unknown,
    container: BYPASSING,
    session_name: None,
    min_version: MinVersion { irsa: "any", pod_identity: "any" },
    note: None,
    facts: &[],
};

pub(super) const REGIONAL: Sts = Sts {
    regions: BOTH,
    without_region: WithoutRegion::Fails,
    legacy: Legacy::Ignored,
    global_region: GlobalRegion::Global,
    suffix: None,
};

pub(super) const BYPASSING: Container = Container {
    both_uris: "relative",
    both_tokens: "file",
    ipv6: Ipv6::Yes,
    proxy: AgentProxy::Bypass,
    timeout: None,
    drops_agent_body: false,
};
