//! Judges manifests before they are applied, as Helm or kustomize print them, by their content alone.
//! Runs no program. What a cluster or IAM would say is `unseen`.

use crate::cli::Lint;
use crate::objects::{Bare, Pod, Workload};
use crate::rows::{self, Which};
use crate::run::{self, Stop, now};
use crate::world::{Seen, Unseen, World};
use credprobe_judge::yaml::{self, Node};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use std::io::Read;

/// The longest input, in bytes. More than this is not a set of manifests.
const LIMIT: u64 = 64 * 1024 * 1024;

/// What manifests do not contain.
const NOT_HERE: &[&str] = &[
    "Pod Identity associations",
    "roles and trust policies",
    "nodes",
    "the webhook",
    "what is applied already",
];

pub(crate) fn run(asked: &Lint) -> Result<u8, Stop> {
    let mut world = World { from_manifests: true, ..World::default() };
    let mut accounts = std::collections::BTreeMap::new();
    for file in &asked.files {
        let text = read(file)?;
        for document in documents(file, &text)? {
            add(&mut world, &mut accounts, document, asked.namespace.as_deref(), file)?;
        }
    }
    world.accounts = Seen::Known(accounts);
    world.cluster.region.clone_from(&asked.aws.region);
    world.issuer.clone_from(&asked.aws.issuer);
    let why = "lint asks nobody";
    world.unseen =
        NOT_HERE.iter().map(|what| Unseen { what: (*what).to_owned(), why: why.to_owned() }).collect();
    let rows = rows::rows(&world, &Which::All, false, now());
    run::print_fleet(&world, &rows, asked.form);
    Ok(asked.fail_on.code(&rows))
}

fn read(file: &str) -> Result<String, Stop> {
    let cannot = |error: std::io::Error| Stop::usage(format!("`{file}` cannot be read: {error}"));
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
    } else {
        std::fs::File::open(file).map_err(cannot)?.take(LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
    }
    if bytes.len() as u64 > LIMIT {
        return Err(Stop::usage(format!("`{file}` is longer than {LIMIT} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Stop::usage(format!("`{file}` is not UTF-8")))
}

fn documents(file: &str, text: &str) -> Result<Vec<Value>, Stop> {
    // JSON is YAML too, but the JSON parser has no limit of nodes.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(vec![value]);
    }
    let read = yaml::documents(text).map(|document| document.map(|node| json(&node)));
    read.collect::<Result<_, _>>()
        .map_err(|problem| Stop::usage(format!("`{file}`, line {}: {}", problem.line, problem.what)))
}

/// Converts a YAML node. Pure.
fn json(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Other(text) => match text.as_str() {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "on" | "On" => Value::Bool(true),
            "false" | "False" | "FALSE" | "no" | "No" | "off" | "Off" => Value::Bool(false),
            number => number_of(number).map_or_else(|| Value::String(text.clone()), Value::Number),
        },
        yaml::Value::Text { text, .. } => Value::String(text.clone()),
        yaml::Value::List(nodes) => Value::Array(nodes.iter().map(json).collect()),
        yaml::Value::Map(pairs) => {
            let key = |node: &Node| match &node.value {
                yaml::Value::Text { text, .. } => Some(text.clone()),
                yaml::Value::Other(text) => Some(text.clone()),
                _ => None,
            };
            let pairs = pairs.iter().filter_map(|(name, value)| Some((key(name)?, json(value))));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

/// Modes are octal numbers such as `0440` or `0o440`.
fn number_of(text: &str) -> Option<Number> {
    let octal = text.strip_prefix("0o").or_else(|| text.strip_prefix('0').filter(|rest| !rest.is_empty()));
    match octal.map(|digits| i64::from_str_radix(digits, 8)) {
        Some(Ok(number)) => Some(number.into()),
        _ => text.parse::<i64>().ok().map(Number::from).or_else(|| Number::from_f64(text.parse().ok()?)),
    }
}

type Accounts = std::collections::BTreeMap<(String, String), Bare>;

/// Adds an object, or each object of a list. Skips everything that makes no pods and is not a service account.
fn add(
    world: &mut World,
    accounts: &mut Accounts,
    object: Value,
    namespace: Option<&str>,
    file: &str,
) -> Result<(), Stop> {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(items) = object["items"].as_array().filter(|_| kind.ends_with("List")) {
        return items.iter().try_for_each(|item| add(world, accounts, item.clone(), namespace, file));
    }
    let default = namespace.unwrap_or("default");
    match kind.as_str() {
        "Pod" => {
            let mut pod: Pod = typed(object, file)?;
            home(&mut pod.metadata.namespace, default);
            // The pod does not exist yet, so the webhook will still change it.
            let mut workload = Workload { kind, metadata: pod.metadata.clone(), ..Workload::default() };
            workload.spec.template = Some(pod);
            world.workloads.push(workload);
        }
        "ServiceAccount" => {
            let mut account: Bare = typed(object, file)?;
            home(&mut account.metadata.namespace, default);
            accounts.insert((account.metadata.namespace.clone(), account.metadata.name.clone()), account);
        }
        _ => {
            let makes_pods = object.pointer("/spec/template/spec").is_some()
                || object.pointer("/spec/jobTemplate/spec").is_some();
            if makes_pods {
                let mut workload: Workload = typed(object, file)?;
                home(&mut workload.metadata.namespace, default);
                world.workloads.push(workload);
            }
        }
    }
    Ok(())
}

fn home(namespace: &mut String, default: &str) {
    if namespace.is_empty() {
        default.clone_into(namespace);
    }
}

fn typed<T: DeserializeOwned>(object: Value, file: &str) -> Result<T, Stop> {
    let name =
        object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    serde_json::from_value(object).map_err(|error| Stop::usage(format!("`{file}`: {kind} {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_becomes_what_the_api_server_would_read() {
        let text = "mode: 0440\nuser: 1000\nname: \"1000\"\non: yes\nnothing:\nlist: [a, 1.5]\n";
        let documents = documents("x", text).map_err(|stop| stop.line).unwrap();
        assert_eq!(
            documents,
            [
                serde_json::json!({"mode": 288, "user": 1000, "name": "1000", "on": true, "nothing": null, "list": ["a", 1.5]})
            ]
        );
        assert!(documents_fail("a: [\n"));
    }

    fn documents_fail(text: &str) -> bool {
        documents("x", text).is_err()
    }
}
