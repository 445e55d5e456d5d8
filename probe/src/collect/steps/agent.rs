//! Pod Identity's part of a run: whether the agent is there, what it answers to the token, and whose credentials it returns.
//! Never uses a proxy. Sends the token only to a server that has answered like the agent.

use super::{Collector, in_the_answer, on_the_way};
use crate::collect::{self, Credentials};
use crate::process::clock::{self, Stopwatch};
use crate::transport::secret::Secret;
use crate::transport::{self, Proxies, Wire};
use credprobe_judge::evidence::{Agent, PhasesMs, StageName, Timing};
use credprobe_judge::judge;
use credprobe_judge::settings::Endpoint;
use credprobe_judge::settings::agent::{AgentEndpoint, URI_VARIABLE};
use credprobe_judge::text::shown::escaped;
use std::time::Duration;
use tracing::{debug, info};

/// How long an agent on the same node may take to answer without a token. It is more than any SDK waits for one connection
/// (two seconds at most) and leaves time for two repeated SYNs.
const LIVENESS: Duration = Duration::from_secs(5);

impl Collector {
    /// Asks the agent. `sts`: whom to ask about the credentials; `None`: nobody. Returns the credentials for the cluster, and those for
    /// the stated access, if they are needed.
    pub(super) async fn ask_agent(
        &mut self,
        config: transport::Config,
        endpoint: &AgentEndpoint,
        sts: Option<&Endpoint>,
        token: &Secret,
    ) -> (Option<Credentials>, Option<Credentials>) {
        let evidence = &mut self.evidence;
        let uri = evidence.environment.get(URI_VARIABLE).unwrap_or_default().to_owned();
        info!("asking the agent at {}", escaped(&uri));
        let direct = transport::Config { proxies: Proxies::none(), allow_http: false, ..config.clone() };
        let mut agent = Agent { uri, ..Agent::default() };
        let mut took = 0.0;
        if endpoint.at_agents_address {
            let deadline = direct.deadline.min(clock::deadline(LIVENESS));
            let wire = Wire::new(transport::Config { deadline, ..direct.clone() });
            let (network, liveness) = collect::agent::liveness(&wire, endpoint).await;
            debug!("{network:?} {liveness:?}");
            let is_agent = liveness.as_ref().is_some_and(judge::is_agent);
            took = on_the_way(&network.phases_ms) + in_the_answer(&network.phases_ms);
            let because = match liveness {
                None => "nobody answered at the agent's address",
                Some(_) => "who answered is not the agent, so the token was not sent",
            };
            agent.liveness = liveness;
            evidence.network = Some(network);
            if !is_agent {
                evidence.agent = Some(agent);
                self.stopped_at_the_agent(took, because);
                return (None, None);
            }
        }
        let Some(authorization) = collect::agent::authorization(token) else {
            agent.unsendable = true;
            evidence.agent = Some(agent);
            self.stopped_at_the_agent(took, "the token cannot stand in a header");
            return (None, None);
        };
        let wire = Wire::new(direct);
        let (network, answer, credentials) =
            collect::agent::agent(&wire, endpoint, authorization, &mut self.redactor).await;
        let phases = network.phases_ms;
        evidence.network = Some(network);
        agent.answer = answer;
        debug!("{agent:?}");
        let answered = agent.answer.is_some();
        evidence.agent = Some(agent);
        took += on_the_way(&phases);
        if !answered {
            self.stopped_at_the_agent(took, "no answer arrived");
            return (None, None);
        }
        self.reached_exchange(took, &phases);

        let stated = &self.evidence.environment.options;
        let kept = credentials.clone().filter(|_| stated.access_with_full_credentials);
        let because = match (&credentials, sts) {
            (None, _) => "no credentials were issued",
            (Some(_), _) if stated.no_identity => "--no-identity",
            (Some(_), _) if stated.sts_compatible => "--sts-compatible",
            (Some(_), None) => "no STS endpoint can be chosen",
            (Some(_), Some(_)) => "",
        };
        let again = credentials.as_ref().filter(|_| stated.cluster.is_some()).map(Credentials::again);
        match credentials.zip(sts).filter(|_| because.is_empty()) {
            None => self.timings.push(Timing::skipped(StageName::Identity, because)),
            Some((credentials, sts)) => {
                let watch = Stopwatch::start();
                let identity = collect::identity(&Wire::new(config), sts, credentials, &self.redactor).await;
                self.evidence.identity = Some(identity);
                self.timings.push(Timing::reached(StageName::Identity, watch.elapsed_ms()));
            }
        }
        (again, kept)
    }

    fn reached_exchange(&mut self, took: f64, phases: &PhasesMs) {
        self.timings.push(Timing::reached(StageName::Network, clock::round(took)));
        self.timings.push(Timing::reached(StageName::Exchange, in_the_answer(phases)));
    }

    fn stopped_at_the_agent(&mut self, took: f64, because: &str) {
        self.timings.push(Timing::reached(StageName::Network, clock::round(took)));
        for stage in [StageName::Exchange, StageName::Identity] {
            self.timings.push(Timing::skipped(stage, because));
        }
    }
}
