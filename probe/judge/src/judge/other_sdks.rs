//! Judges where named SDKs act otherwise than the probe did: another STS host, another way to it. Pure.
//! What each SDK does, `chain` says; SDKs that are not AWS's own count only where `--sdk` names them.

use super::facts::Facts;
use super::values::are_rare;
use crate::catalog::texts::{common, environment as texts};
use crate::catalog::{Class, Restart, Topic};
use crate::evidence::Environment;
use crate::judge::finding::{Finding, Severity};
use crate::sdks::{self, Call, Proxying, Sdk, Way};
use crate::settings::command::Word;
use crate::settings::partition;
use crate::settings::{Endpoint, ISSUER_SOURCE, is_in_file};
use crate::steps::slot;
use crate::text::plain;
use std::collections::BTreeMap;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = not_as_that_sdk(facts).into_iter().collect();
    let Ok(endpoint) = &facts.route.endpoint else { return findings };
    if !facts.compatible() {
        findings.extend(endpoint_differs(facts, endpoint));
    }
    findings.extend(proxy_captures(facts, endpoint));
    findings
}

/// `--sdk` was asked for and cannot be met, as far as the host goes.
fn not_as_that_sdk(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let asked = environment.options.sdk.as_ref()?;
    let summary = match sdks::stated(environment) {
        Some(sdk) if sdk.sts.is_some() => return None,
        Some(sdk) => {
            format!("how {} finds its STS host is not known, so the usual one is judged", sdks::names(&[sdk]))
        }
        None => "which SDK the app uses cannot be told from here, so all are judged".to_owned(),
    };
    Some(
        Finding::new(Class::Inconclusive, summary)
            .severity(Severity::Info)
            .transient(false)
            .presented(format!("--sdk={asked}"))
            .required("the id of an SDK whose host is known")
            .steps(&facts.values(), &[&texts::SEE_CHAIN]),
    )
}

/// SDKs that would present this token.
fn presenting(facts: &Facts<'_>) -> Vec<&'static Sdk> {
    let environment = &facts.evidence.environment;
    let stated = sdks::stated(environment);
    let presents = |chain: &&sdks::SdkChain| {
        chain.picks().is_some_and(|picked| picked.provider.is_of(facts.requested.mechanism))
    };
    let counts = |sdk: &Sdk| match stated {
        Some(stated) => stated.id == sdk.id,
        None => true,
    };
    facts.chains().iter().filter(presents).map(|chain| chain.sdk).filter(|sdk| counts(sdk)).collect()
}

/// What keeps SDKs from calling one host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Region,
    Legacy,
    Endpoint,
    Switch,
}

fn endpoint_differs(facts: &Facts<'_>, endpoint: &Endpoint) -> Vec<Finding> {
    let environment = &facts.evidence.environment;
    // A region that no variable has is `region-missing`'s, and a flag is nobody's but the probe's.
    let of_pod = |source: &str| source != ISSUER_SOURCE && !source.starts_with("--");
    let known = facts.route.region.as_ref().is_some_and(|region| of_pod(&region.source));
    if !known && endpoint.configured_by.is_none() {
        return Vec::new();
    }
    let mut differing: BTreeMap<Cause, Vec<(&'static Sdk, Call)>> = BTreeMap::new();
    for sdk in presenting(facts) {
        let Some(call) = sdks::call(sdk, environment) else { continue };
        if call.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(&endpoint.host)) {
            continue;
        }
        let cause = match call.by.as_str() {
            "AWS_STS_REGIONAL_ENDPOINTS" => Cause::Legacy,
            by if endpoint.configured_by.is_some() || by.contains("ENDPOINT_URL") || is_in_file(by) => {
                Cause::Endpoint
            }
            _ if switches(environment).next().is_some() => Cause::Switch,
            _ => Cause::Region,
        };
        differing.entry(cause).or_default().push((sdk, call));
    }
    differing.into_iter().map(|(cause, calls)| differs(facts, endpoint, cause, &calls)).collect()
}

