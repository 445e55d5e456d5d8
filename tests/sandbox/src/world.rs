//! Everything the servers share: IAM's registry, the issuer, STS's clock, the sessions it has issued, the record.
//! One per run; it outlives the command.

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
    scenario::{Answer, Fault, Scenario, agent::Agent},
    session::Session,
};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) registry: Registry,
    pub(crate) issuer: Issuer,
    /// STS's.
    pub(crate) clock: Clock,
    pub(crate) record: Record,
    sessions: Mutex<HashMap<String, Session>>,
    request_ids: AtomicU32,
    faults_met: AtomicU32,
    agents_faults_met: AtomicU32,
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
            registry,
            issuer,
            clock: Clock::ahead_by(scenario.clock_offset_seconds),
            record: Record::default(),
            sessions: Mutex::default(),
            request_ids: AtomicU32::new(0),
            faults_met: AtomicU32::new(0),
            agents_faults_met: AtomicU32::new(0),
            scenario,
        }
    }

    /// Deterministic, and never all zero: STS itself answers that when it could not reach an issuer.
    pub(crate) fn request_id(&self) -> String {
        let number = self.request_ids.fetch_add(1, Ordering::Relaxed) + 1;
        format!("c0ffee00-0000-4000-8000-{number:012}")
    }

    /// Whether this request meets the scenario's fault or canned answer; counts those that do.
    pub(crate) fn obstacle(&self, action: Option<&str>) -> Option<Obstacle<'_>> {
        let scenario = &self.scenario;
        if scenario.fault_on.is_some() && scenario.fault_on.as_deref() != action {
            return None;
        }
        let obstacle = match (&scenario.answer, scenario.fault) {
            (Some(answer), _) => Obstacle::Canned(answer),
            // A connection's fault is over once a request arrives.
            (None, Fault::None | Fault::BlackHole | Fault::ResetInHandshake) => return None,
            (None, fault) => Obstacle::Fault(fault),
        };
        self.not_healed().then_some(obstacle)
    }

    /// The fault that a connection to STS meets before it has said anything.
    pub(crate) fn connection_fault(&self) -> Fault {
        match self.scenario.fault {
            fault @ (Fault::BlackHole | Fault::ResetInHandshake) if self.not_healed() => fault,
            _ => Fault::None,
        }
    }

    /// Counts what meets the fault, up to the scenario's number.
    fn not_healed(&self) -> bool {
        let before = self.faults_met.fetch_add(1, Ordering::Relaxed);
        self.scenario.fault_times.is_none_or(|times| before < times)
    }

    /// Whether this request still meets what is wrong with the agent's answers; counts it.
    pub(crate) fn meets_agents_fault(&self, agent: &Agent) -> bool {
        let before = self.agents_faults_met.fetch_add(1, Ordering::Relaxed);
        agent.times.is_none_or(|times| before < times)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
