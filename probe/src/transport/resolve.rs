//! A stub resolver: the hosts file, then nameservers over UDP, and TCP after truncation. Records each question and its outcome.
//! `resolver_config` parses files and `dns_message` parses messages.

use super::dns_message::{DnsQuestion, Family, Reading};
use super::fault::{Fault, errno_name};
use super::record::Record;
use super::resolver_config::ResolverConfig;
use credprobe_judge::evidence::{FailureKind, Resolution};
use domain::base::iana::Rcode;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    task::JoinSet,
    time::timeout,
};

/// The addresses that a connection can begin with.
pub(super) struct Found {
    /// At least one.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) late: Late,
}

impl Found {
    /// Addresses that need no question.
    pub(super) fn known(addresses: Vec<IpAddr>) -> Self {
        Self { addresses, late: Late(JoinSet::new()) }
    }
}

/// The address family that has not answered yet. It is asked until this is dropped.
pub(super) struct Late(JoinSet<(Family, Result<Vec<IpAddr>, LookupError>)>);

impl Late {
    /// The next addresses; `None`: no more will come.
    pub(super) async fn next(&mut self) -> Option<Vec<IpAddr>> {
        loop {
            if let Ok((_, Ok(addresses))) = self.0.join_next().await? {
                return Some(addresses);
            }
        }
    }
}

/// The addresses of `host`.
///
/// Names are asked in the C library's order (`ResolverConfig::candidates`), and the first one with addresses counts.
/// If the search list made that name, the name as written is asked too, only for the record.
///
/// # Errors
/// `NameNotFound`, `NameWithoutAddress`, `NameserverFailed`; `Unusable` if `host` is not a valid domain name.
pub(super) async fn resolve(
    config: &Arc<ResolverConfig>,
    host: &str,
    record: &Record,
) -> Result<Found, Fault> {
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
    let found = match known {
        Some((_, addresses)) => Found::known(addresses),
        None => ask_in_order(config, host, record).await?,
    };
    record.resolved(&found.addresses);
    Ok(found)
}

/// Why a name has no addresses, worst first: a failing nameserver hides whether the name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LookupError {
    ServerFailure,
    /// All nameservers said SERVFAIL, perhaps only because of this name.
    ServerFailed,
    NoData,
    NxDomain,
}

async fn ask_in_order(config: &Arc<ResolverConfig>, host: &str, record: &Record) -> Result<Found, Fault> {
    let as_written = host.trim_end_matches('.');
    if questions(as_written).is_none() {
        return Err(Fault::unusable(format!("`{host}` can't be a domain name")));
    }
    let mut worst = LookupError::NxDomain;
    for name in config.candidates(host) {
        // Nameservers that did not answer one name will not answer the next. Only the name as written is worth the time.
        if worst == LookupError::ServerFailure && name != as_written {
            continue;
        }
        // The name is too long with this search domain, but maybe not with another.
        let Some(questions) = questions(&name) else { continue };
        match ask_both(config, &name, questions, record).await {
            Ok(found) => {
                if name != as_written {
                    record.searched(&name, addresses_as_written(config, as_written, record).await);
                }
                return Ok(found);
            }
            Err(nothing) => worst = worst.min(nothing),
        }
    }
    Err(fault(worst, host, record))
}

fn questions(name: &str) -> Option<(DnsQuestion, DnsQuestion)> {
    let question = |family| DnsQuestion::new(name, family, random_id()?);
    question(Family::V4).zip(question(Family::V6))
}

/// Tells whether the search list hides a name that exists. Does not wait for slow nameservers.
async fn addresses_as_written(config: &Arc<ResolverConfig>, name: &str, record: &Record) -> Vec<IpAddr> {
    // A name without a dot is meant for the search list.
    let Some(questions) = questions(name).filter(|_| name.contains('.')) else { return Vec::new() };
    let found = timeout(DIAGNOSIS, ask_both(config, name, questions, record)).await;
    found.ok().and_then(Result::ok).map(|found| found.addresses).unwrap_or_default()
}

