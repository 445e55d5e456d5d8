//! What `serve` knows: the last verdicts, whether the pod is ready by them, what is to be counted. Pure: times are given.
//! Every answer over HTTP and the condition are made from it; `cycle` fills it.

use super::readiness::{Mode, Readiness, breaks_at_once};
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence::StageName;
use credprobe_judge::judge::finding::Severity;
use credprobe_judge::judge::gate::is_certain;
use credprobe_judge::report::page::PastVerdict;
use credprobe_judge::report::{Report, ReportedFinding, Scope, Status, Told};
use credprobe_judge::text::parse_rfc3339;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How many verdicts the page's strip shows.
pub const HISTORY: usize = 50;
/// A local judgement older than this many intervals is no news any more.
const STALE_INTERVALS: u32 = 3;
/// Intervals that are shorter than a busy node's hiccups make nothing stale.
const SHORTEST_STALE: Duration = Duration::from_secs(1);

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    pub interval: Duration,
    pub readiness: Mode,
    pub hold: Duration,
    /// STS is never asked, so that the local verdict is all there is.
    pub no_network: bool,
    pub report_only: bool,
    /// Why nothing is judged.
    pub disabled: Option<String>,
}

/// The verdicts so far.
#[derive(Debug)]
pub struct State {
    settings: Settings,
    readiness: Readiness,
    /// Whether the pod was ready by the last verdict for which everything could be seen.
    kept: bool,
    /// The last local judgement, where it is newer than the last exchange.
    local: Option<Local>,
    /// The last judgement that was free to exchange did not: something stood in the way.
    unasked: bool,
    /// When the last judgement of either kind was made.
    judged_at: Option<Instant>,
    /// The last judgement with an exchange in it.
    exchanged: Option<Report>,
    accepted: Option<Accepted>,
    /// How many exchanges in a row failed.
    failures: u32,
    pub succeeded: u64,
    pub failed: u64,
    /// Seconds since the epoch.
    pub last_success: Option<i64>,
    /// When the next exchange is due, in seconds since the epoch.
    pub next_exchange: Option<i64>,
    /// Since when the verdict shown is as it is.
    since: Option<i64>,
    history: VecDeque<PastVerdict>,
}

#[derive(Debug)]
struct Local {
    report: Report,
    at: Instant,
    /// It counts for more than the last exchange.
    overrides_exchange: bool,
}

/// The token that STS accepted last, and its time then: where our clock takes that token for expired, ours is wrong.
#[derive(Debug)]
struct Accepted {
    token: TokenFingerprint,
    /// Seconds since the epoch.
    date: i64,
    at: Instant,
}

/// What tells one token from the next.
#[derive(Debug, PartialEq, Eq)]
struct TokenFingerprint {
    /// Kubelet's link, which it swaps for other content only.
    data_link: Option<String>,
    /// `iat`, `exp`, `jti`.
    claims: Option<(Option<i64>, Option<i64>, Option<String>)>,
    /// The file's time, where there are no claims: a copy may be written again and again with the same token.
    modified: Option<i64>,
}

/// Why `/readyz` says what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadinessReason {
    /// The verdict shown.
    Verdict(Class),
    /// It is not ready, and the pod stays so all the same.
    Held(Class),
    /// It is about the cluster of `--cluster`, whose trouble takes no application out of service.
    Beside(Class),
    /// The class is one of `--tolerate`.
    Tolerated(Class),
    ReportOnly(Option<Class>),
    /// It is ready, but this will go wrong; whether the run only reports.
    But(Class, bool),
    Disabled(String),
    NoVerdict,
    Stale,
}

