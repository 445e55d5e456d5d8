//! A nameserver over UDP and TCP that treats each name as told.
//! `resolve` has the tests.

use domain::base::{MessageBuilder, Name, Rtype, iana::Rcode};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

/// How the test's nameserver treats a name.
#[derive(Clone)]
pub(super) enum Act {
    /// Answers with these addresses, after a CNAME if one is given.
    Has(Vec<&'static str>, Option<&'static str>),
    Says(Rcode),
    Silent,
    /// Truncates over UDP; answers with one address over TCP.
    Truncates,
    WrongIdFirst,
    WrongQuestionFirst,
    Raw(Vec<u8>),
    /// The answer section announces a record that is cut off.
    CutShort,
    /// Is silent for this record type. For the other one it has these addresses, or says NXDOMAIN if there are none.
    SilentOn(&'static str, Vec<&'static str>),
    /// Sends its IPv6 address 200 ms after its IPv4 address.
    LateOnAaaa(&'static str, &'static str),
}

/// A nameserver that says NXDOMAIN for every name outside `zone`.
pub(super) async fn nameserver(zone: &[(&'static str, Act)]) -> SocketAddr {
    let zone: HashMap<String, Act> =
        zone.iter().map(|(name, act)| ((*name).to_owned(), act.clone())).collect();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = std::sync::Arc::new(UdpSocket::bind(address).await.unwrap());
    let zone_has_late = zone.values().any(|act| matches!(act, Act::LateOnAaaa(..)));
    let udp_zone = zone.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let late = zone_has_late && buffer[..length].ends_with(&[0, 28, 0, 1]);
            for answer in answers(&udp_zone, &buffer[..length], false) {
                let udp = std::sync::Arc::clone(&udp);
                tokio::spawn(async move {
                    if late {
                        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    }
                    udp.send_to(&answer, peer).await.unwrap();
                });
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut query).await.unwrap();
            for answer in answers(&zone, &query, true) {
                stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        }
    });
    address
}

fn answers(zone: &HashMap<String, Act>, query: &[u8], tcp: bool) -> Vec<Vec<u8>> {
    let query = domain::base::Message::from_octets(query).unwrap();
    assert!(query.header().rd() && !query.header().qr());
    let question = query.sole_question().unwrap();
    let name = question.qname().to_string();
    let aaaa = question.qtype() == Rtype::AAAA;
    let build = |id: u16, name: &str, rcode: Rcode, addresses: &[&str], cname: Option<&str>| {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(id);
        builder.header_mut().set_qr(true);
        builder.header_mut().set_rcode(rcode);
        let mut section = builder.question();
        let name = Name::vec_from_str(name).unwrap();
        section.push((&name, question.qtype())).unwrap();
        let mut section = section.answer();
        let owner = cname.map_or_else(|| name.clone(), |cname| Name::vec_from_str(cname).unwrap());
        if cname.is_some() {
            section.push((&name, 60, domain::rdata::Cname::new(&owner))).unwrap();
        }
        for address in addresses {
            match address.parse().unwrap() {
                IpAddr::V4(v4) if !aaaa => section.push((&owner, 60, domain::rdata::A::new(v4))).unwrap(),
                IpAddr::V6(v6) if aaaa => section.push((&owner, 60, domain::rdata::Aaaa::new(v6))).unwrap(),
                _ => {}
            }
        }
        section.finish()
    };
    let id = query.header().id();
    match zone
        .get(&name.to_lowercase())
        .or_else(|| zone.get("*"))
        .cloned()
        .unwrap_or(Act::Says(Rcode::NXDOMAIN))
    {
        Act::Has(addresses, cname) => vec![build(id, &name, Rcode::NOERROR, &addresses, cname)],
        Act::Says(rcode) => vec![build(id, &name, rcode, &[], None)],
        Act::Silent => Vec::new(),
        Act::SilentOn(silent, _) if aaaa == (silent == "AAAA") => Vec::new(),
        Act::SilentOn(_, addresses) => {
            let rcode = if addresses.is_empty() { Rcode::NXDOMAIN } else { Rcode::NOERROR };
            vec![build(id, &name, rcode, &addresses, None)]
        }
        Act::LateOnAaaa(v4, v6) => vec![build(id, &name, Rcode::NOERROR, &[v4, v6], None)],
        Act::Truncates if tcp => vec![build(id, &name, Rcode::NOERROR, &["192.0.2.9"], None)],
        Act::Truncates => {
            let mut answer = build(id, &name, Rcode::NOERROR, &[], None);
            answer[2] |= 2;
            vec![answer]
        }
        Act::WrongIdFirst => vec![
            build(id.wrapping_add(1), &name, Rcode::NOERROR, &["203.0.113.66"], None),
            build(id, &name, Rcode::NOERROR, &["192.0.2.1"], None),
        ],
        Act::WrongQuestionFirst => vec![
            build(id, "evil.test", Rcode::NOERROR, &["203.0.113.66"], None),
            build(id, &name, Rcode::NOERROR, &["192.0.2.1"], None),
        ],
        Act::Raw(bytes) => vec![bytes],
        Act::CutShort => {
            let mut answer = build(id, &name, Rcode::NOERROR, &["192.0.2.1", "2001:db8::1"], None);
            answer.truncate(answer.len() - 3);
            vec![answer]
        }
    }
}
