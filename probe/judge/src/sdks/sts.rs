//! Which STS host an SDK calls for a web identity here, by its own reading of region, endpoint and legacy variables. Pure.
//! `settings` has the endpoint rules, which are AWS's.

use super::sdk::{GlobalRegion, Legacy, Sdk, Sts, WithoutRegion};
use super::view::as_read;
use crate::evidence::Environment;
use crate::settings::partition::{GLOBAL_REGION, Partition};
use crate::settings::{self, Endpoint, RouteProblem, Sourced, StsRoute};

/// The host that an SDK calls, and what decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `None`: it fails before it calls any host.
    pub host: Option<String>,
    /// The variable, profile setting or default that decided.
    pub by: String,
}

const LEGACY: &str = "AWS_STS_REGIONAL_ENDPOINTS";

/// The host that the SDK calls. `None`: not known.
#[must_use]
pub fn call(sdk: &Sdk, environment: &Environment) -> Option<Call> {
    let sts = sdk.sts.as_ref()?;
    let view = as_read(sdk, environment);
    let StsRoute { region, endpoint } = route(sts, &view);
    let by_region = region.as_ref().map_or_else(|| "no region".to_owned(), |region| region.source.clone());
    Some(match endpoint {
        Ok(endpoint) => Call {
            by: match endpoint.configured_by {
                Some(variable) => variable.to_owned(),
                None if endpoint.global && region.is_some() => LEGACY.to_owned(),
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

/// Region and endpoint as this SDK would choose them. `view`: the environment as it reads it.
#[must_use]
pub(super) fn route(sts: &Sts, view: &Environment) -> StsRoute {
    let region = region(sts, view);
    let endpoint = endpoint(sts, view, region.as_ref());
    StsRoute { region, endpoint }
}

fn endpoint(sts: &Sts, view: &Environment, region: Option<&Sourced>) -> Result<Endpoint, RouteProblem> {
    if settings::configured_endpoint(view).is_some() {
        return settings::endpoint(view, region);
    }
    let legacy = is_legacy(sts, view);
    let Some(region) = region else {
        let global = legacy || sts.without_region == WithoutRegion::Global;
        return if global { Ok(settings::global()) } else { Err(RouteProblem::NoRegion) };
    };
    let moved = match sts.global_region {
        GlobalRegion::Region(moved) if region.value == GLOBAL_REGION => Some(moved),
        _ => None,
    };
    let name = moved.unwrap_or(&region.value);
    let is_literal = name == GLOBAL_REGION && sts.global_region == GlobalRegion::Literal;
    let endpoint = if sts.suffix.is_some() || is_literal {
        let host = format!("sts.{name}.{}", sts.suffix.unwrap_or("amazonaws.com"));
        let url = format!("https://{host}");
        Endpoint { url, host, signing_region: name.to_owned(), configured_by: None, global: false }
    } else {
        settings::endpoint(view, Some(&Sourced { value: name.to_owned(), source: region.source.clone() }))?
    };
    let plain = !view.is_on("AWS_USE_FIPS_ENDPOINT") && !view.is_on("AWS_USE_DUALSTACK_ENDPOINT");
    let signed = endpoint.signing_region.as_str();
    let is_moved = match sts.legacy {
        Legacy::Everywhere => Partition::of_region(signed).is_none_or(|it| it.id == "aws"),
        Legacy::Ignored | Legacy::Honoured | Legacy::ByDefault => LEGACY_REGIONS.contains(&signed),
    };
    let to_global = legacy && plain && is_moved;
    Ok(if to_global { settings::global() } else { endpoint })
}

fn is_legacy(sts: &Sts, view: &Environment) -> bool {
    let is = |wanted: &str| view.said(LEGACY).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    match sts.legacy {
        Legacy::Ignored => false,
        Legacy::Honoured => is("legacy"),
        Legacy::ByDefault | Legacy::Everywhere => !is("regional"),
    }
}

fn region(sts: &Sts, view: &Environment) -> Option<Sourced> {
    let sourced = |value: &str, source: &str| Sourced { value: value.to_owned(), source: source.to_owned() };
    let flag = view.options.region.as_deref().map(|value| sourced(value, "--region"));
    let variables = || sts.regions.iter().find_map(|name| Some(sourced(view.get(name)?, name)));
    let profile = || {
        let profile = view.profile.as_ref()?;
        let value = profile.settings.get("region").filter(|value| !value.is_empty())?;
        Some(sourced(value, &format!("region of profile {}", profile.name)))
    };
    let default = || match sts.without_region {
        WithoutRegion::Region(region) => Some(sourced(region, OWN_DEFAULT)),
        WithoutRegion::Global | WithoutRegion::Fails => None,
    };
    flag.or_else(variables).or_else(profile).or_else(default)
}

/// The source of a region that is the SDK's own default.
pub const OWN_DEFAULT: &str = "its own default";

/// The regions that `AWS_STS_REGIONAL_ENDPOINTS=legacy` sends to the global endpoint in boto3 and Go v1 (botocore endpoint
/// rules). Others stay regional there.
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
