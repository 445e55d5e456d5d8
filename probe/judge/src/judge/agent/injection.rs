//! Judges what the environment has of Pod Identity: the pair, the URI's host, and what stands beside it. Pure.
//! The webhook injects both variables or none; half of a pair was written by hand, and keeps it from injecting (sources.md, “The webhook”).

use super::commands::values;
use super::is_agent;
use crate::catalog::Class;
use crate::catalog::texts::{agent as texts, common, environment as environment_texts};
use crate::judge::facts::Facts;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::judge::values::told;
use crate::options::Mechanism;
use crate::settings::agent::{AgentProblem, TOKEN_FILE_VARIABLE, URI_VARIABLE};
use crate::settings::command::Word;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::text::plain;
use crate::{sdks, settings};

const ROLE_VARIABLE: &str = "AWS_ROLE_ARN";
const WEB_IDENTITY_VARIABLE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const TOKEN_VARIABLE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const RELATIVE_VARIABLE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

/// Under test: Pod Identity.
pub(in crate::judge) fn injection(facts: &Facts<'_>) -> Vec<Finding> {
    let findings = [
        pair(facts),
        uri(facts),
        leftover_irsa(facts),
        relative_uri(facts),
        static_token_set(facts),
        proxy(facts),
    ];
    findings.into_iter().flatten().collect()
}

/// Under test: IRSA. What there is of Pod Identity beside it.
pub(in crate::judge) fn leftover_pod_identity(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let (uri, file) = (environment.get(URI_VARIABLE), environment.get(TOKEN_FILE_VARIABLE));
    let (present, missing) = match (uri, file) {
        (None, None) => return None,
        // Which SDK takes which of two complete pairs, `shadow` says.
        (Some(_), Some(_)) => return None,
        (Some(_), None) => (URI_VARIABLE, TOKEN_FILE_VARIABLE),
        (None, Some(_)) => (TOKEN_FILE_VARIABLE, URI_VARIABLE),
    };
    let irsa = facts.requested.role_arn.is_some() && facts.requested.token_file.is_some();
    let finding = Finding::new(
        Class::PartlyInjected,
        format!("{}, only {present} is set", if irsa { "beside IRSA" } else { "beside half of IRSA" }),
    )
    // Beside half of IRSA neither gives credentials.
    .severity(if irsa { Severity::Warning } else { Severity::Error })
    .presented(format!("{present}={}", environment.get(present).unwrap_or_default()))
    .required(format!("neither of the two where IRSA is meant; {missing} too where Pod Identity is"));
    let finding = finding.why(format!(
        "Half of the pair of EKS Pod Identity was written by hand. Where IRSA is meant neither of the two is needed, and where Pod Identity is meant {missing} as well."
    ));
    let values = values(facts).with(slot::VARIABLE, present, Word::variable_name(present));
    Some(finding.steps(&values, &[&common::SEE_VARIABLES, &common::UNSET_VARIABLE]))
}

fn pair(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let by_value = environment.get(TOKEN_VARIABLE) == Some("set");
    let (summary, presented) = match (environment.get(URI_VARIABLE), &facts.requested.token_file) {
        (Some(_), Some(_)) => return None,
        (Some(uri), None) if by_value => (
            format!("{TOKEN_VARIABLE} is set in place of a token file"),
            format!("{URI_VARIABLE}={uri}, {TOKEN_VARIABLE} set (never read), no {TOKEN_FILE_VARIABLE}"),
        ),
        (Some(uri), None) => {
            (incomplete_pair(URI_VARIABLE, TOKEN_FILE_VARIABLE), format!("{URI_VARIABLE}={uri}"))
        }
        (None, Some(file)) => {
            (incomplete_pair(&file.source, URI_VARIABLE), format!("{}={}", file.source, file.value))
        }
        (None, None) if environment.pod_identity_mount => return Some(mount_only(facts)),
        (None, None) => return Some(not_injected(facts)),
    };
    let finding = Finding::new(Class::PartlyInjected, summary)
        .presented(presented)
        .required(format!("both of the pair, {URI_VARIABLE} and {TOKEN_FILE_VARIABLE}"));
    let finding = finding.why(format!(
        "The webhook sets {URI_VARIABLE} and {TOKEN_FILE_VARIABLE}, and neither where the pod sets one of them. A token in a variable is never renewed."
    ));
    Some(finding.webhook(facts, values(facts), &[&common::SEE_VARIABLES]))
}

/// The webhook adds both to the pod spec, so that the variables were there once.
fn mount_only(facts: &Facts<'_>) -> Finding {
    let mount = settings::POD_IDENTITY_MOUNT;
    let finding = Finding::new(
        Class::PartlyInjected,
        "the token is mounted, but the variables that name it are not set",
    )
    .presented(format!("the mount {mount}, no variables"))
    .required(format!(
        "{URI_VARIABLE} and {TOKEN_FILE_VARIABLE}, which the webhook adds together with the mount"
    ));
    finding
        .why(format!("{mount} is mounted. The webhook adds {URI_VARIABLE} and {TOKEN_FILE_VARIABLE} together with that mount."))
        .steps(&values(facts), &[&common::SEE_VARIABLES, &texts::KEEP_VARIABLES, &common::RESTART])
}