impl State {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            readiness: Readiness::new(settings.readiness, settings.hold),
            settings,
            kept: false,
            local: None,
            unasked: false,
            judged_at: None,
            exchanged: None,
            accepted: None,
            failures: 0,
            succeeded: 0,
            failed: 0,
            last_success: None,
            next_exchange: None,
            since: None,
            history: VecDeque::with_capacity(HISTORY),
        }
    }

    /// Takes a judgement without an exchange.
    pub fn judged_locally(&mut self, report: Report, now: Instant) {
        self.keep(now);
        self.judged_at = Some(now);
        let overrides_exchange = self.overrides_exchange(&report, now);
        // What keeps the free judgement from exchanging may be seen by nobody else: a CA bundle, say. It looks again soon.
        if overrides_exchange || !self.unasked {
            let before = self.told();
            self.local = Some(Local { report, at: now, overrides_exchange });
            self.note(before, false);
        }
    }

    /// Takes a judgement that was free to exchange and began then; what is certain may have kept it from that.
    pub fn judged(&mut self, report: Report, began: Instant, now: Instant) {
        self.keep(now);
        let before = self.told();
        self.judged_at = Some(now);
        self.unasked = report.verdict.scope == Scope::Local;
        if self.unasked {
            self.local = Some(Local { report, at: now, overrides_exchange: true });
            return self.note(before, false);
        }
        if report.verdict.class == Class::Ready {
            self.succeeded += 1;
            self.last_success = parse_rfc3339(&report.observed_at);
        } else {
            self.failed += 1;
        }
        self.failures = if exchange_failed(&report) { self.failures.saturating_add(1) } else { 0 };
        self.readiness.exchanged(report.verdict.class, counts_as_ready(&report), now);
        if let Some(answer) = &report.evidence.exchange {
            let date = answer.date.filter(|_| answer.issued);
            self.accepted = date.map(|date| Accepted { token: TokenFingerprint::of(&report), date, at: now });
        }
        self.exchanged = Some(report);
        // An exchange takes seconds, in which the file may have gone.
        self.local = self.local.take().filter(|local| local.at > began).map(|local| {
            let overrides_exchange = self.overrides_exchange(&local.report, now);
            Local { overrides_exchange, ..local }
        });
        self.note(before, self.local.as_ref().is_none_or(|local| !local.overrides_exchange));
    }

    fn keep(&mut self, now: Instant) {
        if let Some(shown) = self.shown().filter(|shown| !is_unseen(shown)) {
            self.kept = self.is_ready_by(shown, now);
        }
    }

    fn overrides_exchange(&self, local: &Report, now: Instant) -> bool {
        let told = |class| self.exchanged().is_some_and(|report| errors(report).any(|it| it.class == class));
        self.settings.no_network
            || is_unseen(local)
            || is_blocked(local)
            || self.immediate_failures(local, now).any(|finding| !told(finding.class))
    }

    fn note(&mut self, before: Option<Told>, always: bool) {
        let Some(report) = self.shown() else { return };
        let past = PastVerdict {
            at: parse_rfc3339(&report.observed_at).unwrap_or_default(),
            told: report.in_ids(),
            passes: passes(report),
        };
        self.readiness.shown(counts_as_ready(report));
        let is_news = before != Some(past.told);
        if is_news {
            self.since = Some(past.at);
        }
        if always || is_news {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(past);
        }
    }

    /// The verdict in force: what the last exchange said, unless something that is certain has come up since.
    #[must_use]
    pub fn shown(&self) -> Option<&Report> {
        match &self.local {
            Some(local) if local.overrides_exchange => Some(&local.report),
            _ => self.exchanged(),
        }
    }

    /// The same in ids.
    #[must_use]
    pub fn told(&self) -> Option<Told> {
        self.shown().map(Report::in_ids)
    }

    /// Since when it is as it is, in seconds since the epoch.
    #[must_use]
    pub fn since(&self) -> Option<i64> {
        self.since
    }

    /// An expired token, say, unless it has not expired by the clock of STS.
    fn immediate_failures<'r>(
        &self,
        report: &'r Report,
        now: Instant,
    ) -> impl Iterator<Item = &'r ReportedFinding> {
        let valid_at_sts = self.accepted.as_ref().is_some_and(|accepted| {
            let since = now.saturating_duration_since(accepted.at).as_secs();
            let date = accepted.date.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
            let expiry = report.evidence.token.as_ref().and_then(|token| token.exp);
            expiry.is_some_and(|expiry| date < expiry) && accepted.token == TokenFingerprint::of(report)
        });
        errors(report)
            .filter(|finding| breaks_at_once(finding.class))
            .filter(move |finding| finding.class != Class::TokenExpired || !valid_at_sts)
    }

    /// Whether the token differs from the one exchanged last, or has expired since.
    #[must_use]
    pub fn wants_exchange(&self, now: Instant) -> bool {
        let (Some(local), Some(exchanged)) = (&self.local, &self.exchanged) else { return false };
        let local = &local.report;
        if is_unseen(local) {
            return false;
        }
        let breaks = |class| self.immediate_failures(local, now).any(|finding| finding.class == class);
        let told = |class| exchanged.findings.iter().find(|finding| finding.class == class);
        let expired = errors(local).filter(|finding| breaks_at_once(finding.class)).any(|finding| {
            told(finding.class).is_none_or(|told| {
                // It was accepted all the same; asked again when that tells nothing any more, and not for ever where STS said no time.
                told.severity != Severity::Error && self.accepted.is_some() && breaks(finding.class)
            })
        });
        !is_blocked(local) && (TokenFingerprint::of(local) != TokenFingerprint::of(exchanged) || expired)
    }

    /// Whether the last judgement that was free to exchange did not: what stands in the way may be gone soon.
    #[must_use]
    pub fn is_unasked(&self) -> bool {
        self.unasked
    }

    /// How many exchanges in a row failed, and the wish of the last answer, in seconds.
    #[must_use]
    pub fn failures(&self) -> (u32, Option<u64>) {
        let exchange = self.exchanged().and_then(|report| report.evidence.exchange.as_ref());
        (self.failures, exchange.and_then(|exchange| exchange.retry_after))
    }

    /// By the verdicts alone, whatever `--report-only` says.
    #[must_use]
    pub fn is_ready(&self, now: Instant) -> bool {
        !self.is_stale(now) && self.shown().is_some_and(|report| self.is_ready_by(report, now))
    }

    fn is_ready_by(&self, shown: &Report, now: Instant) -> bool {
        if is_unseen(shown) {
            return self.kept;
        }
        let breaks = self.immediate_failures(shown, now).next().is_some();
        self.readiness.is_ready(counts_as_ready(shown), breaks)
    }

    fn is_stale(&self, now: Instant) -> bool {
        let limit = (self.settings.interval * STALE_INTERVALS).max(SHORTEST_STALE);
        self.judged_at.is_none_or(|at| now.saturating_duration_since(at) > limit)
    }

    /// What probes are told, and why.
    #[must_use]
    pub fn readyz(&self, now: Instant) -> (bool, ReadinessReason) {
        if let Some(reason) = &self.settings.disabled {
            return (true, ReadinessReason::Disabled(reason.clone()));
        }
        let shown = self.shown();
        let but = shown.and_then(|shown| shown.in_ids().but);
        if self.settings.report_only {
            if let Some(but) = but {
                return (true, ReadinessReason::But(but, true));
            }
            return (true, ReadinessReason::ReportOnly(shown.map(|report| report.verdict.class)));
        }
        let Some(shown) = shown else { return (false, ReadinessReason::NoVerdict) };
        if self.is_stale(now) {
            return (false, ReadinessReason::Stale);
        }
        let (ready, class) = (self.is_ready_by(shown, now), shown.verdict.class);
        let because = match (but, ready) {
            (Some(but), _) => ReadinessReason::But(but, false),
            (None, true) if shown.verdict.tolerated => ReadinessReason::Tolerated(class),
            (None, true) if fails_at_the_cluster_alone(shown) => ReadinessReason::Beside(class),
            (None, true) if class != Class::Ready => ReadinessReason::Held(class),
            _ => ReadinessReason::Verdict(class),
        };
        (ready, because)
    }

    /// The newest judgement, for what changes without an exchange: the token.
    #[must_use]
    pub fn newest(&self) -> Option<&Report> {
        self.local.as_ref().map(|local| &local.report).or(self.exchanged())
    }

    /// The newest judgement with an exchange in it.
    #[must_use]
    pub fn exchanged(&self) -> Option<&Report> {
        self.exchanged.as_ref()
    }

    /// Oldest first, at most [`HISTORY`].
    #[must_use]
    pub fn history(&self) -> &VecDeque<PastVerdict> {
        &self.history
    }
}

