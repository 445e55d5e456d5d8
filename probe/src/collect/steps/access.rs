//! Checks the access that was stated, only after `ready`: first narrowed credentials, then each call once.
//! Without a statement nothing here sends a byte. All credentials are dropped, and so wiped, after their calls.

use super::Collector;
use crate::collect::access::{self, NotIssued};
use crate::collect::exchange::Credentials;
use crate::collect::{self, Request};
use crate::process::clock::Stopwatch;
use crate::transport::secret::Secret;
use crate::transport::{self, Wire};
use credprobe_judge::access_calls::{self, ASSUME_ROLE, Ask, Planned, TAG_SESSION, session_policy};
use credprobe_judge::evidence::{AccessCall, AccessSession, StageName, Timing};
use credprobe_judge::judge::role_access;
use credprobe_judge::sdks::EffectiveSettings;
use credprobe_judge::settings::{self, Endpoint};
use credprobe_judge::verdict;
use std::collections::VecDeque;
use tracing::info;

/// Where the credentials for the calls come from.
pub(super) enum Source<'a> {
    /// The web identity token, with a separate exchange for each session policy.
    Token(&'a Request<'a>, &'a Secret),
    /// The agent's credentials, which cannot be narrowed.
    Agent(Credentials),
}

impl Collector {
    /// Checks everything that was stated. Without a `source` nothing can be asked.
    pub(super) async fn ask_access(
        &mut self,
        config: &transport::Config,
        effective: &EffectiveSettings,
        source: Option<Source<'_>>,
    ) {
        if !role_access::is_stated(&self.evidence, effective)
            || !verdict::ready_so_far(&self.evidence, effective, self.observed_at)
        {
            return;
        }
        let watch = Stopwatch::start();
        if let Some(source) = source {
            let planned = role_access::planned(&self.evidence, effective);
            self.ask_planned(config, &planned, &source).await;
            self.go_on(config, effective, &source).await;
        }
        let asked = !self.evidence.access.is_empty();
        self.timings.push(if asked {
            Timing::reached(StageName::Access, watch.elapsed_ms())
        } else {
            Timing::skipped(StageName::Access, "nothing of it can be asked")
        });
    }

    async fn ask_planned(&mut self, config: &transport::Config, planned: &[Planned], source: &Source<'_>) {
        let asks: Vec<(&Planned, &Ask)> =
            planned.iter().filter_map(|planned| Some((planned, planned.ask.as_ref().ok()?))).collect();
        if asks.is_empty() {
            return;
        }
        let mut groups: VecDeque<_> = session_policy::groups(&access_calls::allowed(planned)).into();
        if matches!(source, Source::Agent(_)) {
            groups = VecDeque::from([groups.into_iter().flatten().collect()]);
        }
        while let Some(mut group) = groups.pop_front() {
            let of_group = |planned: &Planned| {
                group.contains(&(planned.stated.action.as_str(), planned.stated.resource.as_str()))
            };
            let asks: Vec<_> = asks.iter().filter(|(planned, _)| of_group(planned)).collect();
            if asks.is_empty() {
                continue;
            }
            let (mut session, credentials) = match self.credentials(config, source, &group).await {
                Ok(issued) => issued,
                Err((refused, _)) if refused.is_for_size() && group.len() > 1 => {
                    groups.push_front(group.split_off(group.len() / 2));
                    groups.push_front(group);
                    continue;
                }
                Err((NotIssued { error, failure }, session)) => {
                    (AccessSession { error, failure, ..session }, None)
                }
            };
            let wire = Wire::new(config.clone());
            for (planned, ask) in asks {
                let stated = &planned.stated;
                info!("asking {} about {}", ask.host, stated.action);
                let call = AccessCall {
                    action: stated.action.clone(),
                    resource: stated.resource.clone(),
                    host: ask.host.clone(),
                    ..AccessCall::default()
                };
                session.calls.push(match &credentials {
                    Some(credentials) => access::call(&wire, credentials, ask, call, &self.redactor).await,
                    None => call,
                });
            }
            self.evidence.access.push(session);
        }
    }

