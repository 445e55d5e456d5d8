//! Parses `/etc/hosts` and `/etc/resolv.conf` like the C library.
//! Pure: the caller reads the files, and `resolve` asks the nameservers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

/// How names become addresses: resolv.conf(5) and hosts(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverConfig {
    /// Asked in this order; at most three from `resolv.conf`. Tests and sandboxes set ports here.
    pub nameservers: Vec<SocketAddr>,
    /// Unusable `nameserver` lines, as written, with the reason in parentheses.
    pub skipped: Vec<String>,
    /// Domains appended in turn, without trailing dots; at most 32 are kept.
    pub search: Vec<String>,
    /// A name with fewer dots is looked up in `search` first.
    pub ndots: u8,
    /// How long one question waits for its answer.
    pub timeout: Duration,
    /// How often the whole list of nameservers is tried.
    pub attempts: u8,
    /// `options use-vc`: every question goes over TCP.
    pub tcp_only: bool,
    /// `options no-aaaa` (glibc 2.36): IPv6 addresses are not asked for.
    pub no_aaaa: bool,
    /// Lower-case name and address, in the order of the hosts file.
    pub hosts: Vec<(String, IpAddr)>,
}

impl ResolverConfig {
    /// Parses the texts of `/etc/hosts` and `/etc/resolv.conf`. `None` means that the file cannot be read. Like the C library, this
    /// treats it as empty and skips what it cannot understand.
    ///
    /// Not implemented: a search list from the host's own domain name (it needs `gethostname`), `sortlist`, and `options
    /// rotate`, which would only hide which nameserver is faulty.
    pub fn parse(hosts: Option<&str>, resolv_conf: Option<&str>) -> Self {
        let mut config = Self {
            nameservers: Vec::new(),
            skipped: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            tcp_only: false,
            no_aaaa: false,
            hosts: hosts_entries(hosts.unwrap_or_default()),
        };
        resolv_conf.unwrap_or_default().lines().for_each(|line| config.line(line));
        if config.nameservers.is_empty() {
            // "If no nameserver entries are present, the default is to use the name server on the local machine."
            config.nameservers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, DNS_PORT)));
        }
        config
    }

    fn line(&mut self, line: &str) {
        // A keyword counts only in the first column. So does a comment, which matches no keyword.
        let Some((keyword, rest)) = line.split_once([' ', '\t']) else {
            return;
        };
        let mut words = rest.split_whitespace().take_while(|word| !word.starts_with(['#', ';']));
        match keyword {
            "nameserver" => self.nameserver(words.next().unwrap_or_default()),
            // `domain` and `search` replace each other; the last one counts.
            "domain" => self.search = words.next().and_then(domain).into_iter().collect(),
            "search" => self.search = words.filter_map(domain).take(MAX_SEARCH).collect(),
            "options" => words.for_each(|word| self.option(word)),
            _ => {}
        }
    }

    fn nameserver(&mut self, text: &str) {
        match nameserver(text) {
            Ok(address) if self.nameservers.len() < MAX_NAMESERVERS => self.nameservers.push(address),
            Ok(_) => self.skipped.push(format!("{text} (the C library uses the first three)")),
            Err(reason) => {
                let text: String = text.escape_debug().take(MAX_SKIPPED_TEXT).collect();
                self.skipped.push(format!("{text} ({reason})"));
            }
        }
        // A file with a million such lines must not make the report as large.
        self.skipped.truncate(MAX_SKIPPED);
    }

    fn option(&mut self, word: &str) {
        let (name, value) = word.split_once(':').unwrap_or((word, ""));
        // Like atoi(3), this reads anything that is not a number as 0. The upper limits are from resolv.conf(5). A time-out or attempts
        // of 0 would ask no one, and the C library also waits for at least a second.
        let number = value.parse::<u32>().unwrap_or(0);
        let at_most = |limit: u8| u8::try_from(number).map_or(limit, |number| number.min(limit));
        match name {
            "ndots" => self.ndots = at_most(15),
            "timeout" => self.timeout = Duration::from_secs(u64::from(at_most(30).max(1))),
            "attempts" => self.attempts = at_most(5).max(1),
            "use-vc" => self.tcp_only = true,
            "no-aaaa" => self.no_aaaa = true,
            _ => {}
        }
    }

    /// The addresses of `name` that are known without a question, from the hosts file, or for `localhost` and names below it
    /// (RFC 6761 §6.3). The flag says whether the hosts file had the name. `None`: a nameserver must be asked.
    pub(super) fn known(&self, name: &str) -> Option<(bool, Vec<IpAddr>)> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut addresses = Vec::new();
        for (host, address) in &self.hosts {
            if *host == name && !addresses.contains(address) {
                addresses.push(*address);
            }
            if addresses.len() == MAX_ADDRESSES {
                break;
            }
        }
        if !addresses.is_empty() {
            return Some((true, addresses));
        }
        let localhost = name == "localhost" || name.ends_with(".localhost");
        localhost.then(|| (false, vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]))
    }

    /// The absolute names to ask for `host`, without trailing dots, in the order of res_search(3). A name with fewer dots
    /// than `ndots` is searched first. A name with enough dots is searched after it has failed as written.
    pub(super) fn candidates(&self, host: &str) -> Vec<String> {
        let name = host.trim_end_matches('.');
        let as_written = [name.to_owned()];
        if host.ends_with('.') {
            return as_written.into();
        }
        let searched = self.search.iter().map(|domain| format!("{name}.{domain}"));
        if name.matches('.').count() < usize::from(self.ndots) {
            searched.chain(as_written).collect()
        } else {
            as_written.into_iter().chain(searched).collect()
        }
    }
}

