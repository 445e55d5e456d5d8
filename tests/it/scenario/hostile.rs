//! Replaces every value of a report's evidence in turn by a hostile text, and pastes what is then printed into a real bash.
//! Only the named programs may run, and none of them may receive any of the hostile text.

use crate::support::pasted::{HOSTILE, is_plain, paste};
use credprobe_judge::evidence::{Collected, Evidence};
use credprobe_judge::report::{Report, ReportOptions, text};
use credprobe_judge::steps::Step;
use credprobe_judge::verdict::Tolerate;
use libtest_mimic::Failed;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Values that not every pod has: the place and the names.
const MORE: &[(&str, &[&str])] = &[
    (
        "/process",
        &["hostname", "dns_namespace", "pod_name", "pod_namespace", "node_name", "api_server_subject"],
    ),
    ("/token", &["kid", "iss", "sub", "azp", "namespace", "service_account", "pod_name", "node_name"]),
    (
        "/environment/variables",
        &["AWS_ROLE_ARN", "NO_PROXY", "no_proxy", "HTTPS_PROXY", "AWS_ROLE_SESSION_NAME"],
    ),
    ("/environment/stated", &["expect_role", "expect_issuer", "expect_audience", "expect_subject", "region"]),
];

/// `turn` is where in the list this report begins, so that all reports together put each text in each place.
pub(super) fn sweep(json: &str, turn: usize) -> Result<(), Failed> {
    let saved: Report = serde_json::from_str(json)?;
    let now = credprobe_judge::text::parse_rfc3339(&saved.observed_at).ok_or("observed_at")?;
    let evidence = serde_json::to_value(&saved.evidence)?;
    let known = lines(saved.evidence, now)?;
    let mut printed: BTreeMap<String, String> = BTreeMap::new();
    let mut turns = HOSTILE.iter().cycle().skip(turn % HOSTILE.len());
    for (place, value) in places(&evidence) {
        for at in std::iter::once(0..value.len()).chain(parts(&value)) {
            let hostile = turns.next().ok_or("no text")?;
            let mut changed = evidence.clone();
            let text = format!("{}{hostile}{}", &value[..at.start], &value[at.end..]);
            set(&mut changed, &place, &text);
            // The value is a number, or one of a few words.
            let Ok(changed) = serde_json::from_value(changed) else { continue };
            for line in lines(changed, now)?.difference(&known) {
                printed.entry(line.clone()).or_insert_with(|| format!("{place} = {text:?}"));
            }
        }
    }
    Ok(paste(&printed)?)
}

/// All lines of the steps; text and JSON have the same.
fn lines(evidence: Evidence, now: i64) -> Result<BTreeSet<String>, Failed> {
    let options =
        ReportOptions { tolerate: &Tolerate::parse("")?, report_only: false, attempts: 1, flapped: false };
    let report = credprobe_judge::assess(
        Collected { evidence, seen: true, observed_at: now, timings: Vec::new() },
        &options,
    );
    let steps = report.findings.iter().flat_map(|finding| &finding.steps).chain(&report.verdict.steps);
    let lines: BTreeSet<String> = steps.flat_map(step_lines).collect();
    for line in &lines {
        is_plain(line)?;
    }
    let commands: BTreeSet<&str> = lines.iter().flat_map(|step| step.lines()).collect();
    let text = text::render(&report, false);
    let mut told = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    if let Some(only) = told.find(|line| !commands.contains(line)) {
        return Err(format!("only the text has {only:?}").into());
    }
    Ok(lines)
}

/// The command, and each text of the step as a comment. Condition and sentence together are one more comment.
fn step_lines(step: &Step) -> Vec<String> {
    let remark = step.when.iter().map(|when| format!("# {when}: {}", step.say));
    let texts = [Some(&step.say), step.when.as_ref(), step.changes.as_ref()].into_iter().flatten();
    texts.map(|text| format!("# {text}")).chain(remark).chain(step.run.clone()).collect()
}

/// The texts of the evidence by JSON pointer, and those that it could have.
fn places(evidence: &Value) -> Vec<(String, String)> {
    let mut places = Vec::new();
    walk(evidence, String::new(), &mut places);
    for (parent, names) in MORE {
        let Some(parent_value) = evidence.pointer(parent).and_then(Value::as_object) else { continue };
        let absent = names.iter().filter(|name| parent_value.get(**name).is_none_or(Value::is_null));
        places.extend(absent.map(|name| (format!("{parent}/{name}"), String::new())));
    }
    places
}

fn walk(value: &Value, place: String, places: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => places.push((place, text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{place}/{index}"), places);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(field, format!("{place}/{name}"), places);
            }
        }
        _ => {}
    }
}

/// The names in `arn:aws:iam::1:role/x`, `system:serviceaccount:shop:checkout`, a URL, a sentence.
fn parts(text: &str) -> Vec<std::ops::Range<usize>> {
    let delimits = |c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c);
    let mut parts: Vec<_> = text
        .split(delimits)
        .filter(|part| !part.is_empty() && part.len() < text.len())
        .map(|part| {
            let start = part.as_ptr().addr() - text.as_ptr().addr();
            start..start + part.len()
        })
        .collect();
    parts.truncate(12);
    parts
}

fn set(evidence: &mut Value, place: &str, text: &str) {
    if let Some(value) = evidence.pointer_mut(place) {
        *value = text.into();
    } else if let Some((parent, name)) = place.rsplit_once('/')
        && let Some(parent) = evidence.pointer_mut(parent).and_then(Value::as_object_mut)
    {
        parent.insert(name.to_owned(), text.into());
    }
}
