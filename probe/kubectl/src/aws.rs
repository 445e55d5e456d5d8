//! Queries IAM and EKS with the user's own AWS CLI: only get, list and describe calls, and shared data only once.
//! No credentials pass through here. What could not be asked is recorded.

use crate::child::{self, Failed};
use crate::world::{Association, Found, Provider, Role, Seen, Unseen, World};
use credprobe_judge::settings::arn::RoleArn;
use credprobe_judge::text::parse_rfc3339;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;

/// The AWS CLI with the user's flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aws {
    /// The flag `--profile=…`.
    pub profile: Option<String>,
}

/// How many calls run at once. The CLI is a Python program that takes half a second to start.
const AT_ONCE: usize = 8;

impl Aws {
    pub(crate) fn command(&self, region: Option<&str>, words: &[&str]) -> Command {
        let mut command = Command::new("aws");
        command.args(words).args(["--output", "json"]);
        if let Some(profile) = &self.profile {
            command.args(["--profile", profile]);
        }
        if let Some(region) = region {
            command.args(["--region", region]);
        }
        // Version 2 shows long output in a pager if there is a terminal.
        command.env("AWS_PAGER", "");
        command
    }

    fn ask<T: DeserializeOwned>(&self, region: Option<&str>, words: &[&str]) -> Result<T, Failed> {
        let answer = child::output(&mut self.command(region, words), None)?;
        serde_json::from_slice(&answer)
            .map_err(|error| Failed::new(format!("what aws printed cannot be read: {error}")))
    }
}

/// What to ask besides what the pods need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    /// Every role of the account, to find those that trust this cluster but are not used.
    pub all_roles: bool,
    /// Also associations of service accounts that no pod uses.
    pub all_associations: bool,
}

/// Adds what AWS says about the roles, providers and associations that the cluster's pods use.
pub(crate) fn gather(
    aws: &Aws,
    world: &mut World,
    roles: &BTreeSet<String>,
    accounts: &BTreeSet<(String, String)>,
    extent: Extent,
    progress: &mut dyn FnMut(&str),
) {
    progress("asking AWS which account this is");
    world.iam.asked = true;
    let mut count = |operation: &'static str| *world.iam.calls.entry(operation).or_default() += 1;
    count("sts get-caller-identity");
    match aws.ask::<Value>(None, &["sts", "get-caller-identity"]) {
        Ok(identity) => world.iam.account = identity["Account"].as_str().map(str::to_owned),
        Err(failed) => {
            world.iam.asked = false;
            world.unseen.push(Unseen { what: "IAM and EKS".to_owned(), why: failed.why });
            return;
        }
    }
    cluster(aws, world);
    progress("asking EKS for associations");
    associations(aws, world, accounts, extent);
    let mut wanted: BTreeSet<String> = roles.clone();
    if let Some(associations) = world.iam.associations.known() {
        let of = accounts.iter().filter_map(|key| associations.get(key));
        for association in of {
            wanted.extend(
                [Some(&association.role), association.target_role.as_ref()]
                    .into_iter()
                    .flatten()
                    .filter(|it| !it.is_empty())
                    .cloned(),
            );
        }
    }
    roles_of(aws, world, &wanted, progress);
    providers(aws, world, roles, progress);
    if extent.all_roles {
        progress("listing all roles of the account");
        other_roles(aws, world);
    }
}

/// Adds name, region, account and issuer, if flags and kubeconfig do not have them.
fn cluster(aws: &Aws, world: &mut World) {
    let Some(name) = world.cluster.name.clone() else {
        world.unseen.push(Unseen {
            what: "the cluster in EKS, and its Pod Identity associations".to_owned(),
            why: "its name is not known: --cluster=NAME states it".to_owned(),
        });
        return;
    };
    if world.issuer.is_some() && world.cluster.arn.is_some() {
        return;
    }
    *world.iam.calls.entry("eks describe-cluster").or_default() += 1;
    let region = world.cluster.region.clone();
    match aws.ask::<Value>(region.as_deref(), &["eks", "describe-cluster", "--name", &name]) {
        Ok(answer) => {
            let cluster = &answer["cluster"];
            if let Some(known) = cluster["arn"].as_str().and_then(crate::world::Cluster::of_arn) {
                world.cluster = known;
            }
            let issuer = cluster.pointer("/identity/oidc/issuer").and_then(Value::as_str);
            world.issuer = world.issuer.take().or_else(|| issuer.map(str::to_owned));
        }
        Err(failed) => world.unseen.push(Unseen { what: format!("cluster {name} in EKS"), why: failed.why }),
    }
}

