//! Everything that the servers share: IAM's registry, the issuer, STS's clock, the sessions that STS has issued, the record.
//! There is one per run, and it outlives the command.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    clock::Clock,
    issuer::Issuer,
    record::Record,
    registry::Registry,
    scenario::{Answer, ApiServer, Fault, Scenario, agent::Agent},
    session::Session,
};

#[derive(Debug)]
pub(crate) struct World {
    /// The scenario when the command started: pod, network, issuer, and everything that is not part of a `Turn`.
    pub(crate) scenario: Scenario,
    pub(crate) issuer: Issuer,
    /// STS's clock.
    pub(crate) clock: Clock,
    pub(crate) record: Record,
    sessions: Mutex<HashMap<String, Session>>,
    request_ids: AtomicU32,
    turn: Mutex<&'static Turn>,
    agents_faults_met: AtomicU32,
}

/// The part of the world that can change while the command runs: IAM, the faults of STS, the API server.
#[derive(Debug)]
struct Turn {
    registry: Registry,
    fault: Fault,
    answer: Option<Answer>,
    fault_on: Option<String>,
    fault_times: Option<u32>,
    api_server: Option<ApiServer>,
    faults_met: AtomicU32,
}

impl Turn {
    /// Never freed: a run has only a few of them, and requests keep references to theirs.
    fn of(scenario: &Scenario, registry: Registry) -> &'static Self {
        Box::leak(Box::new(Self {
            registry,
            fault: scenario.fault,
            answer: scenario.answer.clone(),
            fault_on: scenario.fault_on.clone(),
            fault_times: scenario.fault_times,
            api_server: scenario.api_server.clone(),
            faults_met: AtomicU32::new(0),
        }))
    }

    /// Counts the requests that meet the fault, up to the scenario's number.
    fn not_healed(&self) -> bool {
        let before = self.faults_met.fetch_add(1, Ordering::Relaxed);
        self.fault_times.is_none_or(|times| before < times)
    }
}

/// What a request meets instead of STS.
#[derive(Debug)]
pub(crate) enum Obstacle<'a> {
    Fault(Fault),
    Canned(&'a Answer),
}

impl World {
    pub(crate) fn new(scenario: Scenario, registry: Registry, issuer: Issuer) -> Self {
        Self {
            turn: Mutex::new(Turn::of(&scenario, registry)),
            issuer,
            clock: Clock::ahead_by(scenario.clock_offset_seconds),
            record: Record::default(),
            sessions: Mutex::default(),
            request_ids: AtomicU32::new(0),
            agents_faults_met: AtomicU32::new(0),
            scenario,
        }
    }

    /// From now on IAM, STS and the API server are as this scenario describes them.
    pub(crate) fn turn_to(&self, scenario: &Scenario, registry: Registry) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Turn::of(scenario, registry);
    }

    fn turn(&self) -> &'static Turn {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn registry(&self) -> &'static Registry {
        &self.turn().registry
    }

    /// The API server as it is now; `None` if this pod has none.
    pub(crate) fn api_server(&self) -> Option<&'static ApiServer> {
        self.turn().api_server.as_ref()
    }

    /// Deterministic, and never all zero: STS itself answers all zero when it could not reach an issuer.
    pub(crate) fn request_id(&self) -> String {
        let number = self.request_ids.fetch_add(1, Ordering::Relaxed) + 1;
        format!("c0ffee00-0000-4000-8000-{number:012}")
    }

    /// Whether this request meets the scenario's fault or canned answer; counts those that do.
    pub(crate) fn obstacle(&self, action: Option<&str>) -> Option<Obstacle<'static>> {
        let turn = self.turn();
        if turn.fault_on.is_some() && turn.fault_on.as_deref() != action {
            return None;
        }
        let obstacle = match (&turn.answer, turn.fault) {
            (Some(answer), _) => Obstacle::Canned(answer),
            // A fault of connections is over once a request arrives.
            (None, Fault::None | Fault::BlackHole | Fault::ResetInHandshake) => return None,
            (None, fault) => Obstacle::Fault(fault),
        };
        turn.not_healed().then_some(obstacle)
    }

    /// The fault that a connection to STS meets before the client has sent anything.
    pub(crate) fn connection_fault(&self) -> Fault {
        let turn = self.turn();
        match turn.fault {
            fault @ (Fault::BlackHole | Fault::ResetInHandshake) if turn.not_healed() => fault,
            _ => Fault::None,
        }
    }

    /// Whether this request still meets a fault of the agent; counts the request.
    pub(crate) fn meets_agents_fault(&self, agent: &Agent) -> bool {
        let before = self.agents_faults_met.fetch_add(1, Ordering::Relaxed);
        agent.times.is_none_or(|times| before < times)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
