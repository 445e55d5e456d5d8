//! A stub resolver: hosts, then the nameservers over UDP, TCP on truncation; every question and its outcome recorded.
//! Parsing of files and messages is `resolver_config`'s and `dns_message`'s.

use super::{
    dns_message::{DnsQuestion, Family, Reading},
    fault::{Fault, errno_name},
    record::Record,
    resolver_config::ResolverConfig,
};
use crate::evidence::{FailureKind, Resolution};
use domain::base::iana::Rcode;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    task::JoinSet,
    time::timeout,
};

/// The addresses of `host`, at least one.
///
/// The name is asked as written first; when nameservers say that it does not exist or has no address, the search
/// list follows, and addresses found there count, as for the C library.
///
/// # Errors
/// `NameNotFound`, `NameWithoutAddress`, `NameserverFailed`; `Unusable` when `host` can't be a domain name.
pub(super) async fn resolve(
    config: &Arc<ResolverConfig>,
    host: &str,
    record: &Record,
) -> Result<Vec<IpAddr>, Fault> {
    let known = config.known(host);
    let nameservers = config.nameservers.iter().map(SocketAddr::to_string);
    record.resolution(Resolution {
        name: host.to_owned(),
        from_hosts_file: known.as_ref().is_some_and(|(from_file, _)| *from_file),
        nameservers: nameservers.chain(config.skipped.iter().cloned()).collect(),
        search: config.search.clone(),
        ndots: config.ndots,
        ..Resolution::default()
    });
    let addresses = match known {
        Some((_, addresses)) => addresses,
        None => ask_in_order(config, host, record).await?,
    };
    record.resolved(&addresses);
    Ok(addresses)
}

/// What came of one name, the worst first: a nameserver that fails hides whether the name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nothing {
    Failed,
    NoAddress,
    NoName,
}

async fn ask_in_order(
    config: &Arc<ResolverConfig>,
    host: &str,
    record: &Record,
) -> Result<Vec<IpAddr>, Fault> {
    let mut worst = Nothing::NoName;
    for (index, name) in config.candidates(host).iter().enumerate() {
        let question = |family| DnsQuestion::new(name, family, random_id()?);
        let Some(questions) = question(Family::V4).zip(question(Family::V6)) else {
            if index == 0 {
                return Err(Fault::unusable(format!("`{host}` can't be a domain name")));
            }
            // Too long only with this search domain appended.
            continue;
        };
        match ask_both(config, name, questions, record).await {
            Ok(addresses) => return Ok(addresses),
            Err(nothing) => worst = worst.min(nothing),
        }
        // Nameservers that did not answer for the name itself won't for the others; the deadline is better spent.
        if worst == Nothing::Failed {
            break;
        }
    }
    Err(fault(worst, host, record))
}

/// A and AAAA at once, IPv6 first in the answer.
async fn ask_both(
    config: &Arc<ResolverConfig>,
    name: &str,
    (v4, v6): (DnsQuestion, DnsQuestion),
    record: &Record,
) -> Result<Vec<IpAddr>, Nothing> {
    let one_found = Arc::new(AtomicBool::new(false));
    let mut both = JoinSet::new();
    let mut spawn = |family, question| {
        let asker = Asker {
            config: Arc::clone(config),
            name: name.to_owned(),
            family,
            record: record.clone(),
            one_found: Arc::clone(&one_found),
        };
        both.spawn(async move { (family, asker.ask(&question).await) });
    };
    spawn(Family::V4, v4);
    if !config.no_aaaa {
        spawn(Family::V6, v6);
    }
    let mut addresses = Vec::new();
    let mut nothings = Vec::new();
    while let Some(finished) = both.join_next().await {
        match finished {
            Ok((Family::V6, Ok(found))) => drop(addresses.splice(0..0, found)),
            Ok((Family::V4, Ok(found))) => addresses.extend(found),
            Ok((_, Err(nothing))) => nothings.push(nothing),
            // A task that panicked found nothing out.
            Err(_) => nothings.push(Nothing::Failed),
        }
    }
    if addresses.is_empty() {
        Err(nothings.into_iter().min().unwrap_or(Nothing::Failed))
    } else {
        Ok(addresses)
    }
}

/// Puts one question to the nameservers until one answers it.
struct Asker {
    config: Arc<ResolverConfig>,
    name: String,
    family: Family,
    record: Record,
    /// The other family has addresses.
    one_found: Arc<AtomicBool>,
}

impl Asker {
    async fn ask(&self, question: &DnsQuestion) -> Result<Vec<IpAddr>, Nothing> {
        for _ in 0..self.config.attempts {
            for &nameserver in &self.config.nameservers {
                match self.ask_one(question, nameserver).await {
                    Some((Rcode::NOERROR, addresses)) if addresses.is_empty() => {
                        return Err(Nothing::NoAddress);
                    }
                    Some((Rcode::NOERROR, addresses)) => {
                        self.one_found.store(true, Ordering::Relaxed);
                        return Ok(addresses);
                    }
                    Some((Rcode::NXDOMAIN, _)) => return Err(Nothing::NoName),
                    // SERVFAIL, REFUSED, silence, an error of the system: the next one.
                    Some(_) | None => {}
                }
                // Firewalls exist that swallow AAAA questions only; the connection needs no second family.
                if self.one_found.load(Ordering::Relaxed) {
                    return Err(Nothing::Failed);
                }
            }
        }
        Err(Nothing::Failed)
    }

