//! Random ConfigMaps, access entries and principals, with the result of this evaluator, one JSON object per line:
//! `credprobe-sandbox access-cases`. Another evaluator reads the files' texts and compares its results.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    draw::{Draw, Principal, accounts},
    evaluate,
};
use crate::scenario::eks::{Mode, User};

/// The name of the command.
pub(crate) const ACCESS_CASES: &str = "access-cases";
const SEED: u64 = 0x5f8c_2a91_d3e7_4b06;
const CASES: usize = 2_000;

struct Case {
    /// What is unusual about the case.
    notes: Vec<&'static str>,
    aws_auth: BTreeMap<String, String>,
    entries: Vec<Value>,
    mode: Mode,
    principal: String,
    expected: Option<User>,
}

/// All cases; the same in each run.
pub(crate) fn text() -> String {
    cases().iter().enumerate().map(|(number, case)| format!("{}\n", case.line(number))).collect()
}

fn cases() -> Vec<Case> {
    let mut draw = Draw(SEED);
    (0..CASES).map(|_| Case::draw(&mut draw)).collect()
}

impl Case {
    fn draw(draw: &mut Draw) -> Self {
        let mut notes = Vec::new();
        let principal = Principal::draw(draw);
        let mode =
            draw.of(&[Mode::ConfigMap, Mode::ConfigMap, Mode::ConfigMap, Mode::Api, Mode::ApiAndConfigMap]);
        let entries = if mode == Mode::ConfigMap { vec![] } else { principal.entries(draw, &mut notes) };
        let mut aws_auth = BTreeMap::new();
        if mode != Mode::Api {
            let mut add = |name: &'static str, others: &[&'static str], draw: &mut Draw, text: String| {
                let other = draw.one_in(20).then(|| draw.of(others));
                aws_auth.insert(other.unwrap_or(name).to_owned(), text);
                other.map(|_| "section's name")
            };
            if !draw.one_in(6) {
                let text = principal.section("rolearn", draw, &mut notes);
                notes.extend(add("mapRoles", &["maproles", "MapRoles", "mapRole", "roles"], draw, text));
            }
            if draw.one_in(3) {
                let text = principal.section("userarn", draw, &mut notes);
                notes.extend(add("mapUsers", &["mapusers", "MAPUSERS", "mapUser"], draw, text));
            }
            if draw.one_in(4) {
                let text = accounts(draw, &mut notes);
                notes.extend(add("mapAccounts", &["mapaccounts", "mapAccount"], draw, text));
            }
        }
        let expected = evaluate(&aws_auth, &entries, mode, &principal.arn);
        Self { notes, aws_auth, entries, mode, principal: principal.arn, expected }
    }

    /// The case as JSON. A file that its mode does not read is `null`.
    fn line(&self, number: usize) -> Value {
        let file = |is_read: bool, text: String| if is_read { Value::String(text) } else { Value::Null };
        let entries = match self.entries.as_slice() {
            [entry] => entry.to_string(),
            entries => json!(entries).to_string(),
        };
        json!({
            "case": number,
            "notes": self.notes,
            "aws_auth": file(self.mode != Mode::Api, self.config_map((number / 10).is_multiple_of(2))),
            "access_entries": file(self.mode != Mode::ConfigMap, entries),
            "principal": self.principal,
            "expected": self.expected.as_ref().map(|user| json!({"username": user.username, "groups": user.groups})),
        })
    }

    /// The ConfigMap as `kubectl get -o yaml` or `-o json` writes it.
    fn config_map(&self, as_yaml: bool) -> String {
        let metadata = json!({"name": "aws-auth", "namespace": "kube-system"});
        if !as_yaml {
            let map =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": self.aws_auth});
            return format!("{map:#}\n");
        }
        let value = |text: &str| match is_block(text) {
            true => format!("|\n{}", text.lines().map(|line| format!("    {line}\n")).collect::<String>()),
            false => format!("{}\n", json!(text)),
        };
        let data: String =
            self.aws_auth.iter().map(|(key, text)| format!("  {key}: {}", value(text))).collect();
        let data = if data.is_empty() { String::new() } else { format!("data:\n{data}") };
        format!(
            "apiVersion: v1\n{data}kind: ConfigMap\nmetadata:\n  name: aws-auth\n  namespace: kube-system\n"
        )
    }
}

/// Whether a block scalar keeps the text to the last character.
fn is_block(text: &str) -> bool {
    let starts = text.starts_with(|first: char| !first.is_whitespace());
    starts && text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains(['\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_are_the_same_each_time_and_of_every_kind() {
        assert_eq!(text(), text());
        let cases = cases();
        let mapped = cases.iter().filter(|case| case.expected.is_some()).count();
        assert!((CASES / 4..CASES * 3 / 4).contains(&mapped), "{mapped} of {CASES} are mapped");
        let notes: std::collections::BTreeSet<_> = cases.iter().flat_map(|case| &case.notes).collect();
        assert!(notes.len() > 50, "{notes:?}");
    }

    #[test]
    fn the_file_holds_the_sections_to_the_last_character() {
        for (number, case) in cases().iter().enumerate() {
            let line = case.line(number);
            let Some(file) = line["aws_auth"].as_str() else { continue };
            assert_eq!(super::super::section::data(file), Some(case.aws_auth.clone()), "{file}");
        }
    }
}
