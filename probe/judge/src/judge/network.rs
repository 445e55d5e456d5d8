//! Judges the way to STS: name, connection, TLS, proxy, and answers that never came whole. Pure.

use super::facts::Facts;
use super::unseen;
use crate::catalog::texts::{common, environment as of_environment, network as texts};
use crate::catalog::{Class, Owner, Restart, Topic};
use crate::evidence::{AddressOutcome, Failure, FailureKind, Network, Phase, TargetTrust};
use crate::judge::finding::{Finding, Severity};
use crate::sdks;
use crate::settings::command::Word;
use crate::settings::partition;
use crate::steps::slot;
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::text::plain;
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
    let finding = of_failure(facts, network, failure);
    Some(searched(network, beside_the_regional(facts, network, failure, finding)))
}

/// The global endpoint failed, and the pod's region has one of its own. Often a network lets that one alone through
/// (kubernetes-sigs/external-dns#1470, aws/containers-roadmap#586, aws-controllers-k8s/community#1040).
fn beside_the_regional(facts: &Facts<'_>, network: &Network, failure: &Failure, finding: Finding) -> Finding {
    use FailureKind as Kind;
    let by_name = match finding.class {
        Class::ConnectRefused
        | Class::ConnectTimeout
        | Class::Unreachable
        | Class::ResponseTimeout
        | Class::ConnectionBroken
        | Class::NameNotFound => true,
        Class::TlsFailed => {
            !matches!(failure.kind, Kind::TlsUnknownIssuer | Kind::TlsExpired | Kind::TlsNotYetValid)
        }
        _ => false,
    };
    let stated = facts
        .route
        .region
        .as_ref()
        .filter(|region| region.source != sdks::OWN_DEFAULT && region.value != partition::GLOBAL_REGION);
    let of_issuer = || partition::region_of_issuer(facts.token()?.iss.as_deref()?);
    let region = stated.map(|region| region.value.as_str()).or_else(of_issuer);
    let of_aws = |region: &&str| {
        partition::Partition::of_region(region).is_some_and(|partition| partition.id == "aws")
    };
    let url = region.filter(of_aws).and_then(|region| partition::sts_url(region, false, false).ok());
    let (Some(region), Some(url)) = (region, url) else { return finding };
    if !by_name || network.proxy.is_some() || host(network) != partition::GLOBAL_STS {
        return finding;
    }
    let configured_by = facts.route.endpoint.as_ref().ok().and_then(|endpoint| endpoint.configured_by);
    let (because, set) = match (configured_by, stated) {
        (Some(variable), _) => (
            format!("{variable} names it"),
            if variable.starts_with("AWS_") {
                common::GIVE_STS_ITS_ENDPOINT
            } else {
                common::CORRECT_SETTING
            },
        ),
        (None, Some(_)) => {
            ("AWS_STS_REGIONAL_ENDPOINTS is not regional".to_owned(), of_environment::SET_REGIONAL)
        }
        (None, None) => ("its SDK finds no region here".to_owned(), texts::SET_REGION_AND_REGIONAL),
    };
    let led = match failure.kind {
        Kind::TlsWrongName => {
            "It cannot be led to an interface endpoint, whose certificate has the regional name alone."
        }
        _ => "Many networks let the regional one alone through.",
    };
    let summary = match finding.class {
        Class::TlsFailed => finding.summary,
        _ => format!("{} fails, and the regional endpoint was not asked", partition::GLOBAL_STS),
    };
    let values = values(facts, network).with(slot::REGION, region, Word::region(region)).with(
        slot::ENDPOINT,
        &url,
        Word::url(&url),
    );
    Finding::new(finding.class, summary)
        .owner(Owner::Pod)
        .transient(finding.transient)
        .presented(finding.presented)
        .required(format!("the endpoint of {region}, {url}"))
        .why(format!(
            "{}: {}. The region is {region}, and the global endpoint is asked because {because}. {led}",
            plain(&presented(network)),
            detail_of(failure)
        ))
        .steps(&values, &[&texts::SEE_REGIONAL, &set.when("It answers"), &texts::OPEN_REGIONAL])
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
            "only process {pid} itself trusts {}, so no token was sent",
            host(network)
        ),
    )
    .transient(false)
    .presented(format!("a certificate that {} in the environment of pid {pid} admits", of_target.roots))
    .required(format!(
        "one issued under {}, by which credprobe sends a token",
        roots(network.tls.as_ref().map_or("", |tls| &tls.roots))
    ))
    .why(format!(
        "The certificate is good for the process itself, which trusts {}. credprobe sends a token only where its own roots vouch for the server.",
        plain(&of_target.roots)
    ));
    let values = facts.values().with(slot::PID, pid.to_string(), pid);
    let in_target = |path: String| Word::from(pid).after("/proc/").before("/root").then(Word::path(&path));
    let file = path.map_or_else(|| "ca.pem".into(), in_target);
    let name = file.text().unwrap_or("its bundle").to_owned();
    finding.steps(&values.with(slot::FILE, name, file), &[&texts::STATE_BUNDLE])
}

