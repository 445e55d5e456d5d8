//! What happened during a run, for the test that started it: requests, DNS questions, and every secret to look for in outputs.
//! It is written after the command has ended, to a file that was opened before the pod was built.

use std::{
    fs::File,
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::error::{Doing as _, Result};

/// Filled by the servers while the command runs.
#[derive(Debug, Default)]
pub(crate) struct Record {
    inner: Mutex<Contents>,
}

/// The content of the record's JSON.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Contents {
    /// `pod` or `loopback`.
    pub(crate) mode: String,
    /// Values that no output may contain.
    pub(crate) secrets: Vec<String>,
    pub(crate) sts_connections: u32,
    pub(crate) sts_requests: Vec<StsRequest>,
    /// Requests to services other than STS.
    pub(crate) access_requests: Vec<AccessRequest>,
    pub(crate) issuer_requests: Vec<IssuerRequest>,
    pub(crate) api_server_requests: Vec<IssuerRequest>,
    /// All conditions of the pod, in the order in which they were patched.
    pub(crate) conditions: Vec<serde_json::Value>,
    /// The last of them, unless somebody removed it.
    pub(crate) condition: Option<serde_json::Value>,
    /// The bodies of all patches, including refused ones.
    pub(crate) patches: Vec<String>,
    pub(crate) proxy_requests: Vec<ProxyRequest>,
    /// `null` on loopback, where nobody listens at the metadata address.
    pub(crate) imds_connections: Option<u32>,
    pub(crate) agent_requests: Vec<AgentRequest>,
    /// `null` where nobody listens at the agent's addresses.
    pub(crate) agent_connections: Option<u32>,
    pub(crate) dns_questions: Vec<DnsQuestion>,
    pub(crate) termination_log: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct StsRequest {
    pub(crate) host: String,
    pub(crate) action: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) duration_seconds: Option<String>,
    pub(crate) policy: Option<String>,
    /// The hash of the token as it arrived, not as it was parsed.
    pub(crate) token_sha256: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) authorized: bool,
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccessRequest {
    pub(crate) host: String,
    /// In the form that policies use.
    pub(crate) action: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) target: Option<String>,
    pub(crate) invocation_type: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) body: String,
    pub(crate) status: u16,
    /// Whether the session has a session policy.
    pub(crate) narrowed: bool,
    /// What the request wrote or read.
    pub(crate) harm: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct IssuerRequest {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// The issuer must never receive a token; the API server requires one.
    pub(crate) authorized: bool,
}

/// This never contains the credentials of the request.
#[derive(Debug, Serialize)]
pub(crate) struct ProxyRequest {
    pub(crate) method: String,
    /// `host:port`.
    pub(crate) target: String,
    pub(crate) authorized: bool,
    /// 0 if there was no answer.
    pub(crate) status: u16,
}

/// This never contains the token of the request.
#[derive(Debug, Serialize)]
pub(crate) struct AgentRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) authorized: bool,
    /// Whether the header's value was a JWT and nothing else: no scheme before it.
    pub(crate) raw_jwt: bool,
    pub(crate) status: u16,
}

#[derive(Debug, Serialize)]
pub(crate) struct DnsQuestion {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: u16,
    pub(crate) over: &'static str,
}

impl Record {
    pub(crate) fn edit(&self) -> MutexGuard<'_, Contents> {
        // If a server task panicked, the record is still worth writing.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn secret(&self, secret: &str) {
        if !secret.is_empty() {
            self.edit().secrets.push(secret.to_owned());
        }
    }

    pub(crate) fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(&*self.edit()).doing(|| "failed to put the record into JSON".into())
    }

    pub(crate) fn write(&self, mut file: &File) -> Result<()> {
        let text = self.json()?;
        writeln!(file, "{text}").doing(|| "failed to write the record".into())
    }
}
