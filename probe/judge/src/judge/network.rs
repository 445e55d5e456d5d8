//! Judges the way to STS: name, connection, TLS, proxy, and answers that never came whole. Pure.

use super::facts::Facts;
use super::repair::{COREDNS, show_coredns};
use super::unseen;
use crate::catalog::{Class, Owner, Topic};
use crate::evidence::{AddressOutcome, Failure, FailureKind, Network, Phase, TargetTrust};
use crate::judge::finding::{Finding, Severity};
use crate::settings::command::{Tool, Word, words};
use crate::settings::partition;
use std::net::IpAddr;

pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let network = facts.evidence.network.as_ref()?;
    let Some(failure) = &network.failure else { return refused_by_target(facts, network) };
    if let Some(unseen) = unseen::on_the_way(facts, network, failure) {
        return Some(unseen);
    }
    if failure.kind == FailureKind::TlsUnknownIssuer
        && let Some(of_target) = of_target(network).filter(|of_target| of_target.accepts)
    {
        return Some(vouched_for_by_target(facts, network, of_target));
    }
    Some(searched(network, of_failure(facts, network, failure)))
}

fn of_target(network: &Network) -> Option<&TargetTrust> {
    network.tls.as_ref()?.of_target.as_ref()
}

/// The process's own roots are enough for its SDK, and not for its token in somebody else's hands.
fn vouched_for_by_target(facts: &Facts<'_>, network: &Network, of_target: &TargetTrust) -> Finding {
    let pid = facts.evidence.process.pid;
    let file = |root: &'_ str| {
        root.strip_prefix("AWS_CA_BUNDLE=").or_else(|| root.strip_prefix("SSL_CERT_FILE=")).map(str::to_owned)
    };
    let path = of_target.roots.split('+').find_map(file);
    let finding = Finding::new(
        Class::Inconclusive,
        format!(
            "only the process's own roots vouch for who answers as {}: its token is not sent there",
            host(network)
        ),
    )
    .transient(false)
    .presented(format!("a certificate that {} in the environment of pid {pid} admits", of_target.roots))
    .required(format!(
        "one issued under {}, by which credprobe sends a token",
        roots(network.tls.as_ref().map_or("", |tls| &tls.roots))
    ))
    .fix("# if that authority is to be trusted, a proxy of your own that inspects TLS, state it:");
    let again = |bundle: Word| {
        let target = Word::from(pid).after("--target-pid=");
        Tool::Credprobe.run(words!["check", target, bundle.after("--ca-bundle=")])
    };
    let in_target = |path: String| Word::from(pid).after("/proc/").before("/root").then(Word::path(&path));
    match path.and_then(|path| again(in_target(path))) {
        Some(command) => finding.fix(command),
        None => finding.fix_note(again("ca.pem".into()), "ca.pem holds that authority's certificate"),
    }
}

/// Of the SDKs that read `AWS_CA_BUNDLE`, which takes the place of all other roots.
fn refused_by_target(facts: &Facts<'_>, network: &Network) -> Option<Finding> {
    let of_target = of_target(network).filter(|it| !it.accepts && it.roots.starts_with("AWS_CA_BUNDLE="))?;
    let tls = network.tls.as_ref()?;
    let finding = Finding::new(
        Class::TlsFailed,
        format!("SDKs that read the process's AWS_CA_BUNDLE refuse the certificate of {}", host(network)),
    )
    .severity(Severity::Warning)
    .transient(false)
    .presented(format!(
        "a certificate issued by {}",
        tls.chain.last().map_or("nobody", |certificate| certificate.issuer.as_str())
    ))
    .required(format!("one that {} vouches for", of_target.roots))
    .fix("# put the authority that issues it into that bundle, or remove the variable:");
    Some(facts.unset_env(finding, &["AWS_CA_BUNDLE"]))
}

