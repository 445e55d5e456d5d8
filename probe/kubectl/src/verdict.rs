//! Runs all judges on one container and makes the report that credprobe itself would print. Pure.
//! What a laptop cannot see is not part of the verdict, but the report names it.

use crate::objects::Container;
use crate::outside::{self, Case};
use crate::translate::{self, Seen};
use crate::unit::PodView;
use crate::world::World;
use credprobe_judge::catalog::{Attribute, Class};
use credprobe_judge::evidence::{Collected, StageName, Timing, TokenShape};
use credprobe_judge::judge;
use credprobe_judge::judge::finding::{Finding, Severity};
use credprobe_judge::options::Mechanism;
use credprobe_judge::report::{self, Report};
use credprobe_judge::sdks::EffectiveSettings;
use credprobe_judge::steps::Step;
use credprobe_judge::verdict;

/// A container's verdict.
#[derive(Debug)]
pub(crate) struct Judged {
    pub report: Report,
    pub mechanism: Mechanism,
    pub role: Option<String>,
    pub only_in_pod: Vec<String>,
    /// There is no verdict: the container has neither mechanism, and nothing asks for one.
    pub silent: bool,
}

/// What no specification says, for any container that should get credentials.
const NEVER_SEEN: &[&str] = &[
    "whether STS or the agent answers: DNS, egress, proxies, certificates, clocks",
    "profile files in the image, and what its entrypoint changes: variables, user, files",
    "which version of the SDK the application has",
];

pub(crate) fn judged(world: &World, pod: &PodView<'_>, container: &Container, now: i64) -> Judged {
    let mut seen = translate::seen(world, pod, container, now);
    let tried = world.tried.as_ref().filter(|tried| {
        let role = seen.evidence.environment.get("AWS_ROLE_ARN");
        tried.namespace == pod.namespace
            && tried.account == pod.account()
            && role == Some(tried.role.as_str())
    });
    seen.evidence.exchange = tried.map(|tried| tried.exchange.clone());
    let settings = EffectiveSettings::from_evidence(&seen.evidence);
    let mechanism = settings.requested.mechanism;
    let case = Case { world, pod, container, seen: &seen, settings: &settings, now };
    let silent = mechanism == Mechanism::None
        && seen.undecided().is_none()
        && !mounted(&seen)
        && !translate::asks(world, pod, container, &seen)
        && outside::unused_accounts(&case).is_empty();
    let mut findings = judge::findings(&seen.evidence, &settings, now);
    let mut outside = outside::judge(&case);
    findings.retain(|finding| {
        stands(finding, &seen, world) && !(outside.replaces_injection && finding.class == Class::NotInjected)
    });
    // An actual answer of STS takes precedence over conclusions from IAM.
    let is_answered = |finding: &Finding| tried.is_some() && finding.class.has(Attribute::OfSts);
    let answers: Vec<Class> = findings.iter().filter(|it| is_answered(it)).map(|it| it.class).collect();
    let issued = tried.is_some_and(|tried| tried.exchange.issued);
    outside.findings.retain(|it| !is_answered(it) || (!issued && answers.contains(&it.class)));
    let better: Vec<Class> =
        outside.findings.iter().filter(|it| is_answered(it)).map(|it| it.class).collect();
    findings.retain(|it| !(is_answered(it) && better.contains(&it.class)));
    findings.append(&mut outside.findings);
    let lacks = |it: &Finding| matches!(it.class, Class::NotInjected | Class::PartlyInjected);
    if let Some(hidden) = seen.undecided() {
        findings.retain(|it| !lacks(it));
        findings.push(not_read(&format!("the value of {}", hidden.name), &hidden.source));
    } else if let Some(variable) = profile_file(&seen).filter(|_| findings.iter().any(lacks)) {
        // Role and token may come from a profile, as on OpenShift.
        findings.retain(|it| !lacks(it));
        findings.push(not_read(
            "the profile from which the credentials come",
            &format!("the file of {variable}"),
        ));
    }
    let mut only_in_pod = std::mem::take(&mut seen.only_in_pod);
    only_in_pod.append(&mut outside.only_in_pod);
    if mechanism != Mechanism::None {
        only_in_pod.extend(NEVER_SEEN.iter().map(|it| (*it).to_owned()));
    }
    let (role, iam) = (outside.role, outside.iam);
    let judgement = verdict::weigh(&seen.evidence, findings);
    let collected = Collected {
        evidence: seen.evidence,
        seen: true,
        observed_at: now,
        timings: timings(iam || tried.is_some(), mechanism),
    };
    let mut report = report::build_without_options(collected, &settings, judgement);
    if report.verdict.class == Class::Ready {
        report.verdict.summary = match tried {
            Some(tried) => format!(
                "STS gave this laptop credentials of role {} for {}/{}, which were dropped",
                tried.role.rsplit('/').next().unwrap_or_default(),
                tried.namespace,
                tried.account
            ),
            None => ready(role.as_deref(), world, iam),
        };
    }
    Judged { report, mechanism, role, only_in_pod, silent }
}

