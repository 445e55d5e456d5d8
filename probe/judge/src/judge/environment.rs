//! Judges variables, profile and flags: injection, the role's ARN, region and partition. Pure.
//! Session name, endpoint and bundle are in `settings`.

use super::facts::Facts;
use super::{agent, endpoint, profile, unseen};
use crate::catalog::{Class, Topic};
use crate::judge::finding::{Basis, Finding, Severity};
use crate::options::Mechanism;
use crate::sdks;
use crate::settings::arn::RoleArn;
use crate::settings::command::{Tool, Word, words};
use crate::settings::partition::{self, GLOBAL_STS, Partition};
use crate::settings::{self, ISSUER_SOURCE, RouteProblem, Sourced};

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
    let mounted = environment.irsa_mount || environment.pod_identity_mount;
    let finding = if mounted {
        let mount = if environment.irsa_mount { settings::IRSA_MOUNT } else { settings::POD_IDENTITY_MOUNT };
        Finding::new(
            Class::PartlyInjected,
            format!("{mount} is mounted, but the variables that point to it are not set"),
        )
        .presented(format!("the mount {mount}, no variables"))
    } else {
        Finding::new(
            Class::NotInjected,
            match facts.account() {
                Some(account) => format!(
                    "the webhook gave this pod no AWS credentials: nothing is injected for service account {}/{}",
                    account.namespace, account.name
                ),
                None => "the webhook gave this pod no AWS credentials: nothing is injected".to_owned(),
            },
        )
        .presented("no AWS_ROLE_ARN, no AWS_WEB_IDENTITY_TOKEN_FILE, no AWS_CONTAINER_CREDENTIALS_FULL_URI, no token mount")
    };
    let finding = finding.required(
        "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, which the webhook adds when the pod is created and its service account is annotated with eks.amazonaws.com/role-arn",
    );
    let finding = self_hosted(facts, annotate(facts, finding));
    let stated = facts.evidence.environment.options.expect_role.is_some();
    let finding = if stated || mounted { finding } else { annotate_unknown_role(facts, finding) };
    facts.recreate(finding)
}

/// Without an annotation, or with one whose key is misspelt, another pod would be as this one.
fn annotate_unknown_role(facts: &Facts<'_>, finding: Finding) -> Finding {
    let finding = match facts.account() {
        Some(account) if account.name != "default" => {
            let command = Tool::Kubectl.run(words![
                "annotate",
                "serviceaccount",
                "-n",
                Word::label(account.namespace),
                Word::dns(account.name),
                Word::from("eks.amazonaws.com/role-arn=").then(Word::variable("role")),
                "--overwrite",
            ]);
            finding.fix_note(
                command.map(|command| format!("printf 'ARN of the role: '; read -r role; kubectl annotate serviceaccount {}", command.trim_start_matches("kubectl annotate serviceaccount "))),
                "where the command above shows no key eks.amazonaws.com/role-arn, or one that is spelt otherwise: asks for the role, which the pod cannot know; overwrites the annotation",
            )
        }
        _ => finding.fix(
            "# give the pod a service account of its own with the annotation eks.amazonaws.com/role-arn",
        ),
    };
    finding.fix("# where EKS Pod Identity is meant: its association must be there before the pod is created")
}

/// On other clusters than EKS's somebody installs the webhook, and the API server goes on without it.
fn self_hosted(facts: &Facts<'_>, finding: Finding) -> Finding {
    if !facts.is_self_hosted() {
        return finding;
    }
    finding
        .confirm_note(
            Some("kubectl get mutatingwebhookconfiguration pod-identity-webhook -o yaml"),
            "the issuer is not one of EKS: somebody has to install the webhook, here under its usual name",
        )
        .fix("# where kubectl get mutatingwebhookconfiguration knows no such webhook: install amazon-eks-pod-identity-webhook. Where it does: the API server's log has failing open beside its name when its certificate or its Service is wrong; repair that first")
}

/// Shows the annotation; sets it where the role is stated.
fn annotate(facts: &Facts<'_>, finding: Finding) -> Finding {
    let Some(account) = facts.account() else {
        return finding.confirm(
            "# the pod's spec.serviceAccountName names the service account; look for the annotation eks.amazonaws.com/role-arn on it",
        );
    };
    let mut finding = facts.show_annotations(finding);
    if account.name == "default" {
        finding = finding.ruled_out(
            "a service account of its own: the pod runs as `default` (is spec.serviceAccountName missing?)",
        );
    }
    match &facts.evidence.environment.options.expect_role {
        Some(role) => annotate_role(facts, finding, role),
        None => finding,
    }
}