fn incomplete_pair(present: &str, missing: &str) -> String {
    // Their names are too long for one line.
    let other = if present == URI_VARIABLE { "the agent’s URI" } else { "the token file" };
    format!("{missing} is not set, {other} is")
}

fn not_injected(facts: &Facts<'_>) -> Finding {
    let subject = match facts.account() {
        Some(account) => format!("service account {}/{}", account.namespace, account.name),
        None => "this pod's service account".to_owned(),
    };
    let environment = &facts.evidence.environment;
    let irsa = environment.get(ROLE_VARIABLE).filter(|_| environment.get(WEB_IDENTITY_VARIABLE).is_some());
    let beside = irsa.map(|role| format!("; IRSA for {role} is injected")).unwrap_or_default();
    let finding = Finding::new(
        Class::NotInjected,
        facts.values().say("the webhook injected no EKS Pod Identity for {the_sa}"),
    )
    .presented(format!("no {URI_VARIABLE}, no {TOKEN_FILE_VARIABLE}, no token mount{beside}"))
    .required(format!(
        "both variables, which the webhook adds when the pod is created after the association of {subject}"
    ))
    .why(format!(
        "The container has neither variables nor token mount of it{}. The webhook adds them when a pod is created after its service account got an association.",
        plain(&beside)
    ));
    let mut values = values(facts);
    // In words where the token is missing, for without it the pod knows neither its account nor its cluster.
    if !values.has(slot::CLUSTER) || facts.account().is_none() {
        let mut steps: Vec<&Template> = Vec::new();
        if facts.account().is_none() && values.has(slot::POD) {
            values =
                values.with(slot::SERVICE_ACCOUNT, "the pod’s service account", Word::variable("account"));
            steps.push(&environment_texts::FIND_ACCOUNT);
        }
        steps.extend([&environment_texts::SEE_POD, &texts::LEAVE_OUT_MECHANISM, &texts::ASSOCIATE_FIRST]);
        return finding.steps(&values, &steps);
    }
    let create = match &facts.requested.role_arn {
        Some(role) => {
            values = values.with(slot::ROLE_ARN, &role.value, Word::role_arn(&role.value, false));
            &texts::CREATE_ASSOCIATION
        }
        None => &texts::CREATE_ASSOCIATION_UNKNOWN,
    };
    finding.cluster_steps(
        facts,
        &values,
        &[
            &texts::SEE_ASSOCIATIONS,
            &texts::LEAVE_OUT_MECHANISM,
            &environment_texts::MAKE_NEW_PODS_IF_ASSOCIATED,
            create,
        ],
    )
}

fn uri(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let uri = environment.get(URI_VARIABLE)?;
    match facts.agent.as_ref()?.as_ref().err()? {
        AgentProblem::Refused(why) => {
            let finding = Finding::new(
                Class::AgentUriRefused,
                format!("SDKs refuse {URI_VARIABLE}: {}", plain(why)),
            )
            .presented(format!("{URI_VARIABLE}={uri}"))
            .required("http://169.254.170.23/v1/credentials, or http://[fd00:ec2::23]/v1/credentials in an IPv6 cluster; https:// may be anywhere");
            let finding = finding.why(format!(
                "The URI is {}. Over http the agent’s addresses are 169.254.170.23, and fd00:ec2::23 in an IPv6 cluster.",
                plain(uri)
            ));
            Some(finding.webhook(facts, values(facts), &[&common::SEE_VARIABLES]))
        }
        AgentProblem::Untrusted { host } => {
            let pid = facts.evidence.process.pid;
            let finding = Finding::new(
                Class::Inconclusive,
                format!("{URI_VARIABLE} of process {pid} names {host}, not the agent"),
            )
            .transient(false)
            .presented(format!("{URI_VARIABLE}={uri} in the environment of pid {pid}"))
            .required("the same URI in credprobe's own environment, as a word that it is meant")
            .why("Its token is not sent to a host that only the process names.");
            let values =
                values(facts).with(slot::VALUE, uri, Word::url(uri)).with(slot::PID, pid.to_string(), pid);
            Some(finding.steps(&values, &[&texts::STATE_URI]))
        }
    }
}

fn leftover_irsa(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let (left, value, what) = match (environment.get(ROLE_VARIABLE), environment.get(WEB_IDENTITY_VARIABLE)) {
        (Some(role), None) => (
            ROLE_VARIABLE,
            role,
            "SDKs take no notice of it. An application that reads it assumes this role on top.",
        ),
        // Who takes this variable for IRSA and stops at the missing role is another finding.
        (None, Some(file)) => {
            (WEB_IDENTITY_VARIABLE, file, "Some SDKs take it for IRSA and stop at the missing role.")
        }
        _ => return None,
    };
    let finding =
        Finding::new(Class::PartlyInjected, format!("{left} is left of IRSA beside EKS Pod Identity"))
            .severity(Severity::Warning)
            .presented(format!("{left}={value}"))
            .required(format!("{URI_VARIABLE} and {TOKEN_FILE_VARIABLE} alone"));
    let values = values(facts).with(slot::VARIABLE, left, Word::variable_name(left));
    Some(
        finding
            .why(format!("{left} is {}. {what}", plain(value)))
            .steps(&values, &[&common::SEE_VARIABLES, &common::UNSET_VARIABLE]),
    )
}

