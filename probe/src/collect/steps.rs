//! One run from subject to evidence: which observer runs when, and when the run stops before the network.
//! Asks the judges only for that. The verdict is made from the evidence alone.

mod access;
mod agent;

use crate::collect;
use crate::collect::Credentials;
use crate::collect::subject::{Subject, SubjectSelector};
use crate::process::aside::{Stuck, looked};
use crate::process::clock::{self, Stopwatch};
use crate::transport::secret::Secret;
use crate::transport::{self, Proxies, RootStore, Wire};
use credprobe_judge::evidence::{Collected, Evidence, Phase, PhasesMs, StageName, Timing, TrustProblem};
use credprobe_judge::judge::finding::Severity;
use credprobe_judge::judge::gate;
use credprobe_judge::options::{Mechanism, Options};
use credprobe_judge::sdks::{self, EffectiveSettings};
use credprobe_judge::settings::{self, API_SERVER_TOKEN};
use credprobe_judge::text::redactor::Redactor;
use credprobe_judge::text::shown::{self, escaped};
use credprobe_judge::verdict;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, info};

/// The roots that decide about a chain, and those that it is also compared with.
struct Roots {
    own: RootStore,
    of_target: Option<RootStore>,
}

/// Observes subject, environment, token file and token. Reads no CA bundle, because nothing is sent.
pub async fn collect_locally(subject: &Subject, settings: Options) -> Collected {
    let mut run = Collector::begin();
    // With `no_network`, it is not a finding that STS was not asked.
    run.observe_locally(subject, Options { no_network: true, ..settings }).await;
    run.skip_network("between two exchanges");
    run.finish()
}

/// Observes everything that the settings allow. The network gets the time that the files leave of `timeout`.
pub async fn collect_evidence(subject: &Subject, settings: Options, timeout: Duration) -> Collected {
    let deadline = clock::deadline(timeout);
    let mut run = Collector::begin();
    let token = run.observe_locally(subject, settings).await;
    if subject.is_seen() {
        info!("mechanism {}", settings::requested(&run.evidence.environment).mechanism.id());
    }
    let trust = run.observe_trust(subject, deadline);
    let effective = EffectiveSettings::from_evidence(&run.evidence);
    let agent = effective.agent.as_ref().and_then(|agent| agent.as_ref().ok());
    match (run.stays_local(&effective), token, trust, (&effective.requested, &effective.route)) {
        (None, Some(token), Some(trust), (requested, route))
            if requested.mechanism == Mechanism::PodIdentity && agent.is_some() =>
        {
            // The agent's plain HTTP needs no permission; `--allow-http` concerns STS.
            let config = run.wire_config(subject, trust, deadline);
            if let Some(agent) = agent {
                let sts = route.endpoint.as_ref().ok();
                let (cluster, access) = run.ask_agent(config.clone(), agent, sts, &token).await;
                run.ask_access(&config, &effective, access.map(access::Source::Agent)).await;
                run.ask_cluster(subject, &config, &effective, cluster).await;
            }
        }
        (None, Some(token), Some(trust), (requested, settings::StsRoute { endpoint: Ok(endpoint), .. }))
            if requested.mechanism == Mechanism::Irsa =>
        {
            let role_arn = requested.role_arn.as_ref().map_or("", |role| role.value.as_str());
            let config = run.wire_config(subject, trust, deadline);
            let session_name = settings::session_name(
                &run.evidence.environment,
                &run.evidence.process,
                run.evidence.token.as_ref(),
            );
            let request = collect::Request { endpoint, role_arn, session_name: &session_name.value };
            let issued = run.observe_sts(&Wire::new(config.clone()), &request, &token).await;
            run.observe_control_name(subject, &config).await;
            run.follow_up(subject, &config, &effective, &request, &token).await;
            run.ask_access(&config, &effective, Some(access::Source::Token(&request, &token))).await;
            run.ask_cluster(subject, &config, &effective, issued).await;
        }
        (because, ..) => {
            let because = because
                .unwrap_or_else(|| "there is nothing to present, or nobody to present it to".to_owned());
            run.skip_network(&because);
        }
    }
    run.finish()
}

/// The endpoint in the probe's own environment if another process is judged. It then counts as stated, not as observed.
fn own_endpoint(subject: &Subject) -> Option<String> {
    subject.target()?;
    let endpoint = |name| subject.own_text(name);
    endpoint("AWS_ENDPOINT_URL_STS").or_else(|| endpoint("AWS_ENDPOINT_URL")).map(shown::url)
}

