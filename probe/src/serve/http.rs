//! Serves HTTP/1.1 within bounds: however many clients connect, memory and response time stay limited.
//! `routes` makes the answers; nothing here knows a verdict.

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub(super) type Answer = Response<Full<Bytes>>;

/// Makes answers, for GET and HEAD only.
pub(super) trait Routes: Send + Sync + 'static {
    fn answer(&self, request: &Request<Incoming>) -> Answer;
}

/// The most that a server holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// One more connection, and the peer that has the most of them loses the one that has been idle longest. So slow peers
    /// cannot keep a probe out.
    connections: usize,
    /// The limit for a single peer, with the same effect.
    of_a_peer: usize,
    /// From the accept to the end of the first request's header. Probes and Prometheus send theirs at once.
    first_header: Duration,
    /// The same for each further request. Prometheus keeps its connection, and its default interval is a minute.
    next_header: Duration,
}

impl Bounds {
    /// Each probe of the kubelet opens a connection, and a Prometheus keeps one. A connection takes about 15 kB.
    pub(super) const PUBLIC: Self = Self {
        connections: 64,
        of_a_peer: 16,
        first_header: Duration::from_secs(5),
        next_header: Duration::from_secs(75),
    };
    /// A browser opens six connections.
    pub(super) const ADMIN: Self = Self { connections: 16, ..Self::PUBLIC };
}

/// In bytes, for the whole header of a request. A browser sends the cookies of other servers on localhost along.
const HEADER_LIMIT: usize = 16 * 1024;
const HEADERS: usize = 64;
/// How many connections are accepted before the existing ones have their turn. Not more than one peer may have, so that each of
/// its connections has had a turn before one is evicted.
const ACCEPTS: usize = Bounds::PUBLIC.of_a_peer;
/// If there are no descriptors left, one becomes free soon.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Accepts connections and answers requests forever.
pub(super) async fn serve(listener: TcpListener, bounds: Bounds, routes: Arc<impl Routes>) {
    // Counts accepts and requests. The connection with the smallest number has been idle longest.
    let clock = Arc::new(AtomicU64::new(0));
    let mut open: Vec<Connection> = Vec::with_capacity(bounds.connections);
    loop {
        let mut accepted = Some(listener.accept().await);
        let mut more = ACCEPTS;
        while let Some(arrival) = accepted.take() {
            let Ok((stream, peer)) = arrival else {
                sleep(AFTER_A_FAILED_ACCEPT).await;
                break;
            };
            open.retain(|connection| !connection.task.is_finished());
            let peer = peer.ip().to_canonical();
            make_room(&mut open, bounds, peer);
            let active = Arc::new(AtomicU64::new(clock.fetch_add(1, Ordering::Relaxed)));
            let (routes, ticks, mine) = (Arc::clone(&routes), Arc::clone(&clock), Arc::clone(&active));
            let task = tokio::spawn(async move {
                connection(stream, bounds, &*routes, &|| {
                    mine.store(ticks.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                })
                .await;
            });
            open.push(Connection { task, active, peer });
            more -= 1;
            if more > 0 {
                accepted = next(&listener).await;
            }
        }
        tokio::task::yield_now().await;
    }
}

/// The next connection, if one is waiting already.
async fn next(listener: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    poll_fn(|context| match listener.poll_accept(context) {
        Poll::Ready(arrival) => Poll::Ready(Some(arrival)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Evicts a connection of `peer` if it has its limit, else one of the peer with the most if the server has its limit.
fn make_room(open: &mut Vec<Connection>, bounds: Bounds, peer: IpAddr) {
    let of = |peer: IpAddr| open.iter().filter(move |connection| connection.peer == peer).count();
    let whose = if of(peer) >= bounds.of_a_peer {
        Some(peer)
    } else if open.len() >= bounds.connections {
        open.iter().map(|connection| connection.peer).max_by_key(|peer| of(*peer))
    } else {
        None
    };
    let its = open.iter().enumerate().filter(|(_, connection)| Some(connection.peer) == whose);
    if let Some((index, _)) = its.min_by_key(|(_, connection)| connection.active.load(Ordering::Relaxed)) {
        open.swap_remove(index);
    }
}

struct Connection {
    task: JoinHandle<()>,
    active: Arc<AtomicU64>,
    peer: IpAddr,
}

/// Aborts the connection's task when it is evicted or the server stops.
impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, bounds: Bounds, routes: &impl Routes, request_came: &impl Fn()) {
    // An answer is one small packet, so there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let first = AtomicBool::new(true);
    let service = service_fn(|request: Request<Incoming>| {
        let pipelined = !first.swap(false, Ordering::Relaxed);
        request_came();
        async move {
            if pipelined {
                // One answer for each turn: a client that pipelines a hundred requests must not delay the others.
                tokio::task::yield_now().await;
            }
            let answer = match *request.method() {
                Method::GET | Method::HEAD => routes.answer(&request),
                _ => method_not_allowed(),
            };
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.next_header);
    // Some health checkers send their request and then shut down their sending half.
    http.half_close(true);
    http.max_buf_size(HEADER_LIMIT).max_headers(HEADERS);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => return,
        () = sleep(bounds.first_header) => if first.load(Ordering::Relaxed) { return },
    }
    // An error on a connection concerns only its client.
    let _ = connection.await;
}

fn method_not_allowed() -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// An answer of one line of plain text.
pub(super) fn plain(status: StatusCode, line: &str) -> Answer {
    typed(status, "text/plain; charset=utf-8", format!("{line}\n"))
}

/// An answer with headers against caching, sniffing, framing, and loading from a page of another origin.
pub(super) fn typed(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Answer {
    use http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    };
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
