//! Why nothing is injected, and what the next pod would get instead of what this one has. Pure.
//! A certain cause comes first. Each cause has its own repair.

use super::{Case, Outside, in_words, is_name, made_anew, with, words};
use crate::inject::{self, LeftAlone, Meant};
use crate::objects::Meta;
use credprobe_judge::catalog::{Class, Owner};
use credprobe_judge::judge::finding::{Finding, Severity};
use credprobe_judge::options::Mechanism;
use credprobe_judge::steps::Step;
use credprobe_judge::text::{parse_rfc3339, rfc3339};

/// Adds a finding if the container has neither mechanism.
pub(super) fn missing(case: &Case<'_, '_>, outside: &mut Outside) {
    let environment = &case.seen.evidence.environment;
    if environment.irsa_mount || environment.pod_identity_mount {
        return;
    }
    outside.replaces_injection = true;
    let meant = inject::meant(case.world, case.pod.namespace, case.pod.account());
    if let Meant::Irsa { role } = &meant {
        outside.role = Some(role.clone());
    }
    let finding = match (
        inject::left_alone(case.world, case.pod.namespace, case.pod.meta, &case.container.name),
        &meant,
    ) {
        (_, Meant::Nothing) => not_asked_for(case),
        (Some(why), _) => left_alone(case, &why),
        (None, meant) => not_seen(case, meant),
    };
    outside.findings.push(finding);
}

fn base(case: &Case<'_, '_>, meant: &Meant) -> Finding {
    case.will_be(Class::NotInjected, |evidence| {
        let options = &mut evidence.environment.options;
        match meant {
            Meant::PodIdentity => options.mechanism = Some(Mechanism::PodIdentity),
            Meant::Irsa { role } => options.expect_role = Some(role.clone()),
            Meant::Nothing => {}
        }
    })
}

fn left_alone(case: &Case<'_, '_>, why: &LeftAlone) -> Finding {
    let account = case.account();
    let bare =
        Finding::new(Class::NotInjected, "").presented("no variables and no token mount of either mechanism");
    let (namespace, pod) = (case.pod.namespace, case.pod.meta.name.as_str());
    match why {
        LeftAlone::Skipped => {
            let finding = Finding {
                summary: format!(
                    "the webhook leaves container {} out: the pod’s annotation eks.amazonaws.com/skip-containers names it",
                    words(&case.container.name)
                ),
                ..bare
            };
            let finding = finding.required(format!(
                "a pod whose annotation does not name container {}",
                words(&case.container.name)
            ));
            made_anew(
                case,
                with(
                    finding,
                    in_words(
                        "Take the container’s name out of the annotation in the pod template. If Argo CD, Flux or Helm manages it, change it there.",
                        "the workload’s pod template",
                    ),
                ),
            )
        }
        LeftAlone::NoWebhook => {
            let finding = Finding {
                summary: format!(
                    "the cluster has no webhook {}, so nothing is injected for {account}",
                    inject::CONFIGURATION
                ),
                ..bare
            }
            .owner(Owner::Cluster)
            .required(format!("MutatingWebhookConfiguration {}", inject::CONFIGURATION));
            let show = Some("kubectl get mutatingwebhookconfiguration".to_owned());
            let finding = with(finding, Step::look("It is not in this list:", show));
            let install = "On EKS: ask AWS Support, for EKS itself keeps it there. On another cluster: install amazon-eks-pod-identity-webhook.";
            with(finding, in_words(install, "the cluster: every new pod passes it"))
        }
        LeftAlone::Selector { of, demand } => {
            let finding = Finding {
                summary: format!(
                    "the webhook passes over this pod: it wants {} of the {of}, and its labels do not say so",
                    words(demand)
                ),
                ..bare
            }
            .owner(if *of == "pod" { Owner::Pod } else { Owner::Cluster })
            .required(format!("labels of the {of} that meet {}", words(demand)));
            let show = match *of {
                "namespace" if is_name(namespace) => {
                    Some(format!("kubectl get namespace {namespace} --show-labels"))
                }
                "pod" if is_name(namespace) && is_name(pod) => {
                    Some(format!("kubectl get pod -n {namespace} {pod} --show-labels"))
                }
                _ => None,
            };
            let finding = match show {
                Some(show) => with(finding, Step::look("The labels that are there:", Some(show))),
                None => finding,
            };
            let say = format!("Set the label on the {of}, or take the demand out of the webhook’s selector.");
            made_anew(case, with(finding, in_words(say, &format!("the labels of the {of}"))))
        }
    }
}

