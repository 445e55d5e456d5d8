//! Tests handshakes that succeed, are refused, or break.
//! The certificates are made when a test runs.

use super::super::{Config, ResolverConfig};
use super::support::{Ca, VALID, config, fail, ok, read_request, send, server, within};
use crate::transport::root_store;
use credprobe_judge::evidence::{Failure, FailureKind, Network, Phase};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

async fn greeting(acceptor: TlsAcceptor) -> SocketAddr {
    server(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            read_request(&mut stream).await;
            let _ = stream.write_all(ok("hi").as_bytes()).await;
            let _ = stream.read_u8().await;
        }
    })
    .await
}

/// Trusts `ca` and resolves `sts.test` to loopback.
fn settings(ca: &Ca) -> Config {
    let resolver = ResolverConfig::parse(Some("127.0.0.1 sts.test"), None);
    Config { trust: ca.trust(), resolver: resolver.into(), ..config() }
}

async fn refused(ca: &Ca, acceptor: TlsAcceptor, expected: FailureKind) -> (Network, Failure) {
    let address = greeting(acceptor).await;
    let (network, failure) = fail(settings(ca), &format!("https://sts.test:{}/", address.port())).await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Tls, expected, Some(address)),
        "{failure:?}"
    );
    let chain = &network.tls.as_ref().unwrap().chain;
    assert_eq!(chain.len(), 2, "the presented chain is kept on refusal");
    assert_eq!(chain[0].subject, "CN=leaf");
    (network, failure)
}

#[tokio::test]
async fn a_good_certificate_is_accepted_and_recorded() {
    let ca = Ca::new("ours");
    let address = greeting(ca.server_for(&["sts.test", "127.0.0.1"], VALID)).await;
    let (network, answer) = send(settings(&ca), &format!("https://sts.test:{}/", address.port())).await;
    assert_eq!(answer.unwrap().body(), "hi");
    let tls = network.tls.unwrap();
    assert_eq!((tls.server_name.as_str(), tls.version.as_deref()), ("sts.test", Some("TLSv1_3")));
    assert_eq!(tls.roots, "AWS_CA_BUNDLE=/test");
    assert_eq!(tls.chain[0].names, ["sts.test", "127.0.0.1"]);
    assert_eq!((tls.chain[0].not_before, tls.chain[0].not_after), (946_684_800, 4_102_444_800));
    assert_eq!(tls.chain[1].subject, tls.chain[0].issuer);
    let phases = network.phases_ms;
    let all = [phases.resolve, phases.connect, phases.tls, phases.processing, phases.transfer];
    assert!(all.iter().all(Option::is_some));
}

#[tokio::test]
async fn an_address_literal_and_a_trailing_dot_are_verified_without_brackets_and_dot() {
    let ca = Ca::new("ours");
    let address = greeting(ca.server_for(&["sts.test", "127.0.0.1"], VALID)).await;
    assert!(send(settings(&ca), &format!("https://{address}/")).await.1.is_ok());
    let (network, answer) = send(settings(&ca), &format!("https://sts.test.:{}/", address.port())).await;
    assert!(answer.is_ok());
    assert_eq!(network.tls.unwrap().server_name, "sts.test");
}

