//! Every value of a report's evidence in turn becomes a hostile text: what is printed then is pasted into a real bash.
//! Nothing may run but the programs named, and none of them may be given any of the hostile text.

use credprobe_judge::evidence::{Collected, Evidence};
use credprobe_judge::report::{Report, ReportOptions, text};
use credprobe_judge::verdict::Tolerate;
use libtest_mimic::Failed;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::{fs, path::Path};

/// What a name must not be. `touch` shows what was run.
const HOSTILE: &[&str] = &[
    "--all",
    "-Aq",
    "--kubeconfig=/tmp/pwned",
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned",
    "a\rtouch pwned",
    "a\0pwned",
    "a\u{9b}31m",
    "a\u{202e}b",
    "a\u{2028}touch pwned",
    "a\u{200b}b",
    "\u{441}heckout",
    "file:///root/.aws/credentials",
    "fileb:///root/pwned",
    "@pwned",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "../pwned",
    "|touch pwned",
    ">pwned",
    "&touch pwned&",
    "",
    LONG,
];
const LONG: &str = concat!(
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
);

/// Values that not every pod has: (where, name).
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

/// Programs that are not run but recorded.
const STAND_INS: &[&str] = &[
    "aws",
    "ausearch",
    "chronyc",
    "credprobe",
    "curl",
    "env",
    "iptables-save",
    "jq",
    "kubectl",
    "wc",
    "xargs",
];

const RECORDER: &str = "#!/bin/sh\nprintf '%s\\0' \"${0##*/}\" \"$@\" >>\"$RECORD\"\n";

/// What printed commands write themselves.
fn is_written(name: &str) -> bool {
    ["openid-configuration", "keys.json"].contains(&name)
        || name.ends_with("trust.json")
        || name.ends_with("trust-before.json")
}

/// `turn`: where in the list this report begins, so that all reports together put each text in each place.
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
            // A number, or one of few words.
            let Ok(changed) = serde_json::from_value(changed) else { continue };
            for line in lines(changed, now)?.difference(&known) {
                printed.entry(line.clone()).or_insert_with(|| format!("{place} = {text:?}"));
            }
        }
    }
    paste(&printed)
}

/// All lines of steps, which the text has as the JSON.
fn lines(evidence: Evidence, now: i64) -> Result<BTreeSet<String>, Failed> {
    let options =
        ReportOptions { tolerate: &Tolerate::parse("")?, report_only: false, attempts: 1, flapped: false };
    let report = credprobe_judge::assess(
        Collected { evidence, seen: true, observed_at: now, timings: Vec::new() },
        &options,
    );
    let findings = report.findings.iter().flat_map(|finding| finding.confirm.iter().chain(&finding.fix));
    let lines: BTreeSet<String> = findings.chain(&report.verdict.fix).cloned().collect();
    // Of the same block, prose has typographic quotation marks and the ellipsis.
    let unseen = |c: char| c.is_control() || (('\u{200b}'..='\u{202e}').contains(&c) && !"’“”…".contains(c));
    for line in &lines {
        if line.contains(unseen) || (!line.starts_with("# ") && !line.is_ascii()) {
            return Err(format!("a step that is not what it looks like: {line:?}").into());
        }
    }
    for line in text::render(&report, false).lines() {
        let step = ["  confirm:   ", "  fix:       "].iter().find_map(|label| line.strip_prefix(label));
        if let Some(step) = step.filter(|step| !lines.contains(*step)) {
            return Err(format!("only the text has {step:?}").into());
        }
    }
    Ok(lines)
}

/// Texts of the evidence by JSON pointer, and those it could have.
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

/// Runs them all as one script in a folder of its own.
fn paste(printed: &BTreeMap<String, String>) -> Result<(), Failed> {
    let folder = tempfile::Builder::new().prefix("pasted-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (bin, work) = (folder.path().join("bin"), folder.path().join("work"));
    let (record, script) = (folder.path().join("record"), folder.path().join("script"));
    fs::create_dir(&bin)?;
    fs::create_dir(&work)?;
    recorder(&bin)?;
    let text: String = printed.keys().map(|line| format!("{line}\n")).collect();
    fs::write(&script, &text)?;
    for check in [&["-n"][..], &[]] {
        let mut bash = Command::new("bash");
        bash.args(check).arg(&script).current_dir(&work).stdin(Stdio::null());
        bash.env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("RECORD", &record);
        let output = bash.output()?;
        if !check.is_empty() && !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("no script of a shell: {said}\n{text}").into());
        }
    }
    let ran = fs::read(&record).unwrap_or_default();
    for word in String::from_utf8_lossy(&ran).split('\0') {
        if let Some(hostile) = HOSTILE.iter().find(|hostile| !hostile.is_empty() && word.contains(**hostile))
        {
            let lines: Vec<_> = printed.iter().filter(|(line, _)| line.contains(hostile)).collect();
            return Err(format!("a program was given {word:?}, which has {hostile:?}: {lines:#?}").into());
        }
    }
    for entry in fs::read_dir(&work)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !is_written(&name) || name.starts_with('-') {
            return Err(format!("a pasted line made the file {name:?}: {printed:#?}").into());
        }
    }
    Ok(())
}

fn recorder(bin: &Path) -> Result<(), Failed> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = bin.join("record");
    fs::write(&path, RECORDER)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    for name in STAND_INS {
        symlink(&path, bin.join(name))?;
    }
    Ok(())
}