/// Asks for A and AAAA at once and puts IPv6 addresses first. After one family has answered, it waits only a moment for the other
/// (RFC 8305 §3), because some firewalls drop AAAA questions.
async fn ask_both(
    config: &Arc<ResolverConfig>,
    name: &str,
    (v4, v6): (DnsQuestion, DnsQuestion),
    record: &Record,
) -> Result<Found, LookupError> {
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
    loop {
        // NXDOMAIN concerns the name, whatever type was asked for (RFC 8020 §2).
        let settled = !addresses.is_empty() || nothings.contains(&LookupError::NxDomain);
        let finished = if settled {
            timeout(RESOLUTION_DELAY, both.join_next()).await.ok().flatten()
        } else {
            both.join_next().await
        };
        match finished {
            Some(Ok((Family::V6, Ok(found)))) => drop(addresses.splice(0..0, found)),
            Some(Ok((Family::V4, Ok(found)))) => addresses.extend(found),
            Some(Ok((_, Err(nothing)))) => nothings.push(nothing),
            // A task that panicked found nothing.
            Some(Err(_)) => nothings.push(LookupError::ServerFailure),
            None => break,
        }
    }
    if addresses.is_empty() {
        Err(nothings.into_iter().min().unwrap_or(LookupError::ServerFailure))
    } else {
        Ok(Found { addresses, late: Late(both) })
    }
}

/// Asks one question of each nameserver until one answers.
struct Asker {
    config: Arc<ResolverConfig>,
    name: String,
    family: Family,
    record: Record,
    /// True once the other family has addresses.
    one_found: Arc<AtomicBool>,
}

impl Asker {
    async fn ask(&self, question: &DnsQuestion) -> Result<Vec<IpAddr>, LookupError> {
        let mut nothing = LookupError::ServerFailure;
        for _ in 0..self.config.attempts {
            for &nameserver in &self.config.nameservers {
                match self.ask_one(question, nameserver).await {
                    Some((Rcode::NOERROR, addresses)) if addresses.is_empty() => {
                        return Err(LookupError::NoData);
                    }
                    Some((Rcode::NOERROR, addresses)) => {
                        self.one_found.store(true, Ordering::Relaxed);
                        return Ok(addresses);
                    }
                    Some((Rcode::NXDOMAIN, _)) => return Err(LookupError::NxDomain),
                    // SERVFAIL, REFUSED, silence or a system error: ask the next nameserver.
                    Some((Rcode::SERVFAIL, _)) => nothing = LookupError::ServerFailed,
                    Some(_) | None => nothing = LookupError::ServerFailure,
                }
                // The connection attempt has begun without this family.
                if self.one_found.load(Ordering::Relaxed) {
                    return Err(nothing);
                }
            }
        }
        Err(nothing)
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
        let slot = self.record.question(&self.name, self.family.name(), shown)?;
        // Until the right answer arrives, record "bad reply", which tells more than a timeout.
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
    // A new socket has a new random port, the second number that a forger must guess.
    let socket = UdpSocket::bind((any, 0)).await?;
    // On a connected socket only the nameserver's datagrams arrive, and "port unreachable" becomes ECONNREFUSED at once.
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
    // Send length and message in one segment (RFC 7766 §8).
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(question.read(&answer))
}

/// A random id from the TLS library's generator, which asks the kernel and so works in a root without `/dev`.
fn random_id() -> Option<u16> {
    let mut bytes = [0; 2];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(u16::from_ne_bytes(bytes))
}

fn fault(nothing: LookupError, host: &str, record: &Record) -> Fault {
    let questions = record.questions();
    match nothing {
        LookupError::NxDomain => {
            let names = questions.iter().filter(|question| question.record_type == Family::V4.name()).count();
            let searched =
                if names > 1 { ", also not with the domains of the search list appended" } else { "" };
            Fault::new(FailureKind::NameNotFound, format!("`{host}` does not exist (NXDOMAIN){searched}"))
        }
        LookupError::NoData => {
            let detail = format!("`{host}` exists but has neither an IPv4 nor an IPv6 address");
            Fault::new(FailureKind::NameWithoutAddress, detail)
        }
        LookupError::ServerFailure | LookupError::ServerFailed => {
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

/// The Resolution Delay that RFC 8305 §3 recommends.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// A nameserver in the cluster answers within a few milliseconds.
const DIAGNOSIS: Duration = Duration::from_millis(250);

/// Without EDNS a datagram has at most 512 bytes (RFC 1035 §4.2.1), but some nameservers send more.
const MAX_DATAGRAM: usize = 4096;

const BAD_REPLY: &str = "bad-reply";