    /// Credentials for exactly these pairs, if they can be narrowed.
    async fn credentials(
        &mut self,
        config: &transport::Config,
        source: &Source<'_>,
        pairs: &[(&str, &str)],
    ) -> Result<(AccessSession, Option<Credentials>), (NotIssued, AccessSession)> {
        let (request, token) = match source {
            Source::Agent(credentials) => return Ok((AccessSession::default(), Some(credentials.clone()))),
            Source::Token(request, token) => (request, token),
        };
        let policy = session_policy::of(pairs);
        let session = AccessSession {
            session_policy_size: policy.chars().count(),
            session_policy: Some(policy.clone()),
            ..AccessSession::default()
        };
        // Use a new connection: a kept one may be dead, and then the token would be sent twice.
        let wire = Wire::new(config.clone());
        match access::narrowed(&wire, request, token, &policy, &mut self.redactor).await {
            Ok(credentials) => Ok((session, Some(credentials))),
            Err(refused) => Err((refused, session)),
        }
    }

    /// Assumes the roles of the profile one after the other, then asks who the last one is.
    async fn go_on(
        &mut self,
        config: &transport::Config,
        effective: &EffectiveSettings,
        source: &Source<'_>,
    ) {
        let hops = role_access::hops(&self.evidence, effective);
        let Some(first) = hops.first().filter(|_| hops.iter().all(|hop| !hop.needs_mfa)) else { return };
        let Ok(endpoint) = &effective.route.endpoint else { return };
        let environment = &self.evidence.environment;
        let own = settings::session_name(environment, &self.evidence.process, self.evidence.token.as_ref());
        let mut asks = Vec::new();
        for (index, hop) in hops.iter().enumerate() {
            let policy = match hops.get(index + 1) {
                Some(next) => session_policy::of(&on(&next.role)),
                None => session_policy::DENY_ALL.to_owned(),
            };
            let name = hop.session_name.as_deref().unwrap_or(&own.value);
            let external_id = hop.external_id.as_deref();
            match access_calls::hop(environment, endpoint, &hop.role, name, external_id, &policy) {
                Ok(ask) => asks.push((hop, ask)),
                Err(_) => return,
            }
        }
        let issued = self.credentials(config, source, &on(&first.role)).await;
        let (mut session, mut credentials) = match issued {
            Ok(issued) => issued,
            Err((NotIssued { error, failure }, session)) => {
                self.evidence.access.push(AccessSession { error, failure, next_hop: true, ..session });
                return;
            }
        };
        session.next_hop = true;
        let wire = Wire::new(config.clone());
        for (hop, ask) in &asks {
            let Some(current) = credentials.take() else { break };
            info!("going on to {}", hop.role);
            let call = AccessCall {
                action: ASSUME_ROLE.to_owned(),
                resource: hop.role.clone(),
                ..AccessCall::default()
            };
            let (call, next) = access::hop(&wire, &current, ask, call, &mut self.redactor).await;
            session.calls.push(call);
            credentials = next;
        }
        if let Some((credentials, (_, ask))) = credentials.zip(asks.last()) {
            let url = format!("https://{}", ask.host);
            let at = Endpoint {
                url,
                host: ask.host.clone(),
                signing_region: ask.region.clone(),
                ..endpoint.clone()
            };
            let identity = collect::identity(&wire, &at, credentials, &self.redactor).await;
            session.calls.push(AccessCall {
                action: "sts:GetCallerIdentity".to_owned(),
                resource: "*".to_owned(),
                host: ask.host.clone(),
                status: identity.status,
                error: identity.error,
                request_id: identity.request_id,
                by_aws: identity.arn.is_some(),
                arn: identity.arn,
                failure: identity.failure,
                ..AccessCall::default()
            });
        }
        self.evidence.access.push(session);
    }

    /// Adds the stage's row if an access was stated but the run did not get that far.
    pub(super) fn note_unasked_access(&mut self) {
        let is_noted = self.timings.iter().any(|timing| timing.stage == StageName::Access);
        let effective = || EffectiveSettings::from_evidence(&self.evidence);
        if !is_noted && role_access::is_stated(&self.evidence, &effective()) {
            let because = "asked only with credentials that are ready";
            self.timings.push(Timing::skipped(StageName::Access, because));
        }
    }
}

/// Both actions are needed, because session tags may be transitive.
fn on(role: &str) -> [(&str, &str); 2] {
    [(ASSUME_ROLE, role), (TAG_SESSION, role)]
}