/// Of the SDKs that read `AWS_CA_BUNDLE`, which takes the place of all other roots.
fn refused_by_target(facts: &Facts<'_>, network: &Network) -> Option<Finding> {
    let of_target = of_target(network).filter(|it| !it.accepts && it.roots.starts_with("AWS_CA_BUNDLE="))?;
    let tls = network.tls.as_ref()?;
    let finding = Finding::new(
        Class::TlsFailed,
        format!("SDKs that read AWS_CA_BUNDLE refuse the certificate of {}", host(network)),
    )
    .severity(Severity::Warning)
    .transient(false)
    .presented(format!(
        "a certificate issued by {}",
        tls.chain.last().map_or("nobody", |certificate| certificate.issuer.as_str())
    ))
    .required(format!("one that {} vouches for", of_target.roots))
    // SDKs read the bundle when the container starts.
    .restart(Restart::Container)
    .why(format!(
        "AWS_CA_BUNDLE takes the place of all other roots in the SDKs that read it. It does not vouch for the issuer of this certificate, {}.",
        tls.chain.last().map_or("nobody", |certificate| certificate.issuer.as_str())
    ));
    let values = facts.values().with(slot::VARIABLE, "AWS_CA_BUNDLE", "AWS_CA_BUNDLE");
    Some(finding.steps(&values, &[&texts::ADD_TO_BUNDLE, &texts::REMOVE_BUNDLE]))
}

