//! `why --exchange`: passes a token of the service account (TokenRequest) to the AWS CLI, with a policy that denies everything.
//! The token goes from pipe to pipe and is in no argument, file or output. The credentials that AWS returns are wiped unread.

use crate::child;
use crate::kubectl::Kubectl;
use crate::run::{now, talk};
use crate::unit::{self, PodView};
use crate::world::{Tried, Unseen, World};
use credprobe_judge::evidence::{Exchange, StsError};
use credprobe_judge::settings::arn::RoleArn;
use credprobe_judge::text::redactor::Redactor;
use serde::Deserialize;
use std::process::Command;

/// The session policy for the credentials of this exchange.
const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
/// The shortest lifetime that Kubernetes allows, in seconds.
const SECONDS: &str = "600";
/// The prefix of variables that could send the token to another server.
const REDIRECTING: &str = "AWS_ENDPOINT_URL";

/// Tries the exchange for the first pod that has IRSA, and keeps the answer of STS.
pub(crate) fn attempt(kubectl: &Kubectl, world: &mut World, profile: Option<&str>, container: Option<&str>) {
    let wanted = unit::views(world).iter().find_map(|pod| wanted(pod, container));
    let Some(wanted) = wanted else {
        world.unseen.push(Unseen {
            what: "the exchange".to_owned(),
            why: "--exchange is for IRSA, and no container here has a role and a token for STS".to_owned(),
        });
        return;
    };
    match exchanged(kubectl, world, profile, &wanted) {
        Ok(exchange) => {
            let (namespace, account) = (wanted.namespace, wanted.account);
            world.tried = Some(Tried { namespace, account, role: wanted.role, exchange });
        }
        Err(why) => world.unseen.push(Unseen { what: "the exchange".to_owned(), why }),
    }
}

struct Wanted {
    namespace: String,
    account: String,
    role: String,
    audience: String,
    /// Name and uid. `None`: no pod of the workload runs, and the token is bound to the service account alone.
    pod: Option<(String, String)>,
}

fn wanted(pod: &PodView<'_>, container: Option<&str>) -> Option<Wanted> {
    let mut containers = pod.containers().filter(|it| container.is_none_or(|name| it.name == name));
    let role = containers.find_map(|it| it.env.iter().find(|it| it.name == "AWS_ROLE_ARN")?.value.clone())?;
    let tokens = pod.spec.volumes.iter().filter_map(|it| it.projected.as_ref());
    let tokens = tokens.flat_map(|it| &it.sources).filter_map(|it| it.service_account_token.as_ref());
    // The audience of the volume that the application reads. The API server's token has none.
    let audience =
        tokens.map(|it| it.audience.clone()).find(|it| !it.is_empty() && it != "pods.eks.amazonaws.com")?;
    Some(Wanted {
        namespace: pod.namespace.to_owned(),
        account: pod.account().to_owned(),
        role,
        audience,
        pod: pod.pod_name().map(|name| (name.to_owned(), pod.meta.uid.clone())),
    })
}

fn exchanged(
    kubectl: &Kubectl,
    world: &World,
    profile: Option<&str>,
    wanted: &Wanted,
) -> Result<Exchange, String> {
    let Wanted { namespace, account, role, audience, pod } = wanted;
    let arn = RoleArn::parse(role).map_err(|_| format!("{role} is not the ARN of a role"))?;
    let bound = pod.as_ref().map(|(name, _)| format!(", bound to pod {name}")).unwrap_or_default();
    talk(&format!(
        "creating a token of {namespace}/{account} for {audience}{bound}, valid {SECONDS} s; it goes to STS for role {}, with a policy that denies everything",
        arn.name
    ));
    let mut words = vec![
        "create".to_owned(),
        "token".to_owned(),
        account.clone(),
        format!("--namespace={namespace}"),
        format!("--audience={audience}"),
        format!("--duration={SECONDS}s"),
    ];
    if let Some((name, uid)) = pod {
        words.push("--bound-object-kind=Pod".to_owned());
        words.push(format!("--bound-object-name={name}"));
        words.push(format!("--bound-object-uid={uid}"));
    }
    let token = child::output(&mut kubectl.command(&words), None).map_err(|failed| failed.why)?;
    let token = token.trim_ascii();
    let mut redactor = Redactor::default();
    redactor.add(token);
    let session = "credprobe-laptop";
    let mut command = Command::new("aws");
    command.args(["sts", "assume-role-with-web-identity", "--output", "json"]);
    command.args(["--role-arn", role, "--role-session-name", session, "--duration-seconds", "900"]);
    command.args(["--policy", DENY_ALL, "--web-identity-token", "file:///dev/stdin"]);
    if let Some(region) = &world.cluster.region {
        command.args(["--region", region]);
    }
    if let Some(profile) = profile {
        command.args(["--profile", profile]);
    }
    without_redirection(&mut command);
    let answer = child::output(&mut command, Some(token));
    let mut exchange = Exchange {
        from_sts: true,
        received_at: now(),
        role_arn: role.clone(),
        session_name: session.to_owned(),
        ..Exchange::default()
    };
    match answer {
        Ok(answer) => {
            let issued: Issued = serde_json::from_slice(&answer)
                .map_err(|_| "what aws printed is not the answer of an exchange".to_owned())?;
            exchange.status = 200;
            exchange.issued = true;
            exchange.assumed_role_arn = Some(issued.assumed_role_user.arn);
            exchange.subject = issued.subject_from_web_identity_token;
            exchange.audience = issued.audience;
            exchange.provider = issued.provider;
        }
        Err(failed) => {
            let why = redactor.hide(&failed.why).unwrap_or(failed.why);
            let (code, message) = refusal(&why).ok_or_else(|| why.clone())?;
            exchange.status = if code == "AccessDenied" { 403 } else { 400 };
            exchange.error = Some(StsError { code: code.to_owned(), message: message.to_owned() });
        }
    }
    Ok(exchange)
}

/// Keeps variables and profiles from sending the token to another host.
fn without_redirection(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_uppercase().starts_with(REDIRECTING) {
            command.env_remove(&name);
        }
    }
    command.env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
}

/// Has no field for the credentials, so they are not read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    assumed_role_user: AssumedRoleUser,
    subject_from_web_identity_token: Option<String>,
    audience: Option<String>,
    provider: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
}

/// Code and message of `An error occurred (CODE) when calling the OPERATION operation: MESSAGE`.
fn refusal(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once("An error occurred (")?;
    let (code, rest) = rest.split_once(") when calling the AssumeRoleWithWebIdentity operation")?;
    Some((code, rest.split_once(": ").map_or("", |(_, message)| message)))
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn stss_answer_is_read_out_of_the_clis_sentence() {
        let line = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity";
        assert_eq!(
            refusal(line),
            Some(("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))
        );
        let retried = "An error occurred (Throttling) when calling the AssumeRoleWithWebIdentity operation (reached max retries: 4): Rate exceeded";
        assert_eq!(refusal(retried).map(|(code, _)| code), Some("Throttling"));
        assert_eq!(refusal("Could not connect to the endpoint URL"), None);
    }
}
