//! Judges variables, profile and flags: injection, the role's ARN, region and partition. Pure.
//! Session name, endpoint and bundle are in `settings`.

use super::facts::Facts;
use super::{agent, endpoint, profile, unseen};
use crate::catalog::texts::{common, environment as texts};
use crate::catalog::{Class, Restart, Topic};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::options::Mechanism;
use crate::sdks;
use crate::settings::arn::RoleArn;
use crate::settings::command::Word;
use crate::settings::partition::{self, GLOBAL_STS, Partition};
use crate::settings::{self, ISSUER_SOURCE, RouteProblem, Sourced};
use crate::steps::slot;
use crate::steps::template::Template;
use crate::text::{differ_little, plain};

pub(super) fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match facts.requested.mechanism {
        Mechanism::None if endpoint::unreadable::hides_mechanism(facts) || unseen::hides_settings(facts) => {}
        Mechanism::None => findings.push(not_injected(facts)),
        Mechanism::PodIdentity => {
            findings.extend(agent::injection(facts));
            findings.extend(region_missing(facts));
            findings.extend(partition_mismatch(facts));
            findings.extend(endpoint::judge(facts));
        }
        Mechanism::Irsa => {
            findings.extend(partly_injected(facts).filter(|_| !unseen::hides_settings(facts)));
            findings.extend(agent::leftover_pod_identity(facts));
            findings.extend(role_arn_malformed(facts));
            findings.extend(role_unexpected(facts));
            findings.extend(region_missing(facts));
            findings.extend(partition_mismatch(facts));
            findings.extend(endpoint::judge(facts));
        }
    }
    findings
}

fn not_injected(facts: &Facts<'_>) -> Finding {
    let environment = &facts.evidence.environment;
    // With IRSA stated, the other mechanism may be there whole.
    let other = facts.requested.mechanism == Mechanism::Irsa && environment.pod_identity_mount;
    let mounted = environment.irsa_mount || (environment.pod_identity_mount && !other);
    let account = facts.account();
    let of_default = account.as_ref().is_some_and(|account| account.name == "default");
    let mut values = facts.values();
    let finding = if mounted {
        let mount = if environment.irsa_mount { settings::IRSA_MOUNT } else { settings::POD_IDENTITY_MOUNT };
        Finding::new(Class::PartlyInjected, "the token is mounted, but the variables that name it are not set")
            .presented(format!("the mount {mount}, no variables"))
            .why(format!(
                "{mount} is mounted. The webhook sets the variables beside it, so this container lost them, or it is not one of those that the webhook saw."
            ))
    } else {
        let summary = if of_default {
            values.say("the pod runs as {the_sa}, which most likely has no role")
        } else {
            values.say("the webhook injected nothing for {the_sa}")
        };
        Finding::new(Class::NotInjected, summary)
            .presented(if other {
                "no AWS_ROLE_ARN, no AWS_WEB_IDENTITY_TOKEN_FILE; the webhook injected EKS Pod Identity"
            } else {
                "no AWS_ROLE_ARN, no AWS_WEB_IDENTITY_TOKEN_FILE, no AWS_CONTAINER_CREDENTIALS_FULL_URI, no token mount"
            })
            .why(format!(
                "{} The webhook acts on new pods whose service account has an annotation or an association.{}",
                if other {
                    "The webhook injected EKS Pod Identity, and --mechanism states IRSA."
                } else {
                    "Variables and token mount are missing."
                },
                if of_default { " Without serviceAccountName a pod runs as default." } else { "" }
            ))
    };
    let finding = finding.required(
        "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, which the webhook adds when the pod is created and its service account is annotated with eks.amazonaws.com/role-arn",
    );
    let mut steps: Vec<&Template> = Vec::new();
    if of_default {
        steps.extend([&texts::SEE_ROLES_OF_NAMESPACE, &texts::NAME_ACCOUNT]);
        return finding
            .ruled_out("a service account of its own: the pod runs as `default` (is spec.serviceAccountName missing?)")
            .steps(&values, &steps);
    }
    if account.is_none() && values.has(slot::POD) {
        // Nothing in the container names it; the pod does.
        values = values.with(slot::SERVICE_ACCOUNT, "the pod’s service account", Word::variable("account"));
        steps.extend([&texts::SEE_POD, &texts::FIND_ACCOUNT]);
    } else {
        steps.extend([&texts::SEE_POD, &common::SEE_SERVICE_ACCOUNT]);
    }
    if facts.is_self_hosted() {
        steps.extend([&texts::SEE_WEBHOOK, &texts::INSTALL_WEBHOOK, &texts::REPAIR_WEBHOOK]);
    }
    if mounted {
        return finding.steps(&values, &steps).steps(&values, &[&common::RESTART]);
    }
    match &environment.options.expect_role {
        Some(role) => {
            let values = values.with(slot::ROLE_ARN, role, Word::role_arn(role, facts.compatible()));
            finding.steps(&values, &steps).steps(&values, &[&common::ANNOTATE_ROLE, &common::RESTART])
        }
        // Without an annotation, or with one whose key is misspelt, another pod would be as this one.
        None if facts.is_self_hosted() => finding.steps(&values, &steps),
        None => {
            let of_irsa = facts.requested.mechanism == Mechanism::Irsa;
            let associate = if of_irsa { &texts::LEAVE_OUT_MECHANISM } else { &texts::ASSOCIATE };
            steps.extend([associate, &texts::MAKE_NEW_PODS, &texts::ANNOTATE_UNKNOWN_ROLE]);
            finding.steps(&values, &steps)
        }
    }
}

