//! Tests with maps and entries that have typical mistakes, each with the right answer, from `table.txt`.

use super::*;

const TABLE: &str = include_str!("tests/table.txt");
const ROLE: &str = "arn:aws:sts::814203749616:assumed-role/checkout-reader/botocore-session-1";

struct Row<'t> {
    name: &'t str,
    principal: &'t str,
    wanted: Vec<&'t str>,
    aws_auth: Option<String>,
    entries: Option<String>,
    role: Option<String>,
}

/// Parses `== NAME`, then `> WORD: TEXT` lines, then the sections `-- aws-auth`, `-- entries`, `-- role`.
fn rows() -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for block in TABLE.split("\n== ").skip(1) {
        let mut lines = block.lines();
        let mut row = Row {
            name: lines.next().unwrap(),
            principal: ROLE,
            wanted: Vec::new(),
            aws_auth: None,
            entries: None,
            role: None,
        };
        let mut into: Option<&str> = None;
        for line in lines {
            if let Some(section) = line.strip_prefix("-- ") {
                into = Some(section);
                continue;
            }
            let text = match into {
                Some("aws-auth") => row.aws_auth.get_or_insert_default(),
                Some("entries") => row.entries.get_or_insert_default(),
                Some("role") => row.role.get_or_insert_default(),
                _ => {
                    match line.strip_prefix("> principal: ") {
                        Some(principal) => row.principal = principal,
                        None => row.wanted.extend(line.strip_prefix("> ")),
                    }
                    continue;
                }
            };
            // Tabs and escapes that an editor would remove.
            text.push_str(&line.replace("<TAB>", "\t"));
            text.push('\n');
        }
        rows.push(row);
    }
    rows
}

fn json(row: &Row<'_>) -> serde_json::Value {
    let given = Given {
        principal: Some(row.principal),
        aws_auth: row.aws_auth.as_deref().map(str::as_bytes),
        access_entries: row.entries.as_deref().map(str::as_bytes),
        role: row.role.as_deref().map(str::as_bytes),
    };
    match answer(given, Output::Json) {
        Ok(Said { text, code }) => {
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(code, if json["mapped"] == true { 0 } else { 90 }, "{}", row.name);
            json
        }
        Err(problem) => serde_json::json!({ "usage": problem }),
    }
}

/// The answer in the table's words.
fn facts(json: &serde_json::Value) -> Vec<String> {
    if let Some(problem) = json["usage"].as_str() {
        return vec![format!("usage: {problem}")];
    }
    let mut facts = Vec::new();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let groups: Vec<String> = json["groups"].as_array().unwrap().iter().map(text).collect();
    if json["mapped"] == true {
        facts.push(format!("user: {} [{}]", text(&json["username"]), groups.join(", ")));
    } else {
        facts.push("nobody".to_owned());
    }
    let by = &json["by"];
    match by["source"].as_str() {
        Some("aws-auth") => facts.push(format!("by: {} {}", text(&by["section"]), by["line"])),
        Some(_) => facts.push(format!("by: entry {}", text(&by["entry"]))),
        None => {}
    }
    for near in json["near"].as_array().unwrap() {
        facts.push(format!("near: {} {}", near["line"], text(&near["why"])));
    }
    for dropped in json["dropped"].as_array().unwrap() {
        facts.push(format!(
            "dropped: {} {} {}",
            text(&dropped["section"]),
            dropped["line"],
            text(&dropped["why"])
        ));
    }
    for remark in json["remarks"].as_array().unwrap() {
        facts.push(format!("remark: {}", text(remark)));
    }
    facts
}

#[test]
fn each_broken_map_has_the_right_answer() {
    let rows = rows();
    assert!(rows.len() >= 40, "{}", rows.len());
    let mut wrong = String::new();
    for row in &rows {
        let facts = facts(&json(row));
        let fits = facts.len() == row.wanted.len()
            && facts.iter().zip(&row.wanted).all(|(fact, wanted)| match wanted.strip_suffix('…') {
                Some(start) => fact.starts_with(start),
                None => fact == wanted,
            });
        if !fits {
            wrong.push_str(&format!(
                "== {}\n{}\n",
                row.name,
                facts.iter().map(|it| format!("> {it}\n")).collect::<String>()
            ));
        }
    }
    assert!(wrong.is_empty(), "answers that differ from the table:\n{wrong}");
}

#[test]
fn who_is_mapped_by_nothing_gets_the_entry_with_the_path_and_the_line_without_it() {
    let given = Given {
        principal: Some("arn:aws:iam::814203749616:role/team/checkout-reader"),
        aws_auth: Some(b"mapRoles: |\n  - rolearn: arn:aws:iam::814203749616:role/team/checkout-reader\n    username: a\n"),
        ..Given::default()
    };
    let Said { text, code } = answer(given, Output::Text).unwrap();
    assert_eq!(code, 90);
    assert!(text.contains("\naws eks create-access-entry --cluster-name \"${cluster:?is not set}\" --region \"${region:?is not set}\" --principal-arn arn:aws:iam::814203749616:role/team/checkout-reader\n"), "{text}");
    let prose = text.lines().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join(" ");
    let line = "- rolearn: arn:aws:iam::814203749616:role/checkout-reader, username: checkout-reader";
    assert!(prose.contains(line), "{text}");
    assert!(text.contains("line 2, mapRoles"), "{text}");
}

#[test]
fn nothing_of_the_files_is_left_that_a_shell_would_act_on() {
    let hostile = "$(touch x) `touch x`; touch x & touch x | x ' \" \\ \u{1b}[31m \u{202e}";
    let auth = serde_json::json!({"data": {"mapRoles": format!("- rolearn: {}\n  username: {}\n  {}: x\n",
        serde_json::json!("arn:aws:iam::814203749616:role/checkout-reader"), serde_json::json!(hostile), serde_json::json!(hostile)),
        hostile: "x", "mapUsers": hostile}})
    .to_string();
    let entries = serde_json::json!([{"principalArn": "arn:aws:iam::814203749616:role/x/checkout-reader", "username": hostile}]).to_string();
    let given = Given {
        principal: Some("arn:aws:iam::814203749616:role/checkout-reader"),
        aws_auth: Some(auth.as_bytes()),
        access_entries: Some(entries.as_bytes()),
        role: None,
    };
    let Said { text, .. } = answer(given, Output::Text).unwrap();
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let inside = line.strip_prefix('#').unwrap();
        assert!(
            !inside.contains(['`', '$', '\'', '"', '\\', ';', '&', '|', '\u{1b}', '\u{202e}', '#']),
            "{line}"
        );
    }
    assert!(
        text.lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .all(|line| line.starts_with("aws ")),
        "{text}"
    );
}
