//! The cluster's DNS server: it resolves STS, the issuer, the API server and the proxy, and fails or misleads where the
//! scenario says so. The codec is written by hand, unlike the probe's, which is a library: one question; A, AAAA, CNAME and SOA records.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    access::Service,
    policy::wildcard,
    record::DnsQuestion,
    scenario::{Dns, Family},
    sts::Endpoint,
    world::World,
};

/// The addresses to which names resolve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) sts: Ipv4Addr,
    pub(crate) sts_ipv6: Ipv6Addr,
    pub(crate) issuer: Ipv4Addr,
    pub(crate) api_server: Ipv4Addr,
    pub(crate) proxy: Ipv4Addr,
}

impl Addresses {
    /// The addresses of STS that DNS returns.
    pub(crate) fn sts_of(&self, families: &[Family]) -> Vec<IpAddr> {
        let all = [self.sts.into(), self.sts_ipv6.into()];
        all.into_iter().filter(|address| families.contains(&Family::of(*address))).collect()
    }
}

/// This name exists in every cluster. A missing answer for it means that DNS is down, not that a name is missing.
const CONTROL: &str = "kubernetes.default.svc.cluster.local";
/// The proxy's name.
const PROXY: &str = "proxy.corp.internal";
/// In a range for documentation (RFC 5737), so the pod has no route to it.
const ADDRESS_OF_NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Each address takes sixteen bytes of an answer of at most 65,535 bytes.
const MANY: usize = 4000;
/// More aliases in a row than any real name has.
const CHAIN_LIMIT: usize = 8;

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const AAAA: u16 = 28;
const IN: u16 = 1;
const HEADER: usize = 12;

const NO_ERROR: u8 = 0;
const FORM_ERR: u8 = 1;
const SERV_FAIL: u8 = 2;
const NX_DOMAIN: u8 = 3;

/// The answer to a query; `None` where the server stays silent.
pub(crate) fn answer(
    world: &World,
    addresses: Addresses,
    query: &[u8],
    over: &'static str,
) -> Option<Vec<u8>> {
    let Some(question) = Question::parse(query) else {
        // Without an id there is nothing to answer to.
        let id = query.get(..2)?;
        return Some([id, &[0x80, FORM_ERR], &[0; 8]].concat());
    };
    world.record.edit().dns_questions.push(DnsQuestion {
        name: question.name.clone(),
        kind: question.kind,
        over,
    });
    let mut aliases: Vec<&str> = Vec::new();
    loop {
        let name = aliases.last().copied().unwrap_or(&question.name);
        match rule(world, name) {
            Some(Dns::Silent) => return None,
            Some(Dns::SilentA) if question.kind == A => return None,
            Some(Dns::SilentAaaa) if question.kind == AAAA => return None,
            Some(Dns::Garbage) => return Some([question.id, &[0xff; 40]].concat()),
            Some(Dns::Forged) => {
                let mut forged = question.reply(NO_ERROR, &[], &[ADDRESS_OF_NOBODY]);
                forged[0] ^= 0xff;
                return Some(forged);
            }
            Some(Dns::Truncated) if over == "tcp" => return None,
            Some(Dns::Truncated | Dns::Many) if over == "udp" => {
                let mut truncated = question.reply(NO_ERROR, &[], &[]);
                truncated[2] |= 2;
                return Some(truncated);
            }
            Some(Dns::Truncated | Dns::Many) => {
                let many = vec![ADDRESS_OF_NOBODY; MANY];
                return Some(question.reply(NO_ERROR, &[], &many));
            }
            Some(Dns::Servfail) => return Some(question.reply(SERV_FAIL, &[], &[])),
            Some(Dns::Nxdomain) => return Some(question.reply(NX_DOMAIN, &aliases, &[])),
            Some(Dns::Cname(_)) if aliases.len() == CHAIN_LIMIT => {
                return Some(question.reply(SERV_FAIL, &[], &[]));
            }
            Some(Dns::Cname(target)) => aliases.push(target),
            Some(Dns::SilentA | Dns::SilentAaaa) | None => {
                let found = lookup(world, addresses, name);
                let code = if found.is_some() { NO_ERROR } else { NX_DOMAIN };
                return Some(question.reply(code, &aliases, &found.unwrap_or_default()));
            }
        }
    }
}

/// The rule for a name. A rule for the whole name wins over a pattern, and no pattern matches the control name.
fn rule<'a>(world: &'a World, name: &str) -> Option<&'a Dns> {
    let rules = &world.scenario.dns;
    let by_pattern = || rules.iter().find(|(pattern, _)| wildcard(pattern, name)).map(|(_, rule)| rule);
    rules.get(name).or_else(|| by_pattern().filter(|_| name != CONTROL))
}

