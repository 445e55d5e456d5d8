//! What EKS's webhook adds to a pod when it is created, and what prevents that. Pure.
//! From amazon-eks-pod-identity-webhook, `pkg/handler/handler.go` and `pkg/cache/cache.go` (sources.md, “The webhook”).

use crate::objects::{
    Container, EnvVar, Map, Meta, PodSpec, Projected, Source, TokenSource, Volume, VolumeMount,
};
use crate::world::World;
use credprobe_judge::settings::agent::{TOKEN_FILE_VARIABLE, URI_VARIABLE};
use credprobe_judge::settings::{IRSA_MOUNT, POD_IDENTITY_MOUNT};

pub(crate) const ROLE: &str = "eks.amazonaws.com/role-arn";
const AUDIENCE: &str = "eks.amazonaws.com/audience";
const EXPIRATION: &str = "eks.amazonaws.com/token-expiration";
const REGIONAL: &str = "eks.amazonaws.com/sts-regional-endpoints";
const SKIP: &str = "eks.amazonaws.com/skip-containers";
const WEBHOOK: &str = "iam-for-pods.amazonaws.com";
/// The name of the webhook configuration on EKS and in the project's own manifest.
pub(crate) const CONFIGURATION: &str = "pod-identity-webhook";

const URI: &str = "http://169.254.170.23/v1/credentials";
const AGENTS_FILE: &str = "eks-pod-identity-token";

/// Which mechanism the service account is meant to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    Irsa { role: String },
    PodIdentity,
    Nothing,
}

/// An association takes precedence over an annotation (`buildPodPatchConfig`).
pub(crate) fn meant(world: &World, namespace: &str, account: &str) -> Meant {
    if world.association(namespace, account).is_some() {
        return Meant::PodIdentity;
    }
    let role = world.account(namespace, account).and_then(|it| it.metadata.annotations.get(ROLE));
    match role.filter(|role| !role.is_empty()) {
        Some(role) => Meant::Irsa { role: role.clone() },
        None => Meant::Nothing,
    }
}

/// Why the webhook does not change a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeftAlone {
    /// The pod's annotation names the container.
    Skipped,
    /// There is no webhook with that name.
    NoWebhook,
    /// A label that the webhook requires of `namespace` or `pod` is missing.
    Selector { of: &'static str, demand: String },
}

/// Why the webhook leaves the container alone. `None`: no reason is known.
pub(crate) fn left_alone(world: &World, namespace: &str, pod: &Meta, container: &str) -> Option<LeftAlone> {
    if is_skipped(pod, container) {
        return Some(LeftAlone::Skipped);
    }
    let webhook = match world.webhook.known()? {
        Some(webhook) => webhook,
        None => return Some(LeftAlone::NoWebhook),
    };
    let webhook = webhook.webhooks.iter().find(|it| it.name == WEBHOOK).or_else(|| webhook.webhooks.first());
    let Some(webhook) = webhook else { return Some(LeftAlone::NoWebhook) };
    if let Some(demand) = webhook.object_selector.refuses(&pod.labels) {
        return Some(LeftAlone::Selector { of: "pod", demand });
    }
    let labels = world.namespaces.known().and_then(|all| all.get(namespace));
    let demand = webhook.namespace_selector.refuses(labels?)?;
    Some(LeftAlone::Selector { of: "namespace", demand })
}

/// Whether the pod's annotation names the container.
pub(crate) fn is_skipped(pod: &Meta, container: &str) -> bool {
    let skipped = pod.annotations.get(SKIP).map(String::as_str).unwrap_or_default();
    skipped.split(',').any(|name| name.trim() == container)
}

/// Whether the API server admits a pod even if the webhook does not answer.
pub(crate) fn fails_open(world: &World) -> bool {
    let webhook = world.webhook.known().and_then(Option::as_ref);
    let webhooks = webhook.map(|it| it.webhooks.as_slice()).unwrap_or_default();
    webhooks.iter().any(|it| it.failure_policy == "Ignore")
}

