//! Judges the roles that the active profile goes on to, where the last of them is the stated one: 66, or 3 where nobody could say.
//! Never `ready` without the stated role's own answer. Pure.

use super::reading::{Kind, Reading};
use super::{NOT_NARROWED, finding, not_issued, repair, short};
use crate::access_calls::{ASSUME_ROLE, Answer, TAG_SESSION, answer};
use crate::catalog::texts::outcome as texts;
use crate::catalog::{Class, Topic};
use crate::evidence::{AccessCall, Evidence, Profile};
use crate::judge::facts::Facts;
use crate::judge::finding::{Finding, Severity};
use crate::judge::identity::is_session_of;
use crate::judge::profile;
use crate::sdks::EffectiveSettings;
use crate::settings::arn::RoleArn;
use crate::settings::command::Word;
use crate::steps::slot;

/// A role that the profile goes on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Its ARN.
    pub role: String,
    /// `role_session_name` of its profile.
    pub session_name: Option<String>,
    /// `external_id` of its profile.
    pub external_id: Option<String>,
    /// Its profile asks for a device that no pod has.
    pub needs_mfa: bool,
}

/// The roles after the first, in their order; none where the last of them is not the stated role.
#[must_use]
pub fn hops(evidence: &Evidence, settings: &EffectiveSettings) -> Vec<Hop> {
    let facts = Facts::new(evidence, settings, 0);
    let profile = evidence.environment.profile.as_ref().filter(|_| profile::expects_next_hop(&facts));
    let mut hops: Vec<Hop> = std::iter::successors(profile, |profile| profile.source.as_deref())
        // The web identity's own profile is the first role.
        .filter(|profile| !profile.settings.contains_key("web_identity_token_file"))
        .filter_map(|profile| {
            let setting = |name: &str| profile.settings.get(name).cloned();
            Some(Hop {
                role: setting("role_arn")?,
                session_name: setting("role_session_name"),
                external_id: setting("external_id"),
                needs_mfa: profile.settings.contains_key("mfa_serial"),
            })
        })
        .collect();
    hops.reverse();
    hops
}

pub(super) fn judge(facts: &Facts<'_>) -> Option<Finding> {
    let settings =
        profile::expects_next_hop(facts).then_some(facts.evidence.environment.profile.as_ref())??;
    let role = settings.settings.get("role_arn")?;
    let session = facts.evidence.access.iter().find(|session| session.next_hop);
    let Some(session) = session else {
        let why = if facts.by_agent() && !facts.evidence.environment.options.access_with_full_credentials {
            NOT_NARROWED
        } else if settings.settings.contains_key("mfa_serial") {
            "its profile asks for MFA, which no pod has"
        } else {
            "it was not tried"
        };
        return Some(open(facts, settings, role, why));
    };
    if let Some(why) = not_issued(session) {
        return Some(open(
            facts,
            settings,
            role,
            &format!("no narrowed credentials were issued for it: {why}"),
        ));
    }
    for (index, call) in session.calls.iter().enumerate().filter(|(_, call)| call.action == ASSUME_ROLE) {
        match answer(call) {
            Some(Answer::Allowed) => {}
            Some(Answer::Denied(code, message)) => {
                let reading = Reading::of(message);
                let own = reading.kind == Some(Kind::Session) && session.session_policy.is_some();
                if own {
                    return Some(open(
                        facts,
                        settings,
                        role,
                        "credprobe’s own session policy may be what denied it",
                    ));
                }
                // The role before it in the chain is who calls.
                let before = index.checked_sub(1).and_then(|before| session.calls.get(before));
                return Some(refused(facts, call, before, &reading, &format!("{code}: {message}")));
            }
            Some(Answer::Undecided(why)) => return Some(open(facts, settings, role, &why)),
            None => return Some(open(facts, settings, role, "it was not tried")),
        }
    }
    let answered = session.calls.last().and_then(|call| call.arn.as_deref());
    let Some(arn) = answered else {
        return Some(open(
            facts,
            settings,
            role,
            "credentials were issued, and GetCallerIdentity did not say whose they are",
        ));
    };
    let expected = RoleArn::parse(role).ok()?;
    if !is_session_of(arn, &expected) {
        return Some(
            finding(Class::IdentityMismatch, "the last role of the chain is not the one that answered".to_owned())
                .presented(arn.to_owned())
                .required(format!("{role}, --expect-role"))
                .fix("# STS gives the credentials of the role that it is asked for: something between pod and STS answers with its own"),
        );
    }
    Some(
        finding(Class::Ready, format!("profile {} goes on to {role}, and that role answered", settings.name))
            .severity(Severity::Info)
            .presented(arn.to_owned())
            .required(format!("{role}, --expect-role"))
            .steps(&facts.values(), &[&texts::SEE_CHAIN]),
    )
}

fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Never ready: the stated role has not answered.
fn open(facts: &Facts<'_>, profile: &Profile, role: &str, why: &str) -> Finding {
    let values =
        facts.values().with(slot::VALUE, &profile.name, Word::dns(&profile.name)).with_text(slot::ROLE, role);
    let finding = finding(
        Class::Inconclusive,
        format!("it is not known whether the pod’s own role may assume {}", name_of(role)),
    )
    .about(Topic::Access)
    .transient(false)
    .why(format!(
        "The first role of profile {} answered. credprobe could not ask for {role}: {}.",
        profile.name,
        crate::text::plain(why.trim_end_matches('.'))
    ))
    .presented(format!("profile {}, whose first role answered; {why}", profile.name))
    .required(format!("an answer of {role}, --expect-role"))
    .steps(&values, &[&texts::ASK_WITH_PROFILE, &texts::LEAVE_OUT_EXPECTED]);
    if why == NOT_NARROWED {
        finding.fix("# State --access-with-full-credentials as well: credprobe then tries it with all that the role may do.")
    } else {
        finding
    }
}

/// Which side refuses, as far as STS says.
fn refused(
    facts: &Facts<'_>,
    call: &AccessCall,
    before: Option<&AccessCall>,
    reading: &Reading,
    said: &str,
) -> Finding {
    let role = &call.resource;
    let action = reading.action.clone().unwrap_or_else(|| ASSUME_ROLE.to_owned());
    let first = repair::acting_role(facts).filter(|_| before.is_none());
    let calling = before.map_or_else(|| repair::acting_arn(facts), |before| before.resource.clone());
    let calling_account = calling.split(':').nth(4).unwrap_or_default().to_owned();
    let next_account = role.split(':').nth(4).unwrap_or_default().to_owned();
    let tags = if action.eq_ignore_ascii_case(TAG_SESSION) { " with tags" } else { "" };
    let (side, who) = match reading.kind {
        Some(Kind::Trust | Kind::Resource) => {
            (format!("the trust policy of {}", name_of(role)), Some(repair::administrator(&next_account)))
        }
        Some(kind @ (Kind::ServiceControl | Kind::ResourceControl | Kind::VpcEndpoint | Kind::Session)) => {
            (kind.words(), repair::who(facts, role, Some(kind)))
        }
        Some(kind) => (
            match kind {
                Kind::Identity => format!("a policy of {}", name_of(&calling)),
                kind => format!("{} of {}", kind.words(), name_of(&calling)),
            },
            Some(repair::administrator(&calling_account)),
        ),
        None => (
            "one of the two sides".to_owned(),
            Some(format!("whoever administers IAM in accounts {calling_account} and {next_account}")),
        ),
    };
    let mut finding =
        finding(Class::RoleChainDenied, format!("{side} refuses {}{tags}", short(&action, role)))
            .owner(super::owner(reading.kind))
            .presented(format!("{calling} at {}: {said}", call.host))
            .required(format!(
                "{action} on {role}, in the policies of {calling} and in that role’s trust policy"
            ))
            .ruled_out("the first role of the chain: it answered");
    finding.why = format!(
        "The first role of the chain answered. Then {} asked for {role}, and {} says {}.{}",
        name_of(&calling),
        call.host,
        match (reading.kind, &reading.policy) {
            (Some(kind), Some(policy)) => format!("that {}, {policy}, does not allow {action}", kind.words()),
            (Some(kind), None) if reading.explicit => format!("that {} denies {action}", kind.words()),
            (Some(kind), None) => format!("that no {} allows {action}", kind.name()),
            // User, action and resource stand in the sentence already.
            (None, _) => format!("only {}", said.split(':').next().unwrap_or_default()),
        },
        if tags.is_empty() {
            ""
        } else {
            " The tags of its session are transitive: both sides must allow sts:TagSession."
        }
    );
    finding.who = who;
    let own_side = matches!(reading.kind, Some(Kind::Identity) | None) && !reading.explicit;
    let command = facts.aws().zip(first).filter(|_| own_side);
    let command = command.and_then(|(aws, first)| repair::add(aws, &first, &action, role));
    if matches!(reading.kind, Some(Kind::Trust | Kind::Resource) | None) {
        finding = repair::trust(facts, finding, &calling, role, reading);
    }
    if own_side {
        finding = finding.fix_note(
            command,
            &format!(
                "Allow it in a policy of {}. This adds an inline policy, or replaces the one of that name:",
                name_of(&calling)
            ),
        );
    }
    if let Some(kind @ (Kind::ServiceControl | Kind::ResourceControl)) = reading.kind {
        finding = repair::organization(facts, finding, kind);
    }
    if let Some(
        kind @ (Kind::Identity
        | Kind::Boundary
        | Kind::ServiceControl
        | Kind::ResourceControl
        | Kind::VpcEndpoint
        | Kind::Session),
    ) = reading.kind
    {
        let policy = reading.policy.as_deref().map(|arn| format!(" {arn}")).unwrap_or_default();
        finding = finding.fix(format!(
            "# Let the {}{policy} of {} allow {action} on {}.",
            kind.name(),
            name_of(&calling),
            name_of(role)
        ));
    }
    match (reading.kind, tags.is_empty()) {
        (_, false) => {
            finding.fix("# Under Pod Identity, an association with disableSessionTags passes no tags on.")
        }
        (None, true) => finding.fix("# With two accounts, both sides must allow it."),
        (Some(_), true) => finding,
    }
}
