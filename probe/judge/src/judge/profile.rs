//! Judges the active profile where it goes on from another identity: whose, and what it comes to. Pure.
//! A profile that begins with the pod's own identity uses it, and takes nothing from it; no repair empties such a file.

use super::facts::Facts;
use crate::catalog::texts::{environment as texts_of_environment, outcome as texts};
use crate::catalog::{Class, Restart};
use crate::evidence::Profile;
use crate::judge::finding::{Finding, Severity};
use crate::sdks;
use crate::settings::agent::URI_VARIABLE;
use crate::settings::arn::RoleArn;
use crate::steps::slot;
use crate::text::plain;

/// With whose identity the active profile begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// The identity under test.
    Own,
    /// The pod's own token, and another role.
    OtherRole,
    /// `credential_source = Environment` without keys in the environment: nobody's.
    Nobody,
    Another,
}

/// `None`: there is no profile.
pub(super) fn beginning(facts: &Facts<'_>) -> Option<Beginning> {
    let first = facts.evidence.environment.profile.as_ref()?.beginning();
    let setting = |key: &str| first.settings.get(key).map(String::as_str);
    if let Some(file) = setting("web_identity_token_file") {
        let own = facts.requested.token_file.as_ref().map(|own| own.value.as_str());
        let role = facts.requested.role_arn.as_ref().map(|own| own.value.as_str());
        return Some(match own.is_some_and(|own| sdks::is_same_file(own, file)) && !facts.by_agent() {
            true if setting("role_arn") == role => Beginning::Own,
            true => Beginning::OtherRole,
            false => Beginning::Another,
        });
    }
    let environment = &facts.evidence.environment;
    let has_keys = environment.get("AWS_ACCESS_KEY_ID") == Some("set")
        && environment.get("AWS_SECRET_ACCESS_KEY") == Some("set");
    Some(match setting("credential_source") {
        Some("EcsContainer") if facts.by_agent() => Beginning::Own,
        Some("Environment") if !has_keys => Beginning::Nobody,
        _ => Beginning::Another,
    })
}

/// The role in which the profile ends, where it begins with the identity under test and goes on.
fn next_hop<'c>(facts: &'c Facts<'_>) -> Option<(&'c Profile, &'c str)> {
    let profile = facts.evidence.environment.profile.as_ref()?;
    let goes_on = profile.source.is_some() || profile.settings.contains_key("credential_source");
    let role = profile.settings.get("role_arn").filter(|_| goes_on)?;
    (beginning(facts)? == Beginning::Own).then_some((profile, role))
}

/// Whether the stated role is the last of the profile's chain, and not the first, and the stated SDK goes there.
pub(super) fn expects_next_hop(facts: &Facts<'_>) -> bool {
    let expected = facts.evidence.environment.options.expect_role.as_deref();
    next_hop(facts).is_some_and(|(_, role)| expected == Some(role)) && !is_passed_by(facts)
}

/// Whether the stated SDK takes the pod's own identity, although the stated role is the one in which the profile ends.
pub(super) fn is_passed_by(facts: &Facts<'_>) -> bool {
    sdks::stated(&facts.evidence.environment).is_some_and(|sdk| is_among(sdk, &passing_by(facts)))
        && ends_as_expected(facts).is_some()
}

/// The profile that ends in the stated role, where AWS_ROLE_ARN is another one.
fn ends_as_expected<'c>(facts: &'c Facts<'_>) -> Option<&'c Profile> {
    let profile = facts.evidence.environment.profile.as_ref()?;
    let role = profile.settings.get("role_arn")?;
    let own = facts.requested.role_arn.as_ref().filter(|_| !facts.by_agent());
    let differs = own.is_none_or(|own| own.value != *role);
    let begins_here = matches!(beginning(facts)?, Beginning::Own | Beginning::OtherRole);
    let expected = facts.evidence.environment.options.expect_role.as_ref();
    (begins_here && differs && expected == Some(role)).then_some(profile)
}

/// The SDKs that take the variables of the mechanism before the active profile, or do not read the profile.
fn passing_by(facts: &Facts<'_>) -> Vec<&'static sdks::Sdk> {
    let mechanism = facts.requested.mechanism;
    let passes =
        |it: &sdks::Present| it.provider.is_of(mechanism) && !it.provider.is_profile() && it.broken.is_none();
    facts.chains().iter().filter(|chain| chain.picks().is_some_and(passes)).map(|chain| chain.sdk).collect()
}

fn is_among(sdk: &sdks::Sdk, sdks: &[&sdks::Sdk]) -> bool {
    sdks.iter().any(|other| other.id == sdk.id)
}

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    [goes_on(facts), passed_by(facts), begins_with_nobody(facts)].into_iter().flatten().collect()
}

