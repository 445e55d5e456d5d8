//! One DNS question as a message, and what a datagram says to it (RFC 1035), over the codec of the crate `domain`.
//! No sockets: `resolve` sends and receives.

use domain::{
    base::{Message, MessageBuilder, Name, Rtype, iana::Rcode},
    rdata::{A, Aaaa},
};
use std::net::IpAddr;

/// A question for the addresses of one name.
pub(super) struct DnsQuestion {
    name: Name<Vec<u8>>,
    record_type: Rtype,
    id: u16,
}

/// What a message from the nameserver means for the question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Late, forged or for somebody else: wait on.
    NotForUs,
    /// Carries the question's id and can't be understood.
    Garbage,
    /// Too long for a datagram: ask over TCP (RFC 1035 §4.2.1).
    Truncated,
    Answer {
        rcode: Rcode,
        addresses: Vec<IpAddr>,
    },
}

impl DnsQuestion {
    /// `None`: `name` can't be a domain name (empty or over-long labels, RFC 1035 §2.3.4).
    ///
    /// `id` must not be guessable: with the port of the socket it is all that an off-path forger has to guess.
    pub(super) fn new(name: &str, family: Family, id: u16) -> Option<Self> {
        // A backslash would begin an escape of master files, which a host name never holds.
        if name.contains('\\') {
            return None;
        }
        let name = Name::vec_from_str(name).ok().filter(|name| !name.is_root())?;
        Some(Self { name, record_type: family.record_type(), id })
    }

    /// The message: recursion desired, one question; no EDNS, as the C library sends by default.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(self.id);
        builder.header_mut().set_rd(true);
        let mut question = builder.question();
        // One name of 255 bytes at most always fits into a message.
        let _ = question.push((&self.name, self.record_type));
        question.finish()
    }

    /// What `datagram` says. Every A or AAAA record of the answer section counts: the recursive nameserver has followed
    /// the CNAMEs, and asking it to prove that would only refuse what the C library takes.
    pub(super) fn read(&self, datagram: &[u8]) -> Reading {
        let Ok(message) = Message::from_octets(datagram) else {
            return Reading::NotForUs;
        };
        let header = message.header();
        if header.id() != self.id || !header.qr() {
            return Reading::NotForUs;
        }
        match message.sole_question() {
            Ok(echo) if *echo.qname() == self.name && echo.qtype() == self.record_type => {}
            Ok(_) => return Reading::NotForUs,
            // FORMERR, REFUSED and the like may come without the question.
            Err(_) if header.rcode() != Rcode::NOERROR && message.header_counts().qdcount() == 0 => {}
            Err(_) => return Reading::Garbage,
        }
        if header.tc() {
            return Reading::Truncated;
        }
        match self.addresses(&message) {
            Some(addresses) => Reading::Answer { rcode: header.rcode(), addresses },
            None => Reading::Garbage,
        }
    }

    fn addresses(&self, message: &Message<&[u8]>) -> Option<Vec<IpAddr>> {
        let mut addresses = Vec::new();
        for record in message.answer().ok()? {
            let record = record.ok()?;
            if record.rtype() != self.record_type || addresses.len() == MAX_ADDRESSES {
                continue;
            }
            let address = if self.record_type == Rtype::A {
                IpAddr::V4(record.to_record::<A>().ok()??.data().addr())
            } else {
                IpAddr::V6(record.to_record::<Aaaa>().ok()??.data().addr())
            };
            addresses.push(address);
        }
        Some(addresses)
    }
}

/// Of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    fn record_type(self) -> Rtype {
        match self {
            Self::V4 => Rtype::A,
            Self::V6 => Rtype::AAAA,
        }
    }

    /// `A` or `AAAA`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V4 => "A",
            Self::V6 => "AAAA",
        }
    }
}

/// An endpoint has a handful; a thousand would only be tried one after the other until the deadline.
const MAX_ADDRESSES: usize = 16;