fn annotate_role(facts: &Facts<'_>, finding: Finding, role: &str) -> Finding {
    let role = Word::role_arn(role, facts.compatible()).after("eks.amazonaws.com/role-arn=");
    facts.annotate(finding, role, "overwrites the annotation")
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
    let finding = Finding::new(
        Class::PartlyInjected,
        format!(
            "{} is set and {missing} is not: the webhook adds neither when the pod spec sets one",
            present.source
        ),
    )
    .presented(format!(
        "{}={}{}",
        present.source,
        present.value,
        if mounted { ", and the webhook's token mount" } else { "" }
    ))
    .required(format!("both of the pair; {missing} is missing"))
    .fix(format!(
        "# remove {} from the container's env in the pod spec, so that the webhook sets both",
        present.source
    ));
    Some(facts.recreate(annotate(facts, finding)))
}

fn role_arn_malformed(facts: &Facts<'_>) -> Option<Finding> {
    let role = facts.requested.role_arn.as_ref()?;
    let malformed = RoleArn::parse_for(&role.value, facts.compatible()).err()?;
    let mut finding = Finding::new(
        Class::RoleArnMalformed,
        format!("{} is no role ARN: at byte {}: {}", role.source, malformed.offset, malformed.problem),
    )
    .presented(role.value.clone())
    .required(
        malformed.intended.clone().unwrap_or_else(|| "arn:aws:iam::TWELVE DIGITS:role/NAME".to_owned()),
    );
    let annotated = role.source == "AWS_ROLE_ARN";
    match (annotated, facts.account(), malformed.intended) {
        (true, Some(_), Some(intended)) => {
            finding = facts.recreate(annotate_role(facts, finding, &intended));
        }
        (true, Some(_), None) => {
            finding = facts
                .show_annotations(finding)
                .fix("# correct the annotation eks.amazonaws.com/role-arn of that service account");
            finding = facts.recreate(finding);
        }
        (_, _, Some(intended)) => finding = finding.fix(format!("# set {} to {intended}", role.source)),
        _ => finding = finding.fix(format!("# correct {}", role.source)),
    }
    Some(finding)
}

fn role_unexpected(facts: &Facts<'_>) -> Option<Finding> {
    let expected = facts.evidence.environment.options.expect_role.as_ref()?;
    let role = facts.requested.role_arn.as_ref()?;
    if facts.role.is_none() || *expected == role.value || profile::expects_next_hop(facts) {
        return None;
    }
    let finding = Finding::new(
        Class::RoleUnexpected,
        format!("{} asks for another role than the one expected", role.source),
    )
    .expectation(Basis::Explicit)
    .presented(format!("{} (from {})", role.value, role.source))
    .required(format!("{expected} (--expect-role)"));
    Some(facts.recreate(annotate(facts, finding)))
}

