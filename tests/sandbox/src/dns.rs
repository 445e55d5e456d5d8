//! The cluster's DNS: knows STS, the issuer and the API server, and fails where the scenario says so.
//! Codec by hand: one question, A and SOA records; the probe's own codec is a library.

use std::net::Ipv4Addr;

use crate::{
    issuer::Issuer, policy::wildcard, record::DnsQuestion, scenario::DnsFault, sts::Endpoint, world::World,
};

/// Where names lead to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) sts: Ipv4Addr,
    pub(crate) issuer: Ipv4Addr,
    pub(crate) api_server: Ipv4Addr,
}

const A: u16 = 1;
const SOA: u16 = 6;
const IN: u16 = 1;
const HEADER: usize = 12;

const NO_ERROR: u8 = 0;
const FORM_ERR: u8 = 1;
const SERV_FAIL: u8 = 2;
const NX_DOMAIN: u8 = 3;

/// The answer to a datagram; `None` where there is to be silence.
pub(crate) fn answer(
    world: &World,
    addresses: Addresses,
    query: &[u8],
    over: &'static str,
) -> Option<Vec<u8>> {
    let Some(question) = Question::parse(query) else {
        // Not even an id to answer to.
        let id = query.get(..2)?;
        return Some([id, &[0x80, FORM_ERR], &[0; 8]].concat());
    };
    world.record.edit().dns_questions.push(DnsQuestion {
        name: question.name.clone(),
        kind: question.kind,
        over,
    });
    let fault = world.scenario.dns.iter().find(|(pattern, _)| wildcard(pattern, &question.name));
    match fault {
        Some((_, DnsFault::Silent)) => return None,
        Some((_, DnsFault::Servfail)) => return Some(question.reply(SERV_FAIL, None)),
        Some((_, DnsFault::Nxdomain)) => return Some(question.reply(NX_DOMAIN, None)),
        None => {}
    }
    Some(match lookup(addresses, &question.name) {
        None => question.reply(NX_DOMAIN, None),
        Some(address) => question.reply(NO_ERROR, Some(address).filter(|_| question.kind == A)),
    })
}

fn lookup(addresses: Addresses, name: &str) -> Option<Ipv4Addr> {
    if name == "kubernetes.default.svc.cluster.local" {
        Some(addresses.api_server)
    } else if name == Issuer::host() {
        Some(addresses.issuer)
    } else {
        Endpoint::of(name).map(|_| addresses.sts)
    }
}

#[derive(Debug, PartialEq)]
struct Question<'a> {
    id: &'a [u8],
    /// As asked: clients compare it.
    raw: &'a [u8],
    /// In lower case, without the last dot.
    name: String,
    kind: u16,
    recursion_desired: bool,
}

impl<'a> Question<'a> {
    fn parse(query: &'a [u8]) -> Option<Self> {
        let header = query.get(..HEADER)?;
        // A standard query with one question.
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

    fn reply(&self, code: u8, address: Option<Ipv4Addr>) -> Vec<u8> {
        // Negative answers carry the zone's SOA, as CoreDNS's do; a failure carries nothing.
        let negative = address.is_none() && code != SERV_FAIL;
        // Response and authoritative, recursion available.
        let flags = [0x84 | u8::from(self.recursion_desired), 0x80 | code];
        let counts = [0, 1, 0, u8::from(address.is_some()), 0, u8::from(negative), 0, 0];
        let mut out = [self.id, &flags, &counts, self.raw].concat();
        if let Some(address) = address {
            // A pointer to the question's name.
            out.extend_from_slice(&[0xc0, 0x0c]);
            record(&mut out, A, &address.octets());
        } else if negative {
            out.push(0);
            // Root as server and mailbox, then serial, refresh, retry, expire and negative time to live.
            let numbers = [1_u32, 7200, 1800, 86_400, 30].map(u32::to_be_bytes).concat();
            record(&mut out, SOA, &[&[0, 0], numbers.as_slice()].concat());
        }
        out
    }
}

/// Type, class, time to live and data.
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

    const QUERY: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03STS\x01x\x03com\x00\x00\x01\x00\x01";

    #[test]
    fn a_question_is_read_in_lower_case_and_echoed_as_asked() {
        let question = Question::parse(QUERY).unwrap();
        assert_eq!((question.name.as_str(), question.kind), ("sts.x.com", A));
        let reply = question.reply(NO_ERROR, Some(Ipv4Addr::new(10, 0, 12, 31)));
        assert_eq!(reply[..4], [0x12, 0x34, 0x85, 0x80]);
        assert_eq!(reply[6..8], [0, 1]);
        assert_eq!(reply[12..QUERY.len()], QUERY[12..]);
        assert!(reply.ends_with(&[0, 4, 10, 0, 12, 31]));
    }

    #[test]
    fn a_name_that_does_not_exist_has_the_zone_behind_it() {
        let reply = Question::parse(QUERY).unwrap().reply(NX_DOMAIN, None);
        assert_eq!(reply[3] & 0xf, NX_DOMAIN);
        assert_eq!(reply[8..10], [0, 1]);
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
