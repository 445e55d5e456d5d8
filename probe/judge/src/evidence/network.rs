//! What the wire observed on the way to one endpoint, phase by phase. Contains nothing of request or answer.
//! The judge says which class a failure is.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// The way to one endpoint, as far as the request got.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// `https://host[:port]`, without user info, path and query.
    pub endpoint: String,
    /// `scheme://host:port` of the proxy that was used, without user info.
    pub proxy: Option<String>,
    /// The status with which the proxy answered CONNECT; `None`: no proxy, or it did not answer.
    pub proxy_status: Option<u16>,
    /// The request used a connection that was kept from an earlier one. Nothing was resolved, connected or verified again,
    /// so `resolution`, `addresses` and `tls` are empty, and only the last two phases have times.
    pub reused: bool,
    /// For the proxy's name if there is a proxy, because the proxy resolves the endpoint's name. `None` for an address literal.
    pub resolution: Option<Resolution>,
    /// Every address that was tried, in the order in which the attempts began.
    pub addresses: Vec<AddressAttempt>,
    /// `None`: plain HTTP, or TLS was not reached.
    pub tls: Option<Tls>,
    /// How long each phase took. A phase that was not reached is absent.
    pub phases_ms: PhasesMs,
    /// `None`: a whole HTTP answer arrived.
    pub failure: Option<Failure>,
}

/// The phases that dashboards know from blackbox_exporter, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PhasesMs {
    /// From the name to addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve: Option<f64>,
    /// TCP, and the proxy's tunnel if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<f64>,
    /// The TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<f64>,
    /// From the first byte of the request to the header of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing: Option<f64>,
    /// The answer's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<f64>,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The name is looked up.
    Resolve,
    /// The connection is being made.
    Connect,
    /// The peer proves who it is.
    Tls,
    /// The request was sent, and no byte of an answer has arrived.
    Processing,
    /// The answer is arriving.
    Transfer,
}

/// How a name was resolved, or why not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// The host that was looked up.
    pub name: String,
    /// `/etc/hosts` answered; no nameserver was asked.
    pub from_hosts_file: bool,
    /// `address:port` of the `nameserver` lines of `resolv.conf`, or the C library's default. A line that could not be used
    /// is here as written, with the reason in parentheses.
    pub nameservers: Vec<String>,
    /// The `search` list of `resolv.conf`, at most 32 domains.
    pub search: Vec<String>,
    /// The `ndots` of `resolv.conf`.
    pub ndots: u8,
    /// Each question to a nameserver, in order, with its outcome.
    pub questions: Vec<Question>,
    /// The addresses that were found, IPv4 and IPv6. A family that did not answer soon after the other one is missing.
    pub addresses: Vec<IpAddr>,
    /// The full name that has these addresses, if the search list made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_as: Option<String>,
    /// If the search list found the name: the addresses of the name as written, which the C library no longer asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub as_written: Vec<IpAddr>,
}

/// A name that every cluster has. If it resolves, the cluster's DNS works and the other name is the problem.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ControlName {
    /// The name that was looked up.
    pub name: String,
    /// `None`: it resolved.
    pub failure: Option<FailureKind>,
}

/// One question to one nameserver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The full name, without the trailing dot.
    pub name: String,
    /// `A` or `AAAA`.
    pub record_type: String,
    /// `address:port` of the nameserver, with `/tcp` appended if it was asked over TCP.
    pub nameserver: String,
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` … as the nameserver answered; else `truncated` (asked again over
    /// TCP), `timeout`, `bad-reply` or the operating system's name of the error (`ECONNREFUSED`).
    pub outcome: String,
    /// How many addresses the answer held.
    pub answers: u16,
}

/// One TCP attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddressAttempt {
    /// The address that was tried.
    pub address: SocketAddr,
    /// The result.
    pub outcome: AddressOutcome,
    /// The operating system's name of the error (`ECONNREFUSED`), if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
    /// From the attempt's start to its outcome.
    pub took_ms: f64,
}

/// How a TCP attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AddressOutcome {
    /// The connection was made.
    Connected,
    /// Something at that address refused.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// No route leads there.
    Unreachable,
    /// Any other error of the operating system; see `errno`.
    Failed,
    /// Another address was faster.
    Abandoned,
}

/// What the TLS handshake showed, whether it succeeded or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The name for which the certificate had to be valid.
    pub server_name: String,
    /// `TLSv1_3`, `TLSv1_2`. `None`: no handshake was completed.
    pub version: Option<String>,
    /// As the peer presented it, leaf first. Also kept if it was refused.
    pub chain: Vec<Certificate>,
    /// The roots that the probe trusted: `compiled-in`, `AWS_CA_BUNDLE=/path` or `--ca-bundle=/path`, with `+SSL_CERT_FILE=/path` appended
    /// for each addition.
    pub roots: String,
    /// What the process of `--target-pid` trusts, and whether it accepts the same chain. Nothing was sent because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_target: Option<TargetTrust>,
}

/// The roots of the judged process, compared with the chain that the probe met.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetTrust {
    /// In the form of `roots`, from the variables of that process.
    pub roots: String,
    /// Whether the chain ends in them.
    pub accepts: bool,
}

/// The fields of one presented certificate that a reader needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// RFC 4514 text.
    pub subject: String,
    /// RFC 4514 text.
    pub issuer: String,
    /// DNS names and addresses of the subject alternative name extension.
    pub names: Vec<String>,
    /// In seconds since the epoch.
    pub not_before: i64,
    /// In seconds since the epoch.
    pub not_after: i64,
    /// SHA-1 of the DER, 40 hex digits: what IAM calls a thumbprint.
    pub sha1: String,
}

/// Why no whole answer arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The furthest phase that any address reached.
    pub phase: Phase,
    /// The kind of failure.
    pub kind: FailureKind,
    /// The peer of the attempt that got furthest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
    /// The operating system's name of the error (`ECONNRESET`), if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
    /// One line in plain words, with both sides if there are two. Contains nothing of request or answer.
    pub detail: String,
}

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Every nameserver failed, refused or was silent.
    NameserverFailed,
    /// NXDOMAIN for every name of the search order.
    NameNotFound,
    /// The name exists but has no address (NODATA).
    NameWithoutAddress,
    /// Something at that address refused.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// No route leads there.
    Unreachable,
    /// The chain does not end in a trusted root.
    TlsUnknownIssuer,
    /// The certificate is for other names.
    TlsWrongName,
    /// The certificate has expired.
    TlsExpired,
    /// The certificate is not valid yet.
    TlsNotYetValid,
    /// The peer sent an alert.
    TlsAlert,
    /// The peer does not speak TLS.
    TlsNotTls,
    /// Any other TLS failure; see `detail`.
    TlsOther,
    /// The proxy refused the tunnel or could not be reached; see `proxy_status`.
    ProxyRefused,
    /// Reset, end of file or truncation after connect.
    Broken,
    /// The answer is not HTTP, or header or body exceed the limits.
    NotHttp,
    /// The answer is larger than what is read.
    TooLong,
    /// The URL, a certificate bundle or the request itself cannot be used.
    Unusable,
}