/// The addresses of a name for a client whose DNS works, such as the proxy.
pub(crate) fn lookup(world: &World, addresses: Addresses, name: &str) -> Option<Vec<IpAddr>> {
    if name == CONTROL || name.ends_with(".eks.amazonaws.com") && !name.starts_with("oidc.") {
        Some(vec![addresses.api_server.into()])
    } else if name == PROXY {
        Some(vec![addresses.proxy.into()])
    } else if name == world.issuer.host() {
        Some(vec![addresses.issuer.into()])
    } else {
        let is_aws = Endpoint::of(name).is_some() || Service::of(name).is_some();
        is_aws.then(|| addresses.sts_of(&world.scenario.sts_families))
    }
}

#[derive(Debug, PartialEq)]
struct Question<'a> {
    id: &'a [u8],
    /// The name exactly as asked, because clients compare it.
    raw: &'a [u8],
    /// In lower case, without the final dot.
    name: String,
    kind: u16,
    recursion_desired: bool,
}

impl<'a> Question<'a> {
    fn parse(query: &'a [u8]) -> Option<Self> {
        let header = query.get(..HEADER)?;
        // Accept only a standard query with one question.
        if header[2] & 0xf8 != 0 || header[4..6] != [0, 1] {
            return None;
        }
        let mut labels = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*query.get(at)?);
            at += 1;
            match length {
                0 => break,
                1..=63 => labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase()),
                _ => return None,
            }
            at += length;
        }
        let kind = u16::from_be_bytes(query.get(at..at + 2)?.try_into().ok()?);
        let raw = query.get(HEADER..at + 4)?;
        let recursion_desired = header[2] & 1 == 1;
        Some(Self { id: &header[..2], raw, name: labels.join("."), kind, recursion_desired })
    }

    /// `aliases` lead from the question's name to the name that has the addresses.
    fn reply(&self, code: u8, aliases: &[&str], addresses: &[IpAddr]) -> Vec<u8> {
        let data = addresses.iter().filter_map(|address| match address {
            IpAddr::V4(address) if self.kind == A => Some(address.octets().to_vec()),
            IpAddr::V6(address) if self.kind == AAAA => Some(address.octets().to_vec()),
            _ => None,
        });
        let data: Vec<Vec<u8>> = data.collect();
        // Like CoreDNS, send the zone's SOA in negative answers and nothing in a failure.
        let negative = data.is_empty() && code != SERV_FAIL;
        // Flags: response, authoritative, recursion available.
        let flags = [0x84 | u8::from(self.recursion_desired), 0x80 | code];
        let answers = u16::try_from(aliases.len() + data.len()).unwrap_or_default().to_be_bytes();
        let counts = [0, 1, answers[0], answers[1], 0, u8::from(negative), 0, 0];
        let mut out = [self.id, &flags, &counts, self.raw].concat();
        // A compression pointer to the question's name.
        let mut owner = vec![0xc0, 0x0c];
        for alias in aliases {
            let target = encode(alias);
            out.extend_from_slice(&owner);
            record(&mut out, CNAME, &target);
            owner = target;
        }
        for data in &data {
            out.extend_from_slice(&owner);
            record(&mut out, self.kind, data);
        }
        if negative {
            out.push(0);
            // The root as server and mailbox; then serial, refresh, retry, expire and negative time to live.
            let numbers = [1_u32, 7200, 1800, 86_400, 30].map(u32::to_be_bytes).concat();
            record(&mut out, SOA, &[&[0, 0], numbers.as_slice()].concat());
        }
        out
    }
}