/// Every name with few dots goes to the search list first: a record or a wildcard there leads it elsewhere.
pub(super) fn searched(network: &Network, finding: Finding) -> Finding {
    let Some(resolution) = &network.resolution else { return finding };
    let Some(found_as) = &resolution.found_as else { return finding };
    let as_written = match resolution.as_written.as_slice() {
        [] => "no address that came in time".to_owned(),
        addresses => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    finding.fix(format!(
        "# the search list of resolv.conf (ndots:{}) made {found_as} of the name {}, which as it is written has {as_written}; remove that record, or set ndots to 1 in the pod's dnsConfig",
        resolution.ndots, resolution.name
    ))
}

fn of_failure(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    use FailureKind as Kind;
    match failure.kind {
        // Up to the tunnel it is the proxy that was to answer.
        Kind::TimedOut if network.proxy.is_some() && failure.phase <= Phase::Connect => {
            proxy_failed(facts, network, failure)
        }
        Kind::NameserverFailed => dns_failed(facts, network, failure),
        Kind::TimedOut if failure.phase == Phase::Resolve => dns_failed(facts, network, failure),
        // Where the cluster's own name does not resolve either, what DNS says of another is worth nothing.
        Kind::NameNotFound | Kind::NameWithoutAddress if control_fails(facts) => {
            dns_failed(facts, network, failure)
        }
        Kind::NameNotFound | Kind::NameWithoutAddress => name_not_found(facts, network, failure),
        Kind::Refused => refused(facts, network, failure),
        Kind::TimedOut if failure.phase == Phase::Connect => connect_timeout(facts, network, failure),
        Kind::TimedOut => response_timeout(facts, network, failure),
        Kind::Unreachable => unreachable(facts, network, failure),
        Kind::TlsUnknownIssuer
        | Kind::TlsWrongName
        | Kind::TlsExpired
        | Kind::TlsNotYetValid
        | Kind::TlsAlert
        | Kind::TlsNotTls
        | Kind::TlsOther => tls_failed(facts, network, failure),
        Kind::ProxyRefused => proxy_failed(facts, network, failure),
        Kind::Broken => broken(facts, network, failure),
        Kind::NotHttp | Kind::TooLong => not_sts(facts, network, failure),
        Kind::Unusable => unusable(facts, network, failure),
    }
}

fn host(network: &Network) -> &str {
    partition::host_of(&network.endpoint).unwrap_or(&network.endpoint)
}

fn control_fails(facts: &Facts<'_>) -> bool {
    facts.evidence.control_name.as_ref().is_some_and(|control| control.failure.is_some())
}

fn dns_failed(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let resolution = network.resolution.as_ref();
    let nameservers = resolution.map(|resolution| resolution.nameservers.join(", ")).unwrap_or_default();
    let finding = Finding::new(
        Class::DnsFailed,
        format!("the name {} could not be resolved: {}", host(network), failure.detail),
    )
    .presented(format!("{} asked of {nameservers}", host(network)))
    .required("an answer of the cluster's DNS")
    .confirm("kubectl -n kube-system get pods -l k8s-app=kube-dns");
    match &facts.evidence.control_name {
        Some(control) if control.failure.is_none() => finding
            .ruled_out(format!(
                "the cluster's DNS as such: {} resolves, so what is behind it fails",
                control.name
            ))
            .fix_note(Some(COREDNS), "does its forward point to a nameserver that works?"),
        Some(control) => finding
            .ruled_out(format!("a wrong host name: {} does not resolve either", control.name))
            .show_dns_logs(),
        None => finding.show_dns_logs(),
    }
}

impl Finding {
    fn show_dns_logs(self) -> Self {
        self.fix_note(
            Some("kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50"),
            "no line of this pod's question: a NetworkPolicy or a security group keeps it from CoreDNS",
        )
        .fix("# let port 53, UDP and TCP, pass from this pod to CoreDNS: in a NetworkPolicy of the namespace, and in the security groups, on Fargate and with security groups for pods the pod's own, of the nodes that run CoreDNS")
    }
}

fn name_not_found(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let region = facts.route.region.as_ref();
    let by = match (&facts.route.endpoint, region) {
        (Ok(endpoint), _) if endpoint.configured_by.is_some() => {
            endpoint.configured_by.unwrap_or_default().to_owned()
        }
        (_, Some(region)) => format!("{}={}", region.source, region.value),
        _ => "the endpoint".to_owned(),
    };
    let finding =
        Finding::new(Class::NameNotFound, format!("there is no host {}: {}", host(network), failure.detail))
            .presented(format!("{} (from {by})", host(network)))
            .required("the name of an STS endpoint that DNS knows")
            .ruled_out(match &facts.evidence.control_name {
                Some(control) => format!("the cluster's DNS: {} resolves", control.name),
                None => "a nameserver that fails: it says clearly that there is no such name".to_owned(),
            });
    let configured = facts.route.endpoint.as_ref().is_ok_and(|endpoint| endpoint.configured_by.is_some());
    let by_pod = network.proxy.is_none() && (configured || facts.chose_wrong_host());
    let finding = if by_pod { finding.owner(Owner::Pod) } else { finding };
    let of_issuer = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    match (&facts.route.endpoint, region, of_issuer) {
        (Ok(endpoint), ..) if endpoint.configured_by.is_some() => {
            facts.remove_interception(finding, host(network))
        }
        (_, Some(region), Some(of_issuer)) if region.value != of_issuer => facts.set_region(
            finding.fix(format!("# correct {by}: the cluster's region is {of_issuer}")),
            of_issuer,
        ),
        _ => facts.create_interface_endpoint(show_coredns(finding)),
    }
}

/// What kind of address the peer has: it decides whom to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Loopback,
    /// RFC 1918, RFC 6598, RFC 4193: an interface endpoint in the VPC.
    Private,
    Public,
}

