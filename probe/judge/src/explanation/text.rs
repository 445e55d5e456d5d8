//! Prints an explanation for a terminal: a script whose prose is comments, so that it can be pasted as a whole.
//! The prose has no character that a shell interprets, and nothing of an outside text.

use super::Explanation;
use crate::catalog::Class;
use crate::steps::Step;
use crate::text::shown::escaped;
use std::fmt::Write as _;

const WIDTH: usize = 80;
const FIRST: usize = 100;

pub(super) fn render(explanation: &Explanation) -> String {
    let mut out = String::new();
    let label = explanation
        .class
        .map_or_else(|| "known text".to_owned(), |class| format!("{} {}", class.id(), class.code()));
    let room = FIRST - "# ✗ : ".chars().count() - label.chars().count();
    let _infallible = writeln!(out, "# ✗ {label}: {}", fitted(&prose(&lower(&explanation.headline)), room));
    row(&mut out, "who", &explanation.who);
    if let Some(restart) = restart(explanation) {
        row(&mut out, "restart", restart);
    }
    row(&mut out, "why", explanation.why.unwrap_or(&explanation.summary));
    let mut names = ('a'..='z').cycle();
    let mut number = 0;
    for step in &explanation.steps {
        let name = match &step.when {
            // Alternatives share one number.
            Some(_) => {
                if names.clone().next() == Some('a') {
                    number += 1;
                }
                format!("{number}{}", names.next().unwrap_or('a'))
            }
            None => {
                names = ('a'..='z').cycle();
                number += 1;
                number.to_string()
            }
        };
        write_step(&mut out, &name, step);
    }
    out.push('\n');
    if !explanation.others.is_empty() {
        let others = explanation.others.iter().map(|(class, count)| {
            let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
            format!("{} {times}", class.map_or("another known text", Class::id))
        });
        row(&mut out, "also", &others.collect::<Vec<_>>().join(", "));
    }
    if let Some(class) = explanation.class {
        row(&mut out, "explain", &format!("credprobe explain {}", class.id()));
    }
    out
}

/// What to say about a restart if a policy refuses. For the pod itself, `credprobe check` says what it needs.
fn restart(explanation: &Explanation) -> Option<&'static str> {
    let is_policy = matches!(
        explanation.class,
        Some(
            Class::PermissionMissing
                | Class::PermissionBlocked
                | Class::RoleChainDenied
                | Class::AccessDenied
        )
    );
    let is_pod = explanation.owner == Some("pod");
    (is_policy && !is_pod).then_some("not needed: the next call passes, after 5 minutes at most")
}

fn write_step(out: &mut String, name: &str, step: &Step) {
    let say = match &step.when {
        Some(when) => format!("{when}: {}", step.say),
        None => step.say.clone(),
    };
    let say = match &step.run {
        Some(_) => format!("{}:", say.trim_end_matches('.')),
        None => say,
    };
    out.push('\n');
    wrapped(out, &format!("# {name}. "), "#    ", &say);
    if let Some(run) = &step.run {
        let _infallible = writeln!(out, "{run}");
    }
}

fn row(out: &mut String, title: &str, text: &str) {
    wrapped(out, &format!("#   {title:<8} "), "#            ", text);
}

/// Wraps to lines of at most `WIDTH`. A longer word gets its own line.
fn wrapped(out: &mut String, first: &str, next: &str, text: &str) {
    let text = prose(&text.replace("; ", ", "));
    let mut line = first.to_owned();
    let mut is_bare = true;
    for word in text.split_whitespace() {
        if !is_bare && line.chars().count() + word.chars().count() + 1 > WIDTH {
            let _infallible = writeln!(out, "{}", line.trim_end());
            next.clone_into(&mut line);
            is_bare = true;
        }
        if !is_bare {
            line.push(' ');
        }
        line.push_str(word);
        is_bare = false;
    }
    let _infallible = writeln!(out, "{}", line.trim_end());
}

/// Replaces every character that a shell interprets. An apostrophe becomes a typographic one.
fn prose(text: &str) -> String {
    escaped(text)
        .chars()
        .map(|c| match c {
            '\'' => '’',
            '"' => '”',
            '`' | '$' | '\\' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '*'
            | '?' | '~' | '^' | '#' | '!' => '·',
            c => c,
        })
        .collect()
}

/// Lower-cases the first letter of a sentence that follows a colon. Names stay as they are.
fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let first = chars.next();
    let is_word = chars.clone().next().is_some_and(|c| c.is_lowercase() || c == ' ');
    first
        .map(|first| if is_word { first.to_lowercase().chain(chars).collect() } else { sentence.to_owned() })
        .unwrap_or_default()
}

/// Shortens the longest word in its middle until the line fits. If all words are short, the end of the line is cut.
fn fitted(line: &str, width: usize) -> String {
    let over = line.chars().count().saturating_sub(width);
    if over == 0 {
        return line.to_owned();
    }
    let longest = line.split(' ').max_by_key(|word| word.chars().count()).unwrap_or_default();
    let length = longest.chars().count();
    let kept = length.saturating_sub(over + 1).max(16);
    if length <= kept + 1 {
        return line.chars().take(width.saturating_sub(1)).chain(['…']).collect();
    }
    let head: String = longest.chars().take(kept / 2).collect();
    let tail: String = longest.chars().skip(length - (kept - kept / 2)).collect();
    fitted(&line.replacen(longest, &format!("{head}…{tail}"), 1), width)
}