/// Who takes the relative URI when both are set (sources.md, “SDKs”).
const RELATIVE_FIRST: &str =
    "boto3, AWS CLI and the SDKs for Java v2, JavaScript, Rust, .NET, Ruby, C++ and Kotlin";
const TOKEN_FIRST: &str = "the SDKs for Java v2 and JavaScript v2";

fn relative_uri(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let relative = environment.get(RELATIVE_VARIABLE)?;
    environment.get(URI_VARIABLE)?;
    let finding = shadowed(
        facts,
        format!("{RELATIVE_VARIABLE} leads most SDKs to ECS, not to the agent"),
    )
    .why(format!("{RELATIVE_FIRST} ask ECS’s address 169.254.170.2 then, where no pod has an agent. Those for Go ask the right one."))
    .presented(format!("{RELATIVE_VARIABLE}={relative} beside {URI_VARIABLE}"))
    .required(format!("{URI_VARIABLE} alone"));
    Some(remove(facts, finding, RELATIVE_VARIABLE))
}

fn static_token_set(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    if environment.get(TOKEN_VARIABLE) != Some("set") {
        return None;
    }
    environment.get(TOKEN_FILE_VARIABLE)?;
    let finding = shadowed(facts, format!("{TOKEN_VARIABLE} comes before the token file in some SDKs"))
        .why(format!(
            "{TOKEN_FIRST} send {TOKEN_VARIABLE}, which nothing renews, in place of the file’s token."
        ))
        .presented(format!("{TOKEN_VARIABLE} set (never read) beside {TOKEN_FILE_VARIABLE}"))
        .required(format!("{TOKEN_FILE_VARIABLE} alone"));
    Some(remove(facts, finding, TOKEN_VARIABLE))
}

/// An error where Pod Identity is what was stated.
fn shadowed(facts: &Facts<'_>, summary: String) -> Finding {
    if facts.evidence.environment.options.mechanism == Some(Mechanism::PodIdentity) {
        return Finding::new(Class::Shadowed, summary).severity(Severity::Error).expectation(Basis::Explicit);
    }
    Finding::new(Class::Shadowed, summary)
}

fn remove(facts: &Facts<'_>, finding: Finding, variable: &'static str) -> Finding {
    let values = values(facts).with(slot::VARIABLE, variable, variable);
    finding.steps(&values, &[&common::SEE_VARIABLES, &common::UNSET_VARIABLE])
}

fn who_sends(sdks: &[&sdks::Sdk]) -> String {
    let names = sdks::names(sdks);
    format!("{names} {}", sdks::verb(&names, "sends", "send"))
}

fn proxy(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let Some(Ok(endpoint)) = &facts.agent else { return None };
    if endpoint.url.scheme_str() != Some("http") || !endpoint.at_agents_address {
        return None;
    }
    let captured = sdks::agent_proxied_by(environment);
    let either = |upper: &'static str, lower: &'static str| {
        environment.get(upper).map(|value| (upper, value)).or_else(|| Some((lower, environment.get(lower)?)))
    };
    let (variable, proxy) = either("HTTP_PROXY", "http_proxy").filter(|_| !captured.is_empty())?;
    let no_proxy = either("NO_PROXY", "no_proxy");
    let finding = Finding::new(
        Class::ProxyCaptures,
        sdks::sentence(Class::ProxyCaptures, &told(facts, &captured), &|sdks| {
            format!("{variable} takes the agent’s token in {sdks}")
        }),
    )
    .presented(format!("{variable}={proxy}, NO_PROXY {}", no_proxy.map_or("not set", |(_, list)| list)))
    .required(format!("{} in NO_PROXY", endpoint.host));
    let finding = finding
        .why(format!(
            "{} the agent’s requests, token included, to {proxy}. The agent is on this node, and a proxy cannot reach it.",
            who_sends(&told(facts, &captured))
        ))
        .steps(&facts.values_to(&endpoint.host), &[&common::SEE_VARIABLES, &common::ADD_NO_PROXY]);
    // The probe itself asks without the proxy: what it met there, no proxy explains.
    let agent = facts.evidence.agent.as_ref();
    let failed = agent.is_some_and(|agent| {
        agent.answer.is_none() || agent.liveness.as_ref().is_some_and(|liveness| !is_agent(liveness))
    });
    Some(match sdks::stated(environment) {
        _ if failed => finding.severity(Severity::Info),
        None => finding,
        Some(sdk) if captured.iter().any(|other| other.id == sdk.id) => {
            finding.severity(Severity::Error).expectation(Basis::Explicit)
        }
        Some(_) => finding.severity(Severity::Info),
    })
}
