//! Connects over TCP to the first of several addresses that answers, and records the outcome of each attempt.
//! Does not resolve names, and does not use the connection.

use super::fault::{Fault, connect_outcome, errno_name};
use super::record::Record;
use super::resolve::Late;
use credprobe_judge::evidence::{AddressOutcome, FailureKind};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

/// Races `addresses`. Each attempt begins 250 ms after the previous one, or at once if all earlier attempts have failed.
/// Addresses that `late` delivers meanwhile join the race if `admits` accepts them.
///
/// # Errors
/// If all attempts fail, the error of the one that came furthest. The order is: refused (a host answered), timed out, any
/// other system error, unreachable.
pub(super) async fn connect(
    addresses: &[IpAddr],
    mut late: Late,
    admits: impl Fn(IpAddr) -> bool,
    port: u16,
    record: &Record,
) -> Result<(TcpStream, SocketAddr), Fault> {
    let mut waiting = VecDeque::from(interleave(addresses));
    let mut running: JoinSet<(SocketAddr, io::Result<TcpStream>)> = JoinSet::new();
    let mut failures: Vec<(SocketAddr, io::Error)> = Vec::new();
    let mut more = true;
    loop {
        if let Some(address) = waiting.pop_front() {
            let address = SocketAddr::new(address, port);
            let record = record.clone();
            // Take the slot here, so that the record lists attempts in the order in which they began.
            let slot = record.attempt(address);
            running.spawn(async move {
                let result = TcpStream::connect(address).await;
                match &result {
                    Ok(_) => record.attempted(slot, AddressOutcome::Connected, None),
                    Err(error) => record.attempted(slot, connect_outcome(error), errno_name(error)),
                }
                (address, result)
            });
        }
        let head_start = sleep(ATTEMPT_DELAY);
        let patience = sleep(LATE_PATIENCE);
        tokio::pin!(head_start, patience);
        // Wait until the next attempt may begin.
        while waiting.is_empty() || !running.is_empty() {
            tokio::select! {
                Some(finished) = running.join_next() => match finished {
                    Ok((address, Ok(stream))) => {
                        // Do not delay the second of two small writes in the handshake (Nagle's algorithm).
                        let _ = stream.set_nodelay(true);
                        record.connected(address);
                        return Ok((stream, address));
                    }
                    Ok((address, Err(error))) => {
                        failures.push((address, error));
                        patience.as_mut().reset(Instant::now() + LATE_PATIENCE);
                    }
                    // The task panicked.
                    Err(_) => {}
                },
                () = &mut head_start, if !waiting.is_empty() => break,
                found = late.next(), if more => match found {
                    Some(mut found) => {
                        found.retain(|address| admits(*address));
                        record.resolved_late(&found);
                        waiting.extend(found);
                    }
                    None => more = false,
                },
                // Late addresses get less patience than a connection that is being opened.
                () = &mut patience, if more && running.is_empty() => more = false,
                // Every attempt has failed, and no more addresses will come.
                else => return Err(verdict(failures)),
            }
        }
    }
}

/// RFC 8305 §4: address families alternate, IPv6 first. Within a family the nameserver's order is kept.
fn interleave(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut v6 = addresses.iter().filter(|address| address.is_ipv6());
    let mut v4 = addresses.iter().filter(|address| address.is_ipv4());
    let mut order = Vec::with_capacity(addresses.len());
    loop {
        let turn = [v6.next(), v4.next()];
        if turn == [None, None] {
            return order;
        }
        order.extend(turn.into_iter().flatten());
    }
}

fn verdict(failures: Vec<(SocketAddr, io::Error)>) -> Fault {
    let rank = |error: &io::Error| match connect_outcome(error) {
        AddressOutcome::Refused => 0,
        AddressOutcome::TimedOut => 1,
        AddressOutcome::Failed | AddressOutcome::Connected | AddressOutcome::Abandoned => 2,
        AddressOutcome::Unreachable => 3,
    };
    let tried = failures.len();
    let Some((peer, error)) = failures.into_iter().min_by_key(|(_, error)| rank(error)) else {
        return Fault::new(FailureKind::Unreachable, "there is no address to connect to");
    };
    let (kind, what) = match connect_outcome(&error) {
        AddressOutcome::Refused => (FailureKind::Refused, "refused the connection"),
        AddressOutcome::TimedOut => (FailureKind::TimedOut, "did not answer; the system gave up"),
        AddressOutcome::Unreachable => (FailureKind::Unreachable, "can't be reached: no route from this pod"),
        AddressOutcome::Failed | AddressOutcome::Connected | AddressOutcome::Abandoned => {
            match error.kind() {
                io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                    (FailureKind::Broken, "reset the connection while it was made")
                }
                // EPERM, EACCES: a rule on this node forbids it, so no packet was sent.
                _ => (FailureKind::Unreachable, "can't be reached: this system forbids or fails the attempt"),
            }
        }
    };
    let others =
        if tried > 1 { format!(" (the one of {tried} addresses that came furthest)") } else { String::new() };
    Fault::new(kind, format!("{peer} {what}{others}")).peer(Some(peer)).errno(&error)
}

/// The Connection Attempt Delay that RFC 8305 §5 recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long to wait for the other family's addresses after all addresses of this family have failed.
const LATE_PATIENCE: Duration = Duration::from_secs(1);
