//! The class table as JSON, for `explain --output=json`.
//! The same content as the text, field by field.

use super::{find, variables};
use crate::catalog::{Class, Owner};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All about one class.
#[derive(Serialize)]
struct Explained {
    class: Class,
    code: u8,
    reason: &'static str,
    owner: Option<Owner>,
    transient: bool,
    recreate_pod: bool,
    warning: bool,
    meaning: &'static str,
    causes: &'static [&'static str],
    confirm: &'static [&'static str],
    repair: &'static [&'static str],
    variables: BTreeMap<&'static str, &'static str>,
    explains: Vec<Relation>,
    explained_by: Vec<Relation>,
}

/// The other end of "explains".
#[derive(Serialize)]
struct Relation {
    class: Class,
    only_about_time: bool,
}

/// `{"classes": […]}` in table order, or the object of the one with this id or code.
pub fn explain_json(argument: Option<&str>) -> Result<Value, String> {
    Ok(match argument {
        None => {
            let classes: Vec<Explained> = Class::all().iter().copied().map(explained).collect();
            json!({ "classes": classes })
        }
        Some(argument) => json!(explained(find(argument)?)),
    })
}

fn explained(class: Class) -> Explained {
    let info = class.info();
    Explained {
        class,
        code: info.code,
        reason: info.reason,
        owner: info.owner,
        transient: info.transient,
        recreate_pod: info.recreate_pod,
        warning: info.warning,
        meaning: info.meaning,
        causes: info.causes,
        confirm: info.confirm,
        repair: info.repair,
        variables: variables(info).into_iter().collect(),
        explains: info
            .explains
            .iter()
            .map(|it| Relation { class: it.class, only_about_time: it.only_about_time })
            .collect(),
        explained_by: Class::all()
            .iter()
            .filter_map(|by| {
                let only_about_time = by.explains(class)?.only_about_time;
                Some(Relation { class: *by, only_about_time })
            })
            .collect(),
    }
}
