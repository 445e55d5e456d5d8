//! Explanations hold what the table holds, fit a terminal, and the page in `docs/` is current.
//! The table itself is tested beside it.

use super::*;

#[test]
fn the_table_lists_every_class_in_order_within_the_width() -> Result<(), String> {
    let table = explain(None)?;
    let ids: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with(' ') && line[..4].trim().parse::<u8>().is_ok())
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let all: Vec<&str> = Class::all().iter().map(|class| class.id()).collect();
    assert_eq!(ids, all);
    for line in table.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
    Ok(())
}

#[test]
fn flags_stand_in_the_table_as_words() -> Result<(), String> {
    let table = explain(None)?;
    let row = table.lines().position(|line| line.contains("region-missing")).ok_or("no such row")?;
    let rows: Vec<&str> = table.lines().skip(row).take(2).collect();
    assert!(rows[0].starts_with("  13  region-missing           pod      recreate   No usable"), "{rows:?}");
    assert!(rows[1].starts_with("                                        warning"), "{rows:?}");
    Ok(())
}

#[test]
fn a_class_is_found_by_id_and_by_code() {
    assert_eq!(explain(Some("access-denied")), explain(Some("53")));
    assert_eq!(explain(Some("0")), explain(Some("ready")));
}

/// As a page without its line ends and the marks before them.
fn flat(text: &str) -> String {
    let words = text.lines().flat_map(|line| line.trim_start_matches('#').split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn everything_in_the_table_is_in_the_explanation() -> Result<(), String> {
    for class in Class::all() {
        let text = explain(Some(class.id()))?;
        let flat = flat(&text);
        let info = class.info();
        assert!(text.starts_with(&format!("# {} {}: {}\n", info.id, info.code, info.meaning)), "{text}");
        assert!(info.owner.is_none_or(|owner| flat.contains(&format!("owner {owner} "))), "{class}");
        assert!(flat.contains(info.reason), "{class}");
        for cause in info.causes {
            assert!(flat.contains(cause), "{class}: {cause}");
        }
        for step in script::filled_in(info.steps).iter().chain(&script::filled_in(info.beyond)) {
            assert!(
                step.run.as_ref().is_none_or(|run| text.contains(&format!("\n{run}\n"))),
                "{class}: {step:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn an_explanation_is_a_script_whose_prose_is_comments() -> Result<(), String> {
    for class in Class::all() {
        let text = explain(Some(class.id()))?;
        let commands: Vec<String> = script::filled_in(class.info().steps)
            .into_iter()
            .chain(script::filled_in(class.info().beyond))
            .filter_map(|step| step.run)
            .collect();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let prose = line.starts_with("# ") || line == "#";
            assert!(prose || commands.iter().any(|command| command == line), "{class}: {line}");
            assert!(!prose || line.chars().count() <= 100, "{class}: {line}");
        }
    }
    Ok(())
}

#[test]
fn what_explains_a_class_is_said_with_its_condition() -> Result<(), String> {
    let text = flat(&explain(Some("tls-failed"))?);
    assert!(
        text.contains("settings-invalid – only by the CA bundle, clock-skew – about dates and times"),
        "{text}"
    );
    Ok(())
}

#[test]
fn only_the_variables_in_use_are_listed() -> Result<(), String> {
    let text = explain(Some("provider-missing"))?;
    let variables = text.split("Set the variables first").nth(1).ok_or("no variables")?;
    let names: Vec<&str> =
        variables.lines().filter_map(|line| line.strip_prefix("#   – ")?.split(':').next()).collect();
    for name in ["account", "issuer_url", "region", "audience"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!names.contains(&"node"), "{names:?}");
    Ok(())
}

#[test]
fn an_unknown_class_is_refused_in_one_line_with_the_nearest_ids() {
    assert_eq!(
        explain(Some("acces-denied")),
        Err("no class `acces-denied`; perhaps `access-denied`; `credprobe explain` lists all".into())
    );
    assert_eq!(explain(Some("99")), Err("no class `99`; `credprobe explain` lists all".into()));
    let refused = explain(Some("a\nb"));
    assert!(refused.is_err_and(|text| !text.contains('\n')));
    assert_eq!(explain_json(Some("99")).err(), explain(Some("99")).err());
}

#[test]
fn json_of_one_class_holds_every_field() -> Result<(), String> {
    let json = explain_json(Some("44"))?;
    assert_eq!(json["class"], "tls-failed");
    assert_eq!(json["code"], 44);
    assert_eq!(json["reason"], "TlsFailed");
    assert_eq!(json["owner"], "network");
    assert_eq!(json["explains"], serde_json::json!([]));
    assert_eq!(
        json["explained_by"],
        serde_json::json!([
            { "class": "settings-invalid", "condition": "only by the CA bundle" },
            { "class": "clock-skew", "condition": "about dates and times" }
        ])
    );
    for (field, kind) in [("transient", false), ("recreate_pod", false), ("warning", false)] {
        assert_eq!(json[field], kind, "{field}");
    }
    for field in ["causes", "steps"] {
        assert!(json[field].as_array().is_some_and(|it| !it.is_empty()), "{field}");
    }
    assert_eq!(explain_json(Some("ready"))?["owner"], serde_json::Value::Null);
    Ok(())
}

#[test]
fn each_column_is_in_the_json_of_each_class() -> Result<(), String> {
    for class in Class::all() {
        let json = explain_json(Some(class.id()))?;
        for (attribute, name, _) in Attribute::ALL {
            assert_eq!(json[name], class.has(*attribute), "{class}: {name}");
        }
        assert_eq!(json["readiness"], serde_json::json!(class.info().readiness), "{class}");
        assert_eq!(json["stage"], serde_json::json!(stage(class.info())), "{class}");
    }
    Ok(())
}

#[test]
fn the_codes_of_a_column_are_told_in_ranges() {
    assert_eq!(codes_with(Attribute::CertainIfStated), "33-35");
    assert_eq!(codes_with(Attribute::AsksOtherRegion), "50, 55");
}

#[test]
fn json_of_all_classes_is_in_table_order() -> Result<(), String> {
    let json = explain_json(None)?;
    let classes = json["classes"].as_array().ok_or("no array")?;
    let codes: Vec<u64> = classes.iter().filter_map(|it| it["code"].as_u64()).collect();
    let all: Vec<u64> = Class::all().iter().map(|class| u64::from(class.code())).collect();
    assert_eq!(codes, all);
    Ok(())
}

#[test]
fn the_page_has_an_anchor_for_every_link() {
    let page = classes_page();
    for class in Class::all() {
        assert_eq!(page.matches(&format!("<a id=\"{class}\"></a>")).count(), 1, "{class}");
        assert!(page.contains(&format!("\n### `{class}` ({})\n", class.code())), "{class}");
    }
    for link in page.split("](#").skip(1) {
        let anchor = link.split(')').next().unwrap_or_default();
        assert!(Class::from_id(anchor).is_some(), "#{anchor}");
    }
}

#[test]
fn classes_page_is_current() {
    crate::generated::check("classes.md", &classes_page());
}
