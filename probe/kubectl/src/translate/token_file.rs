//! Predicts the token file that the kubelet will write, and its token: path, owner, mode, claims. Pure.
//! The rules: `FsUserFrom`, `collectData`, `SetVolumeOwnership` (kubernetes `pkg/volume`), and `pkg/serviceaccount/claims.go`.

use super::{Seen, User, without_var};
use crate::objects::{Container, TokenSource, Volume, VolumeMount};
use crate::unit::PodView;
use crate::world::World;
use credprobe_judge::evidence::{
    FileKind, Mount, Opener, PathComponent, Proof, Token, TokenFile, TokenShape,
};
use credprobe_judge::settings::{self, API_SERVER_TOKEN, IRSA_MOUNT, POD_IDENTITY_MOUNT};
use credprobe_judge::text::rfc3339;

/// In bytes. A typical length of the kubelet's tokens; nothing depends on it.
const LENGTH: usize = 1_100;
/// Kubernetes's default and EKS's limit, in seconds.
const USUAL_LIFE: i64 = 3_600;
const LONGEST_LIFE: i64 = 86_400;

pub(super) fn add(world: &World, pod: &PodView<'_>, container: &Container, now: i64, seen: &mut Seen) {
    let requested = settings::requested(&seen.evidence.environment);
    let Some(file) = requested.token_file else { return };
    if seen.hides_value(&file.source) {
        return;
    }
    let path = file.value;
    let place = place(pod, container, &path);
    let (file, token) = match place {
        Place::Token { source, mount, mode } => {
            let file = written(pod, container, &path, mount, mode, now, seen);
            (Some(file), Some(claims(world, pod, source, now)))
        }
        Place::ApiServer => {
            let source = TokenSource::default();
            let file = written(pod, container, &path, None, None, now, seen);
            (Some(file), Some(claims(world, pod, &source, now)))
        }
        Place::Nowhere => (Some(missing(&path)), None),
        Place::Elsewhere(what) => {
            seen.only_in_pod.push(format!("what {path} holds: it lies in {what}"));
            (None, None)
        }
    };
    seen.evidence.token_file = file;
    seen.evidence.token = token;
}

impl Seen {
    fn hides_value(&self, name: &str) -> bool {
        self.hidden.iter().any(|hidden| hidden.name == name)
    }
}

enum Place<'p> {
    /// `mount` is set for a subPath.
    Token { source: &'p TokenSource, mount: Option<&'p VolumeMount>, mode: Option<u32> },
    /// The API server's token, which every pod has.
    ApiServer,
    /// Neither a volume nor an image has it.
    Nowhere,
    /// `the image`, `a volume of another kind`.
    Elsewhere(String),
}

fn place<'p>(pod: &'p PodView<'_>, container: &'p Container, path: &str) -> Place<'p> {
    let wanted = without_var(path);
    let below = |mount: &VolumeMount| {
        let at = without_var(&mount.mount_path);
        let rest = wanted.strip_prefix(at)?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| (at.len(), rest.trim_start_matches('/').to_owned()))
    };
    let mounts = container.volume_mounts.iter().filter_map(|mount| Some((below(mount)?, mount)));
    let nearest = mounts.max_by_key(|((length, _), _)| *length);
    let Some(((_, rest), mount)) = nearest else {
        let secrets = [IRSA_MOUNT, POD_IDENTITY_MOUNT].iter().any(|it| wanted.starts_with(without_var(it)));
        let automounted = wanted == without_var(API_SERVER_TOKEN);
        return match (secrets, automounted) {
            // In a template, the API server has not added that mount yet.
            (_, true) if pod.spec.automount_service_account_token != Some(false) => Place::ApiServer,
            (true, _) | (_, true) => Place::Nowhere,
            _ => Place::Elsewhere("the image".to_owned()),
        };
    };
    let volume = pod.spec.volumes.iter().find(|volume| volume.name == mount.name);
    match volume {
        Some(Volume { projected: Some(projected), .. }) => {
            let sub_path = if mount.sub_path.is_empty() { &mount.sub_path_expr } else { &mount.sub_path };
            let file = [sub_path.trim_matches('/'), rest.as_str()].into_iter().filter(|it| !it.is_empty());
            let file = file.collect::<Vec<_>>().join("/");
            let tokens = projected.sources.iter().filter_map(|source| source.service_account_token.as_ref());
            match tokens.into_iter().find(|source| source.path == file) {
                Some(source) => Place::Token {
                    source,
                    mount: (!sub_path.is_empty()).then_some(mount),
                    mode: projected.default_mode,
                },
                None if projected.sources.iter().all(|it| it.service_account_token.is_some()) => {
                    Place::Nowhere
                }
                None => Place::Elsewhere(format!("volume {}", mount.name)),
            }
        }
        Some(volume) if volume.secret.is_some() => {
            Place::Elsewhere(format!("volume {} of a Secret", mount.name))
        }
        Some(_) => Place::Elsewhere(format!("volume {}", mount.name)),
        None => Place::Elsewhere(format!("volume {}, which the specification lacks", mount.name)),
    }
}

