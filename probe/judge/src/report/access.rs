//! `credprobe access`: whether EKS maps a principal, by which line, and which lines nearly do.
//! Pure: takes the texts of aws-auth, access entries and role, and returns an answer.

#[cfg(test)]
mod tests;
mod text;

use crate::catalog::Class;
use crate::catalog::texts::cluster;
use crate::cluster_access::aws_auth::{AwsAuth, Place};
use crate::cluster_access::entries::{self, Entry};
use crate::cluster_access::mapping::{By, Outcome, evaluate};
use crate::cluster_access::near::near;
use crate::cluster_access::principal::{Kind, Principal};
use crate::options::Output;
use crate::settings::command::Word;
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::steps::{Step, slot};
use crate::text::shown;
use serde::Serialize;

/// The version of the JSON document. Within a version fields are added, but never changed or removed.
pub const SCHEMA: &str = "credprobe/access/v1";

/// The input, as it was read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'g> {
    /// The principal; `None`: the role of `role`.
    pub principal: Option<&'g str>,
    /// The ConfigMap.
    pub aws_auth: Option<&'g [u8]>,
    /// Answers of `aws eks describe-access-entry`.
    pub access_entries: Option<&'g [u8]>,
    /// The answer of `aws iam get-role`.
    pub role: Option<&'g [u8]>,
}

/// The document of `--output=json`. The text is made from it too.
#[derive(Debug, Serialize)]
struct AccessReport {
    schema: &'static str,
    principal: String,
    mapped: bool,
    username: Option<String>,
    groups: Vec<String>,
    by: Option<ByReport>,
    near: Vec<NearReport>,
    dropped: Vec<DroppedReport>,
    /// What is unusual about the line or entry that maps, and why one that names the principal does not map it.
    remarks: Vec<String>,
    steps: Vec<Step>,
    #[serde(skip)]
    title: String,
}

#[derive(Debug, Clone, Serialize)]
struct ByReport {
    /// `aws-auth`, `access-entry`.
    source: &'static str,
    section: Option<String>,
    line: Option<usize>,
    /// The ARN of the entry.
    entry: Option<String>,
    #[serde(skip)]
    words: String,
}

#[derive(Debug, Serialize)]
struct NearReport {
    line: Option<usize>,
    entry: String,
    why: String,
    #[serde(skip)]
    words: String,
}

#[derive(Debug, Serialize)]
struct DroppedReport {
    section: String,
    line: usize,
    why: String,
    #[serde(skip)]
    words: String,
}

/// What to print, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// Printed to stdout.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

/// Says whether EKS maps the principal.
///
/// # Errors
/// The input cannot be read. The error is one line.
pub fn answer(given: Given<'_>, output: Output) -> Result<Said, String> {
    let report = report(given)?;
    let code = if report.mapped { 0 } else { Class::ClusterUnauthorized.code() };
    Ok(match output {
        Output::Text => Said { text: text::render(&report), code },
        Output::Json => match shown::serialised(serde_json::to_string(&report)) {
            Ok(text) => Said { text, code },
            Err(text) => Said { text, code: Class::InternalError.code() },
        },
    })
}

fn report(given: Given<'_>) -> Result<AccessReport, String> {
    let read = |flag: &'static str| move |problem: String| format!("--{flag}: {problem}");
    let role = given.role.map(entries::role).transpose().map_err(read("role"))?;
    let arn = given.principal.or(role.as_ref().map(|(arn, _)| arn.as_str()));
    let arn = arn.ok_or("--principal is missing: the ARN of the role or user that asks")?;
    let mut principal = Principal::parse(arn).map_err(read("principal"))?;
    if let Some((whole, _)) = &role {
        let of_role = Principal::parse(whole).map_err(read("role"))?;
        if !principal.is_same_but_path(&of_role) {
            return Err(format!("--role: it is {whole}, and the principal is {}", principal.canonical));
        }
        // A session's ARN does not contain its role's path.
        principal.kind = of_role.kind;
    }
    let auth = given.aws_auth.map(AwsAuth::parse).transpose().map_err(read("aws-auth"))?;
    let entries = given.access_entries.map(entries::parse).transpose().map_err(read("access-entries"))?;
    let created = role.as_ref().and_then(|(_, created)| *created);
    let outcome = evaluate(&principal, auth.as_ref(), entries.as_deref(), created);
    Ok(about(arn, &principal, auth.as_ref(), entries.as_deref(), outcome))
}

