//! Translates a container's specification into the evidence that credprobe would collect in it. Pure.
//! What only the pod can show is named and never guessed.

mod token_file;

use crate::inject;
use crate::objects::{Container, EnvVar};
use crate::unit::PodView;
use crate::world::World;
use credprobe_judge::evidence::{Environment, Evidence, Process, kept};
use credprobe_judge::settings::{IRSA_MOUNT, POD_IDENTITY_MOUNT};
use std::collections::BTreeMap;

/// The evidence and its limits.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub evidence: Evidence,
    /// Sentences about what only the pod shows.
    pub only_in_pod: Vec<String>,
    /// Variables whose values are in objects that were not read.
    pub hidden: Vec<Hidden>,
    /// Unlisted variables may come from a Secret or a ConfigMap.
    pub open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub name: String,
    /// The object that has the value, as `ConfigMap aws-settings`.
    pub source: String,
}

/// The variables that choose the mechanism.
const CHOOSING: &[&str] = &[
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

impl Seen {
    /// A variable that decides everything and whose value was not read.
    pub(crate) fn undecided(&self) -> Option<&Hidden> {
        self.hidden.iter().find(|hidden| CHOOSING.contains(&hidden.name.as_str()))
    }

    pub(crate) fn hides(&self, name: &str) -> bool {
        self.open || self.hidden.iter().any(|hidden| hidden.name == name)
    }
}

/// The evidence of one container. `now` is the time at which its token counts as issued.
pub(crate) fn seen(world: &World, pod: &PodView<'_>, container: &Container, now: i64) -> Seen {
    let mut seen = Seen::default();
    seen.evidence.process = process(world, pod, container);
    seen.evidence.environment = environment(pod, container, &mut seen);
    token_file::add(world, pod, container, now, &mut seen);
    seen
}

fn environment(pod: &PodView<'_>, container: &Container, seen: &mut Seen) -> Environment {
    let mut values: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for variable in &container.env {
        let value = value_of(pod, variable, &values);
        if value.is_none() {
            let source = source_of(variable);
            if !source.is_empty() && is_listed(&variable.name) {
                seen.hidden.push(Hidden { name: variable.name.clone(), source });
            }
        }
        values.insert(&variable.name, value);
    }
    for from in &container.env_from {
        let named = |kind: &str, named: &Option<crate::objects::Named>| {
            named.as_ref().map(|it| format!("{kind} {}", it.name))
        };
        let source = named("Secret", &from.secret_ref).or_else(|| named("ConfigMap", &from.config_map_ref));
        let Some(source) = source else { continue };
        seen.open = true;
        seen.only_in_pod
            .push(format!("what {source} gives by envFrom: AWS keys there come before everything else"));
    }
    let mut environment = Environment {
        irsa_mount: has_mount(container, IRSA_MOUNT),
        pod_identity_mount: has_mount(container, POD_IDENTITY_MOUNT),
        ..Environment::default()
    };
    environment.options.no_network = true;
    // Repairs name the workload, which is known here.
    environment.options.workload = pod.workload.parse().ok();
    for name in kept::PLAIN.iter().chain(kept::URLS).chain(kept::CREDENTIALS) {
        let is_credential = kept::CREDENTIALS.contains(name);
        let value = match values.get(name) {
            Some(Some(value)) => kept::kept(name, value),
            // The value is in another object, but it is set.
            Some(None) if is_credential => Some("set".to_owned()),
            Some(None) => None,
            None => is_credential.then(|| "unset".to_owned()),
        };
        if let Some(value) = value {
            environment.variables.insert((*name).to_owned(), value);
        }
    }
    let secrets = seen.hidden.iter().filter(|hidden| !kept::CREDENTIALS.contains(&hidden.name.as_str()));
    let notes: Vec<String> =
        secrets.map(|hidden| format!("the value of {}, from {}", hidden.name, hidden.source)).collect();
    seen.only_in_pod.extend(notes);
    environment
}

fn is_listed(name: &str) -> bool {
    kept::PLAIN.contains(&name) || kept::URLS.contains(&name) || kept::CREDENTIALS.contains(&name)
}

fn has_mount(container: &Container, path: &str) -> bool {
    container.volume_mounts.iter().any(|mount| without_var(&mount.mount_path) == without_var(path))
}

/// `/var/run` is a link to `/run` in most images.
fn without_var(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    if path.starts_with("/var/run/") { path.strip_prefix("/var").unwrap_or(path) } else { path }
}

/// `None`: the value is in another object, or in a pod that does not exist yet.
fn value_of(pod: &PodView<'_>, variable: &EnvVar, before: &BTreeMap<&str, Option<String>>) -> Option<String> {
    let Some(from) = &variable.value_from else {
        return expanded(variable.value.as_deref().unwrap_or_default(), before);
    };
    let path = from.get("fieldRef")?.get("fieldPath")?.as_str()?;
    let quoted = |prefix: &str| Some(path.strip_prefix(prefix)?.strip_suffix("']")?.to_owned());
    let of_pod = || pod.pod_name().is_some();
    match path {
        "metadata.name" => pod.pod_name().map(str::to_owned),
        "metadata.namespace" => Some(pod.namespace.to_owned()),
        "metadata.uid" => of_pod().then(|| pod.meta.uid.clone()),
        "spec.nodeName" => pod.node().map(str::to_owned),
        "spec.serviceAccountName" => Some(pod.account().to_owned()),
        _ => quoted("metadata.labels['")
            .map(|key| pod.meta.labels.get(&key).cloned().unwrap_or_default())
            .or_else(|| {
                let key = quoted("metadata.annotations['")?;
                Some(pod.meta.annotations.get(&key).cloned().unwrap_or_default())
            }),
    }
}

/// Replaces `$(NAME)` by an earlier variable and `$$` by a dollar sign. Unknown names stay as they are.
fn expanded(text: &str, before: &BTreeMap<&str, Option<String>>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let reference = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        match reference {
            Some((name, after)) if before.contains_key(name) => {
                out.push_str(before.get(name)?.as_deref()?);
                rest = after;
            }
            _ if rest.starts_with('$') => {
                out.push('$');
                rest = &rest[1..];
            }
            _ => out.push('$'),
        }
    }
    out.push_str(rest);
    Some(out)
}

