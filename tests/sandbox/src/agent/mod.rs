//! The logic of the EKS Pod Identity agent: one request in, one answer out, with the texts of old and new agents.
//! `serve` handles the sockets, and `eks_auth` answers for EKS Auth. Source: aws/eks-pod-identity-agent, v0.1.37 and 0.2.

use hyper::{HeaderMap, header};
use time::OffsetDateTime;

use crate::{
    clock,
    record::AgentRequest,
    scenario::agent::{Agent, Version},
    world::World,
};

mod eks_auth;
mod token;

use eks_auth::{Exception, Issued};

/// An HTTP answer of the agent.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// A request as it arrived. The agent ignores everything else in it, and even the method.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

impl Request<'_> {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
const ADDRESSES: [&str; 2] = ["169.254.170.23", "fd00:ec2::23"];
const PATH: &str = "/v1/credentials";

impl Answer {
    /// Plain text, as Go's `http.Error` writes it.
    fn text(status: u16, text: impl AsRef<str>) -> Self {
        Self { status, content_type: TEXT, body: format!("{}\n", text.as_ref()) }
    }

    fn page(status: u16) -> Self {
        let body = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1><hr>nginx</body></html>\n");
        Self { status, content_type: "text/html", body }
    }

    /// The fields are in the order of the agent's own structure. No value contains a character that needs escaping.
    fn credentials(issued: &Issued) -> Self {
        let session = &issued.session;
        let body = format!(
            r#"{{"AccessKeyId":"{}","SecretAccessKey":"{}","Token":"{}","AccountId":"{}","Expiration":"{}"}}"#,
            issued.access_key_id,
            session.secret,
            session.token,
            session.account,
            clock::iso(session.expiration),
        );
        Self { status: 200, content_type: "application/json", body }
    }
}

/// Answers a request and notes it in the record.
pub(crate) fn handle(world: &World, agent: &Agent, request: &Request<'_>) -> Answer {
    let answer = if agent.not_agent {
        Answer::page(agent.page_status)
    } else if request.path == PATH {
        answer(world, agent, request)
    } else {
        Answer::text(404, "404 page not found")
    };
    let authorization = request.header(header::AUTHORIZATION);
    world.record.edit().agent_requests.push(AgentRequest {
        method: request.method.into(),
        path: request.path.into(),
        host: request.header(header::HOST).into(),
        authorized: request.headers.contains_key(header::AUTHORIZATION),
        raw_jwt: token::parse(authorization).is_ok(),
        status: answer.status,
    });
    answer
}

fn answer(world: &World, agent: &Agent, request: &Request<'_>) -> Answer {
    let is_ill = world.meets_agents_fault(agent);
    if let Some(canned) = agent.answer.as_ref().filter(|_| is_ill) {
        return Answer::text(canned.status, &canned.body);
    }
    if agent.rate_limited && is_ill {
        return Answer::text(429, "Too Many Requests");
    }
    let host = without_port(request.header(header::HOST));
    if !ADDRESSES.contains(&host) {
        let addresses = ADDRESSES.join(" ");
        return Answer::text(
            403,
            format!(
                "Access Denied. Called agent through invalid address, please use either [{addresses}] address not {host}"
            ),
        );
    }
    let token = request.header(header::AUTHORIZATION);
    // The node and the pod share one clock.
    if let Err(text) = token::validate(token, OffsetDateTime::now_utc().unix_timestamp()) {
        return Answer::text(400, text);
    }
    if agent.version == Version::Chained
        && let Err(text) = token::validate_claims(token)
    {
        return Answer::text(400, text);
    }
    if agent.version == Version::New
        && let Err(text) = token::pod(token)
    {
        return Answer::text(500, format!("failed to get pod uid from service account token: {text}"));
    }
    if agent.cut_off && is_ill {
        return unreached(agent.version);
    }
    if agent.without_node_credentials && is_ill {
        return unsigned(agent.version);
    }
    match eks_auth::assume_role_for_pod_identity(world, agent, is_ill, token) {
        Ok(issued) => Answer::credentials(&issued),
        Err(exception) => refused(agent.version, &world.request_id(), &exception),
    }
}

const OPERATION: &str =
    "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, ";
/// What the SDK for Go puts before an error after it has retried.
const TRIED: &str = "exceeded maximum number of attempts, 3, ";

fn refused(version: Version, id: &str, exception: &Exception) -> Answer {
    let Exception { status, code, message } = exception;
    match version {
        Version::New | Version::Chained => {
            let fault = if *status < 500 { "client" } else { "server" };
            Answer::text(*status, format!("[{id}]: ({code}): {message}, fault: {fault}"))
        }
        Version::Old => {
            let tried = if *status == 429 || *status >= 500 { TRIED } else { "" };
            let text = format!(
                "{OPERATION}{tried}https response error StatusCode: {status}, RequestID: {id}, {code}: {message}"
            );
            Answer::text(500, text)
        }
    }
}

/// Without an answer there is no request id, and new agents print nothing else about the error.
fn unreached(version: Version) -> Answer {
    match version {
        Version::New | Version::Chained => Answer::text(500, "[]"),
        Version::Old => {
            let url = eks_auth::url();
            let text = format!(
                "{OPERATION}{TRIED}https response error StatusCode: 0, RequestID: , request send failed, \
                 Post \"{url}\": dial tcp 10.0.8.44:443: i/o timeout"
            );
            Answer::text(500, text)
        }
    }
}

/// The request was never sent, so the agent prints only the error and the retriever that passed it on.
fn unsigned(version: Version) -> Answer {
    let chain = match version {
        Version::Old | Version::New => "",
        Version::Chained => "chained retriever: all delegates failed: ",
    };
    Answer::text(
        500,
        format!(
            "error getting credentials to cache: {chain}{OPERATION}get identity: get credentials: failed to refresh cached \
             credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, context deadline exceeded"
        ),
    )
}

/// Removes port and brackets: `[fd00:ec2::23]:80` and `169.254.170.23:80` become plain addresses.
fn without_port(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    }
}

#[cfg(test)]
mod tests;
