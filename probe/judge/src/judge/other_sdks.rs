//! Judges where named SDKs act otherwise than the probe did: another STS host, another way to it. Pure.
//! What each SDK does, `chain` says; SDKs that are not AWS's own count only where `--sdk` names them.

use super::facts::Facts;
use crate::catalog::{Class, Topic};
use crate::evidence::Environment;
use crate::judge::finding::{Finding, Severity};
use crate::sdks::{self, Call, Kind, Proxying, Sdk, Way};
use crate::settings::{Endpoint, ISSUER_SOURCE, is_in_file};
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
        Some(sdk) => format!(
            "how {} finds its STS host was not observed: the usual one is judged",
            sdks::names(&[sdk])
        ),
        None => "which SDK the application uses cannot be told from here: all are judged".to_owned(),
    };
    Some(
        Finding::new(Class::Inconclusive, summary)
            .severity(Severity::Info)
            .transient(false)
            .presented(format!("--sdk={asked}"))
            .required("the id of an SDK whose host is known")
            .fix_note(Some("credprobe chain"), "lists the ids, and which hosts are known"),
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
    let called: Vec<String> = by_host
        .iter()
        .map(|(host, sdks)| {
            let names = sdks::names(sdks);
            let verb =
                if sdks.iter().map(|sdk| sdk.names.len()).sum::<usize>() == 1 { "calls" } else { "call" };
            format!("{names} {verb} {host}")
        })
        .collect();
    let summary = format!("{} here, not {}", called.join(", "), endpoint.host);
    let environment = &facts.evidence.environment;
    let sdks: Vec<&Sdk> = calls.iter().map(|(sdk, _)| *sdk).collect();
    let finding = Finding::new(Class::EndpointDiffers, summary);
    // Few pods have a program that is not AWS's.
    let alone = sdks::stated(environment).is_none() && sdks.iter().all(|sdk| sdk.kind == Kind::ThirdParty);
    let finding = if alone { finding.severity(Severity::Info) } else { finding };
    let region = &endpoint.signing_region;
    match cause {
        Cause::Legacy => regional(
            facts,
            finding
                .presented(match environment.said("AWS_STS_REGIONAL_ENDPOINTS") {
                    Some(value) => format!("AWS_STS_REGIONAL_ENDPOINTS={value} in {region}"),
                    None => format!("no AWS_STS_REGIONAL_ENDPOINTS in {region}"),
                })
                .required(format!(
                    "AWS_STS_REGIONAL_ENDPOINTS=regional, so that every SDK calls {}",
                    endpoint.host
                )),
        ),
        Cause::Endpoint => {
            let variables = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"];
            let set: Vec<&str> =
                variables.into_iter().filter(|name| environment.get(name).is_some()).collect();
            let in_file = endpoint.configured_by.filter(|name| is_in_file(name));
            let ignored = environment.is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
            let named = set.iter().copied().chain(in_file).collect::<Vec<_>>().join(" and ");
            let finding = finding.presented(if ignored {
                format!("{named} beside AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            } else {
                named
            });
            if set.is_empty() {
                return finding
                    .required("AWS_ENDPOINT_URL_STS where STS is meant to be elsewhere: more SDKs read it")
                    .fix("# take it out of the config file, or set it in code where one client needs it");
            }
            facts.unset_env(
                finding
                    .required("no such variable, so that no SDK takes it; or the endpoint in code, for those that do not read it")
                    .fix(if ignored {
                        "# remove what is to be ignored anyway, or set it in code where one client needs it:"
                    } else {
                        "# where those SDKs are in use, set the endpoint in their code; where none is meant, remove it:"
                    }),
                &set,
            )
        }
        Cause::Switch => {
            let set: Vec<&str> = switches(environment).collect();
            finding
                .presented(set.iter().map(|name| format!("{name} is true")).collect::<Vec<_>>().join(", "))
                .required(format!("SDKs that know {}, or the endpoint in code", set.join(" and ")))
                .fix(format!(
                    "# where those SDKs are in use, set {} as the endpoint in their code",
                    endpoint.host
                ))
        }
        Cause::Region => {
            let both = ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| {
                let value = facts.evidence.environment.get(name);
                value.map_or_else(|| format!("no {name}"), |value| format!("{name}={value}"))
            });
            facts.set_region(
                finding
                    .presented(both.join(", "))
                    .required(format!(
                        "AWS_REGION={region} and AWS_DEFAULT_REGION={region}: boto3 reads only the second, JavaScript v3 only the first"
                    ))
                    .fix("# set both in the container's env; where neither is there, the webhook adds both:"),
                region,
            )
        }
    }
}