impl ReadinessReason {
    /// Which class it is about; before the first verdict and after the last fresh one `inconclusive`.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Verdict(class) | Self::Held(class) | Self::Beside(class) | Self::Tolerated(class) => {
                Some(*class)
            }
            Self::ReportOnly(class) => *class,
            Self::But(..) => Some(Class::Ready),
            Self::Disabled(_) => None,
            Self::NoVerdict | Self::Stale => Some(Class::Inconclusive),
        }
    }
}

/// Names nothing but class and code: anyone in the cluster may read it.
impl std::fmt::Display for ReadinessReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(class) = self.class() {
            write!(f, "{} {}", class.id(), class.code())?;
        }
        f.write_str(match self {
            Self::Verdict(_) => "",
            Self::Held(_) => ", still ready: it must last to count",
            Self::Beside(_) => ", ready: the application's credentials are",
            Self::Tolerated(_) => ", tolerated",
            Self::ReportOnly(None) => "report only, no verdict yet",
            Self::ReportOnly(Some(_)) => ", report only",
            Self::But(but, report_only) => {
                let only = if *report_only { ", report only" } else { "" };
                return write!(f, ", but {}{only}", but.id());
            }
            Self::Disabled(reason) => return write!(f, "switched off by CREDPROBE_DISABLED: {reason}"),
            Self::NoVerdict => ": no verdict yet",
            Self::Stale => ": the last verdict is too old",
        })
    }
}

