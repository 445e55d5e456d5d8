//! The record of one exchange. It is written during the exchange and lives outside the future that the deadline may drop.
//! It knows phases and times; the judge decides what a failure means.

use super::fault::Fault;
use credprobe_judge::evidence::{
    AddressAttempt, AddressOutcome, Certificate, Failure, FailureKind, Network, Phase, PhasesMs, Question,
    Resolution, TargetTrust, Tls,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// Shared by the exchange, its attempts and the wire's log.
#[derive(Clone)]
pub(super) struct Record(Arc<Mutex<State>>);

struct State {
    /// What is final so far. Work in progress is in the fields below.
    network: Network,
    attempts: Vec<Attempt>,
    phase: Phase,
    phase_began: Instant,
    /// The peer of the connection in use.
    peer: Option<SocketAddr>,
    /// How many bytes of the response body have arrived.
    body_bytes: usize,
    closed: bool,
}

struct Attempt {
    address: SocketAddr,
    began: Instant,
    end: Option<(AddressOutcome, Option<String>, Instant)>,
}

/// The place of one question or attempt in the record.
#[derive(Clone, Copy)]
pub(super) struct Slot(usize);

/// Two questions for each of 33 names, with some retries. A report with more would be too long to be judged again.
const MAX_QUESTIONS: usize = 512;

/// The outcome of a question that has not been answered in time, and so also the initial outcome.
const UNANSWERED: &str = "timeout";

impl Record {
    pub(super) fn new(endpoint: String) -> Self {
        Self(Arc::new(Mutex::new(State {
            network: Network { endpoint, ..Network::default() },
            attempts: Vec::new(),
            phase: Phase::Resolve,
            phase_began: Instant::now(),
            peer: None,
            body_bytes: 0,
            closed: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is valid after each assignment, so a poisoned lock hides nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the current phase and begins the next.
    pub(super) fn enter(&self, phase: Phase) {
        let mut state = self.state();
        let now = Instant::now();
        state.close_phase(now);
        state.phase = phase;
        state.phase_began = now;
    }

    /// Begins at `phase` and skips the earlier ones, for an address literal or a kept connection.
    pub(super) fn begin_at(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        state.phase_began = Instant::now();
    }

    /// Records that the request uses a kept connection to `peer`.
    pub(super) fn reuse(&self, peer: SocketAddr) {
        self.begin_at(Phase::Processing);
        let mut state = self.state();
        state.network.reused = true;
        state.peer = Some(peer);
    }

    pub(super) fn proxy(&self, proxy: &str) {
        self.state().network.proxy = Some(proxy.to_owned());
    }

    pub(super) fn proxy_status(&self, status: u16) {
        self.state().network.proxy_status = Some(status);
    }

    pub(super) fn resolution(&self, resolution: Resolution) {
        self.state().network.resolution = Some(resolution);
    }

    pub(super) fn resolved(&self, addresses: &[IpAddr]) {
        if let Some(resolution) = &mut self.state().network.resolution {
            resolution.addresses = addresses.to_vec();
        }
    }

    /// Adds addresses that arrived after connecting had begun.
    pub(super) fn resolved_late(&self, addresses: &[IpAddr]) {
        if let Some(resolution) = &mut self.state().network.resolution {
            resolution.addresses.extend(addresses);
        }
    }

    /// Records that a name of the search list was found, `found_as`, and the addresses of the name as written.
    pub(super) fn searched(&self, found_as: &str, as_written: Vec<IpAddr>) {
        if let Some(resolution) = &mut self.state().network.resolution {
            resolution.found_as = Some(found_as.to_owned());
            resolution.as_written = as_written;
        }
    }

    /// Adds a question. `None`: the record is full.
    pub(super) fn question(&self, name: &str, record_type: &str, nameserver: String) -> Option<Slot> {
        let mut state = self.state();
        let resolution = state.network.resolution.get_or_insert_default();
        if resolution.questions.len() == MAX_QUESTIONS {
            return None;
        }
        resolution.questions.push(Question {
            name: name.to_owned(),
            record_type: record_type.to_owned(),
            nameserver,
            outcome: UNANSWERED.to_owned(),
            answers: 0,
        });
        Some(Slot(resolution.questions.len() - 1))
    }

    pub(super) fn answered(&self, slot: Slot, outcome: &str, answers: usize) {
        let mut state = self.state();
        let questions = state.network.resolution.as_mut().map(|resolution| &mut resolution.questions);
        if let Some(question) = questions.and_then(|questions| questions.get_mut(slot.0)) {
            question.outcome = outcome.to_owned();
            question.answers = u16::try_from(answers).unwrap_or(u16::MAX);
        }
    }

    /// The questions so far, for a one-line summary.
    pub(super) fn questions(&self) -> Vec<Question> {
        self.state()
            .network
            .resolution
            .as_ref()
            .map(|resolution| resolution.questions.clone())
            .unwrap_or_default()
    }

    pub(super) fn attempt(&self, address: SocketAddr) -> Slot {
        let mut state = self.state();
        state.attempts.push(Attempt { address, began: Instant::now(), end: None });
        Slot(state.attempts.len() - 1)
    }

    pub(super) fn attempted(&self, slot: Slot, outcome: AddressOutcome, errno: Option<String>) {
        if let Some(attempt) = self.state().attempts.get_mut(slot.0) {
            attempt.end.get_or_insert_with(|| (outcome, errno, Instant::now()));
        }
    }

    /// Records that one address won. All other attempts are abandoned.
    pub(super) fn connected(&self, winner: SocketAddr) {
        let mut state = self.state();
        state.peer = Some(winner);
        for attempt in &mut state.attempts {
            attempt.end.get_or_insert_with(|| (AddressOutcome::Abandoned, None, Instant::now()));
        }
    }

    pub(super) fn tls(&self, server_name: &str, roots: &str) {
        let tls = Tls { server_name: server_name.to_owned(), roots: roots.to_owned(), ..Tls::default() };
        self.state().network.tls = Some(tls);
    }

    pub(super) fn chain(&self, chain: Vec<Certificate>, of_target: Option<TargetTrust>) {
        if let Some(tls) = &mut self.state().network.tls {
            tls.chain = chain;
            tls.of_target = of_target;
        }
    }

    pub(super) fn presented(&self) -> Vec<Certificate> {
        self.state().network.tls.as_ref().map(|tls| tls.chain.clone()).unwrap_or_default()
    }

    pub(super) fn tls_version(&self, version: String) {
        if let Some(tls) = &mut self.state().network.tls {
            tls.version = Some(version);
        }
    }

    pub(super) fn body_bytes(&self, count: usize) {
        self.state().body_bytes = count;
    }

    /// Ends the record with a whole response or with `fault`.
    pub(super) fn close(&self, outcome: Result<(), Fault>) -> Network {
        let mut state = self.state();
        let now = Instant::now();
        state.close_phase(now);
        let phase = state.phase;
        let peer = state.furthest_peer();
        state.network.failure = outcome.err().map(|fault| fault.peer(peer).in_phase(phase));
        state.settle_attempts(now);
        state.closed = true;
        state.network.clone()
    }

    /// Ends the record because the deadline passed.
    pub(super) fn expire(&self) -> Network {
        let fault = {
            let state = self.state();
            Fault::new(FailureKind::TimedOut, state.outstanding())
        };
        self.close(Err(fault))
    }

    /// The current state. An exchange that its caller dropped looks like a timeout.
    pub(super) fn snapshot(&self) -> Network {
        let state = self.state();
        if !state.closed {
            let now = Instant::now();
            let failure = Failure {
                phase: state.phase,
                kind: FailureKind::TimedOut,
                peer: state.furthest_peer(),
                errno: None,
                detail: "given up before its end by the caller".to_owned(),
            };
            let mut network = state.network.clone();
            network.addresses = state.addresses(now);
            network.failure = Some(failure);
            return network;
        }
        state.network.clone()
    }

    /// Removes what a dead kept connection left: the same request starts again on a new connection.
    pub(super) fn restart(&self) {
        let mut state = self.state();
        state.network.reused = false;
        state.peer = None;
        state.network.phases_ms = PhasesMs::default();
        state.phase = Phase::Resolve;
        state.phase_began = Instant::now();
    }
}

impl State {
    fn close_phase(&mut self, now: Instant) {
        let took = Some(now.duration_since(self.phase_began).as_secs_f64() * 1000.0);
        let phases = &mut self.network.phases_ms;
        match self.phase {
            Phase::Resolve => phases.resolve = took,
            Phase::Connect => phases.connect = took,
            Phase::Tls => phases.tls = took,
            Phase::Processing => phases.processing = took,
            Phase::Transfer => phases.transfer = took,
        }
    }

    fn addresses(&self, now: Instant) -> Vec<AddressAttempt> {
        let attempts = self.attempts.iter().map(|attempt| {
            let (outcome, errno, ended) =
                attempt.end.clone().unwrap_or((AddressOutcome::TimedOut, None, now));
            let took_ms = ended.duration_since(attempt.began).as_secs_f64() * 1000.0;
            AddressAttempt { address: attempt.address, outcome, errno, took_ms }
        });
        attempts.collect()
    }

    fn settle_attempts(&mut self, now: Instant) {
        for attempt in &mut self.attempts {
            attempt.end.get_or_insert((AddressOutcome::TimedOut, None, now));
        }
        self.network.addresses = self.addresses(now);
    }

    /// The address in use. If only one was tried, that one.
    fn furthest_peer(&self) -> Option<SocketAddr> {
        let only = match self.attempts.as_slice() {
            [only] => Some(only.address),
            _ => None,
        };
        self.peer.or(only)
    }

    /// What the deadline interrupted, for `detail`.
    fn outstanding(&self) -> String {
        let waited = self.phase_began.elapsed().as_millis();
        let what = match self.phase {
            Phase::Resolve => "no usable answer from a nameserver".to_owned(),
            Phase::Connect if self.attempts.iter().any(|attempt| attempt.end.is_none()) => {
                let open = self.attempts.iter().filter(|attempt| attempt.end.is_none()).count();
                format!("no answer to the TCP connection attempts ({open} outstanding)")
            }
            Phase::Connect if self.network.proxy.is_some() => {
                "connected to the proxy, which did not answer CONNECT".to_owned()
            }
            Phase::Connect => "no address that came so far can be connected to".to_owned(),
            Phase::Tls => "connected, then silence in the TLS handshake".to_owned(),
            Phase::Processing => "request sent, no complete answer header".to_owned(),
            Phase::Transfer => format!("the body stopped or was too slow after {} bytes", self.body_bytes),
        };
        format!("{what}; the attempt's time was up {waited} ms into this phase")
    }
}
