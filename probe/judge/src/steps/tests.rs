//! Templates are filled in, and what cannot be filled in gives no command.

use super::slot;
use super::template::{Part, Template, parts};
use super::values::Values;
use crate::settings::command::Word;

const SEE: Template = Template::look("See {role} of {account}:", "aws iam get-role --role-name {role}");

#[test]
fn braces_of_other_languages_are_text() {
    let text = "kubectl get pod {pod} -o 'jsonpath={range .spec}{.name}{end}'";
    let slots: Vec<_> = parts(text).into_iter().filter(|part| matches!(part, Part::Slot(_))).collect();
    assert_eq!(slots, [Part::Slot(slot::POD)]);
    let back: String = parts(text)
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Slot(slot) => format!("{{{}}}", slot.name),
        })
        .collect();
    assert_eq!(back, text);
}

#[test]
fn a_report_fills_in_values_and_explain_variables() {
    let values = Values::default()
        .with(slot::ROLE, "role checkout-reader", Word::role_name("checkout-reader"))
        .with_text(slot::ACCOUNT, "account 814203749616");
    let step = values.step(&SEE).unwrap();
    assert_eq!(step.say, "See role checkout-reader of account 814203749616:");
    assert_eq!(step.run.as_deref(), Some("aws iam get-role --role-name checkout-reader"));

    let step = Values::open().step(&SEE).unwrap();
    assert_eq!(step.say, "See the role of the role’s account:");
    assert_eq!(step.run.as_deref(), Some("aws iam get-role --role-name \"${role:?is not set}\""));
}

#[test]
fn a_value_that_is_not_a_name_of_its_kind_gives_words_and_no_command() {
    for word in [Word::NONE, Word::role_name("a; touch x"), Word::role_name("--all")] {
        let step = Values::default().with(slot::ROLE, "role x", word).step(&SEE).unwrap();
        assert_eq!((step.run, step.say.as_str()), (None, "See role x of the role’s account."));
    }
    // What nobody knows, nobody can look at.
    assert_eq!(Values::default().step(&SEE), None);
}

#[test]
fn another_servers_report_has_no_step_of_awss_tools() {
    let values = Values::open().without_aws(true);
    assert_eq!(values.step(&SEE), None);
    let pipe = Template::look("Look:", "kubectl get x | xargs -n1 aws iam get-role");
    assert_eq!(values.step(&pipe), None);
    let other = Template::look("Look:", "kubectl get pod {pod}");
    assert!(values.step(&other).unwrap().run.is_some());
}
