//! Simulates a pod's world on the paused clock: token file, wall clock, STS. It produces evidence; the real judges judge it.

use super::super::Shared;
use super::super::cycle::{self, Judge};
use super::super::metrics::Metrics;
use super::super::readiness::Mode;
use super::super::schedule::Schedule;
use super::super::state::{ReadinessReason, Settings, State};
use crate::process::clock;
use credprobe_judge::evidence::{
    AccessCall, AccessSession, Cluster, Collected, Evidence, Exchange, Failure, FailureKind, Network, Phase,
    StageName, StsError, Timing, TrustProblem,
};
use credprobe_judge::judge::fixtures::{NOW, directory, healthy};
use credprobe_judge::report::{Report, ReportOptions};
use credprobe_judge::verdict::Tolerate;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How STS behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sts {
    Accepts,
    Denies,
    Away,
    Slow(Duration),
    /// STS accepts, and the API server of the stated cluster answers with this status.
    Cluster(u16),
    /// STS accepts, and a stated access is denied.
    Forbids,
    /// STS accepts, and a stated access cannot be checked.
    Unproved,
}

/// `iat`: when it was issued, in seconds after the start. `ttl`: how long it is valid, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) iat: i64,
    pub(super) ttl: i64,
}

pub(super) struct Pod {
    shared: Arc<Shared>,
    settings: Settings,
    start: Instant,
    jumped: Cell<i64>,
    token: Cell<Token>,
    file_missing: Cell<bool>,
    token_unseen: Cell<bool>,
    hangs: Cell<bool>,
    bundle_broken: Cell<bool>,
    keys_set: Cell<bool>,
    written_at: Cell<Option<i64>>,
    tolerate: Tolerate,
    sts: Cell<Sts>,
    exchanges: Cell<u32>,
    random: Cell<u64>,
    said: RefCell<Vec<String>>,
}

/// A different seed for each pod.
static SEED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

impl Pod {
    pub(super) fn new(mode: Mode) -> Self {
        Self::with(mode, |_| {})
    }

    pub(super) fn with(mode: Mode, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            interval: Duration::from_secs(15),
            readiness: mode,
            hold: Duration::from_secs(900),
            no_network: false,
            report_only: false,
            disabled: None,
        };
        change(&mut settings);
        Self {
            shared: Arc::new(Shared::new(settings.clone())),
            settings,
            start: clock::instant(),
            jumped: Cell::new(0),
            token: Cell::new(Token { iat: -300, ttl: 86_400 }),
            file_missing: Cell::new(false),
            token_unseen: Cell::new(false),
            hangs: Cell::new(false),
            bundle_broken: Cell::new(false),
            keys_set: Cell::new(false),
            written_at: Cell::new(None),
            tolerate: Tolerate::default(),
            sts: Cell::new(Sts::Accepts),
            exchanges: Cell::new(0),
            random: Cell::new(SEED.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
            said: RefCell::default(),
        }
    }

    pub(super) fn tolerating(codes: &str) -> Self {
        Self { tolerate: Tolerate::parse(codes).unwrap(), ..Self::new(Mode::Hold) }
    }

    /// Runs the cycle until `script` ends.
    pub(super) async fn run(&self, script: impl Future<Output = ()>) {
        let schedule =
            Schedule { interval: self.settings.interval, exchange_interval: Duration::from_secs(3600) };
        let say = |report: &Report| self.said.borrow_mut().push(report.log_line());
        tokio::select! {
            () = cycle::run(self, schedule, self.settings.no_network, &self.shared, &say) => {}
            () = script => {}
        }
    }

    pub(super) async fn wait(&self, duration: Duration) {
        sleep(duration).await;
    }

    pub(super) fn sts(&self, sts: Sts) {
        self.sts.set(sts);
    }

    pub(super) fn place(&self, token: Token) {
        self.token.set(token);
    }

    pub(super) fn token(&self) -> Token {
        let token = self.token.get();
        Token { iat: NOW + token.iat, ..token }
    }