fn own_agent_uri(subject: &Subject) -> Option<String> {
    subject.target()?;
    subject.own_text(settings::agent::URI_VARIABLE).map(shown::url)
}

/// A run in progress.
pub(super) struct Collector {
    evidence: Evidence,
    seen: bool,
    observed_at: i64,
    timings: Vec<Timing>,
    /// Knows the secrets of this run.
    redactor: Redactor,
}

impl Collector {
    /// Names, addresses and proxies are the subject's. The probe's own roots decide whether to trust the peer.
    fn wire_config(&mut self, subject: &Subject, roots: Roots, deadline: Instant) -> transport::Config {
        let resolver = collect::resolver_config(subject, &mut self.evidence.environment.unseen);
        looked();
        let either =
            |upper: &str, lower: &str| subject.text(upper).or_else(|| subject.text(lower)).map(str::to_owned);
        transport::Config {
            trust: roots.own,
            of_target: roots.of_target,
            proxies: Proxies {
                https_proxy: either("HTTPS_PROXY", "https_proxy"),
                no_proxy: either("NO_PROXY", "no_proxy"),
            },
            deadline,
            body_limit: transport::BODY_LIMIT,
            resolver,
            allow_http: self.evidence.environment.options.allow_http,
            peers: transport::AddressPolicy::default(),
        }
    }

    fn begin() -> Self {
        Self {
            evidence: Evidence::default(),
            seen: true,
            observed_at: clock::now(),
            timings: Vec::new(),
            redactor: Redactor::default(),
        }
    }

    /// The evidence of a look that did not return in time: only where it hangs.
    pub(super) fn stuck(whose: &SubjectSelector, settings: Options, stuck: Stuck) -> Collected {
        let mut run = Self::begin();
        run.seen = false;
        run.evidence.unanswered = Some(stuck.0.unwrap_or_default());
        run.evidence.process = collect::process::unseen(whose);
        run.evidence.environment.options = settings;
        let because = "a file did not answer in time";
        run.timings.push(Timing::reached(StageName::Environment, 0.0));
        for stage in [StageName::TokenFile, StageName::Token] {
            run.timings.push(Timing::skipped(stage, because));
        }
        run.skip_network(because);
        run.finish()
    }

    /// Redacts the evidence. Everyone who reads it, including the judges, gets it from here.
    fn finish(mut self) -> Collected {
        self.note_unasked_access();
        let stated = &self.evidence.environment.options;
        if stated.cluster.is_some() && !self.timings.iter().any(|timing| timing.stage == StageName::Cluster) {
            let because = if stated.no_network { "STS was not asked" } else { "the role has not answered" };
            self.timings.push(Timing::skipped(StageName::Cluster, because));
        }
        let Self { evidence, seen, observed_at, timings, redactor } = self;
        Collected { evidence: evidence.redacted(&redactor), seen, observed_at, timings }
    }

    fn skip_network(&mut self, because: &str) {
        for stage in [StageName::Network, StageName::Exchange, StageName::Identity] {
            self.timings.push(Timing::skipped(stage, because));
        }
    }

    /// Observes environment, token file and token. Returns the token's bytes if there are any.
    async fn observe_locally(&mut self, subject: &Subject, settings: Options) -> Option<Secret> {
        let evidence = &mut self.evidence;
        let watch = Stopwatch::start();
        evidence.process = collect::process(subject);
        evidence.target = subject.target().cloned();
        let sdk = sdks::resolved(settings.sdk.clone(), subject.target().map(|target| target.comm.as_str()));
        let (endpoint, agent_uri) = (own_endpoint(subject), own_agent_uri(subject));
        let settings = Options { endpoint, agent_uri, sdk, ..settings };
        evidence.environment = collect::environment(subject, settings, &mut self.redactor).await;
        if !subject.is_seen() {
            self.seen = false;
            self.timings.push(Timing::reached(StageName::Environment, watch.elapsed_ms()));
            for stage in [StageName::TokenFile, StageName::Token] {
                self.timings.push(Timing::skipped(stage, "the process could not be looked at"));
            }
            return None;
        }
        let requested = settings::requested(&evidence.environment);
        let path = requested.token_file.filter(|_| requested.mechanism != Mechanism::None);
        if path.is_none() || requested.mechanism == Mechanism::Irsa && requested.role_arn.is_none() {
            name_account(subject, evidence);
        }
        self.timings.push(Timing::reached(StageName::Environment, watch.elapsed_ms()));
        let Some(path) = path else {
            let because = "no variable, flag or profile names a token file";
            self.timings.push(Timing::skipped(StageName::TokenFile, because));
            self.timings.push(Timing::skipped(StageName::Token, because));
            return None;
        };

        let watch = Stopwatch::start();
        let look = collect::open_token_file(subject.root(), &path.value, &evidence.process);
        let may_read = gate::may_read(&look.file, &evidence.process);
        let (seen, bytes) = look.read(may_read);
        evidence.token_file = Some(seen);
        self.timings.push(Timing::reached(StageName::TokenFile, watch.elapsed_ms()));
        let Some(bytes) = bytes else {
            self.timings.push(Timing::skipped(StageName::Token, "the token file could not be read"));
            name_account(subject, evidence);
            return None;
        };

        let watch = Stopwatch::start();
        self.redactor.add(bytes.expose());
        evidence.token = Some(collect::token(bytes.expose()));
        self.timings.push(Timing::reached(StageName::Token, watch.elapsed_ms()));
        Some(bytes)
    }

