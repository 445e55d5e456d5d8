//! What the webhook injects, and the EKS Pod Identity agent on the pod's node with EKS Auth behind it. By default the agent is
//! a new one, listens at both its addresses, and EKS has the association of the healthy service account.

use serde::Deserialize;
use serde_json::Value;

use super::{ACCOUNT, CLUSTER, Family, NAMESPACE, REGION, ROLE, SERVICE_ACCOUNT, Scenario, one};
use crate::error::{Error, Result};

/// How the pod gets its credentials. This decides what is injected.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mechanism {
    #[default]
    Irsa,
    PodIdentity,
    /// IRSA by hand in the pod's specification, plus an association. The webhook alone never injects both.
    Both,
}

impl Mechanism {
    /// One or two tokens. The first is the one that `token` and `token_file` describe.
    pub(crate) fn tokens(self) -> &'static [TokenKind] {
        match self {
            Self::Irsa => &[TokenKind::WebIdentity],
            Self::PodIdentity => &[TokenKind::PodIdentity],
            Self::Both => &[TokenKind::WebIdentity, TokenKind::PodIdentity],
        }
    }

    pub(crate) fn has(self, kind: TokenKind) -> bool {
        self.tokens().contains(&kind)
    }
}

/// A projected token, by its recipient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenKind {
    WebIdentity,
    PodIdentity,
}

impl TokenKind {
    /// The folder below `/var/run/secrets`.
    pub(crate) fn directory(self) -> &'static str {
        match self {
            Self::WebIdentity => "eks.amazonaws.com/serviceaccount",
            Self::PodIdentity => "pods.eks.amazonaws.com/serviceaccount",
        }
    }

    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::WebIdentity => "token",
            Self::PodIdentity => "eks-pod-identity-token",
        }
    }

    pub(crate) fn audience(self) -> &'static str {
        match self {
            Self::WebIdentity => "sts.amazonaws.com",
            Self::PodIdentity => "pods.eks.amazonaws.com",
        }
    }

    /// The variable that names the file.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::WebIdentity => "AWS_WEB_IDENTITY_TOKEN_FILE",
            Self::PodIdentity => "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        }
    }
}

/// The agent, the way to it, and EKS Auth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Agent {
    pub(crate) version: Version,
    /// The address family of the injected URI.
    pub(crate) family: Family,
    /// Nobody listens at its addresses.
    pub(crate) down: bool,
    /// Connections are never answered: no SYN-ACK.
    pub(crate) dropped: bool,
    /// Its addresses have no route.
    pub(crate) no_route: bool,
    /// It accepts connections, and sends nothing.
    pub(crate) silent: bool,
    /// Another HTTP server has the port.
    pub(crate) not_agent: bool,
    /// The status of that server's answers, whatever it is asked.
    pub(crate) page_status: u16,
    /// The agent's own rate limit is reached.
    pub(crate) rate_limited: bool,
    /// The agent cannot reach EKS Auth.
    pub(crate) cut_off: bool,
    /// The node has no credentials to call EKS Auth with.
    pub(crate) without_node_credentials: bool,
    /// The node's role may not call EKS Auth.
    pub(crate) node_role_denied: bool,
    /// EKS Auth throttles. The two fields below are EKS Auth's answers too.
    pub(crate) throttled: bool,
    pub(crate) failing: bool,
    pub(crate) unavailable: bool,
    /// This answer instead of all that.
    pub(crate) answer: Option<Text>,
    /// After how many requests `answer`, and every other fault of EKS Auth or its limits, ends.
    pub(crate) times: Option<u32>,
    #[serde(default = "one")]
    pub(crate) associations: Vec<Association>,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            version: Version::New,
            family: Family::Ipv4,
            down: false,
            dropped: false,
            no_route: false,
            silent: false,
            not_agent: false,
            page_status: 404,
            rate_limited: false,
            cut_off: false,
            without_node_credentials: false,
            node_role_denied: false,
            throttled: false,
            failing: false,
            unavailable: false,
            answer: None,
            times: None,
            associations: one(),
        }
    }
}