/// Ready, or tolerated.
#[must_use]
pub fn passes(report: &Report) -> bool {
    report.verdict.class == Class::Ready || report.verdict.tolerated
}

/// The same, and what the application does not depend on.
fn counts_as_ready(report: &Report) -> bool {
    passes(report) || fails_at_the_cluster_alone(report)
}

/// The exchange was good, and so was all before it.
fn fails_at_the_cluster_alone(report: &Report) -> bool {
    let mut failed = report.stages.iter().filter(|stage| stage.status == Status::Failed).peekable();
    failed.peek().is_some() && failed.all(|stage| stage.stage == StageName::Cluster)
}

/// Whether the next exchange is to come sooner. What the role may do, and what a cluster says, is asked at the exchange's
/// interval, however that came out: such questions never go into the failures' back-off.
fn exchange_failed(report: &Report) -> bool {
    let verdict = &report.verdict;
    let after_ready = verdict.class.info().stage.is_some_and(|it| it > StageName::Identity);
    let is_open = verdict.class == Class::Inconclusive && !report.evidence.access.is_empty();
    verdict.class != Class::Ready && !after_ready && !is_open && !fails_at_the_cluster_alone(report)
}

/// What the probe could not look at, for reasons of its own, makes no pod unready, nor ready.
fn is_unseen(report: &Report) -> bool {
    let own = report.verdict.class == Class::Inconclusive && !report.verdict.tolerated;
    own && !fails_at_the_cluster_alone(report)
}

fn errors(report: &Report) -> impl Iterator<Item = &ReportedFinding> {
    report.findings.iter().filter(|finding| finding.severity == Severity::Error)
}

fn is_blocked(report: &Report) -> bool {
    errors(report).any(|finding| is_certain(finding.class, finding.severity, finding.expectation))
}

impl TokenFingerprint {
    fn of(report: &Report) -> Self {
        let (file, token) = (&report.evidence.token_file, &report.evidence.token);
        let claims = token.as_ref().map(|token| (token.iat, token.exp, token.jti.clone()));
        let claims = claims.filter(|claims| *claims != (None, None, None));
        let modified = file.as_ref().and_then(|file| file.modified).filter(|_| claims.is_none());
        Self { data_link: file.as_ref().and_then(|file| file.data_link.clone()), claims, modified }
    }
}
