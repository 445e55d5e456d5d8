//! Judges what the environment has of Pod Identity: the pair, the URI's host, and what stands beside it. Pure.
//! The webhook injects both variables or none; half of a pair was written by hand, and keeps it from injecting (sources.md, “The webhook”).

use super::commands::{Cluster, service_account};
use super::is_agent;
use crate::catalog::Class;
use crate::judge::facts::Facts;
use crate::judge::finding::{Basis, Finding, Severity};
use crate::settings::agent::{AgentProblem, TOKEN_FILE_VARIABLE, URI_VARIABLE};
use crate::settings::command::{Tool, Word, words};
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
        format!(
            "{}, {present} is set and {missing} is not: half of EKS Pod Identity, written by hand",
            if irsa { "beside IRSA" } else { "beside half of IRSA" }
        ),
    )
    // Beside half of IRSA neither gives credentials.
    .severity(if irsa { Severity::Warning } else { Severity::Error })
    .presented(format!("{present}={}", environment.get(present).unwrap_or_default()))
    .required(format!("neither of the two where IRSA is meant; {missing} too where Pod Identity is"));
    Some(facts.unset_env(finding.fix(format!("# remove {present} from the container's env:")), &[present]))
}

fn pair(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let by_value = environment.get(TOKEN_VARIABLE) == Some("set");
    let (summary, presented) = match (environment.get(URI_VARIABLE), &facts.requested.token_file) {
        (Some(_), Some(_)) => return None,
        (Some(uri), None) if by_value => (
            format!(
                "{URI_VARIABLE} comes with {TOKEN_VARIABLE}, a token that nobody rotates, instead of a file"
            ),
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
    Some(show_association(facts, facts.let_webhook_inject(finding)))
}

/// The webhook adds both to the pod spec, so that the variables were there once.
fn mount_only(facts: &Facts<'_>) -> Finding {
    let mount = settings::POD_IDENTITY_MOUNT;
    let finding = Finding::new(
        Class::PartlyInjected,
        format!("{mount} is mounted, but the variables that point to it are not set"),
    )
    .presented(format!("the mount {mount}, no variables"))
    .required(format!(
        "{URI_VARIABLE} and {TOKEN_FILE_VARIABLE}, which the webhook adds together with the mount"
    ));
    let finding = match facts.namespace().zip(facts.pod_name()) {
        Some((namespace, pod)) => finding.confirm_note(
            Tool::Kubectl.run(words![
                "get",
                "pod",
                "-n",
                Word::label(namespace),
                Word::dns(pod),
                "-o",
                "jsonpath={.spec.containers[*].env[*].name}",
            ]),
            "there they are? Then this container's entrypoint drops them (env -i, su, sudo)",
        ),
        None => finding,
    };
    facts.recreate(finding.fix("# let the entrypoint keep the variables; where the pod spec mounts that directory itself, remove the mount, so that the webhook adds both:"))
}

fn incomplete_pair(present: &str, missing: &str) -> String {
    format!("{present} is set and {missing} is not: the webhook adds neither when the pod spec sets one")
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
        format!("the webhook gave this pod no EKS Pod Identity: nothing of it is injected for {subject}"),
    )
    .presented(format!("no {URI_VARIABLE}, no {TOKEN_FILE_VARIABLE}, no token mount{beside}"))
    .required(format!(
        "both variables, which the webhook adds when the pod is created after the association of {subject}"
    ));
    let finding = show_association(facts, finding);
    let Some((cluster, account)) = Cluster::of(facts).zip(service_account(facts)) else {
        return facts.recreate(associate_first(facts, finding));
    };
    let role = facts.requested.role_arn.as_ref();
    let role = role.map_or_else(|| Word::variable("role"), |role| Word::role_arn(&role.value, false));
    let create = cluster
        .command("create-pod-identity-association", &[&account[..], words!["--role-arn", role]].concat());
    let asks = facts.requested.role_arn.is_none();
    let create =
        create.map(
            |create| {
                if asks { format!("printf 'ARN of the role: '; read -r role; {create}") } else { create }
            },
        );
    let finding = finding
        .fix_note(create, "where the list above is empty: for every pod of this service account; role is the ARN of a role of the cluster's own account")
        .find_cluster(&cluster);
    facts.recreate(finding)
}

/// In words: without the token the pod knows neither its account nor its cluster.
fn associate_first(facts: &Facts<'_>, finding: Finding) -> Finding {
    let pod = facts.namespace().zip(facts.pod_name());
    let account = pod.and_then(|(namespace, pod)| {
        let account = "jsonpath={.spec.serviceAccountName}";
        Tool::Kubectl.run(words!["get", "pod", "-n", Word::label(namespace), Word::dns(pod), "-o", account])
    });
    finding
        .confirm_note(account, "the pod's service account: does aws eks list-pod-identity-associations know it?")
        .fix("# where it has no association: make one first, with aws eks create-pod-identity-association for this cluster, its namespace and that service account, and a role of the cluster's own account that admits pods.eks.amazonaws.com")
        .fix("# where IRSA is meant: leave --mechanism=pod-identity out")
}

fn show_association(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Some(cluster) = Cluster::of(facts) else { return finding };
    finding.confirm_command(cluster.list_associations(facts, &[])).find_cluster(&cluster)
}

fn uri(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let uri = environment.get(URI_VARIABLE)?;
    match facts.agent.as_ref()?.as_ref().err()? {
        AgentProblem::Refused(why) => {
            let finding = Finding::new(
                Class::AgentUriRefused,
                format!("{URI_VARIABLE} cannot be used: {why}"),
            )
            .presented(format!("{URI_VARIABLE}={uri}"))
            .required("http://169.254.170.23/v1/credentials, or http://[fd00:ec2::23]/v1/credentials in an IPv6 cluster; https:// may be anywhere");
            Some(facts.let_webhook_inject(finding))
        }
        AgentProblem::Untrusted { host } => {
            let pid = facts.evidence.process.pid;
            let finding = Finding::new(
                Class::Inconclusive,
                format!("the process's {URI_VARIABLE} names {host}, which is not the agent: its token is not sent there"),
            )
            .transient(false)
            .presented(format!("{URI_VARIABLE}={uri} in the environment of pid {pid}"))
            .required("the same URI in credprobe's own environment, as a word that it is meant");
            let variable = Word::from(URI_VARIABLE).before("=").then(Word::url(uri));
            let pid = Word::from(pid).after("--target-pid=");
            Some(finding.fix_note(
                Tool::Env.run(words![variable, "credprobe", "check", pid]),
                "in the debug container; with kubectl debug: --env",
            ))
        }
    }
}

fn leftover_irsa(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let (left, value, what) = match (environment.get(ROLE_VARIABLE), environment.get(WEB_IDENTITY_VARIABLE)) {
        (Some(role), None) => (
            ROLE_VARIABLE,
            role,
            "SDKs take no notice; an application that reads it assumes this role on top",
        ),
        // botocore takes this variable for IRSA and stops at the missing role (sources.md, “SDKs”).
        (None, Some(file)) => {
            (WEB_IDENTITY_VARIABLE, file, "boto3 and AWS CLI take it for IRSA and stop at the missing role")
        }
        _ => return None,
    };
    let finding = Finding::new(
        Class::PartlyInjected,
        format!("{left} is left of IRSA beside EKS Pod Identity: {what}"),
    )
    .severity(Severity::Warning)
    .presented(format!("{left}={value}"))
    .required(format!("{URI_VARIABLE} and {TOKEN_FILE_VARIABLE} alone"));
    let finding = finding.fix(format!(
        "# remove {left} from the container's env in the pod spec, unless the application needs it:"
    ));
    Some(facts.unset_env(finding, &[left]))
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
        format!("{RELATIVE_FIRST} ask ECS's address 169.254.170.2 instead, where no pod has an agent; those for Go ask the right one"),
    )
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
    let finding = shadowed(
        facts,
        format!("{TOKEN_FIRST} send {TOKEN_VARIABLE}, which nobody rotates, instead of the file's token"),
    )
    .presented(format!("{TOKEN_VARIABLE} set (never read) beside {TOKEN_FILE_VARIABLE}"))
    .required(format!("{TOKEN_FILE_VARIABLE} alone"));
    Some(remove(facts, finding, TOKEN_VARIABLE))
}

