//! One section of aws-auth: parsed as YAML as libyaml's successors do it, then filled into structures as Go's `encoding/json`
//! does it. A value that does not fit a field empties that field alone; broken YAML empties the whole section.

use std::collections::BTreeMap;

use libyaml_safer::{EventData, Parser, ScalarStyle};

/// A line that passes the authenticator's `Validate()`.
#[derive(Default)]
pub(super) struct Line {
    pub(super) arn: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    has_sso: bool,
}

/// The lines of `mapRoles` or `mapUsers`; `key` is the name of the ARN's field.
pub(super) fn lines(text: &str, key: &str) -> Vec<Line> {
    let items = match document(text) {
        Some(Node::List(items)) => items,
        _ => return Vec::new(),
    };
    let lines = items.into_iter().map(|item| line(item, key));
    // `sso` beside an ARN is refused for roles, and is not a field of users. `sso` alone needs a feature that is off.
    let is_refused = |line: &Line| line.has_sso && key == "rolearn";
    lines.filter(|line| !line.arn.is_empty() && !is_refused(line)).collect()
}

/// The accounts of `mapAccounts`. A number is read as text, whatever it looks like.
pub(super) fn accounts(text: &str) -> Vec<String> {
    let items = match document(text) {
        Some(Node::List(items)) => items,
        _ => return Vec::new(),
    };
    let scalar = |item| match item {
        Node::Text(text) | Node::Other(text) => Some(text),
        _ => None,
    };
    items.into_iter().filter_map(scalar).collect()
}

fn line(item: Node, arn_key: &str) -> Line {
    let mut line = Line::default();
    let Node::Map(pairs) = item else { return line };
    // The conversion to JSON sorts the keys. The later of two equal keys wins, and case does not matter.
    for (key, value) in pairs.into_iter().collect::<BTreeMap<_, _>>() {
        match (key.to_ascii_lowercase().as_str(), value) {
            (key, Node::Text(text)) if key == arn_key => line.arn = text,
            ("username", Node::Text(text)) => line.username = text,
            ("groups", Node::List(items)) => line.groups = items.into_iter().map(text_or_nothing).collect(),
            ("groups", Node::Null) => line.groups.clear(),
            ("sso", value) => line.has_sso = !matches!(value, Node::Null),
            _ => {}
        }
    }
    line
}

fn text_or_nothing(item: Node) -> String {
    match item {
        Node::Text(text) => text,
        _ => String::new(),
    }
}

#[derive(Clone)]
enum Node {
    Null,
    Text(String),
    /// A number or a boolean, as written.
    Other(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The first document; `None` if it is broken or empty.
fn document(text: &str) -> Option<Node> {
    if ["", "``", "\"\"", "''"].contains(&text.trim()) {
        return None;
    }
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut reader = Reader { parser, anchors: BTreeMap::new() };
    loop {
        match reader.next()? {
            EventData::DocumentStart { .. } => break,
            EventData::StreamEnd => return None,
            _ => {}
        }
    }
    let first = reader.next()?;
    let root = reader.node(first)?;
    matches!(reader.next()?, EventData::DocumentEnd { .. }).then_some(root)
}

struct Reader<'r, 'b> {
    parser: Parser<&'r mut &'b [u8]>,
    anchors: BTreeMap<String, Node>,
}

impl Reader<'_, '_> {
    fn next(&mut self) -> Option<EventData> {
        self.parser.parse().ok().map(|event| event.data)
    }

    fn node(&mut self, event: EventData) -> Option<Node> {
        let (anchor, node) = match event {
            EventData::Alias { anchor } => return self.anchors.get(&anchor).cloned(),
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                (anchor, if is_plain { plain(value) } else { Node::Text(value) })
            }
            EventData::SequenceStart { anchor, .. } => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        EventData::SequenceEnd => break,
                        event => items.push(self.node(event)?),
                    }
                }
                (anchor, Node::List(items))
            }
            EventData::MappingStart { anchor, .. } => (anchor, Node::Map(self.pairs()?)),
            _ => return None,
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        Some(node)
    }

    fn pairs(&mut self) -> Option<Vec<(String, Node)>> {
        let mut pairs = Vec::new();
        loop {
            let event = self.next()?;
            if event == EventData::MappingEnd {
                return Some(pairs);
            }
            // JSON does not allow a list or an object as a key, so `{{SessionName}}` without quotes breaks its section.
            let (Node::Text(key) | Node::Other(key)) = self.node(event)? else { return None };
            let event = self.next()?;
            match (key.as_str(), self.node(event)?) {
                ("<<", Node::Map(merged)) => pairs.extend(merged),
                (_, value) => pairs.push((key, value)),
            }
        }
    }
}

/// Reads a scalar without quotes as YAML 1.1 does.
fn plain(value: String) -> Node {
    const BOOLEANS: [&str; 6] = ["true", "false", "yes", "no", "on", "off"];
    if matches!(value.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Node::Null;
    }
    let lower = value.to_ascii_lowercase();
    // `tRUE` is text, not a boolean.
    let one_case = value == lower || value.get(1..) == lower.get(1..) || value == value.to_ascii_uppercase();
    let digits = lower.replace('_', "");
    let digits = digits.trim_start_matches(['+', '-']);
    let radix = ["0x", "0o", "0b"].iter().any(|prefix| digits.starts_with(prefix));
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && (digits.parse::<f64>().is_ok()
            || radix && digits[2..].bytes().all(|byte| byte.is_ascii_hexdigit()));
    match one_case && BOOLEANS.contains(&lower.as_str()) || is_number {
        true => Node::Other(value),
        false => Node::Text(value),
    }
}

/// The texts under `data` of a ConfigMap's file.
#[cfg(test)]
pub(super) fn data(file: &str) -> Option<BTreeMap<String, String>> {
    let Node::Map(pairs) = document(file)? else { return None };
    let Some((_, Node::Map(data))) = pairs.into_iter().find(|(key, _)| key == "data") else {
        return Some(BTreeMap::new());
    };
    Some(data.into_iter().map(|(key, text)| (key, text_or_nothing(text))).collect())
}
