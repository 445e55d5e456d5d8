//! `credprobe serve`: runs two servers, the judging cycle and the readiness gate until SIGTERM, then exits 0.
//! Each has a module below. An HTTP request never causes an exchange.

pub mod cycle;
mod gate;
mod http;
mod listener;
mod metrics;
pub mod options;
pub mod readiness;
mod routes;
pub mod schedule;
pub mod state;

use crate::collect;
use crate::collect::observer::Observer;
use crate::collect::subject::{Subject, SubjectSelector};
use crate::process::aside::{GRACE, Stuck};
use crate::process::signals::Interrupt;
use crate::process::{clock, output};
use crate::serve::options::Serve;
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence;
use credprobe_judge::options::Output;
use credprobe_judge::report::{Report, ReportOptions};
use credprobe_judge::text::shown::escaped;
use gate::Gate;
use http::Bounds;
use metrics::Metrics;
use routes::{Admin, Public};
use state::{Settings, State};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The state that the cycle, the servers and the gate share.
pub struct Shared {
    state: Mutex<State>,
    /// Notified when the token has rotated or expired.
    pub exchange_wanted: Notify,
    /// Notified when there is a new judgement.
    pub changed: Notify,
}

impl Shared {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            state: Mutex::new(State::new(settings)),
            exchange_wanted: Notify::new(),
            changed: Notify::new(),
        }
    }

    /// Ignores poisoning: the state is consistent after every statement.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why `serve` could not start: a line for stderr, and a class that says whose fault it is.
pub struct Refused {
    pub class: Class,
    pub why: String,
}

impl Refused {
    fn usage(why: String) -> Self {
        Self { class: Class::UsageError, why }
    }

    /// Descriptors, memory or threads are used up.
    fn starved(why: String) -> Self {
        Self { class: Class::Inconclusive, why }
    }
}

/// Serves until a signal arrives. `disabled` says why nothing is judged.
///
/// # Errors
/// An address cannot be listened on, or the readiness gate does not know the pod's name.
pub async fn serve(asked: &Serve, disabled: Option<String>) -> Result<(), Refused> {
    let mut interrupt = Interrupt::new();
    let judging = disabled.is_none();
    let shared = Arc::new(Shared::new(Settings {
        interval: asked.schedule.interval,
        readiness: asked.readiness,
        hold: asked.hold,
        no_network: asked.settings.no_network,
        report_only: asked.report_only,
        disabled,
    }));
    let subject = Subject::new(SubjectSelector::Own)
        .map_err(|error| Refused::starved(format!("/ cannot be opened: {error}")))?;
    let gate = match asked.gate.as_ref().map(|condition| Gate::new(&subject, condition)).transpose() {
        Ok(gate) => gate,
        Err(why) if judging => return Err(Refused::usage(why)),
        // If the probe is switched off, a bad gate must not keep the pod from starting.
        Err(why) => {
            tracing::error!("{why}");
            None
        }
    };
    let in_use = |flag: &str, address: SocketAddr, error: &std::io::Error| {
        let why = format!("--{flag}: {address} cannot be listened on: {}", listener::in_words(error));
        if collect::is_starved(error) { Refused::starved(why) } else { Refused::usage(why) }
    };
    let public = listener::public(asked.listen);
    let public = public.map_err(|error| in_use("listen", asked.listen.address, &error))?;
    let admin = listener::bind(asked.admin_listen);
    let admin = admin.map_err(|error| in_use("admin-listen", asked.admin_listen, &error))?;
    for (what, listener) in [("/livez, /readyz, /metrics", &public), ("the page, /report", &admin)] {
        if let Ok(address) = listener.local_addr() {
            tracing::info!("{what} at http://{address}");
        }
    }

    let metrics = Metrics::new(Arc::clone(&shared), asked.full_metrics);
    let public = http::serve(public, Bounds::PUBLIC, Arc::new(Public::new(Arc::clone(&shared), metrics)));
    let admin = http::serve(admin, Bounds::ADMIN, Arc::new(Admin::new(Arc::clone(&shared))));
    let probe = Probe::new(asked).map_err(Refused::starved)?;
    let say = |report: &Report| announce(report, asked.output);
    let judging = async {
        if judging {
            cycle::run(&probe, asked.schedule, asked.settings.no_network, &shared, &say).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let gate = async {
        match &gate {
            Some(gate) => gate.keep(&shared).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt.received() => {}
        ((), (), (), ()) = async { tokio::join!(public, admin, judging, gate) } => {}
    }
    Ok(())
}

/// Uses two threads, so that a local judgement never waits for an exchange.
struct Probe<'p> {
    asked: &'p Serve,
    local: Observer,
    whole: Observer,
}

impl<'p> Probe<'p> {
    fn new(asked: &'p Serve) -> Result<Self, String> {
        let observer = || Observer::new(SubjectSelector::Own, asked.settings.clone());
        Ok(Self { asked, local: observer()?, whole: observer()? })
    }

    fn report(&self, run: Result<evidence::Collected, String>) -> Report {
        let run = run.unwrap_or_else(|why| {
            tracing::error!("{}", escaped(&why));
            self.local.stuck(Stuck(None))
        });
        let options = ReportOptions {
            tolerate: &self.asked.tolerate,
            report_only: self.asked.report_only,
            attempts: 1,
            flapped: false,
        };
        credprobe_judge::assess(run, &options)
    }
}

impl cycle::Judge for Probe<'_> {
    async fn locally(&self) -> Report {
        // A look that hangs must be reported before the previous one becomes stale.
        let limit = self.asked.timeout.min(self.asked.schedule.interval.max(GRACE));
        self.report(self.local.locally(limit).await)
    }

    async fn with_exchange(&self) -> Report {
        self.report(self.whole.attempt(self.asked.timeout).await)
    }

    fn random(&self) -> f64 {
        clock::random()
    }
}

/// Prints a changed verdict to stdout: one line of text, or the whole report as one line of JSON.
fn announce(report: &Report, output: Output) {
    let line = match output {
        Output::Text => report.log_line(),
        Output::Json => report.json_line().unwrap_or_else(|problem| problem),
    };
    output::print(&line);
}

#[cfg(test)]
mod tests;

/// The response header with the code that `status` exits with.
pub const EXIT_CODE: &str = "credprobe-exit-code";