/// The generation of the agent. Old agents turn every error of EKS Auth into a 500 of their own.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Version {
    Old,
    /// 0.1.37.
    New,
    /// 0.2: it checks more of the token itself, and asks the node's metadata and EKS Auth in turn.
    #[serde(rename = "0.2")]
    Chained,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A Pod Identity association of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Association {
    pub(crate) namespace: String,
    pub(crate) service_account: String,
    pub(crate) role_arn: String,
    /// The role that `role_arn` assumes next. The pod then has this role.
    pub(crate) target_role_arn: Option<String>,
    /// The external id that EKS presents to the target. EKS makes it.
    pub(crate) external_id: String,
    pub(crate) disable_session_tags: bool,
    /// The session policy. A session may do only what both this and the role's policy allow.
    pub(crate) policy: Option<Value>,
}

impl Default for Association {
    fn default() -> Self {
        Self {
            namespace: NAMESPACE.into(),
            service_account: SERVICE_ACCOUNT.into(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"),
            target_role_arn: None,
            external_id: format!("{REGION}/{ACCOUNT}/{CLUSTER}/{NAMESPACE}/{SERVICE_ACCOUNT}"),
            disable_session_tags: false,
            policy: None,
        }
    }
}

impl Association {
    /// Refuses what EKS itself refuses when an association is made.
    fn check(&self) -> Result<()> {
        const LONGEST_POLICY: usize = 2_048;
        if self.role_arn.split(':').nth(4).is_some_and(|account| account != ACCOUNT) {
            return Err(Error::new("an association's own role is of the cluster's account"));
        }
        let Some(policy) = &self.policy else { return Ok(()) };
        if !self.disable_session_tags || !policy.is_object() || policy.to_string().len() > LONGEST_POLICY {
            let text = "an association's policy is an object of 2,048 characters at most, and its session has no tags";
            return Err(Error::new(text));
        }
        Ok(())
    }
}

impl Agent {
    /// The value of `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub(crate) fn uri(&self) -> &'static str {
        match self.family {
            Family::Ipv4 => "http://169.254.170.23/v1/credentials",
            Family::Ipv6 => "http://[fd00:ec2::23]/v1/credentials",
        }
    }
}

impl Scenario {
    /// Fills in what follows from the mechanism, and refuses answers that HTTP does not allow.
    pub(super) fn settle_agent(&mut self) -> Result<()> {
        if self.mechanism.has(TokenKind::PodIdentity) {
            self.agent.get_or_insert_default();
        }
        self.agent.iter().flat_map(|agent| &agent.associations).try_for_each(Association::check)?;
        let statuses = self.agent.iter().flat_map(|agent| {
            agent.answer.as_ref().map(|answer| answer.status).into_iter().chain([agent.page_status])
        });
        for status in statuses {
            if !(200..600).contains(&status) {
                return Err(Error::new(format!("no agent answers with status {status}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &str) -> Option<Agent> {
        Scenario::parse("x", text).unwrap().agent
    }

    #[test]
    fn an_agent_is_there_when_it_is_injected_or_asked_for() {
        assert!(agent("{}").is_none());
        assert!(agent(r#"{"agent": {}}"#).is_some());
        for mechanism in ["pod-identity", "both"] {
            let agent = agent(&format!(r#"{{"mechanism": "{mechanism}"}}"#)).unwrap();
            assert_eq!(agent.uri(), "http://169.254.170.23/v1/credentials");
            assert_eq!(agent.associations.len(), 1);
        }
    }

    #[test]
    fn what_no_agent_can_be_is_refused() {
        for text in [
            r#"{"mechanism": "kiam"}"#,
            r#"{"agent": {"version": "newest"}}"#,
            r#"{"agent": {"associations": [{"policy": {}}]}}"#,
            r#"{"agent": {"associations": [{"policy": "{}", "disable_session_tags": true}]}}"#,
            r#"{"agent": {"associations": [{"role_arn": "arn:aws:iam::444455556666:role/automation"}]}}"#,
            r#"{"agent": {"down": "yes"}}"#,
            r#"{"agent": {"not_agent": true, "page_status": 99}}"#,
            r#"{"agent": {"answer": {"status": 1000, "body": ""}}}"#,
        ] {
            assert!(Scenario::parse("x", text).is_err(), "{text}");
        }
    }
}
