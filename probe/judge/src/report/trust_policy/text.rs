//! The answer for people: the verdict in one line, both sides of what refuses, the fix to paste.
//! Everything from outside is escaped here for a terminal.

use super::{Effect, StatementReport, TrustReport};
use crate::text::shown::escaped;
use std::fmt::Write as _;

pub(super) fn render(report: &TrustReport) -> String {
    let mut out = String::new();
    let verdict = match report.result {
        Some("unknown") => "cannot be told: ",
        Some("allows") => "allows: ",
        Some(_) => "refuses: ",
        None => "",
    };
    let _ = writeln!(out, "{verdict}{}", escaped(&report.summary));
    let token = &report.token;
    line(&mut out, "token", &format!("subject {}, audience {}, issuer {}", token.sub, token.aud, token.iss));
    if let Some(role) = &report.role {
        line(&mut out, "role", role);
    }
    for note in &report.notes {
        match note.strip_prefix("fix: ") {
            Some(fix) => line(&mut out, "fix:", fix),
            None => line(&mut out, "note", note),
        }
    }
    for statement in &report.statements {
        one(&mut out, statement);
    }
    to_add(&mut out, report);
    out
}

/// `statement 2 (Allow, Sid EKS)`.
pub(super) fn title(statement: &StatementReport) -> String {
    let sid = statement.sid.as_ref().map(|sid| format!(", Sid {sid}")).unwrap_or_default();
    format!("statement {} ({:?}{sid})", statement.index, statement.effect)
}

fn one(out: &mut String, statement: &StatementReport) {
    let outcome = match statement.outcome {
        "allows" => "lets the token in".to_owned(),
        "denies" => "denies the token, whatever the others say".to_owned(),
        outcome => {
            let element = statement.element.as_deref().unwrap_or_default();
            match outcome {
                "refuses" => format!("refuses at {element}"),
                "does-not-apply" => format!("does not apply: {element}"),
                _ => format!("cannot be told at {element}"),
            }
        }
    };
    let _ = writeln!(out, "\n{} {}", escaped(&title(statement)), escaped(&outcome));
    let sides = [("presented", &statement.presented), ("required", &statement.required)];
    for (label, side) in sides {
        if let Some(side) = side {
            line(out, label, side);
        }
    }
    if let Some(slip) = &statement.slip {
        line(out, "slip", &slip.text);
    }
    if let Some(corrected) = &statement.corrected {
        // This is part of a document and not a command: users paste what follows `fix:` into a shell.
        line(out, "corrected", &corrected.to_string());
    }
    for element in &statement.then {
        line(out, "then", &format!("{element} refuses too"));
    }
    if statement.outcome == "denies" {
        line(out, "fix:", "# make this statement narrower, or take it out, after asking who wrote it");
    }
}

fn to_add(out: &mut String, report: &TrustReport) {
    let Some(statement) = &report.statement_to_add else { return };
    if report.result.is_some() {
        let mut denies = report.statements.iter().filter(|it| it.effect == Effect::Deny);
        let unless = match denies.find(|it| it.outcome != "does-not-apply") {
            Some(deny) => format!(" once {} does not deny it", title(deny)),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "\nadded to those that are there, this statement lets the token in{}:",
            escaped(&unless)
        );
    } else {
        out.push('\n');
    }
    let pretty = serde_json::to_string_pretty(statement).unwrap_or_default();
    for row in pretty.lines() {
        let _ = writeln!(out, "  {}", escaped(row));
    }
    for command in &report.commands {
        line(out, "fix:", command);
    }
}

fn line(out: &mut String, label: &str, text: &str) {
    let _ = writeln!(out, "  {label:<10} {}", escaped(text));
}
