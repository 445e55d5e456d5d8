//! The sockets: HTTPS for STS and the issuer, DNS, the Pod Identity agent, and a trap at the address of instance metadata.
//! Also the faults that happen below a request. `sts` and `issuer` answer the requests.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited, combinators::UnsyncBoxBody};
use hyper::{Response, body::Incoming, header, http::response::Builder, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    access::{self, Service},
    api_server, clock, dns,
    record::IssuerRequest,
    scenario::{Fault, hostile::Peer},
    sts,
    world::World,
};

mod agent;
mod delivery;
mod hostile;
mod proxy;

pub(crate) use agent::agent;
pub(crate) use proxy::proxy;

/// Ends clients that connect and stay silent. It is far longer than a probe waits.
const PATIENCE: Duration = Duration::from_secs(120);
/// No client that we know needs longer for a header or a body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Three times STS's own limit for a token.
const BODY_LIMIT: usize = 64 * 1024;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// One HTTPS server.
pub(crate) struct Site {
    pub(crate) world: Arc<World>,
    pub(crate) tls: TlsAcceptor,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Sts,
    Issuer,
    ApiServer,
}

impl Kind {
    fn peer(self) -> Peer {
        match self {
            Self::Sts => Peer::Sts,
            Self::Issuer => Peer::Issuer,
            Self::ApiServer => Peer::ApiServer,
        }
    }
}

pub(crate) async fn https(listener: TcpListener, site: Site) {
    let site = Arc::new(site);
    while let Ok((stream, _)) = listener.accept().await {
        // Header and body are written separately. Without this the second write waits 40 ms for the client's delayed ACK.
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, Arc::clone(&site)));
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let mut fault = Fault::None;
    if site.kind == Kind::Sts {
        site.world.record.edit().sts_connections += 1;
        fault = site.world.connection_fault();
    }
    if site.kind == Kind::ApiServer && site.world.api_server().is_some_and(|api_server| api_server.away) {
        fault = Fault::ResetInHandshake;
    }
    if site.kind == Kind::Issuer && site.world.scenario.issuer.black_hole {
        fault = Fault::BlackHole;
    }
    match fault {
        Fault::BlackHole => return tokio::time::sleep(PATIENCE).await,
        Fault::ResetInHandshake => return reset(stream).await,
        _ => {}
    }
    let misdeed = site.world.scenario.misdeed(site.kind.peer());
    let stream = match misdeed {
        None => stream,
        Some(misdeed) => match hostile::below(misdeed, stream).await {
            Some(stream) => stream,
            None => return,
        },
    };
    // A client that rejects our certificate closes the connection, and so do we.
    let Ok(Ok(stream)) = timeout(READ_TIMEOUT, site.tls.accept(stream)).await else {
        return;
    };
    if let Some(hostile) = site.world.scenario.hostile.as_ref().filter(|_| misdeed.is_some()) {
        return hostile::answers(hostile, stream, |request| sound(&site, request)).await;
    }
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { respond(&site, request).await }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(BODY_LIMIT);
    // A mishap of the client, or of the scenario, is not a failure of the server.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

/// The sound answer to a request that the misdeed does not affect.
fn sound(site: &Site, request: &hostile::Request) -> Vec<u8> {
    let hostile::Request { method, path, headers, body } = request;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = sts::Request { method, path, query, headers, body };
    match site.kind {
        Kind::Sts => {
            let answer = answered(&site.world, &request);
            let date = clock::http(site.world.clock.now());
            let lines = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let headers = format!("{}Date: {date}\r\n", lines.collect::<String>());
            hostile::whole(answer.status, &headers, &answer.body)
        }
        Kind::Issuer => {
            let document = site.world.issuer.document(path);
            hostile::whole(document.status, "", &document.body)
        }
        Kind::ApiServer => {
            let (status, content) = api_server::answer(&site.world, &request);
            hostile::whole(status, "", &content.to_string())
        }
    }
}