fn encode(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.') {
        out.push(u8::try_from(label.len()).unwrap_or_default());
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

/// Appends type, class, time to live and data of a record.
fn record(out: &mut Vec<u8>, kind: u16, data: &[u8]) {
    const TTL_SECONDS: u32 = 30;
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&IN.to_be_bytes());
    out.extend_from_slice(&TTL_SECONDS.to_be_bytes());
    out.extend_from_slice(&u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{issuer::Issuer, key::Key, registry::Registry, scenario::Scenario};

    const QUERY: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03STS\x01x\x03com\x00\x00\x01\x00\x01";
    const STS: Ipv4Addr = Ipv4Addr::new(10, 0, 12, 31);
    const ADDRESSES: Addresses = Addresses {
        sts: STS,
        sts_ipv6: Ipv6Addr::LOCALHOST,
        issuer: Ipv4Addr::new(10, 0, 14, 52),
        api_server: Ipv4Addr::new(10, 100, 0, 1),
        proxy: Ipv4Addr::new(10, 0, 9, 9),
    };

    fn query(name: &str, kind: u16) -> Vec<u8> {
        let header = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
        [&header[..], &encode(name), &kind.to_be_bytes(), &IN.to_be_bytes()].concat()
    }

    fn ask(scenario: &str, name: &str, kind: u16) -> Option<Vec<u8>> {
        let scenario = Scenario::parse("test", scenario).unwrap();
        let registry = Registry::of(&scenario).unwrap();
        let issuer = Issuer::new(Key::generate().unwrap(), None, scenario.issuer.clone());
        let world = World::new(scenario, registry, issuer);
        answer(&world, ADDRESSES, &query(name, kind), "udp")
    }

    /// Response code and number of answers.
    fn outcome(scenario: &str, name: &str, kind: u16) -> (u8, u8) {
        let reply = ask(scenario, name, kind).unwrap();
        (reply[3] & 0xf, reply[7])
    }

    #[test]
    fn a_question_is_read_in_lower_case_and_echoed_as_asked() {
        let question = Question::parse(QUERY).unwrap();
        assert_eq!((question.name.as_str(), question.kind), ("sts.x.com", A));
        let reply = question.reply(NO_ERROR, &[], &[STS.into()]);
        assert_eq!(reply[..4], [0x12, 0x34, 0x85, 0x80]);
        assert_eq!(reply[6..8], [0, 1]);
        assert_eq!(reply[12..QUERY.len()], QUERY[12..]);
        assert!(reply.ends_with(&[0, 4, 10, 0, 12, 31]));
    }

    #[test]
    fn a_name_that_does_not_exist_has_the_zone_behind_it() {
        let reply = Question::parse(QUERY).unwrap().reply(NX_DOMAIN, &[], &[]);
        assert_eq!(reply[3] & 0xf, NX_DOMAIN);
        assert_eq!(reply[8..10], [0, 1]);
    }

    #[test]
    fn each_family_has_the_addresses_that_the_scenario_gives_it() {
        let name = "sts.eu-west-1.amazonaws.com";
        assert_eq!((outcome("{}", name, A), outcome("{}", name, AAAA)), ((NO_ERROR, 1), (NO_ERROR, 0)));
        let only = r#"{"sts_families": ["ipv6"]}"#;
        assert_eq!((outcome(only, name, A), outcome(only, name, AAAA)), ((NO_ERROR, 0), (NO_ERROR, 1)));
        assert!(ask(only, name, AAAA).unwrap().ends_with(&Ipv6Addr::LOCALHOST.octets()));
        assert_eq!(outcome("{}", "proxy.corp.internal", A), (NO_ERROR, 1));
    }

    #[test]
    fn an_alias_is_followed_to_the_end_or_to_its_failure() {
        let name = "sts.eu-west-1.amazonaws.com";
        let to = |target: &str| format!(r#"{{"dns": {{"{name}": {{"cname": "{target}"}}}}}}"#);
        let endpoint = "vpce-0a1b.sts.eu-west-1.vpce.amazonaws.com";
        assert_eq!(outcome(&to(endpoint), name, A), (NO_ERROR, 2));
        assert!(ask(&to(endpoint), name, A).unwrap().ends_with(&STS.octets()));
        assert_eq!(outcome(&to("gone.example"), name, A), (NX_DOMAIN, 1));
        assert_eq!(outcome(&to(name), name, A), (SERV_FAIL, 0));
    }

    #[test]
    fn a_pattern_leaves_the_control_name_alone_and_its_own_name_does_not() {
        let all = r#"{"dns": {"*": "servfail"}}"#;
        assert_eq!(outcome(all, "sts.eu-west-1.amazonaws.com", A), (SERV_FAIL, 0));
        assert_eq!(outcome(all, CONTROL, A), (NO_ERROR, 1));
        let named = format!(r#"{{"dns": {{"{CONTROL}": "silent"}}}}"#);
        assert_eq!(ask(&named, CONTROL, A), None);
    }

    #[test]
    fn cut_or_strange_messages_are_no_question() {
        for length in 0..QUERY.len() {
            assert_eq!(Question::parse(&QUERY[..length]), None);
        }
        let mut pointer = QUERY.to_vec();
        pointer[12] = 0xc0;
        assert_eq!(Question::parse(&pointer), None);
    }
}
