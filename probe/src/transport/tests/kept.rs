//! Tests the connection that is kept for the next request.
//! `exchange` tests what can happen in a single exchange.

use super::super::{Config, Wire};
use super::support::{Ca, VALID, config, fail, ok, read_request, request, server};
use credprobe_judge::evidence::{FailureKind, Network, Phase};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::io::AsyncWriteExt;

/// A server that answers `requests` requests on each connection. Also returns a counter of connections.
async fn keeping(requests: usize) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let address = server(move |mut stream, _| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            for _ in 0..requests {
                if read_request(&mut stream).await.is_empty() {
                    return;
                }
                let _ = stream.write_all(ok("hi").as_bytes()).await;
            }
            // Read the next request, then close the connection without an answer.
            read_request(&mut stream).await;
        }
    })
    .await;
    (address, connections)
}

async fn twice(wire: &Wire, url: &str) -> Vec<Network> {
    for _ in 0..2 {
        let (_, answer) = wire.send(request(url)).await;
        assert_eq!(answer.unwrap().status(), 200);
    }
    wire.records()
}

#[tokio::test]
async fn the_second_request_reuses_the_connection_and_times_only_the_last_phases() {
    let (address, connections) = keeping(9).await;
    let log = twice(&Wire::new(config()), &format!("http://{address}/")).await;
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    assert!(!log[0].reused && log[1].reused);
    let phases = log[1].phases_ms;
    assert_eq!([phases.resolve, phases.connect, phases.tls], [None; 3]);
    assert!(phases.processing.is_some() && phases.transfer.is_some() && log[1].addresses.is_empty());
}

#[tokio::test]
async fn another_authority_gets_its_own_connection() {
    let ((one, _), (two, connections)) = (keeping(9).await, keeping(9).await);
    let wire = Wire::new(config());
    for address in [one, two] {
        let (network, answer) = wire.send(request(&format!("http://{address}/"))).await;
        assert!(answer.is_ok() && !network.reused);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_kept_connection_that_dies_unanswered_is_replaced_once() {
    let (address, connections) = keeping(1).await;
    let log = twice(&Wire::new(config()), &format!("http://{address}/")).await;
    assert_eq!(connections.load(Ordering::Relaxed), 2);
    assert_eq!(log.len(), 2, "one record for the repeated request");
    assert!(!log[1].reused && log[1].failure.is_none() && log[1].phases_ms.connect.is_some());
}

#[tokio::test]
async fn a_first_connection_that_dies_unanswered_is_not_repeated() {
    let (address, connections) = keeping(0).await;
    let (_, failure) = fail(config(), &format!("http://{address}/")).await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Processing, FailureKind::Broken, Some(address))
    );
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_that_closes_an_idle_connection_is_connected_anew() {
    let address = server(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(ok("hi").as_bytes()).await;
    })
    .await;
    let log = twice(&Wire::new(config()), &format!("http://{address}/")).await;
    assert!(!log[1].reused);
}

#[tokio::test]
async fn a_kept_tls_connection_is_reused_too() {
    let ca = Ca::new("ours");
    let acceptor = ca.server_for(&["127.0.0.1"], VALID);
    let address = server(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            while !read_request(&mut stream).await.is_empty() {
                let _ = stream.write_all(ok("hi").as_bytes()).await;
            }
        }
    })
    .await;
    let log =
        twice(&Wire::new(Config { trust: ca.trust(), ..config() }), &format!("https://{address}/")).await;
    assert!(log[1].reused && log[1].tls.is_none());
}