    fn observe_trust(&mut self, subject: &Subject, deadline: Instant) -> Option<Roots> {
        let environment = &mut self.evidence.environment;
        if environment.options.no_network {
            return None;
        }
        let flag = environment.options.ca_bundle.clone();
        let mut roots = || {
            let own = collect::read_ca_bundle(subject.own(), flag.as_deref(), deadline, environment);
            let of_another = subject.target().is_some();
            environment.trust_idle.iter_mut().for_each(|idle| idle.own = of_another);
            let own = own.map_err(|problem| TrustProblem { own: of_another, ..problem })?;
            // A target that names no roots uses those of its image, which the probe does not know.
            let named = of_another && collect::names_roots(subject);
            let of_target =
                named.then(|| collect::read_ca_bundle(subject, None, deadline, environment)).transpose()?;
            Ok(Roots { own, of_target })
        };
        let roots: Result<Roots, TrustProblem> = roots();
        roots.map_err(|problem| environment.trust_problem = Some(problem)).ok()
    }

    /// Why the network is not used: a flag says so, or a local error is certain.
    fn stays_local(&self, effective: &EffectiveSettings) -> Option<String> {
        if self.evidence.environment.options.no_network {
            return Some("--no-network".to_owned());
        }
        let finding = gate::exchange_blocked(&self.evidence, effective, self.observed_at)?;
        // The log must not show more than the report, whose evidence is redacted before it is judged.
        let shown = self.evidence.clone().redacted(&self.redactor);
        let shown = gate::exchange_blocked(&shown, effective, self.observed_at)
            .map(|it| it.summary)
            .unwrap_or_default();
        info!("seen before the network: {}: {}", finding.class.id(), escaped(&shown));
        Some(format!("{} is certain", finding.class.id()))
    }

    /// Returns the credentials if something else than GetCallerIdentity needs them too.
    async fn observe_sts(
        &mut self,
        wire: &Wire,
        request: &collect::Request<'_>,
        token: &Secret,
    ) -> Option<Credentials> {
        let evidence = &mut self.evidence;
        info!("asking {} for {}", escaped(&request.endpoint.url), escaped(request.role_arn));
        let redactor = &mut self.redactor;
        let (network, exchange, credentials) = collect::exchange(wire, request, token, redactor).await;
        let phases = network.as_ref().map(|network| network.phases_ms).unwrap_or_default();
        let answered = exchange.is_some();
        evidence.network = network;
        evidence.exchange = exchange;
        debug!("{:?}", evidence.network);
        self.timings.push(Timing::reached(StageName::Network, on_the_way(&phases)));
        if !answered {
            for stage in [StageName::Exchange, StageName::Identity] {
                self.timings.push(Timing::skipped(stage, "no answer arrived"));
            }
            return None;
        }
        self.timings.push(Timing::reached(StageName::Exchange, in_the_answer(&phases)));

        let stated = &evidence.environment.options;
        let again = credentials.as_ref().filter(|_| stated.cluster.is_some()).map(Credentials::again);
        let because = match &credentials {
            None => "no credentials were issued",
            Some(_) if stated.no_identity => "--no-identity",
            Some(_) if stated.sts_compatible => "--sts-compatible",
            Some(_) => "",
        };
        match credentials.filter(|_| because.is_empty()) {
            None => self.timings.push(Timing::skipped(StageName::Identity, because)),
            Some(credentials) => {
                let watch = Stopwatch::start();
                evidence.identity =
                    Some(collect::identity(wire, request.endpoint, credentials, redactor).await);
                self.timings.push(Timing::reached(StageName::Identity, watch.elapsed_ms()));
            }
        }
        again
    }