/// Every name with few dots goes to the search list first: a record or a wildcard there leads it elsewhere.
pub(super) fn searched(network: &Network, finding: Finding) -> Finding {
    let Some(resolution) = &network.resolution else { return finding };
    let Some(found_as) = &resolution.found_as else { return finding };
    let as_written = match resolution.as_written.as_slice() {
        [] => "no address that came in time".to_owned(),
        addresses => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let (found, why) = (found_as, finding.why.clone());
    let values = Values::default().with_text(slot::VALUE, found);
    finding
        .why(format!(
            "{why} The search list of resolv.conf, with ndots {}, made {found} of {}, which as it is written has {as_written}.",
            resolution.ndots, resolution.name
        ).trim_start().to_owned())
        .steps(&values, &[&texts::REMOVE_RECORD])
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

/// What failed, without how much of the attempt's time was left then, which differs each time.
fn detail_of(failure: &Failure) -> String {
    let detail = failure.detail.split("; the attempt's time was up").next().unwrap_or_default();
    let detail = detail
        .split_once(" (")
        .filter(|(_, rest)| rest.ends_with(" outstanding)"))
        .map_or(detail, |(said, _)| said);
    plain(detail)
}

fn host(network: &Network) -> &str {
    partition::host_of(&network.endpoint).unwrap_or(&network.endpoint)
}

fn control_fails(facts: &Facts<'_>) -> bool {
    facts.evidence.control_name.as_ref().is_some_and(|control| control.failure.is_some())
}

/// The values of this run with those of the way to this host.
fn values(facts: &Facts<'_>, network: &Network) -> Values {
    let host = host(network);
    let mut values = facts.values_to(host);
    if let Some(address) = network.addresses.first().map(|attempt| attempt.address.ip()) {
        values = values.with(slot::ADDRESS, address.to_string(), address);
    }
    if let Some(proxy) = network.proxy.as_deref() {
        values = values.with_text(slot::PROXY, format!("the proxy {proxy}"));
    }
    values
}

fn dns_failed(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let resolution = network.resolution.as_ref();
    let nameservers = resolution.map(|resolution| resolution.nameservers.join(", ")).unwrap_or_default();
    let detail = detail_of(failure);
    let answered = failure.kind == FailureKind::NameserverFailed && !detail.contains("no answer");
    let summary = if answered {
        format!("the cluster’s DNS fails for {}", host(network))
    } else {
        format!("DNS gives no answer for {}", host(network))
    };
    let finding = Finding::new(Class::DnsFailed, summary)
        .presented(format!("{} asked of {nameservers}: {}", host(network), failure.detail))
        .required("an answer of the cluster's DNS");
    let values = values(facts, network);
    match &facts.evidence.control_name {
        Some(control) if control.failure.is_none() => finding
            .ruled_out(format!("the cluster's DNS as such: {} resolves", control.name))
            .why(format!(
                "The nameserver {nameservers} was asked: {detail}. It resolves {}, so the cluster’s DNS works and what stands behind it fails.",
                control.name
            ))
            .steps(&values, &[&texts::SEE_FORWARD, &texts::SEE_DNS_LOG, &texts::REPAIR_FORWARD]),
        control => {
            let also = control.as_ref().map_or_else(String::new, |control| {
                format!(" {} does not resolve either, so the name is not at fault.", control.name)
            });
            let ruled_out = control.as_ref().map(|control| {
                format!("a wrong host name: {} does not resolve either", control.name)
            });
            let finding = ruled_out.into_iter().fold(finding, Finding::ruled_out);
            let open = if answered { " It answers, so port 53 is open." } else { "" };
            let last = if answered { &texts::OPEN_FORWARD } else { &texts::OPEN_PORT_53 };
            finding.why(format!("The nameserver {nameservers} was asked: {detail}.{open}{also}")).steps(
                &values,
                &[&texts::SEE_DNS_PODS, &texts::SEE_DNS_LOG, &texts::DNS_PODS_FAIL, last],
            )
        }
    }
}

fn name_not_found(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let region = facts.route.region.as_ref();
    let configured_by = facts.route.endpoint.as_ref().ok().and_then(|endpoint| endpoint.configured_by);
    let by = match (configured_by, region) {
        (Some(variable), _) => variable.to_owned(),
        (None, Some(region)) => format!("{}={}", region.source, region.value),
        (None, None) => "the endpoint".to_owned(),
    };
    let host = host(network);
    let by_pod = network.proxy.is_none() && (configured_by.is_some() || facts.chose_wrong_host());
    let of_issuer = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    let wrong_region = region.zip(of_issuer).filter(|(region, of_issuer)| region.value != *of_issuer);
    let values = values(facts, network);
    let detail = detail_of(failure);
    let works = facts.evidence.control_name.as_ref().map_or_else(String::new, |control| {
        format!(" The cluster’s DNS works: it resolves {}.", control.name)
    });
    if let Some(url) = facts.missed_endpoint() {
        return without_partition(facts, network, failure, &url);
    }
    let (summary, why, values, steps): (_, _, _, Vec<Template>) = match (configured_by, wrong_region) {
        (Some(variable), _) => {
            let (values, steps) = facts.out_of_the_way(values);
            let every = if variable == "AWS_ENDPOINT_URL" {
                " It moves every AWS service there, STS as well."
            } else {
                ""
            };
            let why = format!("{variable} names this host: {detail}.{every}{works}");
            (format!("{variable} leads to {host}, which does not exist"), why, values, steps)
        }
        (None, Some((region, of_issuer))) => {
            let values = values.with(slot::REGION, of_issuer, Word::region(of_issuer));
            let why = format!(
                "{by} makes STS’s host {host}: {detail}. The token’s issuer is in {of_issuer}, so that is the cluster’s region.{works}"
            );
            (
                format!("{} leads to {host}, which does not exist", region.source),
                why,
                values,
                vec![common::SET_REGION],
            )
        }
        (None, None) => {
            let why = format!("{by} makes STS’s host {host}: {detail}.{works}");
            let steps = vec![common::SEE_COREDNS, texts::SEE_ZONES, texts::REPAIR_DNS];
            (format!("the cluster’s DNS says that {host} does not exist"), why, values, steps)
        }
    };
    let finding = Finding::new(Class::NameNotFound, summary);
    // Before the steps: what a variable's owner is told to restart hangs on it.
    let finding = if by_pod { finding.owner(Owner::Pod) } else { finding };
    finding
        .presented(format!("{host} (from {by})"))
        .required("the name of an STS endpoint that DNS knows")
        .ruled_out(match &facts.evidence.control_name {
            Some(control) => format!("the cluster's DNS: {} resolves", control.name),
            None => "a nameserver that fails: it says clearly that there is no such name".to_owned(),
        })
        .why(why)
        .steps(&values, &refs(&steps))
}

/// The SDK that is stated writes `amazonaws.com` behind each region (openobserve/openobserve#5530, aws/efs-utils#232).
fn without_partition(facts: &Facts<'_>, network: &Network, failure: &Failure, url: &str) -> Finding {
    let sdk = sdks::stated(&facts.evidence.environment);
    let unread = sdk.into_iter().flat_map(|sdk| sdk.unread.iter().copied().flatten());
    let reads = !unread.copied().any(|name| name == "AWS_ENDPOINT_URL_STS");
    let name = sdk.map_or_else(|| "the SDK".to_owned(), |sdk| sdks::names(&[sdk]));
    let values =
        values(facts, network).with_text(slot::VALUE, &name).with(slot::ENDPOINT, url, Word::url(url));
    let of_region = partition::host_of(url).unwrap_or(url);
    Finding::new(Class::NameNotFound, format!("{name} calls {}, which does not exist", host(network)))
        .owner(Owner::Pod)
        .restart(Restart::Pod)
        .presented(host(network))
        .required(of_region)
        .ruled_out("the cluster's DNS: this name does not exist anywhere")
        .why(format!(
            "{name} knows no partitions and makes this host of each region: {}. STS of this region is at {of_region}.",
            detail_of(failure)
        ))
        .steps(
            &values,
            &[
                &texts::SEE_REGIONAL,
                &texts::USE_NEWER,
                &if reads { common::GIVE_STS_ITS_ENDPOINT.when("There is none") } else { texts::SET_IN_CODE },
            ],
        )
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

/// The same in a sentence, without ports and brackets.
fn said(network: &Network) -> String {
    let tried = network.addresses.iter().filter(|attempt| attempt.outcome != AddressOutcome::Abandoned);
    let tried: Vec<String> = tried.map(|attempt| attempt.address.ip().to_string()).collect();
    if tried.is_empty() { "no address".to_owned() } else { tried.join(", ") }
}

fn presented(network: &Network) -> String {
    match &network.proxy {
        Some(proxy) => format!("{} through the proxy {proxy} ({})", host(network), addresses(network)),
        None => format!("{} ({})", host(network), addresses(network)),
    }
}

fn refused(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let values = values(facts, network);
    let finding = Finding::new(
        Class::ConnectRefused,
        format!("{} refuses the connection to {}", said(network), host(network)),
    )
    .presented(presented(network))
    .required("a listener on that port");
    let finding = of_chosen(facts, network, finding);
    let detail = detail_of(failure);
    match reach(network) {
        Reach::Private | Reach::Public if facts.leads_to_another_server() => {
            of_another_server(finding, &values, &detail)
        }
        Reach::Loopback => finding
            .why(format!("{detail}. The address is this pod’s own, so a sidecar or a configured endpoint is meant, and it does not run yet."))
            .steps(&values, &[&texts::SEE_CONTAINERS, &texts::START_LISTENER]),
        Reach::Private | Reach::Public => finding
            .why(format!(
                "{detail}. STS itself does not refuse: most likely a mesh captures this container’s traffic before its proxy runs, or a network policy rejects it."
            ))
            .steps(
                &values,
                &[&texts::SEE_CONTAINERS, &common::SEE_NETWORK_POLICIES, &common::ALLOW_IN_MESH, &texts::ALLOW_443],
            ),
    }
}

/// Behind an endpoint that is none of AWS's nothing is known of VPC endpoints, and the server itself may be down.
fn of_another_server(finding: Finding, values: &Values, detail: &str) -> Finding {
    finding
        .why(format!(
            "{detail}. Either the server does not run, or a network policy or a mesh is in the way."
        ))
        .steps(
            values,
            &[&common::SEE_NETWORK_POLICIES, &texts::ALLOW_443, &common::ALLOW_IN_MESH, &texts::START_SERVER],
        )
}

/// Who chose a wrong host acts: the pod, where its own variable leads there.
fn of_chosen(facts: &Facts<'_>, network: &Network, finding: Finding) -> Finding {
    if network.proxy.is_none() && facts.chose_wrong_host() { finding.owner(Owner::Pod) } else { finding }
}

fn connect_timeout(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let (host, addresses) = (host(network), said(network));
    let by_ipv6 = network.addresses.first().is_some_and(|attempt| attempt.address.is_ipv6());
    let values = values(facts, network);
    let detail = detail_of(failure);
    let finding =
        |summary: String| Finding::new(Class::ConnectTimeout, summary).presented(presented(network));
    match reach(network) {
        Reach::Private | Reach::Public if facts.leads_to_another_server() => {
            let finding = finding(format!("{host} at {addresses} does not answer"));
            let finding = finding.required("a listener on that port");
            of_another_server(of_chosen(facts, network, finding), &values, &detail)
        }
        Reach::Private => finding(format!("most likely the endpoint at {addresses} does not let this pod in"))
            .required("port 443 open from the pods: the address is private, so this is an interface endpoint in the VPC, and its security group does not let them in")
            .why(format!("{}. The address is private, so it is an interface endpoint in the VPC. A network policy would look the same.", detail))
            .steps(&values, &[&texts::SEE_ADDRESS, &texts::SEE_RULES, &common::SEE_NETWORK_POLICIES, &texts::ADMIT_PODS]),
        Reach::Public => finding(format!("this pod has no way out to {host} at {addresses}"))
            .required("egress to the internet on port 443 (the address is public), or an STS interface endpoint in the VPC")
            .why(format!("{}. The address is public, so the subnet needs {} or the VPC an interface endpoint, and no rule may block port 443.", detail, if by_ipv6 { "an egress-only internet gateway" } else { "a NAT gateway" }))
            .steps(&values, &[
                &common::SEE_NETWORK_POLICIES,
                &texts::SEE_STS_ENDPOINTS,
                &texts::ALLOW_EGRESS,
                if by_ipv6 { &texts::GIVE_EGRESS_IPV6 } else { &texts::GIVE_EGRESS },
            ]),
        Reach::Loopback => finding(format!("nothing answers at {addresses}, where STS is configured"))
            .required("a listener on loopback")
            .why(format!("{detail}. The address is this pod’s own."))
            .steps(&values, &[&texts::SEE_CONTAINERS, &texts::START_LISTENER]),
    }
}

fn unreachable(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let families: Vec<bool> = network.addresses.iter().map(|attempt| attempt.address.is_ipv6()).collect();
    let one_family = families.windows(2).all(|pair| pair[0] == pair[1]);
    let dual_stack = facts.evidence.environment.is_true("AWS_USE_DUALSTACK_ENDPOINT");
    let values = values(facts, network).with(
        slot::VARIABLE,
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
    );
    let detail = detail_of(failure);
    let (why, steps): (_, Vec<&Template>) = match families.first() {
        Some(false) if one_family && !dual_stack => (
            "STS has only IPv4 addresses there. A pod with IPv6 alone reaches them only through NAT64.",
            vec![&texts::SEE_POD_ADDRESSES, &texts::USE_DUAL_STACK, &texts::ADD_ROUTE_IF],
        ),
        Some(true) if one_family && dual_stack => (
            "AWS_USE_DUALSTACK_ENDPOINT leads to IPv6 addresses, which a pod with IPv4 alone does not reach.",
            vec![&texts::SEE_POD_ADDRESSES, &common::UNSET_VARIABLE],
        ),
        _ => (
            "No route of this pod leads there, or an egress rule rejects the packet.",
            vec![&texts::SEE_POD_ADDRESSES, &common::SEE_NETWORK_POLICIES, &texts::ADD_ROUTE],
        ),
    };
    Finding::new(Class::Unreachable, format!("this pod has no route to {}", said(network)))
        .transient(!one_family)
        .presented(presented(network))
        .required("a route from this pod")
        .why(format!("{}: {detail}. {why}", host(network)))
        .steps(&values, &steps)
}

fn response_timeout(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let summary = format!("{} accepts the connection, then sends nothing", host(network));
    Finding::new(Class::ResponseTimeout, summary)
        .presented(presented(network))
        .required("an answer within the time allowed (--timeout)")
        .why(format!(
            "{}: {}. Something on the way accepts connections and drops what they carry: a firewall, a proxy, or a path with a smaller MTU.",
            plain(&presented(network)),
            detail_of(failure)
        ))
        .in_between(facts, network, look_at_peer(network))
}

/// The connection was made, so no policy blocks it: what has the address holds it up.
fn look_at_peer(network: &Network) -> &'static [&'static Template] {
    match reach(network) {
        Reach::Private => &[&texts::SEE_ADDRESS, &texts::SEE_MESH_LOG, &texts::LET_PASS],
        Reach::Loopback | Reach::Public => &[&texts::SEE_MESH_LOG, &texts::LET_PASS],
    }
}

/// As [`Finding::steps`] takes them.
pub(super) fn refs(steps: &[Template]) -> Vec<&Template> {
    steps.iter().collect()
}

impl Finding {
    /// With the steps that take a configured endpoint or a proxy out of the way, else with these.
    fn in_between(self, facts: &Facts<'_>, network: &Network, otherwise: &[&'static Template]) -> Self {
        let (values, steps) = facts.out_of_the_way(values(facts, network));
        if steps.is_empty() { self.steps(&values, otherwise) } else { self.steps(&values, &refs(&steps)) }
    }
}

fn tls_failed(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let tls = network.tls.clone().unwrap_or_default();
    let about_time = matches!(failure.kind, FailureKind::TlsExpired | FailureKind::TlsNotYetValid);
    let leaf = tls.chain.first();
    let presented = match leaf {
        Some(leaf) => format!("a certificate for {} issued by {}", leaf.names.join(", "), leaf.issuer),
        None => "no certificate".to_owned(),
    };
    let (host, detail) = (host(network), detail_of(failure));
    let at = said(network);
    let said = format!("{host}, at {at}, shows {}: {detail}.", plain(&presented));
    let finding = |summary: String| {
        Finding::new(Class::TlsFailed, summary).about_time(about_time).presented(&presented).required(
            format!(
                "a certificate for {} that is valid now and issued under {}",
                tls.server_name,
                roots(&tls.roots)
            ),
        )
    };
    let values = values(facts, network);
    match failure.kind {
        FailureKind::TlsUnknownIssuer if own_authorities(host).is_some() => {
            let bundle =
                if tls.roots.contains("AWS_CA_BUNDLE") { &texts::EXTEND_BUNDLE } else { &texts::MOUNT_CA };
            finding(format!("{host} has a certificate of an authority that this container lacks"))
                .owner(Owner::Pod)
                .ruled_out("a wrong name or date: only the issuer is unknown")
                .why(format!(
                    "The certificate is issued by {}, and this container trusts {}. {} has authorities of its own, which public roots do not contain.",
                    plain(tls.chain.last().map_or("nobody", |last| last.issuer.as_str())),
                    roots(&tls.roots),
                    own_authorities(host).unwrap_or_default()
                ))
                .steps(
                    &values,
                    &[
                        &texts::SEE_SIGNER,
                        &bundle.when("It is in the bundle that AWS gives for this partition"),
                        &texts::ASK_WHOSE.when("It is not in it"),
                    ],
                )
        }
        FailureKind::TlsUnknownIssuer => {
            finding(format!("the certificate of {host} is signed by an unknown authority"))
                .ruled_out("a wrong name or date: only the issuer is unknown")
                .why(format!(
                    "{host}, at {at}, shows a certificate that is issued by {}. This container trusts {}, which lacks that authority. Most likely a proxy inspects TLS.",
                    plain(tls.chain.last().map_or("nobody", |last| last.issuer.as_str())),
                    roots(&tls.roots)
                ))
                .steps(
                    &values,
                    if tls.roots.contains("AWS_CA_BUNDLE") {
                        &[&texts::SEE_SIGNER, &texts::ASK_WHOSE, &texts::EXEMPT_HOST, &texts::EXTEND_BUNDLE]
                    } else {
                        &[&texts::SEE_SIGNER, &texts::ASK_WHOSE, &texts::EXEMPT_HOST, &texts::MOUNT_CA]
                    },
                )
        }
        FailureKind::TlsWrongName => of_chosen(
            facts,
            network,
            finding(format!("another host answers as {host}")).why(format!(
                "{said} A DNS rule, a private hosted zone, a hosts entry or a proxy leads this name elsewhere."
            )),
        )
        .in_between(facts, network, &[&common::SEE_COREDNS, &common::SEE_MESH, &texts::LEAD_BACK]),
        _ if about_time => finding(format!("the certificate of {host} is not valid at this time"))
            .why(format!("{said} Either this node’s clock is wrong, or the certificate is."))
            .steps(&values, &[&texts::SEE_CLOCK, &common::SET_CLOCK, &texts::RENEW_CERTIFICATE]),
        _ => finding(format!("{host} does not speak TLS as STS does"))
            .why(format!(
                "{said} What answers there is not STS: a proxy, a mesh or a hosts entry stands in between."
            ))
            .in_between(facts, network, &[&common::SEE_COREDNS, &texts::SEE_MESH_LOG, &texts::LEAD_BACK]),
    }
}

/// The isolated partition of this host: its services have certificates that are not of public authorities.
fn own_authorities(host: &str) -> Option<&'static str> {
    partition::Partition::of_host(host).map(|it| it.id).filter(|id| id.starts_with("aws-iso"))
}

