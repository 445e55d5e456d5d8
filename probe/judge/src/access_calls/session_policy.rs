//! The inline session policy for access checks: it allows exactly what was stated and denies everything else.
//! The Deny matters: a missing Allow does not limit a resource policy that names the session itself, but an explicit Deny does.

use serde_json::{Value, json};

/// The policy that allows nothing.
pub const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// The limit of STS for an inline session policy, in characters (API reference, AssumeRoleWithWebIdentity).
const LIMIT: usize = 2048;

/// The policy that allows these pairs of action and resource and denies the rest.
#[must_use]
pub fn of(pairs: &[(&str, &str)]) -> String {
    let mut by_action: Vec<(&str, Vec<&str>)> = Vec::new();
    for (action, resource) in pairs {
        match by_action.iter_mut().find(|(its, _)| its.eq_ignore_ascii_case(action)) {
            Some((_, resources)) => resources.push(resource),
            None => by_action.push((action, vec![resource])),
        }
    }
    let allow = |(action, resources): &(&str, Vec<&str>)| json!({"Effect": "Allow", "Action": action, "Resource": resources});
    let bind = |(action, resources): &(&str, Vec<&str>)| json!({"Effect": "Deny", "Action": action, "NotResource": resources});
    // An action without resources has no other resource to deny.
    let bound = by_action.iter().filter(|(_, resources)| !resources.contains(&"*"));
    let mut statements: Vec<Value> = by_action.iter().map(allow).chain(bound.map(bind)).collect();
    let actions: Vec<&str> = by_action.iter().map(|(action, _)| *action).collect();
    statements.push(json!({"Effect": "Deny", "NotAction": actions, "Resource": "*"}));
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Groups of pairs, each of which fits into one policy. Nothing is widened. A pair that fits into none is a group by itself.
#[must_use]
pub fn groups<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<Vec<(&'a str, &'a str)>> {
    let mut groups: Vec<Vec<(&str, &str)>> = Vec::new();
    for pair in pairs {
        let grown = groups.last().map(|last| [last.as_slice(), &[*pair]].concat());
        match grown.filter(|grown| of(grown).len() <= LIMIT) {
            Some(grown) => {
                groups.pop();
                groups.push(grown);
            }
            None => groups.push(vec![*pair]),
        }
    }
    groups
}