fn about(
    arn: &str,
    principal: &Principal,
    auth: Option<&AwsAuth>,
    entries: Option<&[Entry]>,
    outcome: Outcome,
) -> AccessReport {
    let mut report = AccessReport {
        schema: SCHEMA,
        principal: arn.to_owned(),
        mapped: false,
        username: None,
        groups: Vec::new(),
        by: None,
        near: Vec::new(),
        dropped: Vec::new(),
        remarks: Vec::new(),
        steps: Vec::new(),
        title: String::new(),
    };
    let by = match &outcome {
        Outcome::Mapped(mapped) => Some(&mapped.by),
        Outcome::Refused { by, .. } => Some(by),
        Outcome::NotMapped => None,
    };
    let found = near(principal, auth, entries, by);
    report.near = found
        .into_iter()
        .map(|near| {
            let by = by_report(&near.by);
            NearReport { line: by.line, entry: near.entry, why: near.why, words: by.words }
        })
        .collect();
    let dropped = auth.map(|auth| auth.dropped.as_slice()).unwrap_or_default();
    report.dropped = dropped
        .iter()
        .map(|dropped| DroppedReport {
            section: dropped.place.section.clone(),
            line: dropped.place.line,
            why: dropped.why.clone(),
            words: place_in_words(&dropped.place),
        })
        .collect();
    report.by = by.map(by_report);
    let words = report.by.as_ref().map(|by| by.words.clone()).unwrap_or_default();
    match outcome {
        Outcome::Mapped(mapped) => {
            report.title = format!("{words} maps {} to user {}", principal.title(), mapped.username);
            report.mapped = true;
            report.username = Some(mapped.username);
            report.groups = mapped.groups;
            report.remarks = mapped.remarks;
        }
        Outcome::Refused { why, .. } => {
            report.title = format!("{words} names {}, and EKS refuses it", principal.title());
            report.remarks = vec![why];
        }
        Outcome::NotMapped => {
            let read = match (auth, entries) {
                (Some(_), Some(_)) => "no line of aws-auth and no access entry maps",
                (Some(_), None) => "no line of aws-auth maps",
                _ => "no access entry maps",
            };
            report.title = format!("{read} {}", principal.title());
        }
    }
    if !report.mapped {
        report.steps = repair(principal, &report, auth.is_some() && entries.is_some());
    }
    report
}

fn place_in_words(place: &Place) -> String {
    match place.in_section {
        true => format!("line {} of {}", place.line, place.section),
        false => format!("line {}, {}", place.line, place.section),
    }
}

fn by_report(by: &By) -> ByReport {
    match by {
        By::Line(place) | By::Account(place) => ByReport {
            source: "aws-auth",
            section: Some(place.section.clone()),
            line: Some(place.line),
            entry: None,
            words: place_in_words(place),
        },
        By::Entry(arn) => ByReport {
            source: "access-entry",
            section: None,
            line: None,
            entry: Some(arn.clone()),
            words: "the access entry".to_owned(),
        },
    }
}

/// The steps: first a look at whether the cluster uses aws-auth or entries, then the repair of one, and of the other in words.
fn repair(principal: &Principal, report: &AccessReport, both: bool) -> Vec<Step> {
    let cluster = Word::open_variable("cluster");
    let region = Word::open_variable("region");
    let mut values = Values::default()
        .with(slot::CLUSTER, "the cluster", cluster)
        .with(slot::REGION, "the region", region)
        .with_text(slot::MAPPED_ARN, &principal.canonical)
        .with_text(slot::PRINCIPAL, &principal.canonical);
    let mut steps: Vec<Option<Step>> = Vec::new();
    if let Some(by) = &report.by {
        let template = if by.source == "access-entry" { &cluster::STALE_ENTRY } else { &CORRECT_REFUSED };
        return values.step(template).into_iter().collect();
    }
    let Kind::Role { name, .. } = &principal.kind else {
        return values.step(&ADD_USER_LINE).into_iter().collect();
    };
    values = values.with(slot::ROLE, format!("role {name}"), Word::role_name(name)).with(
        slot::ROLE_NAME,
        name,
        Word::role_name(name),
    );
    let place = report.near.first().filter(|near| near.line.is_some()).map(|near| near.words.as_str());
    let place = place.or(report.dropped.first().map(|dropped| dropped.words.as_str()));
    if !both {
        steps.push(values.step(&cluster::SEE_CLUSTER));
    }
    if let Some(place) = place {
        values = values.with_text(slot::VALUE, place);
        steps.push(values.step(&CORRECT_LINE));
    }
    match principal.whole() {
        Some(arn) => values = values.with(slot::ROLE_ARN, &arn, Word::role_arn(&arn, false)),
        None => {
            // A session's ARN does not contain its role's path.
            let arn = Word::variable("role_arn");
            steps.push(values.step(&SET_ROLE_ARN));
            values = values.with(slot::ROLE_ARN, "the role", arn);
        }
    }
    steps.push(values.step(&cluster::CREATE_ENTRY));
    steps.push(values.step(&cluster::ADD_LINE));
    steps.into_iter().flatten().collect()
}

const CORRECT_LINE: Template = Template::change_in_words(
    "Correct {value}: EKS compares the ARN with {principal}.",
    "aws-auth in kube-system: one entry is corrected",
);

const CORRECT_REFUSED: Template = Template::change_in_words(
    "Correct this line: the report says what EKS refuses in it.",
    "aws-auth in kube-system: one entry is corrected",
);

const ADD_USER_LINE: Template = Template::change_in_words(
    "Add an access entry for {principal}, or under mapUsers of aws-auth: - userarn: {principal}, with username and groups.",
    "who has access to the cluster",
);

const SET_ROLE_ARN: Template = Template::look(
    "Get the role’s whole ARN, with its path:",
    "role_arn=\"$(aws iam get-role --role-name {role} --query Role.Arn --output text)\"",
);
