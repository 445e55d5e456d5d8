//! Which classes have a scenario; the others are judged by unit tests alone.
//! A class that no probe knows is a typing error in a scenario.

use super::{Case, machine};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeSet;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("every_expected_class_is_known_to_explain", every_expected_class_is_known),
        Trial::test("every_class_has_a_scenario", every_class_has_a_scenario),
    ]
}

fn expected() -> Result<BTreeSet<String>, Failed> {
    Case::names()?.iter().map(|name| Ok(Case::read(name)?.expect.class)).collect()
}

fn every_expected_class_is_known() -> Result<(), Failed> {
    let known = machine::classes()?;
    let unknown: Vec<String> = expected()?.into_iter().filter(|class| !known.contains_key(class)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(format!("no probe knows {unknown:?}").into()) }
}

/// Classes that no scenario can have yet or at all, and why.
const WITHOUT: &[(&str, &str)] =
    &[("internal-error", "tests/it/faults.rs breaks the probe"), ("usage-error", "tests/it/command_line.rs")];

fn every_class_has_a_scenario() -> Result<(), Failed> {
    let mut seen = expected()?;
    for name in Case::names()? {
        let case = Case::read(&name)?;
        if case.expect.pending.is_none() {
            seen.extend(case.expect.also().iter().cloned());
        }
    }
    let excused = |class: &str| WITHOUT.iter().any(|(it, _)| *it == class);
    let known = machine::classes()?;
    let without: Vec<&str> =
        known.keys().map(String::as_str).filter(|class| !seen.contains(*class) && !excused(class)).collect();
    if without.is_empty() { Ok(()) } else { Err(format!("no scenario has {without:?}").into()) }
}