fn mounted(seen: &Seen) -> bool {
    seen.evidence.environment.irsa_mount || seen.evidence.environment.pod_identity_mount
}

/// Whether the finding is supported. A finding that follows only from something unobserved is dropped.
fn stands(finding: &Finding, seen: &Seen, world: &World) -> bool {
    let token = seen.evidence.token.as_ref();
    let is_jwt = token.is_some_and(|token| token.shape == TokenShape::Jwt);
    match finding.class {
        // The token that the kubelet will make has an issuer, although it is not known here.
        Class::TokenMalformed => !(is_jwt && world.issuer.is_none()),
        // EKS's own webhook sets the region. Without a cluster the region is unknown.
        Class::RegionMissing => {
            let unknown = world.cluster.region.is_none() && (world.from_manifests || world.issuer.is_none());
            !unknown && !seen.hides("AWS_REGION") && !seen.hides("AWS_DEFAULT_REGION")
        }
        // The report names the image's user as something that only the pod shows.
        Class::TokenFileUnreadable => finding.severity != Severity::Info,
        _ => true,
    }
}

fn not_read(what: &str, source: &str) -> Finding {
    let say = "Ask in the pod: kubectl credprobe debug adds a container that sees it.";
    let mut finding =
        Finding::new(Class::Inconclusive, format!("{what} was not read: it comes from {source}"))
            .presented(source.to_owned())
            .required(what.to_owned());
    finding.steps.push(Step::change(say, None, "the pod: it gets a debug container"));
    finding
}

/// The variable that names a profile or its file.
fn profile_file(seen: &Seen) -> Option<&'static str> {
    let names = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
    names.into_iter().find(|name| seen.evidence.environment.get(name).is_some())
}

/// `ready` means less here than in the pod, and the text says so.
fn ready(role: Option<&str>, world: &World, iam: bool) -> String {
    let role = role.and_then(|role| role.rsplit('/').next());
    let role = role.map_or_else(|| "the credentials".to_owned(), |role| format!("role {role}"));
    match (world.iam.asked, iam) {
        (_, true) => format!("nothing seen from outside stands in the way of {role}"),
        (true, false) => {
            format!("nothing in the cluster stands in the way of {role}, its trust was not seen")
        }
        (false, false) => format!("nothing in the cluster stands in the way of {role}, IAM was not asked"),
    }
}

fn timings(iam: bool, mechanism: Mechanism) -> Vec<Timing> {
    let seen = |stage| Timing { stage, took_ms: None, skipped_because: None };
    let not_here = |stage| Timing::skipped(stage, "seen only in the pod");
    let exchange = match (iam, mechanism) {
        (true, _) => Timing { stage: StageName::Exchange, took_ms: None, skipped_because: None },
        (false, Mechanism::None) => Timing::skipped(StageName::Exchange, "nothing to exchange"),
        (false, _) => Timing::skipped(StageName::Exchange, "IAM was not seen"),
    };
    vec![
        seen(StageName::Environment),
        seen(StageName::TokenFile),
        seen(StageName::Token),
        not_here(StageName::Network),
        exchange,
        not_here(StageName::Identity),
    ]
}
