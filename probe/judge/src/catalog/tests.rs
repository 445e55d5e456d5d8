//! What must hold for any table: names and codes that are found again, explanations without a circle.
//! What a row says is in no second place; the page of classes shows a change of it. The texts are tested beside them.

use super::*;
use Class::*;
use std::collections::BTreeSet;

#[test]
fn no_class_explains_another_twice() {
    for class in Class::all() {
        let explained: Vec<Class> = class.info().explains.iter().map(|it| it.class).collect();
        let once: BTreeSet<Class> = explained.iter().copied().collect();
        assert_eq!(explained.len(), once.len(), "{class}");
    }
}

#[test]
fn no_class_explains_itself_however_far_around() {
    for start in Class::all() {
        let mut reached = BTreeSet::new();
        let mut next = vec![*start];
        while let Some(class) = next.pop() {
            for it in class.info().explains {
                assert_ne!(it.class, *start, "{start} is explained by {class}");
                if reached.insert(it.class) {
                    next.push(it.class);
                }
            }
        }
    }
}

#[test]
fn every_row_is_found_by_class_id_and_code() {
    for class in Class::all() {
        assert_eq!(class.info().class, *class);
        assert_eq!(Class::from_id(class.id()), Some(*class));
        assert_eq!(Class::from_code(class.code()), Some(*class));
    }
    assert_eq!(Class::from_id("AccessDenied"), None);
    assert_eq!(Class::from_code(99), None);
}

#[test]
fn no_attribute_stands_twice_in_a_row_and_each_is_used() {
    for (attribute, name, _) in Attribute::ALL {
        assert!(Class::all().iter().any(|class| class.has(*attribute)), "{name}");
    }
    for class in Class::all() {
        let attributes = class.info().attributes;
        let set = Attribute::ALL.iter().filter(|(attribute, ..)| class.has(*attribute)).count();
        assert_eq!(attributes.len(), set, "{class}: twice, or missing in Attribute::ALL");
    }
}

#[test]
fn the_place_in_the_table_is_the_order() {
    assert!(ClockSkew < DnsFailed && NameNotFound < ConnectRefused);
    assert!(TokenKindWrong < TokenExpired && AgentUnsupported < AgentNotAgent);
}

#[test]
fn the_reason_is_the_id_in_camel_case() {
    for class in Class::all() {
        let camel: String = class.id().split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        assert_eq!(class.reason(), camel);
    }
}

#[test]
fn classes_and_owners_are_written_as_their_ids_in_json() -> serde_json::Result<()> {
    for class in Class::all() {
        let json = serde_json::to_string(class)?;
        assert_eq!(json, format!("{:?}", class.id()));
        assert_eq!(serde_json::from_str::<Class>(&json)?, *class);
    }
    for owner in Owner::ALL {
        let json = serde_json::to_string(&owner)?;
        assert_eq!(json, format!("{:?}", owner.id()));
    }
    assert!(serde_json::from_str::<Class>("\"AccessDenied\"").is_err());
    Ok(())
}

#[test]
fn the_schema_of_a_class_is_an_enumeration_of_the_ids() {
    let schema = schemars::schema_for!(Class);
    let ids: Vec<&str> = Class::all().iter().map(|class| class.id()).collect();
    assert_eq!(schema.get("enum"), Some(&serde_json::json!(ids)));
}
