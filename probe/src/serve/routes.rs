//! Maps a path to its answer. The public listener names only class and code; the loopback listener has the report.
//! Every answer is made from the current state; no request makes the probe look at anything.

use super::Shared;
use super::http::{Answer, Routes, plain, typed};
use super::metrics::{CONTENT_TYPE, Metrics};
use crate::process::clock;
use crate::serve::EXIT_CODE;
use credprobe_judge::catalog::Class;
use credprobe_judge::report::{self, page};
use credprobe_judge::text::shown::escaped;
use http::header::{CONTENT_SECURITY_POLICY, HOST, HeaderName};
use http::{HeaderValue, Request, StatusCode, Uri, uri::Authority};
use hyper::body::Incoming;
use std::sync::Arc;

/// The routes `/livez`, `/readyz` and `/metrics`.
pub(super) struct Public {
    shared: Arc<Shared>,
    metrics: Metrics,
}

impl Public {
    pub(super) fn new(shared: Arc<Shared>, metrics: Metrics) -> Self {
        Self { shared, metrics }
    }
}

impl Routes for Public {
    fn answer(&self, request: &Request<Incoming>) -> Answer {
        match request.uri().path() {
            "/livez" => plain(StatusCode::OK, "ok"),
            "/readyz" => {
                let (ready, because) = self.shared.state().readyz(clock::instant());
                plain(status(ready), &escaped(&because.to_string()))
            }
            "/metrics" => typed(StatusCode::OK, CONTENT_TYPE, self.metrics.text()),
            _ => plain(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics"),
        }
    }
}

/// The page, and the routes `/report` and `/status`.
pub(super) struct Admin {
    shared: Arc<Shared>,
}

impl Admin {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn page(&self) -> Answer {
        let state = self.shared.state();
        let (ready, because) = state.readyz(clock::instant());
        let content = page::Content {
            report: state.shown(),
            newest: state.newest(),
            exchanged: state.exchanged(),
            ready,
            because: &because.to_string(),
            history: state.history(),
            since: state.since(),
            next_exchange: state.next_exchange,
            now: clock::now(),
        };
        let mut answer = typed(StatusCode::OK, "text/html; charset=utf-8", page::render(&content));
        let policy = HeaderValue::from_str(&content_security_policy());
        if let Ok(policy) = policy {
            answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        answer
    }

    fn report(&self) -> Answer {
        let state = self.shared.state();
        let Some(report) = state.shown() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "there is no verdict yet");
        };
        match report.json() {
            Ok(json) => typed(StatusCode::OK, "application/json", json + "\n"),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the report does not serialise"),
        }
    }

    /// For `credprobe status`: the code to exit with, and the line to print.
    fn status(&self) -> Answer {
        let state = self.shared.state();
        let (ready, because) = state.readyz(clock::instant());
        let class = because.class().unwrap_or(Class::Ready);
        let line = match state.shown().filter(|shown| shown.verdict.class == class) {
            Some(shown) => report::termination::lines(shown),
            None => escaped(&because.to_string()),
        };
        let mut answer = plain(status(ready), &line);
        let code = if ready { 0 } else { class.code() };
        answer.headers_mut().insert(HeaderName::from_static(EXIT_CODE), HeaderValue::from(u16::from(code)));
        answer
    }
}

impl Routes for Admin {
    fn answer(&self, request: &Request<Incoming>) -> Answer {
        if !is_for_loopback(request) {
            let line = "this server answers to localhost, 127.0.0.1 and [::1] only";
            return plain(StatusCode::MISDIRECTED_REQUEST, line);
        }
        match request.uri().path() {
            "/" => self.page(),
            "/report" => self.report(),
            "/status" => self.status(),
            _ => plain(StatusCode::NOT_FOUND, "there are /, /report and /status"),
        }
    }
}

fn status(ready: bool) -> StatusCode {
    if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Rejects DNS rebinding: a web page whose name was pointed at loopback sends that name as the host.
fn is_for_loopback(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let named = |authority: &Authority| {
        let host = authority.host();
        host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || host == "[::1]"
    };
    let of_header = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let no_user = |authority: &Authority| !authority.as_str().contains('@');
    // A host in the request line takes precedence over the header (RFC 9112 §3.2.2).
    let of_line = Uri::authority(request.uri());
    of_header.as_ref().is_some_and(|host| named(host) && no_user(host)) && of_line.is_none_or(named)
}

/// Allows no frames and nothing from other origins. The style sheet and the script are allowed by their hashes.
#[must_use]
pub(super) fn content_security_policy() -> String {
    use base64::Engine as _;
    let hash = |text: &str| {
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(hash)
    };
    let (style, script) = (hash(page::STYLE), hash(page::SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