fn reach(network: &Network) -> Reach {
    let address = network.addresses.first().map(|attempt| attempt.address.ip());
    match address {
        Some(ip) if ip.is_loopback() => Reach::Loopback,
        Some(ip) if is_private(ip) => Reach::Private,
        _ => Reach::Public,
    }
}

/// Loopback, link-local, RFC 1918, RFC 6598 and RFC 4193: nobody outside reaches it.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        _ if address.is_loopback() => true,
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_link_local() || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

fn addresses(network: &Network) -> String {
    let tried = network.addresses.iter().filter(|attempt| attempt.outcome != AddressOutcome::Abandoned);
    let tried: Vec<String> = tried.map(|attempt| attempt.address.to_string()).collect();
    if tried.is_empty() { "no address".to_owned() } else { tried.join(", ") }
}

fn presented(network: &Network) -> String {
    match &network.proxy {
        Some(proxy) => format!("{} through the proxy {proxy} ({})", host(network), addresses(network)),
        None => format!("{} ({})", host(network), addresses(network)),
    }
}

fn refused(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let finding = Finding::new(
        Class::ConnectRefused,
        format!("no connection to {}: {}", host(network), failure.detail),
    )
    .presented(presented(network))
    .required("a listener on that port");
    let finding = of_chosen(facts, network, finding);
    match reach(network) {
        Reach::Loopback => finding.fix("# a sidecar or a configured endpoint on loopback: start it before this container"),
        Reach::Private | Reach::Public => facts.bypass_mesh(
            finding.fix("# STS itself does not refuse: a mesh captures this container's traffic before its proxy runs, or a NetworkPolicy rejects it"),
        ),
    }
}

/// Who chose a wrong host acts: the pod, where its own variable leads there.
fn of_chosen(facts: &Facts<'_>, network: &Network, finding: Finding) -> Finding {
    if network.proxy.is_none() && facts.chose_wrong_host() { finding.owner(Owner::Pod) } else { finding }
}

fn connect_timeout(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let finding = Finding::new(
        Class::ConnectTimeout,
        format!("no answer from {}: {}", addresses(network), failure.detail),
    )
    .presented(presented(network));
    match reach(network) {
        Reach::Private => {
            let required = "port 443 open from the pods: the address is private, so this is an interface endpoint in the VPC, and its security group does not let them in";
            facts.open_security_group(finding.required(required), network)
        }
        Reach::Public => {
            let required = "egress to the internet on port 443 (the address is public), or an STS interface endpoint in the VPC";
            let advice = "# give the subnet a NAT gateway, or allow TCP 443 in NetworkPolicy and security group, or create the interface endpoint for STS:";
            facts.create_interface_endpoint(finding.required(required).fix(advice))
        }
        Reach::Loopback => {
            finding.required("a listener on loopback").fix("# start what listens there before this container")
        }
    }
}

fn unreachable(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let families: Vec<bool> = network.addresses.iter().map(|attempt| attempt.address.is_ipv6()).collect();
    let one_family = families.windows(2).all(|pair| pair[0] == pair[1]);
    let finding = Finding::new(
        Class::Unreachable,
        format!("there is no route to {}: {}", addresses(network), failure.detail),
    )
    .transient(!one_family)
    .presented(presented(network))
    .required("a route from this pod");
    let dual_stack = facts.evidence.environment.is_true("AWS_USE_DUALSTACK_ENDPOINT");
    match families.first() {
        Some(false) if one_family && !dual_stack => facts.create_interface_endpoint(facts.set_env(
            finding.fix("# a pod with IPv6 alone reaches IPv4 hosts only through NAT64; STS has IPv6 at its dual-stack endpoint:"),
            words!["AWS_USE_DUALSTACK_ENDPOINT=true"],
        )),
        Some(true) if one_family && dual_stack => facts.unset_env(
            finding.fix("# a pod with IPv4 alone does not reach IPv6 hosts:"),
            &["AWS_USE_DUALSTACK_ENDPOINT"],
        ),
        _ => facts.create_interface_endpoint(finding.fix("# give the subnet's route table a way there, or the VPC an endpoint of its own:")),
    }
}

