//! Which faults there are, and what follows from each at each peer.
//! A fault of HTTP affects each of a peer's requests; a fault of the way to the peer strikes before the first request.

use super::cells::{Cell, Expected};
use serde_json::{Value, json};

/// One kind of question to a peer: which peer misbehaves, for which requests, and in which situation.
struct Column {
    name: &'static str,
    peer: &'static str,
    /// The text of the affected requests. Empty: all of them, and the way to the peer is disturbed too.
    on: &'static str,
    around: fn() -> Value,
    expected: fn(&str) -> Expected,
}

const COLUMNS: &[Column] = &[
    Column { name: "sts", peer: "sts", on: "", around: || json!({}), expected: sts },
    Column {
        name: "sts_identity",
        peer: "sts",
        on: "Action=GetCallerIdentity",
        around: || json!({}),
        expected: |_| Expected::Warned("identity-unconfirmed"),
    },
    Column { name: "agent", peer: "agent", on: "", around: pod_identity, expected: agent },
    Column {
        name: "agent_credentials",
        peer: "agent",
        on: "/v1/credentials",
        around: pod_identity,
        expected: agents_credentials,
    },
    Column {
        name: "agents_identity",
        peer: "sts",
        on: "",
        around: pod_identity,
        expected: |_| Expected::Warned("identity-unconfirmed"),
    },
    Column { name: "issuer", peer: "issuer", on: "", around: refused, expected: issuer },
    Column { name: "issuer_keys", peer: "issuer", on: "/keys ", around: refused, expected: issuer },
    Column {
        name: "api_server",
        peer: "api-server",
        on: "",
        around: refused_and_issuer_away,
        expected: |_| Expected::Class("token-rejected"),
    },
    Column {
        name: "api_server_keys",
        peer: "api-server",
        on: "/openid/v1/jwks",
        around: refused_and_issuer_away,
        expected: |_| Expected::Class("token-rejected"),
    },
    Column { name: "proxy", peer: "proxy", on: "", around: proxy, expected: |_| Expected::NoSecret },
    Column { name: "gate", peer: "api-server", on: "", around: || json!({"api_server": {}}), expected: gate },
];

fn proxy() -> Value {
    json!({
        "proxy": "works",
        "env": {"HTTPS_PROXY": "http://shop:let-me-pass-through-here@proxy.corp.internal:3128"},
    })
}

fn pod_identity() -> Value {
    json!({"mechanism": "pod-identity"})
}

/// The refusal that leaves the reason open.
fn refused() -> Value {
    json!({"accounts": [{"providers": []}]})
}

fn refused_and_issuer_away() -> Value {
    json!({"accounts": [{"providers": []}], "issuer": {"refuse": true}, "api_server": {}})
}

/// Faults before a request is read: of the port, and below TLS.
const BEFORE: &[&str] = &["refuse", "drop", "black-hole", "reset", "close"];
const TLS: &[&str] = &[
    "expired-certificate",
    "foreign-certificate",
    "wrong-name-certificate",
    "plain-http",
    "tls-drip",
    "tls-flood",
    "tls-empty-records",
];
const HTTP: &[&str] = &[
    "silence",
    "reset-after-request",
    "close-after-request",
    "header-drip",
    "header-cut",
    "header-flood",
    "header-endless",
    "status-line-endless",
    "interim-flood",
    "early-hints-flood",
    "interim-drip",
    "body-drip",
    "body-cut",
    "body-endless",
    "body-until-close",
    "body-huge",
    "chunk-huge",
    "chunk-overflow",
    "chunk-extension-endless",
    "trailer-flood",
    "not-http",
    "http2",
    "length-twice",
    "length-negative",
    "gzip-bomb",
    "gzip-passed-on",
    "deep-xml",
    "deep-json",
    "xml-entities",
    "html200",
    "html403",
    "html502",
    "status429",
    "status500",
    "status503",
    "redirect302",
    "redirect307",
];
/// Faults that repeat the request wherever an answer has room for it.
const ECHO: &[&str] = &[
    "echo-status",
    "echo-reason",
    "echo-headers",
    "echo-location",
    "echo-html",
    "echo-text",
    "echo-xml",
    "echo-xml-success",
    "echo-json",
    "echo-json-success",
];
/// Faults of the peer's name.
const DNS: &[&str] = &["nxdomain", "servfail", "silent", "garbage", "forged", "truncated", "many"];

