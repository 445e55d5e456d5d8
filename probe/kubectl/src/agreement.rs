//! Tests each scenario of the sandbox as objects of a cluster: compares the verdict from a laptop with that of `check` in the pod.
//! The laptop may see less or more, but it must not name another cause.

use crate::objects::{Pod, PodSpec};
use crate::rows::{Which, rows};
use crate::world::{AgentPods, Association, Cluster, Found, Provider, Role, Seen, World};
use credprobe_judge::catalog::Class;
use credprobe_judge::settings::arn::RoleArn;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ACCOUNT: &str = "814203749616";
const ROLE: &str = "checkout-reader";
const ISSUER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
const NODE: &str = "ip-10-0-3-41.eu-west-1.compute.internal";
const NOW: i64 = 1_790_000_000;
const IRSA: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
const POD_IDENTITY: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";

/// Arguments that state something which no object of a cluster contains.
const STATED: &[&str] = &[
    "--expect",
    "--sdk",
    "--role-arn",
    "--token-file",
    "--as-",
    "--target-pid",
    "--sts-compatible",
    "--mechanism",
    "--region",
    "--ca-bundle",
    "--session-name",
    "--cluster",
    "--deny-warnings",
    "--tolerate",
];

/// How the two verdicts relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    Same,
    /// The laptop has no objection, but the pod has one.
    SeesLess,
    /// The laptop has a finding, but the pod has no verdict on it, or not yet.
    SeesMore,
    Contradicts,
}

/// Scenarios in which the two name different classes for one cause, and why that is right.
const EXPLAINED: &[(&str, &str)] = &[];

fn scenarios() -> BTreeMap<String, Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scenarios");
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "json") {
            let family: BTreeMap<String, Value> =
                serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            all.extend(family);
        }
    }
    all
}

/// `None`: the scenario depends on what is stated in the pod.
fn world(scenario: &Value) -> Option<World> {
    let args = scenario["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if args.into_iter().any(|arg| STATED.iter().any(|stated| arg.starts_with(stated))) {
        return None;
    }
    if scenario.get("targets").is_some() {
        return None;
    }
    let mechanism = scenario["mechanism"].as_str().unwrap_or("irsa");
    let (irsa, by_agent) = (mechanism != "pod-identity", mechanism != "irsa");
    let claims = &scenario["token"]["claims"];
    let subject = claims["sub"].as_str().unwrap_or("system:serviceaccount:shop:checkout");
    let (namespace, account) = subject
        .strip_prefix("system:serviceaccount:")
        .and_then(|it| it.split_once(':'))
        .unwrap_or(("shop", "checkout"));
    let audience = match &claims["aud"] {
        Value::String(one) => one.clone(),
        Value::Array(all) if all.len() == 1 => all[0].as_str().unwrap_or_default().to_owned(),
        _ if irsa => "sts.amazonaws.com".to_owned(),
        _ => "pods.eks.amazonaws.com".to_owned(),
    };
    let issuer = scenario["issuer"]["url"].as_str().unwrap_or(ISSUER);
    let node = claims.pointer("/kubernetes.io/node/name").and_then(Value::as_str).unwrap_or(NODE);
    let spec = spec(scenario, irsa, by_agent, account, &audience, node);
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "checkout-7d9f8b6c5-x2x4q", "namespace": namespace, "uid": "uid-1",
                     "creationTimestamp": "2026-09-01T00:00:00Z"},
        "status": {"phase": "Running"},
    }))
    .unwrap();
    let pod = Pod { spec, ..pod };
    let role = pod.spec.containers[0]
        .env
        .iter()
        .find(|it| it.name == "AWS_ROLE_ARN")
        .and_then(|it| it.value.clone());
    let mut world = World {
        issuer: Some(issuer.to_owned()),
        cluster: Cluster {
            name: Some("prod".to_owned()),
            region: Some("eu-west-1".to_owned()),
            account: Some(ACCOUNT.to_owned()),
            arn: Some(format!("arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod")),
        },
        accounts: Seen::Known(BTreeMap::from([(
            (namespace.to_owned(), account.to_owned()),
            serde_json::from_value(json!({"metadata": {"name": account, "namespace": namespace}})).unwrap(),
        )])),
        webhook: Seen::Known(Some(
            serde_json::from_value(json!({"webhooks": [{"name": "iam-for-pods.amazonaws.com"}]})).unwrap(),
        )),
        nodes: Seen::Known(BTreeMap::from([(node.to_owned(), labels(node))])),
        agent: Seen::Known(AgentPods {
            daemonset: true,
            nodes: if scenario["agent"]["down"] == json!(true) {
                BTreeSet::new()
            } else {
                BTreeSet::from([node.to_owned()])
            },
        }),
        pods: vec![pod],
        ..World::default()
    };
    iam(&mut world, scenario, issuer, role.as_deref(), mechanism);
    Some(world)
}

fn labels(node: &str) -> BTreeMap<String, String> {
    let auto = node.starts_with("i-") && !node.contains('.');
    auto.then(|| ("eks.amazonaws.com/compute-type".to_owned(), "auto".to_owned())).into_iter().collect()
}

