//! Judges what the role may do, where that was stated: 64 and 65 by the kind of policy that refuses, 67 where nothing is proved.
//! Only after `ready`; what "allowed" means is said with it. Pure.

mod next_hop;
mod reading;
mod repair;

use super::facts::Facts;

use crate::access_calls::{self, Answer, Planned, SafeCall, Stated, answer};
use crate::catalog::{Class, Owner};
use crate::evidence::{AccessCall, AccessSession, Evidence};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::sdks::{self, EffectiveSettings};
use crate::settings;
use reading::{Kind, Reading};

pub use next_hop::{Hop, hops};

/// What was stated of the role's access, and whether it can be asked about.
#[must_use]
pub fn planned(evidence: &Evidence, settings: &EffectiveSettings) -> Vec<Planned> {
    let Ok(endpoint) = &settings.route.endpoint else { return Vec::new() };
    let session = settings::session_name(&evidence.environment, &evidence.process, evidence.token.as_ref());
    // Under Pod Identity the role asked for is the last one, of whatever partition.
    let role = settings.role.as_ref();
    access_calls::planned(&evidence.environment, endpoint, role, &session.value)
}

/// Whether anything was stated of what the role may do, or of the role that it goes on to.
#[must_use]
pub fn is_stated(evidence: &Evidence, settings: &EffectiveSettings) -> bool {
    let options = &evidence.environment.options;
    !options.expect_access.is_empty() || !hops(evidence, settings).is_empty()
}

/// What was stated, held against what was asked.
pub(crate) fn findings(evidence: &Evidence, settings: &EffectiveSettings, now: i64) -> Vec<Finding> {
    if !super::issued(evidence) {
        return Vec::new();
    }
    let facts = Facts::new(evidence, settings, now);
    let planned = planned(evidence, settings);
    let stated = planned.iter().map(|planned| {
        let why = match &planned.ask {
            Err(why) => why.clone(),
            Ok(_) => match asked(evidence, &planned.stated) {
                Some((session, call)) => return judged(&facts, &planned.stated, session, call),
                None if facts.by_agent() => NOT_NARROWED.to_owned(),
                None => "it was not asked".to_owned(),
            },
        };
        unproved(&facts, &planned.stated, &why)
    });
    let mut findings: Vec<Finding> = stated.collect();
    findings.extend(next_hop::judge(&facts));
    findings
}

const NOT_NARROWED: &str =
    "credentials of EKS Pod Identity cannot be narrowed, and --access-with-full-credentials is not set";

fn asked<'e>(evidence: &'e Evidence, stated: &Stated) -> Option<(&'e AccessSession, &'e AccessCall)> {
    let sessions = evidence.access.iter().filter(|session| !session.next_hop);
    let mut calls = sessions.flat_map(|session| session.calls.iter().map(move |call| (session, call)));
    calls.find(|(_, call)| call.action == stated.action && call.resource == stated.resource)
}

fn judged(facts: &Facts<'_>, stated: &Stated, session: &AccessSession, call: &AccessCall) -> Finding {
    if let Some(why) = not_issued(session) {
        return unproved(facts, stated, &format!("no narrowed credentials were issued for it: {why}"));
    }
    match answer(call) {
        Some(Answer::Allowed) => allowed(stated, call, session),
        Some(Answer::Denied(code, message)) => {
            let reading = Reading::of(message);
            if reading.kind == Some(Kind::Session) && session.session_policy.is_some() {
                unproved(facts, stated, &own_policy(stated, &reading))
            } else {
                denied(facts, stated, call, &reading, &format!("{code}: {message}"))
            }
        }
        Some(Answer::Undecided(why)) => unproved(facts, stated, &why),
        None => unproved(facts, stated, "it was not asked"),
    }
}

/// Why STS gave no credentials for the question.
fn not_issued(session: &AccessSession) -> Option<String> {
    let error = session.error.as_ref().map(|error| format!("{}: {}", error.code, error.message));
    error.or_else(|| session.failure.as_ref().map(|failure| failure.detail.clone()))
}

/// What one action implies, the policy of the probe's own session does not allow: for that, it would have to be stated.
fn own_policy(stated: &Stated, reading: &Reading) -> String {
    match reading.action.as_deref().filter(|action| !action.eq_ignore_ascii_case(&stated.action)) {
        Some(action) => format!(
            "credprobe’s own session policy denied {action}, which {} needs here: state that too",
            stated.action
        ),
        None => "credprobe’s own session policy may be what denied it".to_owned(),
    }
}

