//! What the wire saw on the way to one endpoint, phase by phase; nothing of request or answer.
//! Which class a failure is, the judge says.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// The way to one endpoint, as far as it went.
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
    /// The request went over a connection kept from an earlier one: nothing was resolved, connected or verified
    /// anew, so `resolution`, `addresses` and `tls` are empty and only the last two phases are timed.
    pub reused: bool,
    /// Of the proxy's name where there is a proxy (it resolves the endpoint's). `None` for an address literal.
    pub resolution: Option<Resolution>,
    /// Every address tried, in the order in which its attempt began.
    pub addresses: Vec<AddressAttempt>,
    /// `None`: plain HTTP, or TLS was not reached.
    pub tls: Option<Tls>,
    /// How long each phase took; a phase not reached is absent.
    pub phases_ms: PhasesMs,
    /// `None`: a whole HTTP answer arrived.
    pub failure: Option<Failure>,
}

/// The phases that dashboards know from blackbox_exporter, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PhasesMs {
    /// Name to addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve: Option<f64>,
    /// TCP, and the proxy's tunnel where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<f64>,
    /// The TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<f64>,
    /// From the request's first byte to the answer's header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing: Option<f64>,
    /// The answer's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<f64>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The name is looked up.
    Resolve,
    /// A connection is made.
    Connect,
    /// The peer proves who it is.
    Tls,
    /// The request is out, no byte of an answer is here.
    Processing,
    /// The answer is arriving.
    Transfer,
}

/// How a name became addresses, or did not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// The host asked for.
    pub name: String,
    /// `/etc/hosts` answered; no nameserver was asked.
    pub from_hosts_file: bool,
    /// `address:port` of the `nameserver` lines of `resolv.conf`, or the C library's default; a line that could
    /// not be used stands here as written, with the reason in parentheses.
    pub nameservers: Vec<String>,
    /// Its `search` list, at most 32 domains.
    pub search: Vec<String>,
    /// Its `ndots`.
    pub ndots: u8,
    /// Each question put to a nameserver, in order, with its outcome.
    pub questions: Vec<Question>,
    /// What came out, IPv4 and IPv6. A family whose question was not answered soon after the other's is missing here.
    pub addresses: Vec<IpAddr>,
    /// The full name that has these addresses, where the search list made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_as: Option<String>,
    /// Where the search list answered: what the name has as it is written, which the C library does not ask any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub as_written: Vec<IpAddr>,
}

/// A name that every cluster has: whether it resolves tells the cluster's DNS from the name asked for.
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
    /// The full name asked, without the trailing dot.
    pub name: String,
    /// `A` or `AAAA`.
    pub record_type: String,
    /// `address:port` of the nameserver, `/tcp` appended when it was asked over TCP.
    pub nameserver: String,
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` … as the nameserver said; else `truncated` (asked again over
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
    /// Whom the attempt went to.
    pub address: SocketAddr,
    /// What came of it.
    pub outcome: AddressOutcome,
    /// The operating system's name of the error (`ECONNREFUSED`), where there was one.
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
    /// The connection stands.
    Connected,
    /// Something at that address refused.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// No route leads there.
    Unreachable,
    /// Any other error of the operating system; see `errno`.
    Failed,
    /// Another address was quicker.
    Abandoned,
}

/// What the TLS handshake showed, whether it succeeded or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The name the certificate had to be valid for.
    pub server_name: String,
    /// `TLSv1_3`, `TLSv1_2`; `None`: no handshake came about.
    pub version: Option<String>,
    /// As the peer presented it, leaf first; also when it was refused.
    pub chain: Vec<Certificate>,
    /// What the probe trusted: `compiled-in`, `AWS_CA_BUNDLE=/path`, `--ca-bundle=/path`, with `+SSL_CERT_FILE=/path` appended for each addition.
    pub roots: String,
    /// What the process of `--target-pid` trusts, and whether that vouches for the same chain; nothing was sent because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_target: Option<TargetTrust>,
}

/// The roots of the process that is judged, held against the chain that the probe met.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetTrust {
    /// As `roots`, by the variables of that process.
    pub roots: String,
    /// Whether the chain ends in them.
    pub accepts: bool,
}

/// What a reader needs of one presented certificate.
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
    /// Seconds since the epoch.
    pub not_before: i64,
    /// Seconds since the epoch.
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
    /// What happened, as a value.
    pub kind: FailureKind,
    /// The peer of the attempt that got furthest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
    /// The operating system's name of the error (`ECONNRESET`), where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
    /// One line in plain words with both sides where there are two; nothing of the request or the answer.
    pub detail: String,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Every nameserver failed, refused or kept silent.
    NameserverFailed,
    /// NXDOMAIN for every name of the search order.
    NameNotFound,
    /// The name exists and has no address (NODATA).
    NameWithoutAddress,
    /// Something at that address refused.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// No route leads there.
    Unreachable,
    /// The chain ends in no trusted root.
    TlsUnknownIssuer,
    /// The certificate is for other names.
    TlsWrongName,
    /// Expired.
    TlsExpired,
    /// Not valid yet.
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
    /// Not HTTP, or header or body beyond the limits.
    NotHttp,
    /// The answer is larger than what is read of it.
    TooLong,
    /// The URL, a certificate bundle or the request itself cannot be used.
    Unusable,
}
