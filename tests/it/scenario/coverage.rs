//! Checks that each class has a scenario, or a reason why it has none.
//! A class that the probe does not know is a typing error in a scenario.

use super::{Case, machine};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeSet;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("every_expected_class_is_known_to_explain", every_expected_class_is_known),
        Trial::test("the_list_of_harmful_repairs_holds", super::harm::the_deny_list_holds),
        Trial::test("every_class_has_a_scenario", every_class_has_a_scenario),
        Trial::test("every_class_has_a_report_that_is_kept", every_class_has_a_report_that_is_kept),
    ]
}

fn expected() -> Result<BTreeSet<String>, Failed> {
    Ok(Case::all()?.into_iter().map(|case| case.expect.class).collect())
}

fn every_expected_class_is_known() -> Result<(), Failed> {
    let known = machine::classes()?;
    let unknown: Vec<String> = expected()?.into_iter().filter(|class| !known.contains_key(class)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(format!("no probe knows {unknown:?}").into()) }
}

/// Classes that cannot have a scenario, yet or at all, and why.
const WITHOUT: &[(&str, &str)] =
    &[("internal-error", "tests/it/faults.rs breaks the probe"), ("usage-error", "tests/it/command_line.rs")];

fn every_class_has_a_scenario() -> Result<(), Failed> {
    let mut seen = expected()?;
    for case in Case::all()? {
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

/// A kept report shows when the text of a class changes. A kept report without a scenario would never be compared.
fn every_class_has_a_report_that_is_kept() -> Result<(), Failed> {
    let (mut kept, cases) = (super::kept_reports()?, Case::all()?);
    let mut without: BTreeSet<&str> = cases.iter().map(|case| case.expect.class.as_str()).collect();
    for case in &cases {
        if kept.remove(&case.name) {
            without.remove(case.expect.class.as_str());
        }
    }
    match (without.is_empty(), kept.is_empty()) {
        (true, true) => Ok(()),
        _ => Err(format!("no report is kept of {without:?}; reports of no scenario: {kept:?}").into()),
    }
}
