//! The grammar of AWS's access-denied messages, from the IAM user guide and from users' logs.
//! `User: ARN is not authorized to perform: ACTION on resource: ARN because no KIND policy allows the ACTION action`,
//! or `… with an explicit deny in a KIND policy: ARN`. Any part except the verb may be missing.

pub(crate) mod secrets;

use serde::Serialize;

/// The verb, which all cases and services share.
const VERB: &str = "authorized to perform";
const USER: &str = "User: ";
const ENCODED: &str = "Encoded authorization failure message";

/// In bytes. No ARN, session name or object key is longer than this, together with the text around it.
const REACH: usize = 4_096;

/// The kinds of policy that AWS's messages name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PolicyKind {
    Identity,
    Boundary,
    Session,
    ServiceControl,
    ResourceControl,
    VpcEndpoint,
    Resource,
    Trust,
}

/// Whether no policy allows the action, or one denies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    Implicit,
    Explicit,
}

/// What AWS says about one refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Denial {
    /// An ARN, or a word such as `anonymous`. Kept as it is in the text, because `caller` parses all of it.
    pub caller: Option<String>,
    pub action: Option<String>,
    pub resource: Option<String>,
    pub kind: Option<PolicyKind>,
    pub policy: Option<String>,
    pub effect: Option<Effect>,
    /// Only AWS can read the rest of the message.
    pub encoded: bool,
    /// S3's Block Public Access refused. It is a setting and not a policy.
    pub public_access: bool,
}

/// The fullest denial in the line; of several equally full ones the last.
pub(crate) fn read(line: &str) -> Option<Denial> {
    let verbs = line.match_indices(VERB).map(|(at, _)| of_verb(line, at));
    let fullest = verbs.max_by_key(Denial::facts);
    let mut denial = match fullest {
        // The line says only `You are not authorized to perform this operation`.
        Some(denial) if denial.facts() == 0 && !line.contains("not authorized to perform this operation") => {
            return None;
        }
        Some(denial) => denial,
        None if line.contains(ENCODED) => of_reason(line).unwrap_or_default(),
        None => of_reason(line)?,
    };
    denial.encoded = line.contains(ENCODED);
    Some(denial)
}

impl Denial {
    pub(crate) fn says_no_more_than_the_action(&self) -> bool {
        self.caller.is_none() && self.resource.is_none() && self.effect.is_none() && !self.encoded
    }

    fn facts(&self) -> usize {
        [
            self.caller.is_some(),
            self.action.is_some(),
            self.action.is_some(),
            self.resource.is_some(),
            self.effect.is_some(),
            self.policy.is_some(),
        ]
        .into_iter()
        .filter(|known| *known)
        .count()
    }
}

fn of_verb(line: &str, at: usize) -> Denial {
    let behind = head(&line[at + VERB.len()..]);
    let behind = behind.strip_prefix(':').unwrap_or(behind).trim_start();
    let (action, rest) = action(behind);
    let rest = &rest[..rest.find(VERB).unwrap_or(rest.len())];
    let reason = reason(rest);
    Denial {
        caller: caller(tail(&line[..at])),
        // An operation may need another action than its own, and only the reason names that action.
        action: reason.action.or(action).map(secrets::without_secrets),
        resource: resource(rest),
        kind: reason.kind,
        policy: reason.policy,
        effect: reason.effect,
        encoded: false,
        public_access: reason.public_access,
    }
}

