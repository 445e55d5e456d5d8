//! For the tests: servers that do one thing, a certificate authority, and a wire that trusts it.
//! Each server is a task of the test's runtime and ends with it.

use super::super::*;
use crate::transport::root_store;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use std::{future::Future, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// The tests' secret, which must never turn up in a record or an error.
pub(super) const TOKEN: &str = "eyJ-the-token-that-nobody-may-see";

/// A server on loopback. `serve` gets each connection and its number, from 0.
pub(super) async fn server<F, S>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> S + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((stream, _)) = listener.accept().await else {
                break;
            };
            tokio::spawn(serve(stream, number));
        }
    });
    address
}

/// A server that answers each connection's first request with `answer`, waits for the client to close, and closes.
pub(super) async fn answering(answer: &'static str) -> SocketAddr {
    server(move |mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

/// A port on which no process listens.
pub(super) async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Header and body of one request; empty if the peer has closed.
pub(super) async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = Vec::new();
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return whole;
            }
        }
        if stream.read_buf(&mut text).await.unwrap_or(0) == 0 {
            return whole;
        }
    }
}

/// A `200` response with `body` on a connection that stays open.
pub(super) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A certificate authority for one test.
pub(super) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's TLS for `names`, valid from the first day of one year to the first day of the other.
    pub(super) fn server_for(&self, names: &[&str], years: (i32, i32)) -> TlsAcceptor {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "leaf");
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let chain = vec![leaf.der().clone(), self.0.der().clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
    }

    pub(super) fn trust(&self) -> RootStore {
        root_store(Some(("AWS_CA_BUNDLE=/test", self.pem().as_bytes())), &[]).unwrap()
    }
}

pub(super) const VALID: (i32, i32) = (2000, 2100);

/// A configuration with a deadline of two seconds, the compiled-in roots and no working nameserver.
pub(super) fn config() -> Config {
    let mut resolver = ResolverConfig::parse(None, None);
    resolver.nameservers = vec!["127.0.0.1:1".parse().unwrap()];
    Config {
        trust: root_store(None, &[]).unwrap(),
        of_target: None,
        proxies: Proxies::none(),
        deadline: Instant::now() + Duration::from_secs(2),
        body_limit: BODY_LIMIT,
        resolver: resolver.into(),
        allow_http: false,
        peers: AddressPolicy::Any,
    }
}

pub(super) fn within(milliseconds: u64) -> Config {
    Config { deadline: Instant::now() + Duration::from_millis(milliseconds), ..config() }
}

/// A POST with the token in its body and in its Authorization header.
pub(super) fn request(url: &str) -> http::Request<Bytes> {
    let body = Bytes::from(format!("Action=AssumeRoleWithWebIdentity&WebIdentityToken={TOKEN}"));
    http::Request::post(url).header("authorization", TOKEN).body(body).unwrap()
}

/// Sends to `url` with a new wire and checks that no record holds the token.
pub(super) async fn send(config: Config, url: &str) -> (Network, Result<http::Response<Bytes>, Failure>) {
    let wire = Wire::new(config);
    let (network, outcome) = wire.send(request(url)).await;
    assert_eq!(wire.records(), std::slice::from_ref(&network));
    assert_eq!(network.failure, outcome.as_ref().err().cloned());
    assert_no_secret(&network);
    (network, outcome)
}

/// Sends a request that must fail, and returns its failure.
pub(super) async fn fail(config: Config, url: &str) -> (Network, Failure) {
    let (network, outcome) = send(config, url).await;
    (network, outcome.unwrap_err())
}

pub(super) fn assert_no_secret(network: &Network) {
    let shown = format!("{network:?} {}", serde_json::to_string(network).unwrap());
    assert!(!shown.contains(TOKEN), "{shown}");
}