/// FIPS and dual stack, where they are on.
fn switches(environment: &Environment) -> impl Iterator<Item = &'static str> {
    ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"].into_iter().filter(|name| environment.is_on(name))
}

fn differs(facts: &Facts<'_>, endpoint: &Endpoint, cause: Cause, calls: &[(&'static Sdk, Call)]) -> Finding {
    let mut by_host: BTreeMap<&str, Vec<&'static Sdk>> = BTreeMap::new();
    for (sdk, call) in calls {
        by_host.entry(call.host.as_deref().unwrap_or("nobody")).or_default().push(sdk);
    }
    let call = |(host, sdks): (&&str, &Vec<&'static Sdk>)| {
        let names = sdks::names(sdks);
        format!("{names} {} {host}", sdks::verb(&names, "calls", "call"))
    };
    let called: Vec<String> = by_host.iter().map(call).collect();
    let environment = &facts.evidence.environment;
    let sdks: Vec<&Sdk> = calls.iter().map(|(sdk, _)| *sdk).collect();
    let lone = cause == Cause::Region && environment.get("AWS_DEFAULT_REGION").is_none();
    let summary = sdks::sentence(Class::EndpointDiffers, &sdks, &|sdks| {
        let call = sdks::verb(sdks, "calls", "call");
        match by_host.keys().next() {
            Some(host) if by_host.len() == 1 && lone => {
                format!("AWS_DEFAULT_REGION is not set: {sdks} {call} {host}")
            }
            Some(host) if by_host.len() == 1 => format!("{sdks} {call} {host}, not {}", endpoint.host),
            _ => format!("{sdks} {call} another STS host than {}", endpoint.host),
        }
    });
    let finding = weighed(facts, &sdks, Finding::new(Class::EndpointDiffers, summary));
    let told = |finding: Finding, presented: String| {
        let why =
            format!("{}. credprobe asked {}. The pod has {presented}.", called.join(", "), endpoint.host);
        finding.presented(presented).why(plain(&why))
    };
    // A pseudo region is signed for another one than the cluster's.
    let issuer = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    let region = issuer.unwrap_or(&endpoint.signing_region);
    let values = facts.values();
    let see = &common::SEE_VARIABLES;
    match cause {
        Cause::Legacy => {
            let finding = told(
                finding,
                match environment.said("AWS_STS_REGIONAL_ENDPOINTS") {
                    Some(value) => format!("AWS_STS_REGIONAL_ENDPOINTS={value} in {region}"),
                    None => format!("no AWS_STS_REGIONAL_ENDPOINTS in {region}"),
                },
            )
            .required(format!(
                "AWS_STS_REGIONAL_ENDPOINTS=regional, so that every SDK calls {}",
                endpoint.host
            ))
            .restart(Restart::Pod);
            match facts.account() {
                Some(_) => finding.steps(
                    &values,
                    &[see, &texts::SET_REGIONAL_THERE, &texts::ANNOTATE_REGIONAL, &common::RESTART],
                ),
                None => finding.steps(&values, &[see, &texts::SET_REGIONAL]),
            }
        }
        Cause::Endpoint => by_endpoint(facts, endpoint, told, finding),
        Cause::Switch => {
            let set: Vec<&str> = switches(environment).collect();
            let values = values.with_text(slot::VARIABLE, set.join(" and "));
            let is_on: Vec<String> = set.iter().map(|name| format!("{name}=true")).collect();
            told(finding, is_on.join(", "))
                .required(format!("SDKs that know {}, or the endpoint in code", set.join(" and ")))
                .steps(&values, &[&texts::SET_HOST_IN_CODE])
        }
        Cause::Region => {
            let both = ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| {
                let value = environment.get(name);
                value.map_or_else(|| format!("no {name}"), |value| format!("{name}={value}"))
            });
            told(finding, both.join(", "))
                .required(format!(
                    "AWS_REGION={region} and AWS_DEFAULT_REGION={region}: boto3 reads only the second, JavaScript v3 only the first"
                ))
                .steps(&values, &[see, &common::SET_REGION])
        }
    }
}

