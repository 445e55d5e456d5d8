//! Where the environment says that the Pod Identity agent is, and whether SDKs accept that host. Pure.
//! Resolves nothing: names other than `localhost` are refused, as by SDKs that do not resolve (boto3, JavaScript).

use crate::evidence::Evidence;
use http::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The variable that the webhook sets to the agent's URI.
pub const URI_VARIABLE: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// The variable that the webhook sets to the path of the agent's token.
pub const TOKEN_FILE_VARIABLE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where the agent listens, on every node that has it (`configuration/config.go` of eks-pod-identity-agent).
const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// The address of ECS's own agent. SDKs accept it, but no pod has it.
const ECS_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2));

/// The endpoint to ask for credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEndpoint {
    /// The value of the variable.
    pub url: Uri,
    /// Without brackets.
    pub host: String,
    /// It is one of the agent's two addresses, and not another server on loopback or behind `https://`.
    pub at_agents_address: bool,
}

impl AgentEndpoint {
    /// Whether EKS's agent listens there. At another port of its address there may be another server.
    #[must_use]
    pub fn is_agents(&self) -> bool {
        self.at_agents_address && self.url.port_u16().is_none_or(|port| port == 80)
    }
}

/// Why no endpoint is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentProblem {
    /// SDKs refuse the URI, for this reason.
    Refused(String),
    /// Another process names a host that is not the agent's. Its token must not go there, unless the probe's own environment says so.
    Untrusted {
        /// The host in the variable.
        host: String,
    },
}

/// The agent that the environment names. `None`: no URI is set.
#[must_use]
pub fn endpoint(evidence: &Evidence) -> Option<Result<AgentEndpoint, AgentProblem>> {
    let environment = &evidence.environment;
    let uri = environment.get(URI_VARIABLE)?;
    let endpoint = parse(uri).map_err(AgentProblem::Refused);
    let stated = environment.options.agent_uri.as_deref() == Some(uri);
    Some(endpoint.and_then(|endpoint| {
        if evidence.target.is_some() && !endpoint.is_agents() && !stated {
            return Err(AgentProblem::Untrusted { host: endpoint.host });
        }
        Ok(endpoint)
    }))
}

fn parse(uri: &str) -> Result<AgentEndpoint, String> {
    let url: Uri = uri.parse().map_err(|_| "it is not a URL".to_owned())?;
    let host = url.host().filter(|host| !host.is_empty()).ok_or("it names no host")?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
    let address: Option<IpAddr> = host.parse().ok();
    let secure = match url.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err("it begins with neither http:// nor https://".to_owned()),
    };
    let at_agents_address = !secure && address.is_some_and(|address| ADDRESSES.contains(&address));
    match address {
        _ if secure || at_agents_address => {}
        Some(address) if address.is_loopback() => {}
        Some(address) if address == ECS_ADDRESS => {
            return Err(format!("{address} is for ECS"));
        }
        Some(address) => return Err(format!("http to {address}")),
        None if host.eq_ignore_ascii_case("localhost") => {}
        None => {
            return Err("http to a host name".to_owned());
        }
    }
    Ok(AgentEndpoint { url, host, at_agents_address })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Option<Result<AgentEndpoint, AgentProblem>> {
        let mut evidence = Evidence::default();
        evidence.environment.variables.insert(URI_VARIABLE.to_owned(), uri.to_owned());
        endpoint(&evidence)
    }

    #[test]
    fn what_every_sdk_accepts_is_asked() {
        for (uri, host, at_agents_address) in [
            ("http://169.254.170.23/v1/credentials", "169.254.170.23", true),
            ("http://[fd00:ec2::23]/v1/credentials", "fd00:ec2::23", true),
            ("http://127.0.0.1:51679/get", "127.0.0.1", false),
            ("http://[::1]/get", "::1", false),
            ("http://localhost/get", "localhost", false),
            ("https://vault.internal/aws", "vault.internal", false),
        ] {
            let endpoint = of(uri).unwrap().unwrap();
            assert_eq!(
                (endpoint.host.as_str(), endpoint.at_agents_address),
                (host, at_agents_address),
                "{uri}"
            );
        }
    }

    #[test]
    fn what_sdks_refuse_is_never_asked() {
        for uri in [
            "http://evil.example/",
            "http://169.254.170.2/v2/credentials",
            "http://169.254.170.24/v1/credentials",
            "http://[fd00:ec2::24]/v1/credentials",
            "http://fd00:ec2::23/v1/credentials",
            "http://10.0.9.9/v1/credentials",
            "http://localhost.evil.example/",
            "ftp://169.254.170.23/",
            "169.254.170.23/v1/credentials",
            "/v1/credentials",
            "http://",
            "not a url",
        ] {
            assert!(matches!(of(uri), Some(Err(AgentProblem::Refused(_)))), "{uri}");
        }
        assert_eq!(of(""), None);
    }

    #[test]
    fn a_token_of_another_process_goes_to_the_agent_or_where_the_probe_says_too() {
        for (uri, stated, sent) in [
            ("http://169.254.170.23/v1/credentials", None, true),
            ("http://[fd00:ec2::23]:80/v1/credentials", None, true),
            ("http://169.254.170.23:8080/v1/credentials", None, false),
            ("https://169.254.170.23/v1/credentials", None, false),
            ("https://loot.example/", None, false),
            ("http://127.0.0.1:8080/", None, false),
            ("http://127.0.0.1:8080/", Some("http://127.0.0.1:8080/"), true),
        ] {
            let mut evidence = Evidence { target: Some(Default::default()), ..Evidence::default() };
            evidence.environment.variables.insert(URI_VARIABLE.to_owned(), uri.to_owned());
            evidence.environment.options.agent_uri = stated.map(str::to_owned);
            assert_eq!(endpoint(&evidence).unwrap().is_ok(), sent, "{uri}");
        }
    }
}
