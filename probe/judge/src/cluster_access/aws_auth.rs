//! Reads the ConfigMap aws-auth as the authenticator does: which lines it keeps, which sections and entries it drops, and why. Pure.
//! Source: `pkg/mapper/configmap/configmap.go`, `ParseMap`. Its values go through Go's YAML and JSON, whose rules apply here too.

use crate::yaml::{self, Node, Value};

/// The longest text that is read, in bytes. A ConfigMap holds 1 MiB.
pub const AWS_AUTH_LIMIT: usize = 2 * 1024 * 1024;

/// A place in the ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) section: String,
    /// Counted in the file, or in the section if its text is quoted, as in JSON.
    pub(crate) line: usize,
    pub(crate) in_section: bool,
}

/// An entry that the authenticator keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) place: Place,
    pub(crate) arn: String,
    pub(crate) username: String,
    pub(crate) groups: Vec<String>,
    /// The parts that are lost. The entry still maps.
    pub(crate) lost: Vec<String>,
}

/// A section or an entry that does not exist for EKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) place: Place,
    pub(crate) why: String,
    /// The ARN in it, or its text.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AwsAuth {
    pub(crate) roles: Vec<Line>,
    pub(crate) users: Vec<Line>,
    pub(crate) accounts: Vec<(Place, String)>,
    pub(crate) dropped: Vec<Dropped>,
}

const SECTIONS: &[&str] = &["mapRoles", "mapUsers", "mapAccounts"];

impl AwsAuth {
    /// Reads the output of `kubectl get configmap -n kube-system aws-auth -o yaml` or `-o json`, or its data alone.
    ///
    /// # Errors
    /// One line: why there is no such ConfigMap in it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > AWS_AUTH_LIMIT {
            return Err(format!("it is longer than {AWS_AUTH_LIMIT} bytes; a ConfigMap has 1 MiB at most"));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))?;
        let root = yaml::first_document(text)
            .map_err(|problem| format!("it is not YAML: line {}: {}", problem.line, problem.what))?;
        let is_it = |item: &&Node| {
            item.get("metadata").and_then(|it| it.get("name")).and_then(Node::text) == Some("aws-auth")
        };
        let map = root.get("items").and_then(|items| items.list().iter().find(is_it)).unwrap_or(&root);
        let is_section = |(key, _): &(Node, Node)| key.text().is_some_and(|key| meant(key).is_some());
        let data = match map.get("data") {
            Some(data) => data,
            None if map.pairs().iter().any(is_section) => map,
            None if map.get("kind").and_then(Node::text) == Some("ConfigMap") => map,
            None => {
                return Err("there is no ConfigMap in it: give the output of kubectl get configmap -n kube-system aws-auth -o yaml".to_owned());
            }
        };
        let mut auth = Self::default();
        if let Some(why) = other_map(map) {
            let place = Place { section: "ConfigMap".to_owned(), line: map.line, in_section: false };
            auth.dropped.push(Dropped { place, why, text: String::new() });
            return Ok(auth);
        }
        let bare = std::ptr::eq(data, map);
        for (key, value) in data.pairs() {
            let Some(name) = key.text() else { continue };
            // Of equal keys the last one counts.
            if data.get(name).is_some_and(|counts| std::ptr::eq(counts, value)) {
                auth.section(name, key.line, value, bare);
            }
        }
        Ok(auth)
    }

    fn section(&mut self, name: &str, line: usize, value: &Node, bare: bool) {
        let place = Place { section: name.to_owned(), line, in_section: false };
        if !SECTIONS.contains(&name) {
            let why = match meant(name) {
                Some(meant) => format!("EKS reads {meant}, written exactly so"),
                None if bare => return,
                None => "EKS reads mapRoles, mapUsers and mapAccounts only".to_owned(),
            };
            let text = value.text().unwrap_or_default().to_owned();
            self.dropped.push(Dropped { place, why, text });
            return;
        }
        let Value::Text { text, literal } = &value.value else {
            if value.value != Value::Null {
                let why = "its value is not text: the bar behind the colon is missing, and the API server refuses that";
                self.dropped.push(Dropped { place, why: why.to_owned(), text: String::new() });
            }
            return;
        };
        // `isSkippable` in the authenticator.
        if matches!(text.trim(), "" | "``" | "\"\"" | "''") {
            return;
        }
        let at = |line: usize| match literal {
            Some(first) => Place { section: name.to_owned(), line: first + line - 1, in_section: false },
            None => Place { section: name.to_owned(), line, in_section: true },
        };
        let read = yaml::first_document(text).and_then(|node| match odd_key(&node) {
            Some(line) if name != "mapAccounts" => Err(yaml::Problem {
                line,
                what: "a key is not a string, braces at the start of a value need quotes".to_owned(),
            }),
            _ => Ok(node),
        });
        let root = match read {
            Ok(root) => root,
            Err(problem) => {
                let why = format!("its YAML is broken, and EKS drops the whole section: {}", problem.what);
                self.dropped.push(Dropped { place: at(problem.line.max(1)), why, text: text.clone() });
                return;
            }
        };
        match (&root.value, name) {
            (Value::Null, _) => {}
            (Value::List(nodes), "mapAccounts") => {
                for node in nodes {
                    match &node.value {
                        // Where a string is expected, Go takes a number as it is written.
                        Value::Text { text, .. } | Value::Other(text) => {
                            self.accounts.push((at(node.line), text.clone()));
                        }
                        Value::Null => {}
                        Value::List(_) | Value::Map(_) => {
                            let why = "an account is twelve digits".to_owned();
                            self.dropped.push(Dropped { place: at(node.line), why, text: String::new() });
                        }
                    }
                }
            }
            (Value::List(nodes), _) => {
                let (lines, arn_key) = match name {
                    "mapRoles" => (&mut self.roles, "rolearn"),
                    _ => (&mut self.users, "userarn"),
                };
                for node in nodes {
                    match entry(node, arn_key, at(node.line)) {
                        Ok(line) => lines.push(line),
                        Err(dropped) => self.dropped.push(dropped),
                    }
                }
            }
            _ => {
                let why = "it is not a list: each entry begins with a dash".to_owned();
                self.dropped.push(Dropped { place: at(root.line), why, text: text.clone() });
            }
        }
    }
}

