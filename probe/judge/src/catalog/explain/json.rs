//! The class table as JSON, for `explain --output=json`.
//! The same content as the text, field by field.

use super::find;
use super::script::filled_in;
use crate::catalog::{Attribute, Class, Condition, Owner, Readiness};
use crate::evidence::StageName;
use crate::steps::Step;
use crate::steps::values::Values;
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
    stage: Option<StageName>,
    readiness: Readiness,
    #[serde(flatten)]
    attributes: BTreeMap<&'static str, bool>,
    meaning: &'static str,
    causes: &'static [&'static str],
    steps: Vec<Step>,
    beyond: Vec<Step>,
    variables: BTreeMap<&'static str, &'static str>,
    explains: Vec<Relation>,
    explained_by: Vec<Relation>,
}

/// The other end of "explains".
#[derive(Serialize)]
struct Relation {
    class: Class,
    /// In words; `None`: wherever both were found.
    condition: Option<&'static str>,
}

impl Relation {
    fn new(class: Class, condition: Condition) -> Self {
        Self { class, condition: Some(condition.words()).filter(|words| !words.is_empty()) }
    }
}

/// `{"classes": […]}` in table order, or the object of the one with this id or code.
pub fn explain_json(argument: Option<&str>) -> Result<Value, String> {
    Ok(match argument {
        None => {
            let classes: Vec<Explained> = Class::all().iter().copied().map(explained).collect();
            json!({ "classes": classes })
        }
        Some(argument) => json!(explained(find(argument).map_err(|none| none.to_string())?)),
    })
}

fn explained(class: Class) -> Explained {
    let info = class.info();
    Explained {
        class,
        code: info.code,
        reason: info.reason,
        owner: info.owner,
        stage: info.stage,
        readiness: info.readiness,
        attributes: Attribute::ALL
            .iter()
            .map(|(attribute, name, _)| (*name, class.has(*attribute)))
            .collect(),
        meaning: info.meaning,
        causes: info.causes,
        steps: filled_in(info.steps),
        beyond: filled_in(info.beyond),
        variables: Values::variables(&[info.steps, info.beyond].concat())
            .into_iter()
            .map(|slot| (slot.name, slot.meaning))
            .collect(),
        explains: info.explains.iter().map(|it| Relation::new(it.class, it.condition)).collect(),
        explained_by: Class::all()
            .iter()
            .filter_map(|by| Some(Relation::new(*by, by.explains(class)?.condition)))
            .collect(),
    }
}
