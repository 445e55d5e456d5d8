//! HTTP/1.1 within bounds: whatever connects, memory and answering time stay what they are.
//! What is answered, `routes` says; nothing here knows a verdict.

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub(super) type Answer = Response<Full<Bytes>>;

/// Makes answers; only GET and HEAD come here.
pub(super) trait Routes: Send + Sync + 'static {
    fn answer(&self, request: &Request<Incoming>) -> Answer;
}

/// What a server holds at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// One more, and the connection that has been quiet longest is closed: slow ones can't keep a probe out.
    connections: usize,
    /// From accept to the end of the first request's header: probes and Prometheus send theirs at once.
    first_header: Duration,
    /// The same for each further request: Prometheus's default interval is a minute, and it keeps its connection.
    next_header: Duration,
}

impl Bounds {
    /// Kubelet's probes open a connection each, a Prometheus keeps one; some 15 kB each.
    pub(super) const PUBLIC: Self =
        Self { connections: 64, first_header: Duration::from_secs(5), next_header: Duration::from_secs(75) };
    /// A browser opens six.
    pub(super) const ADMIN: Self = Self { connections: 16, ..Self::PUBLIC };
}

/// The whole header of a request. Cookies of other servers on localhost come along in a browser.
const HEADER_LIMIT: usize = 16 * 1024;
const HEADERS: usize = 64;
/// Out of descriptors: there is one again soon.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Accepts and answers for ever.
pub(super) async fn serve(listener: TcpListener, bounds: Bounds, routes: Arc<impl Routes>) {
    // Counts accepts and requests: the smallest is the one that has been quiet longest.
    let clock = Arc::new(AtomicU64::new(0));
    let mut open: Vec<Connection> = Vec::with_capacity(bounds.connections);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(AFTER_A_FAILED_ACCEPT).await;
            continue;
        };
        // Else a whole backlog could be taken before the first of them was looked at, and the surplus closed unheard.
        tokio::task::yield_now().await;
        open.retain(|connection| !connection.task.is_finished());
        if open.len() >= bounds.connections {
            let quiet = |(_, connection): &(usize, &Connection)| connection.active.load(Ordering::Relaxed);
            if let Some((index, _)) = open.iter().enumerate().min_by_key(quiet) {
                open.swap_remove(index);
            }
        }
        let active = Arc::new(AtomicU64::new(clock.fetch_add(1, Ordering::Relaxed)));
        let (routes, ticks, mine) = (Arc::clone(&routes), Arc::clone(&clock), Arc::clone(&active));
        let task = tokio::spawn(async move {
            connection(stream, bounds, &*routes, &|| {
                mine.store(ticks.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
            })
            .await;
        });
        open.push(Connection { task, active });
    }
}

struct Connection {
    task: JoinHandle<()>,
    active: Arc<AtomicU64>,
}

/// Whoever drops the list of connections ends them.
impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, bounds: Bounds, routes: &impl Routes, request_came: &impl Fn()) {
    // An answer is one small piece.
    let _ = stream.set_nodelay(true);
    let first = AtomicBool::new(true);
    let service = service_fn(|request: Request<Incoming>| {
        first.store(false, Ordering::Relaxed);
        request_came();
        let answer = match *request.method() {
            Method::GET | Method::HEAD => routes.answer(&request),
            _ => method_not_allowed(),
        };
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.next_header);
    http.max_buf_size(HEADER_LIMIT).max_headers(HEADERS);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = &mut connection => return,
        () = sleep(bounds.first_header) => if first.load(Ordering::Relaxed) { return },
    }
    // What goes wrong on a connection is its client's to know.
    let _ = connection.await;
}

fn method_not_allowed() -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// One line of text.
pub(super) fn plain(status: StatusCode, line: &str) -> Answer {
    typed(status, "text/plain; charset=utf-8", format!("{line}\n"))
}

/// Any text; nobody may keep it or take it for something else.
pub(super) fn typed(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    for (name, value) in
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
    {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