/// Reads a denial whose beginning a log may have cut off.
fn of_reason(line: &str) -> Option<Denial> {
    let at = line.find("because no ").or_else(|| line.find("explicit deny in "))?;
    let reason = reason(head(&line[at..]));
    reason.kind?;
    Some(Denial {
        action: reason.action.map(secrets::without_secrets),
        kind: reason.kind,
        policy: reason.policy,
        effect: reason.effect,
        ..Denial::default()
    })
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(REACH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(REACH);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// `X` of `User: X is not`, or an ARN directly before the verb. Where something else follows, the name goes on behind a blank,
/// an escape or a line's end, so it is marked as cut.
fn caller(before: &str) -> Option<String> {
    const QUOTES: &[char] = &[' ', '"', '\'', '`', ','];
    let user = before.rfind(USER).map(|at| &before[at + USER.len()..]);
    let named = user.or_else(|| before.rfind("arn:").map(|at| &before[at..]))?.trim_start_matches(QUOTES);
    let word = word(named, QUOTES);
    // Without a name, the next word belongs to the sentence.
    if matches!(word, "" | "is" | "not") || word.starts_with("...") || is_placeholder(word) {
        return None;
    }
    let next = named[word.len()..].trim_start_matches(QUOTES);
    let is_whole = next.starts_with("is") || next.starts_with("not");
    match (user, is_whole) {
        (_, true) => Some(word.to_owned()),
        (Some(_), false) => Some(cut(word)),
        (None, false) => None,
    }
}

/// A name whose rest the text lacks.
fn cut(name: &str) -> String {
    format!("{name}…")
}

/// The first word. A placeholder such as `<account id>` belongs to its word; a tag such as `</Message>` does not.
fn word<'a>(text: &'a str, ends: &[char]) -> &'a str {
    let mut at = 0;
    while let Some(found) = text[at..].find(|c| c == '<' || ends.contains(&c)) {
        at += found;
        match placeholder(&text[at..]) {
            Some(length) => at += length,
            None => return &text[..at],
        }
    }
    text
}

fn is_placeholder(word: &str) -> bool {
    placeholder(word) == Some(word.len())
}

/// The length of a placeholder at the beginning of the text.
fn placeholder(text: &str) -> Option<usize> {
    const TAGS: &[&str] =
        &["br", "p", "b", "i", "em", "strong", "code", "pre", "span", "div", "li", "td", "tr"];
    let inside = text.strip_prefix('<')?;
    let inside = &inside[..inside.bytes().take(41).position(|byte| byte == b'>')?];
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'.');
    let is_name = !inside.is_empty() && inside.bytes().all(is_of_name);
    (is_name && !TAGS.contains(&inside.trim_end())).then_some(inside.len() + 2)
}

/// `SERVICE:Action`, and the text after it.
fn action(text: &str) -> (Option<&str>, &str) {
    let text = text.trim_start_matches(['`', '"', '\'', '|', ' ']);
    let end = text.bytes().position(|byte| !is_of_action(byte)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    // No service's action goes on with one of these; a key does.
    let goes_on = rest.starts_with(['+', '/', '=', '_']);
    if is_action(word) && !goes_on { (Some(word), rest) } else { (None, text) }
}

const fn is_of_action(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'*')
}

fn is_action(word: &str) -> bool {
    let two = word.split_once(':');
    two.is_some_and(|(service, action)| {
        !service.is_empty()
            && !action.is_empty()
            && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'*')
            && word.len() <= 128
    })
}