    /// Acts as the kubelet: places a new token, issued now.
    pub(super) fn rotate(&self) {
        self.place(Token { iat: self.true_time() - NOW, ttl: 86_400 });
    }

    pub(super) fn remove_file(&self, missing: bool) {
        self.file_missing.set(missing);
    }

    /// Makes the token unobservable, without a reason.
    pub(super) fn hide_token(&self, hidden: bool) {
        self.token_unseen.set(hidden);
    }

    /// Makes the token's file system hang.
    pub(super) fn hang(&self, hangs: bool) {
        self.hangs.set(hangs);
    }

    /// Configures a CA bundle that cannot be used. Only a judgement that is about to send something looks at it.
    pub(super) fn break_bundle(&self, broken: bool) {
        self.bundle_broken.set(broken);
    }

    /// Sets static keys, which every SDK prefers.
    pub(super) fn set_keys(&self) {
        self.keys_set.set(true);
    }

    /// Writes the same token again.
    pub(super) fn write_again(&self) {
        self.written_at.set(Some(self.true_time()));
    }

    /// How often a verdict was announced: each time that class, warning or owner changed.
    pub(super) fn said(&self) -> usize {
        self.said.borrow().len()
    }

    pub(super) fn last_said(&self) -> String {
        self.said.borrow().last().cloned().unwrap_or_default()
    }

    pub(super) fn metrics(&self) -> String {
        let text = Metrics::new(Arc::clone(&self.shared), false).text();
        std::str::from_utf8(&text).unwrap().to_owned()
    }

    /// Moves only the node's clock.
    pub(super) fn jump(&self, seconds: i64) {
        self.jumped.set(seconds);
    }

    pub(super) fn exchanges(&self) -> u32 {
        self.exchanges.get()
    }

    pub(super) fn readyz(&self) -> (bool, ReadinessReason) {
        self.shared.state().readyz(clock::instant())
    }

    pub(super) fn state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.shared.state())
    }

    /// The value of a sample without labels, read as Prometheus would.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let text = self.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }

    pub(super) fn wall(&self) -> i64 {
        self.true_time() + self.jumped.get()
    }

    fn true_time(&self) -> i64 {
        NOW + i64::try_from((clock::instant() - self.start).as_secs()).unwrap()
    }

    fn evidence(&self) -> Evidence {
        let mut evidence = healthy();
        evidence.environment.options.no_network = self.settings.no_network;
        if self.keys_set.get() {
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
                evidence.environment.variables.insert(name.to_owned(), "set".to_owned());
            }
        }
        let Token { iat, ttl } = self.token();
        let file = evidence.token_file.as_mut().unwrap();
        file.data_link = Some(directory(iat));
        file.modified = self.written_at.get().or(file.modified);
        if self.file_missing.get() {
            file.kind = None;
            file.proof = None;
            file.open_error = Some("ENOENT".to_owned());
            evidence.token = None;
            return evidence;
        }
        if self.token_unseen.get() {
            evidence.token = None;
            return evidence;
        }
        let token = evidence.token.as_mut().unwrap();
        (token.iat, token.nbf, token.exp) = (Some(iat), Some(iat), Some(iat + ttl));
        evidence
    }

    fn stuck(&self) -> Evidence {
        let mut evidence = Evidence { unanswered: Some("/mnt/token".to_owned()), ..Evidence::default() };
        evidence.environment.options.no_network = self.settings.no_network;
        evidence
    }

    fn report(&self, evidence: Evidence) -> Report {
        let options = ReportOptions {
            tolerate: &self.tolerate,
            report_only: self.settings.report_only,
            attempts: 1,
            flapped: false,
        };
        let mut timings = vec![Timing::reached(StageName::Environment, 0.1)];
        if evidence.cluster.is_some() {
            timings.push(Timing::reached(StageName::Cluster, 0.1));
        }
        credprobe_judge::assess(
            Collected { evidence, seen: true, observed_at: self.wall(), timings },
            &options,
        )
    }

    fn answer(&self, sts: Sts) -> Exchange {
        let (date, received_at) = (Some(self.true_time()), self.wall());
        let accepted = Exchange {
            status: 200,
            from_sts: true,
            date,
            received_at,
            issued: true,
            expiration: Some(self.true_time() + 900),
            assumed_role_arn: Some("arn:aws:sts::814203749616:assumed-role/checkout-reader/s".to_owned()),
            ..Exchange::default()
        };
        let refused = |code: &str, message: &str| Exchange {
            status: 403,
            issued: false,
            expiration: None,
            assumed_role_arn: None,
            error: Some(StsError { code: code.to_owned(), message: message.to_owned() }),
            ..accepted.clone()
        };
        let token = self.token();
        if token.iat + token.ttl < self.true_time() {
            return refused(
                "ExpiredTokenException",
                "Token expired: current date/time must be before the expiration date/time",
            );
        }
        match sts {
            Sts::Denies => refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
            _ => accepted,
        }
    }
}