    /// `None`: no answer; the record says why.
    async fn ask_one(&self, question: &DnsQuestion, nameserver: SocketAddr) -> Option<(Rcode, Vec<IpAddr>)> {
        let message = question.message();
        if !self.config.tcp_only {
            match self.over(Transport::Udp, question, &message, nameserver).await {
                Some(Reading::Truncated) => {}
                Some(Reading::Answer { rcode, addresses }) => return Some((rcode, addresses)),
                _ => return None,
            }
        }
        match self.over(Transport::Tcp, question, &message, nameserver).await {
            Some(Reading::Answer { rcode, addresses }) => Some((rcode, addresses)),
            _ => None,
        }
    }

    async fn over(
        &self,
        transport: Transport,
        question: &DnsQuestion,
        message: &[u8],
        nameserver: SocketAddr,
    ) -> Option<Reading> {
        let shown = match transport {
            Transport::Udp => nameserver.to_string(),
            Transport::Tcp => format!("{nameserver}/tcp"),
        };
        let slot = self.record.question(&self.name, self.family.name(), shown);
        // Until the right answer comes, what came instead is worth more than `timeout`.
        let heard = || self.record.answered(slot, BAD_REPLY, 0);
        let reading = timeout(self.config.timeout, async {
            match transport {
                Transport::Udp => over_udp(question, message, nameserver, heard).await,
                Transport::Tcp => over_tcp(question, message, nameserver).await,
            }
        });
        let reading = reading.await.ok()?;
        let (outcome, answers) = match &reading {
            Ok(Reading::Answer { rcode, addresses }) => (rcode.to_string(), addresses.len()),
            Ok(Reading::Truncated) => ("truncated".to_owned(), 0),
            Ok(Reading::Garbage | Reading::NotForUs) => (BAD_REPLY.to_owned(), 0),
            Err(error) => (errno_name(error).unwrap_or_else(|| BAD_REPLY.to_owned()), 0),
        };
        self.record.answered(slot, &outcome, answers);
        reading.ok()
    }
}

#[derive(Clone, Copy)]
enum Transport {
    Udp,
    Tcp,
}

async fn over_udp(
    question: &DnsQuestion,
    message: &[u8],
    nameserver: SocketAddr,
    heard: impl Fn(),
) -> io::Result<Reading> {
    let any =
        if nameserver.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    // A new socket, and so a new random port, for each question: the second half of what a forger must guess.
    let socket = UdpSocket::bind((any, 0)).await?;
    // Connected: only the nameserver's datagrams arrive, and "port unreachable" becomes ECONNREFUSED at once.
    socket.connect(nameserver).await?;
    socket.send(message).await?;
    let mut datagram = [0; MAX_DATAGRAM];
    loop {
        let length = socket.recv(&mut datagram).await?;
        match question.read(datagram.get(..length).unwrap_or_default()) {
            Reading::NotForUs => heard(),
            reading => return Ok(reading),
        }
    }
}

async fn over_tcp(question: &DnsQuestion, message: &[u8], nameserver: SocketAddr) -> io::Result<Reading> {
    let mut stream = TcpStream::connect(nameserver).await?;
    // Length and message in one segment (RFC 7766 §8).
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(question.read(&answer))
}

/// From the generator of the TLS library: it asks the kernel directly and so works in a root without `/dev`.
fn random_id() -> Option<u16> {
    let mut bytes = [0; 2];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(u16::from_ne_bytes(bytes))
}

fn fault(nothing: Nothing, host: &str, record: &Record) -> Fault {
    let questions = record.questions();
    match nothing {
        Nothing::NoName => {
            let names = questions.iter().filter(|question| question.record_type == Family::V4.name()).count();
            let searched =
                if names > 1 { ", also not with the domains of the search list appended" } else { "" };
            Fault::new(FailureKind::NameNotFound, format!("`{host}` does not exist (NXDOMAIN){searched}"))
        }
        Nothing::NoAddress => {
            let detail = format!("`{host}` exists but has neither an IPv4 nor an IPv6 address");
            Fault::new(FailureKind::NameWithoutAddress, detail)
        }
        Nothing::Failed => {
            let mut said: Vec<String> = Vec::new();
            for question in
                questions.iter().filter(|question| !matches!(&*question.outcome, "NOERROR" | "NXDOMAIN"))
            {
                let line = format!("{} {}", question.nameserver, question.outcome);
                if !said.contains(&line) {
                    said.push(line);
                }
            }
            let detail = format!("no nameserver answered for `{host}`: {}", said.join(", "));
            Fault::new(FailureKind::NameserverFailed, detail)
        }
    }
}

/// Without EDNS a datagram has 512 bytes at most (RFC 1035 §4.2.1); some nameservers send more.
const MAX_DATAGRAM: usize = 4096;

const BAD_REPLY: &str = "bad-reply";