/// The name after `on resource:`. Some of IAM's names have two words, and S3's are in quotation marks.
fn resource(rest: &str) -> Option<String> {
    let named = rest.split_once("on resource")?.1;
    let named = named.strip_prefix(':').unwrap_or(named).trim_start();
    // A time or a frame, where a log broke the sentence.
    let is_prefix = named.starts_with(|c: char| c == '|' || c == '[' || c.is_ascii_digit());
    let near = named.find(" because ").unwrap_or(named.len()).min(64);
    let arn = named.find("arn:").filter(|at| is_prefix && *at < near);
    let named = &named[arn.unwrap_or(0)..];
    let quote = named.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let named = match quote {
        Some(quote) => word(&named[1..], &[quote]),
        None => {
            let first = word(named, &[' ']);
            let is_kind =
                ["role", "user", "group", "policy", "instance", "mfa", "server-certificate"].contains(&first);
            let second = named.get(first.len() + 1..).filter(|_| is_kind).map(|next| word(next, &[' ']));
            &named[..first.len() + second.map_or(0, |second| second.len() + 1)]
        }
    };
    let is_end = |c: char| {
        matches!(c, '"' | '\'' | '`' | ',' | ';' | ')' | '\\') || (c == '}' && !named.contains('{'))
    };
    let named = named.trim_matches(is_end);
    // Markdown's bold.
    let bold = named.strip_suffix("**").filter(|name| !name.ends_with('*'));
    let named = bold.unwrap_or(named);
    let named = if named.ends_with("...") { named } else { named.trim_end_matches(['.', ':']) };
    if named.is_empty() || is_placeholder(named) {
        return None;
    }
    let is_cut = "arn:".starts_with(named)
        || (named.starts_with("arn:")
            && !named.ends_with('*')
            && !named.contains('/')
            && named.split(':').count() < 6);
    let shown = secrets::without_secrets(named);
    Some(if is_cut { cut(&shown) } else { shown })
}

#[derive(Default)]
struct Reason<'a> {
    kind: Option<PolicyKind>,
    action: Option<&'a str>,
    policy: Option<String>,
    effect: Option<Effect>,
    public_access: bool,
}

/// What AWS calls each kind. A name that begins like another one comes first.
const KINDS: &[(&str, PolicyKind)] = &[
    ("identity-based", PolicyKind::Identity),
    ("resource-based", PolicyKind::Resource),
    ("service control", PolicyKind::ServiceControl),
    ("resource control", PolicyKind::ResourceControl),
    ("VPC endpoint", PolicyKind::VpcEndpoint),
    ("permissions boundary", PolicyKind::Boundary),
    ("session", PolicyKind::Session),
    ("role trust", PolicyKind::Trust),
];

fn reason(rest: &str) -> Reason<'_> {
    let kind_of = |text: &str| KINDS.iter().find(|(words, _)| text.starts_with(words)).map(|(_, kind)| *kind);
    if let Some(at) = rest.find("explicit deny") {
        let named = rest[at + "explicit deny".len()..].trim_start();
        let named = named.strip_prefix("in ").unwrap_or_default();
        let named =
            ["an ", "a ", "the "].iter().find_map(|article| named.strip_prefix(article)).unwrap_or(named);
        let through =
            named.find(" transitively through a ").map(|at| &named[at + " transitively through a ".len()..]);
        let kind = through.and_then(kind_of).or_else(|| kind_of(named));
        let policy = kind.and_then(|_| policy(named));
        return Reason { kind, policy, effect: Some(Effect::Explicit), ..Reason::default() };
    }
    if rest.contains("BlockPublicPolicy") || rest.contains("BlockPublicAcls") {
        return Reason { effect: Some(Effect::Explicit), public_access: true, ..Reason::default() };
    }
    // KMS and S3, of a key. They do not say which of three reasons it is.
    if rest.contains("because the resource does not exist in this Region") {
        return Reason { kind: Some(PolicyKind::Resource), ..Reason::default() };
    }
    let Some(named) = rest.split_once("because no ").map(|(_, named)| named) else {
        return Reason::default();
    };
    let Some(kind) = kind_of(named) else { return Reason::default() };
    let allowed = named.split_once("allows the ").and_then(|(_, allowed)| action(allowed).0);
    Reason { kind: Some(kind), action: allowed, effect: Some(Effect::Implicit), ..Reason::default() }
}

/// The ARN directly after the kind's name.
fn policy(named: &str) -> Option<String> {
    let at = named.find("arn:").filter(|at| *at <= "service control policy: ".len())?;
    let arn =
        word(&named[at..], &[' ', '"', '\'', ',', '`']).trim_end_matches(['.', ')', ';', '\\', '}', '*']);
    let shown = secrets::without_secrets(arn);
    Some(if arn.contains("policy/") { shown } else { cut(&shown) })
}