fn associations(aws: &Aws, world: &mut World, accounts: &BTreeSet<(String, String)>, extent: Extent) {
    let Some(name) = world.cluster.name.clone() else { return };
    let region = world.cluster.region.clone();
    let region = region.as_deref();
    *world.iam.calls.entry("eks list-pod-identity-associations").or_default() += 1;
    let listed =
        aws.ask::<Value>(region, &["eks", "list-pod-identity-associations", "--cluster-name", &name]);
    let listed = match listed {
        Ok(listed) => listed["associations"].as_array().cloned().unwrap_or_default(),
        Err(failed) => {
            world.unseen.push(Unseen {
                what: format!("Pod Identity associations of cluster {name}"),
                why: failed.why,
            });
            return;
        }
    };
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut all: BTreeMap<(String, String), Association> = listed
        .iter()
        .map(|it| {
            let association = Association { id: text(it, "associationId"), ..Association::default() };
            ((text(it, "namespace"), text(it, "serviceAccount")), association)
        })
        .collect();
    let used: Vec<_> = all
        .iter()
        .filter(|(key, _)| extent.all_associations || accounts.contains(*key))
        .map(|(key, it)| (key.clone(), it.id.clone()))
        .collect();
    *world.iam.calls.entry("eks describe-pod-identity-association").or_default() += used.len();
    let described = in_parallel(&used, |(_, id)| {
        aws.ask::<Value>(
            region,
            &["eks", "describe-pod-identity-association", "--cluster-name", &name, "--association-id", id],
        )
    });
    for ((key, id), answer) in used.iter().zip(described) {
        match answer {
            Ok(answer) => {
                let it = &answer["association"];
                let optional =
                    |name: &str| it[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
                all.insert(
                    key.clone(),
                    Association {
                        id: id.clone(),
                        role: text(it, "roleArn"),
                        target_role: optional("targetRoleArn"),
                        external_id: optional("externalId"),
                        tags_disabled: it["disableSessionTags"].as_bool().unwrap_or_default(),
                        policy: optional("policy").is_some(),
                        created: time(&it["createdAt"]),
                    },
                );
            }
            Err(failed) => world.unseen.push(Unseen {
                what: format!("the Pod Identity association of {}/{}", key.0, key.1),
                why: failed.why,
            }),
        }
    }
    world.iam.associations = Seen::Known(all);
}

/// Version 1 prints seconds; version 2 prints a date with an offset.
fn time(value: &Value) -> Option<i64> {
    if let Some(seconds) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        return Some(seconds as i64);
    }
    let text = value.as_str()?;
    if let Some(seconds) = parse_rfc3339(text) {
        return Some(seconds);
    }
    let (local, offset, sign) = match (text.rsplit_once('+'), text.get(10..).and_then(|rest| rest.rfind('-')))
    {
        (Some((local, offset)), _) => (local, offset, 1),
        (None, Some(at)) => (text.get(..10 + at)?, text.get(11 + at..)?, -1),
        (None, None) => return None,
    };
    let (hours, minutes) = offset.split_once(':')?;
    let offset: i64 = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some(parse_rfc3339(&format!("{local}Z"))? - sign * offset)
}

/// Asks for each role once. Roles of another account are not asked for, because the caller's account may have the same name.
fn roles_of(aws: &Aws, world: &mut World, wanted: &BTreeSet<String>, progress: &mut dyn FnMut(&str)) {
    let own = world.iam.account.clone().unwrap_or_default();
    let mut names = Vec::new();
    let mut foreign: BTreeMap<String, usize> = BTreeMap::new();
    for arn in wanted {
        match RoleArn::parse(arn) {
            Ok(role) if role.account == own => names.push((arn.clone(), role.name)),
            Ok(role) => *foreign.entry(role.account).or_default() += 1,
            // The judges say what is wrong with it.
            Err(_) => {}
        }
    }
    for (account, count) in foreign {
        world.unseen.push(Unseen {
            what: format!("{count} {} of account {account}", if count == 1 { "role" } else { "roles" }),
            why: format!("the AWS CLI acts in account {own}: --aws-profile=NAME chooses another"),
        });
    }
    *world.iam.calls.entry("iam get-role").or_default() += names.len();
    let done = Mutex::new(0_usize);
    progress(&format!("asking IAM for {} roles", names.len()));
    let answers = in_parallel(&names, |(_, name)| {
        let answer = child::output(&mut aws.command(None, &["iam", "get-role", "--role-name", name]), None);
        if let Ok(mut done) = done.lock() {
            *done += 1;
        }
        answer
    });
    for ((arn, name), answer) in names.into_iter().zip(answers) {
        let found = match answer {
            Ok(answer) => {
                let role: Value = serde_json::from_slice(&answer).unwrap_or_default();
                let real = role.pointer("/Role/Arn").and_then(Value::as_str).unwrap_or(&arn).to_owned();
                Found::There(Role { arn: real, answer: answer.to_vec() })
            }
            Err(failed) if failed.is_missing() => Found::Missing,
            Err(failed) => {
                world.unseen.push(Unseen { what: format!("role {name}"), why: failed.why });
                Found::Unseen
            }
        };
        world.iam.roles.insert(arn, found);
    }
}