#[tokio::test]
async fn a_foreign_issuer_is_unknown_and_both_sides_are_named() {
    let other = Ca::new("proxy of the firm");
    let (_, failure) =
        refused(&Ca::new("ours"), other.server_for(&["sts.test"], VALID), FailureKind::TlsUnknownIssuer)
            .await;
    assert!(
        failure.detail.contains("proxy of the firm") && failure.detail.contains("AWS_CA_BUNDLE=/test"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn another_name_is_wrong_and_both_sides_are_named() {
    let ca = Ca::new("ours");
    let (_, failure) = refused(&ca, ca.server_for(&["other.test"], VALID), FailureKind::TlsWrongName).await;
    assert!(failure.detail.contains("`other.test`") && failure.detail.contains("`sts.test`"), "{failure:?}");
}

#[tokio::test]
async fn an_expired_certificate_is_expired_with_both_times() {
    let ca = Ca::new("ours");
    let (_, failure) =
        refused(&ca, ca.server_for(&["sts.test"], (2000, 2001)), FailureKind::TlsExpired).await;
    assert!(
        failure.detail.contains("CN=leaf") && failure.detail.contains("2001-01-01T00:00:00Z"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_certificate_of_tomorrow_is_not_yet_valid() {
    let ca = Ca::new("ours");
    let (_, failure) =
        refused(&ca, ca.server_for(&["sts.test"], (2098, 2099)), FailureKind::TlsNotYetValid).await;
    assert!(failure.detail.contains("2098-01-01T00:00:00Z"), "{failure:?}");
}

/// The failure if the peer answers the ClientHello with `bytes` and closes.
async fn answered_with(bytes: &'static [u8]) -> Failure {
    let address = server(move |mut stream, _| async move {
        let mut hello = [0; 64];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (network, failure) = fail(config(), &format!("https://{address}/")).await;
    assert_eq!((failure.phase, failure.peer), (Phase::Tls, Some(address)));
    assert!(network.tls.unwrap().version.is_none());
    failure
}

#[tokio::test]
async fn plain_http_on_the_port_is_not_tls() {
    assert_eq!(answered_with(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.kind, FailureKind::TlsNotTls);
    assert_eq!(answered_with(b"SSH-2.0-OpenSSH_9.2\r\n").await.kind, FailureKind::TlsNotTls);
}

#[tokio::test]
async fn an_alert_is_named_as_the_rfc_does() {
    let failure = answered_with(&[0x15, 3, 3, 0, 2, 2, 40]).await;
    assert_eq!(failure.kind, FailureKind::TlsAlert);
    assert!(failure.detail.contains("`handshake_failure`"), "{failure:?}");
    assert!(answered_with(&[0x15, 3, 3, 0, 2, 2, 48]).await.detail.contains("`unknown_ca`"));
    assert!(answered_with(&[0x15, 3, 3, 0, 2, 2, 112]).await.detail.contains("`unrecognized_name`"));
}

#[tokio::test]
async fn an_end_of_file_in_the_handshake_is_broken() {
    assert_eq!(answered_with(b"").await.kind, FailureKind::Broken);
}

#[tokio::test]
async fn a_reset_in_the_handshake_is_broken_with_its_errno() {
    let address = server(|stream, _| async move {
        stream.readable().await.unwrap();
        // With SO_LINGER of zero, closing resets the connection (socket(7)).
        stream.set_zero_linger().unwrap();
        drop(stream);
    })
    .await;
    let (_, failure) = fail(config(), &format!("https://{address}/")).await;
    assert_eq!((failure.phase, failure.kind), (Phase::Tls, FailureKind::Broken));
    assert_eq!(failure.errno.as_deref(), Some("ECONNRESET"), "{failure:?}");
}

#[tokio::test]
async fn silence_in_the_handshake_times_out_in_tls() {
    let address = server(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let (network, failure) = fail(within(80), &format!("https://{address}/")).await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Tls, FailureKind::TimedOut, Some(address))
    );
    assert!(network.phases_ms.tls.unwrap() > 40.0 && network.phases_ms.processing.is_none());
}

#[test]
fn the_label_of_a_trust_names_all_that_it_holds() {
    let pem = Ca::new("ours").pem();
    assert_eq!(root_store(None, &[]).unwrap().label(), "compiled-in");
    let added = root_store(None, &[("SSL_CERT_FILE=/a", pem.as_bytes())]).unwrap();
    assert_eq!(added.label(), "compiled-in+SSL_CERT_FILE=/a");
    let bundle =
        root_store(Some(("--ca-bundle=/b", pem.as_bytes())), &[("SSL_CERT_FILE=/a", pem.as_bytes())])
            .unwrap();
    assert_eq!(bundle.label(), "--ca-bundle=/b+SSL_CERT_FILE=/a");
}

#[tokio::test]
async fn an_addition_is_trusted_besides_the_compiled_in_roots() {
    let ca = Ca::new("added");
    let address = greeting(ca.server_for(&["127.0.0.1"], VALID)).await;
    let added = root_store(None, &[("SSL_CERT_FILE=/a", ca.pem().as_bytes())]).unwrap();
    assert!(send(Config { trust: added, ..config() }, &format!("https://{address}/")).await.1.is_ok());
}

#[test]
fn a_bundle_that_cannot_be_used_says_which_and_why() {
    let good = Ca::new("ours").pem();
    let no_end = good.replace("-----END CERTIFICATE-----", "");
    let no_base64 = good.replacen("\nM", "\n*", 1);
    for (pem, reason) in [
        ("", "holds no certificate"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificate"),
        (no_end.as_str(), "END"),
        (no_base64.as_str(), "base64"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "none of which can be a root"),
    ] {
        let problem = root_store(Some(("AWS_CA_BUNDLE=/x", pem.as_bytes())), &[]).unwrap_err();
        assert_eq!(problem.label, "AWS_CA_BUNDLE=/x");
        assert!(problem.reason.contains(reason), "{reason}: {problem}");
        // As an addition, such a file adds nothing, but another file in the same folder still counts.
        let added = |additions: &[(&str, &[u8])]| root_store(None, additions).unwrap();
        let alone = added(&[("SSL_CERT_DIR=/x", pem.as_bytes())]);
        assert_eq!((alone.label(), alone.idle().len()), ("compiled-in", 1), "{reason}");
        assert!(alone.idle()[0].reason.contains(reason), "{:?}", alone.idle());
        let beside = [("SSL_CERT_DIR=/x", pem.as_bytes()), ("SSL_CERT_DIR=/x", good.as_bytes())];
        let beside = added(&beside);
        assert_eq!((beside.label(), beside.idle().len()), ("compiled-in+SSL_CERT_DIR=/x", 0), "{reason}");
    }
}

#[test]
fn one_unusable_certificate_does_not_spoil_a_bundle() {
    let pem =
        format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{}", Ca::new("ours").pem());
    assert!(root_store(Some(("AWS_CA_BUNDLE=/x", pem.as_bytes())), &[]).is_ok());
}