/// The service account should have credentials, and no known reason keeps the webhook from adding them.
fn not_seen(case: &Case<'_, '_>, meant: &Meant) -> Finding {
    let account = case.account();
    let created = case.pod.meta.creation_timestamp.as_deref().and_then(parse_rfc3339);
    let (what, since) = match meant {
        Meant::PodIdentity => (
            "has an association",
            case.world.association(case.pod.namespace, case.pod.account()).and_then(|it| it.created),
        ),
        _ => (
            "is annotated",
            case.world
                .account(case.pod.namespace, case.pod.account())
                .and_then(|it| annotated_at(&it.metadata)),
        ),
    };
    let later = crate::translate::is_injected_elsewhere(case.pod, case.container);
    let summary = match (created, since) {
        _ if later => format!(
            "other containers of the pod have what container {} lacks: it was added after the webhook had been there, and that does not come again",
            words(&case.container.name)
        ),
        (Some(created), Some(since)) if created < since => format!(
            "the pod is older than what it needs: it was created at {}, and {account} {what} since {}",
            rfc3339(created),
            rfc3339(since)
        ),
        _ if inject::fails_open(case.world) => format!(
            "{account} {what}, but the webhook did not act when the pod was created; its failurePolicy is Ignore, so the pod was admitted without"
        ),
        _ => format!("{account} {what}, but the pod was admitted without the webhook, or before"),
    };
    let base = base(case, meant);
    let finding = Finding { summary, steps: Vec::new(), ..base };
    if later {
        let say = format!(
            "Put container {} into the pod template, or give the webhook reinvocationPolicy: IfNeeded. On EKS the webhook is AWS’s and stays as it is.",
            words(&case.container.name)
        );
        return with(finding, in_words(say, "the pod template"));
    }
    made_anew(case, finding)
}

/// Nothing requests credentials in a way that EKS knows, although something in the container wants them.
fn not_asked_for(case: &Case<'_, '_>) -> Finding {
    let (namespace, name) = (case.pod.namespace, case.pod.account());
    let account = case.account();
    let known = case.world.accounts.known().is_some();
    match case.world.account(namespace, name) {
        None if known && name != "default" && !case.world.from_manifests => Finding {
            summary: format!("service account {account} does not exist, so no pod can be created with it"),
            ..base(case, &Meant::Nothing)
        },
        Some(found) if inject::misspelt(&found.metadata.annotations).is_some() => {
            let (key, value) = inject::misspelt(&found.metadata.annotations).unwrap_or_default();
            let meant = Meant::Irsa { role: value.to_owned() };
            let summary = format!(
                "service account {account} has the annotation {}, and the webhook reads {} only",
                words(key),
                inject::ROLE
            );
            Finding { summary, ..base(case, &meant) }.presented(format!(
                "annotation {}: {}",
                words(key),
                words(value)
            ))
        }
        _ => {
            let associations = case.world.iam.associations.known().is_some();
            let neither = if associations { " and no Pod Identity association" } else { "" };
            let others = unused(case);
            let hint = match others.as_slice() {
                [] => String::new(),
                names => format!(
                    "; annotated in this namespace, and used by no workload: {}",
                    words(&names.join(", "))
                ),
            };
            let summary =
                format!("service account {account} has no annotation {}{neither}{hint}", inject::ROLE);
            Finding { summary, ..base(case, &Meant::Nothing) }
        }
    }
}

/// Annotated service accounts of the namespace that nothing in the same input uses.
pub(crate) fn unused(case: &Case<'_, '_>) -> Vec<String> {
    let Some(accounts) = case.world.accounts.known() else { return Vec::new() };
    let namespace = case.pod.namespace;
    let specs = case.world.pods.iter().map(|pod| (&pod.metadata.namespace, &pod.spec));
    let templates =
        case.world.workloads.iter().filter_map(|it| Some((&it.metadata.namespace, &it.template()?.spec)));
    let used: Vec<&str> = specs
        .chain(templates)
        .filter(|(of, _)| of.as_str() == namespace)
        .map(|(_, spec)| inject::account_name(spec))
        .collect();
    accounts
        .iter()
        .filter(|((of, name), it)| {
            of == namespace
                && it.metadata.annotations.contains_key(inject::ROLE)
                && !used.contains(&name.as_str())
        })
        .map(|((_, name), _)| name.clone())
        .collect()
}

/// The latest time at which the annotation can have been written, from the managers that own the field.
fn annotated_at(account: &Meta) -> Option<i64> {
    let key = format!("f:{}", inject::ROLE);
    let managers = account.managed_fields.iter().filter(|it| {
        it.fields_v1.pointer("/f:metadata/f:annotations").is_some_and(|fields| fields.get(&key).is_some())
    });
    managers.filter_map(|it| parse_rfc3339(it.time.as_deref()?)).min()
}

/// This pod has IRSA, but the next one would get something else.
pub(super) fn changed_since(case: &Case<'_, '_>, outside: &mut Outside) {
    if case.pod.predicted {
        return;
    }
    let Some(has) = &case.settings.requested.role_arn else { return };
    let finding = match inject::meant(case.world, case.pod.namespace, case.pod.account()) {
        Meant::Irsa { role } if role != has.value && has.source == "AWS_ROLE_ARN" && by_webhook(case) => {
            Finding::new(
                Class::RoleUnexpected,
                format!("the annotation of {} names another role than the pod was given", case.account()),
            )
            .severity(Severity::Warning)
            .presented(has.value.clone())
            .required(role)
        }
        Meant::PodIdentity => Finding::new(
            Class::RoleUnexpected,
            format!(
                "{} has an association by now: the next pod gets Pod Identity and no IRSA",
                case.account()
            ),
        )
        .severity(Severity::Info)
        .presented(has.value.clone())
        .required("an SDK that knows Pod Identity, and an association whose role is the one that is meant"),
        _ => return,
    };
    outside.findings.push(made_anew(case, finding));
}

/// Whether the webhook wrote the variables: it also mounts its own volume.
fn by_webhook(case: &Case<'_, '_>) -> bool {
    case.seen.evidence.environment.irsa_mount
}