/// A search domain. `.` would be the name as written, which is asked anyway, and a domain that is too long cannot be asked.
fn domain(word: &str) -> Option<String> {
    let word = word.trim_end_matches('.');
    (1..=MAX_DOMAIN).contains(&word.len()).then(|| word.to_owned())
}

fn nameserver(text: &str) -> Result<SocketAddr, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, DNS_PORT));
    }
    let (address, zone) = text.split_once('%').ok_or("not an IP address")?;
    let address = address.parse::<Ipv6Addr>().map_err(|_| "not an IP address")?;
    // Looking up an interface's number needs a system call, and this file makes none.
    let zone = zone.parse().map_err(|_| "a zone is understood as a number only")?;
    Ok(SocketAddrV6::new(address, DNS_PORT, 0, zone).into())
}

fn hosts_entries(text: &str) -> Vec<(String, IpAddr)> {
    let mut entries = Vec::new();
    for line in text.lines() {
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let mut words = line.split_whitespace();
        // Skip an address with a zone (`fe80::1%eth0`): no AWS name has one.
        let Some(Ok(address)) = words.next().map(str::parse) else {
            continue;
        };
        entries.extend(words.map(|name| (name.trim_end_matches('.').to_ascii_lowercase(), address)));
    }
    entries
}

/// RFC 1035 §4.2.
const DNS_PORT: u16 = 53;

/// `MAXNS` of `<resolv.h>`.
const MAX_NAMESERVERS: usize = 3;

/// Enough to show what is wrong with a file.
const MAX_SKIPPED: usize = 4;

/// How much of one line is kept, in characters.
const MAX_SKIPPED_TEXT: usize = 64;

/// The limit that Kubernetes sets for a pod. The C library no longer has one, but each domain costs two questions and a place in
/// the report.
const MAX_SEARCH: usize = 32;

/// RFC 1035 §2.3.4, as text without the last dot.
const MAX_DOMAIN: usize = 253;

/// The same limit as for a nameserver's answer, because all of them are tried and reported.
const MAX_ADDRESSES: usize = 16;