/// As far as SDKs differ by a configured endpoint: some read no such variable.
fn by_endpoint(
    facts: &Facts<'_>,
    endpoint: &Endpoint,
    told: impl Fn(Finding, String) -> Finding,
    finding: Finding,
) -> Finding {
    let environment = &facts.evidence.environment;
    let variables = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"];
    let set: Vec<&str> = variables.into_iter().filter(|name| environment.get(name).is_some()).collect();
    let in_file = endpoint.configured_by.filter(|name| is_in_file(name));
    let ignored = environment.is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let named = set.iter().copied().chain(in_file).collect::<Vec<_>>().join(" and ");
    let beside = if ignored { " beside AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" } else { "" };
    let finding = told(finding, format!("{named}{beside}"));
    let Some(last) = set.last() else {
        return finding
            .required("AWS_ENDPOINT_URL_STS where STS is meant to be elsewhere: more SDKs read it")
            .restart(Restart::Container)
            .steps(&facts.values().with_text(slot::VARIABLE, named), &[&common::CORRECT_SETTING]);
    };
    let finding = finding
        .required("no such variable, so that no SDK takes it; or the endpoint in code, for those that do not read it")
        .restart(Restart::Pod);
    let see = &common::SEE_VARIABLES;
    let values = facts.values_to(&endpoint.host).with(slot::VARIABLE, *last, Word::variable_name(last));
    if *last == "AWS_ENDPOINT_URL" {
        return finding.steps(&values, &[see, &common::NARROW_ENDPOINT, &common::GIVE_STS_ITS_ENDPOINT]);
    }
    finding.steps(&values, &[see, &texts::SET_IN_CODE, &texts::REMOVE_UNNEEDED])
}

/// What another SDK does is a note where nobody has credentials, or where few pods have that SDK; what the stated one does
/// is none.
fn weighed(facts: &Facts<'_>, sdks: &[&Sdk], finding: Finding) -> Finding {
    let is_stated = sdks::stated(&facts.evidence.environment).is_some();
    let is_note = !is_stated && (facts.is_refused() || are_rare(sdks));
    if is_note { finding.severity(Severity::Info) } else { finding }
}

/// Who takes another way than the probe took.
#[derive(Default)]
struct Ways {
    /// Into the proxy, where the probe went directly.
    captured: Vec<&'static Sdk>,
    /// Directly, by their reading of the variables.
    passing: Vec<&'static Sdk>,
    /// Into another proxy.
    elsewhere: Vec<&'static Sdk>,
    /// Directly, for they read no variables at all.
    unaware: Vec<&'static Sdk>,
}

fn proxy_captures(facts: &Facts<'_>, endpoint: &Endpoint) -> Vec<Finding> {
    let Some(network) = &facts.evidence.network else { return Vec::new() };
    // Plain http:// has other variables, and no proxy ever.
    if !endpoint.url.starts_with("https://") {
        return Vec::new();
    }
    let environment = &facts.evidence.environment;
    let ours = environment.get("HTTPS_PROXY").or_else(|| environment.get("https_proxy"));
    if network.proxy.is_some() && ours.is_none() {
        return Vec::new();
    }
    let mut ways = Ways::default();
    for sdk in presenting(facts) {
        let way = sdks::way(sdk.proxy, environment, &endpoint.host);
        match (way, network.proxy.is_some()) {
            (None, _) | (Some(Way::Direct), false) => {}
            (Some(Way::Direct), true) if sdk.proxy == Proxying::Never => ways.unaware.push(sdk),
            (Some(Way::Direct), true) => ways.passing.push(sdk),
            (Some(Way::Proxy { .. }), false) => ways.captured.push(sdk),
            (Some(Way::Proxy { url, .. }), true) if Some(url) != ours => ways.elsewhere.push(sdk),
            (Some(Way::Proxy { .. }), true) => {}
        }
    }
    let host = &endpoint.host;
    let told = [
        (&ways.captured, "through a proxy", "credprobe went past it"),
        (&ways.passing, "past the proxy", "credprobe went through it"),
        (&ways.elsewhere, "through another proxy", "credprobe took the other one"),
    ];
    let told = told.into_iter().filter(|(sdks, ..)| !sdks.is_empty());
    let spelled = told.map(|(sdks, way, other)| {
        let went = |sdks: &str| format!("{sdks} {} {way} to {host}", sdks::verb(sdks, "goes", "go"));
        let summary = sdks::sentence(Class::ProxyCaptures, sdks, &went);
        let why = format!("{}, and {other}.", went(&sdks::names(sdks)));
        let finding = weighed(facts, sdks, misread(facts, endpoint, summary, why));
        // One SDK of many that reads its variables in another spelling says little of this pod.
        let alone = sdks.len() == 1 && sdks::stated(&facts.evidence.environment).is_none();
        if alone { finding.severity(Severity::Info).explains_nothing() } else { finding }
    });
    spelled.chain(unaware(facts, endpoint, &ways.unaware)).collect()
}