/// The section that a misspelt key was probably meant to be.
fn meant(key: &str) -> Option<&'static str> {
    let letters = |text: &str| -> String {
        let text = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        text.to_ascii_lowercase().trim_end_matches('s').to_owned()
    };
    SECTIONS.iter().find(|section| letters(section) == letters(key)).copied()
}

/// Why the authenticator does not watch this ConfigMap.
fn other_map(map: &Node) -> Option<String> {
    let of = |key: &str| map.get("metadata").and_then(|it| it.get(key)).and_then(Node::text);
    let (name, namespace) = (of("name"), of("namespace"));
    let is_other = name.is_some_and(|name| name != "aws-auth")
        || namespace.is_some_and(|namespace| namespace != "kube-system");
    is_other.then(|| {
        let (name, namespace) = (name.unwrap_or("aws-auth"), namespace.unwrap_or("kube-system"));
        format!("EKS reads kube-system/aws-auth, this is {namespace}/{name}")
    })
}

/// The line of a key that JSON cannot express. Such a key loses the whole section.
fn odd_key(node: &Node) -> Option<usize> {
    let of_pair = |(key, value): &(Node, Node)| match key.value {
        Value::Null | Value::List(_) | Value::Map(_) => Some(key.line),
        Value::Text { .. } | Value::Other(_) => odd_key(value),
    };
    node.pairs().iter().find_map(of_pair).or_else(|| node.list().iter().find_map(odd_key))
}

/// The values that Go's JSON decoder puts into the field `name`. Keys match in any case; the last one in byte order counts.
fn fields<'n>(entry: &'n Node, name: &str) -> Vec<&'n Node> {
    let mut found: Vec<(&str, &Node)> = Vec::new();
    for (key, value) in entry.pairs() {
        let Some(key) = key.text().filter(|key| key.eq_ignore_ascii_case(name)) else { continue };
        found.retain(|(other, _)| *other != key);
        found.push((key, value));
    }
    found.sort_by_key(|(key, _)| *key);
    found.into_iter().map(|(_, value)| value).collect()
}

/// A string field. A value that is not a string leaves the field as it was.
fn string(entry: &Node, name: &str, lost: &mut Vec<String>) -> String {
    let mut text = String::new();
    for value in fields(entry, name) {
        match &value.value {
            Value::Text { text: given, .. } => text.clone_from(given),
            Value::Null => {}
            Value::Other(given) => {
                lost.push(format!("{name} is {given} without quotes, which is not a string"))
            }
            Value::List(_) | Value::Map(_) => lost.push(format!("{name} is not a string")),
        }
    }
    text
}

fn entry(node: &Node, arn_key: &str, place: Place) -> Result<Line, Dropped> {
    const KNOWN: &[&str] = &["rolearn", "userarn", "username", "groups", "userid", "sso"];
    let mut lost = Vec::new();
    let arn = string(node, arn_key, &mut lost);
    let username = string(node, "username", &mut lost);
    let mut groups = Vec::new();
    for value in fields(node, "groups") {
        match &value.value {
            Value::List(nodes) => {
                groups = nodes.iter().map(|node| node.text().unwrap_or_default().to_owned()).collect();
                if nodes.iter().any(|node| !matches!(node.value, Value::Text { .. } | Value::Null)) {
                    lost.push("a group is not a string".to_owned());
                }
            }
            Value::Null => groups.clear(),
            _ => lost.push("groups is not a list: there are no groups".to_owned()),
        }
    }
    for (key, _) in node.pairs() {
        let Some(key) = key.text() else { continue };
        if !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            lost.push(format!("EKS does not know the key {key}"));
        }
    }
    let other_key = if arn_key == "rolearn" { "userarn" } else { "rolearn" };
    let has_sso = arn_key == "rolearn" && fields(node, "sso").iter().any(|it| it.value != Value::Null);
    let why = match (&node.value, arn.is_empty()) {
        (Value::Null, _) => "it is empty".to_owned(),
        (Value::Map(_), true) if has_sso => "EKS does not map by sso: name the role in rolearn".to_owned(),
        (Value::Map(_), false) if has_sso => "it has both rolearn and sso".to_owned(),
        (Value::Map(_), true) if !fields(node, other_key).is_empty() => {
            format!("it has {other_key}, and this section needs {arn_key}")
        }
        (Value::Map(_), true) => format!("it has no {arn_key}"),
        (Value::Map(_), false) => return Ok(Line { place, arn, username, groups, lost }),
        _ => format!("it is not a mapping with {arn_key}, username and groups"),
    };
    // Any ARN in the entry shows whether it was meant for the principal.
    let is_arn = |node: &Node| node.text().is_some_and(|text| text.starts_with("arn:"));
    let text = if arn.is_empty() {
        let value = node.pairs().iter().map(|(_, value)| value).find(|value| is_arn(value));
        value.unwrap_or(node).text().unwrap_or_default().to_owned()
    } else {
        arn
    };
    Err(Dropped { place, why, text })
}