fn roots(label: &str) -> String {
    match label {
        "" | "compiled-in" => "the public roots that are compiled in".to_owned(),
        other => other.to_owned(),
    }
}

/// Without scheme and credentials.
fn short_of(proxy: &str) -> String {
    let rest = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    host.trim_end_matches('/').to_owned()
}

fn proxy_failed(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let proxy = network.proxy.as_deref().unwrap_or("the proxy");
    // 403 and 407 are the proxy's policy, which waiting does not change.
    let refused = matches!(network.proxy_status, Some(403 | 407));
    let host = host(network);
    let summary = match network.proxy_status {
        Some(status) => format!("{} refuses {host}, HTTP {status}", short_of(proxy)),
        None => format!("{} gives no tunnel to {host}", short_of(proxy)),
    };
    Finding::new(Class::ProxyFailed, summary)
        .transient(!refused)
        .presented(presented(network))
        .required(format!("a tunnel to {host}:{}", partition::port_of(&network.endpoint)))
        .why(format!("{}. SDKs in this container use the same proxy.", detail_of(failure)))
        .steps(
            &values(facts, network),
            &[&texts::SEE_STS_ENDPOINTS, &texts::ALLOW_AT_PROXY, &texts::BYPASS_PROXY],
        )
}

fn broken(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    Finding::new(
        Class::ConnectionBroken,
        match failure.phase {
            Phase::Tls if reach(network) == Reach::Private => {
                format!("{} breaks the TLS handshake for {}", said(network), host(network))
            }
            Phase::Tls => format!("the TLS handshake with {} broke", host(network)),
            _ => format!("the connection to {} broke", host(network)),
        },
    )
    .presented(presented(network))
    .required("a connection that lasts for one answer")
    .why(format!(
        "{}: {}. A firewall, a mesh or a proxy resets connections.",
        plain(&presented(network)),
        detail_of(failure)
    ))
    .in_between(facts, network, look_at_peer(network))
}

fn not_sts(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    let finding = Finding::new(Class::NotSts, format!("what answers at {} is not STS", host(network)))
        .presented(presented(network))
        .required("an answer of STS")
        .why(format!(
            "{}: {}. A proxy, a mesh or a hosts entry leads this name elsewhere.",
            plain(&presented(network)),
            detail_of(failure)
        ));
    of_chosen(facts, network, finding).in_between(
        facts,
        network,
        &[&common::SEE_COREDNS, &common::SEE_MESH, &texts::ALLOW_AT_FILTER],
    )
}

fn unusable(facts: &Facts<'_>, network: &Network, failure: &Failure) -> Finding {
    Finding::new(Class::SettingsInvalid, format!("{} cannot be used", network.endpoint))
        .about(Topic::Host)
        .presented(presented(network))
        .required("an endpoint and a proxy that can be used")
        .why(format!("{}: {}.", plain(&presented(network)), detail_of(failure)))
        .in_between(facts, network, &[&common::SEE_VARIABLES, &texts::CORRECT_ENDPOINT])
}