fn spec(scenario: &Value, irsa: bool, by_agent: bool, account: &str, audience: &str, node: &str) -> PodSpec {
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: &str| drop(env.insert(name.to_owned(), value.to_owned()));
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        set(name, "eu-west-1");
    }
    if irsa {
        set("AWS_ROLE_ARN", &format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"));
        set("AWS_WEB_IDENTITY_TOKEN_FILE", &format!("{IRSA}/token"));
    }
    if by_agent {
        set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
        set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &format!("{POD_IDENTITY}/eks-pod-identity-token"));
    }
    if scenario["profile"].is_string() {
        env.insert("AWS_SHARED_CREDENTIALS_FILE".to_owned(), "/run/app/credentials".to_owned());
    }
    for (name, value) in scenario["env"].as_object().into_iter().flatten() {
        match value.as_str() {
            Some(value) => drop(env.insert(name.clone(), value.to_owned())),
            None => drop(env.remove(name)),
        }
    }
    let env: Vec<Value> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let file = &scenario["token_file"];
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let (owner, group) = (number(&file["owner"]), file["group"].as_u64().unwrap_or(65_532));
    let mode = file["mode"].as_str().and_then(|mode| u32::from_str_radix(mode, 8).ok()).unwrap_or(0o640);
    let process = &scenario["process"];
    let id = |key: &str| process[key].as_u64().unwrap_or(65_532);
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mut pod_context = json!({});
    let mut source_of = |name: &str, at: &str, audience: &str, path: &str| {
        if file["missing"] == json!(true) {
            return;
        }
        let copied = file["layout"] == json!("copy");
        let own = file["own_volume"].as_str().map(|own| format!("/var/run/secrets/{own}"));
        let at = own.as_deref().unwrap_or(at);
        let token =
            json!({"serviceAccountToken": {"audience": audience, "path": path, "expirationSeconds": 86_400}});
        let projected = json!({"name": name, "projected": {"sources": [token], "defaultMode": mode}});
        volumes.push(if copied { json!({"name": name, "emptyDir": {}}) } else { projected });
        mounts.push(if file["layout"] == json!("sub-path") {
            json!({"name": name, "mountPath": format!("{at}/{path}"), "subPath": path})
        } else {
            json!({"name": name, "mountPath": at})
        });
    };
    if irsa {
        source_of("aws-iam-token", IRSA, audience, "token");
    }
    if by_agent {
        let audience = if irsa { "pods.eks.amazonaws.com" } else { audience };
        source_of("eks-pod-identity-token", POD_IDENTITY, audience, "eks-pod-identity-token");
    }
    if group != 0 {
        pod_context["fsGroup"] = json!(group);
    }
    // A second container that states no user keeps the kubelet from giving the file to the user of the first.
    let mut containers = vec![json!({"name": "app", "env": env, "volumeMounts": mounts,
        "securityContext": {"runAsUser": id("uid"), "runAsGroup": id("gid")}})];
    if owner != 0 {
        containers[0]["securityContext"]["runAsUser"] = json!(owner);
    } else {
        containers.push(json!({"name": "proxy"}));
    }
    if let Some(groups) = process["groups"].as_array() {
        pod_context["supplementalGroups"] = json!(groups);
    }
    serde_json::from_value(json!({"serviceAccountName": account, "nodeName": node, "containers": containers,
        "volumes": volumes, "securityContext": pod_context}))
    .unwrap()
}

