//! Makes the custom profile: what a debug container needs of a container's specification to get the same credentials. Pure.
//! It has the variables that begin with `AWS_`, the variables that they refer to, the mounts of their files, and the security context.

use super::state::{containers, ran_as};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The volume names that the EKS webhook uses.
const VOLUMES: &[&str] = &["aws-iam-token", "eks-pod-identity-token"];

fn find<'a>(pod: &'a Value, name: &str) -> &'a Value {
    let mut all = containers(pod, &["containers", "initContainers"]);
    all.find(|it| it["name"].as_str() == Some(name)).unwrap_or(&Value::Null)
}

/// The user from the container's security context, the pod's, or the runtime's report.
pub(super) fn uid(pod: &Value, container: &str) -> Option<i64> {
    let own = &find(pod, container)["securityContext"]["runAsUser"];
    let of_pod = &pod["spec"]["securityContext"]["runAsUser"];
    own.as_i64().or_else(|| of_pod.as_i64()).or_else(|| ran_as(pod, container)?["uid"].as_i64())
}

/// Whether the container has more rights than the profile `restricted` allows.
pub(super) fn has_more(pod: &Value, container: &str) -> bool {
    let context = &find(pod, container)["securityContext"];
    let added = context["capabilities"]["add"].as_array().is_some_and(|added| !added.is_empty());
    context["privileged"].as_bool() == Some(true) || added
}

pub(super) fn made(pod: &Value, name: &str) -> Value {
    let container = find(pod, name);
    let list = |key: &str| container[key].as_array().cloned().unwrap_or_default();
    let env = with_referenced(&list("env"));
    let values =
        list("env").into_iter().filter(is_aws).filter_map(|it| Some(it["value"].as_str()?.to_owned()));
    let files: Vec<String> = values.filter(|value| value.starts_with('/')).collect();
    let mounts =
        list("volumeMounts").into_iter().filter(|mount| is_needed(mount, &files)).map(without_sub_path);
    let mut context = container["securityContext"].as_object().cloned().unwrap_or_default();
    let of_pod = &pod["spec"]["securityContext"];
    for (key, of_status) in [("runAsUser", "uid"), ("runAsGroup", "gid")] {
        let stated = context.get(key).is_some_and(|it| !it.is_null()) || !of_pod[key].is_null();
        if let Some(id) = ran_as(pod, name).and_then(|it| it[of_status].as_i64()).filter(|_| !stated) {
            context.insert(key.to_owned(), json!(id));
        }
    }
    let mut profile = Map::new();
    let parts = [
        ("env", json!(env)),
        ("volumeMounts", json!(mounts.collect::<Vec<_>>())),
        ("securityContext", json!(context)),
    ];
    for (key, part) in parts {
        let empty = part.as_array().is_some_and(Vec::is_empty) || part.as_object().is_some_and(Map::is_empty);
        if !empty {
            profile.insert(key.to_owned(), part);
        }
    }
    Value::Object(profile)
}

fn is_aws(variable: &Value) -> bool {
    variable["name"].as_str().is_some_and(|name| name.starts_with("AWS_"))
}

/// In the order of the specification, because a reference such as $(POD_NAME) only finds an earlier variable.
fn with_referenced(all: &[Value]) -> Vec<Value> {
    let name = |it: &Value| it["name"].as_str().unwrap_or_default().to_owned();
    let mut wanted: BTreeSet<String> = all.iter().filter(|it| is_aws(it)).map(name).collect();
    loop {
        let chosen = all.iter().filter(|it| wanted.contains(&name(it)));
        let more: BTreeSet<String> =
            chosen.flat_map(|it| references(it["value"].as_str().unwrap_or_default())).collect();
        let before = wanted.len();
        wanted.extend(more);
        if wanted.len() == before {
            return all.iter().filter(|it| wanted.contains(&name(it))).cloned().collect();
        }
    }
}

fn references(value: &str) -> Vec<String> {
    let parts = value.split("$(").skip(1);
    parts.filter_map(|part| Some(part.split_once(')')?.0.to_owned())).collect()
}

/// Whether the volume has a name from the EKS webhook, or a variable names a file in the mount.
fn is_needed(mount: &Value, files: &[String]) -> bool {
    if mount["name"].as_str().is_some_and(|name| VOLUMES.contains(&name)) {
        return true;
    }
    let at = mount["mountPath"].as_str().unwrap_or_default().trim_end_matches('/');
    files.iter().any(|file| file == at || file.strip_prefix(at).is_some_and(|rest| rest.starts_with('/')))
}

