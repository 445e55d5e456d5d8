//! What a scenario may say, and its defaults: a healthy pod. A case lists only what differs.
//! `args` and `expect` are for the test that runs the case; the sandbox does not read them.

use std::{collections::BTreeMap, net::IpAddr};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    capabilities::Capabilities,
    error::{Doing as _, Error, Result},
};

pub(crate) mod account;
pub(crate) mod agent;
mod answer;
pub(crate) mod eks;
pub(crate) mod hostile;
mod issuer;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use account::{Account, Resource};
pub(crate) use answer::{Answer, Fault, Wording};
pub(crate) use issuer::{Issuer, KeySet, SigningKey};
pub(crate) use token::{Layout, SignWith, Token, TokenFile};

/// The issuer of the sandbox's cluster, unless the scenario has another.
pub(crate) const ISSUER: &str =
    "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
/// The account of the healthy role. It is not one of the documentation's accounts, because credprobe reports those.
pub(crate) const ACCOUNT: &str = "814203749616";
/// The healthy role.
pub(crate) const ROLE: &str = "checkout-reader";
/// The name that EKS has for the cluster.
pub(crate) const CLUSTER: &str = "prod";
/// The cluster's region.
pub(crate) const REGION: &str = "eu-west-1";
/// The API server's address inside the cluster.
pub(crate) const API_SERVER: &str = "10.100.0.1";
/// The pod's name.
pub(crate) const POD: &str = "checkout-7d9f8b6c5-x2x4q";
/// The pod's uid, in the token as well.
pub(crate) const POD_UID: &str = "5f1d3c62-8f0e-4f3c-a3f5-0f9c7c1b2d3e";
/// The namespace.
pub(crate) const NAMESPACE: &str = "shop";
/// The service account.
pub(crate) const SERVICE_ACCOUNT: &str = "checkout";

/// A situation: what differs from a healthy pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// One line for `--list`.
    pub description: String,
    /// What a test passes to `credprobe` after `check`.
    pub args: Vec<String>,
    /// What a test expects.
    pub expect: Value,
    /// Changes of the environment; `null` removes a default.
    pub env: BTreeMap<String, Option<String>>,
    pub(crate) mechanism: agent::Mechanism,
    pub(crate) process: Process,
    /// Other processes in the command's PID namespace.
    pub(crate) targets: Vec<target::Target>,
    pub(crate) pid_namespace: target::PidNamespace,
    pub(crate) proc: target::Proc,
    pub(crate) probe_has: target::ProbeHas,
    pub(crate) token: Token,
    pub(crate) token_file: TokenFile,
    pub(crate) issuer: Issuer,
    /// The pod can call the API server: its address is in the environment, and the account's token and CA are mounted.
    pub(crate) api_server: Option<ApiServer>,
    /// A shared credentials file, which `AWS_SHARED_CREDENTIALS_FILE` names.
    pub(crate) profile: Option<String>,
    /// Further files for the command, by path below `/run`, which the pod has for itself.
    pub(crate) files: BTreeMap<String, target::LaidFile>,
    /// A proxy at `proxy.corp.internal:3128`. The environment decides who uses it.
    pub(crate) proxy: Option<Proxy>,
    /// Always present if `mechanism` uses it.
    pub(crate) agent: Option<agent::Agent>,
    #[serde(default = "one")]
    pub(crate) accounts: Vec<Account>,
    pub(crate) wording: Wording,
    pub(crate) clock_offset_seconds: i64,
    pub(crate) fault: Fault,
    pub(crate) answer: Option<Answer>,
    /// The only action that `fault` and `answer` apply to.
    pub(crate) fault_on: Option<String>,
    /// `fault` and `answer` end after this many requests, or after this many connections if it is those that fail.
    pub(crate) fault_times: Option<u32>,
    /// One server that breaks the rules of TLS or HTTP.
    pub(crate) hostile: Option<hostile::Hostile>,
    /// AWS resources by ARN, as far as they differ. A resource that is not listed exists, in the caller's account, without a policy.
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Policies of VPC endpoints, by service.
    pub(crate) endpoint_policies: BTreeMap<String, Value>,
    /// Session policies with more characters than this are too large when packed.
    pub(crate) packed_policy_limit: Option<usize>,
    /// The role that answers instead of the one asked for.
    pub(crate) answers_as_role: Option<String>,
    /// Opt-in regions that the account has not enabled: STS finds no provider there.
    pub(crate) regions_not_enabled: Vec<String>,
    /// What the resolver does, by name. A name may contain `*`, which does not match the control name.
    pub(crate) dns: BTreeMap<String, Dns>,
    /// Lines after the pod's own in `/etc/hosts`.
    pub(crate) hosts: String,
    /// The pod's `/etc/resolv.conf`, instead of the kubelet's.
    pub(crate) resolv_conf: Option<String>,
    /// The address families of STS.
    #[serde(default = "ipv4")]
    pub(crate) sts_families: Vec<Family>,
    /// Those families of STS to which the pod has no route.
    pub(crate) no_route: Vec<Family>,
}

