//! `/metrics` in the OpenMetrics text format. Names and labels are stable, and none of them is an account, a role or a pod.
//! Made from `state`, at most ten times a second. A value that is not known yet has no sample.

use super::Shared;
use super::state::State;
use crate::process::aside::locked;
use crate::process::clock;
use bytes::Bytes;
use credprobe_judge::catalog::Class;
use credprobe_judge::report::Report;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// The content type of OpenMetrics 1.0.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The text is reused for this long, however many clients ask.
const FRESH: Duration = Duration::from_millis(100);

/// The metrics that Prometheus scrapes.
pub(super) struct Metrics {
    registry: Registry,
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl Metrics {
    /// With `full`, `credprobe_class` has a sample for each class too.
    #[must_use]
    pub(super) fn new(shared: Arc<Shared>, full: bool) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape { shared, full }));
        Self { registry, last: Mutex::new(None) }
    }

    /// The whole response body.
    #[must_use]
    pub(super) fn text(&self) -> Bytes {
        let mut last = locked(&self.last);
        let now = clock::instant();
        if let Some((_, text)) = last.as_ref().filter(|(made, _)| now.duration_since(*made) < FRESH) {
            return text.clone();
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        last.insert((now, text.into())).1.clone()
    }
}

struct Scrape {
    shared: Arc<Shared>,
    full: bool,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrape")
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let state = self.shared.state();
        let mut out = Out(&mut encoder);
        out.build_info()?;
        exchanges(&mut out, &state)?;
        let last_success = state.last_success;
        out.time("credprobe_last_success_timestamp_seconds", "When a verdict was last ready", last_success)?;
        if let Some(report) = state.shown() {
            out.gauge(
                "credprobe_ready",
                "Whether the pod is ready by the verdicts, whatever --report-only lets pass",
                i64::from(state.is_ready(clock::instant())),
            )?;
            let help = "Code of the verdict's class, 0 when ready; see credprobe explain";
            out.gauge("credprobe_verdict_code", help, i64::from(report.verdict.code))?;
            let (told, help) =
                (report.in_ids(), "The verdict in words: class, who acts, and what a ready one hides");
            let (owner, but) = (told.owner.map_or("", |it| it.id()), told.but.map_or("", |it| it.id()));
            out.info(
                "credprobe_verdict",
                help,
                &[("class", told.class.id()), ("owner", owner), ("but", but)],
            )?;
            if self.full {
                classes(&mut out, report.verdict.class)?;
            }
        }
        let token = state.newest().and_then(|report| report.evidence.token.as_ref());
        let (exp, iat) = (token.and_then(|token| token.exp), token.and_then(|token| token.iat));
        out.time("credprobe_token_expiry_timestamp_seconds", "When the token in the file expires", exp)?;
        out.time("credprobe_token_issued_timestamp_seconds", "When the token in the file was issued", iat)?;
        let session = state.exchanged().and_then(session_expiry);
        out.time(
            "credprobe_session_expiry_timestamp_seconds",
            "When the credentials of the last exchange expire",
            session,
        )
    }
}

fn session_expiry(report: &Report) -> Option<i64> {
    let agent = || report.evidence.agent.as_ref()?.answer.as_ref()?.expiration;
    report.evidence.exchange.as_ref().and_then(|exchange| exchange.expiration).or_else(agent)
}

fn exchanges(out: &mut Out<'_, '_>, state: &State) -> fmt::Result {
    let help = "Exchanges by how the verdict came out";
    let mut family = out.0.encode_descriptor("credprobe_exchanges", help, None, MetricType::Counter)?;
    for (result, count) in [("ok", state.succeeded), ("error", state.failed)] {
        let counter = prometheus_client::metrics::counter::ConstCounter::new(count);
        counter.encode(family.encode_family(&[("result", result)])?)?;
    }
    let network = state.exchanged().and_then(|report| report.evidence.network.as_ref());
    let Some(phases) = network.map(|network| &network.phases_ms) else { return Ok(()) };
    let help = "How long a phase of the last exchange took";
    let name = "credprobe_phase_duration_seconds";
    let mut family = out.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (phase, milliseconds) in [
        ("resolve", phases.resolve),
        ("connect", phases.connect),
        ("tls", phases.tls),
        ("processing", phases.processing),
        ("transfer", phases.transfer),
    ] {
        if let Some(milliseconds) = milliseconds {
            let gauge = ConstGauge::new(milliseconds / 1_000.0);
            gauge.encode(family.encode_family(&[("phase", phase)])?)?;
        }
    }
    Ok(())
}

fn classes(out: &mut Out<'_, '_>, shown: Class) -> fmt::Result {
    let help = "1 for the verdict's class, 0 for every other";
    let mut family = out.0.encode_descriptor("credprobe_class", help, None, MetricType::Gauge)?;
    for class in Class::all() {
        let gauge = ConstGauge::new(i64::from(*class == shown));
        gauge.encode(family.encode_family(&[("class", class.id())])?)?;
    }
    Ok(())
}

struct Out<'o, 'e>(&'o mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn gauge<N: EncodeGaugeValue>(&mut self, name: &str, help: &str, value: N) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    /// A gauge in seconds since the epoch. An unknown time has no sample.
    fn time(&mut self, name: &str, help: &str, seconds: Option<i64>) -> fmt::Result {
        seconds.map_or(Ok(()), |seconds| self.gauge(name, help, seconds))
    }

    fn build_info(&mut self) -> fmt::Result {
        let help = "The version that runs";
        self.info("credprobe_build", help, &[("version", env!("CARGO_PKG_VERSION"))])
    }

    /// An info metric; the name of its sample ends with `_info`.
    fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }
}