/// Asks for the provider of the caller's account, if roles for web identities are in it. Other accounts cannot be asked.
fn providers(aws: &Aws, world: &mut World, roles: &BTreeSet<String>, progress: &mut dyn FnMut(&str)) {
    let Some(issuer) = world.issuer_path().map(str::to_owned) else { return };
    let own = world.iam.account.clone().unwrap_or_default();
    let roles = roles.iter().filter_map(|arn| RoleArn::parse(arn).ok()).filter(|role| role.account == own);
    let arns: BTreeSet<String> = roles.map(|role| role.provider_arn(&issuer)).collect();
    for arn in arns {
        progress("asking IAM for the OIDC provider");
        *world.iam.calls.entry("iam get-open-id-connect-provider").or_default() += 1;
        let words = ["iam", "get-open-id-connect-provider", "--open-id-connect-provider-arn", &arn];
        let found = match aws.ask::<Value>(None, &words) {
            Ok(answer) => {
                let list = |key: &str| {
                    let values = answer[key].as_array().cloned().unwrap_or_default();
                    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                };
                Found::There(Provider {
                    client_ids: list("ClientIDList"),
                    thumbprints: list("ThumbprintList"),
                })
            }
            Err(failed) if failed.is_missing() => Found::Missing,
            Err(failed) => {
                world.unseen.push(Unseen { what: format!("IAM OIDC provider of {issuer}"), why: failed.why });
                Found::Unseen
            }
        };
        world.iam.providers.insert(arn, found);
    }
}

/// Every role of the account that trusts this cluster's issuer, used or not.
fn other_roles(aws: &Aws, world: &mut World) {
    *world.iam.calls.entry("iam list-roles").or_default() += 1;
    match aws.ask::<Value>(None, &["iam", "list-roles"]) {
        Ok(answer) => {
            let issuer = world.issuer_path().unwrap_or("no issuer").to_owned();
            let known: BTreeSet<&String> = world.iam.roles.keys().collect();
            let roles = answer["Roles"].as_array().cloned().unwrap_or_default();
            let trusting = roles.into_iter().filter_map(|role| {
                let arn = role["Arn"].as_str()?.to_owned();
                let answer = serde_json::to_vec(&serde_json::json!({ "Role": role })).ok()?;
                let about = String::from_utf8_lossy(&answer).contains(&issuer);
                (about && !known.contains(&arn)).then_some(Role { arn, answer })
            });
            world.iam.others = trusting.collect();
        }
        Err(failed) => {
            world.unseen.push(Unseen { what: "all roles of the account".to_owned(), why: failed.why })
        }
    }
}

/// Asks a few at a time. The answers have the order of the questions.
fn in_parallel<T: Sync, R: Send>(items: &[T], ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0_usize);
    let answers: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = match next.lock() {
                        Ok(mut next) => {
                            *next += 1;
                            *next - 1
                        }
                        Err(_) => return,
                    };
                    let Some(item) = items.get(at) else { return };
                    let answer = ask(item);
                    if let Ok(mut answers) = answers.lock() {
                        answers.push((at, answer));
                    }
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_default();
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_in_both_forms() {
        let at = 1_764_000_000;
        for value in [
            json!(1_764_000_000.5),
            json!("2025-11-24T16:00:00Z"),
            json!("2025-11-24T17:00:00.123+01:00"),
            json!("2025-11-24T11:00:00-05:00"),
        ] {
            assert_eq!(time(&value), Some(at), "{value}");
        }
        assert_eq!(time(&json!("soon")), None);
    }

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let numbers: Vec<u64> = (0..50).collect();
        assert_eq!(
            in_parallel(&numbers, |number| number * 2),
            numbers.iter().map(|it| it * 2).collect::<Vec<_>>()
        );
        assert_eq!(in_parallel(&[] as &[u64], |number| *number), Vec::<u64>::new());
    }
}
