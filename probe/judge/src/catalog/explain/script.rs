//! All about one class in a terminal: a shell script like a report, with variables in place of the pod's values.
//! What the columns say in words, the module above knows.

use super::{explained_by, explains, kind, owner, rules, stage};
use crate::catalog::Class;
use crate::steps::Step;
use crate::steps::script::{Look, Mark, Script};
use crate::steps::template::Template;
use crate::steps::values::Values;
use crate::text::plain;

pub(super) fn script(class: Class) -> String {
    let info = class.info();
    let mut out = Script::new(Look::default());
    out.first(Mark::None, &format!("{} {}: {}", info.id, info.code, info.meaning));
    for (label, text) in [
        ("owner", owner(info).to_owned()),
        ("kind", kind(info)),
        (
            "restart",
            if info.restart.is_empty() { String::new() } else { format!("new pod: {}", info.restart) },
        ),
        ("reason", info.reason.to_owned()),
        ("stage", stage(info).unwrap_or_default().to_owned()),
        ("serve", info.readiness.words().to_owned()),
        ("rules", rules(class).join(", ")),
        ("explains", explains(class).join(", ")),
        ("follows", explained_by(class).join(", ")),
    ] {
        if !text.is_empty() {
            out.row(label, &plain(&text.replace(" (", " – ")));
        }
    }
    out.blank();
    out.sentence(if class == Class::Ready {
        "What it proves and what not:"
    } else {
        "Causes, the most likely first:"
    });
    for cause in info.causes {
        out.item(cause);
    }
    let mut number = 0;
    out.steps(&filled_in(info.steps), &mut number);
    if !info.beyond.is_empty() {
        out.blank();
        out.sentence("What follows helps as well, and changes more than this pod:");
        out.steps(&filled_in(info.beyond), &mut number);
    }
    let templates = [info.steps, info.beyond].concat();
    let variables = Values::variables(&templates);
    if !variables.is_empty() {
        out.blank();
        out.sentence("Set the variables first, as in role=checkout-reader:");
        for slot in variables {
            out.item(&format!("{}: {}", slot.name, plain(slot.meaning)));
        }
    }
    out.text()
}

/// With a variable of the shell for each value.
pub(super) fn filled_in(templates: &[&Template]) -> Vec<Step> {
    templates.iter().filter_map(|template| Values::open().step(template)).collect()
}