/// The user that the command runs as; each id is 65532 by default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Process {
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) groups: Option<Vec<u32>>,
    pub(crate) capabilities: Capabilities,
    /// In the bounding set and nowhere else, which is the effect of `capabilities.add` for a user other than root.
    pub(crate) bounding: Capabilities,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApiServer {
    /// `automountServiceAccountToken: false`.
    pub(crate) not_mounted: bool,
    /// The service account may not read the keys: the usual cluster role binding is missing.
    pub(crate) forbidden: bool,
    /// The status with which it refuses to change the pod: 403 if the Role is missing, 500 and so on.
    pub(crate) refuses_patch: Option<u16>,
    /// Connections are reset.
    pub(crate) away: bool,
    /// It is an EKS cluster, which accepts tokens of IAM identities.
    pub(crate) eks: Option<eks::Eks>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Proxy {
    Works,
    #[serde(rename = "refuse-403")]
    Refuse403,
    /// Admits every client that sends credentials, whatever they are.
    #[serde(rename = "require-auth-407")]
    RequireAuth407,
    /// Accepts the request, then stays silent.
    Hang,
    /// Nobody listens.
    Down,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dns {
    Nxdomain,
    Servfail,
    /// Never answers.
    Silent,
    /// Drops the questions of one family and answers the others.
    SilentA,
    SilentAaaa,
    /// An alias of this name, which must have an address or be an alias itself.
    Cname(String),
    /// Bytes that are not an answer, with the question's id.
    Garbage,
    /// An answer to another question.
    Forged,
    /// "Too long, ask over TCP", where the server stays silent.
    Truncated,
    /// As many addresses as fit into an answer over TCP, all without a route.
    Many,
}

impl Scenario {
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let scenario = serde_json::from_str(text).doing(|| format!("failed to read scenario `{name}`"))?;
        Self::of(name, scenario)
    }

    pub(crate) fn of(name: &str, value: Value) -> Result<Self> {
        let what = || format!("failed to read scenario `{name}`");
        let mut scenario: Self = serde_json::from_value(value).doing(what)?;
        scenario.settle_agent().doing(what)?;
        scenario.check_targets().doing(what)?;
        scenario.issuer.check().doing(what)?;
        scenario.answer.as_ref().map_or(Ok(()), Answer::check).doing(what)?;
        scenario.files.keys().try_for_each(|path| check_file(path)).doing(what)?;
        Ok(scenario)
    }

    /// The secrets in the credentials files, wherever these are.
    pub(crate) fn secrets_in_files(&self) -> impl Iterator<Item = &str> {
        let texts = self.files.values().map(|file| file.text.as_str()).chain(self.profile.as_deref());
        texts.flat_map(str::lines).filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            SECRETS.contains(&name.trim()).then_some(value.trim())
        })
    }
}

/// The settings of a profile that no output may repeat.
const SECRETS: &[&str] = &["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// Files must be below `/run`: the pod shares all other directories with the machine. The folders listed here are in use.
fn check_file(path: &str) -> Result<()> {
    const TAKEN: &[&str] = &["secrets", "credprobe-sandbox", "targets"];
    let mut parts = path.split('/');
    let is_below = (parts.next(), parts.next()) == (Some(""), Some("run"));
    let first = parts.next().unwrap_or_default();
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if is_below && plain(first) && !TAKEN.contains(&first) && parts.all(plain) {
        return Ok(());
    }
    Err(Error::new(format!("no file can be laid at `{path}`: below /run, but for {}", TAKEN.join(", "))))
}

fn ipv4() -> Vec<Family> {
    vec![Family::Ipv4]
}

fn one<T: Default>() -> Vec<T> {
    vec![T::default()]
}
