//! Which classes have a scenario; the others are judged by unit tests alone.
//! A class that no probe knows is a typing error in a scenario.

use super::{Case, machine};
use libtest_mimic::{Failed, Trial};
use std::{
    collections::BTreeSet,
    io::{self, Write as _},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("every_expected_class_is_known_to_explain", every_expected_class_is_known),
        Trial::test("how_many_classes_have_a_scenario", how_many_classes_have_a_scenario),
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

fn how_many_classes_have_a_scenario() -> Result<(), Failed> {
    let (expected, known) = (expected()?, machine::classes()?);
    let without: Vec<&str> =
        known.keys().filter(|class| !expected.contains(*class)).map(String::as_str).collect();
    let (covered, all) = (known.len() - without.len(), known.len());
    writeln!(
        io::stdout(),
        "{covered} of {all} classes decide a scenario; these do not: {}",
        without.join(" ")
    )?;
    Ok(())
}