pub(super) fn cells() -> Vec<Cell> {
    let mut cells: Vec<Cell> =
        COLUMNS.iter().flat_map(of_peer).chain(COLUMNS.iter().flat_map(of_name)).collect();
    for (name, scenario, class) in [
        ("sts::no-route", json!({"fault": "no-route"}), "unreachable"),
        ("sts::aaaa-swallowed", json!({"dns": {"*": "silent-aaaa"}}), "ready"),
        ("sts::a-swallowed", json!({"dns": {"*": "silent-a"}, "sts_families": ["ipv6"]}), "ready"),
        ("sts::many-hosts", json!({"hosts": many_hosts()}), "unreachable"),
        ("sts::many-search-domains", json!({"resolv_conf": many_search_domains()}), "ready"),
        // STS refuses the signed call for its time.
        ("sts::clock-an-hour-ahead", json!({"clock_offset_seconds": 3600}), "clock-skew"),
        // For STS the token is not valid yet, but STS does not say so.
        ("sts::clock-an-hour-behind", json!({"clock_offset_seconds": -3600}), "token-rejected"),
        (
            "agent::no-route",
            json!({"mechanism": "pod-identity", "agent": {"no_route": true}}),
            "agent-unreachable",
        ),
    ] {
        cells.push(Cell { name: name.to_owned(), scenario, expected: Expected::Class(class) });
    }
    cells
}

fn of_peer(column: &Column) -> impl Iterator<Item = Cell> {
    let all = column.on.is_empty();
    // The agent does not use TLS.
    let with_tls = all && column.peer != "agent";
    let before = BEFORE.iter().filter(move |_| all).chain(TLS.iter().filter(move |_| with_tls));
    // A fault of a proxy's tunnel is the same as a fault of the server behind it.
    let faults = before.chain(HTTP).filter(|_| column.peer != "proxy");
    faults.chain(ECHO).map(move |fault| {
        let mut scenario = (column.around)();
        scenario["hostile"] = json!({"peer": column.peer, "misdeed": fault, "on": column.on});
        let expected = if ECHO.contains(fault) && column.name != "gate" {
            Expected::NoSecret
        } else {
            (column.expected)(fault)
        };
        Cell { name: format!("{}::{fault}", column.name), scenario, expected }
    })
}

/// Addresses to which the pod has no route.
fn many_hosts() -> String {
    let line =
        |n: u32| format!("{} sts.eu-west-1.amazonaws.com\n", std::net::Ipv4Addr::from(0xc633_0000 + n));
    (0..10_000).map(line).collect()
}

fn many_search_domains() -> String {
    let domains: String = (0..50_000).map(|n| format!(" d{n}.test")).collect();
    format!("nameserver 10.100.0.10\noptions ndots:5\nsearch{domains}\n")
}

/// The agent and the API server have no names.
fn of_name(column: &Column) -> impl Iterator<Item = Cell> {
    let name = match column.peer {
        "sts" => "sts.*",
        _ => "oidc.*",
    };
    let has_one = column.on.is_empty() && ["sts", "issuer"].contains(&column.peer);
    DNS.iter().filter(move |_| has_one).map(move |fault| {
        let mut scenario = (column.around)();
        scenario["dns"] = json!({name: fault});
        let fault = format!("dns-{fault}");
        Cell { name: format!("{}::{fault}", column.name), scenario, expected: (column.expected)(&fault) }
    })
}

const TIMED_OUT: &[&str] = &["black-hole", "tls-drip", "silence", "header-drip", "interim-drip", "body-drip"];
const BROKEN: &[&str] =
    &["reset", "close", "reset-after-request", "close-after-request", "header-cut", "body-cut"];

fn sts(fault: &str) -> Expected {
    Expected::Class(match fault {
        "refuse" => "connect-refused",
        "drop" => "connect-timeout",
        "dns-nxdomain" => "name-not-found",
        "dns-many" => "unreachable",
        _ if fault.starts_with("dns-") => "dns-failed",
        _ if TIMED_OUT.contains(&fault) => "response-timeout",
        _ if BROKEN.contains(&fault) => "connection-broken",
        _ if TLS.contains(&fault) => "tls-failed",
        // In STS's own form; the entities are not expanded.
        "xml-entities" => "sts-unrecognized",
        _ => "not-sts",
    })
}

fn agent(fault: &str) -> Expected {
    let nobody = ["refuse", "drop"].contains(&fault) || TIMED_OUT.contains(&fault) || BROKEN.contains(&fault);
    Expected::Class(if nobody { "agent-unreachable" } else { "agent-not-agent" })
}

fn agents_credentials(fault: &str) -> Expected {
    match fault {
        "status429" => Expected::Class("agent-throttled"),
        "status500" | "status503" => Expected::Class("agent-failed"),
        _ => agent(fault),
    }
}

/// Silence is reported only after ten seconds. A success counts, whatever its body.
fn gate(fault: &str) -> Expected {
    let silent = fault == "drop" || TIMED_OUT.contains(&fault);
    let taken = [
        "html200",
        "echo-xml-success",
        "echo-json-success",
        "gzip-bomb",
        "gzip-passed-on",
        "deep-xml",
        "deep-json",
    ]
    .contains(&fault);
    Expected::Unmoved { told: !silent && !taken }
}

/// The issuer's documents are judged where they could be read. An issuer that is out of reach changes nothing.
fn issuer(fault: &str) -> Expected {
    if fault.starts_with("redirect") {
        return Expected::Class("issuer-unusable");
    }
    Expected::Class(match fault {
        "html200" | "html403" | "xml-entities" | "deep-xml" | "deep-json" | "gzip-bomb"
        | "gzip-passed-on" => "issuer-unusable",
        _ => "token-rejected",
    })
}
