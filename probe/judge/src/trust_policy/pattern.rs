//! Condition values as patterns: wildcards, and policy variables filled in. Pure.
//! Source: IAM user guide, "IAM policy elements: Variables and tags".

use super::condition::Truth;
use super::context::{Context, Value};

/// A value ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// The result of expanding variables in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expanded {
    Pattern(Pattern),
    /// A variable has no value, so it matches nothing.
    Nothing,
    /// A variable's value is not known.
    Unknown,
}

impl Pattern {
    /// All characters are literal.
    pub(crate) fn plain(text: &str) -> Self {
        Self(text.chars().map(Part::Char).collect())
    }

    /// `*` and `?` are literal.
    pub(crate) fn literal(text: &str, context: &Context, variables: bool) -> Expanded {
        expand(text, variables.then_some(context), false)
    }

    /// `*` matches any characters, `?` one character.
    pub(crate) fn wildcards(text: &str, context: &Context, variables: bool) -> Expanded {
        expand(text, variables.then_some(context), true)
    }

    /// Wildcards without variables, as in `Action`.
    pub(crate) fn glob(text: &str) -> Self {
        Self(text.chars().map(wildcard).collect())
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        matches(&self.0, &text)
    }

    pub(crate) fn matches_ignoring_case(&self, text: &str) -> bool {
        let lower = self.0.iter().flat_map(|part| match part {
            Part::Char(c) => c.to_lowercase().map(Part::Char).collect(),
            wild => vec![*wild],
        });
        Self(lower.collect()).matches(&text.to_lowercase())
    }

    /// Whether a text that begins like this and continues matches.
    pub(crate) fn matches_beginning(&self, begin: &str) -> Truth {
        beginning(&self.0, begin)
    }

    /// The same for an ARN whose last of six parts continues.
    pub(crate) fn matches_beginning_of_arn(&self, begin: &str) -> Truth {
        let pattern: Vec<&[Part]> = self.0.splitn(6, |part| *part == Part::Char(':')).collect();
        let text: Vec<&str> = begin.splitn(6, ':').collect();
        let ([pattern @ .., last], [text @ .., end]) = (pattern.as_slice(), text.as_slice()) else {
            return Truth::No;
        };
        let whole = pattern.len() == 5 && text.len() == 5;
        let fits = |(pattern, text): (&&[Part], &&str)| {
            let text: Vec<Part> = text.chars().map(wildcard).collect();
            meet(pattern, &text)
        };
        if !whole || !pattern.iter().zip(text).all(fits) {
            return Truth::No;
        }
        // The unknown part of the beginning may differ from the pattern.
        let covered = |(pattern, text): (&&[Part], &&str)| *text != "*" || *pattern == [Part::Any];
        match beginning(last, end) {
            Truth::Yes if !pattern.iter().zip(text).all(covered) => Truth::Unknown,
            truth => truth,
        }
    }

    /// Matches the six parts of an ARN separately: a wildcard does not match a colon.
    pub(crate) fn matches_arn(&self, text: &str) -> bool {
        let pattern: Vec<&[Part]> = self.0.splitn(6, |part| *part == Part::Char(':')).collect();
        let text: Vec<&str> = text.splitn(6, ':').collect();
        let is_arn = text.len() == 6 && text[0] == "arn" && pattern.len() == 6;
        is_arn
            && pattern.iter().zip(text).all(|(pattern, text)| {
                let text: Vec<char> = text.chars().collect();
                matches(pattern, &text)
            })
    }
}

fn wildcard(c: char) -> Part {
    match c {
        '*' => Part::Any,
        '?' => Part::One,
        c => Part::Char(c),
    }
}

/// `context`: the source of variables. `None`: the policy's version has no variables.
fn expand(text: &str, context: Option<&Context>, wildcards: bool) -> Expanded {
    let part = |c| if wildcards { wildcard(c) } else { Part::Char(c) };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let variable = context.and_then(|context| {
            let (inner, after) = rest.strip_prefix("${")?.split_once('}')?;
            Some((context, inner, after))
        });
        let Some((context, inner, after)) = variable else {
            parts.push(part(c));
            rest = &rest[c.len_utf8()..];
            continue;
        };
        rest = after;
        // `${*}`, `${?}` and `${$}` are literal characters.
        if let "*" | "?" | "$" = inner {
            parts.extend(inner.chars().map(Part::Char));
            continue;
        }
        let (key, default) = match inner.split_once(',') {
            Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
            None => (inner.trim(), None),
        };
        match (context.value(key), default) {
            (Value::Unknown(_) | Value::Begins(_), _) => return Expanded::Unknown,
            // Only keys with a single value can be variables.
            (Value::Present(values), _) if values.len() == 1 => {
                parts.extend(values.iter().flat_map(|value| value.chars()).map(Part::Char));
            }
            (_, Some(default)) => parts.extend(default.chars().map(Part::Char)),
            (_, None) => return Expanded::Nothing,
        }
    }
    Expanded::Pattern(Pattern(parts))
}

/// Yes: it matches whatever follows. No: it cannot match.
fn beginning(pattern: &[Part], begin: &str) -> Truth {
    let text: Vec<char> = begin.chars().collect();
    let any_text = pattern.last() == Some(&Part::Any) && !pattern.contains(&Part::One);
    if any_text && matches(pattern, &text) {
        return Truth::Yes;
    }
    let goes_on = begin.chars().map(wildcard).chain([Part::One, Part::Any]);
    if meet(pattern, &goes_on.collect::<Vec<Part>>()) { Truth::Unknown } else { Truth::No }
}

/// Whether some text matches both patterns.
fn meet(one: &[Part], other: &[Part]) -> bool {
    // Row by row from the end: whether the rest of `one` matches each rest of `other`.
    let mut below = vec![false; other.len() + 1];
    for i in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 1];
        for j in (0..=other.len()).rev() {
            row[j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(Part::Any), right) => below[j] || (right.is_some() && row[j + 1]),
                (left, Some(Part::Any)) => row[j + 1] || (left.is_some() && below[j]),
                (Some(left), Some(right)) => {
                    (left == right || *left == Part::One || *right == Part::One) && below[j + 1]
                }
                _ => false,
            };
        }
        below = row;
    }
    below[0]
}

/// Backtracks only to the last `*`, so the time stays quadratic.
fn matches(pattern: &[Part], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Part::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(Part::One) => {
                p += 1;
                t += 1;
            }
            Some(Part::Char(c)) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|part| *part == Part::Any)
}
