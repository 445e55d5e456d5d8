//! Encodes one DNS question and interprets a datagram as its answer (RFC 1035), with the codec of the crate `domain`.
//! Has no sockets: `resolve` sends and receives.

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
    /// The message is late, forged or for another question: keep waiting.
    NotForUs,
    /// The message has the question's id but cannot be parsed.
    Garbage,
    /// The answer is too long for a datagram: ask over TCP (RFC 1035 §4.2.1).
    Truncated,
    Answer {
        rcode: Rcode,
        addresses: Vec<IpAddr>,
    },
}

impl DnsQuestion {
    /// Makes a question. `None`: `name` is not a valid domain name (empty or over-long labels, RFC 1035 §2.3.4).
    ///
    /// `id` must be unpredictable: an off-path forger has to guess only it and the port of the socket.
    pub(super) fn new(name: &str, family: Family, id: u16) -> Option<Self> {
        // A backslash would start an escape sequence of master files, and host names have none.
        if name.contains('\\') {
            return None;
        }
        let name = Name::vec_from_str(name).ok().filter(|name| !name.is_root())?;
        Some(Self { name, record_type: family.record_type(), id })
    }

    /// The message: one question, with recursion desired. It has no EDNS; the C library sends none by default.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(self.id);
        builder.header_mut().set_rd(true);
        let mut question = builder.question();
        // A name has at most 255 bytes, so it always fits into a message.
        let _ = question.push((&self.name, self.record_type));
        question.finish()
    }

    /// Interprets `datagram`. Every A or AAAA record of the answer section counts. The recursive nameserver has followed the
    /// CNAMEs, and to check them again would only refuse answers that the C library accepts.
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
            // FORMERR, REFUSED and similar answers may come without the question.
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

/// The address family.
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

    /// The record type: `A` or `AAAA`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V4 => "A",
            Self::V6 => "AAAA",
        }
    }
}

/// An endpoint has a handful of addresses. A thousand would only be tried one after the other until the deadline.
const MAX_ADDRESSES: usize = 16;