/// The variables are spelled so that SDKs read them differently.
fn misread(facts: &Facts<'_>, endpoint: &Endpoint, summary: String, why: String) -> Finding {
    let environment = &facts.evidence.environment;
    let names = ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];
    let present = names.into_iter().filter_map(|name| Some((name, environment.variables.get(name)?)));
    let present: Vec<String> = present.map(|(name, value)| format!("{name}={value}")).collect();
    let present = present.join(", ");
    let finding = Finding::new(Class::ProxyCaptures, summary)
        .why(plain(&format!("{why} The pod has {present}. SDKs read these variables differently.")))
        .presented(present)
        .required("upper and lower case alike, and NO_PROXY with whole names or domains: boto3 knows no *. and no ranges")
        .restart(Restart::Pod);
    let value = |name: &str| environment.variables.get(name);
    let doubled =
        [("HTTPS_PROXY", "https_proxy"), ("NO_PROXY", "no_proxy")].into_iter().find(|(upper, lower)| {
            value(upper).is_some() && value(lower).is_some() && value(upper) != value(lower)
        });
    let through_proxy = facts.evidence.network.as_ref().is_some_and(|network| network.proxy.is_some());
    let finding = if through_proxy { finding.about(Topic::OwnProxy) } else { finding };
    let values = facts.values_to(&endpoint.host);
    match doubled {
        None => finding.steps(&values, &[&common::SEE_VARIABLES, &common::ADD_NO_PROXY]),
        Some((_, lower)) => finding.steps(
            &values.with(slot::VARIABLE, lower, Word::variable_name(lower)),
            &[&common::SEE_VARIABLES, &texts::MAKE_ALIKE, &texts::UNSET_SPELLING],
        ),
    }
}

/// They never read the variables: worth knowing behind a proxy, and no fault of this pod's settings.
fn unaware(facts: &Facts<'_>, endpoint: &Endpoint, sdks: &[&'static Sdk]) -> Option<Finding> {
    // A proxy that failed has its own finding.
    facts.evidence.exchange.as_ref().filter(|_| !sdks.is_empty())?;
    let asked_for = sdks::stated(&facts.evidence.environment).is_some();
    let names = sdks::names(sdks);
    let summary = sdks::sentence(Class::ProxyCaptures, sdks, &|sdks| {
        format!("{sdks} {} past the proxy to {}", sdks::verb(sdks, "goes", "go"), endpoint.host)
    });
    Some(
        Finding::new(Class::ProxyCaptures, summary)
            .about(Topic::OwnProxy)
            .severity(if asked_for { Severity::Warning } else { Severity::Info })
            .presented("HTTPS_PROXY, through which STS answered")
            .required(format!(
                "a proxy agent in the application's code, or a way to {} without a proxy",
                endpoint.host
            ))
            .why(format!(
                "STS answered credprobe through the proxy in HTTPS_PROXY. {names} {} no proxy variable.",
                sdks::verb(&names, "reads", "read")
            ))
            .steps(&facts.values_to(&endpoint.host), &[&texts::PASS_AGENT]),
    )
}