/// Where the value comes from, for example `ConfigMap aws-settings` or `a variable before it`.
fn source_of(variable: &EnvVar) -> String {
    let Some(from) = &variable.value_from else { return "a variable before it".to_owned() };
    let kinds = [
        ("secretKeyRef", "Secret"),
        ("configMapKeyRef", "ConfigMap"),
        ("fileKeyRef", "a file"),
        ("fieldRef", "the pod"),
        ("resourceFieldRef", "the pod"),
    ];
    let found = kinds.iter().find_map(|(key, kind)| {
        let name = from.get(key)?.get("name").and_then(serde_json::Value::as_str);
        Some(name.map_or_else(|| (*kind).to_owned(), |name| format!("{kind} {name}")))
    });
    found.unwrap_or_else(|| "a source of a kind that this version does not know".to_owned())
}

fn process(world: &World, pod: &PodView<'_>, container: &Container) -> Process {
    let user = User::of(pod, container);
    let id = |id: i64| u32::try_from(id).unwrap_or_default();
    let uid = user.uid.map_or(0, id);
    let drops =
        container.security_context.capabilities.as_ref().map(|it| it.drop.as_slice()).unwrap_or_default();
    let dropped = drops.iter().any(|it| it.eq_ignore_ascii_case("ALL") || it.contains("DAC_OVERRIDE"));
    let overrides = user.uid == Some(0) && !dropped;
    Process {
        source: "self".to_owned(),
        pid: 1,
        uid,
        gid: user.gid.map_or(0, id),
        groups: user.groups.iter().copied().map(id).collect(),
        capabilities: overrides.then(|| "CAP_DAC_OVERRIDE".to_owned()).into_iter().collect(),
        probe_uid: uid,
        hostname: pod.pod_name().map(str::to_owned),
        pod_name: pod.pod_name().map(str::to_owned),
        pod_namespace: Some(pod.namespace.to_owned()),
        pod_uid: pod.pod_name().map(|_| pod.meta.uid.clone()).filter(|uid| !uid.is_empty()),
        node_name: pod.node().map(str::to_owned),
        api_server_subject: Some(format!("system:serviceaccount:{}:{}", pod.namespace, pod.account())),
        api_server_issuer: world.issuer.clone(),
        ..Process::default()
    }
}