/// An error where Pod Identity is what was stated.
fn shadowed(facts: &Facts<'_>, summary: String) -> Finding {
    if facts.evidence.environment.options.mechanism.as_deref() == Some("pod-identity") {
        return Finding::new(Class::Shadowed, summary).severity(Severity::Error).expectation(Basis::Explicit);
    }
    Finding::new(Class::Shadowed, summary)
}

fn remove(facts: &Facts<'_>, finding: Finding, variable: &str) -> Finding {
    let finding = finding.fix(format!("# remove {variable} from the container's env in the pod spec:"));
    facts.recreate(facts.unset_env(finding, &[variable]))
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
        format!(
            "the SDKs for {} send the agent's requests, token included, to the proxy of {variable}",
            sdks::names(&captured)
        ),
    )
    .presented(format!("{variable}={proxy}, NO_PROXY {}", no_proxy.map_or("not set", |(_, list)| list)))
    .required(format!("{} in NO_PROXY", endpoint.host));
    let finding = facts.add_no_proxy(
        finding.fix("# the agent is on this node, and a proxy cannot reach it:"),
        &endpoint.host,
    );
    // The probe itself asks without the proxy: what it met there, no proxy explains.
    let agent = facts.evidence.agent.as_ref();
    let failed = agent.is_some_and(|agent| {
        agent.answer.is_none() || agent.liveness.as_ref().is_some_and(|liveness| !is_agent(liveness))
    });
    Some(if failed { finding.severity(Severity::Info) } else { finding })
}