/// The stated role is the profile's, and SDKs never get to the profile.
fn passed_by(facts: &Facts<'_>) -> Option<Finding> {
    let environment = &facts.evidence.environment;
    let profile = ends_as_expected(facts)?;
    let passing = passing_by(facts);
    let wrong = is_passed_by(facts);
    // Without an SDK it is told where the profile is followed beside IRSA's variables, which most SDKs take.
    let told_of_all = sdks::stated(environment).is_none() && !facts.by_agent() && expects_next_hop(facts);
    if passing.is_empty() || !(wrong || told_of_all) {
        return None;
    }
    let told = super::values::told(facts, &passing);
    let count = told.iter().map(|sdk| sdk.names.len()).sum::<usize>();
    let names = if count > 6 { format!("{count} SDKs") } else { sdks::names(&told) };
    let (mechanism, variable) = if facts.by_agent() {
        ("EKS Pod Identity", URI_VARIABLE)
    } else {
        ("IRSA", "AWS_WEB_IDENTITY_TOKEN_FILE")
    };
    let own = facts.requested.role_arn.as_ref().filter(|_| !facts.by_agent());
    let own = own.map_or("the association’s role", |own| own.value.as_str());
    let role = profile.settings.get("role_arn").map_or("", String::as_str);
    let name = &profile.name;
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find(|it| environment.get(it).is_some());
    let by = named.map_or(String::new(), |variable| format!(", which {variable} names,"));
    let finding = Finding::new(
        Class::Shadowed,
        sdks::sentence(Class::Shadowed, &told, &|sdks| {
            format!("profile {name} is not used: {mechanism} comes first in {sdks}")
        }),
    )
    .restart(Restart::Pod)
    .presented(format!("{own}, by {variable}"))
    .required(format!("{role} of profile {name} (--expect-role)"))
    .why(plain(&format!(
        "{names} {} no credentials from profile {name}{by} while {variable} is set. The app then works as {own}, and --expect-role states {role}.",
        sdks::verb(&names, "takes", "take")
    )))
    .steps(
        &facts.values().with_text(slot::VALUE, name),
        &[&texts::SEE_CHAIN, &texts_of_environment::CORRECT_EXPECTED_ROLE, &texts::PROFILE_IN_CODE],
    );
    // The profile itself asks the agent, by the same variable.
    let finding =
        if facts.by_agent() { finding } else { finding.steps(&facts.values(), &[&texts::WITHOUT_IRSA]) };
    Some(super::values::weighed(facts, &passing, finding))
}

/// The role's name, or what stands in its place.
fn name_of(role: &str) -> String {
    RoleArn::parse(role).map_or_else(|_| role.to_owned(), |arn| arn.name)
}

/// Where the last role is stated, it is tried, and `role_access` tells how that came out.
fn goes_on(facts: &Facts<'_>) -> Option<Finding> {
    let (profile, role) = next_hop(facts).filter(|_| !expects_next_hop(facts) && !is_passed_by(facts))?;
    let needs = if facts.by_agent() {
        "sts:AssumeRole and, because Pod Identity's tags are transitive, sts:TagSession, both in this role's policy and in that role's trust policy; or an association with disableSessionTags"
    } else {
        "sts:AssumeRole in this role's policy and in that role's trust policy"
    };
    let values = facts.values().with_text(slot::VALUE, plain(needs));
    let passing = passing_by(facts);
    let Profile { name, .. } = profile;
    let stated = sdks::stated(&facts.evidence.environment).filter(|sdk| is_among(sdk, &passing));
    let summary = match stated {
        Some(sdk) => format!("{} does not go on to role {}", sdks::names(&[sdk]), name_of(role)),
        None => format!("profile {name} goes on to role {}, which credprobe does not try", name_of(role)),
    };
    let passing = if passing.is_empty() {
        String::new()
    } else {
        let names = sdks::names(&super::values::told(facts, &passing));
        format!(" {names} {} the variables first, and not the profile.", sdks::verb(&names, "takes", "take"))
    };
    Some(
        Finding::new(Class::Shadowed, summary)
        .severity(Severity::Info)
        .presented(format!("profile {name}"))
        .required(needs)
        .why(format!(
            "The profile begins with the pod’s own identity, which was tried, and ends in {role}. That role needs {}.{passing}",
            plain(needs)
        ))
        .steps(&values, &[&texts::SEE_CHAIN, &texts::ALLOW_NEXT_ROLE]),
    )
}

fn begins_with_nobody(facts: &Facts<'_>) -> Option<Finding> {
    if beginning(facts)? != Beginning::Nobody {
        return None;
    }
    let environment = &facts.evidence.environment;
    let profile = environment.profile.as_ref()?;
    let stops: Vec<&sdks::Sdk> = sdks::chain(environment)
        .into_iter()
        .filter(|chain| chain.picks().is_some_and(|it| it.provider == sdks::Provider::ProfileAssumeRole))
        .map(|chain| chain.sdk)
        .collect();
    if stops.is_empty() {
        return None;
    }
    let name = format!("profile {}", profile.name);
    let file = facts.requested.token_file.as_ref().map_or("the token’s path", |file| &file.value);
    let values = facts
        .values()
        .with_text(slot::VALUE, &name)
        .with_text(slot::ROLE_ARN, facts.role_text())
        .with_text(slot::FILE, file);
    let step = if facts.by_agent() { &texts::ASK_AGENT_IN_PROFILE } else { &texts::BEGIN_WITH_TOKEN };
    let finding = Finding::new(
        Class::SettingsInvalid,
        format!("SDKs stop at {name}: it takes keys from the environment, which has none"),
    )
    .explains_nothing()
    .restart(Restart::Container)
    .presented(format!("profile {} with credential_source = Environment, and no keys", profile.name))
    .required(if facts.by_agent() {
        "credential_source = EcsContainer, which asks the Pod Identity agent"
    } else {
        "source_profile with a profile of role_arn and web_identity_token_file, as the webhook's variables have them"
    })
    .why(format!(
        "It has credential_source = Environment, which looks for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and reads no web identity. An SDK that reads it ends there, and does not go on to the pod’s own identity: {}.",
        sdks::names(&stops)
    ))
    .steps(&values, &[&texts::SEE_CHAIN, step]);
    Some(super::values::weighed(facts, &stops, finding))
}