/// The user of a container, as far as specification and status name it.
pub(crate) struct User {
    /// `None`: the image decides.
    pub uid: Option<i64>,
    pub gid: Option<i64>,
    pub groups: Vec<i64>,
}

impl User {
    pub(crate) fn of(pod: &PodView<'_>, container: &Container) -> Self {
        let (own, of_pod) = (&container.security_context, &pod.spec.security_context);
        let statuses = pod
            .status
            .into_iter()
            .flat_map(|it| it.container_statuses.iter().chain(&it.init_container_statuses));
        let linux =
            statuses.filter(|it| it.name == container.name).find_map(|it| it.user.as_ref()?.linux.as_ref());
        let mut groups = of_pod.supplemental_groups.clone();
        groups.extend(of_pod.fs_group);
        groups.extend(linux.into_iter().flat_map(|it| it.supplemental_groups.iter().copied()));
        Self {
            uid: own.run_as_user.or(of_pod.run_as_user).or_else(|| linux.map(|it| it.uid)),
            gid: own.run_as_group.or(of_pod.run_as_group).or_else(|| linux.map(|it| it.gid)),
            groups,
        }
    }
}

/// Whether something in this container asks for AWS although nothing is injected.
pub(crate) fn asks(world: &World, pod: &PodView<'_>, container: &Container, seen: &Seen) -> bool {
    let environment = &seen.evidence.environment;
    let variable = environment.variables.iter().any(|(name, value)| {
        let about = name.starts_with("AWS_")
            && !matches!(name.as_str(), "AWS_CA_BUNDLE" | "AWS_EC2_METADATA_DISABLED");
        about && !value.is_empty() && value != "unset"
    });
    if variable {
        return true;
    }
    // It was left out on purpose, or added after the webhook had run, as a mesh's proxy is.
    let left_out = inject::is_skipped(pod.meta, &container.name) || is_injected_elsewhere(pod, container);
    let account = world.account(pod.namespace, pod.account());
    let annotations = account.map(|account| &account.metadata.annotations);
    let nearly = annotations.is_some_and(|it| inject::misspelt(it).is_some());
    let meant = nearly || inject::meant(world, pod.namespace, pod.account()) != inject::Meant::Nothing;
    meant && !left_out
}

/// Whether the webhook gave another container of the pod credentials, but not this one.
pub(crate) fn is_injected_elsewhere(pod: &PodView<'_>, container: &Container) -> bool {
    let given = |it: &Container| has_mount(it, IRSA_MOUNT) || has_mount(it, POD_IDENTITY_MOUNT);
    pod.containers().any(|it| it.name != container.name && given(it)) && !given(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_as_the_kubelet_does() {
        let before = BTreeMap::from([("POD", Some("checkout-1".to_owned())), ("SECRET", None)]);
        for (text, value) in [
            ("app-$(POD)", Some("app-checkout-1")),
            ("$(NOBODY)", Some("$(NOBODY)")),
            ("$$(POD)", Some("$(POD)")),
            ("a$b$", Some("a$b$")),
            ("$(SECRET)", None),
        ] {
            assert_eq!(expanded(text, &before).as_deref(), value, "{text}");
        }
    }
}
