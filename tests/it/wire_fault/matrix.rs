//! Which faults there are, and what comes of each at each peer.
//! A fault of HTTP strikes in each of a peer's requests; one of the way there, before the first.

use super::cells::{Cell, Expected};
use serde_json::{Value, json};

/// What is asked of a peer: whose misdeed it is, which requests meet it, and what is around.
struct Column {
    name: &'static str,
    peer: &'static str,
    /// Text of the requests that meet it; empty: all, and the way there is spoilt as well.
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

/// The refusal that leaves open why.
fn refused() -> Value {
    json!({"accounts": [{"providers": []}]})
}

fn refused_and_issuer_away() -> Value {
    json!({"accounts": [{"providers": []}], "issuer": {"refuse": true}, "api_server": {}})
}

/// Before a request is read: of the port, below TLS.
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
/// What was asked is said again, wherever an answer has room for it.
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
/// Of the peer's name.
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
        // The signed call is refused for its time.
        ("sts::clock-an-hour-ahead", json!({"clock_offset_seconds": 3600}), "clock-skew"),
        // For STS the token is not valid yet, which it does not say.
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
    // The agent speaks no TLS.
    let with_tls = all && column.peer != "agent";
    let before = BEFORE.iter().filter(move |_| all).chain(TLS.iter().filter(move |_| with_tls));
    // What a proxy does to a tunnel is its server's doing as well.
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

/// Without a route in the pod.
fn many_hosts() -> String {
    let line =
        |n: u32| format!("{} sts.eu-west-1.amazonaws.com\n", std::net::Ipv4Addr::from(0xc633_0000 + n));
    (0..10_000).map(line).collect()
}

fn many_search_domains() -> String {
    let domains: String = (0..50_000).map(|n| format!(" d{n}.test")).collect();
    format!("nameserver 10.100.0.10\noptions ndots:5\nsearch{domains}\n")
}

/// Agent and API server have no names.
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
        // In STS's own form, its entities as they stand.
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

/// Silence is told after ten seconds only; a success is one, whatever its body.
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

/// What is published is judged where it was read; an issuer out of reach changes nothing.
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
