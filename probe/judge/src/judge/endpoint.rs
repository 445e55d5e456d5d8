//! Judges the settings that SDKs take besides the pair: session name, endpoint, FIPS, CA bundle. Pure.
//! Each finding tells how the setting is taken back.

pub(super) mod unreadable;

use super::facts::Facts;
use super::unseen;
use crate::catalog::texts::{common, environment as texts};
use crate::catalog::{Class, Restart, Topic};
use crate::evidence::TrustProblem;
use crate::judge::finding::{Finding, Severity};
use crate::sdks;
use crate::settings::command::Word;
use crate::settings::{self, RouteProblem, partition};
use crate::steps::slot;
use crate::text::plain;

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let environment = &facts.evidence.environment;
    // The agent's session has EKS's name, and no SDK asks STS for it.
    let of_exchange = if facts.by_agent() { None } else { session_name_invalid(facts) };
    let findings = [of_exchange, endpoint_invalid(facts), bundle_invalid(facts)];
    let custom = environment.get("SMITHY_CLIENT_SDK_CUSTOM_PARTITION").map(|_| {
        let finding = Finding::new(
            Class::SettingsInvalid,
            "the Rust SDK takes its partitions from SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
        )
        .why("The variable is for tests of the SDK. With it the SDK may call hosts that are not AWS’s.")
        .presented("SMITHY_CLIENT_SDK_CUSTOM_PARTITION")
        .required("AWS's own partitions");
        remove(facts, finding, "SMITHY_CLIENT_SDK_CUSTOM_PARTITION")
    });
    findings.into_iter().chain([custom]).flatten().chain(idle_trust(facts)).collect()
}

/// Adds how to take a setting back: a variable by a command, a flag or a setting of a file in words.
fn remove(facts: &Facts<'_>, finding: Finding, source: &str) -> Finding {
    let named = facts.values().with_text(slot::VARIABLE, source);
    if source.starts_with("--") {
        return finding.restart(Restart::None).steps(&named, &[&common::CORRECT_FLAG]);
    }
    if !facts.evidence.environment.variables.contains_key(source) {
        let in_file = settings::is_in_file(source);
        let finding = if in_file { finding.restart(Restart::Container) } else { finding };
        return finding.steps(&named, &[&common::CORRECT_SETTING]);
    }
    let required = plain(&finding.required);
    if source == "AWS_ENDPOINT_URL" {
        // Other services may live by it.
        let host = facts.route.endpoint.as_ref().map_or("", |endpoint| &endpoint.host);
        let steps = [&common::SEE_VARIABLES, &common::NARROW_ENDPOINT, &common::GIVE_STS_ITS_ENDPOINT];
        return finding.steps(&facts.values_to(host), &steps);
    }
    let values =
        named.with(slot::VARIABLE, source, Word::variable_name(source)).with_text(slot::VALUE, required);
    finding.steps(&values, &[&common::SEE_VARIABLES, &texts::CORRECT_TO, &texts::REMOVE_UNNEEDED])
}

fn session_name_invalid(facts: &Facts<'_>) -> Option<Finding> {
    let evidence = facts.evidence;
    let name = settings::session_name(&evidence.environment, &evidence.process, evidence.token.as_ref());
    let problem = match name.value.find(|c| !settings::is_session_name_char(c)) {
        Some(offset) => format!("{} has a character at byte {offset} that STS refuses", name.source),
        None if !SESSION_NAME_LENGTH.contains(&name.value.len()) => {
            let count = name.value.len();
            let unit = if count == 1 { "character" } else { "characters" };
            format!("{} has {count} {unit}, and STS takes 2 to 64", name.source)
        }
        None => return None,
    };
    let finding = Finding::new(Class::SettingsInvalid, problem)
        .presented(name.value.clone())
        .required("2 to 64 of letters, digits and _+=,.@-")
        .why(format!(
            "The value is {}. STS takes 2 to 64 letters, digits and _+=,.@- as the name of a session, and refuses any other.",
            plain(&name.value.escape_debug().to_string())
        ));
    Some(remove(facts, finding, &name.source))
}