    /// If a cluster is stated and the verdict is `ready` so far, asks its API server whether it accepts this identity.
    async fn ask_cluster(
        &mut self,
        subject: &Subject,
        config: &transport::Config,
        effective: &EffectiveSettings,
        issued: Option<Credentials>,
    ) {
        let options = self.evidence.environment.options.clone();
        let (Some(issued), Ok(sts), Some(_)) = (issued, &effective.route.endpoint, &options.cluster) else {
            return;
        };
        let so_far = verdict::judge_evidence(&self.evidence, effective, self.observed_at);
        if so_far.deciding_finding().is_some_and(|finding| finding.severity == Severity::Error) {
            return;
        }
        let watch = Stopwatch::start();
        let refused = gate::cluster_refuses(&self.evidence, effective, self.observed_at);
        // Resolve names as the probe does, whichever process is judged.
        let resolver = match subject.target() {
            Some(_) => collect::resolver_config(subject.own(), &mut Vec::new()),
            None => config.resolver.clone(),
        };
        let way = (resolver, config.deadline);
        let asked = collect::cluster(subject, &options, sts, issued, refused, way, &mut self.redactor);
        self.evidence.cluster = Some(asked.await);
        looked();
        self.timings.push(Timing::reached(StageName::Cluster, watch.elapsed_ms()));
    }

    /// If the name of STS did not resolve, checks whether the cluster's own name does.
    async fn observe_control_name(&mut self, subject: &Subject, config: &transport::Config) {
        let failure = self.evidence.network.as_ref().and_then(|network| network.failure.as_ref());
        if failure.is_some_and(|failure| failure.phase == Phase::Resolve) {
            let wire = Wire::new(config.clone());
            self.evidence.control_name = collect::control_name(subject, &wire).await;
        }
    }

    /// After a refusal that does not say its cause, fetches the issuer's documents and asks STS in the issuer's region.
    async fn follow_up(
        &mut self,
        subject: &Subject,
        config: &transport::Config,
        effective: &EffectiveSettings,
        request: &collect::Request<'_>,
        token: &Secret,
    ) {
        let questions = gate::follow_ups_needed(&self.evidence, effective, self.observed_at);
        if questions.issuer || questions.other_region {
            info!(
                "the refusal leaves open: issuer {}, other region {}",
                questions.issuer, questions.other_region
            );
        }
        let Some(claims) = self.evidence.token.as_ref() else { return };
        let (Some(issuer), kid) = (claims.iss.clone(), claims.kid.clone()) else { return };
        if questions.other_region
            && let Some(endpoint) = settings::endpoint_of_issuer(request.endpoint, &issuer)
        {
            let wire = Wire::new(config.clone());
            self.evidence.other_region = Some(collect::other_region(&wire, &endpoint, request, token).await);
        }
        if questions.issuer && issuer.starts_with("https://") {
            let addresses = self.evidence.network.iter().flat_map(|network| &network.addresses);
            let on_loopback = addresses.into_iter().any(|attempt| attempt.address.ip().is_loopback());
            self.evidence.issuer = Some(
                collect::issuer(
                    subject,
                    &self.evidence.process,
                    config,
                    &issuer,
                    kid.as_deref(),
                    token,
                    on_loopback,
                )
                .await,
            );
        }
    }
}

fn on_the_way(phases: &PhasesMs) -> f64 {
    clock::round([phases.resolve, phases.connect, phases.tls].into_iter().flatten().sum())
}

fn in_the_answer(phases: &PhasesMs) -> f64 {
    clock::round([phases.processing, phases.transfer].into_iter().flatten().sum())
}

/// Decodes the token for the API server; does not send it. It names the service account to annotate and the cluster's issuer.
fn name_account(subject: &Subject, evidence: &mut Evidence) {
    let (_, bytes) =
        collect::open_token_file(subject.root(), API_SERVER_TOKEN, &evidence.process).read(false);
    let token = bytes.map(|bytes| collect::token(bytes.expose())).unwrap_or_default();
    evidence.process.api_server_subject = token.sub;
    evidence.process.api_server_issuer = token.iss;
}
