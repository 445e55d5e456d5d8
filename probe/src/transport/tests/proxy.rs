//! Tests when the proxy is used, and what its tunnel does.
//! The tunnel is real, over plain sockets.

use super::super::{Config, Endpoint, Proxies, ResolverConfig};
use super::support::{Ca, VALID, closed_port, config, fail, ok, read_request, send, server, within};
use credprobe_judge::evidence::{FailureKind, Phase};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

const PASSWORD: &str = "pw-of-the-proxy";

fn via(proxy: &str, no_proxy: Option<&str>) -> Proxies {
    Proxies { https_proxy: Some(proxy.to_owned()), no_proxy: no_proxy.map(str::to_owned) }
}

#[test]
fn no_proxy_is_taken_as_curl_takes_it() {
    for (no_proxy, url, proxied) in [
        ("", "https://sts.amazonaws.com/", true),
        ("*", "https://sts.amazonaws.com/", false),
        ("sts.amazonaws.com", "https://sts.amazonaws.com/", false),
        ("STS.AmazonAWS.com", "https://sts.amazonaws.com/", false),
        ("sts.amazonaws.com", "https://STS.amazonaws.com/", false),
        ("amazonaws.com", "https://sts.amazonaws.com/", false),
        (".amazonaws.com", "https://sts.amazonaws.com/", false),
        (".amazonaws.com", "https://amazonaws.com/", false),
        ("*.amazonaws.com", "https://sts.amazonaws.com/", false),
        ("amazonaws.com.", "https://sts.amazonaws.com/", false),
        ("amazonaws.com", "https://sts.amazonaws.com./", false),
        ("aws.com", "https://sts.amazonaws.com/", true),
        ("sts.amazonaws.com", "https://sts.us-east-1.amazonaws.com/", true),
        ("amazonaws.com", "https://amazonaws.com.evil.test/", true),
        ("a.test,amazonaws.com", "https://sts.amazonaws.com/", false),
        ("a.test, amazonaws.com", "https://sts.amazonaws.com/", false),
        ("a.test amazonaws.com", "https://sts.amazonaws.com/", false),
        (",,", "https://sts.amazonaws.com/", true),
        (".", "https://sts.amazonaws.com/", true),
        ("amazonaws.com:443", "https://sts.amazonaws.com/", false),
        ("amazonaws.com:8443", "https://sts.amazonaws.com/", true),
        ("amazonaws.com:8443", "https://sts.amazonaws.com:8443/", false),
        ("10.0.0.1", "https://10.0.0.1/", false),
        ("10.0.0.1", "https://10.0.0.11/", true),
        ("10.0.0.1:443", "https://10.0.0.1/", false),
        ("10.0.0.1:80", "https://10.0.0.1/", true),
        ("10.0.0.0/8", "https://10.200.3.4/", false),
        ("10.0.0.0/8", "https://11.0.0.1/", true),
        ("0.0.0.0/0", "https://11.0.0.1/", false),
        ("10.0.0.0/33", "https://10.0.0.1/", true),
        ("10.0.0.0/8", "https://sts.amazonaws.com/", true),
        ("fd00::/8", "https://[fd00:ec2::23]/", false),
        ("fd00::/8", "https://[fe80::1]/", true),
        ("::/0", "https://[fd00::1]/", false),
        ("::1", "https://[fd00::1]/", true),
        ("fd00::1", "https://[fd00::1]/", false),
        ("[fd00::1]", "https://[fd00::1]/", false),
        ("[fd00::1]:443", "https://[fd00::1]/", false),
        ("[fd00::1]:444", "https://[fd00::1]/", true),
        ("0.1", "https://10.0.0.1/", true),
        ("", "https://localhost/", false),
        ("", "https://sts.localhost/", false),
        ("", "https://127.0.0.1/", false),
        ("", "https://[::1]/", false),
        ("", "http://sts.amazonaws.com/", false),
    ] {
        let endpoint = Endpoint::of(&url.parse().unwrap()).ok().unwrap();
        let proxy = via("http://proxy.test:3128", Some(no_proxy)).for_endpoint(&endpoint).ok().unwrap();
        assert_eq!(proxy.is_some(), proxied, "NO_PROXY={no_proxy} {url}");
    }
}

#[test]
fn proxy_urls_are_read_leniently_and_shown_without_user_info() {
    let endpoint = Endpoint::of(&"https://sts.test/".parse().unwrap()).ok().unwrap();
    for (url, shown, authorization) in [
        ("http://proxy.test:3128", "http://proxy.test:3128", None),
        ("proxy.test:3128", "http://proxy.test:3128", None),
        ("HTTP://proxy.test/", "http://proxy.test:80", None),
        ("http://[fd00::1]:3128/", "http://[fd00::1]:3128", None),
        ("http://user:pass@proxy.test:1", "http://proxy.test:1", Some("Basic dXNlcjpwYXNz")),
        ("user:p%40ss@proxy.test:1", "http://proxy.test:1", Some("Basic dXNlcjpwQHNz")),
        ("http://user:p@ss@proxy.test:1", "http://proxy.test:1", Some("Basic dXNlcjpwQHNz")),
        ("http://user@proxy.test:1", "http://proxy.test:1", Some("Basic dXNlcjo=")),
    ] {
        let proxy = via(url, None).for_endpoint(&endpoint).ok().unwrap().unwrap();
        assert_eq!(proxy.to_string(), shown);
        assert_eq!(proxy.authorization.as_ref().map(|value| value.to_str().unwrap()), authorization, "{url}");
        assert!(proxy.authorization.is_none_or(|value| value.is_sensitive()));
    }
    for unset in ["", "  "] {
        assert!(via(unset, None).for_endpoint(&endpoint).ok().unwrap().is_none());
    }
}

