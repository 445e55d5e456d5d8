//! What must hold for the prose of every class: it is there, it fits, and its commands do no harm unsaid.
//! The rest of the table is tested beside it.

use crate::catalog::{Class, Restart};
use crate::steps::template::{Part, Template, parts};

/// Two digits, id, owner and meaning fit a line of the help that 100 columns hold.
const MEANING_LIMIT: usize = 60;

#[test]
fn every_meaning_is_one_sentence_that_fits_a_line_of_the_help() {
    for class in Class::all() {
        let meaning = class.info().meaning;
        assert!(meaning.ends_with('.') && !meaning.contains(". "), "{class}: {meaning}");
        assert!(meaning.chars().count() <= MEANING_LIMIT, "{class}: {}", meaning.len());
    }
}

#[test]
fn every_class_has_causes_and_steps() {
    for class in Class::all() {
        let info = class.info();
        assert!((1..=6).contains(&info.causes.len()), "{class}: {} causes", info.causes.len());
        assert!(info.causes.iter().all(|text| text.len() > 20), "{class}");
        assert!(!info.steps.is_empty(), "{class}: nothing to do");
        // Whoever needs a new pod is told why.
        assert!(class.restart() != Restart::Pod || !info.restart.is_empty(), "{class}");
    }
}

/// What an interactive shell reads in a comment, or what would end one.
const FORBIDDEN: &[char] = &[
    '`', '$', '\'', '"', '\\', ';', '&', '|', '<', '>', '(', ')', '[', ']', '{', '}', '*', '?', '~', '^',
    '#', '!',
];

#[test]
fn prose_has_no_character_that_a_shell_reads() {
    for class in Class::all().iter() {
        let info = class.info();
        for text in info.causes.iter().chain([&info.meaning, &info.restart]) {
            assert!(!text.contains(FORBIDDEN), "{class}: {text}");
        }
        for template in info.steps.iter().chain(info.beyond) {
            for text in [template.when, template.say, template.changes] {
                let prose: String = parts(text)
                    .into_iter()
                    .map(|part| match part {
                        Part::Text(text) => text,
                        Part::Slot(slot) => slot.unknown,
                    })
                    .collect();
                assert!(!prose.contains(FORBIDDEN), "{class}: {prose}");
            }
        }
    }
}

#[test]
fn a_sentence_above_a_command_ends_with_a_colon_and_any_other_with_a_full_stop() {
    for (class, template) in all_templates() {
        let end = if template.run.is_empty() { '.' } else { ':' };
        assert!(template.say.ends_with(end), "{class}: {}", template.say);
        assert!(!template.when.ends_with([':', '.']), "{class}: {}", template.when);
    }
}

#[test]
fn slots_stand_outside_of_quotation_marks_and_commands_in_one_plain_line() {
    for (class, template) in all_templates() {
        let mut quoted = false;
        for part in parts(template.run) {
            match part {
                Part::Text(text) => {
                    quoted ^= text.matches('\'').count() % 2 == 1;
                    assert!(!text.contains('\n') && !text.contains(" #"), "{class}: {}", template.run);
                }
                Part::Slot(slot) => assert!(!quoted, "{class}: {} in {}", slot.name, template.run),
            }
        }
        assert!(!quoted, "{class}: {}", template.run);
        // A redirection empties a file even where the command before it fails.
        let bare: String = template.run.split('\'').step_by(2).collect();
        assert!(!bare.contains(['>', '!', '<', '`']), "{class}: {}", template.run);
    }
}

/// What a command that changes something is called.
const CHANGING: &[&str] = &[
    " annotate ",
    " rollout restart ",
    " set env ",
    " set serviceaccount ",
    " patch ",
    " delete ",
    " apply ",
    " create ",
    "create-",
    "update-",
    "add-",
    "delete-",
    "attach-",
    "put-",
    "enable-",
    "authorize-",
    "modify-",
    "tag-",
    "makestep",
    " cordon ",
    " debug ",
    " drain ",
    "set-security-",
];

#[test]
fn a_command_that_changes_something_says_what() {
    for (class, template) in all_templates().filter(|(_, template)| !template.run.is_empty()) {
        let changes = CHANGING.iter().any(|part| format!("{} ", template.run).contains(part));
        assert_eq!(changes, !template.changes.is_empty(), "{class}: {}", template.run);
    }
}

/// What no step does that stands in a report; `explain` may, under its own heading.
const NEVER: &[&str] = &[
    "create-vpc-endpoint",
    "excludeOutboundPorts",
    "set-security-token-service-preferences",
    ":default",
    "read -r",
    "--list",
    "get secret",
    "AWS_ENDPOINT_URL-",
    "delete pod",
    "credprobe check --wait",
    "credprobe check --grace",
];

#[test]
fn no_step_of_a_report_changes_more_than_this_pod() {
    for class in Class::all() {
        for template in class.info().steps {
            assert!(!NEVER.iter().any(|part| template.run.contains(part)), "{class}: {}", template.run);
        }
        let changing = |template: &&&Template| {
            !template.when.is_empty() && !template.run.is_empty() && !template.changes.is_empty()
        };
        for alternatives in
            class.info().steps.chunk_by(|one, next| !one.when.is_empty() && !next.when.is_empty())
        {
            assert!(
                alternatives.iter().filter(changing).count() <= 1,
                "{class}: two commands change something"
            );
        }
    }
}

fn all_templates() -> impl Iterator<Item = (Class, &'static Template)> {
    Class::all().iter().flat_map(|class| {
        class.info().steps.iter().chain(class.info().beyond).map(|template| (*class, *template))
    })
}