fn endpoint_invalid(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let class = Class::SettingsInvalid;
    match &facts.route.endpoint {
        Err(RouteProblem::Untrusted { name, url, host }) => Some(endpoint_untrusted(facts, name, url, host)),
        Err(RouteProblem::Setting { name, problem }) => {
            let presented =
                environment.get(name).map_or_else(|| (*name).to_owned(), |url| format!("{name}={url}"));
            let problem = plain(problem);
            let what = match problem.split_once("=true and a configured endpoint") {
                Some((blocker, _)) => format!("{name} and {blocker} exclude each other"),
                None => match problem.strip_prefix("it ") {
                    Some(does) => format!("{name} {does}"),
                    None => format!("{name} cannot be used: {problem}"),
                },
            };
            let finding = Finding::new(class, what)
                .about(Topic::Host)
                .why(plain(&format!("The pod has {presented}. {name} cannot be used: {problem}. credprobe did not call STS.")))
                .presented(presented)
                .required("https://HOST[:PORT], with neither AWS_USE_FIPS_ENDPOINT nor AWS_USE_DUALSTACK_ENDPOINT beside it");
            Some(remove(facts, finding, name))
        }
        Ok(endpoint)
            if endpoint.url.starts_with("http://")
                && !environment.options.allow_http
                && !is_loopback(&endpoint.host) =>
        {
            let finding = Finding::new(class, "the endpoint is plain http://, which shows the token to the network")
                .about(Topic::Host)
                .why(plain(&format!(
                    "{} is {}. The token was not sent. If that network is trusted, add --allow-http to credprobe’s arguments.",
                    endpoint.configured_by.unwrap_or("AWS_ENDPOINT_URL_STS"),
                    endpoint.url
                )))
                .presented(endpoint.url.clone())
                .required("https://, or --allow-http where the network is trusted");
            Some(remove(facts, finding, endpoint.configured_by.unwrap_or("AWS_ENDPOINT_URL_STS")))
        }
        Ok(endpoint)
            if endpoint.host.starts_with("sts-fips.")
                && !FIPS_REGIONS.contains(&endpoint.signing_region.as_str()) =>
        {
            let finding = Finding::new(class, "AWS_USE_FIPS_ENDPOINT leads to a host that AWS does not list")
                .about(Topic::Host)
                .severity(Severity::Warning)
                .presented(format!("AWS_USE_FIPS_ENDPOINT=true in {}", endpoint.signing_region))
                .why(format!(
                    "AWS_USE_FIPS_ENDPOINT leads to {}. STS has FIPS hosts in {} alone.",
                    endpoint.host,
                    FIPS_REGIONS.join(", ")
                ))
                .required(format!("one of {}, or no AWS_USE_FIPS_ENDPOINT", FIPS_REGIONS.join(", ")));
            Some(remove(facts, finding, "AWS_USE_FIPS_ENDPOINT"))
        }
        Ok(endpoint) if endpoint.host == partition::GLOBAL_STS => {
            global_for_opt_in_region(facts, endpoint.configured_by)
        }
        _ => None,
    }
}

/// Whoever debugs a process need not trust it.
fn endpoint_untrusted(facts: &Facts<'_>, variable: &str, url: &str, host: &str) -> Finding {
    let pid = facts.evidence.process.pid;
    let what = match partition::region_of_sts_host(host) {
        None => format!("{host}, which is not AWS’s STS"),
        Some(_) => format!("{host} otherwise than as https://{host}"),
    };
    Finding::new(
        Class::Inconclusive,
        format!("{variable} of process {pid} is not AWS’s STS endpoint"),
    )
    .why(plain(&format!(
        "{variable} names {what}: {url}. The token of process {pid} is not sent there unless credprobe’s own environment names the same endpoint."
    )))
    .transient(false)
    .presented(format!("{variable}={url} in the environment of pid {pid}"))
    .required("the same endpoint in credprobe's own environment, as a word that it is meant")
    .steps(
        &facts
            .values()
            .with(slot::ENDPOINT, url, Word::url(url))
            .with(slot::PID, pid.to_string(), Word::from(pid)),
        &[&texts::STATE_ENDPOINT],
    )
}

/// Regions that an account has to switch on: services there refuse version-1 session tokens, which the global endpoint
/// issues unless the account says otherwise (IAM user guide, "Managing AWS STS in an AWS Region").
const OPT_IN_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-west-1",
];

