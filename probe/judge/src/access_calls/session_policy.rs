//! The inline session policy under which access is asked about: exactly what was stated, and a denial of everything else.
//! The denials matter: a missing Allow does not bind a resource policy that names the session itself, an explicit Deny does.

use serde_json::{Value, json};

/// Nothing at all.
pub const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// What STS takes of an inline session policy, in characters (API reference, AssumeRoleWithWebIdentity).
const LIMIT: usize = 2048;

/// The policy that allows these pairs of action and resource, and denies the rest.
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
    // Of an action without resources there is nothing else to deny.
    let bound = by_action.iter().filter(|(_, resources)| !resources.contains(&"*"));
    let mut statements: Vec<Value> = by_action.iter().map(allow).chain(bound.map(bind)).collect();
    let actions: Vec<&str> = by_action.iter().map(|(action, _)| *action).collect();
    statements.push(json!({"Effect": "Deny", "NotAction": actions, "Resource": "*"}));
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The pairs in groups, each of which fits into one policy; never widened. A pair that fits into none stands alone.
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