/// The components of a path: `/`, its folders, and the given last one.
fn components(path: &str, last: PathComponent) -> Vec<PathComponent> {
    let folder = |path: &str| PathComponent {
        path: path.to_owned(),
        kind: Some(FileKind::Directory),
        mode: Some(0o755),
        uid: Some(0),
        gid: Some(0),
        ..PathComponent::default()
    };
    let mut all = vec![folder("/")];
    let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
    all.extend(ends.map(|at| folder(&path[..at])));
    all.push(PathComponent { path: path.to_owned(), last: true, ..last });
    all
}

fn missing(path: &str) -> TokenFile {
    let last = PathComponent { error: Some("ENOENT".to_owned()), ..PathComponent::default() };
    TokenFile {
        path: path.to_owned(),
        components: components(path, last),
        open_error: Some("ENOENT".to_owned()),
        ..TokenFile::default()
    }
}

/// The kubelet gives the file to the user that all containers state, and to the group that the pod states.
fn written(
    pod: &PodView<'_>,
    container: &Container,
    path: &str,
    sub_path: Option<&VolumeMount>,
    default_mode: Option<u32>,
    now: i64,
    seen: &mut Seen,
) -> TokenFile {
    let fs_group = pod.spec.security_context.fs_group;
    let owner = one_user(pod);
    let closed = owner.is_some() || fs_group.is_some();
    let mode = if closed { 0o600 } else { default_mode.unwrap_or(0o644) & 0o777 };
    let mode = if fs_group.is_some() { mode | 0o440 } else { mode };
    let id = |id: Option<i64>| u32::try_from(id.unwrap_or_default()).unwrap_or_default();
    let (uid, gid) = (id(owner), id(fs_group));
    let user = User::of(pod, container);
    let by_image = match (user.uid, user.gid) {
        (None, _) => mode & 0o004 == 0 && fs_group.is_none(),
        (Some(of_spec), None) => {
            let by_group = mode & 0o040 != 0 && mode & 0o004 == 0 && gid == 0;
            by_group && u32::try_from(of_spec).ok() != Some(uid)
        }
        (Some(_), Some(_)) => false,
    };
    let by_image = by_image && !pod.is_windows();
    if by_image {
        seen.only_in_pod.push(format!(
            "which user the image of container {} runs as: the token file will be {mode:04o} of {uid}:{gid}",
            container.name
        ));
    }
    let last = PathComponent {
        kind: Some(FileKind::Regular),
        mode: Some(mode),
        uid: Some(uid),
        gid: Some(gid),
        ..PathComponent::default()
    };
    let stamp = rfc3339(now).replace(['-', 'T', ':'], "_");
    let folder = format!("..{}.1", stamp.trim_end_matches('Z'));
    TokenFile {
        path: path.to_owned(),
        components: components(path, last),
        // The image decides the user, so the file's permissions must not count against it.
        proof: (by_image || pod.is_windows()).then_some(Proof { by: Opener::OwnIds, error: None }),
        kind: Some(FileKind::Regular),
        mode: Some(mode),
        uid: Some(uid),
        gid: Some(gid),
        links: Some(1),
        file_mount: sub_path.map(|_| Mount {
            point: path.to_owned(),
            root: format!("/{folder}/token"),
            file_system: "tmpfs".to_owned(),
        }),
        size: Some(LENGTH as u64),
        modified: Some(now),
        data_link: sub_path.is_none().then_some(folder),
        alone: Some(true),
        ..TokenFile::default()
    }
}

