//! What the sandbox saw of a run, and what must hold for it whatever the scenario.
//! What the probe must never do is in security.md and in rules-of-the-verdict.md, “Before the network”.

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
    access_requests: Vec<AccessRequest>,
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

/// A request to a service that was asked about stated access.
#[derive(Debug, Deserialize)]
struct AccessRequest {
    action: String,
    method: String,
    path: String,
    query: String,
    target: Option<String>,
    invocation_type: Option<String>,
    user_agent: Option<String>,
    body: String,
    narrowed: bool,
    harm: Option<String>,
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

/// docs/reference/json.md: three short lines, or one line for a plain `ready`.
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
        self.exchanges_are_harmless(report)?;
        self.questions_are_harmless(report)?;
        self.clusters_are_asked_as_stated(report)?;
        self.agent_gets_the_bare_token(report)?;
        self.termination_message(report)
    }

    fn is_silent(&self) -> bool {
        self.sts_connections == 0
            && self.sts_requests.is_empty()
            && self.access_requests.is_empty()
            && self.issuer_requests.is_empty()
            && self.proxy_requests.is_empty()
            && self.api_server_requests.is_empty()
            && self.dns_questions.is_empty()
            && self.agent_connections.unwrap_or_default() == 0
    }

    /// The API server gets a review of the caller and one for each stated access, and nothing if no cluster is stated.
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

    /// The agent gets the token without a scheme before it, and nobody else gets it.
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

    /// The first exchange allows nothing. Each later one allows only what was stated, with one session policy each.
    fn exchanges_are_harmless(&self, report: &Report) -> Result<(), Failed> {
        let stated = &report.whole["evidence"]["environment"]["stated"];
        let is_stated = stated["expect_access"].is_array() || stated["expect_role"].is_string();
        let mut exchanges = 0;
        for request in &self.sts_requests {
            let policy = request.policy.as_deref();
            let short = request.duration_seconds.as_deref() == Some("900");
            let harmless = match request.action.as_deref() {
                Some("AssumeRoleWithWebIdentity") => {
                    exchanges += 1;
                    let narrow = if exchanges == 1 || !is_stated {
                        policy == Some(DENY_ALL)
                    } else {
                        policy == Some(DENY_ALL) || policy.is_some_and(|policy| is_narrow(policy, stated))
                    };
                    short && narrow && !request.authorized
                }
                Some("AssumeRole") => {
                    let bounded = policy == Some(DENY_ALL) || policy.is_some_and(|it| is_narrow(it, stated));
                    is_stated && short && request.authorized && bounded
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

    /// Method, action and headers of each question are those of a call that writes nothing and reads no data, and no question did either.
    fn questions_are_harmless(&self, report: &Report) -> Result<(), Failed> {
        let stated = &report.whole["evidence"]["environment"]["stated"];
        let named: Vec<&str> =
            stated["expect_access"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // If the pod's own variable leads the exchange to another service, only that service is asked.
        let misled = named.is_empty() && report.verdict.class == "not-sts";
        let is_exchange = |it: &&AccessRequest| misled && it.method == "POST" && it.path == "/";
        for request in self.access_requests.iter().filter(|it| !is_exchange(it)) {
            let action = format!("{}=", request.action);
            let is_stated = named.iter().any(|it| it.to_lowercase().starts_with(&action.to_lowercase()));
            let narrowed = request.narrowed || stated["access_with_full_credentials"] == true;
            let ours = request.user_agent.as_deref().is_some_and(|agent| agent.starts_with("credprobe/"));
            if request.harm.is_some() || !request.is_safe() || !is_stated || !narrowed || !ours {
                return Err(format!("a question that is not allowed: {request:?}").into());
            }
        }
        let asked: Vec<&str> =
            self.access_requests.iter().filter(|it| !is_exchange(it)).map(|it| it.action.as_str()).collect();
        if asked.len() > named.len() {
            return Err(format!("{} questions for {} statements: {asked:?}", asked.len(), named.len()).into());
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

impl AccessRequest {
    /// Decides with its own list, independent of the probe's table.
    fn is_safe(&self) -> bool {
        let target = self.target.as_deref().unwrap_or_default();
        let posts = self.method == "POST" && self.query.is_empty();
        let dry = self.body.contains(r#""DryRun":true"#);
        match self.action.as_str() {
            "s3:ListBucket" => {
                self.method == "GET" && self.query == "list-type=2&max-keys=0" && self.body.is_empty()
            }
            "sqs:GetQueueAttributes" => posts && target == "AmazonSQS.GetQueueAttributes",
            "sqs:GetQueueUrl" => posts && target == "AmazonSQS.GetQueueUrl",
            "dynamodb:DescribeTable" => posts && target == "DynamoDB_20120810.DescribeTable",
            "kms:Decrypt" => posts && target == "TrentService.Decrypt" && dry,
            "kms:Encrypt" => posts && target == "TrentService.Encrypt" && dry,
            "kms:GenerateDataKey" => posts && target == "TrentService.GenerateDataKey" && dry,
            "lambda:InvokeFunction" => {
                let dry = self.invocation_type.as_deref() == Some("DryRun");
                posts && dry && self.path.ends_with("/invocations") && self.body.is_empty()
            }
            action => {
                let reads = action.strip_prefix("ec2:Describe").is_some();
                posts && reads && self.path == "/" && self.body.contains("&DryRun=true&")
            }
        }
    }
}

/// Everything except the stated pairs is denied, by exactly three kinds of statement.
fn is_narrow(policy: &str, stated: &Value) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let texts = |value: &Value| match value {
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let mut allowed = Vec::new();
    for statement in statements.iter().filter(|it| it["Effect"] == "Allow") {
        for action in texts(&statement["Action"]) {
            allowed
                .extend(texts(&statement["Resource"]).into_iter().map(|resource| (action.clone(), resource)));
        }
    }
    let named: Vec<&str> =
        stated["expect_access"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_stated = |(action, resource): &(String, String)| {
        named.iter().any(|it| it.starts_with(&format!("{action}={resource}")))
            // The roles of a profile's chain are not all in the flags.
            || ["sts:AssumeRole", "sts:TagSession"].contains(&action.as_str()) && stated["expect_role"].is_string()
    };
    let denies_rest = statements.iter().any(|it| {
        let mut actions: Vec<String> = allowed.iter().map(|(action, _)| action.clone()).collect();
        actions.dedup();
        it["Effect"] == "Deny" && it["Resource"] == "*" && texts(&it["NotAction"]) == actions
    });
    let binds = allowed.iter().filter(|(_, resource)| resource != "*").all(|(action, resource)| {
        statements.iter().any(|it| {
            it["Effect"] == "Deny" && it["Action"] == **action && texts(&it["NotResource"]).contains(resource)
        })
    });
    !allowed.is_empty() && allowed.iter().all(is_stated) && denies_rest && binds
}