fn regional(facts: &Facts<'_>, finding: Finding) -> Finding {
    match facts.account() {
        Some(_) => facts.recreate(facts.annotate(
            finding,
            "eks.amazonaws.com/sts-regional-endpoints=true".into(),
            "overwrites the annotation; where the pod spec sets the variable, remove it there",
        )),
        None => finding.fix("# set AWS_STS_REGIONAL_ENDPOINTS=regional in the container's env"),
    }
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
        (&ways.captured, format!("send what is for {host} into a proxy; the probe went past it")),
        (&ways.passing, format!("go past the proxy on the way to {host}; the probe went through it")),
        (&ways.elsewhere, format!("take another proxy to {host} than the probe")),
    ];
    let told = told.into_iter().filter(|(sdks, _)| !sdks.is_empty());
    let spelled = told.map(|(sdks, what)| misread(facts, endpoint, format!("{} {what}", sdks::names(sdks))));
    spelled.chain(unaware(facts, endpoint, &ways.unaware)).collect()
}

/// The variables are spelled so that SDKs read them differently.
fn misread(facts: &Facts<'_>, endpoint: &Endpoint, summary: String) -> Finding {
    let environment = &facts.evidence.environment;
    let names = ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];
    let present = names.into_iter().filter_map(|name| Some((name, environment.variables.get(name)?)));
    let present: Vec<String> = present.map(|(name, value)| format!("{name}={value}")).collect();
    let finding = Finding::new(Class::ProxyCaptures, summary)
        .presented(present.join(", "))
        .required("upper and lower case alike, and NO_PROXY with whole names or domains: boto3 knows no *. and no ranges");
    let doubled = [("HTTPS_PROXY", "https_proxy"), ("NO_PROXY", "no_proxy")]
        .into_iter()
        .filter(|(upper, lower)| {
            let value = |name: &str| environment.variables.get(name);
            value(upper).is_some() && value(lower).is_some() && value(upper) != value(lower)
        })
        .map(|(_, lower)| lower);
    let doubled: Vec<&str> = doubled.collect();
    let through_proxy = facts.evidence.network.as_ref().is_some_and(|network| network.proxy.is_some());
    let finding = if through_proxy { finding.about(Topic::OwnProxy) } else { finding };
    if doubled.is_empty() {
        return facts.add_no_proxy(finding, &endpoint.host);
    }
    facts.unset_env(
        finding.fix("# leave one spelling, after making sure that nothing else needs the other:"),
        &doubled,
    )
}

/// They never read the variables: worth knowing behind a proxy, and no fault of this pod's settings.
fn unaware(facts: &Facts<'_>, endpoint: &Endpoint, sdks: &[&'static Sdk]) -> Option<Finding> {
    // A proxy that failed has its own finding.
    facts.evidence.exchange.as_ref().filter(|_| !sdks.is_empty())?;
    let asked_for = sdks::stated(&facts.evidence.environment).is_some();
    let summary = format!(
        "{} would go past the proxy that the probe used: no proxy variable is read there",
        sdks::names(sdks)
    );
    let finding = Finding::new(Class::ProxyCaptures, summary)
        .about(Topic::OwnProxy)
        .severity(if asked_for { Severity::Warning } else { Severity::Info })
        .presented("HTTPS_PROXY, through which STS answered")
        .required(format!(
            "a proxy agent in the application's code, or a way to {} without a proxy",
            endpoint.host
        ));
    Some(
        finding
            .fix("# in code: pass the client an HTTPS agent for the proxy (requestHandler with httpsAgent)"),
    )
}
