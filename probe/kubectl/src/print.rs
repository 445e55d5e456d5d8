//! Prints rows as text, JSON, JUnit and CSV. Everything from outside is escaped for its destination.
//! Decides nothing.

use crate::rows::{Outcome, Row, Trust};
use crate::world::World;
use credprobe_judge::report::text;
use credprobe_judge::steps::script::{Look, Script};
use credprobe_judge::text::shown::{self, escaped};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The version of the JSON document. Within a version fields are added, but never changed or removed.
pub(crate) const SCHEMA: &str = "credprobe/fleet/v1";

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Wide,
    Json,
    Junit,
    Csv,
}

impl Form {
    pub(crate) const NAMES: [&'static str; 5] = ["text", "wide", "json", "junit", "csv"];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "wide" => Self::Wide,
            "json" => Self::Json,
            "junit" => Self::Junit,
            "csv" => Self::Csv,
            _ => return None,
        })
    }
}

/// Everything to print.
pub(crate) struct Said<'a> {
    pub world: &'a World,
    pub rows: &'a [Row],
    pub trust: &'a [Trust],
    /// Account, mechanism, role.
    pub unused: &'a [(String, &'static str, String)],
}

/// Prints the fleet, or manifests.
pub(crate) fn fleet(said: &Said<'_>, form: Form, on_terminal: bool) -> String {
    match form {
        Form::Text | Form::Wide => table(said, form == Form::Wide),
        Form::Json => json(said, on_terminal),
        Form::Junit => junit(said),
        Form::Csv => csv(said),
    }
}

/// Prints one workload in detail.
pub(crate) fn why(said: &Said<'_>, form: Form, look: Look, on_terminal: bool) -> String {
    if !matches!(form, Form::Text | Form::Wide) {
        return fleet(said, form, on_terminal);
    }
    let mut out = String::new();
    let told: Vec<&Row> = said.rows.iter().filter(|row| row.report.is_some()).collect();
    for row in &told {
        let Some(report) = &row.report else { continue };
        if !out.is_empty() {
            out.push('\n');
        }
        let mut head = Script::new(look);
        head.sentence(&title(row));
        out.push_str(&head.text());
        out.push_str(&text::render_for(report, look));
        only_in_pod(&mut out, row, look);
    }
    let silent: Vec<&str> =
        said.rows.iter().filter(|row| row.report.is_none()).map(|row| row.container.as_str()).collect();
    if !silent.is_empty() {
        let mut script = Script::new(look);
        script.blank();
        script.sentence(&format!("Nothing in these containers asks for AWS: {}", silent.join(", ")));
        out.push_str(&script.text());
    }
    unseen(&mut out, said.world, look);
    out
}

/// `shop deployment/checkout, container app, 3 pods, service account checkout, irsa, role …`
fn title(row: &Row) -> String {
    let pods = match row.pods.as_slice() {
        [] => "no pod yet".to_owned(),
        [one] => format!("pod {one}"),
        several => format!("{} pods", several.len()),
    };
    let role = row.role.as_ref().map(|role| format!(", role {role}")).unwrap_or_default();
    format!(
        "{} {}, container {}, {pods}, service account {}, {}{role}",
        row.namespace, row.workload, row.container, row.service_account, row.mechanism
    )
}

fn only_in_pod(out: &mut String, row: &Row, look: Look) {
    if row.only_in_pod.is_empty() {
        return;
    }
    let mut script = Script::new(look);
    script.blank();
    script.sentence("Only the pod can tell:");
    for line in &row.only_in_pod {
        script.item(line);
    }
    let is_name = |text: &str| {
        let ok = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-.".contains(&it);
        !text.starts_with('-') && text.bytes().all(ok)
    };
    let pod = row
        .pods
        .first()
        .filter(|pod| [pod, &row.namespace, &row.container].into_iter().all(|it| is_name(it)));
    if pod.is_some() {
        script.sentence("This asks it. It adds a debug container, which stays in the pod’s specification:");
    }
    out.push_str(&script.text());
    if let Some(pod) = pod {
        let _ = writeln!(out, "kubectl credprobe debug {pod} -n {} -c {}", row.namespace, row.container);
    }
}