fn partly_injected(facts: &Facts<'_>) -> Option<Finding> {
    let requested = &facts.requested;
    let (present, missing) = match (&requested.role_arn, &requested.token_file) {
        (Some(role), None) => (role, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        (None, Some(file)) => (file, "AWS_ROLE_ARN"),
        (None, None) => return Some(not_injected(facts)),
        (Some(_), Some(_)) => return None,
    };
    let mounted = facts.evidence.environment.irsa_mount;
    // EKS's webhook is in EKS alone, and there may be none here.
    let elsewhere = facts.is_self_hosted() && !mounted;
    let finding = Finding::new(
        Class::PartlyInjected,
        if elsewhere {
            format!("{} is set alone, in a cluster outside of EKS", present.source)
        } else if present.source.starts_with("AWS_") {
            format!("the pod sets {}, so {missing} was not added", present.source)
        } else {
            format!("{} is set and {missing} is not", present.source)
        },
    )
    .presented(format!(
        "{}={}{}",
        present.source,
        present.value,
        if mounted { ", and the webhook's token mount" } else { "" }
    ))
    .required(format!("both of the pair; {missing} is missing"))
    .why(if elsewhere {
        format!(
            "The token’s issuer is not one of EKS, so EKS’s webhook is not in this cluster. One of your own adds neither variable where the pod sets {}.",
            present.source
        )
    } else {
        format!(
            "The pod sets {} itself. The webhook then adds neither variable{}.",
            present.source,
            if mounted { ", and mounts the token all the same" } else { "" }
        )
    });
    Some(finding.webhook(facts, facts.values(), &[&common::SEE_VARIABLES, &common::SEE_SERVICE_ACCOUNT]))
}

fn role_arn_malformed(facts: &Facts<'_>) -> Option<Finding> {
    let role = facts.requested.role_arn.as_ref()?;
    let malformed = RoleArn::parse_for(&role.value, facts.compatible()).err()?;
    let finding = Finding::new(
        Class::RoleArnMalformed,
        format!("{} is malformed: {}", role.source, plain(&malformed.problem)),
    )
    .presented(role.value.clone())
    .required(malformed.intended.clone().unwrap_or_else(|| "arn:aws:iam::TWELVE DIGITS:role/NAME".to_owned()))
    .why(match &malformed.intended {
        // The report shows both under each other.
        Some(intended) if differ_little(&role.value, intended) => {
            format!("It is wrong from byte {} on. Most likely the second one is meant:", malformed.offset)
        }
        Some(intended) => format!(
            "It is {}. Most likely {intended} is meant.",
            plain(&role.value.escape_debug().to_string())
        ),
        None => format!(
            "It is {}, and wrong from byte {} on. The form is arn:aws:iam::ACCOUNT:role/NAME.",
            plain(&role.value.escape_debug().to_string()),
            malformed.offset
        ),
    });
    let values = facts.values().with_text(slot::VARIABLE, &role.source);
    let annotated = role.source == "AWS_ROLE_ARN";
    let finding = match (annotated, facts.account(), malformed.intended) {
        (true, Some(_), Some(intended)) if !facts.compatible() => {
            let values = values.with(slot::ROLE_ARN, &intended, Word::role_arn(&intended, false));
            finding.steps(&values, &[&common::SEE_SERVICE_ACCOUNT, &common::ANNOTATE_ROLE, &common::RESTART])
        }
        (true, Some(_), None) if !facts.compatible() => {
            finding.steps(&values, &[&common::SEE_SERVICE_ACCOUNT, &texts::CORRECT_ARN])
        }
        (_, _, Some(intended)) => finding.steps(
            &values.with_text(slot::VALUE, intended),
            &[&common::SEE_VARIABLES, &texts::CORRECT_VALUE],
        ),
        _ => finding.steps(&values, &[&common::SEE_VARIABLES, &common::CORRECT_SETTING]),
    };
    Some(if role.is_of_a_file() { finding.restart(Restart::Container) } else { finding })
}

fn role_unexpected(facts: &Facts<'_>) -> Option<Finding> {
    let expected = facts.evidence.environment.options.expect_role.as_ref()?;
    let role = facts.requested.role_arn.as_ref()?;
    if facts.role.is_none() || *expected == role.value {
        return None;
    }
    if profile::expects_next_hop(facts) || profile::is_passed_by(facts) {
        return None;
    }
    let finding = Finding::new(
        Class::RoleUnexpected,
        match (&facts.role, RoleArn::parse_for(expected, facts.compatible())) {
            (Some(asked), Ok(expected)) if asked.name != expected.name => {
                format!("{} is {}, --expect-role states {}", role.source, asked.name, expected.name)
            }
            _ => format!("{} is not the stated role, but one of the same name", role.source),
        },
    )
    .expectation(Basis::Explicit)
    .presented(format!("{} (from {})", role.value, role.source))
    .required(format!("{expected} (--expect-role)"))
    .why(format!(
        "{} is {}, and --expect-role states {expected}. No call was made.",
        role.source, role.value
    ));
    if role.is_of_a_file() {
        let values = facts.values().with_text(slot::VARIABLE, &role.source);
        return Some(finding.restart(Restart::Container).steps(&values, &[&common::CORRECT_PROFILE]));
    }
    let values = facts.values().with(slot::ROLE_ARN, expected, Word::role_arn(expected, facts.compatible()));
    Some(finding.steps(
        &values,
        &[
            &common::SEE_SERVICE_ACCOUNT,
            &texts::CORRECT_EXPECTED_ROLE,
            &texts::ANNOTATION_IS_WRONG,
            &texts::NEW_POD_IF_OLDER,
        ],
    ))
}

fn region_missing(facts: &Facts<'_>) -> Option<Finding> {
    let class = Class::RegionMissing;
    let call = if facts.by_agent() { "GetCallerIdentity" } else { "the exchange" };
    let finding = match (&facts.route.endpoint, &facts.route.region) {
        (Err(RouteProblem::RegionForm(region)), _) => Finding::new(
            class,
            if region.value.trim() == region.value {
                format!("{} is not the name of a region", presented_region(region))
            } else {
                format!("{} has white space at one end", region.source)
            },
        )
        .severity(Severity::Error)
        .presented(presented_region(region)),
        (Err(RouteProblem::NoRegion), _) => {
            Finding::new(class, "no region is known, so no STS endpoint can be chosen")
                // The agent needs none; whose its credentials are, nobody can be asked then.
                .severity(if facts.by_agent() { Severity::Warning } else { Severity::Error })
                .presented(format!("{}, nor a region in the profile or the issuer", no_region(facts)))
        }
        (Ok(endpoint), region) if endpoint.configured_by.is_none() => match region {
            None => Finding::new(class, format!("no region is set, so {call} goes to the global endpoint"))
                .presented(format!("{}; used: {}", no_region(facts), endpoint.host)),
            Some(region) if region.source == sdks::OWN_DEFAULT => Finding::new(
                class,
                format!("no region is set, so {call} goes to the SDK’s default, {}", region.value),
            )
            .presented(no_region(facts)),
            Some(region) if region.source == ISSUER_SOURCE => Finding::new(
                class,
                format!("no region is set, so {call} goes to the issuer’s, {}", region.value),
            )
            .presented(no_region(facts)),
            // Where there is no such host, that is what is told.
            Some(region)
                if !partition::is_known_region(&region.value)
                    && facts.evidence.network.as_ref().is_none_or(|network| network.failure.is_none()) =>
            {
                return Some(unknown_region(facts, region, &endpoint.host));
            }
            Some(_) => return None,
        },
        _ => return None,
    };
    let global = facts.route.endpoint.as_ref().is_ok_and(|endpoint| endpoint.host == GLOBAL_STS);
    let finding = if global { finding.about(Topic::GlobalEndpoint) } else { finding };
    let finding = finding.required(
        "AWS_REGION and AWS_DEFAULT_REGION (boto3 reads only the second) in the container's environment",
    );
    let finding = finding
        .why_both("SDKs do not agree on what they do without a region: boto3 reads only AWS_DEFAULT_REGION.");
    let issuer = facts.token().and_then(|token| token.iss.as_deref());
    let values = facts.values();
    Some(match issuer.and_then(partition::region_of_issuer) {
        Some(region) => {
            let values = values.with(slot::REGION, region, Word::region(region));
            finding.steps(&values, &[&common::SEE_VARIABLES, &common::SET_REGION])
        }
        // The cluster knows its region where the issuer does not say it: nodes are labelled with it.
        None => finding
            .steps(&values, &[&common::SEE_VARIABLES, &texts::SEE_NODES_REGION, &texts::SET_NODES_REGION]),
    })
}

/// White space at the end of a line is seen by nobody.
fn presented_region(region: &Sourced) -> String {
    let value = region.value.escape_debug();
    let blank = region.value.trim() != region.value;
    format!("{}={value}{}", region.source, if blank { ", with white space at one end" } else { "" })
}

/// SDKs ask some host for any value, and new regions come every year: it is asked, and said.
fn unknown_region(facts: &Facts<'_>, region: &Sourced, host: &str) -> Finding {
    let pseudo = region.value == partition::GLOBAL_REGION || partition::without_fips(&region.value).1;
    let what = if pseudo {
        "is a pseudo region that not every SDK knows"
    } else {
        "is a region that this version of credprobe does not know"
    };
    let finding = Finding::new(Class::RegionMissing, format!("{}={} {what}", region.source, region.value))
        .severity(Severity::Warning)
        .explains_nothing()
        .presented(format!("{}={}", region.source, region.value))
        .required("the name of the region in which STS is to be asked")
        .why(format!("{host} was asked, as SDKs do."));
    let issuer = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    let values = facts.values();
    match issuer {
        Some(issuer) if issuer != region.value => {
            finding.steps(&values.with(slot::REGION, issuer, Word::region(issuer)), &[&common::SET_REGION])
        }
        _ => finding.steps(&values, &[&texts::KEEP_REGION]),
    }
}

/// The variables that are missing: those of the SDK that is stated, else both.
fn no_region(facts: &Facts<'_>) -> String {
    match sdks::stated(&facts.evidence.environment).and_then(|sdk| Some((sdk, sdk.sts.as_ref()?))) {
        Some((sdk, sts)) => {
            format!("no {}, as {} would read it", sts.regions.join(" and no "), sdks::names(&[sdk]))
        }
        None => "neither AWS_REGION nor AWS_DEFAULT_REGION".to_owned(),
    }
}

fn partition_mismatch(facts: &Facts<'_>) -> Option<Finding> {
    let role = facts.role.as_ref()?;
    let endpoint = facts.route.endpoint.as_ref().ok()?;
    let partition = Partition::of_host(&endpoint.host).filter(|_| !facts.compatible())?;
    if partition.id == role.partition {
        return other_partitions_issuer(facts, partition);
    }
    let by = match (&facts.route.region, endpoint.configured_by) {
        (_, Some(variable)) => variable.to_owned(),
        (Some(region), None) => format!("region {} from {}", region.value, region.source),
        (None, None) => "no region".to_owned(),
    };
    let by_short = match (&facts.route.region, endpoint.configured_by) {
        (_, Some(variable)) => variable.to_owned(),
        (Some(region), None) => format!("region {}", region.value),
        (None, None) => "the global endpoint".to_owned(),
    };
    let issuer = facts.token().and_then(|token| token.iss.as_deref()).and_then(partition::region_of_issuer);
    let finding = Finding::new(
        Class::PartitionMismatch,
        format!("role {} is in {}, {by_short} is in {}", role.name, role.partition, partition.id),
    )
    .presented(format!("{} at {} ({by})", facts.role_text(), endpoint.host))
    .required("role and endpoint of one partition")
    .why(format!(
        "credprobe would ask {} for {}, by {by}. STS does not know roles of another partition.",
        endpoint.host,
        facts.role_text()
    ));
    let values = facts.values();
    let cluster = issuer.and_then(Partition::of_region).map(|partition| partition.id);
    Some(match issuer {
        Some(region) if cluster == Some(role.partition.as_str()) => {
            let values = values.with(slot::REGION, region, Word::region(region));
            finding.steps(&values, &[&common::SEE_VARIABLES, &common::SET_REGION])
        }
        Some(_) => finding.steps(&values, &[&common::SEE_SERVICE_ACCOUNT, &texts::OTHER_PARTITION]),
        None => finding
            .steps(&values, &[&common::SEE_SERVICE_ACCOUNT, &common::SEE_VARIABLES, &texts::ONE_PARTITION]),
    })
}

/// A cluster of another partition: allowed, for a provider takes any issuer, and seldom meant.
fn other_partitions_issuer(facts: &Facts<'_>, partition: &Partition) -> Option<Finding> {
    let issuer = facts.token()?.iss.as_deref()?;
    let region = partition::region_of_issuer(issuer)?;
    let cluster = Partition::of_region(region).filter(|cluster| cluster.id != partition.id)?;
    let summary = format!(
        "the cluster is in {region}, partition {}, and role and STS are of {}",
        cluster.id, partition.id
    );
    Some(
        Finding::new(Class::PartitionMismatch, summary)
            .severity(Severity::Info)
            .presented(format!("issuer {issuer}"))
            .required(format!("an issuer of partition {}, unless another is meant", partition.id))
            .steps(&facts.values(), &[&texts::KEEP_PARTITION]),
    )
}
