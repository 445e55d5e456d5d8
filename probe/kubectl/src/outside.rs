//! Findings about a container that come from the cluster and IAM and that the container itself cannot see. Pure.
//! If the judges in the pod have a finding for the answer that AWS will give, that finding is used, with the cause added.

mod agent;
mod injection;
mod role;

use crate::objects::Container;
use crate::translate::Seen;
use crate::unit::PodView;
use crate::world::World;
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence::Evidence;
use credprobe_judge::judge;
use credprobe_judge::judge::finding::Finding;
use credprobe_judge::options::Mechanism;
use credprobe_judge::sdks::EffectiveSettings;
use credprobe_judge::steps::Step;

/// One container and everything known about it.
pub(crate) struct Case<'a, 'w> {
    pub world: &'w World,
    pub pod: &'a PodView<'w>,
    pub container: &'a Container,
    pub seen: &'a Seen,
    pub settings: &'a EffectiveSettings,
    pub now: i64,
}

/// The findings from outside.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    pub findings: Vec<Finding>,
    pub only_in_pod: Vec<String>,
    /// Whether the judges' own `not-injected` is replaced by a finding with a cause.
    pub replaces_injection: bool,
    /// The role whose credentials the container should get.
    pub role: Option<String>,
    /// Whether IAM was checked.
    pub iam: bool,
}

pub(crate) use injection::unused as unused_accounts;

pub(crate) fn judge(case: &Case<'_, '_>) -> Outside {
    let mut outside = Outside::default();
    match case.settings.requested.mechanism {
        Mechanism::None => injection::missing(case, &mut outside),
        Mechanism::Irsa => {
            injection::changed_since(case, &mut outside);
            role::irsa(case, &mut outside);
        }
        Mechanism::PodIdentity => {
            agent::judge(case, &mut outside);
            role::associated(case, &mut outside);
        }
    }
    outside
}

impl Case<'_, '_> {
    /// The service account, as `shop/checkout`.
    fn account(&self) -> String {
        format!("{}/{}", self.pod.namespace, self.pod.account())
    }

    /// The finding that the judges in the pod will have after `change`, which describes what the pod will see.
    fn will_be(&self, class: Class, change: impl FnOnce(&mut Evidence)) -> Finding {
        self.may_be(class, change).unwrap_or_else(|| Finding::new(class, ""))
    }

    /// Like `will_be`; `None` if the judges have no such finding.
    fn may_be(&self, class: Class, change: impl FnOnce(&mut Evidence)) -> Option<Finding> {
        let mut evidence = self.seen.evidence.clone();
        change(&mut evidence);
        let settings = EffectiveSettings::from_evidence(&evidence);
        let found =
            judge::findings(&evidence, &settings, self.now).into_iter().find(|it| it.class == class)?;
        // Drop what the judges ruled out, because that relies on an answer that AWS has not given yet.
        Some(Finding { ruled_out: Vec::new(), why: String::new(), ..found })
    }
}

/// Whether the name may be put into a command.
fn is_name(text: &str) -> bool {
    let ok = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-./".contains(&it);
    !text.is_empty() && !text.starts_with(['-', '.', '/']) && text.bytes().all(ok)
}

/// Adds how to replace the workload's pods: as a command if there is one that does only that.
fn made_anew(case: &Case<'_, '_>, finding: Finding) -> Finding {
    let (namespace, workload) = (case.pod.namespace, case.pod.workload.as_str());
    if case.pod.predicted {
        return finding;
    }
    let kind = workload.split_once('/').map_or("", |(kind, _)| kind);
    let step = match kind {
        "deployment" | "statefulset" | "daemonset" if is_name(namespace) && is_name(workload) => {
            Step::change(
                "This replaces the workload’s pods, one after the other:",
                Some(format!("kubectl rollout restart -n {namespace} {workload}")),
                format!("the pods of {workload}"),
            )
        }
        "cronjob" => in_words("Nothing more: the next run of the CronJob makes a new pod.", "nothing"),
        "job" => in_words("Delete the Job and create it again: its pods do not change.", "the Job"),
        "pod" => in_words("Delete the pod and create it again: no controller makes a new one.", "the pod"),
        _ => in_words(format!("Let {} make new pods.", words(workload)), "its pods"),
    };
    with(finding, step)
}

fn with(mut finding: Finding, step: Step) -> Finding {
    finding.steps.push(step);
    finding
}

/// A step that no command can do.
fn in_words(say: impl Into<String>, changes: &str) -> Step {
    Step::change(say, None, changes)
}

/// Text from outside, made safe for a sentence.
fn words(text: &str) -> String {
    credprobe_judge::text::shown::escaped(text).replace(['\n', '\r'], " ")
}