/// The user that every container states, by itself or by the pod. The user of an image does not count.
fn one_user(pod: &PodView<'_>) -> Option<i64> {
    let containers = pod.containers().chain(&pod.spec.ephemeral_containers);
    let mut users =
        containers.map(|it| it.security_context.run_as_user.or(pod.spec.security_context.run_as_user));
    let first = users.next()??;
    users.all(|user| user == Some(first)).then_some(first)
}

fn claims(world: &World, pod: &PodView<'_>, source: &TokenSource, now: i64) -> Token {
    let for_api_server = source.audience.is_empty();
    let audience = if for_api_server { "https://kubernetes.default.svc" } else { &source.audience };
    let life = source.expiration_seconds.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE);
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Token {
        shape: TokenShape::Jwt,
        length: LENGTH,
        alg: Some("RS256".to_owned()),
        iss: world.issuer.clone(),
        sub: Some(format!("system:serviceaccount:{}:{}", pod.namespace, pod.account())),
        aud: vec![audience.to_owned()],
        exp: Some(now + life),
        iat: Some(now),
        nbf: Some(now),
        namespace: text(pod.namespace),
        service_account: text(pod.account()),
        pod_name: text(pod.pod_name().unwrap_or_default()),
        pod_uid: pod.pod_name().map(|_| pod.meta.uid.clone()),
        node_name: pod.node().map(str::to_owned),
        warnafter: for_api_server.then_some(now + USUAL_LIFE),
        ..Token::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Pod;
    use serde_json::{Value, json};

    /// Owner, group and mode of the token file in a pod whose containers state these users.
    fn file(fs_group: Value, users: [Value; 2], mode: Value) -> (u32, u32, u32) {
        let container = |name: &str, user: &Value| {
            json!({"name": name, "securityContext": {"runAsUser": user},
                   "env": [{"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::814203749616:role/r"},
                           {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}],
                   "volumeMounts": [{"name": "t", "mountPath": IRSA_MOUNT}]})
        };
        let source = json!({"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}});
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "a", "namespace": "shop"},
            "spec": {"securityContext": {"fsGroup": fs_group},
                     "containers": [container("app", &users[0]), container("proxy", &users[1])],
                     "volumes": [{"name": "t", "projected": {"defaultMode": mode, "sources": [source]}}]},
        }))
        .unwrap();
        let world = World { pods: vec![pod], ..World::default() };
        let views = crate::unit::views(&world);
        let seen = crate::translate::seen(&world, &views[0], &views[0].spec.containers[0], 0);
        let file = seen.evidence.token_file.unwrap();
        (file.uid.unwrap(), file.gid.unwrap(), file.mode.unwrap())
    }

    /// Observed on Kubernetes 1.36.2.
    #[test]
    fn owner_and_mode_are_the_kubelets() {
        let none = Value::Null;
        for (fs_group, users, mode, expected) in [
            (none.clone(), [none.clone(), none.clone()], none.clone(), (0, 0, 0o644)),
            (none.clone(), [json!(1000), json!(7)], none.clone(), (0, 0, 0o644)),
            (none.clone(), [json!(1000), none.clone()], json!(0o400), (0, 0, 0o400)),
            (none.clone(), [json!(1000), json!(1000)], none.clone(), (1000, 0, 0o600)),
            (none.clone(), [json!(0), json!(0)], json!(0o644), (0, 0, 0o600)),
            (json!(1234), [none.clone(), none.clone()], json!(0o400), (0, 1234, 0o640)),
            (json!(1234), [json!(1000), json!(1000)], none.clone(), (1000, 1234, 0o640)),
        ] {
            let case = format!("{fs_group} {users:?} {mode}");
            assert_eq!(file(fs_group, users, mode), expected, "{case}");
        }
    }
}
