//! Parses the values of `serve` and `status`: addresses, intervals, readiness, the condition's type.
//! `flags` has the flags themselves; `cli` parses what `check` and `serve` have in common.

use super::{Given, UsageError};
use crate::serve::options::{ConditionType, Listen, Serve};
use crate::serve::readiness::Mode;
use crate::serve::schedule::Schedule;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const PORT: u16 = 9809;
const ADMIN_PORT: u16 = 9810;

/// A zero interval would spin.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);
/// A shorter interval would burden STS.
const SHORTEST_EXCHANGE_INTERVAL: Duration = Duration::from_secs(1);

/// The condition types that the kubelet and the scheduler maintain (core/v1 `PodConditionType`).
const OF_KUBERNETES: &[&str] = &[
    "ContainersReady",
    "DisruptionTarget",
    "Initialized",
    "PodReadyToStartContainers",
    "PodResizeInProgress",
    "PodResizePending",
    "PodScheduled",
    "Ready",
];

pub(super) fn serve(given: &Given<'_>) -> Result<Serve, UsageError> {
    let timeout = given.timeout()?;
    let interval = given.duration("interval", "15s", SHORTEST_INTERVAL)?;
    let exchange_interval = given.duration("exchange-interval", "1h", SHORTEST_EXCHANGE_INTERVAL)?;
    let gate = given.text("readiness-gate").map(|given| ConditionType::parse(&given)).transpose()?;
    Ok(Serve {
        settings: given.settings(timeout)?,
        timeout,
        listen: listen(given)?,
        admin_listen: admin_listen(given)?,
        schedule: Schedule { interval, exchange_interval },
        readiness: match given.text("readiness").as_deref() {
            Some("strict") => Mode::Strict,
            Some("startup") => Mode::Startup,
            _ => Mode::Hold,
        },
        hold: given.duration("hold", "15m", Duration::ZERO)?,
        gate,
        full_metrics: given.text("metrics").as_deref() == Some("full"),
        tolerate: given.tolerate()?,
        report_only: given.is_on("report-only"),
        output: given.output(),
        termination_log: given.termination_log(),
        log_level: given.log_level(),
    })
}

fn listen(given: &Given<'_>) -> Result<Listen, UsageError> {
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
    Ok(match given.text("listen") {
        None => Listen { address: all, by_default: true },
        Some(given) => Listen { address: address("listen", &given, all.ip())?, by_default: false },
    })
}

pub(super) fn admin_listen(given: &Given<'_>) -> Result<SocketAddr, UsageError> {
    let loopback = IpAddr::from([127, 0, 0, 1]);
    let Some(stated) = given.text("admin-listen") else {
        return Ok(SocketAddr::from((loopback, ADMIN_PORT)));
    };
    let address = address("admin-listen", &stated, loopback)?;
    // The server answers only under these addresses and localhost. A web page has another host name and cannot read it.
    if address.ip() == loopback || address.ip() == Ipv6Addr::LOCALHOST {
        return Ok(address);
    }
    let why =
        "it names account, role and issuer, so only 127.0.0.1 and [::1] are allowed, as in 127.0.0.1:9810";
    Err(UsageError(format!("--admin-listen: `{stated}` is not allowed; {why}")))
}

/// Parses `IP:PORT`, or `:PORT` as in `:9809`, which means the IP `all`.
fn address(flag: &str, given: &str, all: IpAddr) -> Result<SocketAddr, UsageError> {
    let of_port = || Some(SocketAddr::from((all, given.strip_prefix(':')?.parse().ok()?)));
    given.parse().ok().or_else(of_port).ok_or_else(|| {
        UsageError(format!(
            "--{flag}: `{given}` is not an address; allowed are an IP and a port, as in 0.0.0.0:9809, [::1]:9810"
        ))
    })
}

impl ConditionType {
    fn parse(given: &str) -> Result<Self, UsageError> {
        let refused = |why: &str| UsageError(format!("--readiness-gate: `{given}` is not allowed; {why}"));
        let Some((domain, name)) = given.split_once('/') else {
            let kept = OF_KUBERNETES.contains(&given);
            let whose = if kept { "kubelet keeps that condition; " } else { "" };
            return Err(refused(&format!(
                "{whose}name one of your own, as in credprobe.dev/CredentialsUsable"
            )));
        };
        let edges = |text: &str| {
            let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            alphanumeric(text.chars().next()) && alphanumeric(text.chars().next_back())
        };
        let label = |label: &str| {
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            label.len() <= 63 && edges(label) && label.chars().all(allowed)
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if domain.len() > 253 || !domain.split('.').all(label) {
            return Err(refused("what stands before the slash is not a domain"));
        }
        if name.len() > 63 || !edges(name) || !name.chars().all(allowed) {
            return Err(refused("what stands after the slash is not a condition's name"));
        }
        // Kubernetes reserves these domains.
        if ["kubernetes.io", "k8s.io"]
            .iter()
            .any(|own| domain == *own || domain.ends_with(&format!(".{own}")))
        {
            return Err(refused("that domain is Kubernetes's own; take one of yours"));
        }
        Ok(Self(given.to_owned()))
    }
}
