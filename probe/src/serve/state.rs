//! What `serve` knows: the last verdicts, whether they make the pod ready, and the counters. Pure: times are parameters.
//! `cycle` fills it. Every HTTP answer and the readiness condition are made from it.

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

/// How many verdicts the strip on the page shows.
pub const HISTORY: usize = 50;
/// A judgement older than this many intervals is stale.
const STALE_INTERVALS: u32 = 3;
/// Nothing is stale before this time: with a very short interval, a busy node alone would make verdicts stale.
const SHORTEST_STALE: Duration = Duration::from_secs(1);

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    pub interval: Duration,
    pub readiness: Mode,
    pub hold: Duration,
    /// STS is never asked, so there is only the local verdict.
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
    /// Whether the last complete verdict made the pod ready. It holds while the probe cannot look.
    kept: bool,
    /// The last local judgement, if it is newer than the last exchange.
    local: Option<Local>,
    /// True if the last judgement that was allowed to exchange did not, because something prevented it.
    unasked: bool,
    /// When the last judgement was made, local or not.
    judged_at: Option<Instant>,
    /// The last judgement that includes an exchange.
    exchanged: Option<Report>,
    accepted: Option<Accepted>,
    /// How many exchanges in a row failed.
    failures: u32,
    pub succeeded: u64,
    pub failed: u64,
    /// In seconds since the epoch.
    pub last_success: Option<i64>,
    /// When the next exchange is due, in seconds since the epoch.
    pub next_exchange: Option<i64>,
    /// Since when the shown verdict has not changed, in seconds since the epoch.
    since: Option<i64>,
    history: VecDeque<PastVerdict>,
}

#[derive(Debug)]
struct Local {
    report: Report,
    at: Instant,
    /// Whether it takes precedence over the last exchange.
    overrides_exchange: bool,
}

/// The token that STS accepted last, and the time at STS then. If our clock says that this token expired, our clock is wrong.
#[derive(Debug)]
struct Accepted {
    token: TokenFingerprint,
    /// In seconds since the epoch.
    date: i64,
    at: Instant,
}

/// What distinguishes one token from the next.
#[derive(Debug, PartialEq, Eq)]
struct TokenFingerprint {
    /// The target of the kubelet's `..data` link, which changes only with the content.
    data_link: Option<String>,
    /// `iat`, `exp`, `jti`.
    claims: Option<(Option<i64>, Option<i64>, Option<String>)>,
    /// The file's modification time, used only without claims: a copying process may rewrite the same token again and again.
    modified: Option<i64>,
}

/// The reason for the answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadinessReason {
    /// The shown verdict.
    Verdict(Class),
    /// The verdict is not ready, but the pod stays ready.
    Held(Class),
    /// The verdict concerns the cluster of `--cluster`, whose trouble takes no application out of service.
    Beside(Class),
    /// The class is tolerated by `--tolerate`.
    Tolerated(Class),
    ReportOnly(Option<Class>),
    /// The verdict is ready, but this class will cause a failure. The flag is true with `--report-only`.
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

    /// Records a judgement without an exchange.
    pub fn judged_locally(&mut self, report: Report, now: Instant) {
        self.keep(now);
        self.judged_at = Some(now);
        let overrides_exchange = self.overrides_exchange(&report, now);
        // Only the judgement that may exchange sees some obstacles, for example a CA bundle. It looks again soon, so keep its result.
        if overrides_exchange || !self.unasked {
            let before = self.told();
            self.local = Some(Local { report, at: now, overrides_exchange });
            self.note(before, false);
        }
    }

    /// Records a judgement that began at `began` and was allowed to exchange. A certain failure may have prevented the exchange.
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
        // An exchange takes seconds. A local judgement made meanwhile is newer, because the file may have vanished.
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

    /// The verdict in force: that of the last exchange, unless a certain failure has been seen since.
    #[must_use]
    pub fn shown(&self) -> Option<&Report> {
        match &self.local {
            Some(local) if local.overrides_exchange => Some(&local.report),
            _ => self.exchanged(),
        }
    }

    /// The shown verdict, as ids.
    #[must_use]
    pub fn told(&self) -> Option<Told> {
        self.shown().map(Report::in_ids)
    }

    /// Since when the shown verdict has not changed, in seconds since the epoch.
    #[must_use]
    pub fn since(&self) -> Option<i64> {
        self.since
    }

    /// The errors that break the application at once, for example an expired token. If the clock of STS says that the token is still
    /// valid, that one is left out.
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
                // STS accepted this token although our clock says it expired. Ask again once that is out of date, but not forever if
                // STS sent no date.
                told.severity != Severity::Error && self.accepted.is_some() && breaks(finding.class)
            })
        });
        !is_blocked(local) && (TokenFingerprint::of(local) != TokenFingerprint::of(exchanged) || expired)
    }

    /// Whether the last judgement that was allowed to exchange did not. The obstacle may be gone soon.
    #[must_use]
    pub fn is_unasked(&self) -> bool {
        self.unasked
    }

    /// How many exchanges in a row failed, and the `Retry-After` of the last response, in seconds.
    #[must_use]
    pub fn failures(&self) -> (u32, Option<u64>) {
        let exchange = self.exchanged().and_then(|report| report.evidence.exchange.as_ref());
        (self.failures, exchange.and_then(|exchange| exchange.retry_after))
    }

    /// Whether the verdicts make the pod ready, ignoring `--report-only`.
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

    /// The answer of `/readyz` and its reason.
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

    /// The newest judgement, for data that changes without an exchange, such as the token.
    #[must_use]
    pub fn newest(&self) -> Option<&Report> {
        self.local.as_ref().map(|local| &local.report).or(self.exchanged())
    }

    /// The newest judgement that includes an exchange.
    #[must_use]
    pub fn exchanged(&self) -> Option<&Report> {
        self.exchanged.as_ref()
    }

    /// Past verdicts, oldest first, at most [`HISTORY`].
    #[must_use]
    pub fn history(&self) -> &VecDeque<PastVerdict> {
        &self.history
    }
}

impl ReadinessReason {
    /// The class of the reason. It is `inconclusive` before the first verdict and when the last one is stale.
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

/// Names only class and code, because anyone in the cluster may read it.
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

/// Whether the verdict is ready, or tolerated.
#[must_use]
pub fn passes(report: &Report) -> bool {
    report.verdict.class == Class::Ready || report.verdict.tolerated
}

/// Whether the verdict passes, or fails only where the application does not depend on it.
fn counts_as_ready(report: &Report) -> bool {
    passes(report) || fails_at_the_cluster_alone(report)
}

/// Whether the cluster stage is the only one that failed.
fn fails_at_the_cluster_alone(report: &Report) -> bool {
    let mut failed = report.stages.iter().filter(|stage| stage.status == Status::Failed).peekable();
    failed.peek().is_some() && failed.all(|stage| stage.stage == StageName::Cluster)
}

/// Whether the next exchange should come sooner. Checks of what the role may do, and of a cluster, run at the exchange's interval
/// whatever their result: they never go into the back-off after failures.
fn exchange_failed(report: &Report) -> bool {
    let verdict = &report.verdict;
    let after_ready = verdict.class.info().stage.is_some_and(|it| it > StageName::Identity);
    let is_open = verdict.class == Class::Inconclusive && !report.evidence.access.is_empty();
    verdict.class != Class::Ready && !after_ready && !is_open && !fails_at_the_cluster_alone(report)
}

/// Whether the probe itself could not look. That makes the pod neither ready nor unready.
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