/// One listener serves all of AWS: the requested host name tells which service is meant.
fn answered(world: &World, request: &sts::Request<'_>) -> sts::Answer {
    match Service::of(request.host()) {
        Some(service) => access::handle(world, &service, request),
        None => sts::handle(world, request),
    }
}

/// Reads some of the ClientHello, then breaks the connection.
async fn reset(mut stream: TcpStream) {
    let _ = timeout(READ_TIMEOUT, stream.read(&mut [0; 64])).await;
    let _ = stream.set_zero_linger();
}

async fn respond(site: &Site, request: hyper::Request<Incoming>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = timeout(READ_TIMEOUT, Limited::new(body, BODY_LIMIT).collect()).await;
    let Ok(Ok(body)) = body else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let body = body.to_bytes();
    let request = sts::Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body: &body,
    };
    match site.kind {
        Kind::Sts => {
            let answer = answered(&site.world, &request);
            delivery::deliver(answer, clock::http(site.world.clock.now())).await
        }
        Kind::Issuer => document(&site.world, &request),
        Kind::ApiServer => {
            let (status, content) = api_server::answer(&site.world, &request);
            site.world.record.edit().api_server_requests.push(note(&request, status));
            finish(json().status(status), content.to_string())
        }
    }
}

fn document(world: &World, request: &sts::Request<'_>) -> io::Result<Response<Body>> {
    let is_ours = request.host() == world.issuer.host() || request.host() == "localhost";
    let document = world.issuer.document(if is_ours { request.path } else { "" });
    world.record.edit().issuer_requests.push(note(request, document.status));
    let mut builder = Response::builder().status(document.status);
    if let Some(location) = &document.location {
        builder = builder.header(header::LOCATION, location);
    }
    finish(builder.header(header::CONTENT_TYPE, document.content_type), document.body)
}

fn json() -> Builder {
    Response::builder().header(header::CONTENT_TYPE, "application/json")
}

fn note(request: &sts::Request<'_>, status: u16) -> IssuerRequest {
    IssuerRequest {
        host: request.host().to_owned(),
        path: request.path.to_owned(),
        status,
        authorized: request.headers.contains_key(header::AUTHORIZATION),
    }
}

pub(crate) fn finish(builder: Builder, text: impl Into<Bytes>) -> io::Result<Response<Body>> {
    let body = http_body_util::Full::new(text.into()).map_err(|never| match never {});
    builder.body(body.boxed_unsync()).map_err(io::Error::other)
}

/// Counts the clients that ask for the node's role.
pub(crate) async fn metadata_trap(listener: TcpListener, world: Arc<World>) {
    while listener.accept().await.is_ok() {
        let mut record = world.record.edit();
        record.imds_connections = Some(record.imds_connections.unwrap_or_default() + 1);
    }
}

pub(crate) async fn dns_over_udp(socket: UdpSocket, world: Arc<World>, addresses: dns::Addresses) {
    let mut query = [0; 1500];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut query).await else {
            continue;
        };
        let query = query.get(..length).unwrap_or_default();
        if let Some(answer) = dns::answer(&world, addresses, query, "udp") {
            // If the client has gone, nobody reads the answer. That is not a failure.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

pub(crate) async fn dns_over_tcp(listener: TcpListener, world: Arc<World>, addresses: dns::Addresses) {
    while let Ok((stream, _)) = listener.accept().await {
        let world = Arc::clone(&world);
        tokio::spawn(timeout(PATIENCE, async move { dns_stream(stream, &world, addresses).await }));
    }
}

async fn dns_stream(mut stream: TcpStream, world: &World, addresses: dns::Addresses) -> io::Result<()> {
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        if let Some(answer) = dns::answer(world, addresses, &query, "tcp") {
            stream.write_u16(u16::try_from(answer.len()).unwrap_or_default()).await?;
            stream.write_all(&answer).await?;
        }
    }
}
