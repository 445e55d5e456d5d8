//! Tests the race for an address.
//! `tls` and `exchange` test what follows.

use super::super::ResolverConfig;
use super::super::connect::connect;
use super::super::record::Record;
use super::super::resolve::Found;
use super::support::{closed_port, config, fail, ok, read_request, send, server, within};
use credprobe_judge::evidence::{AddressOutcome, FailureKind, Phase};
use std::net::IpAddr;
use tokio::io::AsyncWriteExt;

async fn greeting() -> std::net::SocketAddr {
    server(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(ok("hi").as_bytes()).await;
    })
    .await
}

fn hosts(text: &str) -> std::sync::Arc<ResolverConfig> {
    ResolverConfig::parse(Some(text), None).into()
}

#[tokio::test]
async fn the_second_address_is_tried_at_once_when_the_first_refuses() {
    let port = greeting().await.port();
    let settings =
        super::super::Config { resolver: hosts("127.0.0.2 sts.test\n127.0.0.1 sts.test"), ..config() };
    let (network, answer) = send(settings, &format!("http://sts.test:{port}/")).await;
    assert_eq!(answer.unwrap().status(), 200);
    let tried: Vec<_> =
        network.addresses.iter().map(|tried| (tried.address.ip().to_string(), tried.outcome)).collect();
    let expected = [("127.0.0.2", AddressOutcome::Refused), ("127.0.0.1", AddressOutcome::Connected)];
    assert_eq!(tried, expected.map(|(address, outcome)| (address.to_owned(), outcome)));
    assert_eq!(network.addresses[0].errno.as_deref(), Some("ECONNREFUSED"));
    assert!(network.phases_ms.connect.unwrap() < 200.0, "no delay after a refusal");
    assert!(network.resolution.unwrap().from_hosts_file);
}

#[tokio::test]
async fn ipv6_and_ipv4_take_turns() {
    let addresses: Vec<IpAddr> =
        ["127.0.0.2", "127.0.0.3", "::1"].iter().map(|text| text.parse().unwrap()).collect();
    let record = Record::new(String::new());
    let Found { addresses, late } = Found::known(addresses);
    assert!(connect(&addresses, late, |_| true, closed_port().await.port(), &record).await.is_err());
    let tried: Vec<_> =
        record.snapshot().addresses.iter().map(|tried| tried.address.ip().to_string()).collect();
    assert_eq!(tried, ["::1", "127.0.0.2", "127.0.0.3"]);
}

#[tokio::test]
async fn refused_by_all_is_refused_with_the_peer() {
    let address = closed_port().await;
    let (network, failure) = fail(config(), &format!("https://{address}/")).await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Connect, FailureKind::Refused, Some(address))
    );
    assert_eq!(failure.errno.as_deref(), Some("ECONNREFUSED"));
    assert!(network.resolution.is_none() && network.phases_ms.resolve.is_none() && network.tls.is_none());
}

#[tokio::test]
async fn a_full_backlog_times_out_in_connect_and_lists_the_address() {
    // A listener with a full queue drops further SYNs, which is as close to a black hole as loopback gets.
    let listener = tokio::net::TcpSocket::new_v4().unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listener.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    for _ in 0..4 {
        let connecting = tokio::net::TcpStream::connect(address);
        filling.push(tokio::time::timeout(std::time::Duration::from_millis(30), connecting).await);
    }
    let (network, failure) = fail(within(80), &format!("https://{address}/")).await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Connect, FailureKind::TimedOut, Some(address))
    );
    assert_eq!(network.addresses.len(), 1);
    assert_eq!(network.addresses[0].outcome, AddressOutcome::TimedOut);
}

#[tokio::test]
async fn the_second_address_begins_250_ms_later_and_the_slow_one_is_abandoned() {
    let listener = tokio::net::TcpSocket::new_v4().unwrap();
    listener.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let listener = listener.listen(1).unwrap();
    let slow = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    for _ in 0..4 {
        let connecting = tokio::net::TcpStream::connect(slow);
        filling.push(tokio::time::timeout(std::time::Duration::from_millis(30), connecting).await);
    }
    let _good = tokio::net::TcpListener::bind(("127.0.0.1", slow.port())).await.unwrap();
    let record = Record::new(String::new());
    let addresses = [slow.ip(), "127.0.0.1".parse().unwrap()];
    let (_, winner) = connect(&addresses, Found::known(Vec::new()).late, |_| true, slow.port(), &record)
        .await
        .ok()
        .unwrap();
    assert_eq!(winner.ip(), addresses[1]);
    let tried = record.close(Ok(())).addresses;
    assert_eq!(tried[0].outcome, AddressOutcome::Abandoned);
    assert!((240.0..900.0).contains(&tried[0].took_ms), "{tried:?}");
}

#[test]
fn errors_of_the_system_are_outcomes_with_their_names() {
    for (number, outcome) in [
        (nix::errno::Errno::ENETUNREACH, AddressOutcome::Unreachable),
        (nix::errno::Errno::EHOSTUNREACH, AddressOutcome::Unreachable),
        (nix::errno::Errno::EADDRNOTAVAIL, AddressOutcome::Unreachable),
        (nix::errno::Errno::ETIMEDOUT, AddressOutcome::TimedOut),
        (nix::errno::Errno::EPERM, AddressOutcome::Failed),
    ] {
        let error = std::io::Error::from_raw_os_error(number as i32);
        assert_eq!(super::super::fault::connect_outcome(&error), outcome);
        assert_eq!(super::super::fault::errno_name(&error), Some(format!("{number:?}")));
    }
}
