//! The unit that is judged: a container of a running pod, or of a pod that a workload would make. Pure.
//! Names the workload in the form that people type: `deployment/checkout`.

use crate::inject;
use crate::objects::{Container, Meta, Pod, PodSpec, PodStatus, Workload};
use crate::world::World;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A pod and its workload.
pub(crate) struct PodView<'w> {
    pub namespace: &'w str,
    /// `deployment/checkout`, `pod/debug`.
    pub workload: String,
    pub meta: &'w Meta,
    pub spec: Cow<'w, PodSpec>,
    pub status: Option<&'w PodStatus>,
    /// The pod does not exist yet. The specification is as the webhook would leave it.
    pub predicted: bool,
}

impl PodView<'_> {
    pub(crate) fn account(&self) -> &str {
        inject::account_name(&self.spec)
    }

    /// `None` if the pod does not exist yet.
    pub(crate) fn pod_name(&self) -> Option<&str> {
        Some(self.meta.name.as_str()).filter(|name| !self.predicted && !name.is_empty())
    }

    pub(crate) fn node(&self) -> Option<&str> {
        Some(self.spec.node_name.as_str()).filter(|name| !name.is_empty())
    }

    /// By the specification. The node's labels do not count here.
    pub(crate) fn is_windows(&self) -> bool {
        let stated = self.spec.os.as_ref().map(|os| os.name.as_str());
        stated == Some("windows")
            || self.spec.node_selector.get("kubernetes.io/os").is_some_and(|os| os == "windows")
    }

    /// Init containers first, in the order in which they run.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &Container> {
        self.spec.init_containers.iter().chain(&self.spec.containers)
    }
}

/// Every pod, and every workload that has no pods now.
pub(crate) fn views(world: &World) -> Vec<PodView<'_>> {
    let mut views: Vec<PodView<'_>> = world.pods.iter().filter(|pod| is_alive(pod)).map(of_pod).collect();
    let present: BTreeSet<(String, String)> =
        views.iter().map(|view| (view.namespace.to_owned(), view.workload.clone())).collect();
    for workload in &world.workloads {
        let Some(template) = workload.template() else { continue };
        let name = name_of(&workload.kind, &workload.metadata.name);
        let is_present = present.contains(&(workload.metadata.namespace.clone(), name.clone()));
        // An object that a controller made is judged through its owner.
        let is_owned = workload.metadata.owner_references.iter().any(|it| it.controller == Some(true));
        if !is_present && !is_owned {
            views.push(of_template(world, workload, template, name));
        }
    }
    views
}

fn is_alive(pod: &Pod) -> bool {
    !matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
}

fn of_pod(pod: &Pod) -> PodView<'_> {
    PodView {
        namespace: &pod.metadata.namespace,
        workload: workload_of(&pod.metadata),
        meta: &pod.metadata,
        spec: Cow::Borrowed(&pod.spec),
        status: Some(&pod.status),
        predicted: false,
    }
}

fn of_template<'w>(world: &World, workload: &'w Workload, template: &'w Pod, name: String) -> PodView<'w> {
    let namespace = workload.metadata.namespace.as_str();
    let spec = inject::predicted(world, namespace, &template.metadata, &template.spec);
    PodView {
        namespace,
        workload: name,
        meta: &template.metadata,
        spec: Cow::Owned(spec),
        status: None,
        predicted: true,
    }
}

/// The owner. For a ReplicaSet it is the Deployment, for a CronJob's Job the CronJob, recognised by the form of their names.
pub(crate) fn workload_of(pod: &Meta) -> String {
    let owner = pod.owner_references.iter().find(|owner| owner.controller == Some(true));
    let Some(owner) = owner else { return name_of("pod", &pod.name) };
    match owner.kind.as_str() {
        "ReplicaSet" => {
            let hash = pod.labels.get("pod-template-hash").map(|hash| format!("-{hash}"));
            match hash.and_then(|hash| owner.name.strip_suffix(&hash)) {
                Some(deployment) => name_of("deployment", deployment),
                None => name_of("replicaset", &owner.name),
            }
        }
        "Job" => match owner.name.rsplit_once('-') {
            // The CronJob controller names its Jobs by the minutes since 1970.
            Some((cron_job, minutes))
                if minutes.len() >= 8 && minutes.bytes().all(|it| it.is_ascii_digit()) =>
            {
                name_of("cronjob", cron_job)
            }
            _ => name_of("job", &owner.name),
        },
        kind => name_of(kind, &owner.name),
    }
}

pub(crate) fn name_of(kind: &str, name: &str) -> String {
    format!("{}/{name}", kind.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::OwnerReference;

    #[test]
    fn a_pod_is_named_by_who_makes_it() {
        let owned = |kind: &str, name: &str| Meta {
            name: "x".to_owned(),
            labels: [("pod-template-hash".to_owned(), "7d9f8b6c5".to_owned())].into(),
            owner_references: vec![OwnerReference {
                kind: kind.to_owned(),
                name: name.to_owned(),
                controller: Some(true),
            }],
            ..Meta::default()
        };
        for (kind, name, workload) in [
            ("ReplicaSet", "checkout-7d9f8b6c5", "deployment/checkout"),
            ("ReplicaSet", "checkout", "replicaset/checkout"),
            ("Job", "report-29123456", "cronjob/report"),
            ("Job", "migrate-2", "job/migrate-2"),
            ("StatefulSet", "db", "statefulset/db"),
        ] {
            assert_eq!(workload_of(&owned(kind, name)), workload);
        }
        assert_eq!(workload_of(&Meta { name: "x".to_owned(), ..Meta::default() }), "pod/x");
    }
}
