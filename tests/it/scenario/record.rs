//! What the sandbox saw of a run, and what must hold for it whatever the scenario.
//! What nothing may do is in security.md and in rules-of-the-verdict.md, “Before the network”.

use super::report::Report;
use crate::support::leak::Secrets;
use libtest_mimic::Failed;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Record {
    secrets: Vec<String>,
    sts_connections: u32,
    pub(super) sts_requests: Vec<StsRequest>,
    issuer_requests: Vec<IssuerRequest>,
    proxy_requests: Vec<serde_json::Value>,
    api_server_requests: Vec<serde_json::Value>,
    imds_connections: Option<u32>,
    agent_requests: Vec<AgentRequest>,
    agent_connections: Option<u32>,
    dns_questions: Vec<Value>,
    pub(super) termination_log: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct StsRequest {
    pub(super) action: Option<String>,
    duration_seconds: Option<String>,
    policy: Option<String>,
    authorized: bool,
}

#[derive(Debug, Deserialize)]
struct IssuerRequest {
    authorized: bool,
}

#[derive(Debug, Deserialize)]
struct AgentRequest {
    authorized: bool,
    raw_jwt: bool,
}

/// docs/reference/json.md: three short lines, or one for a plain `ready`.
const TERMINATION_LIMIT: usize = 400;
const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

impl Record {
    pub(super) fn no_secret_in(&self, place: &str, text: &str) -> Result<(), Failed> {
        let mut secrets = Secrets::default();
        for secret in &self.secrets {
            secrets.add(secret.as_bytes());
        }
        match secrets.find(text.as_bytes()) {
            Some(leak) => Err(format!("a secret is in {place}: {leak}").into()),
            None if self.secrets.is_empty() => Err("the record lists no secret to look for".into()),
            None => Ok(()),
        }
    }

    pub(super) fn check(&self, report: &Report) -> Result<(), Failed> {
        if self.imds_connections != Some(0) {
            return Err(format!("instance metadata was asked: {:?}", self.imds_connections).into());
        }
        if self.issuer_requests.iter().any(|request| request.authorized) {
            return Err(format!("the issuer was shown a token: {:?}", self.issuer_requests).into());
        }
        if report.is_local() && !self.is_silent() {
            return Err("a local verdict, and yet a connection, request or DNS question".into());
        }
        self.exchanges_are_harmless()?;
        self.clusters_are_asked_as_stated(report)?;
        self.agent_gets_the_bare_token(report)?;
        self.termination_message(report)
    }

    fn is_silent(&self) -> bool {
        self.sts_connections == 0
            && self.sts_requests.is_empty()
            && self.issuer_requests.is_empty()
            && self.proxy_requests.is_empty()
            && self.api_server_requests.is_empty()
            && self.dns_questions.is_empty()
            && self.agent_connections.unwrap_or_default() == 0
    }

    /// A review of who asks, one for each stated access, and nothing at all where no cluster is stated.
    fn clusters_are_asked_as_stated(&self, report: &Report) -> Result<(), Failed> {
        let is_review =
            |request: &&Value| request["path"].as_str().is_some_and(|path| path.starts_with("/apis/auth"));
        let asked = self.api_server_requests.iter().filter(is_review).count();
        let cluster = &report.whole["evidence"]["cluster"];
        let answered = |count: usize| match cluster["status"].as_u64() {
            Some(201 | 403 | 404) => count + cluster["reviews"].as_array().map_or(0, Vec::len),
            Some(_) => count,
            None => 0,
        };
        let expected = answered(usize::try_from(report.whole["attempts"].as_u64().unwrap_or(1))?);
        if asked == expected {
            return Ok(());
        }
        Err(format!("{asked} reviews were asked of the API server, not {expected}").into())
    }

    /// Without a scheme before it, and nobody else gets it.
    fn agent_gets_the_bare_token(&self, report: &Report) -> Result<(), Failed> {
        let dressed = |request: &&AgentRequest| {
            let stranger = report.verdict.class == "agent-not-agent";
            request.authorized && (stranger || !request.raw_jwt)
        };
        match self.agent_requests.iter().find(dressed) {
            Some(request) => {
                Err(format!("the token went to the agent's address like this: {request:?}").into())
            }
            None => Ok(()),
        }
    }

    fn exchanges_are_harmless(&self) -> Result<(), Failed> {
        for request in &self.sts_requests {
            let harmless = match request.action.as_deref() {
                Some("AssumeRoleWithWebIdentity") => {
                    request.duration_seconds.as_deref() == Some("900")
                        && request.policy.as_deref() == Some(DENY_ALL)
                        && !request.authorized
                }
                Some("GetCallerIdentity") => request.authorized,
                _ => false,
            };
            if !harmless {
                return Err(format!("an STS request that is not allowed: {request:?}").into());
            }
        }
        Ok(())
    }

    fn termination_message(&self, report: &Report) -> Result<(), Failed> {
        let message = &self.termination_log;
        let verdict = &report.verdict;
        let lines: Vec<&str> = message.lines().collect();
        let good = match (lines.as_slice(), &verdict.but) {
            ([line], None) if verdict.class == "ready" => line.starts_with("ready 0: "),
            ([line, who, next], but) => {
                let start = match but {
                    Some(_) => "ready 0, but ".to_owned(),
                    None => format!("{} {}: ", verdict.class, verdict.code),
                };
                let code = next.rsplit_once("credprobe explain ").map(|(_, code)| code.parse::<u8>().is_ok());
                line.starts_with(&start)
                    && who.len() > "who: ".len()
                    && who.starts_with("who: ")
                    && next.starts_with("next: ")
                    && code == Some(true)
            }
            _ => false,
        };
        if good && message.len() <= TERMINATION_LIMIT {
            return Ok(());
        }
        let bytes = message.len();
        Err(format!(
            "the termination message is not as it should be, of 400 bytes at most ({bytes}): {message}"
        )
        .into())
    }
}