fn response_timeout(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let during = if failure.phase == Phase::Tls { "the TLS handshake" } else { "the HTTP request" };
    let finding = Finding::new(Class::ResponseTimeout, format!("connected to {}, then silence during {during}: {}", host(network), failure.detail))
        .presented(presented(network))
        .required("an answer within the time allowed (--timeout)")
        .fix("# something on the way accepts connections and drops what they carry: a firewall, a proxy, a path with a smaller MTU");
    facts.remove_interception(finding, host(network))
}

fn tls_failed(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let tls = network.tls.clone().unwrap_or_default();
    let about_time = matches!(failure.kind, FailureKind::TlsExpired | FailureKind::TlsNotYetValid);
    let leaf = tls.chain.first();
    let presented = match leaf {
        Some(leaf) => format!("a certificate for {} issued by {}", leaf.names.join(", "), leaf.issuer),
        None => "no certificate".to_owned(),
    };
    let finding =
        Finding::new(Class::TlsFailed, format!("no TLS connection to {}: {}", host(network), failure.detail))
            .about_time(about_time)
            .presented(presented)
            .required(format!(
                "a certificate for {} that is valid now and issued under {}",
                tls.server_name,
                roots(&tls.roots)
            ));
    match failure.kind {
        FailureKind::TlsUnknownIssuer => trust_the_inspection(facts, finding
            .ruled_out("a wrong name or date: only the issuer is unknown")
            .fix("# if a proxy inspects TLS here, ask its owners for their CA; mount it into app and probe at /etc/tls-inspection/ca.pem:")),
        FailureKind::TlsWrongName => facts.remove_interception(
            of_chosen(facts, network, finding).fix("# another host answers than the name says: a rewrite in CoreDNS, a CNAME, a hosts entry, a proxy"),
            host(network),
        ),
        _ if about_time => finding.fix_note(Some("chronyc tracking"), "on the node: is its clock right? If it is, whoever runs this endpoint must renew the certificate"),
        _ => facts.remove_interception(
            finding.fix("# what answers on that address is not STS: a proxy, a mesh or a hosts entry is in between"),
            host(network),
        ),
    }
}

/// `AWS_CA_BUNDLE` is read by SDKs instead of their own roots, `SSL_CERT_FILE` by OpenSSL and Go.
fn trust_the_inspection(facts: &Facts<'_>, finding: Finding) -> Finding {
    let create = facts.namespace().and_then(|namespace| {
        let create = ["create", "configmap", "tls-inspection", "--from-file=ca.pem"].map(Word::from);
        Tool::Kubectl.run(&[words!["-n", Word::label(namespace)], &create].concat())
    });
    let finding =
        finding.fix_note(create, "ca.pem as its owners gave it, never as this connection presents it");
    facts.set_env(finding, words!["AWS_CA_BUNDLE=/etc/tls-inspection/ca.pem"])
}

fn roots(label: &str) -> String {
    match label {
        "" | "compiled-in" => "the public roots that are compiled in".to_owned(),
        other => other.to_owned(),
    }
}

fn proxy_failed(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let proxy = network.proxy.as_deref().unwrap_or("the proxy");
    // 403 and 407 are the proxy's policy, which waiting does not change.
    let refused = matches!(network.proxy_status, Some(403 | 407));
    let finding = Finding::new(
        Class::ProxyFailed,
        format!("the proxy {proxy} gave no tunnel to {}: {}", host(network), failure.detail),
    )
    .transient(!refused)
    .presented(presented(network))
    .required(format!("a tunnel to {}:443", host(network)))
    .fix(format!("# let the proxy pass CONNECT to {}:443, or pass it by:", host(network)));
    facts.add_no_proxy(finding, host(network))
}

fn broken(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let finding = Finding::new(
        Class::ConnectionBroken,
        format!("the connection to {} broke: {}", host(network), failure.detail),
    )
    .presented(presented(network))
    .required("a connection that lasts for one answer")
    .fix("# a firewall, mesh or proxy resets connections, or a sidecar was still starting");
    facts.remove_interception(finding, host(network))
}

fn not_sts(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let finding = Finding::new(
        Class::NotSts,
        format!("what answered at {} is not STS: {}", host(network), failure.detail),
    )
    .presented(presented(network))
    .required("an answer of STS");
    let finding = of_chosen(facts, network, finding)
        .fix("# a proxy, a mesh or a hosts entry leads this name elsewhere");
    facts.remove_interception(finding, host(network))
}

fn unusable(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let finding = Finding::new(
        Class::SettingsInvalid,
        format!("{} cannot be used: {}", network.endpoint, failure.detail),
    )
    .about(Topic::Host)
    .presented(presented(network))
    .required("an endpoint and a proxy that can be used")
    .fix("# correct the endpoint or the proxy in the container's env");
    facts.remove_interception(finding, host(network))
}
