//! Generates the pages of `probe/docs/errors/`: each text as a heading with its answer, and an index by text and by source.
//! `make docs` writes them; the test compares them.

use super::texts::{PAGES, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const INTRO: &str = "Each heading is what the program says, word for word; below it what it means and the usual repair.\n\
    `credprobe explain \"TEXT\"` finds the same answers, from one line or a whole log (`credprobe explain - < app.log`).\n\
    Generated from the table in the code by `make docs`.\n";

fn title(stage: &str) -> &'static str {
    match stage {
        "environment" => "No credentials, no region: what SDKs say in a pod that got nothing",
        "token-file" => "The token file: missing, unreadable, with a line break",
        "network" => "The way to STS: DNS, connections, TLS, proxies",
        "exchange" => "STS: what it answers to the token",
        "agent" => "EKS Pod Identity: the agent and EKS Auth",
        "identity" => "Credentials that AWS refuses: invalid, expired, another clock",
        "access" => "Access denied: what the role may not do, and which policy says so",
        "cluster" => "Unauthorized and Forbidden: the cluster and the IAM identity",
        other => panic!("no title for {other}"),
    }
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    heading.chars().filter_map(kept).collect()
}

fn class(text: &Text) -> String {
    match text.class {
        Some(class) => format!("[`{class}`](../classes.md#{class}) ({})", class.code()),
        None => "none: not a link of the chain".to_owned(),
    }
}

fn page(rows: &[Text]) -> String {
    let mut out = format!("# {}\n\n{INTRO}", title(rows[0].docs.stage));
    for row in rows {
        let docs = &row.docs;
        let owner =
            row.owner.or(row.class.and_then(|class| class.info().owner)).map_or("", |owner| owner.id());
        write!(
            out,
            "\n## `{}`\n\n{}\n\nClass: {}. Owner: {owner}. Said by: {}. Seen: {}.\n",
            docs.heading,
            row.answer,
            class(row),
            docs.by,
            docs.source
        )
        .unwrap();
    }
    out
}

fn index() -> String {
    let mut out = format!("# Error texts\n\n{INTRO}\n| page | texts |\n|---|---:|\n");
    for rows in PAGES {
        let stage = rows[0].docs.stage;
        writeln!(out, "| [{}]({stage}.md) | {} |", title(stage), rows.len()).unwrap();
    }
    let link = |text: &Text| {
        let heading = text.docs.heading;
        format!("[`{}`]({}.md#{})", heading.replace('|', "\\|"), text.docs.stage, anchor(heading))
    };
    let mut all: Vec<&Text> = PAGES.iter().flat_map(|rows| rows.iter()).collect();
    all.sort_by_key(|text| text.docs.heading.to_lowercase());
    out.push_str("\n## By text\n\n| text | class | said by |\n|---|---|---|\n");
    for text in &all {
        writeln!(out, "| {} | {} | {} |", link(text), class(text), text.docs.by).unwrap();
    }
    let mut by: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
    for text in &all {
        for name in text.docs.by.split([',', ';']) {
            by.entry(name.trim()).or_default().push(text);
        }
    }
    out.push_str("\n## By SDK and program\n");
    for (name, texts) in by {
        writeln!(out, "\n**{name}**\n").unwrap();
        for text in texts {
            writeln!(out, "- {}", link(text)).unwrap();
        }
    }
    out
}

#[test]
fn the_pages_of_texts_are_current() {
    for rows in PAGES {
        crate::generated::check(&format!("errors/{}.md", rows[0].docs.stage), &page(rows));
    }
    crate::generated::check("errors/README.md", &index());
}

#[test]
fn each_answer_is_two_sentences_without_a_sign_of_the_shell() {
    let mut headings = BTreeSet::new();
    for text in PAGES.iter().flat_map(|rows| rows.iter()) {
        let (cause, repair) = text.sentences();
        assert!(
            !cause.is_empty() && !repair.is_empty() && !repair.trim_end_matches('.').contains(". "),
            "{}",
            text.answer
        );
        assert!(text.answer.ends_with('.'), "{}", text.answer);
        assert!(
            !text.answer.contains(['`', '$', '"', '\'', '(', ')', '<', '>', '[', '#', '!', '|', '*', '{']),
            "{}",
            text.answer
        );
        assert!(text.answer.chars().count() <= 400, "{}", text.answer);
        assert!(headings.insert(anchor(text.docs.heading)), "{} is there twice", text.docs.heading);
        // A date needs a look at the thread. No date is better than a guessed one.
        assert!(!text.docs.source.is_empty(), "{}", text.docs.heading);
    }
}
