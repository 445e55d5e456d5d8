//! `--list`: in groups for a person, one line per scenario for a program. Also suggests a scenario for a mistyped name.
//! `cases` knows the scenarios.

use std::fmt::Write as _;

use crate::{cases::Case, error::Result, scenario::Scenario};

/// The scenarios with `text` in name, family, class or description; `None` if there are none.
pub(crate) fn list(text: &str, grouped: bool) -> Result<Option<String>> {
    let text = text.to_lowercase();
    let mut cases: Vec<Case> = Scenario::all()?.into_iter().filter(|case| has(case, &text)).collect();
    if cases.is_empty() {
        return Ok(None);
    }
    if grouped {
        // The sort is stable, so the scenarios of a family stay in the order of their names.
        cases.sort_by_key(|case| case.family);
    }
    let mut out = String::new();
    for group in cases.chunk_by(|one, next| !grouped || one.family == next.family) {
        let indent = if grouped { "  " } else { "" };
        if grouped {
            let _ = writeln!(out, "{}:", group[0].family);
        }
        let width = group.iter().map(|case| case.name.len()).max().unwrap_or_default();
        for case in group {
            let description: Vec<&str> = case.scenario.description.split_whitespace().collect();
            let _ = writeln!(out, "{indent}{:width$}  {}", case.name, description.join(" "));
        }
    }
    if grouped {
        out.push_str("\n--list=TEXT shows those with TEXT in name, family, class or description.\n");
    }
    Ok(Some(out))
}

fn has(case: &Case, text: &str) -> bool {
    let class = case.scenario.expect.get("class").and_then(serde_json::Value::as_str).unwrap_or_default();
    let all = [&case.name, case.family, class, &case.scenario.description];
    all.iter().any(|of| of.to_lowercase().contains(text))
}

/// `; did you mean …?`, if a name is similar.
pub(crate) fn suggestion(written: &str) -> String {
    let cases = Scenario::all().unwrap_or_default();
    let near = cases.iter().map(|case| (strsim::damerau_levenshtein(written, &case.name), &case.name));
    match near.min().filter(|(edits, _)| edits * 3 <= written.len()) {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}