impl Judge for Pod {
    async fn locally(&self) -> Report {
        if self.hangs.get() {
            sleep(self.settings.interval).await;
            return self.report(self.stuck());
        }
        let mut evidence = self.evidence();
        // `collect_locally` sets the same.
        evidence.environment.options.no_network = true;
        self.report(evidence)
    }

    async fn with_exchange(&self) -> Report {
        if self.hangs.get() {
            sleep(Duration::from_secs(10)).await;
            return self.report(self.stuck());
        }
        let mut evidence = self.evidence();
        if self.bundle_broken.get() {
            evidence.environment.trust_problem = Some(TrustProblem::default());
        }
        if evidence.token.is_none() || self.bundle_broken.get() {
            return self.report(evidence);
        }
        self.exchanges.set(self.exchanges.get() + 1);
        let mut network =
            Network { endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(), ..Network::default() };
        match self.sts.get() {
            Sts::Away => {
                sleep(Duration::from_secs(10)).await;
                network.failure = Some(Failure {
                    phase: Phase::Connect,
                    kind: FailureKind::TimedOut,
                    peer: None,
                    errno: None,
                    detail: "no answer to the connection attempt".to_owned(),
                });
            }
            sts => {
                if let Sts::Slow(pause) = sts {
                    sleep(pause).await;
                }
                let answer = self.answer(sts);
                if let (Sts::Cluster(status), true) = (sts, answer.issued) {
                    evidence.environment.options.cluster = Some("prod".to_owned());
                    evidence.cluster = Some(Cluster { status: Some(status), ..Cluster::default() });
                }
                evidence.exchange = Some(answer);
                if matches!(sts, Sts::Forbids | Sts::Unproved) {
                    ask(&mut evidence, sts == Sts::Forbids);
                }
            }
        }
        evidence.network = Some(network);
        self.report(evidence)
    }

    fn random(&self) -> f64 {
        // Knuth's MMIX generator, which is good enough to spread pauses.
        let next =
            self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        (next >> 40) as f64 / (1_u64 << 24) as f64
    }
}

/// Adds a stated access that is denied or that cannot be checked.
fn ask(evidence: &mut Evidence, denied: bool) {
    let (action, resource) = if denied {
        ("s3:ListBucket", "arn:aws:s3:::orders")
    } else {
        ("s3:PutObject", "arn:aws:s3:::orders/x")
    };
    evidence.environment.options.expect_access = vec![format!("{action}={resource}")];
    let error = StsError {
        code: "AccessDenied".to_owned(),
        message: "User: x is not authorized to perform: s3:ListBucket because no identity-based policy allows the s3:ListBucket action".to_owned(),
    };
    let call = AccessCall {
        action: action.to_owned(),
        resource: resource.to_owned(),
        status: Some(403),
        error: Some(error),
        by_aws: true,
        ..AccessCall::default()
    };
    if denied {
        evidence.access = vec![AccessSession { calls: vec![call], ..AccessSession::default() }];
    }
}