fn region_missing(facts: &Facts<'_>) -> Option<Finding> {
    let class = Class::RegionMissing;
    let call = if facts.by_agent() { "GetCallerIdentity" } else { "the exchange" };
    let finding = match (&facts.route.endpoint, &facts.route.region) {
        (Err(RouteProblem::RegionForm(region)), _) => {
            Finding::new(class, format!("{} is not the name of a region", region.source))
                .severity(Severity::Error)
                .presented(format!("{}={}", region.source, region.value.escape_debug()))
        }
        (Err(RouteProblem::NoRegion), _) => {
            Finding::new(class, "no region is known, and without one no STS endpoint can be chosen")
                // The agent needs none; whose its credentials are, nobody can be asked then.
                .severity(if facts.by_agent() { Severity::Warning } else { Severity::Error })
                .presented(format!("{}, nor a region in the profile or the issuer", no_region(facts)))
        }
        (Ok(endpoint), region) if endpoint.configured_by.is_none() => match region {
            None => Finding::new(class, format!("no region is set: {call} goes to the global endpoint"))
                .presented(format!("{}; used: {}", no_region(facts), endpoint.host)),
            Some(region) if region.source == sdks::OWN_DEFAULT => Finding::new(
                class,
                format!("no region is set: {call} goes to the SDK's own default, {}", region.value),
            )
            .presented(no_region(facts)),
            Some(region) if region.source == ISSUER_SOURCE => Finding::new(
                class,
                format!("no region is set: {call} goes to the issuer's, {}", region.value),
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
    let issuer = facts.token().and_then(|token| token.iss.as_deref());
    Some(match issuer.and_then(crate::settings::partition::region_of_issuer) {
        Some(region) => facts.set_region(
            finding.fix(format!(
                "# add to the container's env: [{{name: AWS_REGION, value: {region}}}, {{name: AWS_DEFAULT_REGION, value: {region}}}]"
            )),
            region,
        ),
        None => set_region_of_nodes(facts, finding),
    })
}

/// SDKs ask some host for any value, and new regions come every year: it is asked, and said.
fn unknown_region(facts: &Facts<'_>, region: &Sourced, host: &str) -> Finding {
    let pseudo = region.value == partition::GLOBAL_REGION || partition::without_fips(&region.value).1;
    let what = if pseudo {
        "is a pseudo region, which not every SDK knows"
    } else {
        "is a region that this version of credprobe does not know"
    };
    let finding = Finding::new(
        Class::RegionMissing,
        format!("{}={} {what}: {host} is asked", region.source, region.value),
    )
    .severity(Severity::Warning)
    .explains_nothing()
    .presented(format!("{}={}", region.source, region.value))
    .required("the name of the region in which STS is to be asked");
    let issuer = facts.token().and_then(|token| partition::region_of_issuer(token.iss.as_deref()?));
    match issuer {
        Some(issuer) if issuer != region.value => facts.set_region(
            finding.fix(format!("# the cluster's region is {issuer}; where that is meant:")),
            issuer,
        ),
        _ => finding.fix("# nothing, where the region is new and its host answers"),
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

/// The cluster knows its region where the issuer does not say it: nodes are labelled with it.
fn set_region_of_nodes(facts: &Facts<'_>, finding: Finding) -> Finding {
    let label = r"jsonpath={.items[0].metadata.labels.topology\.kubernetes\.io/region}";
    let finding = finding
        .fix("# add AWS_REGION and AWS_DEFAULT_REGION with the cluster's region to the container's env:");
    let Some(label) = Tool::Kubectl.run(words!["get", "nodes", "-o", label]) else { return finding };
    let region = |name: &'static str| Word::from(name).then(Word::variable("region"));
    match facts.deployment() {
        Some((namespace, deployment)) => {
            let changes = words![region("AWS_REGION="), region("AWS_DEFAULT_REGION=")];
            let command = [words!["set", "env", "-n", namespace, deployment], changes].concat();
            finding.fix_note(
                Tool::Kubectl.run(&command).map(|command| format!("region=\"$({label})\"; {command}")),
                "changes all its containers, restarts the deployment's pods",
            )
        }
        None => finding.confirm(label),
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
    let issuer = facts
        .token()
        .and_then(|token| token.iss.as_deref())
        .and_then(crate::settings::partition::region_of_issuer);
    let mut finding = Finding::new(
        Class::PartitionMismatch,
        format!(
            "the role is of partition {}, the STS endpoint of {}: no STS knows roles of another partition",
            role.partition, partition.id
        ),
    )
    .presented(format!("{} at {} ({by})", facts.role_text(), endpoint.host))
    .required("role and endpoint of one partition");
    if let Some(region) = issuer {
        let cluster = Partition::of_region(region).map_or("another", |partition| partition.id);
        finding = if cluster == role.partition {
            facts.set_region(
                finding.fix(format!("# set AWS_REGION and AWS_DEFAULT_REGION to {region}, the region of the cluster, in the container's env")),
                region,
            )
        } else {
            finding.fix(format!(
                "# the cluster is in {region} ({cluster}): annotate the service account with a role of partition {cluster}; or, where this role is meant, set AWS_REGION and AWS_DEFAULT_REGION to a region of {}, and register this cluster's issuer as an IAM OIDC provider in the role's account",
                role.partition
            ))
        };
    }
    Some(facts.recreate(annotate(facts, finding)))
}

/// A cluster of another partition: allowed, for a provider takes any issuer, and seldom meant.
fn other_partitions_issuer(facts: &Facts<'_>, partition: &Partition) -> Option<Finding> {
    let issuer = facts.token()?.iss.as_deref()?;
    let region = crate::settings::partition::region_of_issuer(issuer)?;
    let cluster = Partition::of_region(region).filter(|cluster| cluster.id != partition.id)?;
    let summary = format!(
        "the cluster is in {region}, partition {}; role and STS are of {}: that works where it is meant",
        cluster.id, partition.id
    );
    Some(
        Finding::new(Class::PartitionMismatch, summary)
            .severity(Severity::Info)
            .presented(format!("issuer {issuer}"))
            .required(format!("an issuer of partition {}, unless another is meant", partition.id))
            .fix("# nothing, where the role's account has registered this cluster's issuer on purpose"),
    )
}