/// Prints one line for each read that lacked rights.
fn unseen(out: &mut String, world: &World, look: Look) {
    if world.unseen.is_empty() {
        return;
    }
    let mut script = Script::new(look);
    script.blank();
    script.sentence("Not seen, the rest is judged:");
    for it in &world.unseen {
        script.item(&format!("{}: {}", it.what, it.why));
    }
    out.push_str(&script.text());
}

const HEADS: [&str; 7] =
    ["NAMESPACE", "WORKLOAD", "CONTAINER", "PODS", "SERVICE ACCOUNT", "MECHANISM", "ROLE"];

fn table(said: &Said<'_>, wide: bool) -> String {
    let mut out = String::new();
    let told: Vec<&Row> = said.rows.iter().filter(|row| row.report.is_some()).collect();
    let mut lines: Vec<Vec<String>> = told.iter().map(|row| columns(row, wide)).collect();
    let mut heads: Vec<String> = HEADS.iter().map(|it| (*it).to_owned()).collect();
    if wide {
        heads.push("POD NAMES".to_owned());
    }
    lines.insert(0, heads);
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|at| {
            lines
                .iter()
                .filter_map(|line| line.get(at))
                .map(|it| it.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let print = |out: &mut String, line: &[String]| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(out, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    };
    let mut before: Option<Outcome> = None;
    for (at, row) in told.iter().enumerate() {
        let outcome = row.outcome();
        if before != Some(outcome) {
            if before.is_some() {
                out.push('\n');
            }
            let same: Vec<&&Row> = told.iter().filter(|it| it.outcome() == outcome).collect();
            let pods: usize = same.iter().map(|it| it.pods.len()).sum();
            let _ = writeln!(
                out,
                "{}: {}, {}",
                group(outcome),
                counted(same.len(), "container"),
                counted(pods, "pod")
            );
            print(&mut out, &lines[0]);
            before = Some(outcome);
        }
        print(&mut out, &lines[at + 1]);
        let next = told.get(at + 1).filter(|next| next.outcome() == outcome);
        let summary_ends = next.is_none_or(|next| next.summary() != row.summary());
        if summary_ends && !matches!(outcome, Outcome::Ready | Outcome::Nothing) {
            let who = row.report.as_ref().map(|report| match report.verdict.but {
                Some(_) => report.findings.first().map_or("", |it| it.who.as_str()),
                None => report.verdict.who.as_str(),
            });
            let who = who.filter(|who| !who.is_empty()).map(|who| format!(" ({who})")).unwrap_or_default();
            let _ = writeln!(out, "      {}{}", escaped(row.summary()), escaped(&who));
        }
    }
    let silent = said.rows.len() - told.len();
    if told.is_empty() {
        out.push_str("no workload here asks for AWS credentials\n");
    }
    if silent > 0 {
        let _ = writeln!(
            out,
            "\n{} without IRSA, Pod Identity or anything that asks for AWS",
            counted(silent, "container")
        );
    }
    wide_trust(&mut out, said, wide);
    let unused = said.unused;
    if !unused.is_empty() {
        out.push_str("\nservice accounts with a role, used by no workload\n");
        for (account, mechanism, role) in unused {
            let _ = writeln!(out, "  {}  {mechanism}  {}", escaped(account), escaped(role));
        }
    }
    unseen(&mut out, said.world, Look::default());
    let failing = |row: &&&Row| matches!(row.outcome(), Outcome::Fails(_) | Outcome::But(_));
    if let Some(row) = told.iter().find(failing).filter(|_| !said.world.from_manifests) {
        let _ = writeln!(
            out,
            "\nready means: nothing that can be seen from outside stands in the way. More of one: kubectl credprobe why {} -n {}",
            escaped(&row.workload),
            escaped(&row.namespace)
        );
    }
    let calls: Vec<String> =
        said.world.iam.calls.iter().map(|(what, count)| format!("{count} {what}")).collect();
    if wide && !calls.is_empty() {
        let _ = writeln!(out, "\ncalls of aws: {}", calls.join(", "));
    }
    out
}

/// `1 pod`, `3 pods`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn group(outcome: Outcome) -> String {
    match outcome {
        Outcome::Fails(class) => format!("✗ {} {}", class.id(), class.code()),
        Outcome::Unknown => "? inconclusive 3".to_owned(),
        Outcome::But(class) => format!("! ready 0, but {}", class.id()),
        Outcome::Ready => "✓ ready 0".to_owned(),
        Outcome::Nothing => "none".to_owned(),
    }
}

fn columns(row: &Row, wide: bool) -> Vec<String> {
    let role = row.role.as_deref().unwrap_or("-");
    let role = if wide { role } else { role.rsplit('/').next().unwrap_or(role) };
    let mut all = vec![
        escaped(&row.namespace),
        escaped(&row.workload),
        escaped(&row.container),
        row.pods.len().to_string(),
        escaped(&row.service_account),
        row.mechanism.to_owned(),
        escaped(role),
    ];
    if wide {
        all.push(escaped(&row.pods.join(",")));
    }
    all
}

/// How many of the service accounts that could assume a role are named.
const NAMED: usize = 10;

fn wide_trust(out: &mut String, said: &Said<'_>, all: bool) {
    let told: Vec<&Trust> = said.trust.iter().filter(|it| all || it.wide).collect();
    if told.is_empty() {
        return;
    }
    let head = if all { "who is trusted, by role" } else { "! trust that is wider than one service account" };
    let _ = writeln!(out, "\n{head}");
    for trust in told {
        let by = match trust.subjects.as_slice() {
            [] => "no condition on the subject".to_owned(),
            subjects => subjects.join(" or "),
        };
        let mark = if trust.wide { "!" } else { " " };
        let _ = writeln!(
            out,
            "  {mark} {}, statement {}: {}",
            escaped(&trust.role),
            trust.statement,
            escaped(&by)
        );
        let mut named: Vec<String> = trust.could_assume.iter().take(NAMED).map(|it| escaped(it)).collect();
        if trust.could_assume.len() > NAMED {
            named.push(format!("{} more", trust.could_assume.len() - NAMED));
        }
        let named =
            if named.is_empty() { "no service account that is there".to_owned() } else { named.join(", ") };
        let _ = writeln!(out, "      could assume it: {named}");
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    workloads: Vec<Value>,
    unseen: Vec<Value>,
    /// The statements of the trust policies, and the service accounts that they admit.
    trust: Vec<Value>,
    unused_accounts: Vec<Value>,
    aws_calls: &'a std::collections::BTreeMap<&'static str, usize>,
}

fn json(said: &Said<'_>, indented: bool) -> String {
    let document = Document {
        schema: SCHEMA,
        workloads: said.rows.iter().map(workload).collect(),
        unseen: said.world.unseen.iter().map(|it| json!({"what": it.what, "why": it.why})).collect(),
        trust: said
            .trust
            .iter()
            .map(|it| {
                json!({"role": it.role, "statement": it.statement, "subjects": it.subjects, "wide": it.wide,
                       "could_assume": it.could_assume})
            })
            .collect(),
        unused_accounts: said
            .unused
            .iter()
            .map(|(account, mechanism, role)| json!({"service_account": account, "mechanism": mechanism, "role": role}))
            .collect(),
        aws_calls: &said.world.iam.calls,
    };
    let text =
        if indented { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
    let mut text = shown::json(&text.unwrap_or_default());
    text.push('\n');
    text
}

fn workload(row: &Row) -> Value {
    let verdict = row.report.as_ref().map(|report| {
        let it = &report.verdict;
        json!({"class": it.class, "code": it.code, "owner": it.owner, "who": it.who, "summary": it.summary,
               "but": it.but, "restart": it.restart})
    });
    let findings = row.report.as_ref().map(|report| &report.findings);
    json!({
        "namespace": row.namespace, "workload": row.workload, "container": row.container,
        "service_account": row.service_account, "mechanism": row.mechanism, "role": row.role,
        "pods": row.pods.len(), "pod_names": row.pods, "verdict": verdict,
        "findings": findings.map_or_else(|| json!([]), |it| json!(it)),
        "only_in_pod": row.only_in_pod,
    })
}

fn junit(said: &Said<'_>) -> String {
    let failed = said.rows.iter().filter(|row| matches!(row.outcome(), Outcome::Fails(_))).count();
    let unknown = said.rows.iter().filter(|row| row.outcome() == Outcome::Unknown).count();
    let silent = said.rows.iter().filter(|row| row.report.is_none()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"credprobe\" tests=\"{}\" failures=\"{failed}\" errors=\"{unknown}\" skipped=\"{silent}\">",
        said.rows.len()
    );
    for row in said.rows {
        let name = format!("{} {} ({})", row.workload, row.container, row.service_account);
        let _ = write!(out, "  <testcase classname=\"{}\" name=\"{}\">", xml(&row.namespace), xml(&name));
        match &row.report {
            None => out.push_str("<skipped/>"),
            Some(report) => {
                let told = xml(&text::render(report, false));
                let summary = xml(&report.verdict.summary);
                match row.outcome() {
                    Outcome::Fails(class) => {
                        let _ = write!(
                            out,
                            "<failure type=\"{}\" message=\"{summary}\">{told}</failure>",
                            class.id()
                        );
                    }
                    Outcome::Unknown => {
                        let _ =
                            write!(out, "<error type=\"inconclusive\" message=\"{summary}\">{told}</error>");
                    }
                    _ => {
                        let _ = write!(out, "<system-out>{told}</system-out>");
                    }
                }
            }
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n");
    out
}

/// Escapes for text and attributes. Characters that XML 1.0 forbids have been escaped before.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        for c in escaped(line).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\u{fffe}' | '\u{ffff}' => {}
                c => out.push(c),
            }
        }
        out.push_str(end);
    }
    out
}

fn csv(said: &Said<'_>) -> String {
    let mut out = String::from(
        "namespace,workload,container,service_account,mechanism,role,pods,class,code,but,owner,who,summary\r\n",
    );
    for row in said.rows {
        let verdict = row.report.as_ref().map(|report| &report.verdict);
        let of = |text: Option<String>| text.unwrap_or_default();
        let cells = [
            row.namespace.clone(),
            row.workload.clone(),
            row.container.clone(),
            row.service_account.clone(),
            row.mechanism.to_owned(),
            row.role.clone().unwrap_or_default(),
            row.pods.len().to_string(),
            of(verdict.map(|it| it.class.id().to_owned())),
            of(verdict.map(|it| it.code.to_string())),
            of(verdict.and_then(|it| it.but).map(|class| class.id().to_owned())),
            of(verdict.and_then(|it| it.owner).map(|owner| owner.id().to_owned())),
            of(verdict.map(|it| it.who.clone())),
            row.summary().to_owned(),
        ];
        out.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        out.push_str("\r\n");
    }
    out
}

/// A cell of RFC 4180. A spreadsheet would take a text that begins with one of these characters for a formula.
fn csv_cell(text: &str) -> String {
    let text = escaped(text);
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_no_markup_no_formula_and_no_escape_sequence() {
        assert_eq!(csv_cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert!(!csv_cell("a\u{1b}[2J\nb").contains(['\u{1b}', '\n']));
        let marked = xml("<a b=\"&\">\u{1b}]0;\u{7}\u{202e}");
        assert!(!marked.contains(['<', '"', '\u{1b}', '\u{7}', '\u{202e}']), "{marked}");
    }
}
