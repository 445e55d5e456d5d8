//! Whom an SDK calls for a web identity in this environment: its own reading of region, endpoint and legacy variables. Pure.
//! The endpoint rules themselves are `settings`'s, which are AWS's.

use super::sdk::{Sdk, Sts, WithoutRegion};
use crate::evidence::Environment;
use crate::settings::{self, Endpoint, RouteProblem, Sourced, StsRoute};
use std::borrow::Cow;

/// Whom an SDK calls, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `None`: it fails before it calls anybody.
    pub host: Option<String>,
    /// The variable, profile setting or default that decided.
    pub by: String,
}

/// Whom the SDK calls; `None`: not known.
#[must_use]
pub fn call(sdk: &Sdk, environment: &Environment) -> Option<Call> {
    let sts = sdk.sts.as_ref()?;
    let StsRoute { region, endpoint } = route(sts, environment);
    let by_region = region.as_ref().map_or_else(|| "no region".to_owned(), |region| region.source.clone());
    Some(match endpoint {
        Ok(endpoint) => Call {
            by: match endpoint.configured_by {
                Some(variable) => variable.to_owned(),
                None if moved_by_legacy(sts, environment, &endpoint, region.as_ref()) => {
                    "AWS_STS_REGIONAL_ENDPOINTS".to_owned()
                }
                None => by_region,
            },
            host: Some(endpoint.host),
        },
        Err(RouteProblem::Setting { name, .. } | RouteProblem::Untrusted { name, .. }) => {
            Call { host: None, by: name.to_owned() }
        }
        Err(RouteProblem::RegionForm(region)) => Call { host: None, by: region.source },
        Err(RouteProblem::NoRegion) => Call { host: None, by: by_region },
    })
}

/// Region and endpoint as this SDK would choose them.
#[must_use]
pub(super) fn route(sts: &Sts, environment: &Environment) -> StsRoute {
    let region = region(sts, environment);
    let view = as_read(sts, environment);
    let endpoint = match &region {
        None if settings::configured_endpoint(&view).is_none() => match sts.without_region {
            WithoutRegion::Global => Ok(settings::global()),
            WithoutRegion::Region(_) | WithoutRegion::Fails => Err(RouteProblem::NoRegion),
        },
        region => settings::endpoint(&view, region.as_ref()),
    };
    let endpoint = endpoint
        .map(|endpoint| if is_legacy(sts, environment, &endpoint) { settings::global() } else { endpoint });
    StsRoute { region, endpoint }
}

/// Whether the global endpoint is called although a region is known.
fn moved_by_legacy(
    sts: &Sts,
    environment: &Environment,
    endpoint: &Endpoint,
    region: Option<&Sourced>,
) -> bool {
    sts.regional_endpoints && legacy_is_set(environment) && endpoint.global && region.is_some()
}

fn is_legacy(sts: &Sts, environment: &Environment, endpoint: &Endpoint) -> bool {
    sts.regional_endpoints
        && legacy_is_set(environment)
        && endpoint.configured_by.is_none()
        && !environment.is_true("AWS_USE_FIPS_ENDPOINT")
        && !environment.is_true("AWS_USE_DUALSTACK_ENDPOINT")
        && LEGACY_REGIONS.contains(&endpoint.signing_region.as_str())
}

fn legacy_is_set(environment: &Environment) -> bool {
    let profile = environment.profile.as_ref();
    let setting = || profile?.settings.get("sts_regional_endpoints").map(String::as_str);
    let value = environment.get("AWS_STS_REGIONAL_ENDPOINTS").or_else(setting);
    value.is_some_and(|value| value.eq_ignore_ascii_case("legacy"))
}

fn region(sts: &Sts, environment: &Environment) -> Option<Sourced> {
    let sourced = |value: &str, source: &str| Sourced { value: value.to_owned(), source: source.to_owned() };
    let flag = environment.options.region.as_deref().map(|value| sourced(value, "--region"));
    let variables = || sts.regions.iter().find_map(|name| Some(sourced(environment.get(name)?, name)));
    let profile = || {
        let profile = environment.profile.as_ref().filter(|_| sts.profile_region)?;
        let value = profile.settings.get("region").filter(|value| !value.is_empty())?;
        Some(sourced(value, &format!("region of profile {}", profile.name)))
    };
    let default = || match sts.without_region {
        WithoutRegion::Region(region) => Some(sourced(region, OWN_DEFAULT)),
        WithoutRegion::Global | WithoutRegion::Fails => None,
    };
    flag.or_else(variables).or_else(profile).or_else(default)
}

/// The environment without what this SDK does not read.
fn as_read<'e>(sts: &Sts, environment: &'e Environment) -> Cow<'e, Environment> {
    let mut view = Cow::Borrowed(environment);
    let mut forget = |unread: bool, name: &str| {
        // Few environments have one of these.
        if unread && view.variables.contains_key(name) {
            view.to_mut().variables.remove(name);
        }
    };
    forget(!sts.endpoint_url, "AWS_ENDPOINT_URL");
    forget(!sts.ignore_endpoint_urls, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    forget(!sts.fips_and_dual_stack, "AWS_USE_FIPS_ENDPOINT");
    forget(!sts.fips_and_dual_stack, "AWS_USE_DUALSTACK_ENDPOINT");
    view
}

/// The source of a region that is an SDK's own.
pub const OWN_DEFAULT: &str = "its own default";

/// The regions that `AWS_STS_REGIONAL_ENDPOINTS=legacy` sends to the global endpoint (botocore endpoint rules); others stay.
const LEGACY_REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