fn finding(class: Class, summary: String) -> Finding {
    Finding::new(class, summary).expectation(Basis::Explicit)
}

/// `s3:ListBucket on shop-orders`: the whole ARN stands in the reason.
fn short(action: &str, resource: &str) -> String {
    match resource.rsplit([':', '/']).next().filter(|name| *name != "*") {
        Some(name) => format!("{action} on {name}"),
        None => action.to_owned(),
    }
}

fn allowed(stated: &Stated, call: &AccessCall, session: &AccessSession) -> Finding {
    let Stated { action, resource, .. } = stated;
    let open = SafeCall::of(action).map_or("", |call| call.open);
    let open = if open.is_empty() { String::new() } else { format!(", but {open}") };
    let mut finding = finding(
        Class::Ready,
        format!("{} is allowed, for this request, from this pod, now{open}", short(action, resource)),
    )
    .severity(Severity::Info)
    .presented(format!("the answer of {}", call.host))
    .required(format!("{action} on {resource}, --expect-access"))
    .confirm("# CloudTrail has this request, made by credprobe under this role.");
    if let Some(policy) = &session.session_policy {
        finding = finding.ruled_out(format!(
            "a use of these credentials for anything else: their session policy has {} characters: {policy}",
            session.session_policy_size
        ));
    }
    finding
}

fn denied(facts: &Facts<'_>, stated: &Stated, call: &AccessCall, reading: &Reading, said: &str) -> Finding {
    let Stated { action, resource, .. } = stated;
    let class = if reading.explicit { Class::PermissionBlocked } else { Class::PermissionMissing };
    let denied = reading.action.as_deref().filter(|denied| !denied.eq_ignore_ascii_case(action));
    let what = short(denied.unwrap_or(action), resource);
    let for_it = denied.map(|_| format!(" for {action}")).unwrap_or_default();
    let summary = match (reading.kind, reading.explicit) {
        (Some(kind), true) => format!("{} denies {what}{for_it}", kind.words()),
        (Some(kind), false) => format!("no {} allows {what}{for_it}", kind.name()),
        (None, _) => format!("AWS denies {what}{for_it}, without naming the policy"),
    };
    let mut finding = finding(class, summary)
        .owner(owner(reading.kind))
        .presented(format!("{} at {}: {said}", repair::caller(facts), call.host))
        .required(format!("{action} on {resource}, --expect-access"))
        .ruled_out("the credentials: the role answered to GetCallerIdentity");
    finding.why = format!(
        "Role {} answered, so the credentials are good. {} then denies {} on {resource}{}",
        repair::acting_name(facts),
        call.host,
        denied.unwrap_or(action),
        match (reading.kind, &reading.policy) {
            (Some(kind), Some(policy)) => format!(": {}, {policy}.", kind.words()),
            (Some(kind), None) if reading.explicit => format!(" by {}.", kind.words()),
            (Some(kind), None) => format!(": no {} allows it.", kind.name()),
            (None, _) => format!(". It says only {said}."),
        }
    );
    finding.who = repair::who(facts, resource, reading.kind);
    repair::steps(facts, finding, stated, reading)
}

/// Who chose the policy of that kind.
fn owner(kind: Option<Kind>) -> Owner {
    match kind {
        Some(Kind::ServiceControl | Kind::ResourceControl) => Owner::Org,
        Some(Kind::VpcEndpoint) => Owner::Network,
        Some(Kind::Session) => Owner::Cluster,
        Some(Kind::Identity | Kind::Boundary | Kind::Resource | Kind::Trust) | None => Owner::Iam,
    }
}

fn unproved(facts: &Facts<'_>, stated: &Stated, why: &str) -> Finding {
    let Stated { action, resource, .. } = stated;
    let summary = format!("{} is not proved", short(action, resource));
    let reason = crate::text::plain(why);
    // A long reason stands in `why` alone.
    let fits = summary.chars().count() + reason.chars().count() + 2 < sdks::room(Class::AccessUnproved);
    let summary = if fits { format!("{summary}: {reason}") } else { summary };
    let finding = finding(Class::AccessUnproved, summary)
        .why(format!("{} is stated. The reason is: {}.", resource, reason.trim_end_matches('.')))
        .presented(why.to_owned())
        .required(format!("{action} on {resource}, --expect-access"));
    repair::simulate(facts, finding, stated)
}

#[cfg(test)]
mod tests;