#[tokio::test]
async fn proxy_urls_that_cannot_be_used_say_so_without_quoting_a_password() {
    for url in [
        "https://u:pw-of-the-proxy@p.test",
        "socks5://p.test",
        "http://",
        "http://p.test:0",
        "http://p.test:99999",
        "http://u:12/pw-of-the-proxy@p.test",
        "u:pw-of-the-proxy://x@p.test",
        "http://p test",
        "http://p..test:1",
    ] {
        let (network, failure) =
            fail(Config { proxies: via(url, None), ..config() }, "https://sts.test/").await;
        assert_eq!(failure.kind, FailureKind::Unusable, "{url}");
        assert!(!format!("{network:?}").contains(PASSWORD), "{network:?}");
    }
    assert!(!format!("{:?}", via("http://u:pw-of-the-proxy@p.test", None)).contains(PASSWORD));
}

/// A proxy that answers CONNECT with `answer`, then tunnels to `target` if there is one.
async fn proxy(answer: &'static str, target: Option<SocketAddr>) -> (SocketAddr, Arc<Mutex<String>>) {
    let seen = Arc::new(Mutex::new(String::new()));
    let keep = Arc::clone(&seen);
    let address = server(move |mut stream, _| {
        let keep = Arc::clone(&keep);
        async move {
            *keep.lock().unwrap() = read_request(&mut stream).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            if let Some(target) = target {
                let mut upstream = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut upstream).await;
            }
        }
    })
    .await;
    (address, seen)
}

fn through(address: SocketAddr) -> Config {
    let resolver = ResolverConfig::parse(Some("127.0.0.1 proxy.test"), None).into();
    let url = format!("http://user:{PASSWORD}@proxy.test:{}", address.port());
    Config { proxies: via(&url, None), resolver, ..config() }
}

#[tokio::test]
async fn a_tunnel_leads_to_the_endpoint_whose_name_the_proxy_resolves() {
    let ca = Ca::new("ours");
    let acceptor = ca.server_for(&["sts.test"], VALID);
    let target = server(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let request = read_request(&mut stream).await;
            assert!(!request.to_lowercase().contains("proxy-authorization"));
            let _ = stream.write_all(ok("hi").as_bytes()).await;
            let _ = stream.read_u8().await;
        }
    })
    .await;
    let (address, seen) = proxy("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", Some(target)).await;
    let (network, answer) = send(Config { trust: ca.trust(), ..through(address) }, "https://sts.test/").await;
    assert_eq!(answer.unwrap().body(), "hi");
    assert_eq!(network.proxy, Some(format!("http://proxy.test:{}", address.port())));
    assert_eq!((network.proxy_status, network.endpoint.as_str()), (Some(200), "https://sts.test"));
    assert_eq!(network.resolution.as_ref().unwrap().name, "proxy.test");
    assert_eq!(network.tls.as_ref().unwrap().server_name, "sts.test");
    assert!(!format!("{network:?}").contains(PASSWORD));
    let seen = seen.lock().unwrap().clone();
    assert!(seen.starts_with("CONNECT sts.test:443 HTTP/1.1\r\nHost: sts.test:443\r\n"), "{seen}");
    assert!(seen.contains("Proxy-Authorization: Basic ") && !seen.contains(super::support::TOKEN));
}

#[tokio::test]
async fn a_refused_tunnel_keeps_the_proxys_status() {
    for (answer, status) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", 407),
        ("HTTP/1.1 403 Forbidden\r\n\r\n<html>", 403),
        ("HTTP/1.1 503 no\r\n\r\n", 503),
        ("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", 302),
    ] {
        let (address, _) = proxy(answer, None).await;
        let (network, failure) = fail(through(address), "https://sts.test/").await;
        assert_eq!(
            (failure.phase, failure.kind, failure.peer),
            (Phase::Connect, FailureKind::ProxyRefused, Some(address))
        );
        assert_eq!(network.proxy_status, Some(status));
        assert!(failure.detail.contains(&status.to_string()) && !format!("{network:?}").contains(PASSWORD));
        assert!(network.tls.is_none());
    }
}

#[tokio::test]
async fn a_proxy_that_is_down_or_talks_nonsense_is_the_proxys_failure() {
    let down = closed_port().await;
    let (network, failure) = fail(through(down), "https://sts.test/").await;
    assert_eq!((failure.phase, failure.kind), (Phase::Connect, FailureKind::ProxyRefused));
    assert_eq!((failure.errno.as_deref(), network.proxy_status), (Some("ECONNREFUSED"), None));
    for nonsense in ["", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nHello"] {
        let (address, _) = proxy(nonsense, None).await;
        assert_eq!(
            fail(through(address), "https://sts.test/").await.1.kind,
            FailureKind::ProxyRefused,
            "{nonsense}"
        );
    }
    let (_, failure) =
        fail(Config { proxies: via("http://gone.test:1", None), ..config() }, "https://sts.test/").await;
    assert_eq!((failure.phase, failure.kind), (Phase::Resolve, FailureKind::ProxyRefused));
}

#[tokio::test]
async fn a_proxy_with_an_endless_header_is_given_up() {
    let address = server(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    assert_eq!(fail(through(address), "https://sts.test/").await.1.kind, FailureKind::ProxyRefused);
}

#[tokio::test]
async fn a_silent_proxy_times_out_in_connect() {
    let address = server(|mut stream, _| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (network, failure) =
        fail(Config { deadline: within(60).deadline, ..through(address) }, "https://sts.test/").await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Connect, FailureKind::TimedOut, Some(address))
    );
    assert!(network.proxy.is_some() && failure.detail.contains("CONNECT"));
}
