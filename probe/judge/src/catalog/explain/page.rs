//! The documentation page of the classes, `docs/classes.md`, made from the class table by `make docs`.
//! Each class has an anchor of its id: links to it never change.

use super::script::filled_in;
use super::{LEGEND, kind, kind_words, line, owner, remark, rules, stage};
use crate::catalog::{Attribute, Class, Condition, Readiness};
use crate::steps::template::Template;
use crate::steps::values::Values;

const INTRODUCTION: &str = "\
# Classes and exit codes

Generated from the table in `probe/judge/src/catalog.rs` by `make docs`; do not edit.

A verdict has one class; its code is the exit code of `credprobe check` and `credprobe status`. Codes are never used
again for something else, and none is 100 or above. `credprobe explain ID` prints the same in a terminal.

Owner: `pod` (specification or service account), `cluster` (webhook, kubelet, API server, association), `network`, `iam`,
`org` (the organization’s policies), `aws`, `probe`.
";

/// The page, as markdown.
#[must_use]
pub fn classes_page() -> String {
    let mut out = String::from(INTRODUCTION);
    line(&mut out, format_args!("\n{LEGEND}\n"));
    out.push_str("| code | class | owner | kind | meaning |\n|---:|---|---|---|---|\n");
    for class in Class::all() {
        let info = class.info();
        let (id, code, meaning) = (info.id, info.code, escaped(info.meaning));
        let kind = kind_words(info).join(", ");
        line(&mut out, format_args!("| {code} | [`{id}`](#{id}) | {} | {kind} | {meaning} |", owner(info)));
    }
    out.push_str("\n## What depends on a class\n\n| what | classes |\n|---|---|\n");
    for (attribute, _, words) in Attribute::ALL.iter().filter(|(_, _, words)| !words.is_empty()) {
        depending(&mut out, words, |class| class.has(*attribute));
    }
    for readiness in [Readiness::AtOnce, Readiness::IfItLasts] {
        let what = format!("`serve`: {}", readiness.words());
        depending(&mut out, &what, |class| class.info().readiness == readiness);
    }
    out.push_str("\n## Variables of the commands\n\n| variable | stands for |\n|---|---|\n");
    let all: Vec<&Template> = Class::all()
        .iter()
        .flat_map(|class| class.info().steps.iter().chain(class.info().beyond).copied())
        .collect();
    for slot in Values::variables(&all) {
        line(&mut out, format_args!("| `{}` | {} |", slot.name, escaped(slot.meaning)));
    }
    line(
        &mut out,
        format_args!(
            "\nSet a variable first, as in `role=checkout-reader`: a command that lacks one says so and does nothing."
        ),
    );
    out.push_str("\n## The classes\n");
    for class in Class::all() {
        section(&mut out, *class);
    }
    out
}

/// One row: what depends on it, and the classes of which that is so.
fn depending(out: &mut String, what: &str, belongs: impl Fn(Class) -> bool) {
    let classes = Class::all().iter().filter(|class| belongs(**class));
    let links: Vec<String> = classes.map(|class| format!("[`{class}`](#{class})")).collect();
    line(out, format_args!("| {what} | {} |", links.join(", ")));
}

fn section(out: &mut String, class: Class) {
    let info = class.info();
    line(out, format_args!("\n<a id=\"{0}\"></a>\n\n### `{0}` ({1})\n", info.id, info.code));
    line(out, format_args!("{}\n", escaped(info.meaning)));
    if let Some(owner) = info.owner {
        line(out, format_args!("- Owner: `{owner}`"));
    }
    line(out, format_args!("- Kind: {}", kind(info)));
    line(out, format_args!("- Condition reason: `{}`", info.reason));
    if let Some(stage) = stage(info) {
        line(out, format_args!("- Stage: `{stage}`"));
    }
    line(out, format_args!("- `serve`: {}", info.readiness.words()));
    let rules = rules(class);
    if !rules.is_empty() {
        line(out, format_args!("- Rules: {}", rules.join("; ")));
    }
    relations(out, "Explains", info.explains.iter().map(|it| (it.class, it.condition)));
    let explained_by = Class::all().iter().filter_map(|by| Some((*by, by.explains(class)?.condition)));
    relations(out, "Explained by", explained_by);

    let heading = if class == Class::Ready { "What it proves and what not" } else { "Causes" };
    line(out, format_args!("\n{heading}:\n"));
    for cause in info.causes {
        line(out, format_args!("- {}", escaped(cause)));
    }
    steps(out, "What to do", info.steps);
    steps(out, "Changes more than this pod", info.beyond);
}

fn steps(out: &mut String, title: &str, templates: &[&Template]) {
    if templates.is_empty() {
        return;
    }
    line(out, format_args!("\n{title}:"));
    for step in filled_in(templates) {
        let when = step.when.map(|when| format!("{when}: ")).unwrap_or_default();
        line(out, format_args!("\n- {}{}", escaped(&when), escaped(&step.say)));
        if let Some(run) = step.run {
            line(out, format_args!("\n  ```sh\n  {run}\n  ```"));
        }
    }
}

fn relations(out: &mut String, title: &str, classes: impl Iterator<Item = (Class, Condition)>) {
    let links: Vec<String> =
        classes.map(|(class, condition)| format!("[`{class}`](#{class}){}", remark(condition))).collect();
    if !links.is_empty() {
        line(out, format_args!("- {title}: {}", links.join(", ")));
    }
}

/// `text` without what markdown or a table cell would read as its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for c in text.chars() {
        match c {
            '`' => code = !code,
            '|' => out.push('\\'),
            '<' | '*' | '_' | '[' | '$' if !code => out.push('\\'),
            _ => {}
        }
        out.push(c);
    }
    out
}