/// A debug container may not mount by subPath. If the whole volume is mounted one level up, the file has the same path.
fn without_sub_path(mut mount: Value) -> Value {
    let below = mount["subPath"].as_str().unwrap_or_default().to_owned();
    if !below.is_empty() {
        let at = mount["mountPath"].as_str().unwrap_or_default().trim_end_matches('/');
        let above = at.strip_suffix(&format!("/{below}")).unwrap_or(at).to_owned();
        mount["mountPath"] = json!(above);
    }
    if let Some(mount) = mount.as_object_mut() {
        mount.remove("subPath");
        mount.remove("subPathExpr");
    }
    mount
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> Value {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/debug/checkout.json");
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    fn app(pod: &mut Value) -> &mut Value {
        pod.pointer_mut("/spec/containers/0").unwrap()
    }

    #[test]
    fn variables_mount_and_user_are_copied_and_nothing_else() {
        let pod = checkout();
        let profile = made(&pod, "app");
        let names: Vec<&str> =
            profile["env"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(
            names,
            [
                "POD_NAME",
                "AWS_REGION",
                "AWS_ROLE_SESSION_NAME",
                "AWS_ROLE_ARN",
                "AWS_WEB_IDENTITY_TOKEN_FILE"
            ]
        );
        assert_eq!(profile["volumeMounts"], json!([pod["spec"]["containers"][0]["volumeMounts"][2]]));
        assert_eq!(profile["securityContext"], pod["spec"]["containers"][0]["securityContext"]);
    }

    #[test]
    fn a_container_with_nothing_gives_nothing() {
        let mut pod = checkout();
        pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "proxy"}));
        assert_eq!(made(&pod, "proxy"), json!({}));
        pod["status"] = Value::Null;
        assert_eq!(made(&pod, "proxy"), json!({}));
    }

    #[test]
    fn a_native_sidecar_is_judged_like_a_container() {
        let mut pod = checkout();
        let before = made(&pod, "app");
        pod["spec"]["initContainers"] = pod["spec"]["containers"].take();
        pod["status"] = json!({"initContainerStatuses": pod["status"]["containerStatuses"]});
        assert_eq!(made(&pod, "app"), before);
    }

    #[test]
    fn pod_identity_is_copied_with_each_mount_that_the_file_lies_below() {
        let mut pod = checkout();
        let folder = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
        app(&mut pod)["env"] = json!([
            {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"},
            {"name": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "value": format!("{folder}/eks-pod-identity-token")},
        ]);
        let mount = json!({"name": "eks-pod-identity-token", "mountPath": folder, "readOnly": true});
        let below = json!({"name": "data", "mountPath": "/var/run"});
        app(&mut pod)["volumeMounts"] = json!([below, {"name": "cache", "mountPath": "/var/r"}, mount]);
        assert_eq!(made(&pod, "app")["volumeMounts"], json!([below, mount]));
    }

    #[test]
    fn a_mount_without_variables_is_copied() {
        let mut pod = checkout();
        app(&mut pod)["env"] = json!([]);
        let profile = made(&pod, "app");
        assert_eq!(profile["volumeMounts"][0]["name"], "aws-iam-token");
        assert!(profile.get("env").is_none());
    }

    #[test]
    fn a_sub_path_becomes_the_folder_with_the_same_file() {
        let mut pod = checkout();
        let folder = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
        app(&mut pod)["volumeMounts"] =
            json!([{"name": "aws-iam-token", "mountPath": format!("{folder}/token"), "subPath": "token"}]);
        assert_eq!(
            made(&pod, "app")["volumeMounts"],
            json!([{"name": "aws-iam-token", "mountPath": folder}])
        );
    }

    #[test]
    fn ids_of_the_status_fill_only_what_no_specification_says() {
        for (of_pod, own, expected) in [
            (json!({}), json!({}), json!({"runAsUser": 1000, "runAsGroup": 1000})),
            (json!({"runAsUser": 7}), json!({}), json!({"runAsGroup": 1000})),
            (json!({"runAsUser": 7, "runAsGroup": 0}), json!({}), Value::Null),
            (json!({}), json!({"runAsUser": 0}), json!({"runAsUser": 0, "runAsGroup": 1000})),
            (json!({"runAsGroup": 5}), json!({"runAsUser": 7}), json!({"runAsUser": 7})),
        ] {
            let mut pod = checkout();
            pod["spec"]["securityContext"] = of_pod;
            app(&mut pod)["securityContext"] = own;
            assert_eq!(made(&pod, "app")["securityContext"], expected);
        }
    }

    #[test]
    fn variables_keep_their_order_with_what_they_refer_to() {
        let mut pod = checkout();
        app(&mut pod)["env"] = json!([
            {"name": "STAGE", "value": "prod"},
            {"name": "UNUSED", "value": "$(STAGE)"},
            {"name": "ACCOUNT", "value": "8142-$(STAGE)"},
            {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::$(ACCOUNT):role/$(NOWHERE)"},
            {"name": "HOME_OF_AWS", "value": "/aws"},
        ]);
        let profile = made(&pod, "app");
        let names: Vec<&str> =
            profile["env"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(names, ["STAGE", "ACCOUNT", "AWS_ROLE_ARN"]);
    }
}