fn iam(world: &mut World, scenario: &Value, issuer: &str, role: Option<&str>, mechanism: &str) {
    world.iam.asked = true;
    let mut wanted: Vec<String> = role.into_iter().map(str::to_owned).collect();
    if mechanism != "irsa" {
        let healthy = json!([{"namespace": "shop", "service_account": "checkout"}]);
        let listed = scenario["agent"].get("associations").unwrap_or(&healthy).as_array().unwrap().clone();
        let text = |value: &Value, or: &str| value.as_str().unwrap_or(or).to_owned();
        let associations = listed.iter().map(|it| {
            let association = Association {
                id: "a-1".to_owned(),
                role: text(&it["role_arn"], &format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}")),
                target_role: it["target_role_arn"].as_str().map(str::to_owned),
                // EKS makes the external id and presents it to target roles.
                external_id: Some(text(
                    &it["external_id"],
                    &format!("eu-west-1/{ACCOUNT}/prod/shop/checkout"),
                )),
                tags_disabled: it["disable_session_tags"] == json!(true),
                ..Association::default()
            };
            ((text(&it["namespace"], "shop"), text(&it["service_account"], "checkout")), association)
        });
        let associations: BTreeMap<_, _> = associations.collect();
        wanted.extend(
            associations.values().flat_map(|it| [Some(it.role.clone()), it.target_role.clone()]).flatten(),
        );
        world.iam.associations = Seen::Known(associations);
    }
    let healthy = json!([{}]);
    let accounts = scenario.get("accounts").unwrap_or(&healthy).as_array().unwrap();
    for arn in wanted {
        let Ok(asked) = RoleArn::parse(&arn) else { continue };
        let account = accounts.iter().find(|it| {
            it["id"].as_str().unwrap_or(ACCOUNT) == asked.account
                && it["partition"].as_str().unwrap_or("aws") == asked.partition
        });
        let provider_arn = asked.provider_arn(issuer.trim_start_matches("https://"));
        let providers = account
            .map(|it| it.get("providers").unwrap_or(&healthy).as_array().unwrap().clone())
            .unwrap_or_default();
        let provider = providers.iter().find(|it| it["url"].as_str().unwrap_or(issuer) == issuer);
        let ids = json!(["sts.amazonaws.com"]);
        let found = provider.map_or(Found::Missing, |it| {
            let ids = it.get("client_ids").unwrap_or(&ids).as_array().unwrap();
            let client_ids = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            Found::There(Provider { client_ids, ..Provider::default() })
        });
        world.iam.providers.insert(provider_arn.clone(), found);
        let roles = account
            .map(|it| it.get("roles").unwrap_or(&healthy).as_array().unwrap().clone())
            .unwrap_or_default();
        let role = roles.iter().find(|it| it["name"].as_str().unwrap_or(ROLE) == asked.name);
        let found = role.map_or(Found::Missing, |it| {
            let path = it["path"].as_str().unwrap_or("/");
            let real = format!("arn:{}:iam::{}:role{path}{}", asked.partition, asked.account, asked.name);
            let standard = standard(&provider_arn, issuer, mechanism);
            let policy = it.get("trust_policy").unwrap_or(&standard);
            let answer = json!({"Role": {"Arn": real, "AssumeRolePolicyDocument": policy}});
            Found::There(Role { arn: real, answer: answer.to_string().into_bytes() })
        });
        world.iam.roles.insert(arn, found);
    }
}

fn standard(provider: &str, issuer: &str, mechanism: &str) -> Value {
    let issuer = issuer.trim_start_matches("https://");
    let irsa = json!({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{issuer}:sub"): "system:serviceaccount:shop:checkout", format!("{issuer}:aud"): "sts.amazonaws.com"}}});
    let eks = json!({"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]});
    let statements = match mechanism {
        "irsa" => vec![irsa],
        "pod-identity" => vec![eks],
        _ => vec![irsa, eks],
    };
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn a_laptop_never_names_another_cause_than_the_pod() {
    let mut counts: BTreeMap<Agreement, usize> = BTreeMap::new();
    let mut contradictions = Vec::new();
    let mut explained = BTreeSet::new();
    let (mut stated, mut failing, mut table) = (0, 0, String::new());
    for (name, scenario) in scenarios() {
        let inside = scenario["expect"]["class"].as_str().and_then(Class::from_id);
        let Some(inside) = inside.filter(|_| scenario.get("pending").is_none()) else { continue };
        let Some(world) = world(&scenario) else {
            stated += 1;
            continue;
        };
        let rows = rows(&world, &Which::Named("app"), true, NOW);
        let report = rows[0].report.as_ref().unwrap();
        let outside = report.verdict.class;
        let seen: BTreeSet<Class> = report.findings.iter().map(|it| it.class).collect();
        let agreement = match (inside, outside) {
            _ if inside == outside => Agreement::Same,
            (_, Class::Ready | Class::Inconclusive) => Agreement::SeesLess,
            (Class::Inconclusive, _) => Agreement::SeesMore,
            // STS says no more in its generic text, but IAM does.
            (Class::TokenRejected, Class::ProviderMissing | Class::AudienceNotRegistered) => {
                Agreement::SeesMore
            }
            // The laptop decides by what only it sees, and also has the pod's finding.
            _ if seen.contains(&inside) => Agreement::SeesMore,
            _ => Agreement::Contradicts,
        };
        if agreement == Agreement::Contradicts {
            if let Some((known, _)) = EXPLAINED.iter().find(|(known, _)| *known == name) {
                explained.insert(*known);
            } else {
                contradictions.push(format!(
                    "{name}: {} in the pod, {} outside: {}",
                    inside.id(),
                    outside.id(),
                    report.verdict.summary
                ));
            }
        }
        failing += usize::from(agreement == Agreement::Same && inside != Class::Ready);
        table.push_str(&format!("{name}\t{}\t{}\t{agreement:?}\n", inside.id(), outside.id()));
        *counts.entry(agreement).or_default() += 1;
    }
    if let Ok(file) = std::env::var("CREDPROBE_AGREEMENT") {
        std::fs::write(file, table).unwrap();
    }
    assert!(
        contradictions.is_empty(),
        "{counts:?}, {stated} stated in the pod\n{}",
        contradictions.join("\n")
    );
    assert_eq!(explained.len(), EXPLAINED.len(), "an explanation that nothing needs: {explained:?}");
    // With fewer matches than this, a judge has been lost.
    assert!(counts[&Agreement::Same] >= 220 && failing >= 125, "{counts:?}, {failing} of the same fail");
    println!("{counts:?}, {failing} of the same fail, {stated} stated in the pod");
}
