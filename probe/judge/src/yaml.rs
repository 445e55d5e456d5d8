//! Reads YAML like Kubernetes: a tree with the line of each node, by the rules of the Go library that kubectl uses. Bounded, pure.
//! Other code interprets the nodes.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The depth of nested lists and mappings. A pod's specification needs about ten levels.
const DEPTH_LIMIT: usize = 64;
/// Nodes of one document, including those that aliases repeat.
const NODE_LIMIT: usize = 200_000;

/// A node and its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Counted from 1.
    pub line: usize,
    /// What it holds.
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or one of the words for it.
    Null,
    /// A number or a truth value, as it is written.
    Other(String),
    /// A string.
    Text {
        /// Without quotes and escapes.
        text: String,
        /// The line on which a literal block (`|`) begins, because its lines are lines of the document. `None`: it has another style.
        literal: Option<usize>,
    },
    /// In the order of the document.
    List(Vec<Node>),
    /// In the order of the document. Of equal keys the last one counts. Merge keys (`<<`) are replaced by the pairs that they add.
    Map(Vec<(Node, Node)>),
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// The parser's message.
    pub what: String,
}

impl Node {
    /// The string; `None`: it is not a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list; empty for anything else.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// The pairs of a mapping; empty for anything else.
    #[must_use]
    pub fn pairs(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// The value of `key` in a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().rev().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }
}

/// An iterator over the documents of a text. It ends with the first problem.
pub struct Documents<'t> {
    parser: Parser<'t, StrInput<'t>>,
    ended: bool,
    first_alone: bool,
    problem: Option<Problem>,
}

/// The error for text after a complete document. Go's `Unmarshal` stops before it, but the parser here only after it.
const BEHIND: &str = "did not find expected <document start>";

/// The documents of `text`.
#[must_use]
pub fn documents(text: &str) -> Documents<'_> {
    let text = text.trim_start_matches('\u{feff}');
    Documents { parser: Parser::new_from_str(text), ended: false, first_alone: false, problem: foreign(text) }
}

/// The first document; `Null` if there is none. What follows it is ignored.
///
/// # Errors
/// It is not YAML, or exceeds the limits.
pub fn first_document(text: &str) -> Result<Node, Problem> {
    Documents { first_alone: true, ..documents(text) }
        .next()
        .unwrap_or(Ok(Node { line: 1, value: Value::Null }))
}

/// The first character that the Go library refuses at any place.
fn foreign(text: &str) -> Option<Problem> {
    let refused = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
            || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let at = text.find(refused)?;
    let line = 1 + text[..at].matches('\n').count();
    Some(Problem { line, what: "control characters are not allowed".to_owned() })
}

impl Iterator for Documents<'_> {
    type Item = Result<Node, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = match self.problem.take() {
            Some(problem) => Err(problem),
            None => self.document(),
        };
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

impl Documents<'_> {
    fn document(&mut self) -> Result<Option<Node>, Problem> {
        let mut tree = Tree::default();
        while let Some(event) = self.parser.next_event() {
            let (event, span) = match event {
                Err(error) if self.first_alone && error.info() == BEHIND && tree.root.is_some() => {
                    return Ok(tree.root.take());
                }
                event => event.map_err(|error| Problem {
                    line: error.marker().line(),
                    what: error.info().to_owned(),
                })?,
            };
            match event {
                Event::DocumentEnd => return Ok(tree.root.take()),
                event => tree.take(event, span)?,
            }
        }
        Ok(None)
    }
}

/// An open list or mapping. The children of a mapping are keys and values in turn.
struct Open {
    line: usize,
    anchor: usize,
    is_map: bool,
    children: Vec<Node>,
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, line)?;
                let value = scalar(text, style, tag.as_deref(), line);
                self.close(Node { line, value }, anchor);
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, false, line)?,
            Event::MappingStart(anchor, _) => self.open(anchor, true, line)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = if open.is_map { map(open.children) } else { Value::List(open.children) };
                    self.close(Node { line: open.line, value }, open.anchor);
                }
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or_else(|| Problem {
                    line,
                    what: "an alias of something that is not there yet".to_owned(),
                })?;
                self.count(size(&node), line)?;
                self.close(node, 0);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, is_map: bool, line: usize) -> Result<(), Problem> {
        self.count(1, line)?;
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Problem { line, what: format!("more than {DEPTH_LIMIT} levels") });
        }
        self.open.push(Open { line, anchor, is_map, children: Vec::new() });
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.root = Some(node),
        }
    }

    fn count(&mut self, more: usize, line: usize) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODE_LIMIT {
            return Err(Problem { line, what: format!("more than {NODE_LIMIT} nodes") });
        }
        Ok(())
    }
}

/// The number of nodes in a tree. The tree is no deeper than the limit.
fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(nodes) => nodes.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| size(key) + size(value)).sum(),
        _ => 0,
    }
}

fn map(children: Vec<Node>) -> Value {
    let mut pairs = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        if key.text() != Some("<<") {
            pairs.push((key, value));
            continue;
        }
        match value.value {
            Value::Map(merged) => pairs.extend(merged),
            // Of several merged mappings the first one wins.
            Value::List(all) => pairs.extend(all.into_iter().rev().flat_map(|node| match node.value {
                Value::Map(merged) => merged,
                _ => Vec::new(),
            })),
            _ => {}
        }
    }
    Value::Map(pairs)
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Value {
    let is_string = style != ScalarStyle::Plain || tag.is_some();
    if is_string || is_text(&text) {
        // The parser names the first line that is not empty.
        let blank = text.bytes().take_while(|byte| *byte == b'\n').count();
        let literal = (style == ScalarStyle::Literal).then_some(line.saturating_sub(blank));
        return Value::Text { text: text.into_owned(), literal };
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => Value::Other(text.into_owned()),
    }
}

/// Whether a plain scalar is a string in YAML 1.1, as the Go library decides: `yes`, `off` and `1_000` are not.
fn is_text(text: &str) -> bool {
    const WORDS: &[&str] = &["", "~", "null", "y", "n", "yes", "no", "true", "false", "on", "off"];
    const NUMBERS: &[&str] = &[".nan", ".inf", "+.inf", "-.inf"];
    let folded = text.to_ascii_lowercase();
    // The words count in lower case, upper case, or with a leading capital; `nULL` is a string.
    let first = text.chars().next().is_some_and(|c| c.is_ascii_uppercase());
    let capital = text.get(1..).is_none_or(|rest| *rest == folded[1..]);
    let is_cased = text == folded || text == text.to_ascii_uppercase() || (first && capital);
    if is_cased && (WORDS.contains(&folded.as_str()) || NUMBERS.contains(&folded.as_str())) {
        return false;
    }
    !is_number(&folded.replace('_', ""))
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all = |rest: &str, radix| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix));
    if let Some(rest) = unsigned.strip_prefix("0x") {
        return all(rest, 16);
    }
    if let Some(rest) = unsigned.strip_prefix("0b") {
        return all(rest, 2);
    }
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