/// `variable`: what names the global endpoint. `None`: the stated SDK calls it by itself.
fn global_for_opt_in_region(facts: &Facts<'_>, variable: Option<&str>) -> Option<Finding> {
    let region = &facts.route.region.as_ref()?.value;
    // The agent's credentials are not of this endpoint.
    if !OPT_IN_REGIONS.contains(&region.as_str()) || (variable.is_none() && facts.by_agent()) {
        return None;
    }
    let url = facts.route.endpoint.as_ref().map_or("", |endpoint| endpoint.url.as_str());
    let (presented, by, steps) = match variable {
        Some(variable) => (
            format!("{variable}={url} in {region}"),
            format!("{variable} names the global endpoint"),
            [&common::SEE_VARIABLES, &common::GIVE_STS_ITS_ENDPOINT],
        ),
        None => {
            let sdk = sdks::stated(&facts.evidence.environment)?;
            (
                format!("AWS_STS_REGIONAL_ENDPOINTS not regional in {region}"),
                format!(
                    "{} asks the global endpoint unless AWS_STS_REGIONAL_ENDPOINTS is regional",
                    sdks::names(&[sdk])
                ),
                [&common::SEE_VARIABLES, &texts::SET_REGIONAL],
            )
        }
    };
    let finding = Finding::new(
        Class::SettingsInvalid,
        format!("{region} refuses session tokens of the global endpoint"),
    )
    .about(Topic::Host)
    .severity(Severity::Warning)
    .presented(presented)
    .required(format!("the endpoint of {region}, or an account whose global endpoint issues version 2"))
    .why(format!(
        "{by}. Services in {region} take session tokens of version 2, and S3 says InvalidToken to others. The global endpoint issues version 1 unless the account says otherwise."
    ));
    let endpoint = facts.route.endpoint.as_ref().map_or("", |endpoint| &endpoint.host);
    Some(finding.steps(&facts.values_to(endpoint), &steps))
}

fn bundle_invalid(facts: &Facts<'_>) -> Option<Finding> {
    let problem = facts.evidence.environment.trust_problem.as_ref()?;
    if unreadable::covers(facts, &problem.source) {
        return None;
    }
    if let Some(errno) = problem.errno.as_deref().filter(|errno| unseen::is_fault(errno)) {
        return Some(unseen::finding(&problem.source, errno));
    }
    let (source, path) = problem.source.split_once('=').unwrap_or((&problem.source, ""));
    let summary = match problem.errno.as_deref() {
        _ if path.is_empty() => format!("{source} names no CA bundle that can be used"),
        Some("ENOENT") => format!("{source} names {path}, which does not exist"),
        Some(_) => format!("{source} names {path}, which cannot be read"),
        None => format!("{source} names {path}, which holds no usable certificate"),
    };
    let finding = Finding::new(Class::SettingsInvalid, summary)
        .about(Topic::CaBundle)
        .presented(problem.source.clone())
        .required("a readable PEM file with at least one certificate")
        .why(plain(&format!(
            "{path}: {}. SDKs that read {source} trust only what is in that file.",
            problem.problem
        )));
    let is_read = sdks::is_read(&facts.evidence.environment, source);
    let finding = if is_read { finding } else { finding.severity(Severity::Info) };
    Some(correct(facts, finding, problem))
}

/// As [`remove`], in whose environment it is.
fn correct(facts: &Facts<'_>, finding: Finding, problem: &TrustProblem) -> Finding {
    let (source, path) = problem.source.split_once('=').unwrap_or_default();
    if problem.own {
        let values = facts.values().with_text(slot::VARIABLE, source);
        return finding.restart(Restart::Container).steps(&values, &[&texts::CORRECT_OWN]);
    }
    let finding = remove(facts, finding, source);
    // A file that can be read holds the wrong text: SDKs read it again when the container starts again.
    if problem.errno.is_none() && !path.is_empty() { finding.restart(Restart::Container) } else { finding }
}

/// OpenSSL, Go and the SDKs pass such an addition by, and so does credprobe: nothing is lost but what it was meant to add.
fn idle_trust(facts: &Facts<'_>) -> impl Iterator<Item = Finding> {
    // At the app's own SSL_CERT_FILE some SDKs stop, which `values` says.
    let told = |idle: &&TrustProblem| idle.own || !idle.source.starts_with("SSL_CERT_FILE=");
    facts.evidence.environment.trust_idle.iter().filter(told).map(|idle| {
        let source = idle.source.split('=').next().unwrap_or_default();
        let finding = Finding::new(
            Class::SettingsInvalid,
            format!("{source} adds no certificate to those that are trusted"),
        )
        .why(plain(&format!("{}: {}. SDKs pass it by, and so does credprobe.", idle.source, idle.problem)))
        .about(Topic::CaBundle)
        .severity(Severity::Warning)
        .presented(idle.source.clone())
        .required("PEM with at least one certificate, or no such setting");
        correct(facts, finding, idle)
    })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// STS API, RoleSessionName.
const SESSION_NAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=64;

/// The only STS FIPS hosts of partition `aws` (botocore `endpoints.json`); GovCloud's ordinary ones are FIPS.
const FIPS_REGIONS: &[&str] = &["us-east-1", "us-east-2", "us-west-1", "us-west-2"];