/// The specification of a future pod, as the webhook will leave it.
pub(crate) fn predicted(world: &World, namespace: &str, meta: &Meta, spec: &PodSpec) -> PodSpec {
    let mut spec = spec.clone();
    let account = account_name(&spec).to_owned();
    let annotations = world.account(namespace, &account).map(|it| it.metadata.annotations.clone());
    let annotations = annotations.unwrap_or_default();
    let expiration =
        [&meta.annotations, &annotations].into_iter().find_map(|it| it.get(EXPIRATION)?.parse().ok());
    let given = match meant(world, namespace, &account) {
        Meant::Nothing => return spec,
        Meant::Irsa { role } => Given {
            variables: vec![
                ("AWS_ROLE_ARN", role),
                ("AWS_WEB_IDENTITY_TOKEN_FILE", format!("{IRSA_MOUNT}/token")),
            ],
            volume: "aws-iam-token",
            mount: IRSA_MOUNT,
            regional: annotations.get(REGIONAL).is_none_or(|value| value != "false"),
            file: "token",
            audience: annotations.get(AUDIENCE).cloned().unwrap_or_else(|| "sts.amazonaws.com".to_owned()),
        },
        Meant::PodIdentity => Given {
            variables: vec![
                (URI_VARIABLE, URI.to_owned()),
                (TOKEN_FILE_VARIABLE, format!("{POD_IDENTITY_MOUNT}/{AGENTS_FILE}")),
            ],
            volume: AGENTS_FILE,
            mount: POD_IDENTITY_MOUNT,
            regional: true,
            file: AGENTS_FILE,
            audience: "pods.eks.amazonaws.com".to_owned(),
        },
    };
    let region = world.cluster.region.as_deref();
    let mut injected = false;
    for container in spec.init_containers.iter_mut().chain(&mut spec.containers) {
        if left_alone(world, namespace, meta, &container.name).is_none() {
            given.add_to(container, region);
            injected = true;
        }
    }
    if injected && !spec.volumes.iter().any(|volume| volume.name == given.volume) {
        spec.volumes.push(given.volume(expiration));
    }
    spec
}

struct Given {
    variables: Vec<(&'static str, String)>,
    volume: &'static str,
    mount: &'static str,
    /// EKS's webhook sends all SDKs to the regional STS, unless the service account says otherwise.
    regional: bool,
    file: &'static str,
    audience: String,
}

impl Given {
    /// Adds neither variable if the specification has one of the two. Adds the region if it is missing.
    fn add_to(&self, container: &mut Container, region: Option<&str>) {
        let has = |container: &Container, name: &str| container.env.iter().any(|it| it.name == name);
        if !self.variables.iter().any(|(name, _)| has(container, name)) {
            let set = |(name, value): &(&str, String)| variable(name, value);
            container.env.extend(self.variables.iter().map(set));
        }
        let regional = "AWS_STS_REGIONAL_ENDPOINTS";
        if self.regional && !has(container, regional) {
            container.env.push(variable(regional, "regional"));
        }
        let regions = ["AWS_DEFAULT_REGION", "AWS_REGION"];
        if let Some(region) = region.filter(|_| !regions.iter().any(|name| has(container, name))) {
            container.env.extend(regions.iter().map(|name| variable(name, region)));
        }
        if !container.volume_mounts.iter().any(|mount| mount.name == self.volume) {
            container.volume_mounts.push(VolumeMount {
                name: self.volume.to_owned(),
                mount_path: self.mount.to_owned(),
                ..VolumeMount::default()
            });
        }
    }

    fn volume(&self, expiration: Option<i64>) -> Volume {
        let token = TokenSource {
            audience: self.audience.clone(),
            expiration_seconds: Some(expiration.unwrap_or(86_400).max(600)),
            path: self.file.to_owned(),
        };
        Volume {
            name: self.volume.to_owned(),
            projected: Some(Projected {
                default_mode: None,
                sources: vec![Source { service_account_token: Some(token) }],
            }),
            secret: None,
        }
    }
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

/// The service account's name; `default` if the specification names none.
pub(crate) fn account_name(spec: &PodSpec) -> &str {
    let names = [spec.service_account_name.as_str(), spec.service_account.as_str(), "default"];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// An annotation that was probably meant to be the role's, with its key as written.
pub(crate) fn misspelt(annotations: &Map) -> Option<(&str, &str)> {
    let letters = |text: &str| {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let found = annotations.iter().find(|(key, value)| {
        let likely = letters(key).contains("rolearn")
            || letters(key).ends_with("iamrole")
            || letters(key).ends_with("comrole");
        key.as_str() != ROLE && (likely || value.starts_with("arn:") && value.contains(":role/"))
    });
    found.map(|(key, value)| (key.as_str(), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_that_is_nearly_the_right_one_is_found() {
        let with = |key: &str, value: &str| Map::from([(key.to_owned(), value.to_owned())]);
        const ARN: &str = "arn:aws:iam::814203749616:role/checkout-reader";
        for key in [
            "eks.amazonaws.com/role_arn",
            "eks.amazonaws.com/rolearn",
            "iam.amazonaws.com/role",
            "Eks.Amazonaws.com/Role-Arn",
        ] {
            assert_eq!(misspelt(&with(key, ARN)).map(|(key, _)| key), Some(key));
        }
        assert_eq!(misspelt(&with(ROLE, ARN)), None);
        assert_eq!(misspelt(&with("team", "shop")), None);
    }
}
