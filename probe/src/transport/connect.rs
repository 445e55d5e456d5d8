//! A TCP connection to the first of several addresses that answers; every attempt recorded with its outcome.
//! Where the addresses come from and what is spoken afterwards is decided elsewhere.

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

/// Races `addresses`: each begins 250 ms after the one before it, or at once when all before it have failed. What `late`
/// brings meanwhile, and `admits`, joins the race.
///
/// # Errors
/// When all have failed, what the one that came furthest met: refused (a host answered), then timed out, then anything
/// else of the system, then unreachable.
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
            // The attempt's place is taken here, so that the record has the order in which attempts began.
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
        // Until the next one may begin.
        while waiting.is_empty() || !running.is_empty() {
            tokio::select! {
                Some(finished) = running.join_next() => match finished {
                    Ok((address, Ok(stream))) => {
                        // Two small writes of the handshake must not wait for each other's acknowledgement.
                        let _ = stream.set_nodelay(true);
                        record.connected(address);
                        return Ok((stream, address));
                    }
                    Ok((address, Err(error))) => {
                        failures.push((address, error));
                        patience.as_mut().reset(Instant::now() + LATE_PATIENCE);
                    }
                    // A task that panicked.
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
                // Addresses that are not known yet can't be waited for as long as connections can.
                () = &mut patience, if more && running.is_empty() => more = false,
                // The rest has failed, and no more will come.
                else => return Err(verdict(failures)),
            }
        }
    }
}

/// RFC 8305 §4: families take turns, IPv6 first; within a family the nameserver's order.
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
                // EPERM, EACCES: a rule on this very node forbids it, so no packet went out.
                _ => (FailureKind::Unreachable, "can't be reached: this system forbids or fails the attempt"),
            }
        }
    };
    let others =
        if tried > 1 { format!(" (the one of {tried} addresses that came furthest)") } else { String::new() };
    Fault::new(kind, format!("{peer} {what}{others}")).peer(Some(peer)).errno(&error)
}

/// RFC 8305 §5, the recommended Connection Attempt Delay.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long the other family's addresses are waited for when all of this one's have failed.
const LATE_PATIENCE: Duration = Duration::from_secs(1);
