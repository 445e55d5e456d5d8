//! What must hold for the prose of every class: it is there, it fits, and its commands do no harm unsaid.
//! The rest of the table is tested beside it.

use super::VARIABLES;
use crate::catalog::Class;
use crate::catalog::explain::shell_variables;
use crate::steps::template::{Part, Template, parts};
use std::collections::BTreeSet;

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
fn every_class_has_causes_a_confirmation_and_a_repair() {
    for class in Class::all() {
        let info = class.info();
        assert!((1..=6).contains(&info.causes.len()), "{class}: {} causes", info.causes.len());
        assert!(info.causes.iter().all(|text| text.len() > 20), "{class}");
        if !info.steps.is_empty() {
            continue;
        }
        let command = |lines: &[&str]| lines.iter().any(|line| !line.starts_with('#'));
        assert!(command(info.confirm), "{class}: nothing to run in confirm");
        assert!(!info.repair.is_empty(), "{class}");
    }
}

#[test]
fn every_line_of_a_command_block_is_a_remark_or_a_known_command() {
    const COMMANDS: [&str; 9] =
        ["aws", "chronyc", "cp", "credprobe", "curl", "date", "kubectl", "openssl", "eksctl"];
    for (class, line) in all_lines() {
        let command = line.split(' ').next().unwrap_or_default();
        assert!(line.starts_with("# ") || COMMANDS.contains(&command), "{class}: {line}");
        // A remark behind a command is an argument to an interactive zsh.
        assert!(line.starts_with('#') || !line.contains(" #"), "{class}: {line}");
        assert!(!line.contains('\n') && line == line.trim(), "{class}: {line}");
    }
}

#[test]
fn every_shell_variable_is_explained_and_every_explained_one_is_used() {
    let mut used = BTreeSet::new();
    for (class, line) in all_lines() {
        for name in shell_variables(line) {
            assert!(VARIABLES.iter().any(|(known, _)| *known == name), "{class}: ${name} in {line}");
            used.insert(name);
        }
    }
    used.extend(VARIABLES.iter().flat_map(|(_, meaning)| shell_variables(meaning)));
    for (name, _) in VARIABLES {
        assert!(used.contains(name), "${name} is used nowhere");
    }
}

#[test]
fn a_trust_policy_is_saved_before_it_is_overwritten() {
    for class in Class::all() {
        let repair = class.info().repair;
        let position = |part: &str| repair.iter().position(|line| line.contains(part));
        if let Some(written) = position("update-assume-role-policy") {
            assert!(position("> trust.json").is_some_and(|saved| saved < written), "{class}");
            assert!(position("trust.before.json").is_some_and(|kept| kept < written), "{class}");
        }
    }
}

/// Part of a command; the word that it or a line above it must hold; part of the command that reads first what it changes.
const HARM: &[(&str, &str, &str)] = &[
    ("--overwrite", "overwrites", "kubectl get serviceaccount $SA"),
    ("/audience-", "removes", "kubectl get serviceaccount $SA"),
    ("update-assume-role-policy", "overwrites", "aws iam get-role"),
    ("update-open-id-connect-provider-thumbprint", "overwrites", "get-open-id-connect-provider "),
    ("update-pod-identity-association", "overwrites", "list-pod-identity-associations"),
    ("delete-pod-identity-association", "deletes", "list-pod-identity-associations"),
    ("update-addon", "restarts", "describe-addon "),
    ("rollout restart deployment/coredns", "restarts", "kubectl logs -n kube-system"),
    ("rollout restart deployment/$DEPLOYMENT", "replaces the pods", ""),
    ("kubectl edit", "replaces the pods", ""),
    ("kubectl patch", "replaces the pods", "securityContext"),
    ("kubectl set ", "replaces the pods", "kubectl get pod $POD"),
    ("kubectl drain", "deletes", ""),
    ("set-security-token-service-preferences", "whole account", ""),
    ("enable-region", "opens it for everything", "get-region-opt-status"),
];

#[test]
fn what_replaces_restarts_or_deletes_says_so_and_comes_after_a_look() {
    for class in Class::all() {
        let (confirm, repair) = (class.info().confirm, class.info().repair);
        for (index, line) in repair.iter().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            for (part, word, look) in HARM.iter().filter(|(part, ..)| line.contains(part)) {
                assert!(repair[..=index].join("\n").to_lowercase().contains(word), "{class}: {part}: {line}");
                let looks = confirm.iter().chain(&repair[..index]).any(|line| line.contains(look));
                assert!(looks, "{class}: {part} without a look: {line}");
            }
        }
    }
}

#[test]
fn no_other_command_changes_anything() {
    const READS: &str = "get|describe|list|logs|exec|lookup";
    // What only adds: it takes nothing away and stops nothing.
    const ADDS: [&str; 9] = [
        "create-",
        "add-client-id",
        "attach-role-policy",
        "authorize-",
        "kubectl annotate",
        "kubectl cordon",
        "kubectl uncordon",
        "chronyc makestep",
        "cp trust.json",
    ];
    for (class, line) in all_lines().filter(|(_, line)| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let reads = words
            .iter()
            .take(3)
            .any(|word| READS.split('|').any(|verb| *word == verb || word.starts_with(&format!("{verb}-"))));
        let harmless = ["credprobe", "curl", "openssl", "date"].contains(&words[0])
            || line.starts_with("chronyc tracking")
            || line.starts_with("chronyc sources");
        let known =
            ADDS.iter().any(|part| line.contains(part)) || HARM.iter().any(|(part, ..)| line.contains(part));
        assert!(reads || harmless || known, "{class}: {line}");
    }
}

/// What an interactive shell reads in a comment, or what would end one (voice.md, section 1).
const FORBIDDEN: &[char] = &[
    '`', '$', '\'', '"', '\\', ';', '&', '|', '<', '>', '(', ')', '[', ']', '{', '}', '*', '?', '~', '^',
    '#', '!',
];

#[test]
fn prose_has_no_character_that_a_shell_reads() {
    for class in Class::all().iter().filter(|class| !class.info().steps.is_empty()) {
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

/// What no step does that stands in a report (voice.md, section 2.3); `explain` may, under its own heading.
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

fn all_lines() -> impl Iterator<Item = (Class, &'static str)> {
    Class::all().iter().flat_map(|class| {
        let info = class.info();
        info.confirm.iter().chain(info.repair).map(|line| (*class, *line))
    })
}
