//! EKS's access entries, in the form that the AWS CLI prints. Pure.
//! An entry belongs to the unique id of a role. After the role is recreated, the old entry maps no principal.

use serde_json::Value;

/// The longest text that is read, in bytes. A cluster has at most a few thousand entries.
pub const ENTRIES_LIMIT: usize = 4 * 1024 * 1024;

/// One entry. A list of ARNs gives only `arn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) arn: String,
    pub(crate) username: Option<String>,
    pub(crate) groups: Vec<String>,
    created: Option<i64>,
}

impl Entry {
    /// When it was created, in seconds since the epoch.
    pub(crate) fn created(&self) -> Option<i64> {
        self.created
    }
}

/// Reads one or more answers of `aws eks describe-access-entry`, entries, lists of either, or `aws eks list-access-entries`.
///
/// # Errors
/// One line: it is not JSON, or there is no entry in it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    if bytes.len() > ENTRIES_LIMIT {
        return Err(format!("it is longer than {ENTRIES_LIMIT} bytes"));
    }
    let mut entries = Vec::new();
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        take(document.map_err(|error| format!("it is not JSON: {error}"))?, &mut entries)?;
    }
    if entries.is_empty() && bytes.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(entries)
}

fn take(value: Value, entries: &mut Vec<Entry>) -> Result<(), String> {
    match value {
        Value::Array(values) => values.into_iter().try_for_each(|value| take(value, entries)),
        Value::String(arn) => {
            entries.push(Entry { arn, username: None, groups: Vec::new(), created: None });
            Ok(())
        }
        Value::Object(mut map) => {
            for wrapping in ["accessEntry", "accessEntries"] {
                if let Some(inner) = map.remove(wrapping) {
                    return take(inner, entries);
                }
            }
            let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
            let groups = map.get("kubernetesGroups").and_then(Value::as_array).into_iter().flatten();
            let entry = Entry {
                arn: text("principalArn").ok_or("there is no principalArn in it, so it is not the output of aws eks describe-access-entry")?,
                username: text("username"),
                groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
                created: map.get("createdAt").and_then(time),
            };
            entries.push(entry);
            Ok(())
        }
        _ => Err("there is no access entry in it".to_owned()),
    }
}

/// Reads an answer of `aws iam get-role`: the role's whole ARN, and when it was created, in seconds since the epoch.
///
/// # Errors
/// One line: it is not such an answer.
pub(crate) fn role(bytes: &[u8]) -> Result<(String, Option<i64>), String> {
    if bytes.len() > ENTRIES_LIMIT {
        return Err(format!("it is longer than {ENTRIES_LIMIT} bytes"));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let role = value.get("Role").unwrap_or(&value);
    let arn = role.get("Arn").and_then(Value::as_str);
    let arn = arn.ok_or("there is no Role.Arn in it; give the output of aws iam get-role")?;
    Ok((arn.to_owned(), role.get("CreateDate").and_then(time)))
}

/// A time from either version of the AWS CLI: seconds, or RFC 3339 with an offset.
fn time(value: &Value) -> Option<i64> {
    if let Some(seconds) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are wanted")]
        return Some(seconds as i64);
    }
    let text = value.as_str()?;
    if let Some(seconds) = crate::text::parse_rfc3339(text) {
        return Some(seconds);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset[1..].split_once(':')?;
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some(crate::text::parse_rfc3339(&format!("{local}Z"))? - sign * minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_which_the_cli_prints_entries_is_read() {
        let entry = r#"{"principalArn": "arn:aws:iam::814203749616:role/a", "kubernetesGroups": ["g"], "username": "u", "createdAt": "2026-01-02T03:04:05.678000+02:00", "type": "STANDARD"}"#;
        for text in [
            entry.to_owned(),
            format!("[{entry}]"),
            format!(r#"{{"accessEntry": {entry}}}"#),
            format!(r#"[{{"accessEntry": {entry}}}]"#),
        ] {
            let entries = parse(text.as_bytes()).unwrap();
            assert_eq!((entries.len(), entries[0].created()), (1, Some(1_767_315_845)), "{text}");
        }
        assert_eq!(
            parse(format!(r#"{{"accessEntry": {entry}}}{{"accessEntry": {entry}}}"#).as_bytes())
                .unwrap()
                .len(),
            2
        );
        assert_eq!(parse(br#"{"accessEntries": ["arn:aws:iam::814203749616:role/a"]}"#).unwrap().len(), 1);
        assert_eq!(time(&serde_json::json!(1_767_315_845.678)), Some(1_767_315_845));
        for text in ["", "x", "{}", "7", "[{}]", r#"{"accessEntry": null}"#] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
